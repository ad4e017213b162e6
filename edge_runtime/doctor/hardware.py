"""The processor and its power: clock frequency, heat, and whether it is held back now."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from edge_runtime.doctor.finding import Check, Finding, Problem, well
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


_HOT_C = 80.0  # from here on a Raspberry Pi lowers its frequency
# Drivers under which the governor `powersave` still raises the frequency with the load.
_OWN_GOVERNORS = ("intel_pstate", "amd-pstate-epp")

NO_ATOMICS = Problem("no-atomics", "warning", "an ARM processor without LSE atomics (Pi 4 and "
                     "older), on which LiteRT's `CompiledModel` dies")
BITS_32 = Problem("32-bit", "warning", "a 32-bit system, for which only tflite-runtime is left")
UNDERVOLTED = Problem("undervolted", "fault", "a Raspberry Pi whose power supply is too weak")
THROTTLED = Problem("throttled", "warning", "a Raspberry Pi that has lowered its frequency")
POWERSAVE = Problem("powersave", "warning", "a governor that keeps the lowest frequency")
HOT = Problem("hot", "warning", f"a temperature of {_HOT_C:.0f} °C or more")


def _look_at_processor(machine: Machine) -> Iterator[Finding]:
    cores = [set(rest.split()) for line in machine.text("proc/cpuinfo").splitlines()
             for name, _, rest in [line.partition(":")] if name.strip() == "Features"]
    if any("asimd" in core and "atomics" not in core for core in cores):
        yield NO_ATOMICS.found(
            "the processor has no LSE atomics ('atomics' in /proc/cpuinfo)",
            "nothing for visavox, which does without; in programs of your own use "
            "ai_edge_litert.interpreter.Interpreter, never CompiledModel")
    elif machine.pointer_bits == 64:
        yield well("processor", f"{machine.architecture}, 64 bits")
    if machine.pointer_bits == 32:
        yield BITS_32.found(
            f"Python is of 32 bits ({machine.architecture}); ai-edge-litert has no wheels for it",
            "install a 64-bit system; or stay, with Python 3.11: pip install "
            "'tflite-runtime==2.14.0' 'numpy<2'")


def _look_at_power(machine: Machine) -> Iterator[Finding]:
    bits = throttled_bits(machine)
    if bits is None:
        return
    if bits & (UNDERVOLTED_NOW | UNDERVOLTED_BEFORE):
        when = "at this moment" if bits & UNDERVOLTED_NOW else "since it was started"
        yield UNDERVOLTED.found(
            f"the voltage was too low {when} (get_throttled {bits:#x}): pictures and sound break "
            "off, cards get damaged", "use the Raspberry Pi's own power supply and a short, thick "
            "cable, and give USB devices a powered hub")
    if bits & (THROTTLED_NOW | THROTTLED_BEFORE):
        when = "at this moment" if bits & THROTTLED_NOW else "since it was started"
        yield THROTTLED.found(
            f"the frequency was lowered {when} (get_throttled {bits:#x})",
            "mend the power supply if it is undervolted, else add a heat sink or a fan; then "
            "restart and see: vcgencmd get_throttled")
    if not bits:
        yield well("power", "neither undervolted nor throttled since it was started")


def _look_at_governor(machine: Machine) -> Iterator[Finding]:
    policies = sorted(machine.file(CPUFREQ).glob("cpu[0-9]*/cpufreq"))
    governors = {machine.text(policy / "scaling_governor") for policy in policies
                 if machine.text(policy / "scaling_driver") not in _OWN_GOVERNORS}
    if "powersave" in governors:
        yield POWERSAVE.found(
            "the governor is powersave: the processor stays at its lowest frequency",
            f"echo schedutil | sudo tee /{CPUFREQ}/cpu*/cpufreq/scaling_governor")
    elif governors:
        yield well("governor", ", ".join(sorted(governors)))


def _look_at_heat(machine: Machine) -> Iterator[Finding]:
    degrees = celsius(machine)
    if degrees is None:
        return
    if degrees >= _HOT_C:
        yield HOT.found(f"{degrees:.0f} °C: the processor lowers its frequency",
                        "add a heat sink or a fan, or take it out of the sun or its case")
    else:
        yield well("heat", f"{degrees:.0f} °C")


CHECKS = (
    Check("processor", _look_at_processor, (NO_ATOMICS, BITS_32)),
    Check("power", _look_at_power, (UNDERVOLTED, THROTTLED)),
    Check("governor", _look_at_governor, (POWERSAVE,)),
    Check("heat", _look_at_heat, (HOT,)),
)
