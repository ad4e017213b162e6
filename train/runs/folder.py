"""The run folder: everything about one training, and the networks that came out of it.

    run.json            configuration, data, versions
    split.csv           which file was used for what
    face.weights.h5     best weights (voice.weights.h5 likewise)
    face.history.csv    loss, accuracy and throughput of each epoch (voice.history.csv likewise)
    curves.png          the same as a picture
    accuracy.json       accuracy per column with intervals, once evaluated; wrong.csv: the mistakes
    checkpoint/         what --resume goes on from
"""

from __future__ import annotations

import csv
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import keras

import edge_runtime
from edge_runtime.dataset.people import SPLIT_COLUMNS, People
from edge_runtime.errors import RunError, UsageError
from train.models.build import Spec, build_network, make_spec
from train.models.registry import Part
from train.strict_json import from_json, to_json

FORMAT = 1
IMAGENET = "imagenet"
Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a run is trained. Rates are per step, patience in epochs, clip_norm is of all gradients.

    voice_epochs: of the voice network of a pair; None for as many as the face network.
    weights: of the frozen convolutions, "imagenet" or a file; None where all layers train.
    init_from: the run, or for `import-weights` the checkpoint, that the networks started from;
    `init_digest` is the SHA-256 of its weights.
    """

    epochs: int = 80
    voice_epochs: int | None = None
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    warmup_epochs: int = 1
    patience: int = 25
    seed: int = 0
    noise: str | None = None
    time_shift: bool = True
    precision: Precision = "float32"
    cosface_margin: float = 0.35
    weights: str | None = None
    init_from: str | None = None
    init_digest: str | None = None

    def epochs_of(self, part: Part) -> int:
        """How long a network trains, at most."""
        return self.voice_epochs or self.epochs if part == "voice" else self.epochs

    @property
    def start(self) -> str:
        """What the networks' weights were before training, as tables say it."""
        if self.weights:
            name = self.weights if self.weights == IMAGENET else Path(self.weights).name
            return f"{name}, frozen"
        return f"from {Path(self.init_from).name}" if self.init_from else "from scratch"


@dataclass(frozen=True, kw_only=True)
class Data:
    """What a run was trained on. `digest` is over paths and contents of all files; `split_seed` is
    None where it is that of the training; `left_out` are people in the folder who were kept for
    later enrolment."""

    root: str
    digest: str
    synthetic: bool
    problems: list[str]
    split_seed: int | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    """The contents of run.json. Without `data` the networks are untrained, for latency only.

    wall_s: seconds that all epochs took, validation and those before a resume included; of networks
    that trained at the same time, the longer. None where training has not ended. commit: of the
    code; of a run that was resumed, at its last stint.
    """

    format: int
    spec: Spec
    training: Training
    data: Data | None
    versions: dict[str, str]
    commit: str | None
    wall_s: float | None

    @property
    def split_seed(self) -> int:
        """What the split was drawn by, as far as no split.csv gives it."""
        if self.data is None or self.data.split_seed is None:
            return self.training.seed
        return self.data.split_seed


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
    partial.write_bytes(to_json(run))
    partial.replace(path / "run.json")
    return RunFolder(path, run)


def load_run(path: Path) -> RunFolder:
    """Read a run folder; RunError if it is none or of another format."""
    file = path / "run.json"
    if not file.is_file():
        raise RunError(f"{path}: expected a run folder (with run.json), found none; make one with "
                       "'python -m train fit'")
    try:
        run = from_json(Run, file.read_bytes())
        make_spec(run.spec.family, run.spec.people, run.spec.image_size)
    except (ValueError, UsageError) as error:
        raise RunError(f"{file}: {error}; the run is damaged or of another version, train "
                       "again") from None
    if run.format != FORMAT:
        raise RunError(f"{file}: expected format {FORMAT}, found {run.format}; train again")
    return RunFolder(path, run)


def open_run(out: Path, run: Run, resume: bool) -> RunFolder:
    """Begin a run, or with `resume` go on with it. RunError where `out` holds another one."""
    if not (out / "run.json").is_file():
        left = {"run.json.partial"}  # of a run that was killed before it began
        if out.is_dir() and {path.name for path in out.iterdir()} - left:
            raise RunError(f"{out}: expected an empty or a new folder, found files; name another")
        return save_run(out, run)
    before = load_run(out).run
    if not resume:
        raise RunError(f"{out}: there is a run already; go on with --resume, or name another "
                       "folder")
    same = [(before.spec, run.spec), (before.training, run.training),
            (before.data and before.data.digest, run.data and run.data.digest)]
    for what, (old, new) in zip(("model", "training options", "data"), same, strict=True):
        if old != new:
            raise RunError(f"{out}: the {what} differ from those the run was begun with; resume "
                           "with the same ones, or name another folder")
    return RunFolder(out, run)


def init(spec: Spec, out: Path, seed: int) -> RunFolder:
    """A run folder of untrained networks: right in size and latency, at chance in accuracy."""
    networks = {part: draw_network(spec, part, seed) for part in spec.parts}
    return save_untrained(spec, out, Training(seed=seed), networks)


def draw_network(spec: Spec, part: Part, seed: int) -> keras.Model:
    """An untrained network."""
    keras.utils.set_random_seed(seed)
    return build_network(spec, part)


def save_untrained(
    spec: Spec, out: Path, training: Training, networks: Mapping[Part, keras.Model]
) -> RunFolder:
    """A run folder of networks that no people were shown to."""
    run = Run(format=FORMAT, spec=spec, training=training, data=None,
              versions=versions(), commit=git_commit(), wall_s=None)
    folder = open_run(out, run, resume=False)
    for part, network in networks.items():
        network.save_weights(folder.weights(part))
    return folder


def save_split(path: Path, people: People) -> None:
    """Record which file is used for what, drawn validation rows included."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SPLIT_COLUMNS)
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
