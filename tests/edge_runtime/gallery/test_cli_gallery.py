"""The gallery's commands: what they print, one line for a mistake, and nothing lost."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from edge_runtime.cli import main

RUN = "import sys; from edge_runtime.cli import main; sys.exit(main())"
WITHOUT_CRYPTOGRAPHY = f"import sys; sys.modules['cryptography'] = None; {RUN}"
PASSPHRASE = {"VISAVOX_PASSPHRASE": "correct horse"}

Change = Callable[[dict[str, Any]], Path]


class Device:
    """A bundle, people's files, a gallery and a key; `run` and `mistake` call `visavox`."""

    def __init__(self, bundle: Path, people: Path, folder: Path) -> None:
        self.bundle, self.people, self.folder = bundle, people, folder
        self.gallery = folder / "gallery.db"
        # Without a key of the machine that tests, and without its environment's.
        self.environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config")}
        for name in ("VISAVOX_DEVICE_KEY", *PASSPHRASE):
            self.environment.pop(name, None)

    def start(
        self, *arguments: object, code: str = RUN, limit_bytes: int | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """A process of its own, whose files may grow to `limit_bytes`."""
        def limit() -> None:
            if limit_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], text=True, preexec_fn=limit,
            start_new_session=True, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment)

    def call(self, *arguments: object, **environment: str) -> tuple[int, str, str]:
        """Within this process, which takes a tenth of the time."""
        out, err = io.StringIO(), io.StringIO()
        with (mock.patch.dict(os.environ, self.environment | environment, clear=True),
              contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)):
            code = main([str(argument) for argument in arguments])
        return code, out.getvalue(), err.getvalue()

    def run(self, *arguments: object, **environment: str) -> str:
        code, out, err = self.call(*arguments, **environment)
        assert code == 0, err
        return out

    def mistake(self, *arguments: object, **environment: str) -> str:
        """The one line of standard error."""
        return one_line(*self.call(*arguments, **environment))

    def mistake_of_child(self, *arguments: object, **options: Any) -> str:
        """The same, in a process of its own."""
        with self.start(*arguments, **options) as child:
            out, err = child.communicate(timeout=300)
        return one_line(child.returncode, out, err)

    def files(self, number: int) -> tuple[str, ...]:
        """The arguments that name the files of one of the synthetic people."""
        folder = self.people / f"synthetic_00{number}"
        return ("--face", *map(str, sorted((folder / "face").iterdir())),
                "--voice", *map(str, sorted((folder / "voice").iterdir())))

    def enroll(self, name: str, number: int) -> tuple[str, ...]:
        """The arguments that enroll one; the little network takes all people for one."""
        return ("enroll", name, "--bundle", str(self.bundle), "--gallery", str(self.gallery),
                "--allow-duplicate", *self.files(number))

    def names(self) -> list[str]:
        listed = json.loads(self.run("people", "--gallery", self.gallery, "--json"))
        return [person["person"] for person in listed["people"]]

    def check_intact(self, *names: str) -> None:
        """Everybody is there, and the audit log holds."""
        assert self.names() == list(names)
        assert json.loads(self.run("audit", "--gallery", self.gallery, "--json"))["holds"] is True


def one_line(code: int, out: str, err: str) -> str:
    assert code == 2, err
    assert out == "" and err.startswith("visavox: ") and err.count("\n") == 1, err
    assert "Traceback" not in err and len(err) < 600
    return err.removeprefix("visavox: ").rstrip("\n")


@pytest.fixture
def device(changed_bundle: Change, small_people: Path, tmp_path: Path) -> Device:
    (tmp_path / "device").mkdir()
    return Device(changed_bundle({}), small_people, tmp_path / "device")


@pytest.fixture
def anna(device: Device) -> Device:
    """A device on which Anna is enrolled."""
    assert device.run(*device.enroll("Anna", 1)) == "Anna is enrolled from 6 faces and 4 clips\n"
    return device


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


