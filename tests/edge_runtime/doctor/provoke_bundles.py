"""Problems of bundles, keys and galleries."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import numpy as np

from edge_runtime.bundle.manifest import read_manifest
from edge_runtime.doctor.machine import Machine
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.doctor.scene import Scene, provokes

KEY = base64.b64encode(bytes(range(32))).decode() + "\n"


def write_key(scene: Scene, mode: int = 0o600, content: str = KEY) -> Path:
    file = scene.folder / "config" / "visavox" / "device.key"
    file.parent.mkdir()
    file.write_text(content)
    file.chmod(mode)
    return file


def enroll(scene: Scene, bundle: Path) -> Path:
    """A gallery of a bundle, with a person of one face."""
    file = scene.folder / "gallery.db"
    manifest = read_manifest(bundle)
    embedding = np.zeros(manifest.files["face"].embedding_dim, np.float32)
    embedding[0] = 1
    with Gallery.open(file, manifest, mode="create", force=True) as gallery:
        gallery.enroll("Anna", [NewSample("a face", "face", embedding)])
    return file


@provokes("bundle-damaged", "SHA-256 differs", "copy the bundle again")
def a_damaged_bundle(scene: Scene) -> Machine:
    bundle = scene.bundle({})
    content = bytearray((bundle / "face.tflite").read_bytes())
    content[1000] ^= 1
    (bundle / "face.tflite").write_bytes(content)
    return scene.machine(bundle=bundle)


@provokes("bundle-uncertified", "lost 3 points", "python -m convert bundle RUN")
def an_uncertified_bundle(scene: Scene) -> Machine:
    return scene.machine(bundle=scene.bundle({"certified": False, "reason": "lost 3 points"}))


@provokes("bundle-interpreter", "made for tflite-runtime, found ai-edge-litert",
          "pip install 'tflite-runtime==2.14.0' 'numpy<2'")
def a_bundle_for_another_interpreter(scene: Scene) -> Machine:
    scene.package("ai-edge-litert", "2.3.0")
    return scene.machine(bundle=scene.bundle({"interpreters": ["tflite-runtime"]}))


@provokes("bundle-crashes", "ended by SIGSEGV", "pip install --upgrade ai-edge-litert")
def an_interpreter_that_crashes(scene: Scene) -> Machine:
    scene.module("ai_edge_litert.interpreter", "import os\n\ndef Interpreter(**options):\n"
                                               "    os.kill(os.getpid(), 11)\n")
    return scene.machine(bundle=scene.bundle({}), import_path=scene.whole_path())


@provokes("bundle-warning", "12 % slower than float32", "python -m convert sweep RUN")
def a_slow_bundle(scene: Scene) -> Machine:
    return scene.machine(bundle=scene.bundle({"warnings": ["12 % slower than float32"]}))


@provokes("key-open", "others can read the device key (mode 0640)", "chmod 600 ")
def a_key_that_others_can_read(scene: Scene) -> Machine:
    write_key(scene, 0o640)
    return scene.machine()


@provokes("key-unusable", "device key", "run as the file's owner")
def a_key_of_somebody_else(scene: Scene) -> Machine:
    file = write_key(scene)
    file.chmod(0)
    assert stat.S_IMODE(file.stat().st_mode) == 0
    scene.full_rights = False
    return scene.machine(key=file)


@provokes("gallery-unusable", "the device key is not the one", "name that one with --key")
def a_gallery_of_another_key(scene: Scene) -> Machine:
    file = write_key(scene)
    gallery = enroll(scene, scene.bundle({}))
    file.write_text(base64.b64encode(bytes(32)).decode())
    return scene.machine(gallery=gallery)


@provokes("gallery-bundle", "made with another bundle, whose face networks",
          "name the bundle that it was made with")
def a_gallery_of_another_bundle(scene: Scene) -> Machine:
    write_key(scene)
    bundle = scene.bundle({})
    gallery = enroll(scene, bundle)
    manifest = bundle / "manifest.json"
    sha256 = read_manifest(bundle).files["face"].sha256
    manifest.write_text(manifest.read_text().replace(sha256, "0" * 64))
    return scene.machine(gallery=gallery, bundle=bundle)
