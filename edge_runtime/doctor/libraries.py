"""OpenCV and PortAudio: packages that lean on libraries of the system."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge_runtime.capture.arecord import arecord_program
from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine

# Debian packages of the libraries that OpenCV's wheels leave to the system.
_PACKAGES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0",
             "libglib-2.0.so.0": "libglib2.0-0", "libxcb.so.1": "libxcb1", "libSM.so.6": "libsm6",
             "libXext.so.6": "libxext6", "libXrender.so.1": "libxrender1"}
_OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python",
           "opencv-contrib-python-headless")  # all of which bring the module cv2

OPENCV_TWICE = Problem("opencv-twice", "fault", "two builds of OpenCV, such as opencv-python and "
                       "opencv-python-headless, which overwrite each other's files")
OPENCV_5 = Problem("opencv-5", "fault", "OpenCV 5, which has no face detector by cascades")
OPENCV_LIBRARY = Problem("opencv-library", "fault", "a library of the system that OpenCV does not "
                         "import without, such as libGL")
OPENCV_BROKEN = Problem("opencv-broken", "fault", "an OpenCV that does not import for another "
                        "reason")
PORTAUDIO_MISSING = Problem("portaudio-missing", "fault", "neither PortAudio nor arecord, for "
                            "microphones")


def _look_at_opencv(machine: Machine) -> Iterator[Finding]:
    versions = {name: version for name in _OPENCV if (version := machine.version(name))}
    one = (f"pip uninstall -y {' '.join(versions or _OPENCV)} && pip install "
           "'opencv-python>=4.10,<5'")
    if len(versions) > 1:
        yield OPENCV_TWICE.found(f"{' and '.join(versions)} are both installed", one)
    if new := [version for version in versions.values() if int(version.partition(".")[0]) >= 5]:
        yield OPENCV_5.found(f"expected OpenCV 4, found {new[0]}", one)
    if not machine.has_module("cv2"):
        return
    error = machine.import_error("cv2")
    if error is None:
        yield well("opencv", f"OpenCV {' and '.join(versions.values())} imports")
    elif library := re.search(r"(lib\S+\.so[.\d]*): cannot open shared object", error):
        package = _PACKAGES.get(library[1])
        install = f"sudo apt install {package}" if package else (
            f"install the package that holds {library[1]}")
        yield OPENCV_LIBRARY.found(
            f"OpenCV does not import: {library[1]} is missing",
            f"{install}; or, without a screen: pip uninstall -y opencv-python && pip install "
            "'opencv-python-headless>=4.10,<5'")
    else:
        yield OPENCV_BROKEN.found(f"OpenCV does not import: {error}", one)


def _look_at_sound(machine: Machine) -> Iterator[Finding]:
    if not machine.has_module("sounddevice"):
        return
    error = machine.import_error("sounddevice")
    if error is None:
        yield well("sound", "PortAudio")
    elif arecord_program():
        yield well("sound", f"arecord, in the place of PortAudio ({error})")
    else:
        yield PORTAUDIO_MISSING.found(f"sounddevice does not import: {error}",
                                      "sudo apt install libportaudio2 (or alsa-utils)")


CHECKS = (
    Check("opencv", _look_at_opencv, (OPENCV_TWICE, OPENCV_5, OPENCV_LIBRARY, OPENCV_BROKEN)),
    Check("sound", _look_at_sound, (PORTAUDIO_MISSING,)),
)
