"""The `tf_keras` twin of a network, with the same weights: TensorFlow Model Optimization takes
nothing else.

Layers that it treats are made anew; all other operations run as they are, within a layer each, and
do not learn.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from convert.graph.export import SIGNATURE, convert_saved_model, quiet

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D")
TREATED = (*CONVOLUTIONS, "Dense", "Activation", "Add", "Concatenate", "MaxPooling2D")
# Where quantization-aware training learns the range of what comes into a convolution in float32.
RANGE = "_input_range"
_OPTIONS = ("name", "filters", "kernel_size", "strides", "padding", "use_bias", "units",
            "activation", "axis", "pool_size")

_functions: dict[str, Callable[..., Any]] = {}


class Plain(tf_keras.layers.Layer):
    """An operation of the Keras network, by its name: tensors in, tensors out."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, trainable=False)

    def call(self, tensors: Any) -> Any:
        return tf.autograph.experimental.do_not_convert(_functions[self.name])(tensors)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


def build_twin(network: keras.Model) -> tf_keras.Model:
    """The same function of the same inputs, by name; outputs [scores, embedding]."""
    inputs = [tf_keras.Input(tensor.shape[1:], name=tensor.name) for tensor in network.inputs]
    weights: dict[str, list[Any]] = {}
    outputs = _walk(network, inputs, "", weights)
    twin = tf_keras.Model(inputs, [outputs["scores"], outputs["embedding"]], name=network.name)
    for name, values in weights.items():
        twin.get_layer(name).set_weights(values)
    twin.kept = [variable.value for variable in network.variables]  # for a SavedModel to find
    return twin


def export_twin(twin: tf_keras.Model, *, quantized: bool = False) -> bytes:
    """A `.tflite` model; quantized: convolutions become int8, as quantization-aware training has
    prepared them."""
    specs = [tf.TensorSpec((1, *tensor.shape[1:]), tf.float32, name=tensor.name)
             for tensor in twin.inputs]

    @tf.function(input_signature=specs)
    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        scores, embedding = twin(list(inputs), training=False)
        return {"scores": scores, "embedding": embedding}

    module = tf.Module()
    # Not the twin itself: Keras would trace every layer of it once more, for minutes in all.
    module.kept = [*twin.variables, *twin.kept]
    with tempfile.TemporaryDirectory() as folder, quiet():
        tf.saved_model.save(module, folder, {SIGNATURE: serve.get_concrete_function()})
        return convert_saved_model(folder, twin.name, quantized=quantized)


def _walk(
    network: keras.Model, inputs: Any, prefix: str, weights: dict[str, list[Any]]
) -> Any:
    """Apply the network's operations to tensors of the twin. weights: those of layers made anew."""
    count = iter(range(len(network.operations)))

    def twin_of(operation: keras.Operation) -> Callable[..., Any]:
        if isinstance(operation, keras.Model):
            return lambda x, **_: _walk(operation, x, f"{prefix}{operation.name}_", weights)
        if isinstance(operation, (keras.layers.Identity, keras.layers.Dropout)):
            return lambda x, **_: x  # what was folded away; and nothing is dropped while tuning
        name = prefix + operation.name
        # The operation behind `+` is called Add too, and is no layer.
        if isinstance(operation, keras.Layer) and type(operation).__name__ in TREATED:
            weights[name] = operation.get_weights()
            return _treated(operation, name)
        if type(operation).__name__ == "Square":
            # Or the converter makes an L2_NORMALIZATION of what follows, and that, after int8
            # convolutions, int8 too: coarse, and outside of XNNPACK.
            return _plain(_square_of_size, name)
        # One operation may be called more than once, such as a sum of the same two tensors.
        return _plain(operation, name if name not in _functions else f"{name}_{next(count)}")

    # Keras has no public way to walk a functional network with tensors that are not its own.
    return network._run_through_graph(inputs, operation_fn=twin_of)


def _treated(operation: keras.Operation, name: str) -> Callable[..., Any]:
    """The layer of the same class and options."""
    kind, config = type(operation).__name__, operation.get_config()
    if kind == "Activation" and config["activation"] == "relu6":
        return tf_keras.layers.ReLU(6.0, name=name)
    options = {key: config[key] for key in _OPTIONS if key in config} | {"name": name}
    if options.get("activation") == "relu6":
        options["activation"] = tf.nn.relu6
    layer = getattr(tf_keras.layers, kind)(**options)
    if kind not in CONVOLUTIONS:
        return layer

    def convolve(x: Any) -> Any:
        if isinstance(x._keras_history.layer, (Plain, tf_keras.layers.Activation)):
            x = tf_keras.layers.Activation("linear", name=name + RANGE)(x)
        return layer(x)
    return convolve


def _square_of_size(x: Any) -> Any:
    return keras.ops.square(keras.ops.abs(x))


def _plain(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    def apply(*args: Any, **kwargs: Any) -> Any:
        tensors: list[Any] = []

        def take(value: Any) -> Any:
            if not hasattr(value, "_keras_history"):
                return value
            tensors.append(value)
            return _Place(len(tensors) - 1)

        places = keras.tree.map_structure(take, (args, kwargs))

        def function(given: Any) -> Any:
            given = given if isinstance(given, (list, tuple)) else [given]
            filled, named = keras.tree.map_structure(
                lambda x: given[x.index] if isinstance(x, _Place) else x, places)
            return operation(*filled, **named)

        _functions[name] = function
        return Plain(name)(tensors if len(tensors) > 1 else tensors[0])
    return apply


class _Place:
    """Where a tensor goes among the arguments of an operation."""

    def __init__(self, index: int) -> None:
        self.index = index
