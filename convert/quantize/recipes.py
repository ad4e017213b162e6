"""How a network is quantized, by name.

    float32           nothing is
    float16           weights are stored in 16 bits and computed with in 32
    dynamic_wi8       int8 weights, a scale for each channel; activations are quantized as they come
    dynamic_wi4       the same with 4 bits in dense layers
    static_wi8_ai8    int8 weights and activations, with ranges measured on representative samples
    static_wi8_ai16   the same with 16 bits for activations
    mixed_wi8         each operation in the form that runs fastest: convolutions static, dense
                      layers dynamic, products of attention static and symmetric; softmax and norms
                      float32
    auto              the same, with the layers that suffer most left in float32 (convert/auto.py)

Before any of these but auto one of pruned50_, pruned2of4_, clustered16_ may stand, and before
mixed_wi8 also qat_, alone or after a pruning: see convert/quantize/techniques.py.

The constants of the voice front end stay float32 under every recipe: int8 cosines would drown quiet
speech. Inputs and outputs are float32.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from litert_quantizer import algorithm_manager, qtyping, quantizer

from convert.graph.export import SIGNATURE, first_line, quiet
from edge_runtime.console.parser import did_you_mean
from edge_runtime.errors import ConversionError, UsageError
from train.models.frontend import LAYER_NAME

Samples = Sequence[Mapping[str, npt.NDArray[np.float32]]]
"""A network's inputs [1, ...] by name, of each representative sample."""
Operation = qtyping.TFLOperationName

AUTO = "auto"
SPARSITY: dict[str, tuple[int, int] | None] = {"pruned50": None, "pruned2of4": (2, 4)}
"""The pattern of zeros, where they have one."""
CLUSTERS = {"clustered16": 16}
QAT = "qat"
BEFORE_ANY = (*SPARSITY, *CLUSTERS)  # recipe
NOT_FRONT_END = f"^(?!.*{LAYER_NAME}).*$"
CONVOLUTIONS = (Operation.CONV_2D, Operation.DEPTHWISE_CONV_2D)
_INT8 = qtyping.TensorQuantizationConfig(num_bits=8, symmetric=True)
_SYMMETRIC = qtyping.OpQuantizationConfig(
    activation_tensor_config=_INT8, weight_tensor_config=_INT8,
    compute_precision=qtyping.ComputePrecision.INTEGER)
