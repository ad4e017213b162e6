"""The folder for a phone: what is in it, what it is served with, and mistakes in one line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from edge_runtime.apps.cli import main
from edge_runtime.bundle.manifest import read_manifest
from edge_runtime.decision.decide import Reason
from edge_runtime.errors import BundleError, UsageError, VisavoxError
from edge_runtime.gallery.store import Gallery
from edge_runtime.signals.face_quality import FaceReason, VoiceReason
from edge_runtime.web import fetch
from edge_runtime.web.export import HEADERS, export_web
from tests.data.phone_vectors.decisions import THRESHOLDS

PAGE = fetch.FOLDER.parent
LANGUAGES = {path.stem: json.loads(path.read_text(encoding="utf-8"))
             for path in (PAGE / "languages").glob("*.json")}

Change = Callable[[dict[str, Any]], Path]


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files in the places of those that npm gives, where `make web` has not been run."""
    if fetch.is_filled():
        return fetch.FOLDER
    page = tmp_path / "page"
    shutil.copytree(PAGE, page)
    for package in fetch.PACKAGES:
        for name in package.files.values():
            (page / "third_party" / name).parent.mkdir(parents=True, exist_ok=True)
            (page / "third_party" / name).write_text(name)
    monkeypatch.setattr(fetch, "FOLDER", page / "third_party")
    monkeypatch.setattr("edge_runtime.web.export._PAGE", page)
    return page / "third_party"


def kept(folder: Path) -> dict[str, Any]:
    """What the service worker was told to keep."""
    script = (folder / "service-worker.js").read_text(encoding="utf-8")
    content, _, _ = script.removeprefix("const EXPORT = ").partition(";\n")
    found: dict[str, Any] = json.loads(content)
    assert json.loads((folder / "export.json").read_text()) == {"version": found["version"]}
    assert (folder / f"service-worker-{found['version']}.js").read_text(encoding="utf-8") == script
    return found


def test_the_service_worker_keeps_every_file(
    changed_bundle: Change, filled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export_web(changed_bundle({}), out)
    found = kept(out)
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    workers = {"service-worker.js", f"service-worker-{found['version']}.js"}
    assert there - {"export.json"} - workers == found["files"].keys() | found["onUse"]
    assert len(found["onUse"]) == 6 and not any(name.endswith((".py", ".md")) for name in there)
    assert "third_party/NOTICE.txt" in there or not fetch.is_filled()


def test_another_bundle_is_another_version(
    changed_bundle: Change, filled: Path, tmp_path: Path
) -> None:
    bundle, out = changed_bundle({}), tmp_path / "out"
    export_web(bundle, out)
    first = kept(out)
    export_web(bundle, out)  # in the place of the first
    assert kept(out) == first
    export_web(bundle, out, thresholds=THRESHOLDS)
    second = kept(out)
    assert second["version"] != first["version"]
    changed = {path for path, digest in second["files"].items() if first["files"][path] != digest}
    assert changed == {"limits.json"}


def test_thresholds_come_from_a_gallery_without_its_people(
    changed_bundle: Change, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VISAVOX_DEVICE_KEY", "A" * 43 + "=")
    bundle, gallery = changed_bundle({}), tmp_path / "gallery.db"
    with Gallery.open(gallery, read_manifest(bundle), mode="create") as made:
        made.set_thresholds(THRESHOLDS)
    arguments = ["export-web", "--bundle", bundle, "--out", tmp_path / "out", "--gallery", gallery]
    assert main([*map(str, arguments), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["thresholds"] == {"trained": False, "enrolled": True}
    thresholds = json.loads((tmp_path / "out" / "limits.json").read_text())
    assert thresholds == msgspec.to_builtins(THRESHOLDS)


def test_mistakes_are_said_in_one_line(
    changed_bundle: Change, filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = changed_bundle({"certified": False})
    out = ["--out", str(tmp_path / "out")]
    assert main(["export-web", "--bundle", str(bundle), *out]) == 2
    assert main(["export-web", "--bundle", str(tmp_path / "none"), *out]) == 2
    assert main(["export-web", "--bundle", str(bundle), "--allow-uncertified",
                 "--out", str(bundle)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for line, words in zip(lines, ("not certified", "expected a bundle",
                                   "new or empty folder, or an earlier export"), strict=True):
        assert words in line
    assert not (tmp_path / "out").exists()


def test_a_fused_network_is_refused(
    changed_bundle: Change, filled: Path, tmp_path: Path
) -> None:
    bundle = changed_bundle({})
    files = read_manifest(bundle).files
    fused = changed_file(bundle, {"files": {"fused": msgspec.to_builtins(files["face"])}})
    with pytest.raises(BundleError, match="expected a pair"):
        export_web(fused, tmp_path / "out")


def changed_file(bundle: Path, changes: dict[str, Any]) -> Path:
    file = bundle / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return bundle


def test_without_the_packages_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "is_filled", lambda: False)
    with pytest.raises(UsageError, match="run 'make web'"):
        export_web(tmp_path, tmp_path / "out")


def test_without_npm_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="expected npm"):
        fetch.fill(tmp_path / "third_party")


@pytest.mark.parametrize("content, words", [
    ("echo no such package >&2; exit 1", "found none \\(no such package\\)"),
    ("echo other > core.tgz; echo core.tgz", "expected the pinned hash PlGmbMOq9WitX7")])
def test_what_npm_gives_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, words: str
) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n{content}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    with pytest.raises(VisavoxError, match=words):
        fetch.fill(tmp_path / "third_party")
    assert not (tmp_path / "third_party").exists()


def test_nothing_of_others_is_committed() -> None:
    found = subprocess.run(["git", "ls-files", fetch.FOLDER], cwd=PAGE, capture_output=True,
                           text=True, check=False)
    if found.returncode:
        pytest.skip("not a clone of the repository")
    assert found.stdout == ""


def test_dictionaries_say_the_same_things() -> None:
    assert LANGUAGES.keys() == {"en", "de"}
    assert LANGUAGES["de"].keys() == LANGUAGES["en"].keys()
    for key, text in LANGUAGES["en"].items():
        holes = set(re.findall(r"\{\w+\}", text))
        assert holes == set(re.findall(r"\{\w+\}", LANGUAGES["de"][key])), key


def test_every_text_that_is_shown_is_in_the_dictionary() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in PAGE.glob("*.[hj]*"))
    asked = set(re.findall(r'data-(?:text|label)="([^"]+)"|\btext\("([\w.]+)"', pages))
    assert {one or other for one, other in asked} <= LANGUAGES["en"].keys()
    words = set(re.findall(r'(?:expect\([^"{]*|new Trouble\()"(\w+)"', pages))
    codes = {f"trouble.{word}" for word in words}
    codes |= {f"reason.{word}" for word in get_args(Reason)}
    codes |= {f"flaw.{word}" for word in (*get_args(FaceReason), *get_args(VoiceReason))}
    # There is no webrtcvad in a browser.
    assert codes - {"flaw.too_little_speech"} <= LANGUAGES["en"].keys()


def test_the_page_asks_for_the_same_policy_as_its_headers() -> None:
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    # Only a header may say who may show a page in a frame.
    assert f"{policy}; frame-ancestors 'none'" == HEADERS["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
