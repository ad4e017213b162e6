"""CosFace: the loss, the head behind it, and its place in a run."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from edge_runtime.errors import UsageError
from train.models.build import _scores, build_network, make_spec
from train.runs.folder import Training
from train.training.fit import _compile
from train.training.optimizer import cosface, loss_of

PEOPLE = ("ada", "bob", "eve")
SPEC = make_spec("mobilevit_xxs_edge", PEOPLE, 64, "cosface")


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("scale", "margin"), [(1, 0.35), (30, 0.35), (40, 0.5), (16, 0.1)])
def test_the_loss_is_that_of_the_paper(
    scale: float, margin: float, rng: np.random.Generator
) -> None:
    cosines = rng.uniform(-1, 1, (40, 5))
    cosines[0] = [-1, 1, 1, 1, 1]  # as wrong and as right as can be
    cosines[1] = [1, -1, -1, -1, -1]
    labels = np.eye(5)[[0, 0, *rng.integers(5, size=38)]]
    held_back = scale * (cosines - margin * labels)  # equation 4, as written there
    expected = np.log(np.exp(held_back).sum(axis=1)) - (held_back * labels).sum(axis=1)
    found = cosface(scale, margin)(ops.convert_to_tensor(labels, "float32"),
                                   ops.softmax(ops.convert_to_tensor(scale * cosines, "float32")))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_without_a_margin_it_is_cross_entropy(rng: np.random.Generator) -> None:
    scores = softmax(rng.normal(size=(8, 3))).astype(np.float32)
    labels = np.eye(3, dtype=np.float32)[rng.integers(3, size=8)]
    np.testing.assert_allclose(cosface(30, 0)(labels, scores),
                               keras.losses.categorical_crossentropy(labels, scores), rtol=1e-4)


def test_label_smoothing_is_for_softmax_alone() -> None:
    training = Training(label_smoothing=0.1, cosface_margin=0.2)
    smoothed = loss_of(make_spec(SPEC.family, PEOPLE, 64), training)
    assert isinstance(smoothed, keras.losses.CategoricalCrossentropy)
    assert smoothed.label_smoothing == 0.1
    right = np.eye(3, dtype=np.float32)[:1]
    found = loss_of(SPEC, training)(right, right)
    assert float(found[0]) == pytest.approx(0, abs=1e-6)


def column_lengths(network: keras.Model) -> np.ndarray:
    return np.linalg.norm(network.get_layer("scores").get_weights()[0], axis=0)


def test_scores_are_scaled_cosines(rng: np.random.Generator) -> None:
    """Before and after a step of training, which keeps each person's weights at length 1."""
    network = build_network(SPEC, "face")
    assert len(network.get_layer("scores").weights) == 1
    pictures = rng.uniform(0, 255, (4, 64, 64, 3)).astype(np.float32)
    classifier = keras.Model(network.input, network.output["scores"])
    classifier.compile(keras.optimizers.AdamW(0.01), loss_of(SPEC, Training()), run_eagerly=True)
    before = network.get_layer("scores").get_weights()[0]
    for _ in range(2):
        np.testing.assert_allclose(column_lengths(network), 1, atol=1e-5)
        found = network(pictures, training=False)
        cosines = np.asarray(found["embedding"]) @ network.get_layer("scores").get_weights()[0]
        np.testing.assert_allclose(found["scores"], softmax(30 * cosines), atol=1e-4)
        loss = classifier.train_on_batch(pictures, np.eye(3, dtype=np.float32)[[0, 1, 2, 0]])
        assert math.isfinite(loss)
    assert np.abs(before - network.get_layer("scores").get_weights()[0]).max() > 1e-3


def test_an_image_of_nothing_trains() -> None:
    """Features of length 0 have no direction; their loss is finite all the same."""
    features = keras.Input((4,))
    network = keras.Model(features, _scores(features, SPEC))
    network.compile("sgd", loss_of(SPEC, Training()), run_eagerly=True)
    assert math.isfinite(network.train_on_batch(np.zeros((1, 4)), np.eye(3)[:1]))
    assert all(np.isfinite(weight).all() for weight in network.get_weights())


def test_it_learns(rng: np.random.Generator) -> None:
    """Compiled as `fit` compiles: three directions are told apart, and by more than the margin."""
    labels = np.arange(96) % 3
    points = (np.eye(3)[labels] + rng.normal(0, 0.1, (96, 3))).astype(np.float32)
    data = keras.Input((3,))
    network = keras.Model(data, _scores(data, SPEC))
    training = Training(learning_rate=0.05, weight_decay=0.0, epochs=24)
    _compile(network, SPEC, training, training.epochs, steps_per_epoch=12)
    network.fit(points, np.eye(3, dtype=np.float32)[labels], batch_size=8, epochs=24, verbose=0)
    assert network.evaluate(points, np.eye(3)[labels], verbose=0)[1] == 1
    np.testing.assert_allclose(column_lengths(network), 1, atol=1e-5)


@pytest.mark.parametrize("scale", [0, -1, 41, float("nan")])
def test_a_scale_that_does_not_work(scale: float) -> None:
    with pytest.raises(UsageError, match="--cosface-scale expects a number above 0 and up to 40"):
        make_spec(SPEC.family, PEOPLE, 64, "cosface", scale)


def test_the_loss_is_recorded(tmp_path: Path) -> None:
    from train.runs.folder import init, load_run

    init(SPEC, tmp_path / "run", seed=0)
    folder = load_run(tmp_path / "run")
    assert (folder.run.spec.loss, folder.run.spec.cosface_scale) == ("cosface", 30)
    assert len(folder.load_network("face").get_layer("scores").weights) == 1
