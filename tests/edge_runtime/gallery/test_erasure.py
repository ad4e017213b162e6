"""Whatever is left of a marker is found, wherever it stands."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_runtime.gallery import erasure
from edge_runtime.gallery.erasure import files_beside, search_files

LEAST = 15  # bytes of a marker that are always found
MARKERS = [bytes(range(100, 116)), bytes(range(16, 90)), bytes(range(200, 255)) * 3]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), marker=st.sampled_from(MARKERS), before=st.integers(0, 150),
       after=st.integers(0, 150))
def test_a_piece_is_found_at_every_place(
    data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: bytes,
    before: int, after: int,
) -> None:
    start = data.draw(st.integers(0, len(marker) - LEAST))
    end = data.draw(st.integers(start + LEAST, len(marker)))
    monkeypatch.setattr(erasure, "_BLOCK", 64)  # so that pieces lie across the ends of blocks
    file = tmp_path / "file"
    file.write_bytes(bytes(before) + marker[start:end] + bytes(after))
    [found] = search_files([file], MARKERS)
    assert found.places >= 1 and found.bytes == before + end - start + after
    file.write_bytes(bytes(before + after))
    assert search_files([file], MARKERS)[0].places == 0


def test_random_bytes_are_no_marker(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(np.random.default_rng(0).bytes(1 << 20))
    assert [found.places for found in search_files([file], MARKERS)] == [0]


def test_empty_and_tiny_files(tmp_path: Path) -> None:
    for size in range(10):
        (tmp_path / "file").write_bytes(bytes(size))
        assert search_files([tmp_path / "file"], MARKERS)[0].places == 0


def test_which_files_are_searched(tmp_path: Path) -> None:
    names = ("gallery.db", "gallery.db-wal", "gallery.db-shm", "gallery.db-journal", "gallery.bak",
             "gallery-2026.db", "gallery.db~")
    for name in (*names, "notes.txt", "other.wav"):
        (tmp_path / name).write_text(name)
    copy = sqlite3.connect(tmp_path / "copy of anything")
    copy.execute("CREATE TABLE t (x)")
    copy.close()
    (tmp_path / "gallery").mkdir()
    found = {path.name for path in files_beside(tmp_path / "gallery.db")}
    assert found == {*names, "copy of anything"}
