"""An environment for each peer's library, with the versions that setup.cfg's extra `peers` pins."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cost.timing import ROOT
from edge_runtime.errors import UsageError

SETUP = "python -m benchmarks peers --setup"


@dataclass(frozen=True)
class Environment:
    """packages: of the extra `peers`. alone: of it, without what they require. others: in versions
    that these packages ask for. python: the only one that they have wheels for."""

    packages: tuple[str, ...]
    alone: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    python: str | None = None


# PyTorch's wheels of the public index bring CUDA, some gigabytes; PIP_INDEX_URL or PIP_FIND_LINKS
# name a place that has the ones without. timm would bring torchvision, which MobileViT needs not.
ENVIRONMENTS: Mapping[str, Environment] = {
    "onnxruntime": Environment(("torch", "onnx", "onnxscript", "onnxruntime"), ("timm",),
                               ("numpy", "pillow", "pyyaml")),
    "tflite_runtime": Environment(("tflite-runtime",), others=("numpy<2",), python="3.11"),
    "librosa": Environment(("librosa",)),
}


def set_up(folder: Path, say: Callable[[str], None]) -> dict[str, str]:
    """Make all environments; those that are there in the versions wanted stay. Returns why one
    cannot be made, by its name."""
    reasons = {}
    for name in ENVIRONMENTS:
        try:
            _make(name, folder, say)
        except UsageError as error:
            reasons[name] = str(error)
    return reasons


def python_of(name: str, folder: Path) -> Path:
    """The environment's Python. UsageError where it has not been made, or in other versions."""
    if _text(_ready(name, folder)) != _wanted(name):
        raise UsageError(f"expected the environment {name}, found none of these versions; "
                         f"run '{SETUP}'")
    return folder.absolute() / name / "bin" / "python"  # a link, which has to stay one


def _make(name: str, folder: Path, say: Callable[[str], None]) -> None:
    if _text(_ready(name, folder)) == _wanted(name):
        say(f"{name}: there already")
        return
    environment, pins = ENVIRONMENTS[name], _pins()
    say(f"{name}: installing {', '.join(pins[p] for p in environment.packages)}")
    where = folder.absolute() / name
    shutil.rmtree(where, ignore_errors=True)
    _run(_interpreter(environment.python), "-m", "venv", str(where))
    pip = (str(where / "bin" / "python"), "-m", "pip", "install", "--quiet", "--retries", "1",
           "--disable-pip-version-check")
    _run(*pip, *(pins[package] for package in environment.packages), *environment.others)
    if environment.alone:
        _run(*pip, "--no-deps", *(pins[package] for package in environment.alone))
    _ready(name, folder).write_text(_wanted(name), encoding="utf-8")


def _interpreter(version: str | None) -> str:
    if version in (None, ".".join(map(str, sys.version_info[:2]))):
        return sys.executable
    if found := shutil.which(f"python{version}"):
        return found
    raise UsageError(f"expected Python {version} on the path, found none; install it, there are "
                     "no wheels for others")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise UsageError(f"it cannot be installed ({(said or ['no message'])[-1]}); connect this "
                         "machine to a package index and try again")


def _wanted(name: str) -> str:
    environment, pins = ENVIRONMENTS[name], _pins()
    packages = (*environment.packages, *environment.alone)
    return "\n".join([*(pins[package] for package in packages), *environment.others])


def _pins() -> dict[str, str]:
    """The requirements of the extra `peers`, by the package's name."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options.extras_require"]["peers"].split("\n")
    return {re.split(r"[=<>;]", line, maxsplit=1)[0]: line.partition(";")[0].strip()
            for line in lines if line and not line.startswith("#")}


def _ready(name: str, folder: Path) -> Path:
    return folder / name / "ready.txt"


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
