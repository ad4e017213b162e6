"""Fixtures that several tests share, and the rule that a skip is a failure under REQUIRE=all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before anything imports keras.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if "PYTEST_XDIST_WORKER" in os.environ:  # a process a core
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")

import numpy as np
import numpy.typing as npt
import pytest
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from train.runs.folder import RunFolder

# A busy machine is no failure, and a failure found once has to come again everywhere.
settings.register_profile("visavox", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("visavox")

ROOT = Path(__file__).parent.parent
SMALL_EXAMPLES, SMALL_EPOCHS = 96, 2  # of the one training that many tests share

Shared = Callable[[str, Callable[[Path], object]], Path]

REQUIRE_ALL = os.environ.get("VISAVOX_REQUIRE") == "all"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests first, so that no process is left alone with one at the end; of those
    that need a shared training one first of all and the others late, so that none waits for it.
    """
    long = {item.path for item in items if item.get_closest_marker("slow")}
    small_run, walked = ({item.path for item in items if name in getattr(item, "fixturenames", ())}
                         for name in ("small_run", "walked_through"))
    first = next((item.path for item in items if item.path in long & small_run), None)
    late = small_run | (walked - long)
    items.sort(key=lambda item: (item.path != first, item.path not in long, item.path in late))


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


@pytest.fixture(autouse=True)
def settings_stay() -> Generator[None, None, None]:
    """A test that leaves a setting behind decides how another in its process ends."""
    before = {name: value for name, value in os.environ.items() if name.startswith("VISAVOX_")}
    yield
    after = {name: value for name, value in os.environ.items() if name.startswith("VISAVOX_")}
    assert after == before, "the test leaves another environment"


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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """A folder by its name, made once, by whichever of the test processes needs it first."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def made_once(name: str, make: Callable[[Path], object]) -> Path:
        with FileLock(root / f"{name}.lock"):
            if not (done := root / f"{name}.done").is_file():
                make(root / name)
                done.touch()
        return root / name

    return made_once


@pytest.fixture(scope="session")
def small_people(shared: Shared) -> Path:
    """Four synthetic people of 6 faces of 64 x 64 pixels and 4 clips each; only to be read."""
    from train.synthetic import make_people

    return shared("people", lambda folder: make_people(
        folder, 4, faces_per_person=6, clips_per_person=4, image_size=64))


@pytest.fixture(scope="session")
def walked_through(shared: Shared) -> Path:
    """What the tutorial's walk-through leaves: people, run, bundle; only to be read."""
    from tests.walk_through import walk

    return shared("walk_through", walk)


@pytest.fixture(scope="session")
def others(shared: Shared) -> Path:
    """Six synthetic people whom `small_run` has not seen, of 8 faces and clips each; only to be
    read."""
    from train.synthetic import make_people

    def make(folder: Path) -> None:
        make_people(folder, 6, seed=7, faces_per_person=8, clips_per_person=8, image_size=64)
        for person in folder.glob("synthetic_*"):
            person.rename(folder / person.name.replace("synthetic", "other"))
        table = folder / "split.csv"
        table.write_text(table.read_text().replace("synthetic", "other"))

    return shared("others", make)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def voice_clip() -> npt.NDArray[Any]:
    """A synthetic sentence, float32 [samples] at 16 kHz."""
    from train.synthetic.voices import Speaker, speak

    return speak(Speaker.draw(np.random.default_rng(1)), np.random.default_rng(2))


@pytest.fixture(scope="session")
def small_run(small_people: Path, shared: Shared) -> RunFolder:
    """A real training on `small_people`, its epochs cut short; only to be read."""
    from edge_runtime.dataset.people import index_people
    from train.data import read_data
    from train.models.build import make_spec
    from train.runs.folder import Training, load_run
    from train.training.fit import fit

    def train(out: Path) -> None:
        people = index_people(small_people)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("train.training.examples.MIN_EXAMPLES", SMALL_EXAMPLES)
            fit(read_data(small_people, 64, seed=0),
                make_spec("mobilevit_xxs_edge", people.names, 64),
                Training(epochs=SMALL_EPOCHS, batch_size=8, learning_rate=4e-3), out)

    return load_run(shared("small_run", train))


@pytest.fixture(scope="session")
def small_bundles(small_run: RunFolder, small_people: Path, shared: Shared) -> dict[str, Path]:
    """Bundles of `small_run` by recipe; only to be read."""
    from convert import bundle, prepare
    from convert.graph import export
    from edge_runtime.dataset.collection import read_collection
    from edge_runtime.dataset.people import index_people

    def convert(out: Path) -> None:
        collection = read_collection(index_people(small_people), 64)
        exported: dict[str, bytes] = {}  # ten seconds each, the same for every recipe

        def export_once(network: Any) -> bytes:
            if network.name not in exported:
                exported[network.name] = export.export_float32(network)
            return exported[network.name]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(prepare, "export_float32", export_once)
            for recipe in ("float32", "dynamic_wi8", "mixed_wi8"):
                bundle.make_bundle(small_run, recipe, out / "litert" / recipe, collection)
            bundle.make_bundle(small_run, "mixed_wi8", out / "tflite-2.14", collection,
                               runtime="tflite-2.14")

    bundles = shared("bundles", convert)
    return {path.name: path for path in sorted((bundles / "litert").iterdir())}


@pytest.fixture(scope="session")
def old_runtime_bundle(small_bundles: dict[str, Path]) -> Path:
    """`small_run` by mixed_wi8 for tflite-runtime 2.14; only to be read."""
    return small_bundles["mixed_wi8"].parent.parent / "tflite-2.14"


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python *arguments` in the root of the clone, as a user would."""
    def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, timeout=600,
                              env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
                              text=True, check=False)

    return run


@pytest.fixture
def run_train(
    capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m train *arguments` in this process, which has imported Keras already: that
    takes a new one five seconds."""
    from train.cli import main

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        code = main(list(map(str, arguments)))
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, printed.out, printed.err)

    return run


@pytest.fixture
def changed_bundle(
    small_bundles: dict[str, Path], tmp_path: Path
) -> Callable[[dict[str, Any]], Path]:
    """A copy of the float32 bundle, certified, with keys of its manifest changed by hand."""
    def change(changes: dict[str, Any]) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(small_bundles["float32"], folder)
        file = folder / "manifest.json"
        manifest = json.loads(file.read_text()) | {"certified": True} | changes
        file.write_text(json.dumps(manifest))
        return folder

    return change
