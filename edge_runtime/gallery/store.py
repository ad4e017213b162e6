"""The gallery: people enrolled on this device, in one SQLite file, encrypted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

import msgspec
import numpy as np

from edge_runtime.errors import DuplicateError, GalleryError, NameTakenError
from edge_runtime.gallery import audit
from edge_runtime.gallery.answers import AuditLine, Forgotten, Match, Summary, audit_line
from edge_runtime.gallery.carrying import Imported, carried_out, carry_in
from edge_runtime.gallery.clock import now
from edge_runtime.gallery.database import Database, create_database
from edge_runtime.gallery.device_key import device_key
from edge_runtime.gallery.duplicates import SAME_PERSON_COSINE, most_alike
from edge_runtime.gallery.envelope import Carried, write_export
from edge_runtime.gallery.erasure import files_beside, search_files
from edge_runtime.gallery.limits import Limits
from edge_runtime.gallery.records import KEY_CHECK, Records, sample_counts
from edge_runtime.gallery.samples import (
    NewSample,
    check_agreement,
    check_counts,
    check_embeddings,
)
from edge_runtime.gallery.search import Embeddings
from edge_runtime.gallery.vault import Vault
from edge_runtime.manifest import Manifest
from edge_runtime.names import checked_consent, checked_name, shown
from edge_runtime.people import MODALITIES, Modality

Mode = Literal["read", "write", "create"]


class Gallery:
    """Enrolled people. An object serves one thread at a time; processes may share a file."""

    def __init__(self, records: Records) -> None:
        self.path = records.database.path
        self._records = records

    @classmethod
    def open(
        cls, path: Path, manifest: Manifest | None = None, key_file: Path | None = None,
        *, mode: Mode = "read",
    ) -> Gallery:
        """Open the gallery at `path` with the device key (see device_key.py).

        manifest: of the bundle whose networks give the embeddings; without it nothing can be
        enrolled, rejected or imported. mode: `read`; `write`, which first deletes rejected samples
        that are too old; `create`, which also makes a missing gallery, and a missing key for it.
        Raises GalleryError for a missing, damaged or busy file, a wrong key and another bundle.
        """
        new = not path.exists()
        if new and mode != "create":
            raise GalleryError(f"{path}: expected a gallery, found no file; enroll somebody first "
                               "with 'visavox enroll'")
        if not new and (not path.is_file() or path.stat().st_size == 0):
            found = "an empty file" if path.is_file() else "a folder"
            raise GalleryError(f"{path}: expected a gallery, found {found}; put a copy in its "
                               "place, or name a file that does not exist yet")
        if new:
            first = Vault(device_key(key_file, create=True))
            create_database(path, lambda database: _fill(database, first))
        database = Database(path, writable=mode != "read")
        try:
            records = Records(database, Vault(device_key(key_file)), manifest)
            _check_key(records)
            records.check_networks()
            if mode != "read":
                records.delete_expired()
        except BaseException:
            database.close()
            raise
        return cls(records)

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

    def enroll(
        self, name: str, samples: Sequence[NewSample], *, consent: str | None = None,
        allow_duplicate: bool = False,
    ) -> Summary:
        """Enroll somebody from 1 to 20 faces, clips or both: all of them, or nothing.

        Raises GalleryError for an unfit name, samples that do not agree, a name that is taken,
        and, unless `allow_duplicate`, somebody who seems enrolled under another name.
        """
        name, consent = checked_name(name), checked_consent(consent)
        self._check(samples)
        check_agreement(samples)
        counts, enrolled = sample_counts(samples), now()
        with self._records.writing():
            self.check_free(name)
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
            self._records.add_samples(person, "rejected", samples, now())
            audit.append(self._records.database, self._records.device, "rejected",
                         subject=person.subject, counts=sample_counts(samples))

    def _check(self, samples: Sequence[NewSample]) -> None:
        check_counts([sample.modality for sample in samples])
        check_embeddings(samples, self._records.networks())

    def people(self) -> list[Summary]:
        """Everybody enrolled, in the order in which they were."""
        summaries = []
        with self._records.database.snapshot():
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

    def cosines(
        self, embeddings: Mapping[Modality, Embeddings]
    ) -> tuple[list[str], dict[Modality, Embeddings]]:
        """The names of everybody, and by modality the cosine [people] of each one's template with
        an embedding [dim] of length 1; NaN where they have none."""
        people = self._records.roster.people()
        row = {person: i for i, person in enumerate(people)}
        found: dict[Modality, Embeddings] = {}
        for modality, embedding in embeddings.items():
            found[modality] = np.full(len(people), np.nan, np.float32)
            if index := self._records.roster.index(modality):
                order, cosines = index.cosines(embedding)
                found[modality][[row[person] for person in order]] = cosines
        return [person.name for person in people.values()], found

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

    def limits(self) -> Limits | None:
        """What `visavox thresholds` found; None before."""
        rows = self._records.database.execute("SELECT content FROM limits")
        return msgspec.json.decode(rows[0][0], type=Limits) if rows else None

    def set_limits(self, limits: Limits) -> None:
        """Decide by these from now on."""
        with self._records.writing():
            self._records.database.execute(
                "INSERT OR REPLACE INTO limits (id, content) VALUES (1, ?)",
                msgspec.json.encode(limits).decode())
            audit.append(self._records.database, self._records.device, "thresholds")

    def rejected(self, name: str, modality: Modality) -> Embeddings:
        """Embeddings that are not this person, float32 [n, dim]; [0, 0] where there is none."""
        return self._records.roster.embeddings(self._records.find(name), "rejected", modality)

    def forget(self, name: str) -> Forgotten:
        """Destroy a person's key and rows, and search the files beside for what may be left.

        Raises GalleryError before anything is changed where another program is reading, and
        afterwards where a file, such as a backup, still holds something of theirs.
        """
        database = self._records.database
        database.empty_log()
        with self._records.writing():
            person = self._records.find(name)
            markers = self._records.delete_person(person)
        self._records.roster.people()  # which takes their key and templates out of memory
        try:
            database.execute("VACUUM")
            database.empty_log()
        except GalleryError as error:
            raise GalleryError(f"{shown(person.name)} is deleted, but old pages may be left until "
                               f"all programs close the gallery: {error}") from None
        # A file that is closed takes SQLite's locks on it away, so SQLite has to close it before.
        database.close()
        try:
            searched = search_files(files_beside(self.path), markers)
        finally:
            database.reopen()
            self._records.roster.changed()
        if left := [str(file.path) for file in searched if file.places]:
            raise GalleryError(f"{shown(person.name)} is deleted from the gallery, but bytes of "
                               f"theirs are left in {', '.join(left)}; delete what is named")
        return Forgotten(person.name, len(markers), tuple(searched))

    def audit(self) -> list[AuditLine]:
        """The audit log. GalleryError names the first entry that was changed, removed or moved."""
        with self._records.database.snapshot():
            entries = audit.verified_entries(self._records.database, self._records.device)
            people = {p.subject: p for p in self._records.roster.people().values()}
        return [audit_line(entry, people.get(entry.subject or b"")) for entry in entries]

    def export_file(self, file: Path, passphrase: str) -> int:
        """Write everybody into a new encrypted file; how many they are."""
        written = False
        try:
            with self._records.writing():
                content = carried_out(self._records)
                write_export(file, content, passphrase)
                written = True
        except BaseException:
            if written:  # but not noted in the audit log
                file.unlink()
            raise
        return len(content.people)

    def import_people(self, content: Carried, *, allow_duplicate: bool = False) -> Imported:
        """Add everybody whom an export holds (see envelope.read_export), but for duplicates: all
        or nothing. GalleryError where it is of another bundle."""
        with self._records.writing():
            return carry_in(self._records, content, allow_duplicate=allow_duplicate)


def _fill(database: Database, device: Vault) -> None:
    with database.transaction():
        database.execute("INSERT INTO gallery (id, key_check) VALUES (1, ?)",
                         device.seal(b"", KEY_CHECK))
        audit.append(database, device, "created")


def _check_key(records: Records) -> None:
    [(key_check,)] = records.database.execute("SELECT key_check FROM gallery")
    if records.device.unseal(key_check, KEY_CHECK) is None:
        raise GalleryError(f"{records.database.path}: the device key is not the one that this "
                           "gallery was made with; name that one with --key or "
                           "$VISAVOX_DEVICE_KEY")
