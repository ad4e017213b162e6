"""What Home Assistant shows: a name is a name, and never one of its own states."""

from __future__ import annotations

import json

import pytest

from edge_runtime.apps.kiosk.configuration import MqttSettings
from edge_runtime.apps.kiosk.home_assistant import RESERVED, discovery, label, plain


@pytest.mark.parametrize("name", [
    "Anna", "Zo\u00eb", "O\u2019Neil, J.", "\u0645\u06cc\u200c\u062e", "Nobody Owens", "#1 / + $x"])
def test_a_name_is_shown_as_it_is(name: str) -> None:
    assert plain(name) == label(name) == name


@pytest.mark.parametrize("name", [
    *sorted(RESERVED), "None", "UNKNOWN", " unavailable ", "Not_Home", ""])
def test_a_name_is_not_taken_for_a_state(name: str) -> None:
    assert label(name) == f'"{name}"'
    assert label(name).casefold() not in RESERVED and label(None) == "nobody"


@pytest.mark.parametrize(("name", "shown"), [
    ("A\x1b[2Jnna", "A\ufffd[2Jnna"), ("A\0nna\n", "A\ufffdnna\ufffd"), ("A\x9bnna", "A\ufffdnna"),
    ("\ud800Anna", "\ufffdAnna"), ("\u202eannA", "\ufffdannA"), ("A\u2028", "A\ufffd"),
    ("A" * 5000, "A" * 200)])
def test_what_steers_a_terminal_is_not_passed_on(name: str, shown: str) -> None:
    assert plain(name) == label(name) == shown
    json.dumps(shown).encode()


def test_topics_are_of_the_settings_alone() -> None:
    settings = MqttSettings(host="a", device="door")
    found = discovery(settings, lambda name: f"visavox/door/{name}")
    assert set(found) == {"homeassistant/sensor/visavox_door/decision/config",
                          "homeassistant/binary_sensor/visavox_door/presence/config"}
    assert discovery(MqttSettings(host="a", discovery=""), str) == {}
