"""The manifest: every key is required, no other is taken, and a message names the one at fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_runtime.bundle.manifest import (
    Accuracy,
    FaceContract,
    Inputs,
    Manifest,
    NetworkFile,
    RepresentativeSamples,
    Scaling,
    ScoreScaling,
    TrainedThresholds,
    VoiceContract,
    read_manifest,
    write_manifest,
)
from edge_runtime.errors import BundleError

FILE = NetworkFile(file="face.tflite", sha256="0" * 64, bytes=1, gzip_bytes=1, embedding_dim=8,
                   xnnpack_partitions=1, max_abs_error=1e-6, operations={"CONV_2D": 1})
# Nothing is null, so that every key of every object is there to be taken away.
FULL = Manifest(
    format=1, people=["anna", "ben"],
    inputs=Inputs(face=FaceContract(size=64),
                  voice=VoiceContract(samples=41312, sample_rate=16000)),
    family="mobilevit_xxs_edge", variant="pair",
    spec={"family": "mobilevit_xxs_edge", "image_size": 64, "extra": None, "stages": ["a"]},
    recipe="float32", folded=True,
    samples=RepresentativeSamples(seed=0, digest="0", count={"face": 2}),
    float32_layers={"face": ["stem"]},
    score_scaling=ScoreScaling(face=Scaling(temperature=1.5, weight=1),
                               voice=Scaling(temperature=0.5, weight=2)),
    thresholds=TrainedThresholds(face=0.5, voice=0.6, ensemble=0.4, false_accept_rate=0.01,
                          false_accept_bound=0.02),
    files={"face": FILE},
    accuracy=Accuracy(data="people", data_digest="0", synthetic=True, combinations=4, face=0.5,
                      voice=1, ensemble=1, fused=0, interval={"face": (0.25, 0.75)}, agreement=1,
                      float32={"face": 0.5}),
    certified=True, reason="within limits", warnings=["slow"], interpreters=["ai-edge-litert"],
    versions={"python": "3.11"}, seed=0, commit="0123456")
CONTENT: dict[str, Any] = json.loads(msgspec.json.encode(FULL))
OPEN = {"operations", "spec", "versions", "interval", "float32", "count",
        "float32_layers"}  # their keys are free
NULLABLE = [("inputs", "face"), ("inputs", "voice"), ("samples",), ("float32_layers",),
            ("score_scaling",), ("thresholds",), ("accuracy",), ("accuracy", "face"),
            ("accuracy", "voice"), ("accuracy", "ensemble"), ("accuracy", "fused"), ("commit",),
            ("files", "face", "xnnpack_partitions"), ("files", "face", "max_abs_error")]

Keys = tuple[str, ...]


def objects(content: dict[str, Any], keys: Keys = ()) -> Iterator[Keys]:
    """Where the objects of the schema are, the whole itself first."""
    if keys != ("files",):
        yield keys
    for key, value in content.items():
        if isinstance(value, dict) and key not in OPEN:
            yield from objects(value, (*keys, key))


def inner(content: dict[str, Any], keys: Keys) -> dict[str, Any]:
    for key in keys:
        content = content[key]
    return content


REQUIRED = [(*keys, key) for keys in objects(CONTENT) for key in inner(CONTENT, keys)]


def dotted(keys: Keys) -> str:
    return ".".join(keys) or "whole"


def write(folder: Path, content: Any) -> Path:
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        read_manifest(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    assert "python -m convert bundle" in message
    return message


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_manifest(tmp_path, FULL)
    assert read_manifest(tmp_path) == FULL
    text = (tmp_path / "manifest.json").read_text()
    assert json.loads(text) == CONTENT
    assert text.endswith("}\n") and '\n  "format": 1' in text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_editor_may_have_saved_it(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(CONTENT, indent=2).replace("\n", "\r\n")
    (tmp_path / "manifest.json").write_text(text, encoding=encoding, newline="")
    assert read_manifest(tmp_path) == FULL


@pytest.mark.parametrize("keys", NULLABLE, ids=dotted)
def test_what_was_not_measured_is_null(tmp_path: Path, keys: Keys) -> None:
    content = deepcopy(CONTENT)
    inner(content, keys[:-1])[keys[-1]] = None
    manifest = read_manifest(write(tmp_path, content))
    write_manifest(tmp_path, manifest)
    assert json.loads((tmp_path / "manifest.json").read_text()) == content


def test_the_walk_finds_every_object() -> None:
    assert len(REQUIRED) > 50
    assert {keys[0] for keys in REQUIRED} == set(Manifest.__struct_fields__)
    assert {keys[:-1] for keys in REQUIRED} >= {
        (), ("inputs", "voice"), ("score_scaling", "face"), ("thresholds",), ("files", "face")}


@pytest.mark.parametrize("keys", REQUIRED, ids=dotted)
def test_every_key_is_required(tmp_path: Path, keys: Keys) -> None:
    content = deepcopy(CONTENT)
    del inner(content, keys[:-1])[keys[-1]]
    message = refusal(write(tmp_path, content))
    assert keys[-1] in message
    assert all(key in message for key in keys[:-1] if keys[0] != "files")


@pytest.mark.parametrize("keys", list(objects(CONTENT)), ids=dotted)
def test_an_unknown_key_is_refused(tmp_path: Path, keys: Keys) -> None:
    content = deepcopy(CONTENT)
    inner(content, keys)["colour"] = "blue"
    assert "unknown field `colour`" in refusal(write(tmp_path, content))


@pytest.mark.parametrize(("keys", "value"), [
    (("people",), []), (("people",), "anna"), (("people",), [1]),
    (("inputs", "face", "size"), 16), (("inputs", "face", "size"), "64"),
    (("inputs", "voice", "samples"), 0), (("score_scaling", "face", "temperature"), 0),
    (("score_scaling", "voice", "weight"), -1), (("thresholds", "face"), 1.5),
    (("thresholds", "ensemble"), None), (("files", "face", "sha256"), "no hash"),
    (("files", "face", "bytes"), -1), (("files", "face", "embedding_dim"), 0),
    (("accuracy", "agreement"), 2), (("accuracy", "interval"), {"face": [0]}),
    (("certified",), 1), (("certified",), "yes"), (("seed",), None), (("warnings",), None),
], ids=str)
def test_values_are_checked(tmp_path: Path, keys: Keys, value: Any) -> None:
    content = deepcopy(CONTENT)
    inner(content, keys[:-1])[keys[-1]] = value
    message = refusal(write(tmp_path, content))
    assert keys[0] in message


def test_one_modality_has_to_weigh_something(tmp_path: Path) -> None:
    content = deepcopy(CONTENT)
    content["score_scaling"]["face"]["weight"] = 0
    assert read_manifest(write(tmp_path, content)).score_scaling is not None
    content["score_scaling"]["voice"]["weight"] = 0
    assert "expected a weight above 0 of face or voice" in refusal(write(tmp_path, content))


@pytest.mark.parametrize("found", [0, 2, "1", None, 1.5, True])
def test_another_format_is_refused(tmp_path: Path, found: Any) -> None:
    message = refusal(write(tmp_path, CONTENT | {"format": found}))
    assert "format" in message


def test_a_newer_format_is_named_before_its_keys(tmp_path: Path) -> None:
    assert "expected format 1, found 2" in refusal(write(tmp_path, {"format": 2, "new": True}))


@pytest.mark.parametrize("text", ["", "no JSON", '{"format": 1', "[1]", "1", "null", '"format"',
                                  "[" * 100_000])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    refusal(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b'{"format": 1, "people": ["\xff\xfe"]}')
    assert "expected JSON" in refusal(tmp_path)


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert refusal(folder) == (f"{folder}: expected a bundle (a folder with manifest.json), "
                                   "found none; make one with 'python -m convert bundle'")
