"""What a training minimises, by which step, and in which precision.

The step is AdamW (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, arXiv
1711.05101), which TensorFlow makes ready in a third of the time: Keras writes each weight's update
out in 15 operations, and the schedule anew for each weight that decays. Those are most of the graph
of a MobileViT's step, and tracing it takes longer than a hundred steps. TensorFlow has the same
update as one operation (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, arXiv
1412.6980, the form before section 2.1).

Mixed precision: Micikevicius et al., Mixed Precision Training, 2017 (arXiv 1710.03740). The layers
compute in 16 bits on weights that stay float32; for float16, whose small gradients would vanish,
Keras scales the loss. What loses by 16 bits is built in float32 whatever the policy: the voice
front end and its levels, the scores, the embedding (`train.models.build`); Keras itself keeps the
statistics of the norms there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import KerasTensor, Variable, ops

from train.models.build import Spec
from train.runs.folder import Precision, Training

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


class AdamW(keras.optimizers.AdamW):
    """Keras's own on the other backends, and the same numbers on all."""

    def _apply_weight_decay(self, variables: Sequence[Variable]) -> None:
        if keras.backend.backend() != "tensorflow":
            super()._apply_weight_decay(variables)
            return
        lost = self.weight_decay * self.learning_rate
        for variable in variables:
            if self._use_weight_decay(variable):
                self.assign_sub(variable, variable * lost)

    def _backend_update_step(
        self, grads: Sequence[KerasTensor], trainable_variables: Sequence[Variable],
        learning_rate: KerasTensor,
    ) -> None:
        if keras.backend.backend() != "tensorflow":
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        import tensorflow as tf

        step = ops.cast(self.iterations + 1, "float32")
        same: dict[str, Any] = {
            "beta1": self.beta_1, "beta1_power": ops.power(self.beta_1, step),
            "beta2": self.beta_2, "beta2_power": ops.power(self.beta_2, step),
            "lr": learning_rate, "epsilon": self.epsilon}
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            place = self._get_variable_index(variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.value.handle, m=self._momentums[place].value.handle,
                v=self._velocities[place].value.handle, grad=tf.convert_to_tensor(gradient), **same)


@contextmanager
def built_in(precision: Precision) -> Generator[None]:
    """Networks that are built within compute in this precision; then all is as it was before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
