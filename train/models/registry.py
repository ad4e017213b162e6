"""Every model family by name. What is added here appears in tests, commands and tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras import KerasTensor

from edge_runtime.errors import UsageError
from train.models import mobilevit


@dataclass(frozen=True)
class Family:
    """A pair of networks of one kind, one for faces and one for voices.

    features: image or spectrogram [batch, height, width, channels] -> features [batch, dim].
    multiple: what the sides of the picture have to be multiples of.
    """

    name: str
    features: Callable[[KerasTensor], KerasTensor]
    multiple: int
    description: str


def _mobilevit(name: str, size: mobilevit.Size, style: mobilevit.Style, text: str) -> Family:
    return Family(name, lambda image: mobilevit.mobilevit(image, size, style), 64, text)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in [
        _mobilevit("mobilevit_xxs", mobilevit.XXS, mobilevit.PAPER, "as in the paper"),
        _mobilevit("mobilevit_xxs_edge", mobilevit.XXS, mobilevit.EDGE,
                   "the same shape, made for the device"),
    ]
}


def family_of(name: str) -> Family:
    """The family by name; UsageError lists the known ones."""
    if name not in FAMILIES:
        raise UsageError(f"unknown model '{name}', expected one of {', '.join(FAMILIES)}")
    return FAMILIES[name]
