"""A gallery whose file was changed by hand or has no more room."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.gallery.refusing import refusal

SamplesOf = Callable[..., list[NewSample]]
EmbeddingsOf = Callable[..., npt.NDArray[np.float32]]


def test_a_changed_row_is_named(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf,
    embeddings_of: EmbeddingsOf,
) -> None:
    """Also where the owner has taken the gallery as it is."""
    gallery.enroll("Anna", samples_of(1))
    gallery.enroll("Ben", samples_of(2))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE samples SET embedding = (SELECT embedding FROM samples WHERE "
                           "id = 6) WHERE id = 1")  # Ben's face in the place of Anna's
        connection.commit()
    assert "samples changed without the device key" in refusal(
        lambda: Gallery.open(path, manifest, key_file))
    gallery.accept()
    with Gallery.open(path, manifest, key_file) as reader:  # the other has read it before
        message = refusal(lambda: reader.search("face", embeddings_of(1, 1)[0]))
    assert "'Anna' has a damaged template face; 'visavox forget' them" in message
    with closing(sqlite3.connect(path)) as connection:  # or the search finds Ben's bytes, as hers
        connection.execute("UPDATE samples SET embedding = randomblob(1308) WHERE id = 1")
        connection.commit()
    gallery.accept()
    gallery.forget("Anna")
    assert gallery.search("face", embeddings_of(2, 1)[0])[0].person == "Ben"


def test_a_changed_key_or_name_is_named(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf
) -> None:
    for column in ("wrapped_key", "name"):
        gallery.enroll(column, samples_of(len(column)))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"UPDATE people SET {column} = randomblob(60)")
            connection.commit()
        gallery.accept()
        with Gallery.open(path, manifest, key_file) as reader:
            assert "is damaged; put a copy of the gallery in its place" in refusal(reader.people)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("DELETE FROM people")
            connection.commit()
        gallery.accept()


def test_a_full_database_loses_nothing(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    database = gallery._records.database
    [(pages,)] = database.execute("PRAGMA page_count")
    database.execute(f"PRAGMA max_page_count = {pages + 2}")
    assert "the disk is full; make room" in refusal(
        lambda: gallery.enroll("Ben", samples_of(2, 20, 20)))
    assert [p.person for p in gallery.people()] == ["Anna"]
    with Gallery.open(path, manifest, key_file, mode="write") as other:
        other.enroll("Ben", samples_of(2, 20, 20))
        assert [e.event for e in other.audit()] == ["created", "enrolled", "enrolled"]
    assert [p.person for p in gallery.people()] == ["Anna", "Ben"]
