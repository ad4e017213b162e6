"""Packed people are the same people, and train where there is nothing but numpy and Keras."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_runtime.dataset.collection import Collection
from edge_runtime.errors import PeopleError
from edge_runtime.signals.face import resized_without_pillow
from edge_runtime.signals.voice import Sound, read_noises
from tests.train.training.tiny_training import TINY
from train.data import is_pack, noises_in, read_data, read_pack, write_pack
from train.models.build import make_spec
from train.models.registry import FAMILIES
from train.runs.folder import Training, load_run
from train.scoring.evaluate import evaluate
from train.training.examples import training_batches

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]
HALF_STEP = 2.0**-16


@pytest.fixture(scope="module")
def collection(small_people: Path) -> Collection:
    found = read_data(small_people, 64, seed=3)
    return replace(found, problems=["synthetic_009: no usable voice to train on; left out"])


@pytest.fixture(scope="module")
def noises(small_people: Path) -> list[Sound]:
    return read_noises(small_people / "synthetic_001" / "voice")[:2]


@pytest.fixture(scope="module")
def whole(
    collection: Collection, noises: list[Sound], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A pack of several shards; only to be read."""
    folder = tmp_path_factory.mktemp("packed") / "pack"
    write_pack(folder, collection, 64, noises, shard_bytes=300_000)
    return folder


@pytest.fixture
def pack(whole: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(whole, tmp_path / "pack"))


def change(pack: Path, **changes: object) -> None:
    file = pack / "pack.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_the_people_are_the_same(whole: Path, collection: Collection) -> None:
    found = read_pack(whole, 64)
    assert found.people == replace(collection.people, root=whole)
    assert found.people.seed == 3
    assert (found.digest, found.name) == (collection.digest, collection.name)
    assert found.problems == collection.problems
    assert list(found.faces) == list(collection.faces)
    assert list(found.clips) == list(collection.clips)
    for sample, face in collection.faces.items():
        assert found.faces[sample].dtype == np.uint8
        np.testing.assert_array_equal(found.faces[sample], face)
    for sample, clip in collection.clips.items():
        assert found.clips[sample].dtype == np.float32
        np.testing.assert_allclose(found.clips[sample], clip, rtol=0, atol=HALF_STEP)


def test_clips_are_rounded_to_the_nearest(collection: Collection, tmp_path: Path) -> None:
    first, *others = collection.clips
    steps = np.array([0.0, 1.0, -1.0, 0.4 / 32768, 0.6 / 32768, -0.6 / 32768], np.float32)
    clips = {first: steps} | {sample: collection.clips[sample] for sample in others}
    write_pack(tmp_path / "pack", replace(collection, clips=clips), 64)
    np.testing.assert_array_equal(read_pack(tmp_path / "pack", 64).clips[first] * 32768,
                                  [0, 32767, -32768, 0, 1, -1])


def test_noise_is_packed_too(whole: Path, noises: list[Sound], tmp_path: Path) -> None:
    found = noises_in(whole)
    assert [noise.size for noise in found] == [noise.size for noise in noises]
    for one, other in zip(found, noises, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=HALF_STEP)


def test_noise_in_sound_files(small_people: Path, noises: list[Sound]) -> None:
    np.testing.assert_array_equal(
        noises_in(small_people / "synthetic_001" / "voice")[1], noises[1])


def test_a_pack_without_noise(collection: Collection, tmp_path: Path) -> None:
    write_pack(tmp_path / "pack", collection, 64)
    with pytest.raises(PeopleError, match="expected packed noise, found none; pack again with"):
        noises_in(tmp_path / "pack")


