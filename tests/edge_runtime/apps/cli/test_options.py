"""Options that would do nothing beside the others are refused before anything is opened."""

from __future__ import annotations

import pytest

from edge_runtime.apps.cli import main


@pytest.mark.parametrize(("line", "message"), [
    ("identify --face f.png --detector haar", "--detector does nothing without --picture"),
    ("identify --voice v.wav --yunet-model m", "--yunet-model does nothing without --picture"),
    ("identify --face f.png --key k", "--key does nothing without --gallery"),
    ("watch --microphone auto --detector haar", "--detector does nothing without --camera"),
    ("watch --camera 0 --key k", "--key does nothing without --gallery"),
    ("enroll Anna --gallery g --face f.png --faces 3", "--faces does nothing without --camera"),
    ("enroll Anna --gallery g --face f.png --faces 0", "--faces does nothing without --camera"),
    ("enroll Anna --gallery g --camera 0 --clips 3", "--clips does nothing without --microphone"),
    ("enroll Anna --gallery g --voice v.wav --seconds 3",
     "--seconds does nothing without --camera or --microphone"),
    ("enroll Anna --gallery g --microphone 0 --yunet-model m",
     "--yunet-model does nothing without --camera"),
    ("enroll Anna --gallery g --face f.png --detector haar",
     "--detector does nothing without --camera"),
    ("thresholds --people p --key k", "--key does nothing without --gallery"),
    ("export-web --out o --key k", "--key does nothing without --gallery"),
    ("kiosk --key k", "--key does nothing without --gallery")])
def test_what_does_nothing_is_refused(
    line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*line.split(), "--bundle", "nowhere"]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
