"""What the rows of the table are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import UsageError
from edge_runtime.parser import did_you_mean
from train.models.registry import FAMILIES, Fused


@dataclass(frozen=True)
class Row:
    """One way of training one family.

    weights: what the convolutions start from, where the family takes any.
    """

    name: str
    family: str
    weights: str = "none"
    time_shift: bool = True

    @property
    def towers(self) -> str | None:
        """The row whose trained pair this one joins."""
        return FAMILIES[self.family].towers

    @property
    def frozen(self) -> bool:
        """Whether only a head is trained, on networks that stay as they are."""
        return self.towers is not None or self.weights != "none"

    def start(self, file: Path | None) -> str | None:
        """`weights` as a training takes them. file: holds ImageNet's, where it was named."""
        return None if self.weights == "none" else str(file or self.weights)

    @property
    def fusion(self) -> str:
        """Where the two modalities meet."""
        family = FAMILIES[self.family]
        return family.fusion if isinstance(family, Fused) else "scores"


# VGG16 as in the source experiment: from ImageNet, from scratch, with and without the time shift.
_VARIANTS = (
    Row("vgg16_no_shift", "vgg16", time_shift=False),
    Row("vgg16_imagenet", "vgg16", weights="imagenet"),
    Row("vgg16_imagenet_no_shift", "vgg16", weights="imagenet", time_shift=False),
)
ROWS: dict[str, Row] = {row.name: row for family in FAMILIES for row in (
    Row(family, family), *(variant for variant in _VARIANTS if variant.family == family))}


def rows_by_name(names: str) -> list[Row]:
    """`all`, or names with commas between them, in the table's order, with the pairs whose networks
    they join. UsageError for an unknown name."""
    chosen = set(ROWS) if names == "all" else {name.strip() for name in names.split(",")}
    if unknown := sorted(chosen - set(ROWS)):
        raise UsageError(f"unknown row '{unknown[0]}'{did_you_mean(unknown[0], ROWS)}, expected "
                         f"'all' or some of {', '.join(ROWS)}")
    towers = {ROWS[name].towers for name in chosen} - {None}
    return [row for row in ROWS.values() if row.name in chosen | towers]


def in_order(rows: Sequence[Row], cost: dict[str, float]) -> list[Row]:
    """Cheap rows first, but a pair before what joins it."""
    return sorted(rows, key=lambda row: (
        cost[row.towers] + 1e-6 if row.towers else cost[row.name], row.towers is not None,
        cost[row.name]))
