"""People carried to another device, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.gallery.export import read_export
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.gallery.refusing import refusal, with_networks

SamplesOf = Callable[..., list[NewSample]]
EmbeddingsOf = Callable[..., npt.NDArray[np.float32]]
PASSPHRASE = "correct horse"


@pytest.fixture
def other(tmp_path: Path, manifest: Manifest) -> Gallery:
    """An empty gallery on another device, with a key of its own."""
    return Gallery.open(tmp_path / "other.db", manifest, tmp_path / "other.key", mode="create")


def test_everybody_arrives(
    gallery: Gallery, other: Gallery, tmp_path: Path, samples_of: SamplesOf,
    embeddings_of: EmbeddingsOf,
) -> None:
    for seed in range(3):
        gallery.enroll(f"person {seed}", samples_of(seed, 3, seed), consent="yes" * seed or None)
    gallery.reject("person 1", samples_of(9, 2, 1))
    file = tmp_path / "people.export"
    assert gallery.export_file(file, PASSPHRASE) == 3
    assert gallery.audit()[-1].counts == {"people": 3}
    found = other.import_people(read_export(file, PASSPHRASE))
    assert found.people == ("person 0", "person 1", "person 2") and found.skipped == {}
    assert other.people() == gallery.people()
    assert other.search("face", embeddings_of(2, 1)[0]) == gallery.search(
        "face", embeddings_of(2, 1)[0])
    np.testing.assert_array_equal(other.rejected("person 1", "face"),
                                  gallery.rejected("person 1", "face"))
    assert [e.event for e in other.audit()] == ["created", *["imported"] * 3]
    again = other.import_people(read_export(file, PASSPHRASE))
    assert again.people == () and len(again.skipped) == 3


def test_duplicates_are_reported(
    gallery: Gallery, other: Gallery, tmp_path: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2))
    gallery.enroll("Cleo", samples_of(3))
    other.enroll("ANNA", samples_of(7))
    other.enroll("Benjamin", samples_of(2))
    file = tmp_path / "people.export"
    gallery.export_file(file, PASSPHRASE)
    found = other.import_people(read_export(file, PASSPHRASE))
    assert found.people == ("Cleo",)
    assert found.skipped["Anna"] == "the name is enrolled already"
    assert "seems to be enrolled already as 'Benjamin'" in found.skipped["Ben"]
    found = other.import_people(read_export(file, PASSPHRASE), allow_duplicate=True)
    assert found.people == ("Ben",)


def test_old_rejected_samples_stay_behind(
    gallery: Gallery, other: Gallery, tmp_path: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    gallery.reject("Anna", samples_of(2, 2, 0))
    file = tmp_path / "people.export"
    gallery.export_file(file, PASSPHRASE)
    content = read_export(file, PASSPHRASE)
    old = [msgspec.structs.replace(sample, added="2026-01-01T00:00:00+00:00")
           if sample.kind == "rejected" else sample for sample in content.people[0].samples]
    other.import_people(msgspec.structs.replace(
        content, people=[msgspec.structs.replace(content.people[0], samples=old)]))
    assert other.people()[0].rejected == 0
    assert other.rejected("Anna", "face").size == 0


def test_an_export_of_another_bundle(
    gallery: Gallery, tmp_path: Path, manifest: Manifest, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    file = tmp_path / "people.export"
    gallery.export_file(file, PASSPHRASE)
    foreign = with_networks(manifest, voice="1" * 64)
    with Gallery.open(tmp_path / "other.db", foreign, tmp_path / "k", mode="create") as other:
        assert "the export is of another bundle" in refusal(
            lambda: other.import_people(read_export(file, PASSPHRASE)))
        assert other.people() == []


def test_an_import_is_all_or_nothing(
    gallery: Gallery, other: Gallery, tmp_path: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2))
    file = tmp_path / "people.export"
    gallery.export_file(file, PASSPHRASE)
    content = read_export(file, PASSPHRASE)
    for field, value in (("name", "a/b"), ("samples", []), ("consent", "")):
        people = [content.people[0], msgspec.structs.replace(content.people[1], **{field: value})]
        refusal(lambda people=people: other.import_people(
            msgspec.structs.replace(content, people=people)))
        assert other.people() == [] and len(other.audit()) == 1
    for embedding in (b"", b"123", bytes(1280), np.ones(319, "<f4").tobytes()):
        sample = msgspec.structs.replace(content.people[1].samples[0], embedding=embedding)
        people = [content.people[0],
                  msgspec.structs.replace(content.people[1], samples=[sample])]
        refusal(lambda people=people: other.import_people(
            msgspec.structs.replace(content, people=people)))
        assert other.people() == []


def test_names_that_another_version_took_are_left_behind(
    gallery: Gallery, other: Gallery, tmp_path: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2))
    file = tmp_path / "people.export"
    gallery.export_file(file, PASSPHRASE)
    content = read_export(file, PASSPHRASE)
    people = [msgspec.structs.replace(content.people[0], name="Unknown"), *content.people[1:]]
    found = other.import_people(msgspec.structs.replace(content, people=people))
    assert found.people == ("Ben",)
    assert "stands for nobody" in found.skipped["Unknown"]
