"""Python, the interpreter for .tflite files, and the packages of the extras."""

from __future__ import annotations

from collections.abc import Iterator

from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine
from edge_runtime.interpreter import CHOICES

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
