"""How the processor is at this moment: clock, heat, and whether it is held back."""

from __future__ import annotations

import contextlib

from edge_runtime.doctor.machine import Machine

CPUFREQ = "sys/devices/system/cpu"
_BROKEN_C = 150.0  # no sensor that works shows as much

# Bits of `vcgencmd get_throttled` (Raspberry Pi documentation, "vcgencmd"): now, and since start.
UNDERVOLTED_NOW, UNDERVOLTED_BEFORE = 1 << 0, 1 << 16
THROTTLED_NOW, THROTTLED_BEFORE = 0b111 << 1, 0b111 << 17


def celsius(machine: Machine) -> float | None:
    """The hottest sensor; None where none can be read."""
    degrees = []
    for zone in machine.file("sys/class/thermal").glob("thermal_zone*"):
        with contextlib.suppress(ValueError):
            degrees.append(int(machine.text(zone / "temp")) / 1000)
    return max((found for found in degrees if found < _BROKEN_C), default=None)


def throttled_bits(machine: Machine) -> int | None:
    """What a Raspberry Pi's firmware says; None on other machines."""
    said = machine.output("vcgencmd", "get_throttled")  # throttled=0x50005
    try:
        return int((said or "").partition("=")[2], 16)
    except ValueError:
        return None


def is_throttled(machine: Machine) -> bool | None:
    """Whether the clock is held back now, by the firmware or by one of the system's cooling
    devices; None where neither is there."""
    bits = throttled_bits(machine)
    if bits is not None:
        return bool(bits & THROTTLED_NOW)
    states = [machine.text(device / "cur_state")
              for device in machine.file("sys/class/thermal").glob("cooling_device*")
              if machine.text(device / "type").lower().startswith(("processor", "cpufreq",
                                                                   "thermal-cpufreq"))]
    return any(state not in ("", "0") for state in states) if states else None


def clock_mhz(machine: Machine) -> float | None:
    """The fastest core's clock. On a Raspberry Pi what the firmware measures: the system's own
    figure is what it asked for."""
    said = machine.output("vcgencmd", "measure_clock", "arm")  # frequency(48)=1800404352
    found = [_scaled((said or "").partition("=")[2], 1e-6)]
    if found == [None]:
        found = [_scaled(machine.text(file), 1e-3) for file in
                 machine.file(CPUFREQ).glob("cpu[0-9]*/cpufreq/scaling_cur_freq")]
    if not any(found):
        found = [_scaled(line.partition(":")[2], 1.0) for line in
                 machine.text("proc/cpuinfo").splitlines() if line.startswith("cpu MHz")]
    return max((mhz for mhz in found if mhz is not None), default=None)


def _scaled(number: str, factor: float) -> float | None:
    try:
        return round(float(number) * factor, 1)
    except ValueError:
        return None
