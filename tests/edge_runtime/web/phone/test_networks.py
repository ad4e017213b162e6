"""The bundle's networks give the same scores in a browser as in Python."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.dataset.collection import read_collection
from edge_runtime.dataset.people import index_people
from edge_runtime.decision.identify import Identifier
from edge_runtime.signals.face import face_input
from edge_runtime.signals.voice import voice_input
from edge_runtime.web.export import HEADERS, export_web
from tests.edge_runtime.web.phone.conftest import Browse
from tests.edge_runtime.web.phone.serving import NOT_ISOLATED, served

# As far as a browser's own rounding goes: where 8 bits are computed with, a sum that falls on the
# other side of a half moves whole steps.
CLOSE = {"float32": 1e-5, "dynamic_wi8": 1e-2, "mixed_wi8": 1e-2}

SCRIPT = """async (inputs) => {
  const { loadNetworks, runModality } = await import(new URL("/networks.js", location.href));
  const networks = await loadNetworks(location.origin);
  const outputs = [];
  for (const { modality, data } of inputs) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const found = await runModality(networks, modality, new Float32Array(bytes.buffer));
    outputs.push({ scores: Array.from(found.scores), embedding: Array.from(found.embedding) });
  }
  return { outputs, isolated: crossOriginIsolated, threads: networks.threads };
}"""

Array = npt.NDArray[np.float32]


def in_browser(
    browse: Browse, folder: Path, inputs: list[tuple[str, Array]], headers: dict[str, str]
) -> dict[str, Any]:
    """{outputs, isolated, threads}."""
    given = [{"modality": modality, "data": base64.b64encode(data.tobytes()).decode()}
             for modality, data in inputs]
    with served(folder, headers) as address, browse() as context:
        page = context.pages[0]
        page.goto(f"{address}languages/en.json")
        found: dict[str, Any] = page.evaluate(SCRIPT, given)
    return found


def inputs_of(people: Path, size: int, count: int) -> list[tuple[str, Array]]:
    """Of test files: faces and clips as the networks take them."""
    index = index_people(people)
    found = read_collection(index, size)
    return [*(("face", face_input(found.faces[sample]))
              for sample in index.of("face", "test")[:: 2][:count]),
            *(("voice", voice_input(found.clips[sample]))
              for sample in index.of("voice", "test")[:count])]


def compare(
    identifier: Identifier, inputs: list[tuple[str, Array]], found: list[dict[str, Any]],
    close: float,
) -> None:
    for (modality, data), outputs in zip(inputs, found, strict=True):
        expected = identifier._networks[modality].run(**{modality: data})
        np.testing.assert_allclose(outputs["scores"], expected.scores, rtol=0, atol=close)
        np.testing.assert_allclose(outputs["embedding"], expected.embedding, rtol=0, atol=close)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("recipe", CLOSE)
def test_scores_are_those_of_python(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], small_people: Path,
    tmp_path: Path, recipe: str,
) -> None:
    export_web(small_bundles[recipe], tmp_path / "out", allow_uncertified=True)
    identifier = Identifier.load(small_bundles[recipe], allow_uncertified=True)
    inputs = inputs_of(small_people, 64, 4)
    headers = NOT_ISOLATED if recipe == "dynamic_wi8" else HEADERS
    found = in_browser(browse, tmp_path / "out", inputs, headers)
    assert found["isolated"] == (headers is HEADERS)
    # 8 bits in one thread alone: in several, some processors compute something else.
    assert (found["threads"] > 1) == (found["isolated"] and recipe == "float32")
    compare(identifier, inputs, found["outputs"], CLOSE[recipe])


@pytest.mark.browser
@pytest.mark.data
@pytest.mark.slow
def test_scores_of_real_people_are_those_of_python(
    browse: Browse, third_party: Path, small_bundles: dict[str, Path], data_root: Path,
    tmp_path: Path,
) -> None:
    export_web(small_bundles["mixed_wi8"], tmp_path / "out", allow_uncertified=True)
    identifier = Identifier.load(small_bundles["mixed_wi8"], allow_uncertified=True)
    inputs = inputs_of(data_root / "people30", 64, 20)
    found = in_browser(browse, tmp_path / "out", inputs, HEADERS)
    compare(identifier, inputs, found["outputs"], CLOSE["mixed_wi8"])
