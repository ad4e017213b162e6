"""The shapes of requests and answers, as the OpenAPI page shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edge_runtime.apps.kiosk.events import State
from edge_runtime.enrolment.rules import RULES, Angle
from edge_runtime.files import MAX_CONSENT

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Problem(BaseModel):
    """What was expected, what was found, and what to do. reason: a word for it, where a client can
    do something about it (app.py, REASONS)."""

    detail: str
    reason: str | None = None


class SourceStatus(BaseModel):
    """present: whether the kiosk was started with one. state, message: as `visavox watch` says; of
    mqtt see home_assistant.py."""

    present: bool
    state: str | None
    message: str | None


class Status(BaseModel):
    """How the kiosk is. people: whom it can name."""

    state: State
    bundle: dict[str, Any]
    people: int
    enrolls: bool
    camera: SourceStatus
    microphone: SourceStatus
    mqtt: SourceStatus
    languages: list[str]
    version: str


class Health(BaseModel):
    """Whether the loop looks."""

    status: Literal["ok", "hangs"]


class Person(BaseModel):
    """Somebody enrolled: how many faces and clips of theirs, and when (UTC)."""

    person: str
    faces: int
    clips: int
    rejected: int
    consent: str | None
    enrolled: str


class People(BaseModel):
    people: list[Person]


class SearchedFile(BaseModel):
    file: str
    bytes: int


class Forgotten(BaseModel):
    """As `visavox forget --json`: markers of the person searched for in these files, none left."""

    person: str
    markers: int
    left: int
    searched: list[SearchedFile]


class NewEnrolment(BaseModel):
    """consent: the text that the person agreed to; it is kept encrypted with their name."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    consent: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONSENT)]


class Enrolling(BaseModel):
    """steps: what is to be taken, in this order."""

    name: str
    angles: list[str]
    sentences: int
    recorded_s: float


class FaceAngle(BaseModel):
    model_config = ConfigDict(extra="forbid")
    angle: Angle


class Sentence(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sentence: Annotated[int, Field(ge=1, le=RULES.wanted["kiosk"].clips)]


class Taken(BaseModel):
    """kept: whether it will do. reason: a word, message: a sentence, hint: as in views."""

    kept: bool
    reason: str | None
    message: str | None
    hint: str | None


class Finish(BaseModel):
    """allow_duplicate: enroll somebody who seems enrolled under another name."""

    model_config = ConfigDict(extra="forbid")
    allow_duplicate: bool = False


class Finished(BaseModel):
    """recognised: whether the person before the camera is now taken for who was enrolled; null
    where no good face was there."""

    person: str
    faces: int
    clips: int
    enrolled: str
    recognised: bool | None
    reason: str | None


class Cancelled(BaseModel):
    cancelled: bool


class Identified(BaseModel):
    """As `visavox identify --json`."""

    model_config = ConfigDict(extra="allow")
    person: str | None
    reason: str
    top: list[dict[str, Any]]
    ms: dict[str, float]
