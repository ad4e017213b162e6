"""Embeddings of people on disk, and how alike each probe is to everybody enrolled from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime.accuracy import Pair, noisy
from edge_runtime.collection import Collection
from edge_runtime.gallery.search import mean_template
from edge_runtime.identify import Identifier
from edge_runtime.people import MODALITIES, Modality, Sample
from edge_runtime.similarity import Array, Similarity, fit_similarity
from edge_runtime.voice import Sound

ENROLLED_FROM = 3  # files of each modality


@dataclass(frozen=True)
class Trials:
    """Embeddings [dim] of every file: clean to enroll from, and of probes as they are tried."""

    collection: Collection
    clean: Mapping[Sample, Array]
    probes: Mapping[Sample, Array]

    def templates(
        self, names: Sequence[str], count: int = ENROLLED_FROM
    ) -> dict[Modality, Array]:
        """[people, dim], of length 1, from each one's first `count` training files."""
        found: dict[Modality, Array] = {}
        for modality in MODALITIES:
            files: dict[str, list[Array]] = {name: [] for name in names}
            for sample in self.collection.people.of(modality, "train"):
                if sample.person in files and len(files[sample.person]) < count:
                    files[sample.person].append(self.clean[sample])
            found[modality] = np.stack([mean_template(np.stack(files[name])) for name in names])
        return found

    def cosines(
        self, pairs: Sequence[Pair], templates: Mapping[Modality, Array]
    ) -> dict[Modality, Array]:
        """[pairs, people] of each modality."""
        faces = np.stack([self.probes[face] for face, _ in pairs])
        clips = np.stack([self.probes[clip] for _, clip in pairs])
        return {"face": faces @ templates["face"].T, "voice": clips @ templates["voice"].T}


def embed_all(
    identifier: Identifier, collection: Collection, noises: Sequence[Sound] = (),
    snr_db: float | None = None,
) -> Trials:
    """Every file through the bundle's networks; with `noises`, probes have them at `snr_db`."""
    clean: dict[Sample, Array] = {}
    probes: dict[Sample, Array] = {}
    for sample in collection.people.samples:
        if sample.modality == "face":
            clean[sample] = identifier.embed(face=collection.faces[sample])["face"]
            probes[sample] = clean[sample]
            continue
        clip = collection.clips[sample]
        clean[sample] = identifier.embed(voice=clip)["voice"]
        probes[sample] = clean[sample]
        if noises and snr_db is not None and sample.split in ("test", "stranger"):
            heard = noisy(sample, clip, noises, snr_db)
            probes[sample] = identifier.embed(voice=heard)["voice"]
    return Trials(collection, clean, probes)


def fitted(cosines: Mapping[Modality, Array], owners: np.ndarray) -> Similarity:
    """Log-odds from cosines [pairs, people] and the column [pairs] of each pair's own person."""
    own = np.zeros_like(cosines["face"], bool)
    own[np.arange(len(owners)), owners] = True
    return fit_similarity({m: found[own] for m, found in cosines.items()},
                          {m: found[~own] for m, found in cosines.items()})
