"""The microphone that is named, or the system's default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge_runtime.capture.devices import microphone_from
from edge_runtime.capture.microphone import arecord_program
from edge_runtime.capture.portaudio import takes_rate
from edge_runtime.capture.source import DeviceError, State
from edge_runtime.doctor.cameras import parted, settled_status
from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine
from edge_runtime.signals.voice import SAMPLE_RATE

NONE = Problem("no-microphone", "warning", "no microphone at all")
MISSING = Problem("microphone-missing", "fault", "the named microphone is not there")
BUSY = Problem("microphone-busy", "fault", "a microphone that another program uses")
DENIED = Problem("microphone-denied", "fault", "a microphone that this user may not open (group "
                 "audio)")
STALLED = Problem("microphone-stalled", "fault", "a microphone that is open and gives nothing")
FAILED = Problem("microphone-failed", "fault", "a microphone or sound file that will not do")
SILENT = Problem("microphone-silent", "fault", "a microphone that is muted, off, or at level 0")
RATE = Problem("microphone-rate", "ok", "a microphone that refuses 16 kHz, which does no harm")

_BY_STATE: dict[State, Problem] = {
    "missing": MISSING, "busy": BUSY, "denied": DENIED, "stalled": STALLED, "starting": STALLED,
    "failed": FAILED, "silent": SILENT}
_FIXES = {
    BUSY: "end the program that fuser names: sudo fuser -v /dev/snd/*",
    DENIED: "sudo usermod -aG audio \"$USER\", then log in again",
    SILENT: "switch it on, and unmute it and raise its level: alsamixer --view=capture, or: "
            "pactl set-source-mute @DEFAULT_SOURCE@ 0",
    NONE: "plug one in and ask again; 'visavox devices' lists what there is",
}


def _look_at_microphone(machine: Machine) -> Iterator[Finding]:
    named = machine.microphone
    if named is None and not machine.has_module("sounddevice") and arecord_program() is None:
        return  # there is nothing to open it with, which is said elsewhere
    status = settled_status(microphone_from(named or "auto"))
    problem = _BY_STATE.get(status.state)
    if problem is None:
        yield well("microphone", status.message)
    else:
        found, fix = parted(status.message)
        problem = NONE if problem is MISSING and named is None else problem
        yield problem.found(found, _FIXES.get(problem, fix))
    if status.state in ("ok", "silent"):
        yield from _rate(named)


def _rate(named: str | None) -> Iterator[Finding]:
    if named and (named.partition(":")[0] == "arecord" or Path(named).is_file()):
        return
    device = None if named in (None, "auto") else (
        int(named) if named.isascii() and named.isdigit() else named)
    try:
        taken, own = takes_rate(device, SAMPLE_RATE)
    except DeviceError:
        return  # without PortAudio, or gone since: `auto` was heard by arecord
    if not taken:
        yield RATE.found(f"it refuses {SAMPLE_RATE / 1000:g} kHz and is opened at {own / 1000:g} "
                         "kHz", "nothing to do: its sound is resampled")


CHECKS = (
    Check("microphone", _look_at_microphone,
          (NONE, MISSING, BUSY, DENIED, STALLED, FAILED, SILENT, RATE)),
)
