"""The bundle that is named, the device key and the gallery.

A bundle is to be whole, certified, and fit for this machine's interpreter; key and gallery readable
here, by nobody else, and of this bundle.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from edge_runtime.bundle.manifest import read_manifest
from edge_runtime.bundle.networks import load_bundle
from edge_runtime.doctor.cameras import parted
from edge_runtime.doctor.finding import Check, Finding, Problem, well
from edge_runtime.doctor.machine import Machine
from edge_runtime.errors import BundleError, GalleryError, UsageError
from edge_runtime.gallery.database import Database
from edge_runtime.gallery.keys import VARIABLE, default_key_file, device_key
from edge_runtime.gallery.store import Gallery

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
from edge_runtime.bundle.networks import load_bundle
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


KEY_OPEN = Problem("key-open", "fault", "a device key that others than its owner can read")
KEY_UNUSABLE = Problem("key-unusable", "fault", "a device key that is missing, not readable, or "
                       "none")
GALLERY_UNUSABLE = Problem("gallery-unusable", "fault", "a gallery that is missing, damaged, "
                           "altered, an older copy of itself, or made with another key")
OTHER_BUNDLE = Problem("gallery-bundle", "fault", "a gallery of another bundle")


def _look_at_key(machine: Machine) -> Iterator[Finding]:
    from_variable = machine.key is None and VARIABLE in os.environ
    try:
        file = machine.key or default_key_file()
        mode = None if from_variable else stat.S_IMODE(file.stat().st_mode)
    except (OSError, UsageError):  # no such file, or no home that it could be in
        if machine.key is None and not (machine.gallery and machine.gallery.exists()):
            return  # nobody is enrolled here
        mode = None
    if mode is not None and mode & 0o077:
        yield KEY_OPEN.found(f"{file}: others can read the device key (mode {mode:04o})",
                             f"chmod 600 '{file}'")
        return
    try:
        device_key(machine.key)
    except (GalleryError, UsageError) as error:
        yield KEY_UNUSABLE.found(*parted(str(error)))
    else:
        yield well("key", f"${VARIABLE} holds a device key" if from_variable
                   else f"{file}: its owner alone can read it")


def _look_at_gallery(machine: Machine) -> Iterator[Finding]:
    if machine.gallery is None:
        return
    try:
        if machine.gallery.exists():
            device_key(machine.key)
    except (GalleryError, UsageError):
        return  # which is said of the key
    try:
        with Gallery.open(machine.gallery, key_file=machine.key) as gallery:
            people = len(gallery.people())
            gallery.audit()
            forced = gallery.forced()
        others = _other_networks(machine)
    except GalleryError as error:
        yield GALLERY_UNUSABLE.found(*parted(str(error)))
        return
    if others:
        yield OTHER_BUNDLE.found(
            f"{machine.gallery}: made with another bundle, whose {' and '.join(others)} networks "
            "are others", "name the bundle that it was made with, or enroll everybody anew in "
            "another gallery: visavox enroll --gallery FILE NAME")
    else:
        how = ", by --force: the network does not tell new people apart" if forced else ""
        yield well("gallery", f"{machine.gallery}: {people} enrolled{how}")


def _other_networks(machine: Machine) -> list[str]:
    """The gallery's modalities whose embeddings come from other networks than the bundle's."""
    if machine.gallery is None or machine.bundle is None:
        return []
    try:
        files = read_manifest(machine.bundle).files
    except BundleError:
        return []  # which is said of the bundle
    database = Database(machine.gallery, writable=False)
    try:
        made_with = database.execute("SELECT modality, sha256 FROM networks")
    finally:
        database.close()
    return [modality for modality, sha256 in made_with
            if modality not in files or files[modality].sha256 != sha256]


GALLERY_CHECKS = (
    Check("key", _look_at_key, (KEY_OPEN, KEY_UNUSABLE)),
    Check("gallery", _look_at_gallery, (GALLERY_UNUSABLE, OTHER_BUNDLE)),
)