@pytest.mark.parametrize("part", ["face", "voice", "fused"])
def test_training_sees_the_same(whole: Path, collection: Collection, part: str) -> None:
    spec = make_spec("mobilevit_xxs_edge", collection.people.names, 64)
    training = Training(batch_size=8, seed=5)
    (expected, labels), (found, found_labels) = (
        training_batches(people, spec, training, part, [])[0]
        for people in (collection, read_pack(whole, 64)))
    np.testing.assert_array_equal(found_labels, labels)
    if part == "fused":
        np.testing.assert_allclose(found["voice"], expected["voice"], rtol=0, atol=1e-4)
        expected, found = expected["face"], found["face"]
    if part == "voice":
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    else:
        np.testing.assert_array_equal(found, expected)


def test_shards_stay_below_their_limit(whole: Path, collection: Collection) -> None:
    shards = sorted(whole.glob("shard_*.npz"))
    assert len(shards) > 3
    assert [shard.name for shard in shards] == [f"shard_{i:03}.npz" for i in range(len(shards))]
    assert max(shard.stat().st_size for shard in shards) < 300_000
    assert {path.name for path in whole.iterdir()} == {"pack.json", *(s.name for s in shards)}
    content = json.loads((whole / "pack.json").read_text())
    assert [s["bytes"] for s in content["shards"]] == [s.stat().st_size for s in shards]
    assert content["face_side"] == 72 and content["image_size"] == 64


def test_noise_that_compresses_to_nothing_smaller(
    collection: Collection, rng: np.random.Generator, tmp_path: Path
) -> None:
    faces = {sample: rng.integers(0, 256, (72, 72, 3), np.uint8) for sample in collection.faces}
    write_pack(tmp_path / "pack", replace(collection, faces=faces), 64, shard_bytes=200_000)
    sizes = [shard.stat().st_size for shard in (tmp_path / "pack").glob("shard_*.npz")]
    assert 150_000 < max(sizes) < 200_000


