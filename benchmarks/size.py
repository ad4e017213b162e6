"""How big things are: bundles on disk, and what has to be installed to run them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from edge_runtime.bundle import load_bundle
from edge_runtime.command import table
from edge_runtime.manifest import FILE_NAME

DISTRIBUTION = "visavox"


def measure_size(paths: Sequence[Path]) -> dict[str, Any]:
    """Bytes of bundles and of the installed runtime: {"results": [...], "installed": {...}}."""
    return {"results": [_bundle_size(path) for path in paths],
            "installed": {"bytes": installed_sizes()}}


def _bundle_size(path: Path) -> dict[str, Any]:
    manifest = load_bundle(path, allow_uncertified=True).manifest
    raw = {part: file.bytes for part, file in manifest.files.items()}
    zipped = {part: file.gzip_bytes for part, file in manifest.files.items()}
    content = (path / FILE_NAME).read_bytes()
    return {"name": str(path), "family": manifest.family, "recipe": manifest.recipe,
            "bytes": raw | {"total": sum(raw.values())},
            "gzip_bytes": zipped | {"total": sum(zipped.values())},
            "manifest_bytes": len(content), "manifest_gzip_bytes": len(gzip.compress(content))}


def installed_sizes() -> dict[str, int]:
    """Bytes of each distribution that the runtime needs, `visavox` itself included, and `total`."""
    sizes: dict[str, int] = {}
    wanted = [DISTRIBUTION]
    while wanted:
        name = wanted.pop()
        if name in sizes:
            continue
        distribution = metadata.distribution(name)
        sizes[name] = sum(_bytes(Path(str(file.locate()))) for file in distribution.files or [])
        for requirement in distribution.requires or []:
            name = _normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])
            if "extra ==" not in requirement and _is_installed(name):
                wanted.append(name)
    return sizes | {"total": sum(sizes.values())}


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
    bundles = table(["bundle", "recipe", "MB", "MB gzip"],
                    [[r["name"], r["recipe"], f"{r['bytes']['total'] / 1e6:.2f}",
                      f"{r['gzip_bytes']['total'] / 1e6:.2f}"] for r in content["results"]])
    sizes = content["installed"]["bytes"]
    installed = table(["installed", "MB"], [[name, f"{size / 1e6:.1f}"]
                                            for name, size in sorted(sizes.items(),
                                                                     key=lambda item: item[1])])
    return f"{bundles}\n\n{installed}"
