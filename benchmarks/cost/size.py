"""How big things are: bundles on disk and in memory, and what has to be installed to run them.

For other platforms the runtime's wheels are downloaded and their contents added up; nothing is
installed.
"""

from __future__ import annotations

import configparser
import gzip
import importlib.util
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import edge_runtime
from benchmarks.cost.timing import ROOT, run_child
from edge_runtime.bundle.manifest import FILE_NAME
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.console.output import table
from edge_runtime.errors import UsageError
from edge_runtime.web.fetch import FOLDER as PACKAGES

DISTRIBUTION = "visavox"
_SHOWN = 3  # of what is installed, the largest; --json has all


def measure_size(
    paths: Sequence[Path], *, platforms: bool = False, tensorflow: bool = True
) -> dict[str, Any]:
    """Bytes and peak memory of bundles, of the installed runtime, and of importing TensorFlow:
    {"results": [...], "installed": {...}, "tensorflow": {...}}.

    platforms: also of the wheels for other platforms, which are downloaded for it. Every memory is
    that of a process of its own. What cannot be measured has a reason in the place of figures.
    """
    content = {"results": [_bundle_size(path) for path in paths],
               "installed": {"bytes": installed_sizes(), "phone_bytes": _phone_bytes()}}
    if platforms:
        content["platforms"] = measure_platforms()
    if tensorflow:
        content["tensorflow"] = (run_child("benchmarks.peers.import_tensorflow")
                                 if importlib.util.find_spec("tensorflow")
                                 else {"reason": "TensorFlow is not installed"})
    return content


def _bundle_size(path: Path) -> dict[str, Any]:
    manifest = load_bundle(path, allow_uncertified=True).manifest
    raw = {part: file.bytes for part, file in manifest.files.items()}
    zipped = {part: file.gzip_bytes for part, file in manifest.files.items()}
    content = (path / FILE_NAME).read_bytes()
    cold = run_child("benchmarks.cost.cold", str(path.resolve()), "1")
    return {"name": str(path), "family": manifest.family, "recipe": manifest.recipe,
            "bytes": raw | {"total": sum(raw.values())},
            "gzip_bytes": zipped | {"total": sum(zipped.values())},
            "manifest_bytes": len(content), "manifest_gzip_bytes": len(gzip.compress(content)),
            "peak_mib": round(cold["peak_mib"], 1)}


def installed_sizes() -> dict[str, int]:
    """Bytes of each distribution that the runtime needs, `visavox` itself included, and `total`."""
    sizes: dict[str, int] = {}
    wanted = [DISTRIBUTION]
    while wanted:
        name = wanted.pop()
        if name in sizes:
            continue
        distribution = _distribution(name)
        sizes[name] = sum(_bytes(path) for path in _files(distribution))
        for requirement in distribution.requires or []:
            name = _normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])
            if "extra ==" not in requirement and _is_installed(name):
                wanted.append(name)
    return sizes | {"total": sum(sizes.values())}


def _distribution(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise UsageError(f"expected {name} to be installed, whose size is asked for, found it not; "
                         "run 'pip install .' in the clone") from None


def _files(distribution: metadata.Distribution) -> Iterable[Path]:
    """In a clone, where `visavox` is installed in place, pip lists none of its files."""
    if distribution.name == DISTRIBUTION:
        package = Path(edge_runtime.__file__).parent
        return (path for path in package.rglob("*")
                if path.parent.name != "__pycache__" and not path.is_relative_to(PACKAGES))
    return (Path(str(file.locate())) for file in distribution.files or [])


def _phone_bytes() -> int:
    """Of what a kiosk hands on to phones and does not run itself, where `make web` has been."""
    return sum(_bytes(path) for path in PACKAGES.rglob("*"))


def _is_installed(name: str) -> bool:
    """A requirement whose environment marker rules it out here is not."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def size_table(content: dict[str, Any]) -> str:
    """The results as Markdown tables."""
    bundles = table(["bundle", "recipe", "MB", "MB gzip", "peak memory (MiB)"],
                    [[r["name"], r["recipe"],
                      *(f"{r[key]['total'] / 1e6:.2f}" for key in ("bytes", "gzip_bytes")),
                      f"{r['peak_mib']:.0f}"] for r in content["results"]])
    parts = [bundles, *_tensorflow_line(content), _installed_line(content["installed"])]
    if "platforms" in content:
        parts.append(_platforms_table(content["platforms"]))
    return "\n\n".join(parts)


def _installed_line(installed: Mapping[str, Any]) -> str:
    sizes = dict(installed["bytes"])
    total = sizes.pop("total")
    largest = sorted(sizes, key=lambda name: -sizes[name])[:_SHOWN]
    named = ", ".join(f"{name} {sizes[name] / 1e6:.1f}" for name in largest)
    line = f"Everything a device installs: {total / 1e6:.1f} MB ({named}, ...)."
    if phone := installed.get("phone_bytes"):
        line += (f" Not counted: {phone / 1e6:.1f} MB of LiteRT.js that a kiosk hands to phones "
                 "(`make web`).")
    return line


def _tensorflow_line(content: Mapping[str, Any]) -> list[str]:
    found = content.get("tensorflow")
    if not found:
        return []
    if "reason" in found:
        return [f"Importing TensorFlow: not measured ({found['reason']})."]
    return [f"Importing TensorFlow alone takes {found['peak_mib']:.0f} MiB and "
            f"{found['import_cpu_ms'] / 1e3:.1f} s of CPU."]


def _platforms_table(platforms: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [[name, *([found["reason"], "-"] if "reason" in found else
                     [f"{sum(found[key].values()) / 1e6:.1f}"
                      for key in ("wheel_bytes", "installed_bytes")])]
            for name, found in platforms.items()]
    return table(["platform, without visavox itself", "MB of wheels", "MB unpacked"], rows)


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
