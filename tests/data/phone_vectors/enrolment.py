"""Names that are taken, and samples that agree with each other."""

from __future__ import annotations

import numpy as np

from edge_runtime.errors import GalleryError
from edge_runtime.files import checked_name, name_key
from edge_runtime.gallery.samples import NewSample, check_agreement
from tests.data.phone_vectors.arrays import DIM, Case, listed, unit


def name_cases() -> list[Case]:
    cases = []
    for name in ("Anna", "  Zoë ", "Zoe\u0308", "x" * 101, "---", "a/b", "a\\b", "a\u200bb", "a\nb",
                 "\u0645\u06cc\u200c\u0631", "\uff17", "", "Anna \u00a0 B",
                 "\u3000Anna\t", "Unknown", "n\u043ene", "nobody", "A\u3164", "\u115f", "A\u202eb",
                 "A\ufe0f", "A \U0001f600", "\U0001f600", "A\ufeff", "A\ue000"):
        try:
            cases.append({"name": name, "stored": checked_name(name)})
        except GalleryError:
            cases.append({"name": name, "stored": None})
    same = [{"one": one, "other": other, "same": name_key(one) == name_key(other)}
            for one, other in (("Anna", "ANNA"), ("Anna  B", "anna b"), ("\uff21nna", "anna"),
                               ("Zoë", "Zoe\u0308"), ("Zoë", "Zoe"),
                               ("Anna", "\u0410nn\u0430"), ("Zo\u0451", "Zoë"),
                               ("\u0391\u03bd\u03bd\u03b1", "Avva"), ("STRASSE", "straße"),
                               ("\u03a3\u03a3", "\u03c3\u03c2"), ("A\ufe0f", "A"),
                               ("Ali", "Al\u0131"), ("Anna", "An\u200dna"), ("Ira", "Ina"))]
    return [*cases, *same]


def agreement_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(16):
        centre = unit(rng.standard_normal(DIM))
        rows = [unit(centre + spread * unit(rng.standard_normal(DIM)))
                for spread in rng.uniform(0.1, 2.0, 2 + number % 4)]
        try:
            check_agreement([NewSample(str(i), "face", row) for i, row in enumerate(rows)])
            agree = True
        except GalleryError:
            agree = False
        cases.append({"rows": [listed(row) for row in rows], "agree": agree})
    return cases
