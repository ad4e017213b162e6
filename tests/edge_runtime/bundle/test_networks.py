"""A bundle is checked before it is used: hashes, sizes, paths, shapes, the certificate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.bundle.networks import load_bundle
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import BundleError

Change = Callable[[dict[str, Any]], Path]
PARTS = ("face", "voice")


def files_of(bundle: Path) -> dict[str, Any]:
    files: dict[str, Any] = json.loads((bundle / "manifest.json").read_text())["files"]
    return files


def rewrite(bundle: Path, changes: dict[str, Any]) -> None:
    file = bundle / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def refusal(bundle: Path) -> str:
    """What loading says, all the way to open networks."""
    with pytest.raises(BundleError) as caught:
        Identifier.load(bundle)
    message = str(caught.value)
    assert "\n" not in message and str(bundle.parent) in message
    return message


@pytest.mark.parametrize("recipe", ["float32", "dynamic_wi8"])
def test_a_bundle_loads(small_bundles: dict[str, Path], recipe: str) -> None:
    bundle = load_bundle(small_bundles[recipe], allow_uncertified=True)
    assert bundle.manifest.recipe == recipe
    networks = bundle.networks()
    assert list(networks) == list(PARTS)
    assert networks["face"].inputs == {"face": (1, 64, 64, 3)}
    assert networks["voice"].inputs == {"voice": (1, 41312)}
    for part, network in networks.items():
        assert network.outputs == {"scores": (1, 4), "embedding": (1, 320)}
        assert len(bundle.models[part]) == bundle.manifest.files[part].bytes


def test_a_bundle_holds_what_a_device_needs_and_nothing_else(
    small_bundles: dict[str, Path]
) -> None:
    for folder in small_bundles.values():
        assert {p.name for p in folder.iterdir()} == {"manifest.json", "face.tflite",
                                                      "voice.tflite"}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("place", [0.0, 0.3, 0.999])
def test_one_flipped_byte(changed_bundle: Change, part: str, place: float) -> None:
    bundle = changed_bundle({})
    file = bundle / f"{part}.tflite"
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1
    file.write_bytes(content)
    message = refusal(bundle)
    assert str(file) in message and "SHA-256" in message and "copy the bundle again" in message


@pytest.mark.parametrize("size", [0, 1, 10_000])
def test_a_truncated_file(changed_bundle: Change, size: int) -> None:
    bundle = changed_bundle({})
    file = bundle / "voice.tflite"
    whole = file.stat().st_size
    file.write_bytes(file.read_bytes()[:size])
    assert f"{file}: expected {whole} bytes, found {size}" in refusal(bundle)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_file(changed_bundle: Change, part: str) -> None:
    bundle = changed_bundle({})
    (bundle / f"{part}.tflite").unlink()
    assert f"{bundle / part}.tflite: the bundle's file is missing" in refusal(bundle)


@pytest.mark.parametrize("name", ["../face.tflite", "./face.tflite", "inner/face.tflite", "", ".",
                                  "..", "{root}/face.tflite", "face\0.tflite"])
def test_a_path_outside_of_the_folder(changed_bundle: Change, name: str) -> None:
    bundle = changed_bundle({})
    model = (bundle / "face.tflite").read_bytes()
    (bundle / "inner").mkdir()
    for place in (bundle.parent, bundle / "inner"):
        (place / "face.tflite").write_bytes(model)
    files = files_of(bundle)
    files["face"]["file"] = name.format(root=bundle.parent)
    rewrite(bundle, {"files": files})
    assert "missing" in refusal(bundle)


@pytest.mark.parametrize(("changes", "part", "what"), [
    ({"people": ["anna", "ben"]}, "face", "outputs"),
    ({"inputs": {"face": {"size": 128}, "voice": {"samples": 41312, "sample_rate": 16000}}},
     "face", "inputs"),
    ({"inputs": {"face": {"size": 64}, "voice": {"samples": 16000, "sample_rate": 16000}}},
     "voice", "inputs"),
    ({"inputs": {"face": None, "voice": {"samples": 41312, "sample_rate": 16000}}},
     "face", "inputs"),
])
def test_shapes_that_the_manifest_does_not_promise(
    changed_bundle: Change, changes: dict[str, Any], part: str, what: str
) -> None:
    message = refusal(changed_bundle(changes))
    assert f"the {part} network's {what} should be" in message
    assert ("rebuild the bundle with 'python -m convert bundle RUN --recipe float32 --out BUNDLE'"
            in message)


def test_an_embedding_of_another_size(changed_bundle: Change) -> None:
    bundle = changed_bundle({})
    files = files_of(bundle)
    files["voice"]["embedding_dim"] = 321
    rewrite(bundle, {"files": files})
    assert "the voice network's outputs should be" in refusal(bundle)


def test_exchanged_networks(changed_bundle: Change) -> None:
    bundle = changed_bundle({})
    files = files_of(bundle)
    rewrite(bundle, {"files": {"face": files["voice"], "voice": files["face"]}})
    assert "the face network's inputs should be" in refusal(bundle)


def test_a_file_that_is_no_network(changed_bundle: Change) -> None:
    bundle = changed_bundle({})
    content = b"no network at all"
    (bundle / "face.tflite").write_bytes(content)
    files = files_of(bundle)
    files["face"] |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    rewrite(bundle, {"files": files})
    assert "the interpreter refuses the face network" in refusal(bundle)


def test_a_bundle_without_networks(changed_bundle: Change) -> None:
    assert "the manifest lists no network" in refusal(changed_bundle({"files": {}}))


def test_a_bundle_for_another_interpreter(changed_bundle: Change) -> None:
    """It is refused before it is opened: this one would be refused for another reason then."""
    bundle = changed_bundle({"interpreters": ["another-runtime"], "people": ["anna"]})
    assert "made for another-runtime, found ai-edge-litert" in refusal(bundle)


def test_uncertified_is_refused_unless_told(changed_bundle: Change) -> None:
    bundle = changed_bundle({"certified": False, "reason": "loses 5 points"})
    message = refusal(bundle)
    assert "not certified (loses 5 points)" in message and "--allow-uncertified" in message
    assert Identifier.load(bundle, allow_uncertified=True).manifest.reason == "loses 5 points"


def test_allowing_the_uncertified_allows_no_damage(changed_bundle: Change) -> None:
    bundle = changed_bundle({"certified": False})
    (bundle / "face.tflite").write_bytes(b"")
    with pytest.raises(BundleError, match="damaged"):
        load_bundle(bundle, allow_uncertified=True)
