"""The command `visavox` in processes of its own."""

from __future__ import annotations

import subprocess
import sys

RUN = "import sys; from edge_runtime.apps.cli import main; sys.exit(main())"


def visavox(*arguments: object, code: str = RUN) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], text=True,
                          capture_output=True, check=False, timeout=300)


def mistake(*arguments: object) -> str:
    """The one line of standard error."""
    done = visavox(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("visavox: ") and "Traceback" not in lines[0]
    return lines[0].removeprefix("visavox: ")
