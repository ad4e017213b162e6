"""What Python decides, for the phone's JavaScript to be held to: vectors.json.

`python -m tests.data.phone_vectors` writes it. Faces and voices are synthetic, embeddings drawn.
Arrays are lists, or base64 where they are long; NaN and infinity, which JSON does not know, do not
occur but as null for a cosine or a time that is not there.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.data.phone_vectors.arrays import Array
from tests.data.phone_vectors.decisions import enrolled_cases, fuse_cases, trained_cases
from tests.data.phone_vectors.enrolment import agreement_cases, name_cases
from tests.data.phone_vectors.evidence import evidence_cases, visit_cases
from tests.data.phone_vectors.signals import crop_cases, sound_cases

FILE = Path(__file__).with_name("vectors.json")


def vectors(picture: Array, steps: Array) -> dict[str, Any]:
    """All cases, by rule. picture: RGB, uint8 [height, width, 3]; steps: sound, int8 [samples] in
    128ths."""
    rng = np.random.default_rng(20_261_125)
    return {"crop": crop_cases(picture), "sound": sound_cases(steps), "fuse": fuse_cases(rng),
            "trained": trained_cases(rng), "enrolled": enrolled_cases(rng),
            "evidence": evidence_cases(rng), "names": name_cases(),
            "agreement": agreement_cases(rng), "visits": visit_cases(rng)}


def stored() -> tuple[dict[str, Any], Array, Array]:
    """The file's content, and the picture and sound that it was made from."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    picture, sound = content["crop"]["picture"], content["sound"]
    rgb = np.frombuffer(base64.b64decode(picture["rgb"]), np.uint8)
    return (content, rgb.reshape(picture["height"], picture["width"], 3),
            np.frombuffer(base64.b64decode(sound["samples"]), np.int8))
