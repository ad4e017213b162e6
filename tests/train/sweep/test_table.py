"""The table: means over seeds, reasons, score, Pareto front."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from train.sweep.plan import RESULT, ROWS, Settings
from train.sweep.table import content_of, markdown, pareto_front, write_tables

EDGE, CROSS, VIT = (ROWS[name] for name in ("mobilevit_xxs_edge", "mobilevit_cross_attention",
                                            "vit"))


def accuracy(fused: float | None = None, **shares: float) -> dict[str, Any]:
    columns = ("voice", "face", "ensemble", "product", "scaled")
    known = {column: shares.get(column) for column in columns} | {"fused": fused}
    return {"accuracy": known, "pairs": 10,
            "interval": {c: [v - 0.1, v] for c, v in known.items() if v is not None}}


def save(settings: Settings, name: str, seed: int, test: dict[str, Any], **more: Any) -> None:
    folder = settings.folder(name, seed)
    folder.mkdir(parents=True)
    result = {"seed": seed, "parameters": 2_000_000, "epochs": 8, "commit": "abc", "data": "people",
              "data_digest": "d", "synthetic": True, "wall_s": 60.0, "train": test, "test": test,
              "noisy": None} | more
    (folder / RESULT).write_text(json.dumps(result))


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    settings = Settings(tmp_path, tmp_path, snr_db=5)
    for seed, voice in enumerate((0.8, 0.9)):
        test = accuracy(voice=voice, face=0.9, ensemble=0.95, product=0.94, scaled=0.96)
        save(settings, EDGE.name, seed, test, noisy=test)
    save(settings, CROSS.name, 0, accuracy(fused=0.9), parameters=20_000_000)
    return content_of(settings, [EDGE, CROSS, VIT], 2, {VIT.name: "not run (no GPU): too long"})


def test_rows_are_means_over_seeds(content: dict[str, Any]) -> None:
    edge, cross, vit = content["rows"]
    assert edge["test"]["voice"] == pytest.approx(0.85)
    assert edge["test_spread"]["voice"] == pytest.approx(0.05)
    assert edge["seeds"] == [0, 1] and edge["wall_s"] == 120 and edge["reason"] is None
    assert edge["test"]["fused"] is None and edge["noisy"]["ensemble"] == pytest.approx(0.95)
    assert cross["test"]["fused"] == 0.9 and cross["test"]["voice"] is None
    assert cross["test_spread"] is None and cross["noisy"] is None
    assert (vit["test"], vit["score"]) == (None, None)
    assert vit["reason"] == "not run (no GPU): too long"
    assert content["synthetic"] is True


def test_the_score_weighs_accuracy_against_parameters(content: dict[str, Any]) -> None:
    edge, cross, _ = content["rows"]
    assert edge["score"] == pytest.approx(95 - 5 * 0.30103, abs=1e-3)
    assert cross["score"] == pytest.approx(90 - 5 * 1.30103, abs=1e-3)


def test_markdown_names_data_and_reasons(content: dict[str, Any]) -> None:
    text = markdown(content)
    assert "on people, synthetic people." in text
    assert "85.0 ± 5.0 / 85.0 ± 5.0" in text and "90.0 / 90.0" in text
    assert "with noise at 5 dB SNR" in text
    assert "- vit: not run (no GPU): too long" in text
    assert text.count("| vit ") == 2 and "not run" in text


def test_files(content: dict[str, Any], tmp_path: Path) -> None:
    write_tables(tmp_path, content)
    assert json.loads((tmp_path / "sweep.json").read_text()) == content
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_done_yet(tmp_path: Path) -> None:
    content = content_of(Settings(tmp_path, tmp_path), [EDGE], 1, {})
    assert content["rows"][0]["reason"] == "not run yet" and content["data"] is None
    write_tables(tmp_path, content)
    assert not (tmp_path / "pareto.png").exists()


def test_pareto_front() -> None:
    points = [(2.0, 90.0), (1.0, 80.0), (3.0, 85.0), (2.0, 70.0), (40.0, 95.0)]
    assert pareto_front(points) == [(1.0, 80.0), (2.0, 90.0), (40.0, 95.0)]
