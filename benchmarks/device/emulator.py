"""QEMU's user mode: an arm64 Python with its wheels, run as a process of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.device.devices import Device
from benchmarks.device.plugin import WITHOUT, build_plugin
from edge_runtime.errors import UsageError


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
