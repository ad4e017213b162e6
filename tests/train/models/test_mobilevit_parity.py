"""Our MobileViT computes what timm's does, and takes the weights of published checkpoints.

tests/data/make_timm_reference.py wrote what timm answers; `make parity` writes it again.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import safetensors.numpy
from keras import layers

from edge_runtime.errors import RunError
from edge_runtime.modalities import Modality
from tests.data.drawn_weights import draw_input, draw_state, fingerprint
from train.models import mobilevit
from train.models.build import build_network, make_spec
from train.pretrained.checkpoints import State, assign_weights, read_checkpoint

DATA = Path(__file__).parents[2] / "data"
SIZES = {"xxs": mobilevit.XXS, "xs": mobilevit.XS, "s": mobilevit.S}
SHAPES = {"picture": (256, 256, 3), "spectrogram": (256, 64, 1)}
SMALL = (128, 128, 3)
TOLERANCE = 1e-4  # of the reference's standard deviation


def reference(size: str) -> dict[str, np.ndarray]:
    with np.load(DATA / f"timm_mobilevit_{size}.npz") as file:
        return dict(file)


def drawn_state(expected: dict[str, np.ndarray], case: str = "picture") -> State:
    shapes = json.loads(str(expected[f"{case}_shapes"]))
    return draw_state({name: tuple(shape) for name, shape in shapes.items()}, int(expected["seed"]))


def network(
    shape: tuple[int, int, int] = SMALL, size: mobilevit.Size = mobilevit.XXS,
    style: mobilevit.Style = mobilevit.PAPER, num_classes: int = 10,
) -> keras.Model:
    """Outputs: end of stage 3 [batch, height / 8, width / 8, channels], features, logits."""
    image = layers.Input(shape)
    features = mobilevit.mobilevit(image, size, style)
    logits = layers.Dense(num_classes, name="scores")(features)
    stage3 = keras.Model(image, features).get_layer("stage3_merge_activation").output
    return keras.Model(image, {"stage3": stage3, "features": features, "logits": logits},
                       name="tested")


def logits(model: keras.Model) -> np.ndarray:
    image = draw_input((1, *model.input_shape[1:]), seed=1)
    return np.asarray(model(image)["logits"])


@pytest.fixture(scope="module")
def state() -> State:
    """timm's mobilevit_xxs for colour pictures and 10 classes."""
    return drawn_state(reference("xxs"))


@pytest.mark.parametrize(("size", "case"), [
    ("xxs", "picture"), ("xxs", "spectrogram"), ("xs", "spectrogram"), ("s", "spectrogram")])
def test_computes_what_timm_computes(size: str, case: str) -> None:
    expected = reference(size)
    drawn = drawn_state(expected, case)
    assert fingerprint(drawn) == pytest.approx(float(expected[f"{case}_fingerprint"]), rel=1e-12), (
        "this NumPy draws other weights from the seed: `make parity` writes the reference again")
    model = network(SHAPES[case], SIZES[size])
    assert assign_weights(model, drawn) == []
    found = model(draw_input((1, *SHAPES[case]), int(expected["seed"])))
    found = {name: np.asarray(value)[0] for name, value in found.items()}
    step = int(expected["step"])
    found["stage3"] = found["stage3"][::step, ::step]
    for name, value in found.items():
        wanted = expected[f"{case}_{name}"]
        assert value.shape == wanted.shape
        assert np.abs(value - wanted).max() / wanted.std() < TOLERANCE, name


def test_parameter_counts() -> None:
    people = tuple(f"person{i:02}" for i in range(95))
    for family in ("mobilevit_xxs", "mobilevit_xxs_edge"):
        spec = make_spec(family, people, 128)
        pair = [build_network(spec, "face"), build_network(spec, "voice")]
        assert sum(one.count_params() for one in pair) <= 2_000_000
    # Table 1 of the paper says 1.3M; statistics of batch norms are no parameters there.
    trained = network(num_classes=1000).trainable_weights
    assert sum(int(np.prod(weight.shape)) for weight in trained) == pytest.approx(1.27e6, abs=5e3)


