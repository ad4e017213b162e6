"""A bundle: the folder that a device needs and nothing else, checked before it is used.

Its networks run in ai-edge-litert, or in the older tflite-runtime where that is absent.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.bundle.manifest import Manifest, NetworkFile, read_manifest
from edge_runtime.console.output import silenced_stderr
from edge_runtime.errors import BundleError

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


LITERT, TFLITE_RUNTIME = "ai-edge-litert", "tflite-runtime"
CHOICES = ((LITERT, "ai_edge_litert.interpreter"), (TFLITE_RUNTIME, "tflite_runtime.interpreter"))

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class InterpreterChoice:
    """The interpreter that this process uses."""

    name: str
    version: str
    make: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@functools.cache
def chosen_interpreter() -> InterpreterChoice:
    """The first interpreter that imports, chosen once per process."""
    for name, module in CHOICES:
        try:
            make = import_module(module).Interpreter
        except ImportError:
            continue
        return InterpreterChoice(name, metadata.version(name), make)
    raise BundleError("no interpreter for .tflite files is installed; 'pip install ai-edge-litert'")


@dataclass(frozen=True)
class Outputs:
    """scores: softmax [people]. embedding: features of length 1 [dim]."""

    scores: Array
    embedding: Array


class Network:
    """A `.tflite` model, ready to run."""

    def __init__(self, model: bytes, num_threads: int = 1) -> None:
        make = chosen_interpreter().make
        with silenced_stderr():  # it says once per process that it has made a delegate
            self._interpreter = make(model_content=model, num_threads=num_threads)
            self._interpreter.allocate_tensors()
        # The interpreter refuses to run as long as its signature runner is alive.
        runner = self._interpreter.get_signature_runner()
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        del runner
        self.inputs, self.outputs = _shapes(inputs), _shapes(outputs)
        self._input_index = {name: details["index"] for name, details in inputs.items()}
        self._output_index = {name: details["index"] for name, details in outputs.items()}

    def run(self, **inputs: Array) -> Outputs:
        """Each input float32 in the shape of `inputs`, batch 1; see the graph contract."""
        for name, value in inputs.items():
            self._interpreter.set_tensor(self._input_index[name], value)
        self._interpreter.invoke()
        return Outputs(self._output("scores"), self._output("embedding"))

    def _output(self, name: str) -> Array:
        row: Array = self._interpreter.get_tensor(self._output_index[name])[0]
        return row

    def xnnpack_partitions(self) -> int | None:
        """See `count_partitions`."""
        return count_partitions(self._interpreter)


def count_partitions(interpreter: Any) -> int | None:
    """How many pieces of the graph the XNNPACK delegate took; None where it is not to be seen.

    Read from the interpreter's own list of nodes, in which each piece is one of kind DELEGATE.
    """
    details = getattr(interpreter, "_get_ops_details", None)
    if details is None:
        return None
    return sum(bool(node["op_name"] == "DELEGATE") for node in details())


def _shapes(details: dict[str, dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(int(n) for n in tensor["shape"]) for name, tensor in details.items()}
