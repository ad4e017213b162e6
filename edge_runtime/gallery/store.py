"""The gallery: people enrolled on this device, in one SQLite file, encrypted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import msgspec
import numpy as np

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.decision.decide import Candidates, EnrolledThresholds
from edge_runtime.errors import DuplicateError, GalleryError, NameTakenError
from edge_runtime.files import checked_consent, checked_name, shown
from edge_runtime.gallery import audit
from edge_runtime.gallery.audit import altered
from edge_runtime.gallery.entries import AuditLine, Match, Summary, audit_line
from edge_runtime.gallery.erasure import Forgotten, forget
from edge_runtime.gallery.export import Carried, Imported, carried_out, carry_in, write_export
from edge_runtime.gallery.opening import Mode, open_records
from edge_runtime.gallery.records import Records, sample_counts
from edge_runtime.gallery.roster import Embeddings
from edge_runtime.gallery.samples import (
    SAME_PERSON_COSINE,
    NewSample,
    check_agreement,
    check_counts,
    check_embeddings,
    most_alike,
    refuse,
    unsuited,
)
from edge_runtime.modalities import MODALITIES, Modality

__all__ = ["Gallery", "Mode"]


class Gallery:
    """Enrolled people. An object serves one thread at a time; processes may share a file."""

    def __init__(self, records: Records) -> None:
        self.path = records.database.path
        self._records = records

    @classmethod
    def open(
        cls, path: str | Path, manifest: Manifest | None = None,
        key_file: str | Path | None = None,
        *, mode: Mode = "read", force: bool = False,
    ) -> Gallery:
        """Open the gallery at `path` with the device key (see keys.py).

        manifest: of the bundle whose networks give the embeddings; without it nothing can be
        enrolled, rejected or imported. mode: `read`; `write`, which first deletes rejected samples
        that are too old; `create`, which also makes a missing gallery, and a missing key for it;
        `audit`, which opens one that somebody altered, too. force: people are enrolled by any
        network (see samples.py), now and later. Raises GalleryError for a missing,
        damaged, altered or busy file, a wrong key and another bundle.
        """
        return cls(open_records(Path(path), manifest, Path(key_file) if key_file else None, mode,
                                force=force))

    def close(self) -> None:
        """Close the file."""
        self._records.database.close()

    def __enter__(self) -> Gallery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def force(self) -> None:
        """Enroll by a network that is not meant for it (see samples.py), now and later."""
        self._records.force()

    def forced(self) -> str | None:
        """Since when people are enrolled by a network that is not meant for it; None if it is."""
        return self._records.forced()

    def enroll(
        self, name: str, samples: Sequence[NewSample], *, consent: str | None = None,
        allow_duplicate: bool = False,
    ) -> Summary:
        """Enroll somebody from 1 to 20 faces, clips or both: all of them, or nothing.

        Raises GalleryError for an unfit name, samples that do not agree, a name that is taken, a
        bundle that does not tell new people apart, where nobody forced it, and, unless
        `allow_duplicate`, somebody who seems enrolled under another name.
        """
        name, consent = checked_name(name), checked_consent(consent)
        self._check(samples)
        thresholds = self.thresholds()
        if (why := unsuited(self._records.manifest, thresholds)) and not self.forced():
            raise refuse(why)
        check_agreement(samples, thresholds.similarity if thresholds else None)
        counts = sample_counts(samples)
        with self._records.writing():
            self.check_free(name)
            enrolled = self._records.now()
            twin = None if allow_duplicate else most_alike(self._records.roster, samples)
            if twin:
                raise DuplicateError(
                    f"{shown(name)} seems to be enrolled already as {shown(twin.name)} (cosine "
                    f"{twin.similarity:.2f}, from {SAME_PERSON_COSINE:.2f} on two are taken for "
                    "one person); repeat with --allow-duplicate where they are two people")
            person = self._records.add_person("enrolled", name, consent, enrolled, counts)
            self._records.add_samples(person, "template", samples, enrolled)
        return Summary(name, counts["faces"], counts["clips"], 0, consent, enrolled)

    def check_free(self, name: str) -> None:
        """NameTakenError where somebody is enrolled under the name."""
        if self._records.roster.find(name):
            raise NameTakenError(f"{shown(name)} is enrolled already; 'visavox forget' them first, "
                                 "or choose another name")

    def reject(self, name: str, samples: Sequence[NewSample]) -> None:
        """Keep samples that are *not* this person, for 30 days."""
        self._check(samples)
        with self._records.writing():
            person = self._records.find(name)
            self._records.add_samples(person, "rejected", samples, self._records.now())
            audit.append(self._records.database, self._records.device, "rejected",
                         subject=person.subject, counts=sample_counts(samples))

    def _check(self, samples: Sequence[NewSample]) -> None:
        check_counts([sample.modality for sample in samples])
        check_embeddings(samples, self._records.networks())

    def people(self) -> list[Summary]:
        """Everybody enrolled, in the order in which they were."""
        summaries = []
        with self._records.database.snapshot():
            self._records.roster.check()
            counted = self._records.counts()
            for person in self._records.roster.people().values():
                counts = counted[person.id]
                summaries.append(Summary(
                    person.name, counts["template", "face"], counts["template", "voice"],
                    counts["rejected", "face"] + counts["rejected", "voice"],
                    self._records.consent(person), person.enrolled))
        return summaries

    def search(self, modality: Modality, embedding: Embeddings, num_top: int = 5) -> list[Match]:
        """The people whose template is most like an embedding [dim] of length 1, best first."""
        index = self._records.roster.index(modality)
        people = self._records.roster.people()
        return [Match(people[person].name, similarity)
                for person, similarity in (index.best(embedding, num_top) if index else [])]

    def candidates(self, embeddings: Mapping[Modality, Embeddings]) -> Candidates:
        """Everybody, for a decision by the embeddings [dim], of length 1, of a face, a voice, or
        both."""
        roster = self._records.roster
        with self._records.database.snapshot():  # or somebody may come or go in between
            people, thresholds = roster.people(), self.thresholds()
            indices = {m: roster.index(m) for m in embeddings}
            samples = {m: found for m, found in roster.rejected().items() if m in embeddings}
        row = {person: i for i, person in enumerate(people)}
        cosines, rejected = ({m: np.full(len(people), np.nan, np.float32) for m in known}
                             for known in (embeddings, samples))
        for modality, index in indices.items():
            if index:
                order, alike = index.cosines(embeddings[modality])
                cosines[modality][[row[person] for person in order]] = alike
        for modality, known in samples.items():
            np.fmax.at(rejected[modality], [row[person] for person in known.people],
                       known.embeddings @ embeddings[modality])
        return Candidates(tuple(person.name for person in people.values()), cosines, rejected,
                          thresholds)

    def templates(self) -> tuple[list[str], dict[Modality, Embeddings]]:
        """The names of everybody, and by modality their templates [people, dim], of length 1; NaN
        where they have none."""
        people = self._records.roster.people()
        row = {person: i for i, person in enumerate(people)}
        found: dict[Modality, Embeddings] = {}
        for modality in MODALITIES:
            if index := self._records.roster.index(modality):
                order, templates = index.templates()
                found[modality] = np.full((len(people), templates.shape[1]), np.nan, np.float32)
                found[modality][[row[person] for person in order]] = templates
        return [person.name for person in people.values()], found

    def thresholds(self) -> EnrolledThresholds | None:
        """What `visavox thresholds` found; None before."""
        self._records.roster.check()
        return self._records.thresholds()

    def set_thresholds(self, thresholds: EnrolledThresholds) -> None:
        """Decide by these from now on."""
        with self._records.writing():
            self._records.database.execute(
                "INSERT OR REPLACE INTO limits (id, content) VALUES (1, ?)",
                msgspec.json.encode(thresholds).decode())
            audit.append(self._records.database, self._records.device, "thresholds")

    def rejected(self, name: str, modality: Modality) -> Embeddings:
        """Embeddings that are not this person, float32 [n, dim]; [0, 0] where there is none."""
        return self._records.roster.embeddings(self._records.find(name), "rejected", modality)

    def forget(self, name: str) -> Forgotten:
        """Destroy a person's key and rows, and search the files beside, and this device's other
        galleries, for what may be left.

        Raises GalleryError before anything is changed where another program is reading, and
        afterwards where a file, such as a backup, or another gallery still holds something of
        theirs.
        """
        return forget(self._records, name)

    def audit(self) -> list[AuditLine]:
        """The audit log. GalleryError names the first entry that was changed, removed or moved, or
        else what was changed without the device key, or that the file is an older copy."""
        database, device = self._records.database, self._records.device
        known = self._records.known.find(self.path)  # before others go on with the file
        with database.snapshot():
            entries = audit.verified_entries(database, device)
            audit.check_contents(database, device)
            database.check_indices()
            if not self._records.goes_on_from(known):
                raise altered(database, "it is an older copy of itself: what was done since is "
                                        "undone, people forgotten are back")
            people = {p.subject: p for p in self._records.roster.people().values()}
        return [audit_line(entry, people.get(entry.subject or b"")) for entry in entries]

    def accept(self) -> int:
        """Take the gallery as somebody left it, from now on. How many entries of the audit log are
        lost: all of them where it does not hold."""
        database, device = self._records.database, self._records.device
        with database.transaction():
            try:
                audit.verified_entries(database, device)
                lost = 0
            except GalleryError:
                lost = audit.begin_anew(database, device)
            audit.append(database, device, "accepted", counts={"entries lost": lost})
            head = audit.seal(database, device)
        self._records.remember(head)
        self._records.roster.reopened()
        return lost

    def export_file(self, file: Path, passphrase: str) -> int:
        """Write everybody into a new encrypted file; how many they are."""
        written = False
        try:
            with self._records.writing():
                content = carried_out(self._records, file)
                write_export(file, content, passphrase)
                written = True
        except BaseException:
            if written:  # but not noted in the audit log
                file.unlink()
            raise
        return len(content.people)

    def import_people(
        self, content: Carried, source: Path | None = None, *, allow_duplicate: bool = False
    ) -> Imported:
        """Add everybody whom an export holds (see envelope.read_export), but for duplicates: all
        or nothing. source: its file. GalleryError where it is of another bundle."""
        with self._records.writing():
            return carry_in(self._records, content, source, allow_duplicate=allow_duplicate)
