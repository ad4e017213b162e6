"""A Keras network of your own: to `.tflite`, by several recipes, with what each costs and brings.

    python examples/quantize_your_own.py

Put your network in the place of `make_network`, and your data in the place of `make_samples`.
"""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # what converts
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks.cost.timing import Distribution, interleaved_ms
from convert.graph.export import export_float32
from convert.quantize.recipes import apply_recipe
from edge_runtime.console.output import table

RECIPES = ("float32", "dynamic_wi8", "mixed_wi8")


def make_network() -> keras.Model:
    """A small convolutional network; inputs and outputs have names."""
    image = keras.Input((32, 32, 3), name="image")
    x = keras.layers.Conv2D(16, 3, strides=2, activation="relu", padding="same")(image)
    x = keras.layers.Conv2D(32, 3, strides=2, activation="relu", padding="same")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, {"scores": keras.layers.Dense(10, activation="softmax")(x)},
                       name="yours")


def make_samples(count: int = 16) -> list[dict[str, np.ndarray]]:
    """What the network will see, by which a recipe measures the ranges of activations."""
    rng = np.random.default_rng(0)
    return [{"image": rng.uniform(0, 1, (1, 32, 32, 3)).astype(np.float32)} for _ in range(count)]


def snr_db(expected: np.ndarray, found: np.ndarray) -> float:
    """Signal over error: 20 dB is an error of a tenth, 40 dB of a hundredth."""
    error = float(np.square(found - expected).mean())
    return 10 * float(np.log10(np.square(expected).mean() / max(error, 1e-30)))


def main() -> None:
    keras.utils.set_random_seed(0)
    float32, samples = export_float32(make_network()), make_samples()
    models = {recipe: apply_recipe(recipe, float32, samples) for recipe in RECIPES}
    networks = {recipe: Interpreter(model_content=model, num_threads=1).get_signature_runner()
                for recipe, model in models.items()}
    outputs = {recipe: np.stack([network(**sample)["scores"] for sample in samples])
               for recipe, network in networks.items()}
    # In turn, so that what else the machine does falls on all alike.
    times = interleaved_ms({recipe: lambda network=network: network(**samples[0])
                            for recipe, network in networks.items()}, 50)
    print(table(["recipe", "kB", "ms", "SNR (dB)"], [
        [recipe, f"{len(models[recipe]) / 1000:.1f}",
         f"{Distribution.of(times[recipe]).median_ms:.3f}",
         "-" if recipe == "float32" else f"{snr_db(outputs['float32'], outputs[recipe]):.1f}"]
        for recipe in RECIPES]))


if __name__ == "__main__":
    main()