def test_safetensors_file(tmp_path: Path, state: State) -> None:
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(state, path)
    from_file, from_memory = network(), network()
    assert assign_weights(from_file, read_checkpoint(path)) == []
    assign_weights(from_memory, state)
    np.testing.assert_array_equal(logits(from_file), logits(from_memory))


def in_cvnets_names(state: State) -> State:
    """timm's names turned into those of ml-cvnets, as its training saves them from two GPUs."""
    parts = {
        "stem.": "conv_1.block.", "final_conv.": "conv_1x1_exp.block.",
        "head.fc": "classifier.fc", ".bn.": ".norm.", "conv1_1x1.": "block.exp_1x1.block.",
        "conv2_kxk.": "block.conv_3x3.block.", "conv3_1x1.": "block.red_1x1.block.",
        ".1.conv_kxk.": ".1.local_rep.conv_3x3.block.",
        ".1.conv_1x1.": ".1.local_rep.conv_1x1.block.conv.", "conv_proj.": "conv_proj.block.",
        "conv_fusion.": "fusion.block.", "transformer.": "global_rep.",
        "norm1": "pre_norm_mha.0", "attn.qkv": "pre_norm_mha.1.qkv_proj",
        "attn.proj": "pre_norm_mha.1.out_proj", "norm2": "pre_norm_ffn.0",
        "mlp.fc1": "pre_norm_ffn.1", "mlp.fc2": "pre_norm_ffn.4",
        "stages.2.1.norm.": "stages.2.1.global_rep.2.",
        "stages.3.1.norm.": "stages.3.1.global_rep.4.",
        "stages.4.1.norm.": "stages.4.1.global_rep.3.",
    }
    renamed = {}
    for name, value in state.items():
        for timm, cvnets in parts.items():
            name = name.replace(timm, cvnets)
        name = re.sub(r"stages\.(\d)", lambda found: f"layer_{int(found[1]) + 1}", name)
        renamed[f"module.{name}"] = value
    return renamed


def test_ml_cvnets_names(state: State) -> None:
    renamed = in_cvnets_names(state)
    assert len(renamed) == len(state)
    for name in ("layer_1.0.block.exp_1x1.block.conv.weight",
                 "layer_3.1.local_rep.conv_1x1.block.conv.weight",
                 "layer_4.1.global_rep.4.bias", "conv_1x1_exp.block.norm.running_var"):
        assert f"module.{name}" in renamed
    ours, theirs = network(), network()
    assign_weights(ours, state)
    assert assign_weights(theirs, renamed) == []
    np.testing.assert_array_equal(logits(ours), logits(theirs))


def test_other_classes_leave_the_classifier(state: State) -> None:
    model = network(num_classes=7)
    before = model.get_layer("scores").get_weights()
    assert assign_weights(model, state) == ["scores"]
    np.testing.assert_array_equal(model.get_layer("scores").kernel, before[0])
    headless = {name: value for name, value in state.items() if not name.startswith("head.")}
    assert assign_weights(network(), headless) == ["scores"]


def test_one_channel_takes_the_sum_over_colours(state: State) -> None:
    grey, colour = network((128, 128, 1)), network()
    assert assign_weights(grey, state) == []
    assign_weights(colour, state)
    image = draw_input((1, 128, 128, 1), seed=2)
    np.testing.assert_allclose(np.asarray(grey(image)["features"]),
                               np.asarray(colour(image.repeat(3, axis=-1))["features"]),
                               rtol=1e-4, atol=1e-4)


def test_other_channels_leave_the_stem(state: State) -> None:
    assert assign_weights(network((128, 128, 2)), state) == ["stem_conv"]


