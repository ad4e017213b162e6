"""From when on two are taken for one person: what `visavox thresholds` leaves in a gallery."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edge_runtime.people import Modality
from edge_runtime.similarity import Similarity

FACE, VOICE, BOTH = "face", "voice", "both"
COLUMNS: dict[str, tuple[Modality, ...]] = {
    FACE: ("face",), VOICE: ("voice",), BOTH: ("face", "voice")}
"""What there may be to decide by."""


def column_of(modalities: Iterable[Modality]) -> str:
    """The key of COLUMNS."""
    found = set(modalities)
    return BOTH if len(found) > 1 else FACE if "face" in found else VOICE


class EnrolledThresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For people enrolled; those for people of the training are in the manifest.

    similarity: what turns cosines into log-odds. least: the log-odds from which on somebody is
    named; it, bounds and rates are by column.
    false_accept_rate: how many strangers were to get a name at most; false_accept_bound: what their
    share is below, with 95 % confidence; miss_rate: the share of enrolled people's probes that are
    then not named. people: how many were enrolled when this was measured: among more, more
    strangers get a name. equal_error_rate: None from a visavox that did not keep it."""

    similarity: Similarity = msgspec.field(name="odds")
    least: dict[str, float] = msgspec.field(name="thresholds")
    false_accept_rate: float
    false_accept_bound: dict[str, float]
    miss_rate: dict[str, float]
    people: int
    equal_error_rate: dict[str, float] | None = None
