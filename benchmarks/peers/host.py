"""Holds one network of one library in a process of its own, and runs it when told.

    python benchmarks/peers/host.py LIBRARY THREADS INPUT MODEL

INPUT is a .npy file, or - for noise; MODEL - where the library has none. Prints one JSON object
when the network is ready, and for each line that it reads the nanoseconds of one run. A run without
a record goes before, so that what another process did meanwhile to the caches does not count.

Imports nothing of ours but for LIBRARY litert: the others live in environments of their own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np

Task = tuple[Callable[[], object], "int | None"]  # and its XNNPACK partitions, where they show
PACKAGES = {"litert": "ai-edge-litert", "tflite_runtime": "tflite-runtime",
            "onnxruntime": "onnxruntime", "librosa": "librosa"}


def main() -> None:
    name, threads, given, model = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    task, partitions = LIBRARIES[name](model, threads, None if given == "-" else np.load(given))
    task()  # one that cannot run it fails here
    library = f"{PACKAGES[name]} {metadata.version(PACKAGES[name])}"
    print(json.dumps({"library": library, "partitions": partitions}), flush=True)
    for _ in sys.stdin:
        task()
        start = time.perf_counter_ns()
        task()
        print(time.perf_counter_ns() - start, flush=True)


def _litert(model: str, threads: int, value: Any) -> Task:
    from ai_edge_litert.interpreter import Interpreter

    from edge_runtime.bundle.networks import count_partitions

    interpreter = Interpreter(model_path=model, num_threads=threads)
    return _filled(interpreter, value), count_partitions(interpreter)


def _tflite_runtime(model: str, threads: int, value: Any) -> Task:
    from tflite_runtime.interpreter import Interpreter

    return _filled(Interpreter(model_path=model, num_threads=threads), value), None


def _filled(interpreter: Any, value: Any) -> Callable[[], object]:
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    value = _noise(details["shape"]) if value is None else value.reshape(details["shape"])
    interpreter.set_tensor(details["index"], value.astype(details["dtype"]))
    invoke: Callable[[], object] = interpreter.invoke
    return invoke


def _onnxruntime(model: str, threads: int, value: Any) -> Task:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    wanted = session.get_inputs()[0]
    value = _noise(wanted.shape) if value is None else value.reshape(wanted.shape)
    inputs = {wanted.name: value.astype(np.float32)}
    return lambda: session.run(None, inputs), None


def _librosa(model: str, threads: int, value: Any) -> Task:
    """The log-mel spectrogram that train/models/frontend.py is equal to."""
    import librosa

    def log_mel() -> object:
        power = librosa.feature.melspectrogram(
            y=value, sr=16_000, n_fft=512, win_length=400, hop_length=160, center=False, n_mels=64,
            fmax=8_000, power=2.0)
        return np.log(np.maximum(power, 1e-5))

    return log_mel, None


def _noise(shape: Any) -> Any:
    return np.random.default_rng(0).uniform(0, 255, shape)


LIBRARIES: dict[str, Callable[[str, int, Any], Task]] = {
    "litert": _litert, "tflite_runtime": _tflite_runtime, "onnxruntime": _onnxruntime,
    "librosa": _librosa}

if __name__ == "__main__":
    main()
