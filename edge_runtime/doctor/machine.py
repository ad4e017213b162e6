"""What the checks look at: this machine's files, programs and packages, and what the user named."""

from __future__ import annotations

import importlib.machinery
import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from edge_runtime.bundle.networks import CHOICES

_PROGRAM_S = 5.0
_CHILD_S = 20.0  # a Pi Zero takes some seconds to import OpenCV
_CHILD = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1))\n"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """root: where /proc, /sys and /etc lie. import_path: where Python looks for packages.
    needed_bytes: of disk space, where bundle and gallery lie. Programs are those on PATH."""

    root: Path = Path("/")
    import_path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    python: tuple[int, int] = sys.version_info[:2]
    pointer_bits: int = 8 * struct.calcsize("P")
    architecture: str = field(default_factory=platform.machine)
    needed_bytes: int = 100_000_000
    bundle: Path | None = None
    gallery: Path | None = None
    key: Path | None = None
    camera: str | None = None
    microphone: str | None = None

    def file(self, path: str) -> Path:
        """A path of this machine, without the first slash."""
        return self.root / path

    def text(self, path: str | Path) -> str:
        """What the file holds; nothing where it is missing or cannot be read."""
        try:
            return (self.root / path).read_text(errors="replace").strip("\0\n ")
        except OSError:
            return ""

    @property
    def is_raspberry_pi(self) -> bool:
        return "Raspberry Pi" in self.text("proc/device-tree/model")

    def output(self, program: str, *arguments: str) -> str | None:
        """What a program prints; None where it is not installed, fails or takes over 5 s."""
        if shutil.which(program) is None:
            return None
        try:
            done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, timeout=_PROGRAM_S, errors="replace",
                                  env=os.environ | {"LC_ALL": "C"}, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def version(self, distribution: str) -> str | None:
        """The version of a package, if it is installed."""
        found = metadata.distributions(name=distribution, path=list(self.import_path))
        # What is left of an installation that was broken off has no version.
        return next((one.version for one in found if "Version" in one.metadata), None)

    @property
    def interpreter(self) -> str | None:
        """The interpreter that is used here, by its package's name."""
        return next((name for name, _ in CHOICES if self.version(name)), None)

    def has_module(self, name: str) -> bool:
        """Whether a module is there, be it that it imports or not."""
        path = list(self.import_path)
        return importlib.machinery.PathFinder.find_spec(name, path) is not None

    def import_error(self, module: str) -> str | None:
        """Why a module does not import, in one line; None where it does."""
        return self.child_error("import importlib; importlib.import_module(sys.argv[1])", module)

    def child_error(self, code: str, *arguments: str) -> str | None:
        """Why Python code fails; None where it does not. In a process of its own, which compiled
        libraries may end and where `sys.argv[1:]` are the arguments."""
        command = [sys.executable, "-c", _CHILD + code, json.dumps(self.import_path), *arguments]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, timeout=_CHILD_S,
                                  errors="replace", check=False)
        except subprocess.TimeoutExpired:
            return f"it was not done within {_CHILD_S:.0f} s"
        if done.returncode < 0:
            return f"the process was ended by {signal.Signals(-done.returncode).name}"
        complaint = done.stderr.strip().splitlines()
        return (complaint or ["it gave no reason"])[-1] if done.returncode else None
