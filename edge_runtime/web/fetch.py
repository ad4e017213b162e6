"""What others wrote and the phone's page needs: fetched by `make web`, never committed.

Package names, versions and hashes are pinned here. `npm pack` downloads them, from whatever
registry npm is set to; nothing of theirs is run here.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import UsageError, VisavoxError

FOLDER = Path(__file__).parent / "phone" / "third_party"
"""Where they lie: ignored by git, and part of the wheel when filled."""

_NOTICE = "NOTICE.txt"
_WASM = ("litert_wasm_internal", "litert_wasm_threaded_internal", "litert_wasm_compat_internal")


@dataclass(frozen=True)
class Package:
    """One npm package. integrity: SHA-512 of its archive, as npm's lock files write it. files: what
    is taken, by path in the package, and where it goes."""

    name: str
    version: str
    integrity: str
    licence: str
    files: dict[str, str]


PACKAGES = (
    Package("@litertjs/core", "2.5.3",
            "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ"
            "==", "Apache-2.0",
            {"dist/index.js": "litert/index.js"}
            | {f"wasm/{name}.{kind}": f"litert/wasm/{name}.{kind}"
               for name in _WASM for kind in ("js", "wasm")}),
    Package("@litertjs/wasm-utils", "2.5.3",
            "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ"
            "==", "Apache-2.0", {"dist/index.js": "litert/wasm-utils.js"}),
    Package("@mediapipe/face_detection", "0.4.1657300184",
            "k5aYtTf7av7GwD3C9T4LJB/okHK/uJwFQSOmJ9OHZMlwg7SdYVMolRgDlA962OU7fIBKsrOA7f7BzD2gpzcAKw"
            "==", "Apache-2.0",
            {"face_detection_short_range.tflite": "face_detection.tflite"}),
)

# A worker knows no import maps, so that the one package's name in the other is made an address.
_IMPORT = (b'from "@litertjs/wasm-utils"', b'from "./wasm-utils.js"')
_CHANGED = b"// Changed by Visavox: the import of @litertjs/wasm-utils names its file.\n"


def is_filled(folder: Path = FOLDER) -> bool:
    """Whether everything is there."""
    return all((folder / to).is_file() for package in PACKAGES for to in package.files.values())


def fill(folder: Path = FOLDER) -> None:
    """Fetch all of it into `folder`, which is replaced as a whole.

    Raises UsageError where npm is missing, VisavoxError where it cannot fetch, or fetches something
    else than is pinned.
    """
    if shutil.which("npm") is None:
        raise UsageError("expected npm, which fetches LiteRT.js for the phone's page, found none; "
                         "install it (Debian, Ubuntu: apt install npm), then run 'make web'")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        new = Path(temporary) / "new"
        for package in PACKAGES:
            _unpack(package, _fetched(package, Path(temporary)), new)
        index = new / "litert" / "index.js"
        code = index.read_bytes()
        assert code.count(_IMPORT[0]) == 1, "another way to import than that of the pinned version"
        index.write_bytes(_CHANGED + code.replace(*_IMPORT))
        shutil.copy(Path(__file__).parents[2] / "LICENSE", new / "LICENSE-Apache-2.0.txt")
        (new / _NOTICE).write_text(_notice(), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)


def _fetched(package: Package, folder: Path) -> Path:
    wanted = f"{package.name}@{package.version}"
    found = subprocess.run(["npm", "pack", "--silent", wanted], cwd=folder, capture_output=True,
                           text=True, check=False)
    if found.returncode:
        reason = " ".join((found.stderr or found.stdout).split())[:300]
        raise VisavoxError(f"expected {wanted} from npm, found none ({reason}); see to the "
                           "network, then run 'make web' again")
    archive = folder / found.stdout.split()[-1]
    integrity = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if integrity != package.integrity:
        raise VisavoxError(f"{wanted}: expected the pinned hash {package.integrity[:14]}..., found "
                           f"{integrity[:14]}...; do not use it, and ask who runs the registry")
    return archive


def _unpack(package: Package, archive: Path, to: Path) -> None:
    with tarfile.open(archive) as files:
        for path, name in package.files.items():
            content = files.extractfile(f"package/{path}")
            assert content is not None, f"{package.name} holds no file {path}"
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes(content.read())


def _notice() -> str:
    lines = [f"{package.name} {package.version} ({package.licence}): "
             f"{', '.join(package.files.values())}" for package in PACKAGES]
    return "\n".join(["By Google LLC and others, under the licence beside this file:", "", *lines,
                      "", "litert/index.js is changed where its first line says so.", ""])


def main() -> int:
    """`make web`."""
    try:
        if not is_filled():
            fill()
    except VisavoxError as error:
        print(f"visavox: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