def test_to_another_device_and_back(anna: Device, tmp_path: Path) -> None:
    file = tmp_path / "people.export"
    anna.run(*anna.enroll("Ben", 2))
    said = anna.run("export", "--gallery", anna.gallery, "--out", file, **PASSPHRASE)
    assert said.startswith(f"2 people are in {file}")
    other = ("--bundle", anna.bundle, "--gallery", tmp_path / "other" / "gallery.db")
    key = {"VISAVOX_DEVICE_KEY": base64.b64encode(bytes(range(32))).decode()}
    assert anna.run("import", file, *other, **PASSPHRASE, **key) == "2 people are imported\n"
    said = json.loads(anna.run("import", file, *other, "--json", **PASSPHRASE, **key))
    assert said == {"people": [], "skipped": {"Anna": "the name is enrolled already",
                                              "Ben": "the name is enrolled already"}}
    anna.check_intact("Anna", "Ben")


# Mistakes.

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
    assert anna.mistake("people", "--gallery", anna.gallery) == (
        f"{key}: expected a device key that its owner alone can read, found mode 0644; "
        f"'chmod 600 {key}'")
    key.chmod(0o600)
    anna.check_intact("Anna")


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_database(anna: Device, share: float) -> None:
    content = anna.gallery.read_bytes()
    cut = content[: int(share * len(content))]
    anna.gallery.write_bytes(cut)
    for command in (("people", "--gallery", anna.gallery), anna.enroll("Ben", 2)):
        message = anna.mistake(*command)
        assert message.startswith(f"{anna.gallery}: expected a gallery, found ")
        assert "copy in its place" in message or "another kind of file" in message
    assert anna.gallery.read_bytes() == cut
    anna.gallery.write_bytes(content)
    anna.check_intact("Anna")


