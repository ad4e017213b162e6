"""From a bundle to the phone's folder: the page, the networks and what a service worker keeps."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge_runtime.bundle.manifest import FILE_NAME
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.decision.decide import EnrolledThresholds
from edge_runtime.errors import BundleError, UsageError
from edge_runtime.modalities import MODALITIES
from edge_runtime.web import fetch

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
"""What to serve the folder with. The first two give networks in float32 threads; without them
everything works on one."""

SHARED = Path(__file__).parent / "shared"
"""What the kiosk's page and the phone's have in common: `shared/` beside either."""

_PAGE = Path(__file__).parent / "phone"
_KINDS = (".html", ".css", ".js", ".json", ".webmanifest", ".png", ".svg")
_WORKER = "service-worker.js"


def export_web(
    bundle: Path, out: Path, *, thresholds: EnrolledThresholds | None = None,
    allow_uncertified: bool = False,
) -> None:
    """Write the folder `out`, which appears when it is complete, and takes an earlier one's place.

    thresholds: for people enrolled (Gallery.thresholds). Raises BundleError for a bundle that
    cannot be used on a phone, UsageError for an `out` that is something else, and where `make web`
    has not been run.
    """
    if not fetch.is_filled():
        raise UsageError("expected LiteRT.js beside the phone's page, found none; run 'make web' "
                         "in the clone, or install a wheel made after it")
    loaded = load_bundle(bundle, allow_uncertified=allow_uncertified)
    if set(loaded.models) != set(MODALITIES):
        raise BundleError(f"{bundle}: expected a pair, whose face and voice may come at different "
                          f"times, found {', '.join(loaded.models)}; convert a pair for the phone")
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or _is_export(out))):
        raise UsageError(f"{out}: expected a new or empty folder, or an earlier export, found "
                         "something else; name another one")
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent) as temporary:
        new = Path(temporary) / "new"
        copy_page(new)
        (new / "bundle").mkdir()
        shutil.copy(bundle / FILE_NAME, new / "bundle")
        for part, file in loaded.manifest.files.items():
            (new / "bundle" / file.file).write_bytes(loaded.models[part])
        (new / "limits.json").write_bytes(msgspec.json.encode(thresholds))
        (new / "bundle.json").write_bytes(msgspec.json.encode(_which(bundle)))
        _write_version(new)
        shutil.rmtree(out, ignore_errors=True)
        new.rename(out)


def _is_export(folder: Path) -> bool:
    return (folder / _WORKER).is_file() and (folder / "bundle" / FILE_NAME).is_file()


def copy_page(out: Path) -> None:
    """The page without a bundle, in the new folder `out`."""
    def others(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if (Path(folder) != fetch.FOLDER
                and fetch.FOLDER not in Path(folder).parents
                and not (Path(folder) / name).is_dir() and Path(name).suffix not in _KINDS)
                or name == "__pycache__"}

    shutil.copytree(_PAGE, out, ignore=others)
    shutil.copytree(SHARED, out / SHARED.name, ignore=others)


def _which(bundle: Path) -> dict[str, str]:
    """The bundle's name and when it was made, as the page shows them."""
    made = datetime.fromtimestamp((bundle / FILE_NAME).stat().st_mtime, UTC)
    return {"name": bundle.resolve().name, "made": made.isoformat(timespec="seconds")}


def _write_version(folder: Path) -> None:
    """Tells the service worker what it keeps: all files but LiteRT's three builds, of which one
    phone needs one, kept when first used. Tells pages, who ask past all caches, which version is
    here (export.json), and so the name of its worker; pages of earlier exports know one only."""
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
              for path in sorted(folder.rglob("*")) if path.is_file()}
    version = hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:16]
    del hashes[_WORKER]
    wasm = {path: hashes.pop(path) for path in list(hashes) if "/wasm/" in path}
    content = json.dumps({"version": version, "files": hashes, "onUse": wasm}, indent=2)
    script = f"const EXPORT = {content};\n" + (folder / _WORKER).read_text(encoding="utf-8")
    for name in (_WORKER, f"service-worker-{version}.js"):
        (folder / name).write_text(script, encoding="utf-8")
    (folder / "export.json").write_text(json.dumps({"version": version}), encoding="utf-8")
