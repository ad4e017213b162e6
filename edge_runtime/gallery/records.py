"""The rows of a gallery: written and read for the Gallery, within its transactions."""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from edge_runtime.bundle.manifest import Manifest, NetworkFile
from edge_runtime.decision.decide import EnrolledThresholds
from edge_runtime.errors import GalleryError, UsageError
from edge_runtime.files import shown
from edge_runtime.gallery import audit
from edge_runtime.gallery.database import Database, is_dated_wrongly, oldest_rejected, stamp
from edge_runtime.gallery.keys import Vault, new_key
from edge_runtime.gallery.known import Known, KnownGalleries
from edge_runtime.gallery.roster import Kind, Person, Roster
from edge_runtime.gallery.samples import FORCED, NewSample, unsuited
from edge_runtime.modalities import MODALITIES, Modality

KEY_CHECK = "key check"
SIGNED = "audit entry"
_ID_BYTES = 16


class Signed(msgspec.Struct, frozen=True):
    """What the audit log says of somebody enrolled, sealed by their key. source: the export that
    they were imported from."""

    name: str
    consent: str | None
    source: str | None = None


class Records:
    """Rows of people, samples and networks, with the audit entries that go with them."""

    def __init__(
        self, database: Database, device: Vault, manifest: Manifest | None, known: KnownGalleries
    ) -> None:
        self.database = database
        self.device = device
        self.known = known
        self.roster = Roster(database, device)
        self.manifest = manifest

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """All of what is done within, or nothing."""
        try:
            with self.database.transaction():
                self.roster.check()
                self.check_networks()  # another program may have been the first to enroll
                yield
                head = audit.seal(self.database, self.device)
        finally:
            self.roster.changed()
        if self.goes_on_from(self.known.find(self.database.path)):
            self.remember(head)

    def goes_on_from(self, known: Known | None) -> bool:
        """Whether the log goes on from the entry that this device remembers."""
        return known is None or [(known.hash,)] == self.database.execute(
            "SELECT hash FROM audit WHERE number = ?", known.number)

    def remember(self, head: audit.Head) -> None:
        """Note how far the gallery is, beside the device key."""
        self.known.remember(self.database.path, head.number, head.hash)

    def now(self) -> str:
        """The time to store."""
        return stamp(audit.last_time(self.database))

    def oldest_rejected(self) -> str:
        """Rejected samples from before count no more."""
        return oldest_rejected(audit.last_time(self.database))

    def networks(self) -> dict[Modality, NetworkFile]:
        """The bundle's networks that give embeddings. UsageError where no bundle was named."""
        if self.manifest is None:
            raise UsageError("expected a gallery opened with a bundle's manifest, found none; "
                             "embeddings are of no use without it")
        return {m: self.manifest.files[m] for m in MODALITIES if m in self.manifest.files}

    def check_networks(self) -> None:
        """GalleryError where embeddings in the gallery are of another bundle's networks."""
        if self.manifest is None:
            return
        for modality, sha256 in self.database.execute("SELECT modality, sha256 FROM networks"):
            here = self.networks().get(modality)
            if here is None or here.sha256 != sha256:
                raise GalleryError(
                    f"{self.database.path}: made with another bundle (its {modality} network "
                    f"begins with {sha256[:12]}, this bundle's with "
                    f"{here.sha256[:12] if here else 'nothing'}); use that bundle, or enroll "
                    "everybody anew in another gallery")

    def thresholds(self) -> EnrolledThresholds | None:
        """What `visavox thresholds` found; None before."""
        rows = self.database.execute("SELECT content FROM limits")
        return msgspec.json.decode(rows[0][0], type=EnrolledThresholds) if rows else None

    def force(self) -> None:
        """Remember that people are to be enrolled by networks that are not meant for it."""
        if unsuited(self.manifest, self.thresholds()) and not self.forced():
            with self.writing():
                audit.append(self.database, self.device, FORCED)

    def forced(self) -> str | None:
        """When that was; None where it was not."""
        rows = self.database.execute("SELECT MAX(time) FROM audit WHERE event = ?", FORCED)
        return str(rows[0][0]) if rows[0][0] else None

    def find(self, name: str) -> Person:
        """Whoever has this name; GalleryError where nobody has."""
        person = self.roster.find(name)
        if person is None:
            raise GalleryError(f"{self.database.path}: nobody is enrolled as {shown(name)}; "
                               "'visavox people' lists everybody")
        return person

    def consent(self, person: Person) -> str | None:
        [(sealed,)] = self.database.execute("SELECT consent FROM people WHERE id = ?", person.id)
        if sealed is None:
            return None
        return person.unsealed(sealed, "consent", self.database).decode()

    def counts(self) -> dict[bytes, Counter[tuple[str, str]]]:
        """How many samples there are by person, then kind and modality; old rejected ones, which
        nobody has deleted yet, do not count."""
        counted: dict[bytes, Counter[tuple[str, str]]] = defaultdict(Counter)
        for person, kind, modality, count in self.database.execute(
                "SELECT person, kind, modality, COUNT(*) FROM samples WHERE kind = 'template' "
                "OR added >= ? GROUP BY person, kind, modality", self.oldest_rejected()):
            counted[person][kind, modality] = count
        return counted

    def add_person(
        self, event: str, name: str, consent: str | None, enrolled: str, counts: dict[str, int],
        source: str | None = None,
    ) -> Person:
        """Somebody new, with a random key, id and subject, and the audit's entry of `event`."""
        person_id, subject = secrets.token_bytes(_ID_BYTES), secrets.token_bytes(_ID_BYTES)
        key = new_key()
        person = Person(person_id, subject, name, enrolled, Vault(key, person_id))
        seal = person.vault.seal
        self.database.execute(
            "INSERT INTO people (id, subject, wrapped_key, name, consent, enrolled) "
            "VALUES (?, ?, ?, ?, ?, ?)", person_id, subject,
            self.device.seal(key, person.key_purpose), seal(name.encode(), "name"),
            None if consent is None else seal(consent.encode(), "consent"), enrolled)
        audit.append(self.database, self.device, event, subject=subject, counts=counts,
                     sealed=seal(msgspec.json.encode(Signed(name, consent, source)), SIGNED))
        return person

    def add_sample(
        self, person: Person, kind: Kind, modality: Modality, embedding: bytes, added: str
    ) -> None:
        """One sample; `embedding` is float32 [dim], little-endian."""
        network = self.networks()[modality]
        self.database.execute(
            "INSERT OR IGNORE INTO networks (modality, sha256) VALUES (?, ?)", modality,
            network.sha256)
        self.database.execute(
            "INSERT INTO samples (person, kind, modality, embedding, added) "
            "VALUES (?, ?, ?, ?, ?)", person.id, kind, modality,
            person.vault.seal(embedding, f"{kind} {modality}"), added)

    def add_samples(
        self, person: Person, kind: Kind, samples: Sequence[NewSample], added: str
    ) -> None:
        """Samples of a kind that came together."""
        for sample in samples:
            self.add_sample(person, kind, sample.modality,
                            sample.embedding.astype("<f4").tobytes(), added)

    def samples(self, person: Person) -> Iterator[tuple[Kind, Modality, bytes, str]]:
        """Kind, modality, embedding and time of everything stored of a person."""
        for kind, modality, sealed, added in self.database.execute(
                "SELECT kind, modality, embedding, added FROM samples WHERE person = ? "
                "ORDER BY id", person.id):
            yield (kind, modality,
                   person.unsealed(sealed, f"{kind} {modality}", self.database), added)

    def delete_person(self, person: Person) -> list[bytes]:
        """Their rows, and what is theirs in the audit log. Returns what was stored of them: id,
        wrapped key, ciphertexts."""
        markers = [person.id]
        for statement, key in (
                ("SELECT wrapped_key FROM people WHERE id = ?", person.id),
                ("SELECT name FROM people WHERE id = ?", person.id),
                ("SELECT consent FROM people WHERE id = ?", person.id),
                ("SELECT embedding FROM samples WHERE person = ?", person.id),
                ("SELECT sealed FROM audit WHERE subject = ?", person.subject)):
            markers += [found for (found,) in self.database.execute(statement, key) if found]
        self.database.execute("UPDATE audit SET sealed = NULL WHERE subject = ?", person.subject)
        self.database.execute("DELETE FROM people WHERE id = ?", person.id)
        self._delete_unused_networks()
        audit.append(self.database, self.device, audit.FORGOTTEN, subject=person.subject)
        return markers

    def tidy(self) -> None:
        """Delete rejected samples that are too old. One stored by a clock that was wrong is as old
        as the first look at it by one that is right. A gallery of a visavox that bound no rows to
        the key is bound now."""
        oldest = self.oldest_rejected()
        dates = [date for (date,) in self.database.execute(
            "SELECT DISTINCT added FROM samples WHERE kind = 'rejected'")]
        wrong = [date for date in dates if oldest and is_dated_wrongly(date)]
        expired = [date for date in dates if date < oldest and date not in wrong]
        if wrong or expired or audit.read_head(self.database, self.device).contents is None:
            with self.writing():
                for date in wrong:
                    self.database.execute(
                        "UPDATE samples SET added = ? WHERE kind = 'rejected' AND added = ?",
                        self.now(), date)
                if expired:
                    self._delete_rejected(max(expired))

    def _delete_rejected(self, newest: str) -> None:
        condition = "FROM samples WHERE kind = 'rejected' AND added <= ?"
        gone = self.database.execute(f"SELECT modality {condition}", newest)
        self.database.execute(f"DELETE {condition}", newest)
        self._delete_unused_networks()
        audit.append(self.database, self.device, "expired",
                     counts=modality_counts([modality for (modality,) in gone]))

    def _delete_unused_networks(self) -> None:
        self.database.execute(
            "DELETE FROM networks WHERE modality NOT IN (SELECT modality FROM samples)")


def sample_counts(samples: Sequence[NewSample]) -> dict[str, int]:
    """For the audit log: how many faces and clips."""
    return modality_counts([sample.modality for sample in samples])


def modality_counts(modalities: list[Modality]) -> dict[str, int]:
    """The same from the modality of each."""
    return {"faces": modalities.count("face"), "clips": modalities.count("voice")}
