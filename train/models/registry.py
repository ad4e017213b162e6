"""Every model family by name. What is added here appears in tests, commands and tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from keras import KerasTensor

from edge_runtime.console.parser import did_you_mean
from edge_runtime.errors import UsageError
from train.models import fusion, mobilevit, vgg, vit

Part = Literal["face", "voice", "fused"]
"""One network of a model: a pair has a `face` and a `voice`, a fused model has one for both."""

Features = Callable[[KerasTensor], KerasTensor]
FusedFeatures = Callable[[KerasTensor, KerasTensor], KerasTensor]


@dataclass(frozen=True)
class Family:
    """What pairs and fused families have in common.

    multiple: what the sides of the picture have to be multiples of.
    towers: name of the pair family whose trained networks a fusion takes, frozen; None elsewhere.
    learning_rate: at its peak, where none is asked for.
    frozen_at: layer behind the convolutions that can be ImageNet's, frozen; None where none can.
    """

    name: str
    multiple: int
    description: str
    towers: str | None = None
    learning_rate: float = 2e-3
    frozen_at: str | None = None
    parts: ClassVar[tuple[Part, ...]] = ()


@dataclass(frozen=True, kw_only=True)
class Pair(Family):
    """Two networks of one kind, one for faces and one for voices.

    features: image or spectrogram [batch, height, width, channels] -> features [batch, dim].
    """

    features: Features
    parts: ClassVar[tuple[Part, ...]] = ("face", "voice")


@dataclass(frozen=True, kw_only=True)
class Fused(Family):
    """One network for both modalities.

    fusion: where and how the two meet. fused_features: image [batch, S, S, 3] and spectrogram
    [batch, frames, mels, 1] -> features [batch, dim].
    """

    fusion: str
    fused_features: FusedFeatures
    parts: ClassVar[tuple[Part, ...]] = ("fused",)


def _vit(image: KerasTensor) -> KerasTensor:
    return vit.vit(image, vit.PAIR)


def _vit_stacked(face: KerasTensor, spectrogram: KerasTensor) -> KerasTensor:
    return vit.vit(fusion.stacked(face, spectrogram), vit.PAIR, shifted=True)


def _mobilevit(name: str, size: mobilevit.Size, style: mobilevit.Style, text: str) -> Pair:
    return Pair(name, 64, text, features=lambda image: mobilevit.mobilevit(image, size, style))


def _join(pair: Pair, short_name: str, join: fusion.Join, head: fusion.Head,
          frozen: bool) -> Fused:
    def fused_features(face: KerasTensor, spectrogram: KerasTensor) -> KerasTensor:
        return fusion.joined(face, spectrogram, pair.features, join, head, frozen=frozen)

    kind, text = (("frozen", "two trained, frozen") if frozen else
                  ("joint", "two networks trained as one:"))
    return Fused(f"{short_name}_{kind}_{join}", pair.multiple, f"{text} {pair.name}, {join}, MLP",
                 pair.name if frozen else None, pair.learning_rate,
                 fusion=f"outputs, {kind}: {join}", fused_features=fused_features)


# Plain transformers and deep convolutions without batch norm diverge at MobileViT's rate.
_VIT_RATE, _VGG_RATE = 3e-4, 1e-4
_PATCH = vit.PAIR.patch_size
_JOINS: tuple[fusion.Join, ...] = ("add", "multiply", "concat")
_VIT = Pair("vit", _PATCH, "as in the paper, mean over tokens", learning_rate=_VIT_RATE,
            features=_vit)
_EDGE = _mobilevit("mobilevit_xxs_edge", mobilevit.XXS, mobilevit.EDGE,
                   "the same shape, made for the device")
_VIT_HEAD = fusion.Head((512, 256), "gelu")
_EDGE_HEAD = fusion.Head((320, 320), mobilevit.EDGE.activation)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in [
        Pair("vgg16", 32, "as in the paper, one hidden dense layer", learning_rate=_VGG_RATE,
             frozen_at="flatten", features=vgg.vgg16),
        _VIT,
        _mobilevit("mobilevit_xxs", mobilevit.XXS, mobilevit.PAPER, "as in the paper"),
        _EDGE,
        _mobilevit("mobilevit_xs", mobilevit.XS, mobilevit.PAPER, "as in the paper"),
        _mobilevit("mobilevit_s", mobilevit.S, mobilevit.PAPER, "as in the paper"),
        Fused("vit_stacked", _PATCH, "face and spectrogram as one picture, shifted patches",
              learning_rate=_VIT_RATE, fusion="input: stacked", fused_features=_vit_stacked),
        *(_join(_VIT, "vit", join, _VIT_HEAD, frozen)
          for frozen in (True, False) for join in _JOINS),
        Fused("vit_cross_attention", vit.TOWER.patch_size, "two ViTs mixed by cross-attention",
              learning_rate=_VIT_RATE, fusion="cross-attention",
              fused_features=fusion.vit_cross_attention),
        Fused("mobilevit_cross_attention", 64,
              "two MobileViT-XXS for the device mixed by cross-attention",
              fusion="cross-attention", fused_features=fusion.mobilevit_cross_attention),
        *(_join(_EDGE, "mobilevit_xxs_edge", join, _EDGE_HEAD, frozen=True) for join in _JOINS),
    ]
}


def family_of(name: str) -> Family:
    """The family by name; UsageError lists the known ones."""
    if name not in FAMILIES:
        raise UsageError(f"unknown model '{name}'{did_you_mean(name, FAMILIES)}, expected one of "
                         f"{', '.join(FAMILIES)}")
    return FAMILIES[name]


def pair_families() -> list[Pair]:
    """The families of two networks, in the registry's order."""
    return [family for family in FAMILIES.values() if isinstance(family, Pair)]
