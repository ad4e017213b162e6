"""States, hints and decisions from looks that are handed over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.apps.kiosk.events import DecisionEvent, FaceAt, State
from edge_runtime.apps.kiosk.presence import HINTS, Presence, hint
from edge_runtime.capture.source import State as SourceState
from edge_runtime.capture.source import Status
from edge_runtime.decision.decide import Decision, Reason
from edge_runtime.decision.evidence import GONE_S, NOBODY_AFTER_S
from edge_runtime.decision.watch import Seen
from edge_runtime.signals.detection import Box
from edge_runtime.signals.face_quality import FaceReason, Flaw
from edge_runtime.signals.reader import Quality

FACE = FaceAt(0.4, 0.4, 0.6, 0.6)
NO_FACE: Quality = {"face": (Flaw("no_face", "no face was found"),)}
CAMERA = {"camera": Status("ok", "gives pictures")}


def judged(person: str | None, reason: Reason = "accepted") -> Decision:
    return Decision(person, reason, ("ann", "ben"), {"fused": np.array([0.25, 0.75], np.float32)})


def told(event: DecisionEvent) -> tuple[str | None, float | None, str]:
    message = event.message()
    return message["person"], message["confidence"], message["reason"]


def look(
    at_s: float, named: str | None = None, found: Decision | None = None,
    quality: Quality | None = None,
) -> Seen:
    return Seen(at_s, named, found, {"face": ()} if quality is None else quality, CAMERA,
                {"detect": 12.34567})


def test_somebody_comes_is_named_once_and_goes() -> None:
    presence = Presence()
    assert presence.update(look(0.0, quality=NO_FACE), None) is None
    assert presence.state == "idle"
    assert presence.update(look(1.0), FACE) is None
    assert (presence.state, presence.face) == ("looking", FACE)
    decided = presence.update(look(1.5, "ben", judged("ben")), FACE)
    assert decided is not None and presence.state == "known"
    assert told(decided) == ("ben", 0.75, "accepted")
    message = decided.message()
    assert message["scores"] == [{"person": "ben", "score": 0.75}, {"person": "ann", "score": 0.25}]
    assert message["ms"] == {"detect": 12.346}
    assert presence.update(look(1.8, "ben", judged("ben")), FACE) is None
    presence.update(look(1.9 + GONE_S, None, None, NO_FACE), None)
    assert (presence.state, presence.face) == ("idle", None)
    again = presence.update(look(4.0, "ben", judged("ben")), FACE)
    assert again is not None and again.decision.person == "ben"


@pytest.mark.parametrize("reason", ["below_threshold", "disagreement", "nobody_enrolled",
                                    "no_thresholds"])
def test_a_stranger_is_looked_at_for_a_while(reason: Reason) -> None:
    presence = Presence()
    for at_s in (0.0, 1.0, NOBODY_AFTER_S - 0.1):
        assert presence.update(look(at_s, None, judged(None, reason)), FACE) is None
        assert presence.state == "looking"
    decided = presence.update(look(NOBODY_AFTER_S, None, judged(None, reason)), FACE)
    assert decided is not None and presence.state == "nobody"
    assert told(decided) == (None, None, reason)
    assert presence.update(look(NOBODY_AFTER_S + 1, None, judged(None, reason)), FACE) is None


@pytest.mark.parametrize("state, there", [
    ("ok", "idle"), ("starting", "idle"), ("ended", "idle"), ("closed", "idle"),  # of a film, anew
    ("black", "listening"), ("stalled", "listening"), ("missing", "listening"),
    (None, "listening")])
def test_speech_without_a_face_is_of_somebody_only_where_nothing_is_seen(
    state: SourceState | None, there: State
) -> None:
    presence = Presence()
    status = {"camera": Status(state, "")} if state else {}
    presence.update(replace(look(0.0, quality={"voice": ()}), status=status), None)
    assert presence.state == there
    presence.update(look(0.1, quality={"face": (), "voice": ()}), FACE)
    assert presence.state == "listening"


def test_who_has_just_been_enrolled_is_no_stranger_meanwhile() -> None:
    """Whoever was looked at as a stranger, all through their enrolment."""
    presence = Presence()
    stranger = judged(None, "below_threshold")
    for at_s in (0.0, NOBODY_AFTER_S):
        presence.update(look(at_s, None, stranger), FACE)
    assert presence.state == "nobody"
    presence.untold()  # as during the enrolment
    assert presence.update(look(NOBODY_AFTER_S + 0.2, None, stranger), FACE) is None
    assert presence.state == "looking"
    decided = presence.update(look(NOBODY_AFTER_S + 0.4, "ben", judged("ben")), FACE)
    assert decided is not None and decided.decision.person == "ben"


def test_the_threshold_is_told() -> None:
    presence = Presence()
    decided = presence.update(look(0.0, "ben", replace(judged("ben"), threshold=0.5)), FACE)
    assert decided is not None and decided.message()["threshold"] == 0.5


def test_what_nobody_has_heard_is_told_again() -> None:
    presence = Presence()
    assert presence.update(look(0.0, "ben", judged("ben")), FACE)
    presence.untold()
    assert presence.update(look(0.1, "ben", judged("ben")), FACE)


def test_a_look_without_a_picture_leaves_the_face() -> None:
    presence = Presence()
    presence.update(look(0.0), FACE)
    presence.update(look(0.3, quality={}), None)
    assert presence.face == FACE
    presence.update(look(GONE_S, quality={}), None)
    assert presence.face is None and presence.state == "idle"


def test_the_worst_flaw_gives_the_hint() -> None:
    alone = Flaw("several_faces", "2 faces", refuses=False)
    assert hint((alone, Flaw("face_too_small", "small"))) == "closer"
    assert hint((alone,)) == "alone"
    assert hint(NO_FACE["face"]) is None and hint(()) is None and hint(None) is None
    reasons = set(FaceReason.__args__)  # type: ignore[attr-defined]
    assert reasons - set(HINTS) == {"no_face"}


def test_a_box_in_fractions_of_the_picture() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    assert FaceAt.of(Box(-20, 50, 100, 100), picture) == FaceAt(-0.1, 0.5, 0.4, 1.5)


def test_what_waits_to_be_told_holds_no_name_that_is_not() -> None:
    """Or somebody forgotten meanwhile would be kept in memory, among everybody else."""
    people = tuple(f"person {number}" for number in range(9))
    found = Decision("person 3", "accepted", people, {
        "fused": np.arange(9, dtype=np.float32)}, left_out=("person 0", "person 8"))
    event = Presence().update(look(0.0, "person 3", found), FACE)
    assert event is not None
    assert event.names == {"person 3", *people[4:]}
    assert event.decision.left_out == ("person 8",)
    assert event.decision.scores["fused"].tolist() == [8, 7, 6, 5, 4]
    assert told(event) == ("person 3", None, "accepted")
