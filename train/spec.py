"""What a trained model is, frozen: enough to build its networks again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from edge_runtime.errors import UsageError
from train.models.registry import Part, family_of

Loss = Literal["softmax", "cosface"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
MAX_SCALE = 40.0  # beyond, the smallest scores fall below what float32 can tell from zero


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A family and its sizes. `people` are the names in the order of the scores.

    `loss` decides on the layer behind the scores; with cosface they are softmax(`cosface_scale` *
    cosine).
    """

    family: str
    people: tuple[str, ...]
    image_size: int = 128
    loss: Loss = "softmax"
    cosface_scale: float = 30.0

    @property
    def num_people(self) -> int:
        return len(self.people)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The networks of the model."""
        return family_of(self.family).parts


def make_spec(
    family: str, people: tuple[str, ...], image_size: int, loss: Loss = "softmax",
    cosface_scale: float = 30.0,
) -> Spec:
    """A checked spec; UsageError for an unknown family or a size or scale it cannot take."""
    multiple = family_of(family).multiple
    if image_size % multiple or not 32 <= image_size <= 1024:
        raise UsageError(f"image size {image_size}: {family} expects a multiple of {multiple} "
                         "up to 1024")
    if not 0 < cosface_scale <= MAX_SCALE:
        raise UsageError(f"--cosface-scale expects a number above 0 and up to {MAX_SCALE:g}, found "
                         f"{cosface_scale:g}")
    return Spec(family=family, people=people, image_size=image_size, loss=loss,
                cosface_scale=cosface_scale)
