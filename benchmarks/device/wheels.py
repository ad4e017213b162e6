"""What pip installs on a device: our wheel, and everything that it asks for."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path

from benchmarks.cost.timing import ROOT
from benchmarks.device.debian import made_once
from benchmarks.device.emulator import Device
from edge_runtime.errors import UsageError

SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "edge_runtime")


@dataclass(frozen=True)
class Runtime:
    """An interpreter, by its package, and what is installed in the place of ai-edge-litert for it.

    pythons: the only versions of Python that it has wheels for; empty for all of ours.
    """

    package: str
    instead: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()


LITERT = Runtime("ai-edge-litert")
TFLITE = Runtime("tflite-runtime", ("tflite-runtime==2.14.0", "numpy<2"), ("3.11",))
RUNTIMES = (LITERT, TFLITE)


def build_wheel(work: Path) -> Path:
    """Our wheel, built from a copy of its sources, in which no earlier build has left anything."""
    source = work / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name,
                            ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    _pip("wheel", "--no-deps", "--wheel-dir", work, source)
    [wheel] = work.glob("*.whl")
    return wheel


def requirements_of(wheel: Path, runtime: Runtime) -> list[str]:
    """What the base install of a wheel asks for, with the interpreter put in its place."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        asked = PathDistribution(zipfile.Path(archive, f"{metadata}/")).requires or []
    asked = [requirement for requirement in asked if "extra ==" not in requirement]
    if runtime.instead:
        asked = [requirement for requirement in asked if not requirement.startswith(LITERT.package)]
    return [*asked, *runtime.instead]


def install_requirements(
    wheel: Path, runtime: Runtime, device: Device | None, cache: Path
) -> Path:
    """A folder for PYTHONPATH, without our wheel itself. device: None for this machine.

    UsageError where there is no wheel of something for the device's Python on aarch64.
    """
    requirements = requirements_of(wheel, runtime)
    name = f"{runtime.package}-{device.cpu if device else f'here-{_this_python()}'}"
    return made_once(cache, name, (requirements, device),
                     lambda folder: _install(folder, requirements, device))


def install_wheel(wheel: Path, folder: Path, device: Device) -> None:
    """Our wheel alone, into a folder for PYTHONPATH, as pip does it for a device."""
    _install(folder, ["--no-deps", str(wheel)], device)


def has_wheels_here(runtime: Runtime) -> bool:
    """Whether this machine's Python can be compared with the device's on that interpreter."""
    return not runtime.pythons or _this_python() in runtime.pythons


def _this_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _install(folder: Path, what: Sequence[str], device: Device | None) -> None:
    target = [] if device is None else [
        "--python-version", device.python, *(f"--platform={tag}" for tag in _tags(device))]
    _pip("install", "--no-compile", "--only-binary=:all:", "--target", folder, *target, *what)


def _tags(device: Device) -> list[str]:
    """What pip on the device itself would take: wheels for its C library and older ones."""
    return ["manylinux2014_aarch64",
            *(f"manylinux_2_{minor}_aarch64" for minor in range(17, device.glibc + 1))]


def _pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet",
               *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")),
                    (done.stderr.strip().splitlines() or ["no message"])[-1])
        raise UsageError(f"pip {arguments[0]} failed ({said}); is the package index reachable?")
