"""What the pages' JavaScript takes from Python: limits, times and words, each typed once, here.

    python -m edge_runtime.web.parameters

writes shared/parameters.js anew; a test fails where it is stale. It is a module, since a browser
reads JSON as one only from Chromium 123 on, and old phones stay below. Keys are the constants'
names in Python, with the unit where they lack one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from edge_runtime.bundle.manifest import FORMAT
from edge_runtime.capture import source
from edge_runtime.console.terminal import JOINERS
from edge_runtime.decision import evidence, scoring, similarity
from edge_runtime.enrolment.rules import RULES
from edge_runtime.files import ALIKE, BLANK, EMOJI_STYLE, INVISIBLE, MAX_NAME, RESERVED
from edge_runtime.gallery.database import REJECTED_DAYS
from edge_runtime.signals import face_quality, voice, voice_quality

FILE = Path(__file__).parent / "shared" / "parameters.js"
_HEAD = "// By 'python -m edge_runtime.web.parameters': change the Python, not this.\n"


def parameters() -> dict[str, dict[str, Any]]:
    """By subject, then by name: what JSON can hold."""
    return {
        "bundle": {"FORMAT": FORMAT},
        "capture": {"STALE_S": source.STALE_S, "SAMPLE_RATE_HZ": voice.SAMPLE_RATE,
                    "LEVEL_S": voice_quality.LEVEL_S},
        "face_quality": _face_quality(),
        "voice_quality": _voice_quality(),
        "scoring": {"LEAST_SCORE": scoring.LEAST_SCORE},
        "similarity": {
            "CONTRADICTION_LOG_ODDS": similarity.CONTRADICTION,
            "LEAST_LENGTH": similarity.LEAST_LENGTH,
            "PLAIN": msgspec.to_builtins(similarity.PLAIN),
        },
        "evidence": {
            "HALF_LIFE_S": evidence.HALF_LIFE_S,
            "FRESH_S": evidence.FRESH_S,
            "NAME_AFTER_S": evidence.NAME_AFTER_S,
            "FORGET_AFTER_S": evidence.FORGET_AFTER_S,
            "GONE_S": evidence.GONE_S,
            "HEARD_S": evidence.HEARD_S,
            "NOBODY_AFTER_S": evidence.NOBODY_AFTER_S,
        },
        "names": {
            "MAX_NAME_CHARACTERS": MAX_NAME, "RESERVED": RESERVED, "INVISIBLE": INVISIBLE,
            "BLANK": BLANK, "JOINERS": JOINERS, "EMOJI_STYLE": EMOJI_STYLE, "ALIKE": ALIKE,
        },
        "enrolment": _enrolment(),
        "gallery": {"REJECTED_DAYS": REJECTED_DAYS},
    }


def _face_quality() -> dict[str, float]:
    return {
        "MIN_SIDE_PX": face_quality.MIN_SIDE,
        "MAX_OVERHANG_SIDES": face_quality.MAX_OVERHANG,
        "MIN_SHARPNESS": face_quality.MIN_SHARPNESS,
        "MIN_LIGHT_OF_255": face_quality.MIN_LIGHT,
        "MAX_WHITE_SHARE": face_quality.MAX_WHITE,
        "MIN_CONTRAST_OF_255": face_quality.MIN_CONTRAST,
        "WHITE_OF_255": face_quality.WHITE,
        "JUDGED_PX": face_quality.JUDGED,
        "REACH_PX": face_quality.REACH,
    }


def _voice_quality() -> dict[str, float]:
    return {
        "HOP_SAMPLES": voice.HOP,
        "FRAME_SAMPLES": voice_quality.FRAME,
        "MIN_LEVEL_DB": voice_quality.MIN_LEVEL_DB,
        "MIN_SNR_DB": voice_quality.MIN_SNR_DB,
        "QUIET_SNR_DB": voice_quality.QUIET_SNR_DB,
        "MIN_SNR_S": voice_quality.MIN_SNR_SECONDS,
        "MIN_PEAK_RATIO": voice_quality.MIN_PEAK_RATIO,
        "FAINT_OF_FULL_SCALE": voice_quality.FAINT,
        "NO_CONSTANT_OF_FULL_SCALE": voice.NO_CONSTANT,
        "LEAST_POWER": voice_quality.LEAST_POWER,
    }


def _enrolment() -> dict[str, Any]:
    return {
        "ANGLES": RULES.angles,
        "RECORDED_S": RULES.recorded_s,
        "KIOSK_CLIPS": RULES.wanted["kiosk"].clips,
        "PHONE_FACES": RULES.wanted["phone"].faces,
        "PHONE_CLIPS": RULES.wanted["phone"].clips,
        "REFUSED": RULES.refused,
        "TWO_PEOPLE_LOG_ODDS": RULES.two_people,
        "LEAST_SHARE": RULES.least_share,
        "LEAST_COSINE": RULES.least_cosine,
        "SAME_PERSON_COSINE": RULES.same_person_cosine,
    }


def content() -> str:
    """The whole file, in ASCII: some of its characters cannot be seen."""
    return f"{_HEAD}\nexport default {json.dumps(parameters(), indent=2)};\n"


if __name__ == "__main__":
    FILE.write_text(content(), encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size} bytes")
