"""Fixtures that several tests share, and the rule that a skip is a failure under REQUIRE=all."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

# Before anything imports keras.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings

# A busy machine is no failure, and a failure found once has to come again everywhere.
settings.register_profile("visavox", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("visavox")

REQUIRE_ALL = os.environ.get("VISAVOX_REQUIRE") == "all"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_where_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_where_skipped(report)
    return report


def _fail_where_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if REQUIRE_ALL and report.outcome == "skipped":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"VISAVOX_REQUIRE=all takes a skip for a failure: {reason}"


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder that holds people30, kiosk95 and wild95."""
    root = os.environ.get("VISAVOX_DATA")
    if not root:
        pytest.skip("VISAVOX_DATA is not set: no real people")
    if not (Path(root) / "people30" / "split.csv").is_file():
        pytest.skip(f"VISAVOX_DATA is {root}: no people30/split.csv there")
    return Path(root)


@pytest.fixture(scope="session")
def small_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four synthetic people of 6 faces of 64 x 64 pixels and 4 clips each; only to be read."""
    from train.synthetic import make_people

    folder = tmp_path_factory.mktemp("synthetic") / "people"
    make_people(folder, 4, faces_per_person=6, clips_per_person=4, image_size=64)
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def voice_clip() -> npt.NDArray[Any]:
    """A synthetic sentence, float32 [samples] at 16 kHz."""
    from train.synthetic.voices import Speaker, speak

    return speak(Speaker.draw(np.random.default_rng(1)), np.random.default_rng(2))
