"""What a few seconds say together: evidence, a steady name, who comes and goes."""

from __future__ import annotations

import numpy as np

from edge_runtime.decision.evidence import Evidence, SteadyName, Visit
from edge_runtime.modalities import MODALITIES
from tests.data.phone_vectors.arrays import Case, listed


def evidence_cases(rng: np.random.Generator) -> Case:
    evidence, steady = Evidence(), SteadyName()
    steps: list[Case] = []
    time_s = 0.0
    people = (None, "anna", "anna", "anna", "ben", "anna", "ben", "ben", "ben", None, None)
    for number, pause_s in enumerate((0.3, 0.1, 0.3, 0.2, 4.0, 0.1, 6.0, 0.1, 0.3, 0.2, 5.1)):
        time_s += pause_s
        row = rng.standard_normal(3)
        modality = MODALITIES[number % 3 // 2]
        weight = 1 - number % 2 / 3
        if number < 9:
            evidence.add(modality, row, time_s, weight)
        if doubted := number == 9:
            steady.doubt()
        steps.append({"timeS": time_s, "modality": modality if number < 9 else None,
                      "row": listed(row), "weight": weight, "doubted": doubted,
                      "person": people[number],
                      "means": {m: listed(mean) for m, mean in evidence.means(time_s).items()},
                      "named": steady.update(people[number], time_s)})
    return {"steps": steps}


def visit_cases(rng: np.random.Generator) -> list[Case]:
    """One visitor after the other, one bad picture, two looks away, a camera that pauses; then
    pictures at random."""
    visit = Visit()
    looks = [(0.2, False), (0.2, True), (0.2, True), (0.2, False), (0.2, True),  # one bad picture
             (0.2, False), (0.4, False), (0.2, False), (0.2, False), (0.2, True),  # gone, another
             (1.9, True), (2.0, True), (1.0, False), (0.1, True), (5.0, False), (0.1, False)]
    looks += [(float(pause_s), bool(face)) for pause_s, face in zip(
        rng.choice([0.1, 0.2, 0.4, 0.8, 2.1], 60), rng.random(60) < 0.5, strict=True)]
    cases, time_s = [], 0.0
    for pause_s, face in looks:
        time_s = round(time_s + pause_s, 1)
        changed = visit.see(face, time_s)
        cases.append({"timeS": time_s, "face": face, "changed": changed,
                      "sinceS": visit.since_s if np.isfinite(visit.since_s) else None})
    return cases
