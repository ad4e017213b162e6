"""The root file system of an emulated device: Debian's arm64 Python and the libraries it needs.

The packages come from where this machine's own come from, with the suite put in place of this
machine's; which packages Python needs is worked out by apt. Nothing is installed here: apt's state
and cache are private folders. A folder is made as a whole or not at all, and found again by the
next run.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.device.emulator import Device
from edge_runtime import files
from edge_runtime.console.output import with_progress
from edge_runtime.errors import UsageError

RECORD = "made.json"


def cache_folder() -> Path:
    """Where a user's caches are."""
    return files.cache_folder() / "device"


def made_once(cache: Path, name: str, recipe: object, make: Callable[[Path], object]) -> Path:
    """The folder `name`, made by `make(folder)` unless one of the same recipe is there.

    recipe: what its content hangs on. UsageError where files have been lost or changed since.
    """
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:8]
    folder = cache / f"{name}-{digest}"
    if folder.is_dir():
        _check(folder)
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".making-", dir=cache))
    try:
        make(partial)
        (partial / RECORD).write_text(json.dumps(_content(partial)), encoding="utf-8")
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:  # another process was quicker
            _check(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _check(folder: Path) -> None:
    try:
        expected = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        expected = None
    if expected != (found := _content(folder)):
        raise UsageError(f"{folder}: the cache is damaged (expected {_said(expected)}, found "
                         f"{_said(found)}); delete that folder and run this again")


def _content(folder: Path) -> dict[str, int]:
    """How many files there are and their bytes, without what Python there adds by itself."""
    sizes = [path.lstat().st_size for path in folder.rglob("*")
             if path.name != RECORD and "__pycache__" not in path.parts and not path.is_dir()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def _said(content: dict[str, int] | None) -> str:
    return f"{content['files']} files, {content['bytes']} bytes" if content else "its record"


KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TIMEOUT_S = 240


def root_file_system(device: Device, cache: Path) -> Path:
    """The folder to give to QEMU as `-L`. UsageError where the packages cannot be had."""
    packages = [f"python{device.python}-minimal", f"libpython{device.python}-stdlib", "libstdc++6"]
    return made_once(cache, f"{device.suite}-{device.cpu}", (packages, device),
                     lambda folder: _make(folder, device, packages))


def _make(folder: Path, device: Device, packages: Sequence[str]) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise UsageError(f"{device.cpu}: expected apt-get and dpkg-deb, which fetch Debian's arm64 "
                         "packages, found none; run this on Debian or a system made of it")
    with tempfile.TemporaryDirectory() as temporary:
        apt = Apt(Path(temporary), device.suite)
        steps = [["update"], ["install", "--yes", "--no-install-recommends", "--download-only",
                              *packages]]
        for step in with_progress(steps, f"{device.cpu}: Debian {device.suite}, step"):
            apt.run(*step)
        for file in with_progress(apt.files(), f"{device.cpu}: unpacking"):
            _run(["dpkg-deb", "--extract", str(file), str(folder)], f"{file.name} is damaged")
    if not (folder / "lib").exists():  # where the program loader is looked for
        (folder / "lib").symlink_to("usr/lib")
    (folder / "proc").mkdir(exist_ok=True)
    (folder / "proc" / "cpuinfo").write_text(device.cpuinfo)


class Apt:
    """apt-get for arm64 and one suite, with its files under a folder of ours."""

    def __init__(self, folder: Path, suite: str) -> None:
        self._folder, self._suite = folder, suite
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        signed = f" signed-by={KEYRING}" if KEYRING.is_file() else ""
        (folder / "sources.list").write_text("".join(
            f"deb [arch=arm64 target=Packages{signed}] {archive} {suite} main\n"
            for archive in debian_archives()))

    def run(self, *arguments: str) -> None:
        """UsageError, with apt's own reason, where it fails."""
        settings = {
            "APT::Architecture": "arm64", "APT::Architectures::": "arm64",
            "APT::Sandbox::User": "root", "Dir::State": self._folder,
            "Dir::State::status": self._folder / "status", "Dir::Cache": self._folder,
            "Dir::Etc::sourcelist": self._folder / "sources.list", "Dir::Etc::sourceparts": "-",
            "Acquire::Retries": "2"}
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        _run(["apt-get", "-qq", *options, *arguments],
             f"this machine's package sources do not give Debian's suite {self._suite} for arm64")

    def files(self) -> list[Path]:
        """The packages that were fetched."""
        return sorted((self._folder / "archives").glob("*.deb"))


def debian_archives() -> list[str]:
    """Where this machine gets Debian's main packages from. UsageError where it does not."""
    wanted = ["Origin: Debian", "Label: Debian", "Component: main", "Created-By: Packages"]
    found = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted],
                 "this machine's package sources cannot be listed")
    if archives := list(dict.fromkeys(found.split())):
        return archives
    raise UsageError("expected an archive of Debian among this machine's package sources, found "
                     "none; run 'apt-get update' first, or run this on Debian")


def _run(command: Sequence[str], failure: str) -> str:
    """Standard output. UsageError with what the program said first, without addresses."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=False)
    except subprocess.TimeoutExpired:
        raise UsageError(f"{failure} (no answer within {TIMEOUT_S} s); try again later") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg"))]
        said = re.sub(r"\S+://\S+", "...", (lines or ["no message"])[0])
        raise UsageError(f"{failure} ({said}); the other devices go on without it")
    return done.stdout
