"""Faces and clips to try bundles on: drawn ones, or test files of people on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from PIL import Image

from edge_runtime.console.output import say_problems
from edge_runtime.dataset.people import index_people, test_pairs
from edge_runtime.errors import PeopleError

SIDE, RATE, SECONDS = 160, 16_000, 3


def drawn_examples(folder: Path, count: int) -> list[tuple[str, str]]:
    """Soft blots of colour and humming: nobody's face and voice, but no noise either.

    Lossless and at the rate that networks take, so that no decoder rounds differently.
    """
    rng = np.random.default_rng(0)
    examples = []
    for number in range(count):
        face, voice = folder / f"{number}.png", folder / f"{number}.wav"
        blots = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        blots.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(face)
        soundfile.write(voice, _humming(rng), RATE, subtype="PCM_16")
        examples.append((str(face), str(voice)))
    return examples


def people_examples(data: Path, count: int) -> list[tuple[str, str]]:
    """A test face and a test clip of each of the first `count` people."""
    people = index_people(data)
    say_problems(people.problems)
    pairs = {face.person: (str((data / face.path).resolve()), str((data / clip.path).resolve()))
             for face, clip in reversed(test_pairs(people))}
    if not pairs:
        raise PeopleError(f"{data}: expected people with test files of both kinds, found none")
    return [pairs[name] for name in sorted(pairs)[:count]]


def _humming(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    time = np.arange(RATE * SECONDS) / RATE
    tones = [np.sin(2 * np.pi * (frequency * time + rng.random()))
             for frequency in rng.uniform(100, 4000, 8)]
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)
    hum: npt.NDArray[np.float64] = 0.08 * swell * np.sum(tones, axis=0)
    return hum + rng.normal(0, 0.003, len(time))