_HALF = qtyping.OpQuantizationConfig(
    weight_tensor_config=qtyping.TensorQuantizationConfig(
        num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
    explicit_dequantize=True)


Granularity = Any  # a qtyping.QuantGranularity, which has no types
PER_CHANNEL = qtyping.QuantGranularity.CHANNELWISE
PER_TENSOR = qtyping.QuantGranularity.TENSORWISE
# What the scales of dense layers are for; the old runtime knows but one for all channels.
RUNTIMES = {"litert": PER_CHANNEL, "tflite-2.14": PER_TENSOR}

Configure = Callable[[quantizer.Quantizer, Granularity], None]
"""Tell the quantizer what to do, with this granularity of the dense layers' scales."""


def _float16(tool: quantizer.Quantizer, dense: Granularity) -> None:
    for operation in (Operation.FULLY_CONNECTED, *CONVOLUTIONS):
        tool.update_quantization_recipe(NOT_FRONT_END, operation, _HALF,
                                        algorithm_manager.AlgorithmName.FLOAT_CASTING)


def _dynamic_wi8(tool: quantizer.Quantizer, dense: Granularity) -> None:
    # XNNPACK has no such path for depthwise convolutions, whose weights are few.
    tool.add_dynamic_config(NOT_FRONT_END, Operation.CONV_2D, num_bits=8)
    tool.add_dynamic_config(NOT_FRONT_END, Operation.FULLY_CONNECTED, 8, dense)


def _dynamic_wi4(tool: quantizer.Quantizer, dense: Granularity) -> None:
    # Nor for convolutions in 4 bits.
    tool.add_dynamic_config(NOT_FRONT_END, Operation.CONV_2D, num_bits=8)
    tool.add_dynamic_config(NOT_FRONT_END, Operation.FULLY_CONNECTED, 4, dense)


def _static(activation_bits: int) -> Configure:
    def configure(tool: quantizer.Quantizer, dense: Granularity) -> None:
        tool.add_static_config(NOT_FRONT_END, Operation.ALL_SUPPORTED, activation_bits, 8)
        tool.add_static_config(NOT_FRONT_END, Operation.FULLY_CONNECTED, activation_bits, 8, dense)
        for end in (Operation.INPUT, Operation.OUTPUT):
            tool.update_quantization_recipe(
                ".*", end, algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE)
    return configure


def _mixed_wi8(tool: quantizer.Quantizer, dense: Granularity) -> None:
    for operation in CONVOLUTIONS:
        tool.add_static_config(NOT_FRONT_END, operation, 8, 8)
    # What stands between two convolutions would otherwise be turned to float32 and back.
    tool.add_static_config(r".*_concat.*", Operation.CONCATENATION, 8, 8)
    tool.add_static_config(r".*_add.*", Operation.ADD, 8, 8)
    tool.add_static_config(r".*_pool.*", Operation.MAX_POOL_2D, 8, 8)
    _mixed_wi8_rest(tool, dense)


def _mixed_wi8_rest(tool: quantizer.Quantizer, dense: Granularity) -> None:
    """What quantization-aware training has left in float32."""
    tool.add_dynamic_config(NOT_FRONT_END, Operation.FULLY_CONNECTED, 8, dense)
    tool.update_quantization_recipe(NOT_FRONT_END, Operation.BATCH_MATMUL, _SYMMETRIC)


@dataclass(frozen=True)
class Recipe:
    """max_partitions: the most pieces that XNNPACK may take of one network before the bundle is not
    certified, since a hole costs copies; None where any number has to do. techniques: what a
    network is trained by before."""

    configure: Configure | None
    needs_samples: bool = False
    max_partitions: int | None = 1
    techniques: tuple[str, ...] = ()


RECIPES = {
    "float32": Recipe(None),
    "float16": Recipe(_float16),
    "dynamic_wi8": Recipe(_dynamic_wi8, max_partitions=2),
    "dynamic_wi4": Recipe(_dynamic_wi4, max_partitions=2),
    "static_wi8_ai8": Recipe(_static(8), needs_samples=True, max_partitions=None),
    "static_wi8_ai16": Recipe(_static(16), needs_samples=True, max_partitions=None),
    "mixed_wi8": Recipe(_mixed_wi8, needs_samples=True),
    AUTO: Recipe(_mixed_wi8, needs_samples=True),
}


# With each technique once, where the deployed recipe shows what it brings.
SWEPT = (*RECIPES, "qat_mixed_wi8", *(f"{technique}_mixed_wi8" for technique in BEFORE_ANY),
         "pruned50_qat_mixed_wi8")


def find_recipe(name: str) -> Recipe:
    """UsageError for a name that the grammar above does not know."""
    techniques, base = _split(name)
    before = techniques[: techniques.index(QAT)] if QAT in techniques else techniques
    allowed = base in RECIPES and len(before) <= 1 and not (before and base == AUTO)
    if QAT in techniques:
        # Clusters would not outlive the training that follows; zeros are kept.
        allowed &= (base == "mixed_wi8" and techniques == (*before, QAT)
                    and set(before) <= set(SPARSITY))
    if not allowed:
        raise UsageError(
            f"unknown recipe '{name}'{did_you_mean(name, RECIPES)}, expected one of "
            f"{', '.join(RECIPES)}, or before it one of "
            f"{', '.join(f'{technique}_' for technique in BEFORE_ANY)}, or {QAT}_mixed_wi8, alone "
            "or after a pruning")
    recipe = replace(RECIPES[base], techniques=techniques)
    return replace(recipe, configure=_mixed_wi8_rest) if QAT in techniques else recipe


def _split(name: str) -> tuple[tuple[str, ...], str]:
    """'pruned50_mixed_wi8' -> ('pruned50',), 'mixed_wi8'."""
    first, _, rest = name.partition("_")
    if first not in (*BEFORE_ANY, QAT):
        return (), name
    techniques, base = _split(rest)
    return (first, *techniques), base


def apply_recipe(
    name: str, model: bytes, samples: Samples = (), *, runtime: str = "litert",
    left: Sequence[str] = (),
) -> bytes:
    """A float32 `.tflite` model -> the model by the recipe.

    samples: what a static recipe measures its ranges on. runtime: a key of RUNTIMES. left: names of
    outputs of operations that stay float32 all the same. UsageError for an unknown recipe or one
    that lacks samples, ConversionError where the quantizer cannot do it.
    """
    recipe = find_recipe(name)
    if recipe.configure is None:
        return model
    if recipe.needs_samples and not samples:
        raise UsageError(f"{name} measures ranges on training files, found none; name data with "
                         "--data, or use a recipe without 'static' or 'mixed'")
    tool = quantizer.Quantizer(bytearray(model))
    with quiet():
        try:
            recipe.configure(tool, RUNTIMES[runtime])
            for output in left:
                tool.update_quantization_recipe(
                    f"(^|;){re.escape(output)}(;|$)", Operation.ALL_SUPPORTED,
                    algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE)
        except ValueError as error:  # what the quantizer's own policy refuses
            raise ConversionError(f"{name}: not supported by the quantizer "
                                  f"({first_line(error)})") from error
        ranges = tool.calibrate({SIGNATURE: samples}, num_threads=1) if (
            tool.need_calibration) else None
        return bytes(tool.quantize(ranges, enable_progress_report=False).quantized_model)
