"""AdamW as training takes it: Keras's numbers, in a graph that is quickly made ready."""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np
import pytest

from train.training.optimizer import AdamW


def trained(
    kind: type[keras.optimizers.AdamW], *, eager: bool
) -> tuple[list[np.ndarray], tuple[int, int]]:
    """Weights and moments after ten steps with a schedule, decay and clipping; and `operations`,
    where a step is a graph."""
    keras.utils.set_random_seed(3)
    network = keras.Sequential([
        keras.Input((6,)), keras.layers.Dense(8, "relu", name="first"),
        keras.layers.BatchNormalization(), keras.layers.Dense(4, "softmax", name="last")])
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 6, warmup_target=0.05, warmup_steps=4)
    optimizer = kind(schedule, weight_decay=0.1, global_clipnorm=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(optimizer, "categorical_crossentropy", jit_compile=False, run_eagerly=eager)
    rng = np.random.default_rng(0)
    inputs = rng.normal(0, 1, (16, 6)).astype(np.float32)
    labels = np.eye(4, dtype=np.float32)[rng.integers(4, size=16)]
    for _ in range(10):
        network.train_on_batch(inputs, labels)
    return [np.asarray(value) for value in (*network.weights, *optimizer.variables)], (
        (0, 0) if eager else operations(network, inputs, labels))


def operations(
    network: keras.Model, inputs: np.ndarray, labels: np.ndarray
) -> tuple[int, int]:
    """Of a step: updates of weights by TensorFlow's own operation, and branches, of which a
    schedule has one."""
    import tensorflow as tf

    step = tf.function(network.train_step).get_concrete_function(
        (tf.constant(inputs), tf.constant(labels)))
    definition = step.graph.as_graph_def()
    kinds = Counter(node.op for node in definition.node)
    return kinds["ResourceApplyAdam"], kinds["If"] + kinds["StatelessIf"]


@pytest.mark.parametrize("eager", [True, False])
def test_the_numbers_are_those_of_keras(eager: bool) -> None:
    (expected, theirs), (found, ours) = (trained(kind, eager=eager)
                                         for kind in (keras.optimizers.AdamW, AdamW))
    assert len(found) == len(expected)
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-3, atol=1e-4)  # other roundings
    if not eager:  # the rate of the update, and that of the decay: of each of two kernels, or once
        assert theirs == (0, 3) and ours == (6, 2)