def test_device_style_takes_a_checkpoint(state: State) -> None:
    model = network(style=mobilevit.EDGE)
    assert assign_weights(model, state) == []
    np.testing.assert_array_equal(model.get_layer("stage4_transformer2_norm1").gamma,
                                  state["stages.3.1.transformer.2.norm1.weight"])
    assert np.isfinite(logits(model)).all()


@pytest.mark.parametrize("modality", ["face", "voice"])
def test_built_networks_take_a_checkpoint(state: State, modality: Modality) -> None:
    model = build_network(make_spec("mobilevit_xxs_edge", ("ada", "bob"), 128), modality)
    assert assign_weights(model, state) == ["scores"]


def without(state: State, name: str) -> State:
    return {other: value for other, value in state.items() if other != name}


@pytest.mark.parametrize(("change", "message"), [
    (lambda state: without(state, "stages.2.1.norm.bias"),
     r"expected 'stages.2.1.norm.bias' for stage3_token_norm, found none"),
    (lambda state: {"conv1.weight": np.zeros(3)},
     r"expected 'stem.conv.weight' .* found none \(its first is 'conv1.weight'\)"),
    (lambda state: state | {"stages.5.0.weight": np.zeros(3), "z": np.zeros(3)},
     r"expected the weights of tested only, found 'stages.5.0.weight' beside them"),
    (lambda state: state | {"final_conv.bn.weight": np.zeros(3)},
     r"expected 'final_conv.bn.weight' of shape \(320,\), found \(3,\)"),
])
def test_a_checkpoint_that_does_not_fit(
    state: State, change: Callable[[State], State], message: str
) -> None:
    model = network()
    before = logits(model)
    with pytest.raises(RunError, match=message) as error:
        assign_weights(model, change(state))
    assert "take the checkpoint" in str(error.value)
    np.testing.assert_array_equal(logits(model), before)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged, other, weights = (tmp_path / name for name in ("a.safetensors", "a.onnx", "a.pth"))
    for path in (damaged, other, weights):
        path.write_bytes(b"not a checkpoint at all")
    monkeypatch.setitem(sys.modules, "torch", None)
    for path, message in [
        (tmp_path / "none.safetensors", "found no such file"),
        (damaged, "expected a safetensors file, found a damaged"),
        (other, r"expected a checkpoint, .safetensors or one of .*, found '.onnx'"),
        (weights, "needs PyTorch, which is not installed; pip install torch"),
    ]:
        with pytest.raises(RunError, match=message) as error:
            read_checkpoint(path)
        assert "\n" not in str(error.value)


class Tensor:
    """As much of PyTorch's as the reader uses."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value

    def is_floating_point(self) -> bool:
        return self.value.dtype.kind == "f"

    def float(self) -> Tensor:
        return Tensor(self.value.astype(np.float32))

    def detach(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray:
        return self.value


@pytest.mark.parametrize(("content", "message"), [
    ({"state_dict": {"a": Tensor(np.ones(2, np.float16))}}, None),
    ({"a": Tensor(np.ones(2))}, None),
    ({"a": 3}, "expected a dictionary of tensors"),
    (["a"], "expected a dictionary of tensors"),
    (pickle.UnpicklingError("Weights only load failed"),
     r"found a damaged file or one that would run code of its own \(UnpicklingError\); save"),
])
def test_files_of_pytorch(
    content: object, message: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch itself is no part of the installation, so a stand-in says what it would."""
    def load(path: Path, map_location: str, weights_only: bool) -> object:
        assert weights_only
        if isinstance(content, Exception):
            raise content
        return content

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(load=load))
    path = tmp_path / "model.pt"
    path.touch()
    if message is None:
        read = read_checkpoint(path)
        assert read["a"].dtype == np.float32
        np.testing.assert_array_equal(read["a"], np.ones(2))
    else:
        with pytest.raises(RunError, match=message):
            read_checkpoint(path)
