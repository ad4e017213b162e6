"""Routes for who has the token: people, enrolment, forgetting, uploads to be judged."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, File, HTTPException, Request, UploadFile

from edge_runtime.apps.kiosk import schemas
from edge_runtime.apps.kiosk.access import TokenRoute, service_of
from edge_runtime.apps.kiosk.presence import hint
from edge_runtime.enrolment.guided import Taken
from edge_runtime.enrolment.rules import RULES
from edge_runtime.signals.face import decode_face, decode_picture
from edge_runtime.signals.voice import decode_clip

Problem = {"model": schemas.Problem}
router = APIRouter(
    prefix="/api", tags=["administration"], route_class=TokenRoute,
    responses=dict.fromkeys((400, 401, 403, 409, 422, 429), Problem))
Upload = Annotated[UploadFile | None, File()]


@router.get("/people", summary="Everybody enrolled")
def people(request: Request) -> schemas.People:
    return schemas.People(people=[schemas.Person(**asdict(person))
                                  for person in service_of(request).station.people()])


@router.delete("/people/{name}", summary="Forget somebody, with the proof")
def forget(request: Request, name: str) -> schemas.Forgotten:
    found = service_of(request).enrolment.forget(name)
    return schemas.Forgotten(person=found.person, markers=found.markers, left=0, searched=[
        schemas.SearchedFile(file=str(file.path), bytes=file.bytes) for file in found.searched])


@router.post("/enrolment", summary="Begin to enroll somebody", status_code=201)
def begin(request: Request, new: schemas.NewEnrolment) -> schemas.Enrolling:
    enrolment = service_of(request).enrolment
    return schemas.Enrolling(
        name=enrolment.begin(new.name, new.consent), angles=list(RULES.angles),
        sentences=RULES.wanted["kiosk"].clips, recorded_s=enrolment.recorded_s)


@router.post("/enrolment/face", summary="Take the face that is before the camera")
def take_face(request: Request, wanted: schemas.FaceAngle) -> schemas.Taken:
    return _answer(service_of(request).enrolment.face(wanted.angle))


@router.post("/enrolment/voice", summary="Record a sentence; answers when it is recorded")
def take_voice(request: Request, wanted: schemas.Sentence) -> schemas.Taken:
    return _answer(service_of(request).enrolment.voice(wanted.sentence))


def _answer(found: Taken) -> schemas.Taken:
    return schemas.Taken(kept=found.kept, reason=found.reason, message=found.message,
                         hint=hint(found.flaws))


@router.post("/enrolment/finish", summary="Keep who was enrolled, and look at them again")
def finish(request: Request, wanted: schemas.Finish | None = None) -> schemas.Finished:
    found = service_of(request).enrolment.finish(
        allow_duplicate=bool(wanted and wanted.allow_duplicate))
    return schemas.Finished(**asdict(found))


@router.delete("/enrolment", summary="Cancel; nothing is kept, or 409: too late")
def cancel(request: Request) -> schemas.Cancelled:
    return schemas.Cancelled(cancelled=service_of(request).enrolment.cancel())


@router.post("/identify", summary="Who is it? A picture or a crop of a face, a clip, or both",
             responses={413: Problem, 408: Problem})
def identify(
    request: Request, picture: Upload = None, face: Upload = None, voice: Upload = None
) -> schemas.Identified:
    if picture is not None and face is not None:
        raise HTTPException(400, "expected a picture or a face, found both")
    service = service_of(request)
    start_s = time.perf_counter()
    given: dict[str, Any] = {
        name: decode(upload.file, f"the {name}")
        for name, upload, decode in (("picture", picture, decode_picture),
                                     ("face", face, decode_face)) if upload is not None}
    if voice is not None:
        given["voice"] = decode_clip(voice.file, "the voice")
    decision = service.station.identify(**given)
    service.metrics.identify_seconds.observe(time.perf_counter() - start_s)
    service.metrics.identified.labels(decision.reason).inc()
    return schemas.Identified(**decision.content())
