"""Python, the interpreter for .tflite files, the packages of the extras, and what the system gives
them: libraries for OpenCV and PortAudio, memory, disk space and the clock.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from edge_runtime.bundle.networks import CHOICES
from edge_runtime.capture.microphone import arecord_program
from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine

_WHEELS = ("x86_64", "aarch64", "arm64")  # of ai-edge-litert
_OLDEST_PYTHON, _NEWEST_PYTHON = (3, 11), (3, 13)
_INSTALL = "pip install 'ai-edge-litert>=2.3,<3'"
# Modules of each extra, and what cannot be done without it.
EXTRAS = {
    "capture": (("cv2", "sounddevice", "webrtcvad"), "cameras, microphones and whole pictures"),
    "gallery": (("cryptography",), "people enrolled on the device"),
}

NO_WHEELS = Problem("no-wheels", "fault", "a Python or a processor without wheels of "
                    "ai-edge-litert")
NO_INTERPRETER = Problem("no-interpreter", "fault", "no interpreter for .tflite files")
INTERPRETER_BROKEN = Problem("interpreter-broken", "fault", "an interpreter that does not import")
TFLITE_NUMPY2 = Problem("tflite-numpy2", "fault", "tflite-runtime with NumPy 2, which crashes it")
EXTRA_MISSING = Problem("extra-missing", "warning", "an extra that is not installed, and what it "
                        "is for")


def _look_at_interpreter(machine: Machine) -> Iterator[Finding]:
    name = machine.interpreter
    if name is None:
        yield _none_installed(machine)
        return
    numpy = machine.version("numpy") or "0"
    if name == "tflite-runtime" and int(numpy.partition(".")[0]) >= 2:
        yield TFLITE_NUMPY2.found(f"tflite-runtime is built for NumPy 1, found NumPy {numpy}",
                                  "pip install 'numpy<2'")
    elif error := machine.import_error(dict(CHOICES)[name]):
        yield INTERPRETER_BROKEN.found(
            f"{name} does not import: {error}",
            f"pip install --force-reinstall --no-deps {name}=={machine.version(name)}; if that "
            "does not help, update the system: it may be older than the package asks for")
    else:
        yield well("interpreter", f"{name} {machine.version(name)}")


def _none_installed(machine: Machine) -> Finding:
    if machine.pointer_bits == 32 or machine.architecture not in _WHEELS:
        return NO_WHEELS.found(
            f"ai-edge-litert has no wheels for {machine.architecture}, {machine.pointer_bits} bits",
            "install a 64-bit system; or, on 32-bit ARM with Python 3.11: pip install "
            "'tflite-runtime==2.14.0' 'numpy<2'")
    if not _OLDEST_PYTHON <= machine.python <= _NEWEST_PYTHON:
        found = ".".join(map(str, machine.python))
        return NO_WHEELS.found(
            f"expected Python 3.11 to 3.13, for which there are wheels, found {found}",
            "python3.12 -m venv visavox && visavox/bin/pip install visavox-*.whl")
    return NO_INTERPRETER.found("neither ai-edge-litert nor tflite-runtime is installed", _INSTALL)


def _look_at_extras(machine: Machine) -> Iterator[Finding]:
    for extra, (modules, purpose) in EXTRAS.items():
        if missing := [module for module in modules if not machine.has_module(module)]:
            yield EXTRA_MISSING.found(f"{purpose}: {', '.join(missing)} not installed",
                                      f"pip install 'visavox[{extra}]'")
        else:
            yield well("extras", f"{extra} is installed, for {purpose}")


CHECKS = (
    Check("interpreter", _look_at_interpreter,
          (NO_WHEELS, NO_INTERPRETER, INTERPRETER_BROKEN, TFLITE_NUMPY2)),
    Check("extras", _look_at_extras, (EXTRA_MISSING,)),
)


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


LIBRARY_CHECKS = (
    Check("opencv", _look_at_opencv, (OPENCV_TWICE, OPENCV_5, OPENCV_LIBRARY, OPENCV_BROKEN)),
    Check("sound", _look_at_sound, (PORTAUDIO_MISSING,)),
)


_MEMORY_MIB = 200  # one `visavox identify` takes up to 150
_CLOCK_S = 300.0  # by which clocks of two machines may differ

LOW_MEMORY = Problem("low-memory", "warning", f"less than {_MEMORY_MIB} MiB of memory left")
LITTLE_DISK = Problem("little-disk", "warning", "little disk space where the bundle or the "
                      "gallery lies")
CLOCK_BEHIND = Problem("clock-behind", "fault", "a clock that is before the time at which Visavox "
                       "or the bundle was written")
CLOCK_FREE = Problem("clock-free", "warning", "a clock that nothing sets right (timedatectl)")


def _look_at_memory(machine: Machine) -> Iterator[Finding]:
    found = re.search(r"^MemAvailable:\s*(\d+) kB", machine.text("proc/meminfo"), re.MULTILINE)
    if found is None:
        return
    mib = int(found[1]) // 1024
    if mib < _MEMORY_MIB:
        yield LOW_MEMORY.found(f"{mib} MiB of memory are left; identifying takes up to 150",
                               "end what takes most (ps -eo rss,pid,comm --sort=-rss | head), or "
                               "add compressed swap: sudo apt install zram-tools")
    else:
        yield well("memory", f"{mib} MiB are left")


def _look_at_disk(machine: Machine) -> Iterator[Finding]:
    for path in (machine.bundle, machine.gallery):
        if path is None:
            continue
        folder = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
        free = shutil.disk_usage(folder).free
        if free < machine.needed_bytes:
            yield LITTLE_DISK.found(f"{path}: {free / 1e6:.0f} MB of disk space are left",
                                    f"delete what is not needed: du -xh '{folder}' | sort -h | "
                                    "tail; then sudo apt clean")
        else:
            yield well("disk", f"{path}: {free / 1e9:.1f} GB are left")


def _look_at_clock(machine: Machine) -> Iterator[Finding]:
    written, file = max((file.stat().st_mtime, file) for file in _dated_files(machine))
    now_s = time.time()
    if now_s < written - _CLOCK_S:
        yield CLOCK_BEHIND.found(
            f"it is {_day(now_s)} by the clock, but {file} was written on {_day(written)}: "
            "certificates fail, and the times stored of people are wrong",
            "sudo timedatectl set-ntp true; without a network: sudo date -s 'YYYY-MM-DD HH:MM'")
    elif machine.output("timedatectl", "show", "--property=NTPSynchronized", "--value") == "no":
        yield CLOCK_FREE.found("the clock is not synchronised with the network",
                               "sudo timedatectl set-ntp true; without a network, add a real-time "
                               "clock")
    else:
        yield well("clock", f"it is {_day(now_s)}")


def _dated_files(machine: Machine) -> Iterator[Path]:
    yield Path(__file__)
    if machine.bundle is not None and machine.bundle.is_dir():
        yield from (file for file in machine.bundle.iterdir() if file.is_file())


def _day(time_s: float) -> str:
    return datetime.fromtimestamp(time_s).astimezone().strftime("%Y-%m-%d %H:%M")


SYSTEM_CHECKS = (
    Check("memory", _look_at_memory, (LOW_MEMORY,)),
    Check("disk", _look_at_disk, (LITTLE_DISK,)),
    Check("clock", _look_at_clock, (CLOCK_BEHIND, CLOCK_FREE)),
)
