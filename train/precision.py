"""The precision that a training computes in.

Mixed precision: Micikevicius et al., Mixed Precision Training, 2017 (arXiv 1710.03740). The layers
compute in 16 bits on weights that stay float32; for float16, whose small gradients would vanish,
Keras scales the loss. What loses by 16 bits is built in float32 whatever the policy: the voice
front end and its levels, the scores, the embedding (`train.models.build`); Keras itself keeps the
statistics of the norms there.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import keras

from train.run import Precision


@contextmanager
def built_in(precision: Precision) -> Generator[None]:
    """Networks that are built within compute in this precision; then all is as it was before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
