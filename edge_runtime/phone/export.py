"""From a bundle to the phone's folder: the page, the networks and what a service worker keeps."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import msgspec

from edge_runtime.bundle import load_bundle
from edge_runtime.errors import BundleError, UsageError
from edge_runtime.gallery.limits import Limits
from edge_runtime.manifest import FILE_NAME
from edge_runtime.people import MODALITIES
from edge_runtime.phone import packages

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Content-Security-Policy":
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
        "connect-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""What to serve the folder with. The first two give the networks threads; without them everything
works on one."""

_PAGE = Path(__file__).parent
_KINDS = (".html", ".css", ".js", ".json", ".webmanifest", ".png", ".svg")
_PRECACHE = "precache.js"


def export_web(
    bundle: Path, out: Path, *, limits: Limits | None = None, allow_uncertified: bool = False
) -> None:
    """Write the folder `out`, which appears when it is complete, and takes an earlier one's place.

    limits: what `visavox thresholds` found for people enrolled (Gallery.limits). Raises BundleError
    for a bundle that cannot be used on a phone, UsageError for an `out` that is something else, and
    where `make web` has not been run.
    """
    if not packages.is_filled():
        raise UsageError("expected LiteRT.js beside the phone's page, found none; run 'make web' "
                         "in the clone, or install a wheel made after it")
    loaded = load_bundle(bundle, allow_uncertified=allow_uncertified)
    if set(loaded.models) != set(MODALITIES):
        raise BundleError(f"{bundle}: expected a pair, whose face and voice may come at different "
                          f"times, found {', '.join(loaded.models)}; convert a pair for the phone")
    if out.exists() and not (out.is_dir() and (not any(out.iterdir())
                                               or (out / _PRECACHE).is_file())):
        raise UsageError(f"{out}: expected a new or empty folder, or an earlier export, found "
                         "something else; name another one")
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent) as temporary:
        new = Path(temporary) / "new"
        _copy_page(new)
        (new / "bundle").mkdir()
        shutil.copy(bundle / FILE_NAME, new / "bundle")
        for part, file in loaded.manifest.files.items():
            (new / "bundle" / file.file).write_bytes(loaded.models[part])
        (new / "limits.json").write_bytes(msgspec.json.encode(limits))
        (new / _PRECACHE).write_text(_precache(new), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        new.rename(out)


def _copy_page(out: Path) -> None:
    def others(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if (Path(folder) != packages.FOLDER
                and packages.FOLDER not in Path(folder).parents
                and not (Path(folder) / name).is_dir() and Path(name).suffix not in _KINDS)
                or name == "__pycache__"}

    shutil.copytree(_PAGE, out, ignore=others)


def _precache(folder: Path) -> str:
    """What the service worker keeps: all files but LiteRT's three builds, of which one phone needs
    one, kept when first used."""
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
              for path in sorted(folder.rglob("*")) if path.is_file()}
    wasm = {path: hashes.pop(path) for path in list(hashes) if "/wasm/" in path}
    del hashes["service-worker.js"]
    version = hashlib.sha256(json.dumps([hashes, wasm]).encode()).hexdigest()[:16]
    content = {"version": version, "files": hashes, "onUse": wasm}
    return f"self.PRECACHE = {json.dumps(content, indent=2)};\n"
