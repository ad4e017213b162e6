"""Clock, heat and throttling, on a Raspberry Pi and elsewhere."""

from __future__ import annotations

from edge_runtime.doctor.hardware import celsius, clock_mhz, is_throttled
from tests.edge_runtime.doctor.scene import Scene

PI = """
if sys.argv[1:] == ["get_throttled"]:
    print("throttled=%s")
else:
    assert sys.argv[1:] == ["measure_clock", "arm"]
    print("frequency(48)=1500398464")
"""


def test_nothing_is_known(scene: Scene) -> None:
    machine = scene.machine()
    assert (clock_mhz(machine), celsius(machine), is_throttled(machine)) == (None, None, None)


def test_the_firmware_knows_best(scene: Scene) -> None:
    """The system's own clock is what it asked for."""
    scene.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2400000\n")
    for bits, throttled in (("0x0", False), ("0x50005", True), ("0xe0000", False), ("0x8", True)):
        scene.program("vcgencmd", PI % bits)
        assert is_throttled(scene.machine()) is throttled
    assert clock_mhz(scene.machine()) == 1500.4


def test_other_machines(scene: Scene) -> None:
    scene.write("proc/cpuinfo", "cpu MHz\t\t: 2596.100\ncpu MHz\t\t: 2100\nmodel name: x\n")
    assert clock_mhz(scene.machine()) == 2596.1
    scene.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1800000\n")
    scene.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "600000\n")
    assert clock_mhz(scene.machine()) == 1800
    scene.write("sys/class/thermal/thermal_zone0/temp", "48500\n")
    scene.write("sys/class/thermal/thermal_zone1/temp", "none\n")
    scene.write("sys/class/thermal/thermal_zone2/temp", "255000\n")  # no sensor that works
    assert celsius(scene.machine()) == 48.5
    scene.write("sys/class/thermal/cooling_device0/type", "pwm-fan\n")
    scene.write("sys/class/thermal/cooling_device0/cur_state", "3\n")
    assert is_throttled(scene.machine()) is None
    scene.write("sys/class/thermal/cooling_device1/type", "cpufreq-cpu0\n")
    state = scene.write("sys/class/thermal/cooling_device1/cur_state", "0\n")
    assert is_throttled(scene.machine()) is False
    state.write_text("2\n")
    assert is_throttled(scene.machine()) is True
