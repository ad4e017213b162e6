"""What the runtime takes on other platforms: its wheels, downloaded and unpacked in thought."""

from __future__ import annotations

import configparser
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.timing import ROOT

PLATFORMS = ("x86_64", "aarch64")
_GLIBC = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


def measure_platforms() -> dict[str, dict[str, Any]]:
    """By platform: bytes of the wheels and of what is in them, without `visavox` itself; or a
    reason why not."""
    return {platform: _platform(platform) for platform in PLATFORMS}


def _platform(platform: str) -> dict[str, Any]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = [line for line in config["options"]["install_requires"].split("\n") if line]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--retries", "1", "--dest", folder,
             "--only-binary=:all:", "--disable-pip-version-check",
             *(f"--platform={glibc}_{platform}" for glibc in _GLIBC), *wanted],
            capture_output=True, text=True)
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            return {"reason": (said or ["pip gave no reason"])[-1]}
        wheels = sorted(Path(folder).glob("*.whl"))
        return {"python": f"{sys.version_info.major}.{sys.version_info.minor}",
                "wheel_bytes": {_name(wheel): wheel.stat().st_size for wheel in wheels},
                "installed_bytes": {_name(wheel): _unpacked(wheel) for wheel in wheels}}


def _name(wheel: Path) -> str:
    return wheel.name.split("-")[0].replace("_", "-").lower()


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as archive:
        return sum(member.file_size for member in archive.infolist())
