"""The bundle's manifest: everything needed to use it, in a strict schema.

Every key is required; what was not measured is an explicit null. No default is filled in on load,
so that a bundle never means something else on another version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from edge_runtime.errors import BundleError
from edge_runtime.files import read_text

FORMAT = 1
FILE_NAME = "manifest.json"
_ACCURACIES = ("face", "voice", "ensemble", "fused")

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """No unknown key, no missing key."""


class FaceContract(_Strict, frozen=True):
    """`face`: float32 [1, size, size, 3], RGB, 0 to 255."""

    size: Annotated[int, msgspec.Meta(ge=32, le=1024)]


class VoiceContract(_Strict, frozen=True):
    """`voice`: float32 [1, samples] at sample_rate Hz, -1 to 1."""

    samples: Annotated[int, msgspec.Meta(ge=1)]
    sample_rate: Annotated[int, msgspec.Meta(ge=1)]


class Inputs(_Strict, frozen=True):
    """The inputs that the networks take; null for one that none takes."""

    face: FaceContract | None
    voice: VoiceContract | None


class Scaling(_Strict, frozen=True):
    """Softmax temperature and weight of one modality: see edge_runtime/decision/similarity.py."""

    temperature: Annotated[float, msgspec.Meta(gt=0)]
    weight: Annotated[float, msgspec.Meta(ge=0)]


class ScoreScaling(_Strict, frozen=True):
    """Fitted on validation data."""

    face: Scaling
    voice: Scaling

    def __post_init__(self) -> None:
        if self.face.weight == self.voice.weight == 0:
            raise ValueError("expected a weight above 0 of face or voice, found 0 for both")


class RepresentativeSamples(_Strict, frozen=True):
    """What the ranges of a static recipe were measured on: training files drawn by seed.

    digest: SHA-256 of their paths, one per line. count: by modality.
    """

    seed: int
    digest: str
    count: dict[str, Count]


class TrainedThresholds(_Strict, frozen=True):
    """The least score at which the best person is named, by what there was to score."""

    face: Share
    voice: Share
    ensemble: Share
    false_accept_rate: Share
    false_accept_bound: Share


class NetworkFile(_Strict, frozen=True):
    """One `.tflite` file. max_abs_error is that of its scores against Keras on real inputs."""

    file: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    bytes: Count
    gzip_bytes: Count
    embedding_dim: Annotated[int, msgspec.Meta(ge=1)]
    xnnpack_partitions: Count | None
    max_abs_error: Annotated[float, msgspec.Meta(ge=0)] | None
    operations: dict[str, int]


class Accuracy(_Strict, frozen=True):
    """Accuracy of this recipe on all combinations of test faces and clips, with 95 % intervals over
    people. agreement: share of combinations on which it names the same person as Keras."""

    data: str
    data_digest: str
    synthetic: bool
    combinations: Count
    face: Share | None
    voice: Share | None
    ensemble: Share | None
    fused: Share | None
    interval: dict[str, tuple[float, float]]
    agreement: Share
    float32: dict[str, float]

    @property
    def columns(self) -> dict[str, float]:
        """What was measured, by column."""
        shares = {column: getattr(self, column) for column in _ACCURACIES}
        return {column: share for column, share in shares.items() if share is not None}


class Manifest(_Strict, frozen=True):
    """The contents of manifest.json. folded: whether norms and constant factors were folded into
    weights before. float32_layers: what the recipe `auto` left unquantized, by network."""

    format: int
    people: Annotated[list[str], msgspec.Meta(min_length=1)]
    inputs: Inputs
    family: str
    variant: str
    spec: dict[str, str | int | float | bool | list[str] | None]
    recipe: str
    folded: bool
    samples: RepresentativeSamples | None
    float32_layers: dict[str, list[str]] | None
    score_scaling: ScoreScaling | None
    thresholds: TrainedThresholds | None
    files: dict[str, NetworkFile]
    accuracy: Accuracy | None
    certified: bool
    reason: str
    warnings: list[str]
    interpreters: list[str]
    versions: dict[str, str]
    seed: int
    commit: str | None

    @property
    def remedy(self) -> str:
        return _remedy(self.recipe)


def _remedy(recipe: str = "RECIPE") -> str:
    return f"rebuild the bundle with 'python -m convert bundle RUN --recipe {recipe} --out BUNDLE'"


def read_manifest(folder: Path) -> Manifest:
    """Read and check <folder>/manifest.json. BundleError names the key at fault."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise BundleError(f"{folder}: expected a bundle (a folder with {FILE_NAME}), found none; "
                          "make one with 'python -m convert bundle'")
    try:
        content = msgspec.json.decode(read_text(path, "JSON", BundleError, _remedy()))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BundleError(f"{path}: expected JSON, found {error}; {_remedy()}") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise BundleError(f"{path}: expected format {FORMAT}, found {found}; {_remedy()}")
    try:
        return msgspec.convert(content, Manifest)
    except msgspec.ValidationError as error:
        raise BundleError(f"{path}: {error}; {_remedy()}") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write <folder>/manifest.json, as a whole or not at all."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    partial = folder / f".{FILE_NAME}.partial"
    partial.write_bytes(content + b"\n")
    partial.replace(folder / FILE_NAME)