def test_what_is_no_gallery(device: Device, tmp_path: Path) -> None:
    for name, content in (("letter.txt", b"Dear Anna, " * 1000), ("empty.db", b"")):
        device.gallery = tmp_path / name
        device.gallery.write_bytes(content)
        for command in (("people", "--gallery", device.gallery), device.enroll("Ben", 2)):
            assert "expected a gallery, found " in device.mistake(*command)
        assert device.gallery.read_bytes() == content
    assert "found a folder" in device.mistake("people", "--gallery", tmp_path)
    for command in (("people",), ("audit",), ("forget", "Anna")):
        assert "found no file; enroll somebody first" in device.mistake(
            *command, "--gallery", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_no_more_room_for_files(anna: Device) -> None:
    """The system refuses to let a file grow while somebody is enrolled."""
    for more in (0, 4096, 12_000):
        message = anna.mistake_of_child(*anna.enroll("Ben", 2),
                                        limit_bytes=anna.gallery.stat().st_size // 2 + more)
        assert "make room" in message
        anna.check_intact("Anna")
    anna.run(*anna.enroll("Ben", 2))
    anna.check_intact("Anna", "Ben")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let tests mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk(device: Device, small_disk: Path) -> None:
    device.gallery = small_disk / "gallery.db"
    filler = small_disk / "filler"
    filler.write_bytes(bytes(500 * 1024))
    assert "make room" in device.mistake(*device.enroll("Anna", 1))
    assert [path.name for path in small_disk.iterdir()] == ["filler"]  # nothing half is left
    filler.unlink()
    device.run(*device.enroll("Anna", 1))
    used = device.gallery.stat().st_size
    for free_kib in (0, 4, 40, 48):
        filler.write_bytes(bytes(512 * 1024 - used - free_kib * 1024))
        assert "make room" in device.mistake(*device.enroll("Ben", 2))
        filler.unlink()
        device.check_intact("Anna")
    device.run(*device.enroll("Ben", 2))
    device.check_intact("Anna", "Ben")


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
    ("a\nb", "without control characters"), (b"a\xff", "without control characters"),
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


def test_somebody_enrolled_under_another_name(anna: Device) -> None:
    again = [argument for argument in anna.enroll("Annika", 1) if argument != "--allow-duplicate"]
    assert "'Annika' seems to be enrolled already as 'Anna'" in anna.mistake(*again)
    anna.check_intact("Anna")


def test_exports_that_do_not_open(anna: Device, tmp_path: Path) -> None:
    file = tmp_path / "people.export"
    out = ("export", "--gallery", anna.gallery, "--out", file)
    assert "at least 8 characters" in anna.mistake(*out, VISAVOX_PASSPHRASE="short")
    assert "a terminal to ask on, found neither" in anna.mistake(*out)
    assert not file.exists()
    anna.run(*out, **PASSPHRASE)
    whole = file.read_bytes()
    assert str(file) in anna.mistake(*out, **PASSPHRASE)
    assert file.read_bytes() == whole
    into = ("--bundle", anna.bundle, "--gallery", anna.gallery)
    assert f"{file}: the passphrase is wrong" in anna.mistake("import", file, *into,
                                                              VISAVOX_PASSPHRASE="wrong horse")
    file.write_bytes(whole[: len(whole) // 2])
    assert "cut short or damaged" in anna.mistake("import", file, *into, **PASSPHRASE)
    file.write_bytes(whole[:-1] + b"\0")
    assert "the export is damaged" in anna.mistake("import", file, *into, **PASSPHRASE)
    assert "found none" in anna.mistake("import", tmp_path / "nowhere", *into, **PASSPHRASE)
    elsewhere = ("--bundle", anna.bundle, "--gallery", tmp_path / "new.db")
    anna.mistake("import", file, *elsewhere, **PASSPHRASE)
    assert not (tmp_path / "new.db").exists()
    anna.check_intact("Anna")


@pytest.mark.parametrize(("second", "code"), [("correct horse", 0), ("correct house", 2)])
def test_a_passphrase_at_a_terminal(
    anna: Device, tmp_path: Path, second: str, code: int
) -> None:
    file = tmp_path / "people.export"
    terminal, tty = os.openpty()
    with anna.start("export", "--gallery", anna.gallery, "--out", file, stdin=tty) as child:
        assert child.stderr
        for prompt, answer in (("passphrase of the export: ", "correct horse"),
                               ("the same again: ", second)):
            asked = ""
            while prompt not in asked:  # what is typed before is thrown away
                asked += child.stderr.read(1)
            os.write(terminal, f"{answer}\n".encode())
        _, err = child.communicate(timeout=300)
    assert child.returncode == code and file.exists() == (code == 0), err
    assert ("the two passphrases differ" in err) == (code == 2)


def test_a_full_disk_while_exporting(anna: Device, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(508 * 1024))
    message = anna.mistake("export", "--gallery", anna.gallery, "--out", small_disk / "x",
                           **PASSPHRASE)
    assert "make room" in message and not (small_disk / "x").exists()
    anna.check_intact("Anna")


def test_an_export_that_the_log_has_no_room_for_is_taken_back(
    anna: Device, tmp_path: Path
) -> None:
    file, log = tmp_path / "people.export", Path(f"{anna.gallery}-wal")
    anna.environment |= PASSPHRASE
    with contextlib.closing(sqlite3.connect(anna.gallery, isolation_level=None)) as keeper:
        for second in range(10, 20):  # fill the -wal with more than the export takes
            keeper.execute(f"UPDATE people SET enrolled = '2026-01-01T00:00:{second}+00:00'")
        assert log.stat().st_size > 33_000
        message = anna.mistake_of_child("export", "--gallery", anna.gallery, "--out", file,
                                        limit_bytes=log.stat().st_size + 4096)
    assert "make room" in message and not file.exists()
    anna.check_intact("Anna")
    assert json.loads(anna.run("audit", "--gallery", anna.gallery, "--json"))["entries"][-1][
        "event"] == "enrolled"


def test_a_backup_that_still_holds_somebody(anna: Device) -> None:
    backup = shutil.copy(anna.gallery, anna.folder / "gallery.backup")
    message = anna.mistake("forget", "Anna", "--gallery", anna.gallery)
    assert f"bytes of theirs are left in {backup}; delete what is named" in message
    anna.check_intact()


def test_without_the_package(device: Device) -> None:
    message = device.mistake_of_child(*device.enroll("Anna", 1), code=WITHOUT_CRYPTOGRAPHY)
    assert message == ("enrolled people are stored with the package 'cryptography', which is not "
                       "installed; pip install 'visavox[gallery]'")
    assert not device.gallery.exists()
    with device.start("--help", code=WITHOUT_CRYPTOGRAPHY) as child:
        assert "identify" in child.communicate()[0]
    assert child.returncode == 0
