"""The bundle that is named: whole, certified, and fit for this machine's interpreter."""

from __future__ import annotations

from collections.abc import Iterator

from edge_runtime.bundle import load_bundle
from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine
from edge_runtime.doctor.watch import parted
from edge_runtime.errors import BundleError

DAMAGED = Problem("bundle-damaged", "fault", "a bundle that is missing, damaged or of another "
                  "version")
UNCERTIFIED = Problem("bundle-uncertified", "fault", "a bundle that is not certified")
OTHER_INTERPRETER = Problem("bundle-interpreter", "fault", "a bundle made for another interpreter")
CRASHES = Problem("bundle-crashes", "fault", "networks that this machine cannot run, tried in a "
                  "process of their own")
WARNINGS = Problem("bundle-warning", "warning", "what conversion warned of, such as a recipe "
                   "slower than float32")

_INSTALL = {
    "ai-edge-litert": "pip install 'ai-edge-litert>=2.3,<3'",
    "tflite-runtime": "pip uninstall -y ai-edge-litert && pip install 'tflite-runtime==2.14.0' "
                      "'numpy<2' (Python 3.11)",
}
_RUN = """
from pathlib import Path
import numpy as np
from edge_runtime.bundle import load_bundle
for network in load_bundle(Path(sys.argv[1]), allow_uncertified=True).networks().values():
    network.run(**{name: np.zeros(shape, np.float32) for name, shape in network.inputs.items()})
"""


def _look_at_bundle(machine: Machine) -> Iterator[Finding]:
    if machine.bundle is None:
        return
    try:
        manifest = load_bundle(machine.bundle, allow_uncertified=True).manifest
    except BundleError as error:
        yield DAMAGED.found(*parted(str(error)))
        return
    if not manifest.certified:
        yield UNCERTIFIED.found(
            f"{machine.bundle}: the bundle is not certified ({manifest.reason})",
            "convert another recipe or a better run: python -m convert bundle RUN --recipe RECIPE "
            "--out BUNDLE; or use it as it is with --allow-uncertified")
    for warning in manifest.warnings:
        yield WARNINGS.found(f"{machine.bundle}: {warning}",
                             "choose another recipe or other people: python -m convert sweep RUN "
                             "--out DIR shows all of them")
    name = machine.interpreter
    if name is None:
        return  # which is said elsewhere
    if name not in manifest.interpreters:
        yield OTHER_INTERPRETER.found(
            f"{machine.bundle}: made for {', '.join(manifest.interpreters)}, found {name}",
            " or ".join(_INSTALL.get(other, f"pip install {other}")
                        for other in manifest.interpreters) or manifest.remedy)
    elif error_line := machine.child_error(_RUN, str(machine.bundle)):
        yield CRASHES.found(f"{machine.bundle}: {name} cannot run it: {error_line}",
                            f"pip install --upgrade {name}; if that does not help, "
                            f"{manifest.remedy} with another recipe")
    else:
        yield well("bundle", f"{machine.bundle}: {manifest.recipe}, {len(manifest.people)} people, "
                             f"runs on {name}")


CHECKS = (
    Check("bundle", _look_at_bundle,
          (DAMAGED, UNCERTIFIED, OTHER_INTERPRETER, CRASHES, WARNINGS)),
)
