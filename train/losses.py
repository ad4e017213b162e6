"""What a training minimises."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
from keras import KerasTensor, ops

from train.run import Training
from train.spec import Spec

LossFunction = Callable[[KerasTensor, KerasTensor], KerasTensor]


def loss_of(spec: Spec, training: Training) -> keras.losses.Loss | LossFunction:
    """The loss of (one-hot labels, scores), both [batch, people].

    Label smoothing is for softmax alone: CosFace's margin already asks for more than the label.
    """
    if spec.loss == "cosface":
        return cosface(spec.cosface_scale, training.cosface_margin)
    return keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing)


def cosface(scale: float, margin: float) -> LossFunction:
    """The large margin cosine loss of (one-hot labels, scores): Wang et al., CosFace, 2018
    (arXiv 1801.09414), equation 4.

    scores: softmax(scale * cosine), [batch, people]. The loss takes the margin off the cosine of
    the right person, so that a cosine only counts as right where it leads by `margin`. Softmax
    loses nothing but a constant over the people, to which the loss is blind: it is computed
    from the scores, the network needs no second head, and at inference there is no margin.
    """
    handicap = math.exp(-scale * margin)

    def large_margin_cosine(labels: KerasTensor, scores: KerasTensor) -> KerasTensor:
        right = ops.sum(labels * scores, axis=-1)
        # Not 1 - right: in float32 that is zero long before the margin is reached.
        wrong = ops.sum((1 - labels) * scores, axis=-1)
        return ops.log(handicap * right + wrong) - ops.log(right) + scale * margin

    return large_margin_cosine
