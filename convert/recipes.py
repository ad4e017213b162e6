"""How a network is quantized, by name.

    float32       nothing is
    dynamic_wi8   int8 weights, one scale per channel; activations are quantized as they come

The constants of the voice front end stay float32 under every recipe: int8 cosines would drown quiet
speech.
"""

from __future__ import annotations

from collections.abc import Callable

from litert_quantizer import qtyping, quantizer

from convert.export import quiet
from edge_runtime.errors import UsageError
from train.frontend import LAYER_NAME

NOT_FRONT_END = f"^(?!.*{LAYER_NAME}).*$"


def _float32(model: bytes) -> bytes:
    return model


def _dynamic_wi8(model: bytes) -> bytes:
    tool = quantizer.Quantizer(bytearray(model))
    # XNNPACK has no such path for depthwise convolutions, whose weights are few.
    for operation in (qtyping.TFLOperationName.FULLY_CONNECTED, qtyping.TFLOperationName.CONV_2D):
        tool.add_dynamic_config(NOT_FRONT_END, operation, num_bits=8)
    with quiet():
        return bytes(tool.quantize().quantized_model)


RECIPES: dict[str, Callable[[bytes], bytes]] = {"float32": _float32, "dynamic_wi8": _dynamic_wi8}

# The most pieces that XNNPACK may take of one network; more means a hole that costs copies.
MAX_PARTITIONS = {"float32": 1, "dynamic_wi8": 2}


def apply_recipe(recipe: str, model: bytes) -> bytes:
    """A float32 `.tflite` model -> the model by the recipe. UsageError for an unknown one."""
    if recipe not in RECIPES:
        raise UsageError(f"unknown recipe '{recipe}', expected one of {', '.join(RECIPES)}")
    return RECIPES[recipe](model)
