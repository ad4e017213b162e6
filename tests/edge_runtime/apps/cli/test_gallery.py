"""The gallery's commands: what they print, one line for a mistake, and nothing lost."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
from PIL import Image

from tests.edge_runtime.gallery_device import PASSPHRASE, WITHOUT_CRYPTOGRAPHY, Device


def test_from_enrolling_to_forgetting(anna: Device) -> None:
    at = ("--gallery", anna.gallery)
    assert anna.gallery.stat().st_mode & 0o777 == 0o600
    assert (anna.folder / "config" / "visavox" / "device.key").is_file()
    face = anna.people / "synthetic_002" / "face" / "000.png"
    said = anna.run(*anna.enroll("Ben", 2), "--consent", "to be greeted", "--json")
    assert json.loads(said).items() >= {"person": "Ben", "faces": 6, "clips": 4}.items()
    said = anna.run("reject", "Anna", "--bundle", anna.bundle, *at, "--face", face)
    assert said == "1 face and 0 clips are kept as not Anna, for 30 days\n"
    rows = [[cell.strip() for cell in line.split("|")[1:-2]]
            for line in anna.run("people", *at).splitlines()]
    assert rows[0] == ["person", "faces", "clips", "rejected", "consent"]
    assert rows[2:] == [["Anna", "6", "4", "1", "-"], ["Ben", "6", "4", "0", "yes"]]
    said = anna.run("forget", "anna", *at)
    assert said.startswith("Anna is forgotten: ") and "none found in:" in said
    assert str(anna.gallery) in said
    said = json.loads(anna.run("forget", "Ben", *at, "--json"))
    assert said["person"] == "Ben" and said["left"] == 0 and said["markers"] == 15
    assert said["searched"][0]["bytes"] == anna.gallery.stat().st_size
    assert anna.run("people", *at) == "nobody is enrolled\n"
    said = anna.run("audit", *at)
    assert said.endswith("6 entries, the chain holds\n")
    assert said.count("forgotten") == 2 and "Anna" not in said


def test_who_is_enrolled_by_one_modality_has_no_score_of_the_other(anna: Device) -> None:
    face, voice = (sorted((anna.people / "synthetic_002" / kind).iterdir())[0]
                   for kind in ("face", "voice"))
    at = (anna.bundle, "--gallery", anna.gallery)
    anna.run("enroll", "Ben", *at, "--voice", voice, "--allow-duplicate")
    asked = ("identify", *at, "--face", face, "--voice", voice)
    top = {ranked["person"]: ranked["scores"]
           for ranked in json.loads(anna.run(*asked, "--json"))["top"]}
    assert top["Ben"]["face"] is None and top["Ben"]["voice"] == 1.0
    assert -1 <= top["Anna"]["face"] <= 1 and -1 <= top["Anna"]["voice"] <= 1
    said = anna.run(*asked)
    rows = [[cell.strip() for cell in line.split("|")] for line in said.splitlines()]
    assert next(row for row in rows if row[2:3] == ["Ben"])[4] == "-" and "nan" not in said


def test_a_gallery_of_another_bundle(anna: Device, small_bundles: dict[str, Path]) -> None:
    bundle, anna.bundle = anna.bundle, small_bundles["mixed_wi8"]
    message = anna.mistake(*anna.enroll("Ben", 2), "--allow-uncertified")
    assert "made with another bundle" in message and "use that bundle, or enroll" in message
    anna.bundle = bundle
    anna.check_intact("Anna")


def test_a_wrong_key(anna: Device, tmp_path: Path) -> None:
    key = tmp_path / "other.key"
    key.touch(mode=0o600)
    key.write_bytes(base64.b64encode(bytes(32)))
    for command in (("people",), ("audit",), ("forget", "Anna"), ("export", "--out", "x")):
        message = anna.mistake(*command, "--gallery", anna.gallery, "--key", key, **PASSPHRASE)
        assert "the device key is not the one that this gallery was made with" in message
    assert "the device key is not the one" in anna.mistake(*anna.enroll("Ben", 2), "--key", key)
    missing = anna.mistake("people", "--gallery", anna.gallery, "--key", tmp_path / "nowhere")
    assert "the device key is missing" in missing
    assert "base64" in anna.mistake("people", "--gallery", anna.gallery, VISAVOX_DEVICE_KEY="x")
    anna.check_intact("Anna")


def test_a_key_that_others_can_read(anna: Device) -> None:
    key = anna.folder / "config" / "visavox" / "device.key"
    key.chmod(0o644)
    message = anna.mistake("people", "--gallery", anna.gallery)
    assert message.startswith(
        f"{key}: expected a device key that its owner alone can read, found mode 0644; "
        f"'chmod 600 {key}', or where that changes nothing")
    assert "umask=077" in message
    key.chmod(0o600)
    anna.check_intact("Anna")


def test_several_processes_enroll_at_once(device: Device) -> None:
    names = ["Anna", "Ben", "Cleo", "Dora"]
    children = [device.start(*device.enroll(name, number)) for number, name in enumerate(names, 1)]
    for child in children:
        with child:
            _, err = child.communicate(timeout=300)
        assert child.returncode == 0, err
    assert sorted(device.names()) == names
    device.check_intact(*device.names())


def test_the_same_name_in_two_processes_at_once(anna: Device) -> None:
    children = [anna.start(*anna.enroll("Ben", number)) for number in (2, 3)]
    said = []
    for child in children:
        with child:
            said.append(child.communicate(timeout=300)[1])
    assert sorted(child.returncode for child in children) == [0, 2]
    assert sorted(said)[1] == ("visavox: 'Ben' is enrolled already; 'visavox forget' them first, "
                               "or choose another name\n")
    anna.check_intact("Anna", "Ben")


@pytest.mark.parametrize(("name", "reason"), [
    ("a/b", "without slashes, found 'a/b'"), ("../Anna", "without slashes"),
    ("x" * 10_000, "at most 100 characters, found 10000"), ("   ", "a letter or a digit"),
    ("", "a letter or a digit"), ("a\x1b[31mb", "without control characters"),
    ("a\nb", "without control characters"), (b"a\xff", "in UTF-8"),
])
def test_names(device: Device, name: Any, reason: str) -> None:
    assert reason in device.mistake(*device.enroll(os.fsdecode(name), 1))
    assert list(device.folder.iterdir()) == []
    # In no other command is it more than a name that nobody has.
    device.run(*device.enroll("Anna", 1))
    assert "nobody is enrolled as " in device.mistake("forget", os.fsdecode(name), "--gallery",
                                                      device.gallery)
    device.check_intact("Anna")


def test_files_that_are_no_samples(anna: Device, tmp_path: Path) -> None:
    bad = tmp_path / "letter.png"
    bad.write_text("Dear Ben")
    face, clip = anna.files(2)[1], anna.files(2)[-1]
    ben = anna.enroll("Ben", 2)[:7]
    assert f"{bad}: expected a picture" in anna.mistake(*ben, "--face", face, bad, "--voice", clip)
    assert "(and 1 more like it)" in anna.mistake(*ben, "--face", bad, face, "--voice", bad)
    assert f"{face}: the same as {face}" in anna.mistake(*ben, "--face", face, face)
    assert "at most 20 samples of a face, found 21" in anna.mistake(*ben, "--face", *[face] * 21)
    assert "at least one face or one clip, found none" in anna.mistake(*ben)
    assert "nobody is enrolled as 'Ben'" in anna.mistake("reject", *ben[1:6], "--face", face)
    anna.check_intact("Anna")


def test_files_that_are_not_good_enough(anna: Device, tmp_path: Path) -> None:
    """Nobody is enrolled from them; that they are not somebody may well be worth keeping."""
    face, clip = anna.files(2)[1], anna.files(2)[-1]
    dark, short = tmp_path / "dark.png", tmp_path / "short.wav"
    with Image.open(face) as picture:
        picture.point(lambda value: value // 5).save(dark)
    samples, rate = soundfile.read(clip)
    soundfile.write(short, samples[rate // 2 : rate], rate)
    ben = anna.enroll("Ben", 2)[:6]
    assert anna.mistake(*ben, "--face", face, dark) == (
        f"{dark}: the face is too dark; turn on a light")
    message = anna.mistake(*ben, "--face", dark, "--voice", clip, short)
    assert message.startswith(f"{dark}: ") and message.endswith(" (and 1 more like it)")
    assert f"{short}: 0." in anna.mistake(*ben, "--voice", clip, short)
    anna.run("reject", "Anna", *ben[2:], "--face", dark, "--voice", short)
    anna.check_intact("Anna")


def test_somebody_enrolled_under_another_name(anna: Device) -> None:
    again = [argument for argument in anna.enroll("Annika", 1) if argument != "--allow-duplicate"]
    assert "'Annika' seems to be enrolled already as 'Anna'" in anna.mistake(*again)
    anna.check_intact("Anna")


def test_a_backup_that_still_holds_somebody(anna: Device) -> None:
    backup = shutil.copy(anna.gallery, anna.folder / "gallery.backup")
    message = anna.mistake("forget", "Anna", "--gallery", anna.gallery)
    assert f"delete {backup}, which holds bytes of theirs" in message
    anna.check_intact()


def test_without_the_package(device: Device) -> None:
    message = device.mistake_of_child(*device.enroll("Anna", 1), code=WITHOUT_CRYPTOGRAPHY)
    assert message == ("enrolled people are stored with the package 'cryptography', which is not "
                       "installed; pip install 'visavox[gallery]'")
    assert not device.gallery.exists()
    with device.start("--help", code=WITHOUT_CRYPTOGRAPHY) as child:
        assert "identify" in child.communicate()[0]
    assert child.returncode == 0


def test_folders_of_samples_and_what_lies_in_them(anna: Device, tmp_path: Path) -> None:
    """A phone's folder, with what file managers and cameras leave in it."""
    album = tmp_path / "album"
    shutil.copytree(anna.people / "synthetic_002" / "face", album)
    (album / "IMG_1.HEIC").touch()
    (album / ".DS_Store").touch()
    code, out, err = anna.call("enroll", " Zoe\u0308 ", "--bundle", anna.bundle, "--gallery",
                               anna.gallery, "--allow-duplicate", "--face", album)
    assert (code, out) == (0, "Zoë is enrolled from 6 faces and 0 clips\n")
    assert err == ("1 problem in the data:\n  - .heic files among pictures: 1 passed over "
                   "(IMG_1.HEIC); convert them, as with 'heif-convert photo.heic photo.jpg'\n")
    for file in album.glob("*.png"):
        file.unlink()
    message = anna.mistake("reject", "Zoë", "--bundle", anna.bundle, "--gallery", anna.gallery,
                           "--face", album)
    assert "found none; .heic files among pictures: 1 passed over" in message


def test_names_that_stand_for_nobody_or_look_like_another(anna: Device) -> None:
    assert "stands for nobody" in anna.mistake(*anna.enroll("Unavailable", 2))
    assert "is enrolled already" in anna.mistake(*anna.enroll("\u0410nn\u0430", 2))
    anna.check_intact("Anna")
