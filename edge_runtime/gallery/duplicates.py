"""Is somebody enrolled already, under another name?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.gallery.roster import Roster
from edge_runtime.gallery.samples import NewSample, of_modality
from edge_runtime.gallery.search import mean_template
from edge_runtime.modalities import MODALITIES

# Two names whose templates are at least this much alike (the mean cosine over the modalities that
# both have) are taken for one person. A rough limit, since no thresholds are fitted here. By a
# network trained on kiosk95 with softmax, on people30, whom it does not know, 3 samples each: 93 %
# of people are recognised; of two different ones 0 % are taken for one by face or by both
# modalities, 3 % by voice alone.
SAME_PERSON_COSINE = 0.9


@dataclass(frozen=True)
class Twin:
    """Who is most alike, and how much."""

    name: str
    similarity: float


def most_alike(roster: Roster, samples: Sequence[NewSample]) -> Twin | None:
    """Whoever of the roster is taken for the same person as these samples are of, or None."""
    cosines: dict[bytes, list[float]] = {}
    for modality in MODALITIES:
        rows, index = of_modality(samples, modality), roster.index(modality)
        if index is None or not len(rows):
            continue
        for person, cosine in index.best(mean_template(rows), len(index)):
            cosines.setdefault(person, []).append(cosine)
    similarity = {person: sum(found) / len(found) for person, found in cosines.items()}
    nearest = max(similarity, key=lambda person: similarity[person], default=None)
    if nearest is None or similarity[nearest] < SAME_PERSON_COSINE:
        return None
    return Twin(roster.people()[nearest].name, similarity[nearest])
