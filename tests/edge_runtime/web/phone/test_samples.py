"""Samples of two people under one name are found by the phone as by Python, by fitted log-odds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_runtime.decision.similarity import LogOdds, Similarity
from edge_runtime.errors import GalleryError
from edge_runtime.gallery.samples import NewSample, check_agreement
from edge_runtime.modalities import MODALITIES, Modality
from tests.data.phone_vectors.arrays import unit
from tests.edge_runtime.web.phone.conftest import Browse
from tests.edge_runtime.web.phone.serving import served

pytestmark = pytest.mark.browser

DIM = 16
ODDS = {"face": LogOdds({"face": 30.0}, -24.0), "voice": LogOdds({"voice": 25.0}, -20.0),
        "both": LogOdds({"face": 20.0, "voice": 20.0}, -32.0)}
DECIDE = """async ([cases, odds]) => {
  const { checkAgreement } = await import(new URL("/samples.js", location.href));
  const agree = (samples, by) => {
    try {
      checkAgreement(samples, by);
      return true;
    } catch {
      return false;
    }
  };
  return cases.map((samples) => [agree(samples, null), agree(samples, odds)]);
}"""
Case = dict[Modality, list[np.ndarray]]


def drawn(rng: np.random.Generator, modality: Modality, count: int) -> list[np.ndarray]:
    """Embeddings of one or of two people, who are more or less alike."""
    centres = rng.standard_normal(DIM) + rng.uniform(0, 1) * rng.standard_normal((2, DIM))
    return [unit(unit(centres[i % 2]) + rng.uniform(0.1, 0.7) * unit(rng.standard_normal(DIM)))
            for i in range(count)]


def agree(case: Case, similarity: Similarity | None) -> bool:
    samples = [NewSample(f"{m} {i}", m, row) for m, rows in case.items()
               for i, row in enumerate(rows)]
    try:
        check_agreement(samples, similarity)
    except GalleryError:
        return False
    return True


def test_two_people_are_found_as_python_finds_them(browse: Browse, page_folder: Path) -> None:
    rng = np.random.default_rng(5)
    cases: list[Case] = [{m: drawn(rng, m, int(rng.integers(0, 5))) for m in MODALITIES}
                         for _ in range(60)]
    fitted = Similarity(**ODDS)
    expected = [[agree(case, None), agree(case, fitted)] for case in cases]
    assert {tuple(pair) for pair in expected} == {(True, True), (True, False), (False, False)}
    content = [{m: [row.tolist() for row in rows] for m, rows in case.items()} for case in cases]
    odds = {name: {"scale": dict(known.scale), "offset": known.offset}
            for name, known in ODDS.items()}
    with served(page_folder) as address, browse() as context:
        page = context.pages[0]
        page.goto(f"{address}languages/en.json")
        assert page.evaluate(DECIDE, [content, odds]) == expected
