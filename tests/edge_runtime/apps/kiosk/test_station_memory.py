"""Threads that need much for a moment leave nothing of it behind."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

GROWTH = """
import sys, threading
from edge_runtime.apps.kiosk.station import keep_memory_small
def resident():
    return int(open("/proc/self/statm").read().split()[1])
if sys.argv[1] == "small":
    keep_memory_small()
done, end = threading.Barrier(17), threading.Event()
def work():
    for _ in range(20):
        blocks = [bytearray(b"x") * 900_000 for _ in range(4)]  # as a picture of 640 x 480
        del blocks
    done.wait()
    end.wait()
before = resident()
for _ in range(16):
    threading.Thread(target=work, daemon=True).start()
done.wait()
print(resident() - before)
end.set()
"""


def growth(how: str) -> int:
    """Pages of memory."""
    done = subprocess.run([sys.executable, "-c", GROWTH, how], capture_output=True, text=True,
                          check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc's malloc")
def test_threads_keep_nothing() -> None:
    assert growth("small") < 0.2 * growth("as it is")
