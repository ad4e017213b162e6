"""Camera, microphone, networks and gallery of a kiosk, and the thread that looks.

Memory is given back: glibc gives each thread an arena of its own, which keeps the most that it ever
needed, and after the first large block that is freed takes others of that size from arenas too. A
kiosk decodes pictures in many threads, for months: its memory grew by a tenth within half an hour.
"""

from __future__ import annotations

import ctypes
import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Literal

import numpy as np

from edge_runtime.apps.kiosk.events import DecisionEvent, FaceAt, State, View
from edge_runtime.apps.kiosk.presence import Presence
from edge_runtime.capture.camera import Camera, Frame
from edge_runtime.capture.microphone import Clip, Microphone
from edge_runtime.capture.source import Status
from edge_runtime.decision.decide import Decision
from edge_runtime.decision.identify import Identifier
from edge_runtime.decision.watch import Seen, Watcher, watch
from edge_runtime.errors import CaptureError, GalleryError, VisavoxError
from edge_runtime.gallery.store import Gallery
from edge_runtime.signals.detection import Detector, Picture
from edge_runtime.signals.voice import Sound
from edge_runtime.signals.voice_quality import LEAST_POWER, LEVEL_S

if TYPE_CHECKING:
    from edge_runtime.gallery.entries import Summary
    from edge_runtime.gallery.erasure import Forgotten

OpenSources = Callable[[], tuple[Camera | None, Microphone | None]]
ALIVE_S = 10.0  # within which the thread has to have looked, or something hangs
_AGAIN_S = 1.0  # before files are played again, or what has failed is tried again

log = logging.getLogger("visavox.kiosk")


class Station:
    """What a kiosk has. All methods may be called from any thread.

    open_sources: makes camera and microphone, not yet opened; called again once both have ended,
    as files do. on_decision: called by the thread that looks, for each decision. on_forget: called
    with the name of whoever is forgotten.
    """

    def __init__(
        self, identifier: Identifier, detector: Detector, gallery: Gallery | None,
        open_sources: OpenSources,
    ) -> None:
        self.identifier, self.detector, self.gallery = identifier, detector, gallery
        self.using = threading.RLock()  # held while networks, detector or gallery are used
        self.on_decision: list[Callable[[DecisionEvent], None]] = []
        self.on_forget: list[Callable[[str], None]] = []
        self.enrolling = False  # while it is, nobody is named
        self.camera: Camera | None = None
        self.microphone: Microphone | None = None
        self._open_sources = open_sources
        self._between: dict[str, Status] = {}  # how the sources were, until they are opened again
        self._watcher = Watcher(identifier, detector, gallery)
        self._presence = Presence()
        self._stop = threading.Event()
        self._looked_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="visavox kiosk", daemon=True)

    def __enter__(self) -> Station:
        self._looked_s = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(5.0)

    @property
    def alive(self) -> bool:
        """Whether the thread has looked not long ago."""
        return self._thread.is_alive() and time.monotonic() - self._looked_s < ALIVE_S

    @property
    def state(self) -> State:
        return "enrolling" if self.enrolling else self._presence.state

    def view(self) -> View:
        """What is seen and heard now."""
        known = self._presence
        camera, microphone = self.status("camera"), self.status("microphone")
        return View(self.state, known.face, known.face_hint, known.voice_hint, self._level_db(),
                    camera.state if camera else None, microphone.state if microphone else None)

    def status(self, name: Literal["camera", "microphone"]) -> Status | None:
        """How a source is; None without it. One that is about to be opened again, as a file is
        once it has ended, is as it was before it was closed."""
        source = self.camera if name == "camera" else self.microphone
        return self._between.get(name, source.status) if source else None

    def people(self) -> list[Summary]:
        """Everybody enrolled; without a gallery, of whom only names are known, nobody."""
        if self.gallery is None:
            return []
        with self.using:
            return self.gallery.people()

    @property
    def names(self) -> list[str]:
        """Whom this kiosk can name."""
        return (list(self.identifier.manifest.people) if self.gallery is None
                else [person.person for person in self.people()])

    def forget(self, name: str) -> Forgotten:
        """Raises GalleryError, also where there is no gallery."""
        with self.using:
            forgotten = self.enrolled.forget(name)
        for forget in self.on_forget:
            forget(forgotten.person)
        return forgotten

    @property
    def enrolled(self) -> Gallery:
        """The gallery; GalleryError where the kiosk was started without."""
        if self.gallery is None:
            raise GalleryError("expected a gallery, found none: this kiosk names the people of "
                               "the training; start it with --gallery FILE")
        return self.gallery

    def identify(
        self, face: Picture | None = None, picture: Picture | None = None,
        voice: Sound | None = None,
    ) -> Decision:
        """See Identifier.identify."""
        with self.using:
            return self.identifier.identify(face, voice, picture=picture, detector=self.detector,
                                            gallery=self.gallery)

    def frame(self, timeout_s: float, newer_than: Frame | None = None) -> Frame | None:
        """The camera's newest frame: see Camera.latest."""
        camera = self.camera
        if camera is None:
            self._stop.wait(timeout_s)
            return None
        try:
            return camera.latest(timeout_s, newer_than)
        except CaptureError:
            return None

    def clip(self, seconds: float, timeout_s: float, newer_than: Clip | None = None) -> Clip | None:
        """The last seconds of sound: see Microphone.last."""
        microphone = self.microphone
        return microphone.last(seconds, timeout_s, newer_than) if microphone else None

    def _level_db(self) -> float | None:
        clip = self.clip(LEVEL_S, 0.0)
        if clip is None or not clip.sound.size:
            return None
        power = float(np.mean(np.square(clip.sound, dtype=np.float64)))
        return round(10 * math.log10(max(power, LEAST_POWER)), 1)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
            except VisavoxError as problem:
                log.warning("%s", problem)
            except Exception:  # a fault of ours must not end the kiosk
                log.exception("the loop has failed and begins again")
            self._looked_s = time.monotonic()
            self._stop.wait(_AGAIN_S)

    def _watch(self) -> None:
        """Until camera and microphone have ended, or failed for good."""
        self.camera, self.microphone = self._open_sources()
        self._between = {}
        with ExitStack() as stack:
            for source in (self.camera, self.microphone):
                if source:
                    stack.enter_context(source)
            stack.callback(self._remember)
            for seen in watch(self._watcher, self.camera, self.microphone, using=self.using):
                self._looked_s = time.monotonic()
                if self._stop.is_set():
                    return
                self._tell(seen)

    def _remember(self) -> None:
        """How the sources are, before they are closed."""
        self._between = {name: source.status for name, source in (
            ("camera", self.camera), ("microphone", self.microphone)) if source}

    def _tell(self, seen: Seen) -> None:
        face = FaceAt.of(seen.box, seen.frame.picture) if seen.box and seen.frame else None
        event = self._presence.update(seen, face)
        if self.enrolling:
            self._presence.untold()
            return
        if event is None:
            return
        for tell in self.on_decision:
            tell(event)


_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h of glibc
_ARENAS = 2
_LARGE_BYTES = 256 * 1024  # blocks of this size go back to the system when they are freed


def keep_memory_small() -> None:
    """To be called before threads begin. Does nothing where the C library has no mallopt."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
