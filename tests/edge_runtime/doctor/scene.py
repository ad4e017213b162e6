"""A machine made of files and programs, and the ways to bring each problem about on it."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.doctor.finding import Finding
from edge_runtime.doctor.machine import Machine
from tests.edge_runtime.capture.stand_ins import write_program

Look = Callable[[], list[Finding]]


class Scene:
    """root: its file system. site: its packages. On its PATH there is nothing but `program`s."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, bundle: Callable[[dict[str, Any]], Path]
    ) -> None:
        self.folder, self.root, self.site = folder, folder / "root", folder / "site"
        self._programs = folder / "bin"
        for made in (self.root, self.site, self._programs, folder / "config"):
            made.mkdir()
        self._patch = patch
        self.bundle = bundle  # a certified copy with changes to its manifest
        self.full_rights = True  # whether the check runs with root's right to read all files
        patch.setenv("PATH", str(self._programs))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.delenv("VISAVOX_DEVICE_KEY", raising=False)
        patch.chdir(folder)

    def machine(self, **named: Any) -> Machine:
        """With the packages in `site` alone, unless `import_path` is named."""
        return Machine(**{"root": self.root, "import_path": (str(self.site),),
                          "pointer_bits": 64, "architecture": "aarch64", "python": (3, 12)} | named)

    def whole_path(self) -> tuple[str, ...]:
        """What is in `site`, before what is really installed."""
        return (str(self.site), *sys.path)

    def write(self, path: str, content: str) -> Path:
        """A file of the machine."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file

    def program(self, name: str, python: str) -> None:
        write_program(self._programs / name, python)

    def package(self, name: str, version: str) -> None:
        """What pip leaves of an installed package."""
        folder = self.site / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\n"
                                         f"Version: {version}\n")

    def module(self, name: str, python: str = "") -> None:
        """A module that child processes import."""
        package, _, last = name.rpartition(".")
        folder = self.site / package
        if package:
            folder.mkdir()
            (folder / "__init__.py").touch()
        (folder / f"{last}.py").write_text(python)

    def own_module(self, name: str, python: str) -> None:
        """A module that this process imports, too, in the place of the one of its name."""
        self.module(name, python)
        self._patch.syspath_prepend(self.site)
        self._patch.setitem(sys.modules, name, None)  # so that the end puts back what is there now
        del sys.modules[name]

    def camera_node(self, number: int, name: str) -> Path:
        """A camera as the kernel shows it, and its device node."""
        self.write(f"sys/class/video4linux/video{number}/name", name + "\n")
        self.write(f"sys/class/video4linux/video{number}/index", "0\n")
        return self.write(f"dev/video{number}", "")


@dataclass(frozen=True)
class Provoked:
    """make: brings a problem about. found, fix: words in what the doctor says of it."""

    make: Callable[[Scene], Machine]
    found: str
    fix: str


PROVOKED: dict[str, Provoked] = {}


def provokes(
    code: str, found: str, fix: str
) -> Callable[[Callable[[Scene], Machine]], Callable[[Scene], Machine]]:
    """Enter a function as what brings the problem `code` about."""
    def enter(make: Callable[[Scene], Machine]) -> Callable[[Scene], Machine]:
        assert code not in PROVOKED
        PROVOKED[code] = Provoked(make, found, fix)
        return make

    return enter


def as_usual_user(look: Look) -> list[Finding]:
    """Without root's right to read and write every file. In a thread, as Linux takes rights from
    one alone."""
    findings: list[Finding] = []

    def run() -> None:
        if os.geteuid() == 0:
            header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this thread
            assert ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) == 0
        findings.extend(look())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return findings
