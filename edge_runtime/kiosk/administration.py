"""Routes for who has the token: people, enrolment, forgetting, uploads to be judged."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, File, HTTPException, Request, UploadFile

from edge_runtime.enrolment.guided import Taken
from edge_runtime.enrolment.rules import RULES
from edge_runtime.face import decode_picture
from edge_runtime.kiosk import answers
from edge_runtime.kiosk.access import TokenRoute, service_of
from edge_runtime.kiosk.presence import hint
from edge_runtime.photograph import decode_face
from edge_runtime.voice import decode_clip

Problem = {"model": answers.Problem}
router = APIRouter(
    prefix="/api", tags=["administration"], route_class=TokenRoute,
    responses=dict.fromkeys((400, 401, 403, 409, 422, 429), Problem))
Upload = Annotated[UploadFile | None, File()]


@router.get("/people", summary="Everybody enrolled")
def people(request: Request) -> answers.People:
    return answers.People(people=[answers.Person(**asdict(person))
                                  for person in service_of(request).station.people()])


@router.delete("/people/{name}", summary="Forget somebody, with the proof")
def forget(request: Request, name: str) -> answers.Forgotten:
    found = service_of(request).enrolment.forget(name)
    return answers.Forgotten(person=found.person, markers=found.markers, left=0, searched=[
        answers.SearchedFile(file=str(file.path), bytes=file.bytes) for file in found.searched])


@router.post("/enrolment", summary="Begin to enroll somebody", status_code=201)
def begin(request: Request, new: answers.NewEnrolment) -> answers.Enrolling:
    enrolment = service_of(request).enrolment
    return answers.Enrolling(
        name=enrolment.begin(new.name, new.consent), angles=list(RULES.angles),
        sentences=RULES.wanted["kiosk"].clips, recorded_s=enrolment.recorded_s)


@router.post("/enrolment/face", summary="Take the face that is before the camera")
def take_face(request: Request, wanted: answers.FaceAngle) -> answers.Taken:
    return _answer(service_of(request).enrolment.face(wanted.angle))


@router.post("/enrolment/voice", summary="Record a sentence; answers when it is recorded")
def take_voice(request: Request, wanted: answers.Sentence) -> answers.Taken:
    return _answer(service_of(request).enrolment.voice(wanted.sentence))


def _answer(found: Taken) -> answers.Taken:
    return answers.Taken(kept=found.kept, reason=found.reason, message=found.message,
                         hint=hint(found.flaws))


@router.post("/enrolment/finish", summary="Keep who was enrolled, and look at them again")
def finish(request: Request, wanted: answers.Finish | None = None) -> answers.Finished:
    found = service_of(request).enrolment.finish(
        allow_duplicate=bool(wanted and wanted.allow_duplicate))
    return answers.Finished(**asdict(found))


@router.delete("/enrolment", summary="Cancel; nothing is kept, or 409: too late")
def cancel(request: Request) -> answers.Cancelled:
    return answers.Cancelled(cancelled=service_of(request).enrolment.cancel())


@router.post("/identify", summary="Who is it? A picture or a crop of a face, a clip, or both",
             responses={413: Problem, 408: Problem})
def identify(
    request: Request, picture: Upload = None, face: Upload = None, voice: Upload = None
) -> answers.Identified:
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
    return answers.Identified(**decision.content())
