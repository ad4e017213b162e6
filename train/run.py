"""The run folder: everything about one training, and the networks that came out of it.

    run.json            configuration, data, versions
    split.csv           which file was used for what
    face.weights.h5     best weights (voice.weights.h5 likewise)
    face.history.csv    loss and accuracy of each epoch (voice.history.csv likewise)
    curves.png          the same as a picture
    accuracy.json       accuracy per column with intervals, once evaluated; wrong.csv: the mistakes
    checkpoint/         what --resume goes on from
"""

from __future__ import annotations

import csv
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import keras
import msgspec

import edge_runtime
from edge_runtime.errors import RunError
from edge_runtime.people import COLUMNS, People
from train.models.build import build_network
from train.models.registry import Part
from train.spec import Spec

FORMAT = 1
IMAGENET = "imagenet"


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a run is trained. Rates are per step, patience in epochs.

    weights: of the frozen convolutions, "imagenet" or a file; None where all layers train.
    init_from: the run, or for `import-weights` the checkpoint, that the networks started from;
    `init_digest` is the SHA-256 of its weights.
    """

    epochs: int = 50
    batch_size: int = 16
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    warmup_epochs: int = 1
    patience: int = 15
    seed: int = 0
    noise: str | None = None
    time_shift: bool = True
    cosface_margin: float = 0.35
    weights: str | None = None
    init_from: str | None = None
    init_digest: str | None = None

    @property
    def start(self) -> str:
        """What the networks' weights were before training, as tables say it."""
        if self.weights:
            name = self.weights if self.weights == IMAGENET else Path(self.weights).name
            return f"{name}, frozen"
        return f"from {Path(self.init_from).name}" if self.init_from else "from scratch"


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a run was trained on. `digest` is over paths and contents of all files.

    left_out: people in the folder who were kept for later enrolment.
    """

    root: str
    digest: str
    synthetic: bool
    problems: list[str]
    left_out: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of run.json. Without `data` the networks are untrained, for latency only."""

    format: int
    spec: Spec
    training: Training
    data: Data | None
    versions: dict[str, str]
    commit: str | None
    wall_s: float | None


@dataclass(frozen=True)
class RunFolder:
    """A run folder on disk."""

    path: Path
    run: Run

    def weights(self, part: Part) -> Path:
        return self.path / f"{part}.weights.h5"

    def load_network(self, part: Part) -> keras.Model:
        """Build one network and give it its trained weights. RunError where that fails."""
        network = build_network(self.run.spec, part)
        try:
            network.load_weights(self.weights(part))
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{self.weights(part)}: the weights are missing, damaged or of "
                           f"another model ({_first_line(error)}); train again") from None
        return network


def save_run(path: Path, run: Run) -> RunFolder:
    """Write run.json, in one step."""
    path.mkdir(parents=True, exist_ok=True)
    partial = path / "run.json.partial"
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
    partial.replace(path / "run.json")
    return RunFolder(path, run)


def load_run(path: Path) -> RunFolder:
    """Read a run folder; RunError if it is none or of another format."""
    file = path / "run.json"
    if not file.is_file():
        raise RunError(f"{path}: expected a run folder (with run.json), found none; make one with "
                       "'python -m train fit'")
    try:
        run = msgspec.json.decode(file.read_bytes(), type=Run)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{file}: {error}; the run is damaged or of another version, train "
                       "again") from None
    if run.format != FORMAT:
        raise RunError(f"{file}: expected format {FORMAT}, found {run.format}; train again")
    return RunFolder(path, run)


def save_split(path: Path, people: People) -> None:
    """Record which file is used for what, drawn validation rows included."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([s.path, s.person, s.modality, s.split] for s in people.samples)


def versions() -> dict[str, str]:
    """What a result hangs on."""
    names = ("keras", "numpy", keras.backend.backend())
    return {"visavox": edge_runtime.__version__, "python": platform.python_version(),
            "backend": keras.backend.backend(),
            **{name: metadata.version(name) for name in names}}


def git_commit() -> str | None:
    """The checkout's commit, with a + where files differ from it; None outside of a checkout."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True,
                                text=True, check=True).stdout.strip()
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=here,
                                 capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + "+" * bool(changed)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["unreadable"])[0]
