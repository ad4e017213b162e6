"""What a trained model is, frozen: enough to build its networks again."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.errors import UsageError
from train.models.registry import Part, family_of


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A family and its sizes. `people` are the names in the order of the scores."""

    family: str
    people: tuple[str, ...]
    image_size: int = 128

    @property
    def num_people(self) -> int:
        return len(self.people)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The networks of the model."""
        return family_of(self.family).parts


def make_spec(family: str, people: tuple[str, ...], image_size: int) -> Spec:
    """A checked spec; UsageError for an unknown family or an image size it cannot take."""
    multiple = family_of(family).multiple
    if image_size % multiple or not 32 <= image_size <= 1024:
        raise UsageError(f"image size {image_size}: {family} expects a multiple of {multiple} "
                         "up to 1024")
    return Spec(family=family, people=people, image_size=image_size)
