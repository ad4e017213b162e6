"""Files in the place of devices, played at their own pace: videos, folders of pictures, sound."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from pathlib import Path

from edge_runtime.capture.camera import Frame, import_opencv
from edge_runtime.capture.microphone import Clip, Resampler
from edge_runtime.capture.source import DeviceError, Produce
from edge_runtime.errors import InputError
from edge_runtime.signals.face import read_picture
from edge_runtime.signals.picture_format import PICTURES, is_video
from edge_runtime.signals.sound_file import SoundFile

PICTURE_S = 0.5  # each picture of a folder is shown for so long
_JOIN_S = 5.0  # a file waits for the others for so long
_BLOCK_S = 0.05
_MAX_PIXELS = 7680 * 4320  # of a video's frame, which takes 3 bytes for each several times
_LATE_S, _SHOWN_S = 0.1, 0.5  # a late frame is left out, if one has been shown not long ago


class FileClock:
    """One start for files that play together: the moment when all of them are open.

    Each file's source joins when it is made. A file that cannot be opened keeps the others waiting
    for 5 s; one that is opened later goes on where they are.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._awaited = 0
        self._start_s: float | None = None

    def join(self) -> None:
        """One file more to wait for."""
        with self._changed:
            self._awaited += 1

    def start_s(self) -> float:
        """Called by each file when it is open: the common start, as time.monotonic()."""
        with self._changed:
            self._awaited -= 1
            if self._awaited > 0:
                self._changed.wait_for(lambda: self._start_s is not None, _JOIN_S)
            if self._start_s is None:
                self._start_s = time.monotonic()
                self._changed.notify_all()
            return self._start_s


def video_frames(path: Path, clock: FileClock) -> Produce[Frame]:
    """The frames of a video file, each at its time."""
    clock.join()

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        cv2 = import_opencv()
        _check_video(path)
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        try:
            if not capture.isOpened():
                raise _no_video(path, "none that OpenCV reads")
            width, height = (round(capture.get(side)) for side in (
                cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
            if width * height > _MAX_PIXELS:
                raise _no_video(path, f"one of {width}x{height} pixels, over 8K")
            start_s = clock.start_s()
            shown_s = 0.0
            while capture.grab():
                at_s = start_s + capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
                now_s = time.monotonic()
                if now_s - at_s > _LATE_S and now_s - shown_s < _SHOWN_S:
                    continue
                if stop.wait(max(at_s - now_s, 0.0)):
                    return
                there, picture = capture.retrieve()
                if there:
                    shown_s = time.monotonic()
                    yield Frame(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), at_s)
        finally:
            capture.release()

    return frames


def _check_video(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise _no_video(path, f"a file that cannot be read ({error.strerror})") from None
    if not is_video(head):
        raise _no_video(path, "none of MP4, MOV, AVI, Matroska, WebM and MPEG")


def _no_video(path: Path, found: str) -> DeviceError:
    return DeviceError("failed", f"{path}: expected a video, found {found}; convert it to MP4 "
                                 "(H.264)")


def folder_frames(path: Path, clock: FileClock) -> Produce[Frame]:
    """The pictures of a folder by name, one each PICTURE_S; files that are none are left out."""
    clock.join()

    def frames(stop: threading.Event) -> Generator[Frame, None, None]:
        start_s: float | None = None
        shown = 0
        for file in sorted(file for file in path.iterdir() if file.is_file()):
            try:
                picture = read_picture(file)
            except InputError:
                continue
            start_s = clock.start_s() if start_s is None else start_s
            at_s = start_s + shown * PICTURE_S
            shown += 1
            if stop.wait(max(at_s - time.monotonic(), 0.0)):
                return
            yield Frame(picture, at_s)
        if not shown:
            raise DeviceError("failed", f"{path}: expected a folder of pictures ({PICTURES}), "
                                        "found none in it; convert them to JPEG")
        stop.wait(PICTURE_S)  # of the last one

    return frames


def sound_clips(path: Path, clock: FileClock) -> Produce[Clip]:
    """The sound of a file, in blocks, each at its time."""
    clock.join()

    def clips(stop: threading.Event) -> Generator[Clip, None, None]:
        try:
            with path.open("rb") as opened, SoundFile(opened, str(path)) as file:
                resampler = Resampler(file.rate)
                start_s, heard = clock.start_s(), 0
                blocks = file.blocks(round(_BLOCK_S * file.rate))
                block = next(blocks, None)
                while block is not None:
                    heard += len(block)
                    end_s = start_s + heard / file.rate
                    if stop.wait(max(end_s - time.monotonic(), 0.0)):
                        return
                    following = next(blocks, None)
                    yield resampler.clip(block, end_s, last=following is None)
                    block = following
        except OSError as error:
            raise DeviceError("failed", f"{path}: expected a sound file that can be read "
                                        f"({error.strerror})") from None
        except InputError as error:
            raise DeviceError("failed", str(error)) from None

    return clips
