"""Where the time of a decision goes: the runtime's own pipeline on a synthetic scene.

`scene/` holds a drawn room of 640 x 480 pixels with a face, a crop of the face, and a synthesised
sentence, as `python -m train synth --scenes` makes them. To read them stands for capture: decoding
a picture as a camera sends it, and sound.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cost.timing import Distribution, Name, interleaved_ms
from edge_runtime.console.output import table
from edge_runtime.decision.decide import Decision
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.scoring import fuse
from edge_runtime.errors import UsageError
from edge_runtime.signals.detection import HaarDetector

SCENE = Path(__file__).parent / "scene"
FUSION = "fusion"  # part of the stage "decision"
ROUNDS = 50


def measure_stages(
    identifiers: Mapping[Name, Identifier], rounds: int = ROUNDS
) -> tuple[dict[Name, dict[str, float]], str | None]:
    """Median milliseconds of each stage, by the identifier's name, in turn; and why faces were not
    looked for, where OpenCV is missing: then the crop is taken."""
    picture, crop, clip = (SCENE / name for name in ("picture.jpg", "face.png", "clip.flac"))
    missing = None
    try:
        detector: HaarDetector | None = HaarDetector()
    except UsageError as error:
        detector, missing = None, str(error)
    made: dict[Name, list[Decision]] = {name: [] for name in identifiers}

    def decide(name: Name) -> None:
        identify = identifiers[name].identify
        made[name].append(identify(picture=picture, voice=clip, detector=detector) if detector
                          else identify(face=crop, voice=clip))

    interleaved_ms({name: functools.partial(decide, name) for name in identifiers}, rounds)
    found = {}
    for name, identifier in identifiers.items():
        decisions = made[name][-rounds:]  # without those of the warm-up
        found[name] = {stage: _median_ms([decision.ms[stage] for decision in decisions])
                       for stage in decisions[0].ms}
        if (task := _fusion(identifier, decisions[0])) is not None:
            found[name][FUSION] = _median_ms(interleaved_ms({"": task}, rounds)[""])
    return found, missing


def _fusion(identifier: Identifier, decision: Decision) -> Callable[[], object] | None:
    """Of a pair's scores; one network for both fuses within itself."""
    scores = decision.scores
    if not {"face", "voice"} <= set(scores):
        return None
    return functools.partial(fuse, scores["face"], scores["voice"],
                             identifier.manifest.score_scaling)


def _median_ms(times_ms: Sequence[float]) -> float:
    return Distribution.of(times_ms).median_ms


def stages_table(results: Sequence[Mapping[str, Any]]) -> str:
    """A row for each stage, a column for each result."""
    stages = list(dict.fromkeys(stage for result in results for stage in result["stages_ms"]))
    rows = [[stage.replace("_", " ") + " (part of decision)" * (stage == FUSION),
             *(f"{result['stages_ms'][stage]:.3f}" if stage in result["stages_ms"] else "-"
               for result in results)] for stage in stages]
    header = [f"{result['name']}, {result['threads']}t" if several(results) else result["name"]
              for result in results]
    return table(["ms by stage", *header], rows)


def several(results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a bundle was measured with different numbers of threads."""
    return len({result["threads"] for result in results}) > 1
