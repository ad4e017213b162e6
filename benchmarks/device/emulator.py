"""QEMU's user mode: an arm64 Python with its wheels, run as a process of this machine.

A device is a processor with the Debian that a Raspberry Pi OS is made of. Instructions are counted
by a plugin (plugin.c), compiled for the QEMU at hand.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_runtime.errors import UsageError

# The features and the part number that /proc/cpuinfo shows on a Pi. LiteRT chooses its kernels by
# them and crashes where it finds an x86's.
_CPUINFO = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: {variant}
CPU part\t: {part}
CPU revision\t: {revision}
"""


@dataclass(frozen=True)
class Device:
    """cpu: a model of QEMU's (never `max`, which computes int8 wrongly). suite: Debian's release.
    python, glibc: its version there, and the minor one of the C library. dot_product: has the
    instructions of int8 dot products (asimddp).
    """

    cpu: str
    board: str
    suite: str
    python: str
    glibc: int
    dot_product: bool
    cpuinfo: str


DEVICES = (
    Device("cortex-a72", "Raspberry Pi 4", "bookworm", "3.11", 36, False, _CPUINFO.format(
        features="fp asimd evtstrm crc32 cpuid", variant="0x0", part="0xd08", revision=3)),
    Device("cortex-a76", "Raspberry Pi 5", "trixie", "3.13", 41, True, _CPUINFO.format(
        features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm "
                 "lrcpc dcpop asimddp", variant="0x4", part="0xd0b", revision=1)),
)


@dataclass(frozen=True)
class Emulator:
    """program: QEMU. plugin: the counter; None where instructions cannot be counted."""

    program: Path
    version: str
    plugin: Path | None = None

    def command(
        self, device: Device, root: Path, marks: Path, arguments: Sequence[object]
    ) -> list[str]:
        """That of the device's Python with `arguments`. marks: where the counter writes."""
        counter = ["-plugin", f"{self.plugin},out={marks}"] if self.plugin else []
        python = root / "usr" / "bin" / f"python{device.python}"
        return [str(self.program), "-cpu", device.cpu, *counter, "-L", str(root), str(python),
                *map(str, arguments)]


def lines_of(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """What a program prints, line by line as it comes. UsageError where it ends with a failure."""
    with tempfile.TemporaryFile("w+") as errors, subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=errors,
    ) as process:
        assert process.stdout is not None
        yield from process.stdout
        if process.wait() != 0:
            errors.seek(0)
            raise UsageError(_ending(process.returncode, errors.read()))


def find_emulator() -> Emulator:
    """UsageError where QEMU is not installed."""
    for name in ("qemu-aarch64", "qemu-aarch64-static"):
        if program := shutil.which(name):
            done = subprocess.run([program, "--version"], capture_output=True, text=True,
                                  check=False)
            version = re.search(r"version (\S+)", done.stdout)
            return Emulator(Path(program), version[1] if version else "0")
    raise UsageError("expected qemu-aarch64, which runs the device's Python, found none; install "
                     "qemu-user (Debian: apt install qemu-user)")


def with_counter(emulator: Emulator, work: Path) -> Emulator:
    """UsageError where instructions cannot be counted; the emulator itself will do."""
    usage = subprocess.run([str(emulator.program), "-h"], capture_output=True, text=True,
                           check=False).stdout
    if "-plugin" not in usage:
        raise UsageError(f"expected a {emulator.program.name} that takes -plugin, found QEMU "
                         f"{emulator.version} built without; Debian 12's qemu-user has it, Debian "
                         f"13's has not; {WITHOUT}")
    return replace(emulator, plugin=build_plugin(work, int(emulator.version.split(".")[0])))


def _ending(code: int, said: str) -> str:
    """qemu dies of the signal that kills the program within."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"Python ended with {how} ({lines[-1] if lines else 'no message'})"


SOURCE = Path(__file__).with_name("plugin.c")
WITHOUT = "outputs are compared without counts of instructions"


def build_plugin(folder: Path, qemu_major: int) -> Path:
    """The shared object for QEMU's `-plugin`. UsageError where it cannot be compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise UsageError("expected a C compiler named cc, found none; install gcc (Debian: apt "
                         f"install gcc libc6-dev); {WITHOUT}")
    # QEMU 9 gave up the first version of the interface; what is used here is the same in both.
    plugin = folder / "plugin.so"
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror",
         f"-DPLUGIN_API={1 if qemu_major < 9 else 2}", "-o", str(plugin), str(SOURCE)],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = next((line for line in done.stderr.splitlines() if "error" in line), "no message")
        raise UsageError(f"cc cannot compile {SOURCE.name} ({said}); install libc6-dev; {WITHOUT}")
    return plugin
