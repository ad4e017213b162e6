"""People out of one gallery and into another of the same bundle."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.errors import GalleryError
from edge_runtime.gallery import audit
from edge_runtime.gallery.duplicates import most_alike
from edge_runtime.gallery.envelope import Carried, CarriedPerson, CarriedSample
from edge_runtime.gallery.records import Records, sample_counts
from edge_runtime.gallery.roster import Kind, Person
from edge_runtime.gallery.samples import NewSample, check_counts, check_embeddings
from edge_runtime.names import RESERVED, checked_consent, checked_name, name_key, shown


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
