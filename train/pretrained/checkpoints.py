"""Weights of timm's and ml-cvnets' MobileViT checkpoints, in our networks.

timm: github.com/huggingface/pytorch-image-models, models/mobilevit.py; ml-cvnets:
github.com/apple/ml-cvnets, the authors' own. Both are the same network under other names. PyTorch
stores a kernel as [out, in, height, width], Keras as [height, width, in, out].

Both take pictures of 0 to 1, without mean or deviation; timm's in the order red, green, blue,
ml-cvnets' blue, green, red. Ours run from -1 to 1 in red, green, blue: `import_weights` folds the
difference into the first convolution and the batch norm after it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from edge_runtime.errors import RunError

State = dict[str, np.ndarray]

# Ours, timm's, ml-cvnets'. n: stage; t: stage as timm counts; i: block or transformer within it.
_BLOCK = r"stage(?P<n>\d)(?:_(?P<i>\d)|_down)?_"
_STAGE = r"stage(?P<n>\d)_"
_TRANSFORMER = _STAGE + r"transformer(?P<i>\d)_"
_NAMES = tuple((re.compile(ours), timm, cvnets) for ours, timm, cvnets in (
    ("stem", "stem", "conv_1.block"),
    (_BLOCK + "expand", "stages.{t}.{i}.conv1_1x1", "layer_{n}.{i}.block.exp_1x1.block"),
    (_BLOCK + "depthwise", "stages.{t}.{i}.conv2_kxk", "layer_{n}.{i}.block.conv_3x3.block"),
    (_BLOCK + "reduce", "stages.{t}.{i}.conv3_1x1", "layer_{n}.{i}.block.red_1x1.block"),
    (_STAGE + "near", "stages.{t}.1.conv_kxk", "layer_{n}.1.local_rep.conv_3x3.block"),
    (_STAGE + "widen", "stages.{t}.1.conv_1x1", "layer_{n}.1.local_rep.conv_1x1.block.conv"),
    *((_TRANSFORMER + ours, "stages.{t}.1.transformer.{i}." + timm,
       "layer_{n}.1.global_rep.{i}." + cvnets) for ours, timm, cvnets in (
        ("norm1", "norm1", "pre_norm_mha.0"),
        ("qkv", "attn.qkv", "pre_norm_mha.1.qkv_proj"),
        ("projection", "attn.proj", "pre_norm_mha.1.out_proj"),
        ("norm2", "norm2", "pre_norm_ffn.0"),
        ("mlp1", "mlp.fc1", "pre_norm_ffn.1"),
        ("mlp2", "mlp.fc2", "pre_norm_ffn.4"))),
    (_STAGE + "token_norm", "stages.{t}.1.norm", "layer_{n}.1.global_rep.{depth}"),
    (_STAGE + "narrow", "stages.{t}.1.conv_proj", "layer_{n}.1.conv_proj.block"),
    (_STAGE + "merge", "stages.{t}.1.conv_fusion", "layer_{n}.1.fusion.block"),
    ("last", "final_conv", "conv_1x1_exp.block"),
    ("scores", "head.fc", "classifier.fc"),
))
_DEPTHS = {"3": 2, "4": 4, "5": 3}  # ml-cvnets counts the norm after the transformers among them

_VARIABLES = {
    "Conv2D": {"kernel": "weight"},
    "DepthwiseConv2D": {"kernel": "weight"},
    "Dense": {"kernel": "weight", "bias": "bias"},
    "LayerNormalization": {"gamma": "weight", "beta": "bias"},
    "BatchNormalization": {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
                           "moving_variance": "running_var"},
}
_AXES = {"Conv2D": (2, 3, 1, 0), "DepthwiseConv2D": (2, 3, 0, 1), "Dense": (1, 0)}

_ENDS = ("stem_conv", "scores")  # what another task may need otherwise
_HEADS = ("head.", "classifier.")
_WRAPPED_KEY = re.compile(r"^(?:module\.|model\.|_orig_mod\.)+")  # PyTorch's wrappers put it first
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_TORCH_SUFFIXES = (".pt", ".pth", ".bin")

GREY_MEAN, GREY_SPREAD = 0.45, 0.225  # of ImageNet's pixels over all colours, 0 to 1


def read_checkpoint(path: Path | str) -> State:
    """Arrays by name from a `.safetensors` file, or from `.pt`, `.pth`, `.bin` with PyTorch.

    RunError where the file is missing, of another kind, damaged, or holds more than tensors.
    """
    path = Path(path)
    if path.suffix not in (".safetensors", *_TORCH_SUFFIXES):
        raise RunError(f"{path}: expected a checkpoint, .safetensors or one of "
                       f"{', '.join(_TORCH_SUFFIXES)}, found '{path.suffix}'; save the network's "
                       "state_dict as one of them")
    if not path.is_file():
        raise RunError(f"{path}: expected a checkpoint, found no such file; check the path")
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)


def _read_safetensors(path: Path) -> State:
    try:
        return dict(safetensors.numpy.load_file(path))
    except (SafetensorError, KeyError, OSError, TypeError, ValueError) as error:
        raise RunError(f"{path}: expected a safetensors file, found a damaged or other one "
                       f"({error}); fetch it again") from error


def _read_torch(path: Path) -> State:
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError as error:
        raise RunError(f"{path}: reading {path.suffix} needs PyTorch, which is not installed; "
                       "pip install torch, or take a .safetensors file") from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        # PyTorch's own message advises to load the file without the check.
        raise RunError(f"{path}: expected tensors only, found a damaged file or one that would run "
                       f"code of its own ({type(error).__name__}); save the network's state_dict "
                       "alone, or take a .safetensors file") from error
    content = next((content[name] for name in _WRAPPERS
                    if isinstance(content, dict) and isinstance(content.get(name), dict)), content)
    if not isinstance(content, dict) or not all(hasattr(v, "detach") for v in content.values()):
        raise RunError(f"{path}: expected a dictionary of tensors, found another content; "
                       "save the network's state_dict alone")
    # numpy has no bfloat16.
    return {name: (value.float() if value.is_floating_point() else value).detach().numpy()
            for name, value in content.items()}


def import_weights(network: keras.Model, state: State) -> list[str]:
    """Give one of our face or voice networks a checkpoint's weights, but for the scores.

    The face network then computes from a picture what theirs does, but for the outermost pixels:
    their convolutions pad with black, ours, after scaling, with mid-grey. The voice network takes
    the sum over the colours, its spectrogram of mean 0 and deviation 1 in the place of a grey
    picture. Returns the names of the layers left as they are. RunError as `assign_weights`.
    """
    names = {name: _WRAPPED_KEY.sub("", name) for name in state}
    left = assign_weights(network, {name: value for name, value in state.items()
                                    if not names[name].startswith(_HEADS)})
    convolution, norm = network.get_layer("stem_conv"), network.get_layer("stem_norm")
    kernel = convolution.get_weights()[0]
    if kernel.shape[2] == 1:
        scale, offset = GREY_SPREAD, GREY_MEAN
    else:
        scale, offset = 0.5, 0.5
        kernel = kernel[:, :, ::-1] if _is_cvnets(names.values()) else kernel
    # The convolution has no bias; the mean that the norm takes off makes up for the offset.
    norm.moving_mean.assign(norm.moving_mean - offset * kernel.sum(axis=(0, 1, 2)))
    convolution.set_weights([scale * kernel])
    return left


def _is_cvnets(names: Iterable[str]) -> bool:
    return any(name.startswith("conv_1.") for name in names)


def assign_weights(network: keras.Model, state: State) -> list[str]:
    """Give a MobileViT of any size and style the weights of a checkpoint of the same size.

    Returns the names of the layers left as they are: `scores` where the number of classes differs,
    `stem_conv` where the input channels do; but one channel takes the sum over the colours.

    RunError for a weight that is missing, left over or of another shape; nothing is assigned then.
    """
    state = {_WRAPPED_KEY.sub("", name): value for name, value in state.items()
             if not name.endswith("num_batches_tracked")}
    cvnets = _is_cvnets(state)
    unused = dict.fromkeys(name for name in state if not name.startswith(_HEADS))
    assignments: list[tuple[Any, np.ndarray]] = []
    left = []
    for layer in network.layers:
        keys = _checkpoint_keys(layer, cvnets)
        for key in keys.values():
            unused.pop(key, None)
        values = _values_of(layer, keys, state)
        shapes = {name: tuple(getattr(layer, name).shape) for name in keys}
        misfit = next((name for name in keys if name not in values
                       or values[name].shape != shapes[name]), None)
        if (misfit and layer.name in _ENDS) or (layer.name == "scores" and not keys):
            left.append(layer.name)
        elif misfit:
            raise RunError(f"checkpoint: expected '{keys[misfit]}' of shape {shapes[misfit]}, "
                           f"found {values[misfit].shape} (both in Keras's order); take the "
                           "checkpoint of the network's own size")
        else:
            assignments += [(getattr(layer, name), values[name]) for name in keys]
    if unused:
        raise RunError(f"checkpoint: expected the weights of {network.name} only, found "
                       f"'{next(iter(unused))}' beside them; take the checkpoint of the network's "
                       "own size: mobilevit_xxs, _xs or _s")
    for variable, value in assignments:
        variable.assign(value)
    return left


def _checkpoint_keys(layer: keras.Layer, cvnets: bool) -> dict[str, str]:
    """Names in the checkpoint by the layer's variables; empty for a layer of no MobileViT."""
    prefix = _prefix(layer.name, cvnets)
    if prefix is None:
        block, _, part = layer.name.rpartition("_")
        prefix = _prefix(block, cvnets)
        if prefix is None or part not in ("conv", "norm"):
            return {}
        prefix += ".bn" if part == "norm" and not cvnets else f".{part}"
    variables = _VARIABLES.get(type(layer).__name__, {})
    return {name: f"{prefix}.{leaf}" for name, leaf in variables.items()}


