"""How often samples are refused: shares of draws, and the table of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.recognition.agreement import COUNTS


def test_shares_of_one_person_and_of_two(
    small_bundles: dict[str, Path], others: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["agreement", str(small_bundles["float32"]), "--people", str(others), "--draws",
                 "20", "--allow-uncertified"]
    assert main([*arguments, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["people"], content["draws"]) == (6, 20)
    assert [(row["faces"], row["clips"]) for row in content["results"][::2]] == list(COUNTS)
    for row in content["results"]:
        for share in ("one_person", "one_of_another", "half_of_another"):
            assert 0 <= row[share] <= 1
    # Nothing is by chance: the same draws, and log-odds refuse what cosines do, and more.
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == content["results"]
    for cosines, fitted in zip(content["results"][::2], content["results"][1::2], strict=True):
        assert fitted["half_of_another"] >= cosines["half_of_another"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("fitted") == len(COUNTS)
