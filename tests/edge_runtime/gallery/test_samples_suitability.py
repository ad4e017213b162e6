"""A network that does not tell new people apart enrolls nobody, unless it is told to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_runtime.apps.cli import main
from edge_runtime.bundle.manifest import Manifest
from edge_runtime.decision.decide import BOTH, COLUMNS
from edge_runtime.doctor.bundles import GALLERY_CHECKS
from edge_runtime.doctor.machine import Machine
from edge_runtime.evaluation.open_set import OpenSet
from edge_runtime.gallery.samples import NewSample, unsuited
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.gallery.refusing import refusal
from tests.edge_runtime.gallery.test_audit_altered import THRESHOLDS

SamplesOf = Callable[..., list[NewSample]]
Change = Callable[[dict[str, Any]], Path]


@pytest.fixture
def synthetic(manifest: Manifest) -> Manifest:
    assert manifest.accuracy
    return msgspec.structs.replace(
        manifest, accuracy=msgspec.structs.replace(manifest.accuracy, synthetic=True))


def test_a_bundle_of_synthetic_people(
    path: Path, key_file: Path, synthetic: Manifest, samples_of: SamplesOf
) -> None:
    with Gallery.open(path, synthetic, key_file, mode="create") as gallery:
        message = refusal(lambda: gallery.enroll("Anna", samples_of(1)))
        assert "was trained on synthetic people" in message and "with --force" in message
        assert gallery.people() == [] and gallery.forced() is None
    with Gallery.open(path, synthetic, key_file, mode="create", force=True) as gallery:
        gallery.enroll("Anna", samples_of(1))
    with Gallery.open(path, synthetic, key_file, mode="write") as gallery:  # it is remembered
        gallery.enroll("Ben", samples_of(2))
        assert [e.event for e in gallery.audit()] == ["created", "forced", "enrolled", "enrolled"]
    [check] = [check for check in GALLERY_CHECKS if check.name == "gallery"]
    [said] = check.look(Machine(gallery=path, key=key_file))
    assert "2 enrolled, by --force: the network does not tell new people apart" in said.found


@pytest.mark.parametrize(("rate", "fits"), [(0.61, False), (0.26, False), (0.25, True),
                                            (0.02, True)])
def test_an_equal_error_rate_that_was_kept(
    gallery: Gallery, samples_of: SamplesOf, rate: float, fits: bool
) -> None:
    rates = dict.fromkeys(COLUMNS, 0.5) | {BOTH: rate}
    gallery.set_thresholds(msgspec.structs.replace(THRESHOLDS, equal_error_rate=rates))
    if not fits:
        assert f"(EER {100 * rate:.0f} %, at most 25 % is expected)" in refusal(
            lambda: gallery.enroll("Anna", samples_of(1)))
        gallery.force()
    gallery.enroll("Anna", samples_of(1))
    assert (gallery.forced() is None) is fits


def test_where_nothing_is_known_nothing_is_refused(manifest: Manifest) -> None:
    assert unsuited(None, None) is None
    assert unsuited(manifest, THRESHOLDS) is None  # of a visavox that kept no rate
    assert unsuited(msgspec.structs.replace(manifest, accuracy=None), None) is None


def test_thresholds_keeps_nothing_of_such_a_network(
    changed_bundle: Change, others: Path, tmp_path: Path, manifest: Manifest,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(OpenSet, "equal_error_rate", lambda found: 0.61)
    bundle = changed_bundle({"accuracy": msgspec.to_builtins(manifest.accuracy)})
    arguments = ["thresholds", "--bundle", str(bundle), "--people", str(others),
                 "--false-accept-rate", "0.6", "--gallery", str(tmp_path / "gallery.db"), "--key",
                 str(tmp_path / "device.key")]
    assert main(arguments) == 2
    assert "EER 61 %" in capsys.readouterr().err
    with Gallery.open(tmp_path / "gallery.db", key_file=tmp_path / "device.key") as gallery:
        assert gallery.thresholds() is None and gallery.forced() is None
    assert main([*arguments, "--force"]) == 0
    with Gallery.open(tmp_path / "gallery.db", key_file=tmp_path / "device.key") as gallery:
        assert gallery.thresholds() is not None and gallery.forced() is not None
    assert main(arguments) == 0
