"""`visavox crop`: faces of whole pictures, what is refused and why, and nothing overwritten."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_runtime.apps.cli import main
from edge_runtime.dataset.cropping import MAX_SIDE, crop_folder
from edge_runtime.errors import UsageError
from edge_runtime.signals.detection import HaarDetector, cut, face_square
from edge_runtime.signals.face import read_picture
from tests.edge_runtime.signals.drawn_yunet import drawn_yunet
from train.synthetic import room_picture
from train.synthetic.faces import Identity


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people with three pictures each, and beside them what gives no face."""
    folder = tmp_path_factory.mktemp("album")
    for number, person in ((1, "anna"), (2, "ben")):
        (folder / person / "face").mkdir(parents=True)
        (folder / person / "voice").mkdir()
        for take in range(3):
            rng = np.random.default_rng([number, take])
            picture, _ = room_picture(Identity.draw(np.random.default_rng(number)), rng)
            Image.fromarray(picture).save(folder / person / "face" / f"{take}.jpg", quality=95)
    anna = folder / "anna" / "face"
    dark = (read_picture(anna / "0.jpg") * 0.25).astype(np.uint8)
    Image.fromarray(dark).save(anna / "dark.png")
    Image.new("RGB", (320, 240), "grey").save(anna / "wall.png")
    (anna / "broken.jpg").write_bytes((anna / "1.jpg").read_bytes()[:2000])
    (anna / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "faces"


def written(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def mistake(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["crop", *map(str, arguments)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    return printed.err.removeprefix("visavox: ").strip()


def test_people_keep_their_folders(album: Path, out: Path) -> None:
    report = crop_folder(album, out, HaarDetector())
    assert written(out) == sorted(report.faces.values())
    assert set(report.faces) >= {"anna/face/0.jpg", "ben/face/0.jpg", "ben/face/2.jpg"}
    assert report.faces["ben/face/0.jpg"] == "ben/face/0.png"
    assert report.pictures == 9
    assert {path: [flaw.reason for flaw in flaws] for path, flaws in report.refused.items()} == {
        "anna/face/dark.png": ["face_too_dark"], "anna/face/wall.png": ["no_face"]}
    assert list(report.unreadable) == ["anna/face/broken.jpg"]
    assert report.unreadable["anna/face/broken.jpg"].startswith(
        "the picture is cut off, its end is missing (")
    assert report.share_without_face == 1 / 8


def test_what_is_passed_over_is_named(
    album: Path, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = tmp_path / "phone"
    (phone / "anna" / "Face").mkdir(parents=True)
    (phone / "trip").mkdir()
    (phone / ".git").mkdir()
    shutil.copy(album / "ben/face/0.jpg", phone / "anna" / "Face" / "0.jpg")
    for path in ("IMG_1.HEIC", "Thumbs.db", "notes.txt", "anna/Face/memo.m4a"):
        (phone / path).touch()
    (phone / "anna" / "Face" / os.fsdecode(b"M\xfcller.jpg")).touch()
    assert main(["crop", str(phone), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "hidden files and folders: 1 passed over (.git); rename them, without a dot in front",
        ".heic files among pictures: 1 passed over (IMG_1.HEIC); convert them, as with "
        "'heif-convert photo.heic photo.jpg'",
        "names that are not UTF-8: 1 passed over (anna/Face/M\\xfcller.jpg); rename them, as with "
        "'convmv -f latin1 -t utf8'",
        ".m4a files among pictures: 1 passed over (anna/Face/memo.m4a); convert them to JPEG or "
        "PNG, or take them out",
        "folders without face/: 1 passed over (trip); move their pictures one level up, or into "
        "face/"]
    (phone / "anna" / "Face" / "0.jpg").unlink()
    assert "found none; hidden files and folders: 1 passed over" in mistake(
        capsys, phone, "--out", out)


def test_a_face_is_what_the_device_crops(album: Path, out: Path) -> None:
    crop_folder(album, out, HaarDetector())
    picture = read_picture(album / "ben" / "face" / "0.jpg")
    box = HaarDetector().detect(picture)[0]
    np.testing.assert_array_equal(read_picture(out / "ben" / "face" / "0.png"),
                                  cut(picture, face_square(box)))


def test_a_flat_folder_with_names_alike(album: Path, tmp_path: Path, out: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(album / "ben/face/0.jpg", flat / "a.jpg")
    shutil.copy(album / "ben/face/1.jpg", flat / "a.jpeg")
    shutil.copy(album / "ben/face/2.jpg", flat / "b.JPG")
    crop_folder(flat, out, HaarDetector())
    assert written(out) == ["a.jpeg.png", "a.jpg.png", "b.png"]


def test_names_that_would_meet_after_all(album: Path, tmp_path: Path, out: Path) -> None:
    flat = tmp_path / "flat"
    (flat / "folder.jpg").mkdir(parents=True)
    shutil.copy(album / "ben/face/0.jpg", flat / "a.jpg")
    shutil.copy(album / "ben/face/1.jpg", flat / "A.jpeg")
    shutil.copy(album / "ben/face/2.jpg", flat / "a.jpg.jpg")
    report = crop_folder(flat, out, HaarDetector())
    assert report.pictures == 3
    assert written(out) == ["A.jpeg.png", "a.jpg.jpg.png", "a.jpg.png"]


def test_large_faces_are_reduced(album: Path, tmp_path: Path, out: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    with Image.open(album / "ben/face/0.jpg") as picture:
        picture.resize((1920, 1440), Image.Resampling.BICUBIC).save(flat / "a.bmp")
    crop_folder(flat, out, HaarDetector())
    assert read_picture(out / "a.png").shape == (MAX_SIDE, MAX_SIDE, 3)


def test_again_and_with_people_who_have_voices(album: Path, out: Path) -> None:
    """The faces may go beside clips; what this command made, it may make again."""
    clip = out / "anna" / "voice" / "clip.wav"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"sound")
    crop_folder(album, out, HaarDetector())
    first = {name: (out / name).read_bytes() for name in written(out)}
    crop_folder(album, out, HaarDetector())
    assert {name: (out / name).read_bytes() for name in written(out)} == first
    assert clip.read_bytes() == b"sound"


def test_a_face_that_is_refused_now_does_not_stay(album: Path, tmp_path: Path, out: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(album / "ben/face/0.jpg", flat / "a.jpg")
    crop_folder(flat, out, HaarDetector())
    assert written(out) == ["a.png"]
    Image.new("RGB", (320, 240)).save(flat / "a.jpg")
    crop_folder(flat, out, HaarDetector())
    assert written(out) == []


@pytest.mark.parametrize("content", ["a picture", "text", "a link to nowhere"])
def test_nothing_else_is_overwritten(album: Path, out: Path, content: str) -> None:
    foreign = out / "ben" / "face" / "2.png"
    foreign.parent.mkdir(parents=True)
    if content == "a picture":
        Image.new("RGB", (50, 50)).save(foreign)
    elif content == "text":
        foreign.write_text("mine")
    else:
        foreign.symlink_to(out / "nowhere")
    before = None if foreign.is_symlink() else foreign.read_bytes()
    with pytest.raises(UsageError, match="'visavox crop' did not make it"):
        crop_folder(album, out, HaarDetector())
    assert before is None or foreign.read_bytes() == before
    assert foreign.is_symlink() or written(out) == ["ben/face/2.png"]


# The command.

def test_for_people(album: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crop", str(album), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (f"9 pictures: {len(written(out))} faces in {out}, 2 refused, 1 unreadable; "
                        "12.5 % without a face")
    assert any(line.startswith("| no_face ") and line.endswith(" 1 |") for line in lines)
    assert any(line.startswith("anna/face/wall.png: no face was found; ") for line in lines)
    assert lines[-2].startswith("anna/face/broken.jpg: the picture is cut off")
    assert lines[-1].startswith(".txt files among pictures: 1 passed over (anna/face/notes.txt)")


def test_for_programs(album: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crop", str(album), "--out", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["pictures"] == 9 and content["faces"] == len(written(out))
    assert content["share_without_face"] == 0.125 and content["detector"] == "haar"
    assert content["reasons"]["no_face"] == 1
    assert content["refused"]["anna/face/wall.png"][0]["reason"] == "no_face"
    assert list(content["unreadable"]) == ["anna/face/broken.jpg"]


def test_with_yunet(album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "drawn.onnx"
    model.write_bytes(drawn_yunet())
    arguments = ["crop", str(album), "--out", str(tmp_path / "out"), "--json"]
    assert main([*arguments, "--detector", "yunet", "--yunet-model", str(model)]) == 0
    assert json.loads(capsys.readouterr().out)["detector"] == "yunet"


def test_mistakes(
    album: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    file = album / "anna" / "face" / "notes.txt"
    assert mistake(capsys, tmp_path / "nowhere", "--out", out) == (
        f"{tmp_path / 'nowhere'}: expected a folder of pictures, found none")
    assert "expected a folder of pictures" in mistake(capsys, file, "--out", out)
    assert mistake(capsys, empty, "--out", out) == (
        f"{empty}: expected pictures in it, or in <person>/face, found none")
    for inside in (album, album / "crops"):
        assert "expected a folder outside of" in mistake(capsys, album, "--out", inside)
    assert "go together" in mistake(capsys, album, "--out", out, "--detector", "yunet")
    assert "no such model file" in mistake(
        capsys, album, "--out", out, "--detector", "yunet", "--yunet-model", empty / "m.onnx")
    assert not out.exists()
    assert str(file) in mistake(capsys, album, "--out", file)