def test_a_folder_with_files_is_refused(collection: Collection, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(PeopleError, match="expected a new folder, found files; name another"):
        write_pack(tmp_path, collection, 64)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_all_or_nothing(collection: Collection, tmp_path: Path) -> None:
    clips = dict(list(collection.clips.items())[:-1])
    with pytest.raises(KeyError):
        write_pack(tmp_path / "pack", replace(collection, clips=clips), 64, shard_bytes=300_000)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(PeopleError, match="cannot write the pack"):
        write_pack(tmp_path / "file" / "pack", collection, 64)


def test_a_shard_that_is_missing(pack: Path) -> None:
    (pack / "shard_001.npz").unlink()
    with pytest.raises(PeopleError, match=r"shard_001.npz: expected a shard of \d+ bytes, found "
                                          "none; copy it into the pack again"):
        read_pack(pack, 64)


def test_a_shard_that_is_damaged(pack: Path) -> None:
    file = pack / "shard_002.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    for damaged in (content, content[:1000], b""):
        file.write_bytes(damaged)
        with pytest.raises(PeopleError, match=r"shard_002.npz: expected \d+ bytes with the SHA-256 "
                                              rf"\w+..., found {len(damaged)} with other contents"):
            read_pack(pack, 64)


def test_a_pack_without_its_contents(pack: Path) -> None:
    (pack / "pack.json").unlink()
    assert is_pack(pack)
    with pytest.raises(PeopleError, match="expected the pack's list of contents, found none"):
        read_pack(pack, 64)


@pytest.mark.parametrize(("changes", "expected"), [
    ({"format": 2}, "expected format 1, found 2; pack again"),
    ({"colour": 1}, r"\$: unknown key 'colour'; the pack is damaged or of another version"),
    ({"image_size": "64"}, r"\$.image_size: expected int, found str"),
    ({"noises": [0, None]}, r"\$.noises\[1\]: expected int, found NoneType"),
    ({"samples": [{"path": "a"}]}, r"\$.samples\[0\]: the key 'modality' is missing"),
    ({"shards": []}, "expected 0 shards, found one of number 0"),
], ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
def test_contents_that_are_damaged(pack: Path, changes: dict[str, object], expected: str) -> None:
    change(pack, **changes)
    with pytest.raises(PeopleError, match=expected):
        read_pack(pack, 64)


def test_samples_that_lie_elsewhere(pack: Path) -> None:
    samples = json.loads((pack / "pack.json").read_text())["samples"]
    change(pack, samples=[samples[0], samples[1] | {"shard": 2}])
    with pytest.raises(PeopleError, match="expected 'sample_1' in shard 2, found none"):
        read_pack(pack, 64)


def test_another_image_size(whole: Path) -> None:
    with pytest.raises(PeopleError, match="expected faces of 144 pixels for image size 128, found "
                                          "72 for image size 64; train with --image-size 64, or "
                                          "pack again with --image-size 128"):
        read_pack(whole, 128)


@pytest.mark.parametrize(("side", "size"), [(72, 64), (144, 128), (97, 64), (31, 64), (300, 32)])
def test_faces_are_resized_as_by_pillow(side: int, size: int, rng: np.random.Generator) -> None:
    face = rng.integers(0, 256, (side, side, 3), np.uint8)
    expected = Image.fromarray(face).resize((size, size), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(resized_without_pillow(face, size), np.asarray(expected))


# A training machine: every library that reads files or draws is hidden, and epochs are short.
BARE = """
import sys
HIDDEN = {"PIL", "soundfile", "soxr", "msgspec", "matplotlib", "safetensors", "librosa",
          "cv2", "scipy"}

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"{name} is hidden", name=name.partition(".")[0])

sys.meta_path.insert(0, Hide())
import train.training.examples
train.training.examples.MIN_EXAMPLES = 16
from tests.train.training.tiny_training import TINY
from train.models.registry import FAMILIES
FAMILIES["tiny"] = TINY
from train.cli import main
sys.exit(main())
"""


@pytest.mark.slow
def test_training_without_libraries(
    run_python: Run, small_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAMILIES, "tiny", TINY)
    pack, run, noise = tmp_path / "pack", tmp_path / "run", small_people / "synthetic_001/voice"
    done = run_python("-m", "train", "pack", "--data", small_people, "--image-size", 64, "--out",
                      pack, "--noise", noise)
    assert done.returncode == 0, done.stderr
    assert "40 files of 4 people packed in 2 files, " in done.stdout

    done = run_python("-c", BARE, "fit", "--data", pack, "--noise", pack, "--model", "tiny",
                      "--image-size", 64, "--epochs", 1, "--seed", 1, "--out", run)
    assert done.returncode == 0, done.stderr
    assert "curves.png is not drawn: there is no matplotlib here" in done.stdout
    assert "8 test pairs, synthetic people" in done.stdout
    data = json.loads((run / "run.json").read_text())["data"]
    assert (data["root"], data["split_seed"]) == (str(pack), 0)

    done = run_python("-c", BARE, "evaluate", run, "--split", "train", "--json")
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout)
    assert (there["pairs"], there["data"]) == (12, small_people.name)
    at_home = read_data(small_people, 64, load_run(run).run.split_seed)
    assert there["data_digest"] == at_home.digest
    here = evaluate(load_run(run), at_home, "train", fusions=True).accuracy()
    assert there["accuracy"].pop("scaled") is None and here.pop("scaled")
    assert here == {c: share for c, share in there["accuracy"].items() if share is not None}


def test_a_pack_of_another_size_is_one_line(
    run_train: Run, whole: Path, tmp_path: Path
) -> None:
    done = run_train("fit", "--data", whole, "--out", tmp_path / "run")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "train with --image-size 64" in done.stderr


def test_a_strict_training_refuses_packed_problems(
    run_train: Run, whole: Path, tmp_path: Path
) -> None:
    done = run_train("fit", "--data", whole, "--image-size", 64, "--strict",
                      "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "1 problem in the data:\n  - synthetic_009: no usable voice" in done.stderr
