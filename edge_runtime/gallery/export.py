"""People out of one gallery, in one encrypted file, and into another of the same bundle.

    magic [8]  length of the rest [8, little-endian]  salt [16]  check [16]  nonce [12]  AES-256-GCM

Key and check come from the passphrase by scrypt (RFC 7914, n 2**16, r 8, p 1: 64 MiB, so that
guessing is dear); the check tells a wrong passphrase from a damaged file.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from edge_runtime.errors import GalleryError
from edge_runtime.files import RESERVED, checked_consent, checked_name, name_key, shown
from edge_runtime.gallery import audit
from edge_runtime.gallery.keys import KEY_BYTES, NONCE_BYTES, cipher
from edge_runtime.gallery.records import Records, sample_counts
from edge_runtime.gallery.roster import Kind, Person
from edge_runtime.gallery.samples import NewSample, check_counts, check_embeddings, most_alike
from edge_runtime.modalities import Modality

LEAST_PASSPHRASE = 8  # characters
_MAGIC = b"VISAVOX1"
_SALT, _CHECK, _LENGTH = 16, 16, 8
_HEAD = len(_MAGIC) + _LENGTH

Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """No unknown key, no missing key."""


class CarriedSample(_Strict, frozen=True):
    """embedding: float32 [dim], little-endian. added: when, in UTC."""

    kind: Kind
    modality: Modality
    embedding: bytes
    added: Time


class CarriedPerson(_Strict, frozen=True):
    """Somebody as they were enrolled; keys and random numbers stay behind."""

    name: str
    consent: str | None
    enrolled: Time
    samples: list[CarriedSample]


class Carried(_Strict, frozen=True):
    """The contents of an export. networks: SHA-256 of those whose embeddings are carried."""

    networks: dict[Modality, str]
    people: list[CarriedPerson]


def write_export(path: Path, content: Carried, passphrase: str) -> None:
    """Write a file that its owner alone can read, whole or not at all; none is overwritten."""
    whole = packed(content, passphrase)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_export(path: Path, passphrase: str) -> Carried:
    """The contents of a file. GalleryError as of `unpacked`, or where there is no file."""
    if not path.is_file():
        raise GalleryError(f"{path}: expected a file that 'visavox export' made, found none")
    try:
        return unpacked(path.read_bytes(), passphrase)
    except GalleryError as error:
        raise GalleryError(f"{path}: {error}") from None


def packed(content: Carried, passphrase: str) -> bytes:
    """The file's bytes. GalleryError where the passphrase is too short to protect it."""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise GalleryError(f"expected a passphrase of at least {LEAST_PASSPHRASE} characters, "
                           f"found {len(passphrase)}; choose a longer one")
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(NONCE_BYTES)
    key, check = _key_and_check(passphrase, salt)
    sealed = cipher(key).encrypt(nonce, msgspec.msgpack.encode(content), _MAGIC)
    rest = salt + check + nonce + sealed
    return _MAGIC + len(rest).to_bytes(_LENGTH, "little") + rest


def unpacked(file: bytes, passphrase: str) -> Carried:
    """The contents. GalleryError where the file is no export, cut short or damaged, or the
    passphrase is wrong."""
    if not file.startswith(_MAGIC):
        raise GalleryError("expected a file that 'visavox export' made, found another kind")
    rest = file[_HEAD:]
    expected = int.from_bytes(file[len(_MAGIC) : _HEAD], "little")
    if len(rest) != expected or expected < _SALT + _CHECK + NONCE_BYTES:
        raise GalleryError(f"expected {_HEAD + expected} bytes, found {len(file)}; the export was "
                           "cut short or damaged: copy it again")
    salt, check, nonce, sealed = _split(rest)
    key, wanted = _key_and_check(passphrase, salt)
    if not hmac.compare_digest(check, wanted):
        raise GalleryError("the passphrase is wrong; give the one that it was exported with")
    from cryptography.exceptions import InvalidTag

    try:
        content = cipher(key).decrypt(nonce, sealed, _MAGIC)
    except InvalidTag:
        raise GalleryError("the export is damaged; copy it again") from None
    try:
        return msgspec.msgpack.decode(content, type=Carried)
    except msgspec.ValidationError as error:
        raise GalleryError(f"expected an export of this version, found another ({error}); use the "
                           "visavox that made it") from None