def _prefix(name: str, cvnets: bool) -> str | None:
    """The checkpoint's name for one of our layers or blocks."""
    for ours, *theirs in _NAMES:
        if found := ours.fullmatch(name):
            groups = found.groupdict()
            stage = groups.get("n") or "0"
            return theirs[cvnets].format(n=stage, t=int(stage) - 1, i=groups.get("i") or 0,
                                         depth=_DEPTHS.get(stage))
    return None


def _values_of(layer: keras.Layer, keys: dict[str, str], state: State) -> State:
    """The layer's values by variable, axes in Keras's order; RunError where one is missing."""
    values = {}
    for name, key in keys.items():
        if key in state:
            value = state[key].astype(np.float32)
            axes = _AXES.get(type(layer).__name__, ())
            values[name] = value.transpose(axes) if value.ndim == len(axes) else value
        elif layer.name != "scores":
            raise RunError(f"checkpoint: expected '{key}' for {layer.name}, found none (its first "
                           f"is '{next(iter(state), None)}'); take the checkpoint of timm's or "
                           "ml-cvnets' mobilevit_xxs, _xs or _s")
    if layer.name == "stem_conv" and layer.kernel.shape[2] == 1:
        values["kernel"] = values["kernel"].sum(axis=2, keepdims=True)
    return values
