"""Training-time techniques on the twin of a network: to be imported in a child process only.

Each fine-tunes for a few epochs, on augmented training files, towards the scores that the network
itself gives to them (Hinton et al., Distilling the Knowledge in a Neural Network, 2015, arXiv
1503.02531): what is asked for is the same decisions with cheaper weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from convert.graph.twin import CONVOLUTIONS, RANGE, Plain, build_twin, export_twin
from convert.quantize.recipes import CLUSTERS, QAT, SPARSITY
from edge_runtime.errors import ConversionError
from train.training.examples import Batches

EPOCHS = 5
LEARNING_RATE = 3e-4
_MASKED_EVERY = 20  # steps between two looks at which weights are the smallest
_TRACED_FROM = 50  # steps: of fewer, tracing takes longer than it saves
_BETWEEN = ("ReLU", "Add", "Concatenate", "MaxPooling2D")  # convolutions

Twin = Any  # tf_keras has no types


def tune(
    network: keras.Model, techniques: tuple[str, ...], batches: Batches, steps: int | None = None
) -> bytes:
    """A network -> its `.tflite` model after the techniques, in their order.

    The model is float32, but for convolutions that quantization-aware training has made int8.
    steps: of each technique, in the place of EPOCHS.
    """
    lesson = Lesson(network, batches, steps or EPOCHS * len(batches))
    twin = build_twin(network)
    for technique in techniques:
        if technique == QAT:
            twin = _quantization_aware(twin, lesson, keep_zeros=techniques[0] in SPARSITY)
        elif technique in SPARSITY:
            twin = _pruned(twin, lesson, SPARSITY[technique])
        else:
            twin = _clustered(twin, lesson, CLUSTERS[technique])
    return export_twin(twin, quantized=QAT in techniques)


@dataclass(frozen=True)
class Lesson:
    """What a twin learns: the network's own scores, for so many steps."""

    network: keras.Model
    batches: Batches
    steps: int

    def teach(self, twin: Twin, callbacks: Sequence[Any] = ()) -> None:
        student = tf_keras.Model(twin.inputs, twin.outputs[0])
        schedule = tf_keras.optimizers.schedules.CosineDecay(LEARNING_RATE, self.steps)
        student.compile(tf_keras.optimizers.Adam(schedule), tf_keras.losses.KLDivergence(),
                        run_eagerly=self.steps < _TRACED_FROM)
        student.fit(self._examples(), steps_per_epoch=self.steps, callbacks=list(callbacks),
                    verbose=0)

    def _examples(self) -> Iterator[tuple[Any, Any]]:
        """Augmented inputs, and the network's scores of them."""
        for step in range(self.steps):
            self.batches.epoch, place = divmod(step, len(self.batches))
            inputs, _ = self.batches[place]
            yield inputs, np.asarray(self.network.predict_on_batch(inputs)["scores"])


def _pruned(twin: Twin, lesson: Lesson, pattern: Any) -> Twin:
    """Zhu and Gupta, To prune, or not to prune, 2017 (arXiv 1710.01878)."""
    every = max(1, min(_MASKED_EVERY, lesson.steps // 4))
    # The last look has to fall on the schedule's end, or the last zeros are never set.
    end = max(1, lesson.steps // (2 * every)) * every
    schedule = (
        tfmot.sparsity.keras.ConstantSparsity(0.5, 0, frequency=every) if pattern else
        tfmot.sparsity.keras.PolynomialDecay(0.0, 0.5, 0, end, frequency=every))

    wrapped = _wrapped(twin, lambda layer: tfmot.sparsity.keras.prune_low_magnitude(
        layer, schedule, sparsity_m_by_n=pattern))
    lesson.teach(wrapped, [tfmot.sparsity.keras.UpdatePruningStep()])
    return _like(twin, tfmot.sparsity.keras.strip_pruning(wrapped))


def _clustered(twin: Twin, lesson: Lesson, number: int) -> Twin:
    """Han et al., Deep Compression, 2016 (arXiv 1510.00149), section 3."""
    start = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS
    wrapped = _wrapped(twin, lambda layer: tfmot.clustering.keras.cluster_weights(
        layer, number_of_clusters=number, cluster_centroids_init=start))
    lesson.teach(wrapped)
    return _like(twin, tfmot.clustering.keras.strip_clustering(wrapped))


def _wrapped(twin: Twin, wrap: Callable[[Any], Any]) -> Twin:
    """With every convolution and dense layer wrapped; depthwise ones have few weights."""
    return tf_keras.models.clone_model(
        twin, clone_function=lambda layer:
        wrap(layer) if type(layer).__name__ in ("Conv2D", "Dense") else layer)


def _quantization_aware(twin: Twin, lesson: Lesson, *, keep_zeros: bool) -> Twin:
    """Jacob et al., Quantization and Training of Neural Networks, 2018 (arXiv 1712.05877)."""
    annotated = _annotated(twin)
    if not annotated:
        raise ConversionError(f"{twin.name}: not supported: quantization-aware training is for "
                              "convolutions, the network has none")

    def wrap(layer: Twin) -> Twin:
        if layer.name not in annotated:
            return layer
        config = [_OutputRange()] if layer.name.endswith(RANGE) else []
        return tfmot.quantization.keras.quantize_annotate_layer(layer, *config)

    with tfmot.quantization.keras.quantize_scope({"Plain": Plain, "_OutputRange": _OutputRange}):
        quantized = tfmot.quantization.keras.quantize_apply(
            tf_keras.models.clone_model(twin, clone_function=wrap))
    lesson.teach(quantized, [_KeepZeros(quantized)] if keep_zeros else [])
    return _like(twin, quantized)


class _OutputRange(tfmot.quantization.keras.QuantizeConfig):
    """Learns the range of what a layer puts out, and nothing else."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        return [tfmot.quantization.keras.quantizers.MovingAverageQuantizer(
            num_bits=8, per_axis=False, symmetric=False, narrow_range=False)]

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        return []

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        return []

    def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
        pass

    def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
        pass

    def get_config(self) -> dict[str, Any]:
        return {}


class _KeepZeros(tf_keras.callbacks.Callback):
    """Sets to zero again what was zero, after every step. The scheme that TensorFlow Model
    Optimization has for it (0.8.1) let the zeros drift off."""

    def __init__(self, twin: Twin) -> None:
        super().__init__()
        kernels = [weight for weight in twin.trainable_weights if "kernel" in weight.name]
        self.masks = [(kernel, (kernel.numpy() != 0).astype(np.float32)) for kernel in kernels]

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        for kernel, mask in self.masks:
            kernel.assign(kernel * mask)


def _annotated(twin: Twin) -> set[str]:
    """Convolutions, and what hands int8 from one of them to the next."""
    found: set[str] = set()
    for layer in twin.layers:
        before = keras.tree.flatten(layer.inbound_nodes[0].inbound_layers)
        kind = type(layer).__name__
        if kind in CONVOLUTIONS or layer.name.endswith(RANGE) or (
                kind in _BETWEEN and before and all(other.name in found for other in before)):
            found.add(layer.name)
    return found


def _like(twin: Twin, other: Twin) -> Twin:
    """The other, with the weights of the Keras network that a SavedModel has to find."""
    other.kept = twin.kept
    return other
