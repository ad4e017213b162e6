"""Programs that write a device's pictures or sound into a pipe: rpicam-vid, arecord."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
import time
from collections.abc import Generator, Sequence

from edge_runtime.capture.status import DeviceError, device_error

_QUIET_S = 4.0  # then it is ended and started again; a Pi's camera takes some 2 s to start
_TICK_S = 0.1  # how soon a stop is seen
_TAIL_BYTES = 4_000  # of what it complains about


def output_of(
    command: Sequence[str], name: str, stop: threading.Event
) -> Generator[bytes, None, None]:
    """What a program writes to its standard output, as it comes; the program ends with the reader.

    Raises DeviceError with the last line of its standard error where it ends, and where it writes
    nothing for 4 s.
    """
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, bufsize=0)
    except OSError as error:
        raise device_error(name, f"{command[0]}: {error.strerror}") from None
    try:
        yield from _read(process, name, stop)
    finally:
        _end(process)


def _read(
    process: subprocess.Popen[bytes], name: str, stop: threading.Event
) -> Generator[bytes, None, None]:
    assert process.stdout and process.stderr
    complaint = b""
    heard_s = time.monotonic()
    with selectors.DefaultSelector() as pipes:
        pipes.register(process.stdout, selectors.EVENT_READ)
        pipes.register(process.stderr, selectors.EVENT_READ)
        while not stop.is_set():
            for key, _ in pipes.select(_TICK_S):
                data = os.read(key.fd, 1 << 16)
                if not data:
                    pipes.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    complaint = (complaint + data)[-_TAIL_BYTES:]
                else:
                    heard_s = time.monotonic()
                    yield data
            if not pipes.get_map():
                raise device_error(name, _last_line(complaint))
            if time.monotonic() - heard_s > _QUIET_S:
                raise DeviceError("stalled", f"{name}: it has given nothing for {_QUIET_S:.0f} s; "
                                             "check its cable")


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1].strip(" *") if lines else "its program has ended"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
