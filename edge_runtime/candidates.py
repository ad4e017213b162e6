"""Whom a face and a voice may be of: what a gallery hands to a decision.

A value: the decision asks nothing of a gallery, and works with whatever else knows people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from edge_runtime.modalities import Modality
from edge_runtime.scoring import Scores
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
    """What `visavox thresholds` found for people enrolled; of those of the training the manifest
    has it.

    similarity: what turns cosines into log-odds. least: the log-odds from which on somebody is
    named; it, bounds and rates are by column. false_accept_rate: how many strangers were to get a
    name at most; false_accept_bound: what their share is below, with 95 % confidence; miss_rate:
    the share of enrolled people's probes that are then not named. people: how many were enrolled
    when this was measured: among more, more strangers get a name. equal_error_rate: None from a
    visavox that did not keep it."""

    similarity: Similarity = msgspec.field(name="odds")
    least: dict[str, float] = msgspec.field(name="thresholds")
    false_accept_rate: float
    false_accept_bound: dict[str, float]
    miss_rate: dict[str, float]
    people: int
    equal_error_rate: dict[str, float] | None = None


@dataclass(frozen=True)
class Candidates:
    """Everybody enrolled, and how alike each is to a face, a voice, or both.

    cosines: float32 [people] of each one's template by modality; NaN where they have none.
    rejected: the same of the most alike of the samples that are *not* this person; without a
    modality of which nobody has any. thresholds: None where none were measured.
    """

    names: Sequence[str]
    cosines: Mapping[Modality, Scores]
    rejected: Mapping[Modality, Scores] = field(default_factory=dict)
    thresholds: EnrolledThresholds | None = None


class Enrolled(Protocol):
    """Whoever knows people enrolled, such as a gallery."""

    def candidates(self, embeddings: Mapping[Modality, Scores]) -> Candidates:
        """By the embeddings [dim], of length 1, of a face, a voice, or both."""
