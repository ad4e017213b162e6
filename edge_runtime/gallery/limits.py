"""From when on two are taken for one person: what `visavox thresholds` leaves in a gallery."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edge_runtime.people import Modality
from edge_runtime.similarity import LogOdds, Similarity

FACE, VOICE, BOTH = "face", "voice", "both"
COLUMNS: dict[str, tuple[Modality, ...]] = {
    FACE: ("face",), VOICE: ("voice",), BOTH: ("face", "voice")}
"""What there may be to decide by."""


def column_of(modalities: Iterable[Modality]) -> str:
    """The key of COLUMNS."""
    found = set(modalities)
    return BOTH if len(found) > 1 else FACE if "face" in found else VOICE


class Odds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See edge_runtime/similarity.py."""

    scale: dict[Modality, float]
    offset: float


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """odds, thresholds (log-odds) and bounds by column. false_accept_rate: how many strangers were
    to get a name at most; false_accept_bound: what their share is below, with 95 % confidence;
    miss_rate: the share of enrolled people's probes that are then not named. people: how many were
    enrolled when this was measured: among more, more strangers get a name. equal_error_rate: None
    from a visavox that did not keep it."""

    odds: dict[str, Odds]
    thresholds: dict[str, float]
    false_accept_rate: float
    false_accept_bound: dict[str, float]
    miss_rate: dict[str, float]
    people: int
    equal_error_rate: dict[str, float] | None = None

    @property
    def similarity(self) -> Similarity:
        face, voice, both = (LogOdds(self.odds[c].scale, self.odds[c].offset) for c in COLUMNS)
        return Similarity(face, voice, both)
