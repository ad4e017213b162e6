"""What a gallery answers: who was found, who is enrolled, what was forgotten, what was logged."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from edge_runtime.gallery import audit
from edge_runtime.gallery.records import SIGNED, Signed
from edge_runtime.gallery.roster import Person


@dataclass(frozen=True)
class Match:
    """Somebody enrolled, and the cosine of their template with what was searched for."""

    person: str
    similarity: float


@dataclass(frozen=True)
class Summary:
    """Somebody enrolled: numbers of samples, and when they were enrolled (UTC)."""

    person: str
    faces: int
    clips: int
    rejected: int
    consent: str | None
    enrolled: str


@dataclass(frozen=True)
class AuditLine:
    """One entry of the audit log. subject: a person's random number in the log. person, consent:
    None where the entry is of nobody, or of somebody forgotten since."""

    number: int
    time: str
    event: str
    subject: str | None
    person: str | None
    consent: str | None
    counts: dict[str, int]


def audit_line(entry: audit.Entry, person: Person | None) -> AuditLine:
    """person: whom the entry is of, if they are still enrolled."""
    sealed = person and entry.sealed and person.vault.unseal(entry.sealed, SIGNED)
    signed = msgspec.json.decode(sealed, type=Signed) if sealed else None
    return AuditLine(entry.number, entry.time, entry.event,
                     entry.subject.hex() if entry.subject else None,
                     person.name if person else None, signed.consent if signed else None,
                     msgspec.json.decode(entry.counts, type=dict[str, int]))
