"""Who is it, or nobody, and why: among the people of the training, or among those enrolled.

A gallery hands over candidates (names, similarities, rejected samples, thresholds) as a value. A
decision asks nothing of a gallery, and works with whatever else knows people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.decision.scoring import Scores, fuse
from edge_runtime.decision.similarity import PLAIN, Similarity
from edge_runtime.modalities import MODALITIES, Modality
from edge_runtime.signals.reader import Quality

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

    names: tuple[str, ...]
    cosines: Mapping[Modality, Scores]
    rejected: Mapping[Modality, Scores] = field(default_factory=dict)
    thresholds: EnrolledThresholds | None = None


class Enrolled(Protocol):
    """Whoever knows people enrolled, such as a gallery."""

    def candidates(self, embeddings: Mapping[Modality, Scores]) -> Candidates:
        """By the embeddings [dim], of length 1, of a face, a voice, or both."""


Reason = Literal["accepted", "below_threshold", "no_thresholds", "disagreement", "nobody_enrolled"]


@dataclass(frozen=True)
class Ranked:
    """A person and their fused score."""

    person: str
    score: float


@dataclass(frozen=True)
class Decision:
    """Who, or nobody, and why.

    person: None for nobody, and without thresholds (reason `no_thresholds`), so that `top` ranks
    people but nobody is named or refused. people: in the order of the scores. scores: [people] by
    modality and `fused`. left_out: enrolled people whom a "not this person" sample speaks against.
    threshold: the fused score from which on somebody is named, and false_accept_rate the share of
    strangers who reach it at most; None where there is none. num_top: how many `top` has.

    By whoever ran the networks: ms: milliseconds of each stage. interpreter: what ran them.
    quality: what is wrong with the face and the voice that were given; None for a voice where
    webrtcvad is missing. used: the modalities decided by.
    """

    person: str | None
    reason: Reason
    people: tuple[str, ...]
    scores: Mapping[str, Scores]
    left_out: tuple[str, ...] = ()
    threshold: float | None = None
    false_accept_rate: float | None = None
    num_top: int = 5
    ms: Mapping[str, float] = field(default_factory=dict)
    interpreter: str = ""
    quality: Quality = field(default_factory=dict)
    used: tuple[str, ...] = ()

    @cached_property
    def top(self) -> tuple[Ranked, ...]:
        """Those of the highest fused score, the best first."""
        return tuple(Ranked(self.people[i], float(self.scores["fused"][i])) for i in self._best())

    def of_top(self) -> Decision:
        """The same of nobody but `top`: to be told, or kept, without everybody else's name."""
        rows = self._best()
        people = tuple(self.people[i] for i in rows)
        return replace(self, people=people,
                       scores={part: known[rows] for part, known in self.scores.items()},
                       left_out=tuple(name for name in self.left_out if name in people))

    def scores_of(self, person: str) -> dict[str, float | None]:
        """By modality; None for one that the person is not enrolled by."""
        place = self.people.index(person)
        found = {m: float(self.scores[m][place]) for m in MODALITIES if m in self.scores}
        return {m: None if np.isnan(score) else round(score, 6) for m, score in found.items()}

    def content(self) -> dict[str, Any]:
        """What `visavox identify --json` prints."""
        return {"person": self.person, "reason": self.reason,
                "threshold": self.threshold, "false_accept_rate": self.false_accept_rate,
                "top": [{"person": r.person, "score": round(r.score, 6),
                         "scores": self.scores_of(r.person)} for r in self.top],
                "ms": {stage: round(ms, 3) for stage, ms in self.ms.items()},
                "left_out": list(self.left_out), "interpreter": self.interpreter,
                "quality": {part: flaws and [asdict(flaw) for flaw in flaws]
                            for part, flaws in self.quality.items()}}

    def _best(self) -> npt.NDArray[np.intp]:
        return np.argsort(-self.scores["fused"], kind="stable")[:self.num_top]


def among_trained(manifest: Manifest, scores: Mapping[str, Scores]) -> Decision:
    """By the networks' scores [people] of each modality, or of a fused network."""
    fused = scores.get("fused")
    if fused is None:
        fused = fuse(scores.get("face"), scores.get("voice"), manifest.score_scaling)
    known = dict(scores) | {"fused": fused}
    people, thresholds = tuple(manifest.people), manifest.thresholds
    if thresholds is None:
        return Decision(None, "no_thresholds", people, known)
    if "face" in scores and "voice" not in scores:
        least = thresholds.face
    elif "voice" in scores and "face" not in scores:
        least = thresholds.voice
    else:
        least = thresholds.ensemble
    best, rate = int(np.argmax(fused)), thresholds.false_accept_rate
    if fused[best] < least:
        return Decision(None, "below_threshold", people, known, (), least, rate)
    return Decision(people[best], "accepted", people, known, (), least, rate)


def among_enrolled(found: Candidates, doubtful: Collection[Modality] = ()) -> Decision:
    """By how alike people enrolled are. doubtful: what speaks for people, and against nobody whom
    the other speaks for.

    Scores by modality are cosines; the fused ones are how likely it is each person, were that as
    likely as not before, and without thresholds the mean cosine.
    """
    names, cosines, thresholds = found.names, found.cosines, found.thresholds
    rate = thresholds.false_accept_rate if thresholds else None
    if not names:
        return Decision(None, "nobody_enrolled", names, {"fused": np.empty(0, np.float32)},
                        false_accept_rate=rate)
    similarity = thresholds.similarity if thresholds else PLAIN
    sure = [m for m in cosines if m not in doubtful]
    odds = similarity.log_odds(cosines, contradict=sure if thresholds else ())
    left_out = _leave_out_rejected(found, odds)
    # Whom nothing speaks for has the least score there is: no JSON knows minus infinity.
    fused = 1 / (1 + np.exp(-odds)) if thresholds else np.maximum(odds, -1.0)
    scores: dict[str, Scores] = {m: known for m, known in cosines.items()}
    scores["fused"] = fused.astype(np.float32)
    if thresholds is None:
        return Decision(None, "no_thresholds", names, scores, left_out)
    best = int(np.argmax(odds))
    # Who is enrolled by one modality alone is judged by it alone.
    there = [m for m, known in cosines.items() if not np.isnan(known[best])]
    least = thresholds.least[column_of(there or cosines)]
    reason = _judged(float(odds[best]), least, cosines, sure, similarity)
    return Decision(names[best] if reason == "accepted" else None, reason, names, scores, left_out,
                    float(1 / (1 + np.exp(-least))), rate)


def _judged(
    odds: float, least: float, cosines: Mapping[Modality, Scores], sure: Collection[Modality],
    similarity: Similarity,
) -> Reason:
    if odds >= least:
        return "accepted"
    disagree = len(sure) > 1 and similarity.disagreement({m: cosines[m] for m in sure})
    return "disagreement" if disagree else "below_threshold"


def _leave_out_rejected(found: Candidates, odds: npt.NDArray[np.float64]) -> tuple[str, ...]:
    """Takes people out of the odds, the most alike first, whose "not this person" sample is more
    like what was given than they are."""
    left_out: list[str] = []
    while np.isfinite(odds.max()):
        best = int(np.argmax(odds))
        if not any(not np.isnan(alike[best]) and not alike[best] <= found.cosines[modality][best]
                   for modality, alike in found.rejected.items()):
            break
        odds[best] = -np.inf
        left_out.append(found.names[best])
    return tuple(left_out)
