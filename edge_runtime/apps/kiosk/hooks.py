"""A hook for each decision: a command, or a webhook. One after the other, each within its time.

A photograph and a recording pass for the person, so that whatever a hook does can be had by
whoever holds these: it does not run before the configuration says `accept_replay_risk = true`.
It does not run either for a decision that has waited for longer than FRESH_S, behind slow ones:
whatever it does, it would do for somebody who may have gone.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from edge_runtime.apps.kiosk.configuration import HookSettings
from edge_runtime.apps.kiosk.events import FRESH_S, DecisionEvent
from edge_runtime.apps.kiosk.metrics import Metrics

NOT_ACCEPTED = ("the hook does not run: a photograph and a recording pass for the person, and so "
                "bring about what it does; [hook] accept_replay_risk = true accepts that")
_WAITING = 20  # decisions that wait for a slow hook
_LOOK_S = 0.5  # between two looks whether to stop
_SECRET = "VISAVOX_"  # what the environment holds for the kiosk alone, such as the device key

log = logging.getLogger("visavox.kiosk")


class Hook:
    """Runs in a thread of its own, as long as the context lasts."""

    def __init__(
        self, settings: HookSettings, metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._metrics, self._clock = settings, metrics, clock
        self._waiting: queue.Queue[tuple[float, bytes]] = queue.Queue(_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="visavox hook", daemon=True)

    def __enter__(self) -> Hook:
        if self._settings.accept_replay_risk:
            self._thread.start()
        else:
            log.warning("%s", NOT_ACCEPTED)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._settings.timeout_s + 1)

    def decided(self, event: DecisionEvent) -> None:
        """Has the hook run for a decision; never waits."""
        if not self._settings.accept_replay_risk:
            return
        try:
            self._waiting.put_nowait((self._clock(), json.dumps(event.message()).encode()))
        except queue.Full:
            self._note("dropped", "it takes too long for so many decisions")

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                at_s, content = self._waiting.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if (age_s := self._clock() - at_s) > FRESH_S:
                self._note("late", f"a decision of {age_s:.0f} s ago is left out")
                continue
            try:
                if self._settings.command is not None:
                    self._command(self._settings.command, content)
                elif self._settings.url is not None:
                    self._webhook(self._settings.url, content)
                self._metrics.hooks.labels("done").inc()
            except TimeoutError:
                self._note("too_slow", f"it was stopped after {self._settings.timeout_s:g} s")
            except (OSError, ValueError, http.client.HTTPException) as error:
                self._note("failed", _why(error))

    def _note(self, result: str, why: str) -> None:
        self._metrics.hooks.labels(result).inc()
        log.warning("the hook: %s", why)

    def _command(self, command: list[str], content: bytes) -> None:
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(_SECRET)}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=environment,
                              start_new_session=True) as child:
            try:
                child.communicate(content, self._settings.timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)  # with what it has started
                raise TimeoutError from None
        if child.returncode:
            raise OSError(f"{command[0]} ended with exit code {child.returncode}")

    def _webhook(self, url: str, content: bytes) -> None:
        parts = urlsplit(url)
        kind = (http.client.HTTPSConnection if parts.scheme == "https"
                else http.client.HTTPConnection)
        connection = kind(parts.hostname or "", parts.port, timeout=self._settings.timeout_s)
        late = threading.Event()

        def stop() -> None:  # a timeout of sockets bounds each read, not all of them
            late.set()
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._settings.timeout_s, stop)
        timer.start()
        try:
            connection.request("POST", f"{parts.path or '/'}{'?' if parts.query else ''}"
                               f"{parts.query}", content, _headers(parts))
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            if not late.is_set():
                raise
        finally:
            timer.cancel()
            connection.close()
        if late.is_set():
            raise TimeoutError
        if not 200 <= status < 300:
            raise OSError(f"the webhook answers {status}")


def _headers(parts: SplitResult) -> dict[str, str]:
    """With the user and the password of the url, which would do nothing otherwise."""
    found = {"Content-Type": "application/json"}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        found["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    return found


def _why(error: Exception) -> str:
    """Without what the url may hold: only errors of the system say no part of it."""
    return str(error) if isinstance(error, OSError) else f"it failed ({type(error).__name__})"
