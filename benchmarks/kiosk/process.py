"""A kiosk in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cost.timing import ROOT
from edge_runtime.errors import UsageError

_PROGRAM = "import sys; from edge_runtime.apps.cli import main; sys.exit(main())"
_AT = re.compile(r"at (http://[^/]+)/")
_STOP_S = 20.0


@dataclass(frozen=True)
class Kiosk:
    """url: without a slash at its end. token: of its administration. log: its standard error."""

    url: str
    token: str
    log: Path

    def complaints(self) -> list[str]:
        """The lines that it has written to standard error."""
        return self.log.read_text(encoding="utf-8").strip().splitlines()


@contextmanager
def kiosk_running(arguments: Sequence[str]) -> Iterator[Kiosk]:
    """`visavox kiosk` with these arguments, on a free port, with a token made for it.

    UsageError with what it said where it does not start.
    """
    from edge_runtime.apps.kiosk.tokens import set_token

    with TemporaryDirectory(prefix="visavox-kiosk-") as folder:
        file, log = Path(folder) / "token.json", Path(folder) / "log"
        token = set_token(file)
        with log.open("w+", encoding="utf-8") as said:
            child = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, "kiosk", "--port", "0", "--token-file", str(file),
                 *arguments],
                env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=said,
                text=True)
            try:
                yield Kiosk(_url(child, log), token, log)
            finally:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(_STOP_S)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def _url(child: subprocess.Popen[str], log: Path) -> str:
    assert child.stdout
    for line in child.stdout:
        if found := _AT.search(line):
            return found[1]
    said = log.read_text(encoding="utf-8").strip().splitlines()
    raise UsageError(f"the kiosk did not start: {said[-1] if said else 'it said nothing'}")
