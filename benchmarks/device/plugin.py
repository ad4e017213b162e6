"""The counter of instructions (plugin.c), compiled for the QEMU at hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from edge_runtime.errors import UsageError

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