def _split(rest: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    after_check = _SALT + _CHECK
    after_nonce = after_check + NONCE_BYTES
    return (rest[:_SALT], rest[_SALT:after_check], rest[after_check:after_nonce],
            rest[after_nonce:])


def _key_and_check(passphrase: str, salt: bytes) -> tuple[bytes, bytes]:
    cipher(bytes(KEY_BYTES))  # says where the package is missing
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    derived = Scrypt(salt=salt, length=KEY_BYTES + _CHECK, n=2**16, r=8, p=1).derive(
        passphrase.encode("utf-8", "surrogateescape"))
    return derived[:KEY_BYTES], derived[KEY_BYTES:]


@dataclass(frozen=True)
class Imported:
    """Who came in with an import; and who did not, with the reason."""

    people: tuple[str, ...]
    skipped: dict[str, str]


def carried_out(records: Records, file: Path) -> Carried:
    """Everybody, with what is stored of them; noted in the audit log, in the caller's
    transaction. file: where it will be."""
    networks = dict(records.database.execute("SELECT modality, sha256 FROM networks"))
    people = [_carried(records, person) for person in records.roster.people().values()]
    audit.append(records.database, records.device, "exported", counts={"people": len(people)},
                 sealed=records.device.seal(os.fsencode(file.resolve()), audit.EXPORT_FILE))
    return Carried(networks=networks, people=people)


def _carried(records: Records, person: Person) -> CarriedPerson:
    samples = [CarriedSample(kind=kind, modality=modality, embedding=embedding, added=added)
               for kind, modality, embedding, added in records.samples(person)]
    return CarriedPerson(name=person.name, consent=records.consent(person),
                         enrolled=person.enrolled, samples=samples)


def carry_in(
    records: Records, content: Carried, source: Path | None, *, allow_duplicate: bool
) -> Imported:
    """Everybody but those whose name is taken or stands for nobody, and, unless `allow_duplicate`,
    those who seem enrolled here under another name. In the caller's transaction.

    Raises GalleryError where the networks are others, or something is not as `enroll` stores it.
    """
    here = {modality: network.sha256 for modality, network in records.networks().items()}
    if not content.networks.items() <= here.items():
        raise GalleryError("the export is of another bundle, whose embeddings mean nothing to this "
                           "one's networks; use that bundle, or enroll everybody anew")
    taken = {name_key(person.name) for person in records.roster.people().values()}
    oldest = records.oldest_rejected()
    people: list[str] = []
    skipped: dict[str, str] = {}
    for person in content.people:
        if name_key(person.name) in RESERVED:  # which earlier versions took
            skipped[person.name] = "the name stands for nobody, here or in Home Assistant"
            continue
        name, consent = checked_name(person.name), checked_consent(person.consent)
        templates = _checked_templates(person, records)
        twin = None if allow_duplicate else most_alike(records.roster, templates)
        if name_key(name) in taken:
            skipped[name] = "the name is enrolled already"
        elif twin:
            skipped[name] = (f"seems to be enrolled already as {shown(twin.name)} (cosine "
                             f"{twin.similarity:.2f}); --allow-duplicate imports them too")
        else:
            taken.add(name_key(name))
            people.append(name)
            new = records.add_person("imported", name, consent, person.enrolled,
                                     sample_counts(templates),
                                     str(source.resolve()) if source else None)
            for sample in person.samples:
                if sample.kind == "template" or sample.added >= oldest:
                    records.add_sample(new, sample.kind, sample.modality, sample.embedding,
                                       sample.added)
    return Imported(tuple(people), skipped)


def _checked_templates(person: CarriedPerson, records: Records) -> list[NewSample]:
    """Their templates; GalleryError where they or the rejected samples are no embeddings."""
    samples: dict[Kind, list[NewSample]] = {"template": [], "rejected": []}
    for carried in person.samples:
        if len(carried.embedding) % 4:
            raise GalleryError(f"{shown(person.name)}: expected embeddings of float32 numbers, "
                               f"found {len(carried.embedding)} bytes; export again")
        embedding = np.frombuffer(carried.embedding, "<f4").astype(np.float32)
        samples[carried.kind].append(NewSample(shown(person.name), carried.modality, embedding))
    check_counts([sample.modality for sample in samples["template"]])
    check_embeddings([*samples["template"], *samples["rejected"]], records.networks())
    return samples["template"]
