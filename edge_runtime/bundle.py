"""A bundle: the folder that a device needs and nothing else, checked before it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import BundleError
from edge_runtime.interpreter import TFLITE_RUNTIME, Network, chosen_interpreter
from edge_runtime.manifest import Manifest, NetworkFile, read_manifest

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Bundle:
    """A checked manifest and the bytes of its networks, by the network's name (face, voice)."""

    path: Path
    manifest: Manifest
    models: Mapping[str, bytes]

    def networks(self, num_threads: int = 1) -> dict[str, Network]:
        """Open every network. BundleError where one does not keep the manifest's contract."""
        name = chosen_interpreter().name
        if name not in self.manifest.interpreters:
            option = " with --runtime tflite-2.14" if name == TFLITE_RUNTIME else ""
            raise BundleError(f"{self.path}: made for {', '.join(self.manifest.interpreters)}, "
                              f"found {name}; install one of those, or {self.manifest.remedy}"
                              f"{option}")
        return {part: self._open(part, model, num_threads) for part, model in self.models.items()}

    def _open(self, part: str, model: bytes, num_threads: int) -> Network:
        try:
            network = Network(model, num_threads)
        except (ValueError, RuntimeError, KeyError) as error:
            raise BundleError(f"{self.path}: the interpreter refuses the {part} network "
                              f"({' '.join(str(error).split())}); {self.manifest.remedy}") from None
        self._check(part, "inputs", self._input_shapes(part), network.inputs)
        dim = self.manifest.files[part].embedding_dim
        self._check(part, "outputs",
                    {"scores": (1, len(self.manifest.people)), "embedding": (1, dim)},
                    network.outputs)
        return network

    def _check(
        self, part: str, what: str, expected: Mapping[str, Shape], found: Mapping[str, Shape]
    ) -> None:
        if expected != found:
            raise BundleError(f"{self.path}: the {part} network's {what} should be {expected} by "
                              f"the manifest and are {found}; {self.manifest.remedy}")

    def _input_shapes(self, part: str) -> dict[str, Shape]:
        face, voice = self.manifest.inputs.face, self.manifest.inputs.voice
        shapes: dict[str, Shape] = {}
        if face and part != "voice":
            shapes["face"] = (1, face.size, face.size, 3)
        if voice and part != "face":
            shapes["voice"] = (1, voice.samples)
        return shapes


def load_bundle(path: str | Path, *, allow_uncertified: bool = False) -> Bundle:
    """Read a bundle and check every file's size and hash.

    Raises BundleError where it is missing, damaged or of another version, and where it is not
    certified, unless `allow_uncertified`.
    """
    path = Path(path)
    manifest = read_manifest(path)
    models = {part: _read_model(path, file, manifest) for part, file in manifest.files.items()}
    if not models:
        raise BundleError(f"{path}: the manifest lists no network; {manifest.remedy}")
    if not manifest.certified and not allow_uncertified:
        raise BundleError(f"{path}: the bundle is not certified ({manifest.reason}); convert a "
                          "better run or recipe, or use it as it is with --allow-uncertified")
    return Bundle(path, manifest, models)


def _read_model(folder: Path, file: NetworkFile, manifest: Manifest) -> bytes:
    path = folder / file.file
    if path.name != file.file or not path.is_file():
        raise BundleError(f"{path}: the bundle's file is missing; {manifest.remedy}")
    content = path.read_bytes()
    if len(content) != file.bytes:
        raise BundleError(f"{path}: expected {file.bytes} bytes, found {len(content)}; the file "
                          f"is damaged, copy the bundle again or {manifest.remedy}")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise BundleError(f"{path}: the SHA-256 differs from the manifest's; the file is damaged, "
                          f"copy the bundle again or {manifest.remedy}")
    return content
