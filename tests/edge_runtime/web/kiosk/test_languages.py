"""Every language has the same texts, and a text for every word that the runtime may say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from edge_runtime.apps.kiosk.app import REASONS
from edge_runtime.apps.kiosk.events import State
from edge_runtime.apps.kiosk.presence import HINTS
from edge_runtime.capture.source import State as SourceState
from edge_runtime.decision.decide import Reason
from edge_runtime.signals.face_quality import FaceReason, VoiceReason

PAGE = Path(__file__).resolve().parents[4] / "edge_runtime" / "web" / "kiosk"
LANGUAGES = {file.stem: json.loads(file.read_text(encoding="utf-8"))
             for file in sorted((PAGE / "languages").glob("*.json"))}
REFUSING = ("0", "401", "403", "429")  # statuses of HTTP, and the kiosk that does not answer
ENROLMENT_REASONS = ("no_picture", "no_sound", "not_alike")  # docs/reference/kiosk-api.md
SPOKEN = {
    "state": get_args(State), "headline": get_args(State), "what": get_args(State),
    "reason": (*get_args(Reason), *get_args(FaceReason), *get_args(VoiceReason),
               *ENROLMENT_REASONS),
    "refused": (*REASONS.values(), *REFUSING),
    "hint": tuple(HINTS.values()), "source": get_args(SourceState)}


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_there_are_english_and_german() -> None:
    assert {"en", "de"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_texts_with_the_same_placeholders(language: str) -> None:
    texts, english = LANGUAGES[language], LANGUAGES["en"]
    assert list(texts) == list(english)
    for key, text in texts.items():
        assert placeholders(text) == placeholders(english[key]), key
        assert text.strip() or key in ("what.known", "what.nobody"), key


@pytest.mark.parametrize("kind", SPOKEN)
def test_every_word_of_the_runtime_has_a_text(kind: str) -> None:
    assert {key.removeprefix(f"{kind}.") for key in LANGUAGES["en"]
            if key.startswith(f"{kind}.")} == set(SPOKEN[kind])


def test_every_text_that_the_page_asks_for_is_there_and_no_other() -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in
                      (*PAGE.glob("*.js"), PAGE / "index.html"))
    asked = set(re.findall(r'data-(?:text|label)="([^"]+)"', sources))
    asked |= set(re.findall(r'"([a-z]+(?:[.-][a-z0-9-]+)*)"', sources)) & set(LANGUAGES["en"])
    built = {key for key in LANGUAGES["en"] if key.partition(".")[0] in
             (*SPOKEN, "angle", "sentence", "done", "nobody")}
    assert asked | built == set(LANGUAGES["en"])


def test_the_page_asks_nothing_of_other_machines() -> None:
    for file in (*PAGE.glob("*.js"), *PAGE.glob("*.css"), PAGE / "index.html",
                 *(PAGE.parent / "shared").iterdir()):
        addresses = re.findall(r"(?:https?:)?//[\w.]+\.\w+/?", file.read_text(encoding="utf-8"))
        assert addresses == [], file.name
