"""Every entry of the registry keeps the graph contract and learns; the blocks equal known ones."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import layers, ops

from edge_runtime.errors import UsageError
from edge_runtime.signals.voice import CLIP_SAMPLES
from tests.shallow import shallow_families
from train.models import fusion, mobilevit, vgg, vit
from train.models.build import Spec, build_network, make_spec
from train.models.layers import attention, cross_attention
from train.models.registry import FAMILIES, Family, Part, family_of, pair_families

SMALL = 64  # the least picture that all families take
PEOPLE = ("ada", "bob", "eve")
NETWORKS = [(name, part) for name, family in FAMILIES.items() for part in family.parts]
FROZEN = [name for name, family in FAMILIES.items() if family.towers]

# The source experiment's totals at 95 people, all networks of a model together.
SOURCE_TOTALS = {"vgg16": 44.3e6, "vit": 51.8e6, "vit_cross_attention": 30e6}

Arrays = dict[str, npt.NDArray[np.float32]]


def small_spec(name: str) -> Spec:
    return make_spec(name, PEOPLE, SMALL)


def small_network(name: str, part: Part) -> keras.Model:
    with shallow_families():
        return build_network(small_spec(name), part)


def drawn_inputs(network: keras.Model, count: int, rng: np.random.Generator) -> Arrays:
    drawn = {"face": rng.uniform(0, 255, (count, SMALL, SMALL, 3)),
             "voice": rng.normal(0, 0.1, (count, CLIP_SAMPLES))}
    return {tensor.name: drawn[tensor.name].astype(np.float32) for tensor in network.inputs}


def outputs(network: keras.Model, arrays: Arrays) -> Arrays:
    """What the network answers when it does not train."""
    data = arrays if len(arrays) > 1 else next(iter(arrays.values()))
    return {name: np.asarray(value) for name, value in network(data, training=False).items()}


def values(network: keras.Model) -> Arrays:
    """All weights by path, the statistics of batch norms among them."""
    return {weight.path: ops.convert_to_numpy(weight).copy() for weight in network.weights}


def changed_by_a_step(network: keras.Model, rng: np.random.Generator) -> set[str]:
    """Train one step and return the paths of the weights that it moved."""
    before, data = values(network), drawn_inputs(network, 4, rng)
    classifier = keras.Model(network.input, network.output["scores"])
    # A large rate shows small gradients; a step is taken eagerly, because tracing takes longer.
    classifier.compile(keras.optimizers.SGD(1.0), "categorical_crossentropy", run_eagerly=True)
    loss = classifier.train_on_batch(data if len(data) > 1 else next(iter(data.values())),
                                     np.eye(len(PEOPLE), dtype=np.float32)[[0, 1, 2, 0]])
    after = values(network)
    assert np.isfinite(loss) and all(np.isfinite(value).all() for value in after.values())
    return {path for path, value in after.items() if not np.array_equal(value, before[path])}


@pytest.mark.parametrize(("name", "part"), NETWORKS)
def test_networks_keep_the_contract_and_learn(
    name: str, part: Part, rng: np.random.Generator
) -> None:
    network = small_network(name, part)
    arrays = drawn_inputs(network, 2, rng)
    assert list(arrays) == (["face", "voice"] if part == "fused" else [part])
    found = outputs(network, arrays)
    assert set(found) == {"scores", "embedding"}
    assert found["scores"].shape == (2, len(PEOPLE)) and len(found["embedding"]) == 2
    np.testing.assert_allclose(found["scores"].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found["embedding"], axis=1), 1, atol=1e-4)
    for each in arrays:  # every input counts
        exchanged = outputs(network, arrays | {each: arrays[each][::-1].copy()})
        assert np.abs(exchanged["embedding"] - found["embedding"]).max() > 1e-5, each

    trainable = {weight.path for weight in network.trainable_weights}
    changed = changed_by_a_step(network, rng)
    # A last stage of one patch attends to itself, whatever its query and key are.
    idle = {path for path in trainable if part == "face" and path.startswith("stage5")
            and path.endswith(("query_norm/scale", "key_norm/scale"))}
    assert trainable - idle <= changed
    if name in FROZEN:
        assert changed == trainable
        assert not any(tower in path for path in trainable for tower in fusion.TOWERS.values())


@pytest.mark.parametrize("name", SOURCE_TOTALS)
def test_totals_match_the_source_experiment(name: str) -> None:
    assert total(name) == pytest.approx(SOURCE_TOTALS[name], rel=0.02)


@pytest.mark.parametrize("name", ["mobilevit_xxs", "mobilevit_xxs_edge"])
def test_small_pairs_are_small(name: str) -> None:
    assert total(name) <= 2.0e6


def total(name: str) -> int:
    spec = make_spec(name, tuple(f"person{i:02}" for i in range(95)), 128)
    return sum(build_network(spec, part).count_params() for part in spec.parts)


@pytest.mark.parametrize("name", FROZEN)
def test_frozen_towers_compute_what_the_pair_computes(name: str, rng: np.random.Generator) -> None:
    pair = family_of(name).towers
    assert pair is not None
    face, voice = (small_network(pair, part) for part in ("face", "voice"))
    voice.get_layer(fusion.BAND_NORM).set_weights([rng.uniform(0.5, 1.5, 64) for _ in range(4)])
    network = small_network(name, "fused")
    fusion.copy_towers(network, face, voice)
    arrays = drawn_inputs(network, 2, rng)
    towers = keras.Model(network.input, network.get_layer("join").input)
    for modality, trained, found in zip(("face", "voice"), (face, voice), towers(arrays),
                                        strict=True):
        alone = keras.Model(trained.input, trained.get_layer("dropout").input)
        np.testing.assert_allclose(found, alone(arrays[modality]), rtol=1e-4, atol=1e-5)


def test_frozen_towers_stay_so_within_a_network_that_trains(rng: np.random.Generator) -> None:
    """Keras hands `training` down; dropout of the towers would show in the joined features."""
    network = small_network("vit_frozen_concat", "fused")
    images = [network.get_layer(name).output for name in ("scale", "masks")]
    features = keras.Model(images, network.get_layer("join").output)
    # Beyond the masks, which differ in training for good reason.
    arrays = [rng.normal(size=(1, *image.shape[1:])).astype(np.float32) for image in images]
    np.testing.assert_allclose(features(arrays, training=True), features(arrays, training=False),
                               atol=1e-5)


def test_joint_towers_train() -> None:
    network = small_network("vit_joint_add", "fused")
    for tower in fusion.TOWERS.values():
        assert not network.get_layer(tower).non_trainable_weights


def test_registry_tells_pairs_from_fused_families() -> None:
    pairs = pair_families()
    assert {family.name for family in pairs} >= {"vgg16", "vit", "mobilevit_xxs_edge"}
    for name, family in FAMILIES.items():
        assert family.name == name and family.description
        assert (family in pairs) == (family.parts == ("face", "voice"))
        assert family.towers is None or family_of(family.towers) in pairs
        assert small_spec(name).parts == family.parts


def test_a_part_of_another_kind_of_model() -> None:
    with pytest.raises(ValueError, match=r"vit has the parts .*, found 'fused'"):
        build_network(small_spec("vit"), "fused")
    with pytest.raises(ValueError, match=r"vit_stacked has the parts .*, found 'face'"):
        build_network(small_spec("vit_stacked"), "face")


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_image_sizes_that_do_not_fit(family: Family) -> None:
    with pytest.raises(UsageError, match=f"expects a multiple of {family.multiple}"):
        make_spec(family.name, PEOPLE, SMALL + family.multiple // 2)


def computed(function: Callable[..., keras.KerasTensor], *arrays: np.ndarray) -> np.ndarray:
    tensors = [layers.Input(array.shape[1:]) for array in arrays]
    return np.asarray(keras.Model(tensors, function(*tensors))(list(arrays)))


@pytest.mark.parametrize("num_heads", [1, 3])
@pytest.mark.parametrize("crossed", [False, True])
def test_attention_equals_that_of_keras(
    num_heads: int, crossed: bool, rng: np.random.Generator
) -> None:
    dim = 12
    queries, others = layers.Input((5, dim)), layers.Input((7, dim))
    if crossed:
        output = cross_attention(queries, others, num_heads, name="ours")
    else:
        output = attention(queries, num_heads, name="ours")
    ours = keras.Model([queries, others], output)
    for weight in ours.weights:
        weight.assign(rng.normal(size=weight.shape))
    theirs = layers.MultiHeadAttention(num_heads, dim // num_heads)
    tokens, context = (rng.normal(size=(2, n, dim)).astype(np.float32) for n in (5, 7))
    context = context if crossed else tokens
    theirs.build(tokens.shape, context.shape)
    named = values(ours)
    joint = ("query", "key_value") if crossed else ("qkv",)
    kernels, biases = (np.concatenate([named[f"ours_{part}/{what}"] for part in joint], axis=-1)
                       for what in ("kernel", "bias"))
    weights: list[np.ndarray] = []
    for kernel, bias in zip(np.split(kernels, 3, axis=1), np.split(biases, 3), strict=True):
        weights += [kernel.reshape(dim, num_heads, -1), bias.reshape(num_heads, -1)]
    weights += [named["ours_projection/kernel"].reshape(num_heads, -1, dim),
                named["ours_projection/bias"]]
    theirs.set_weights(weights)
    found = ours([tokens, rng.normal(size=(2, 7, dim)) if not crossed else context])
    np.testing.assert_allclose(found, theirs(tokens, context), rtol=1e-5, atol=1e-4)


def test_vgg16_equals_that_of_keras(rng: np.random.Generator) -> None:
    theirs = keras.applications.VGG16(weights=None, include_top=False, input_shape=(64, 32, 3))
    image = layers.Input((64, 32, 3))
    ours = keras.Model(image, vgg.convolutions(image))
    named = [layer.name for layer in theirs.layers if layer.weights]
    assert named == [layer.name for layer in ours.layers if layer.weights]
    for name in named:
        ours.get_layer(name).set_weights(theirs.get_layer(name).get_weights())
    picture = rng.uniform(-1, 1, (1, 64, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(ours(picture), theirs(picture), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("channels", [3, 1])
def test_imagenet_weights_see_what_they_were_made_for(
    channels: int, rng: np.random.Generator
) -> None:
    theirs = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    image = layers.Input((32, 32, channels))
    ours = keras.Model(image, vgg.convolutions(image))
    vgg.assign_imagenet(ours, theirs)
    first = keras.Model(ours.input, ours.get_layer("block1_conv1").output)
    wanted = keras.Model(theirs.input, theirs.get_layer("block1_conv1").output)
    if channels == 3:
        picture = rng.uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
        scaled = picture / 127.5 - 1
        made = keras.applications.vgg16.preprocess_input(picture.copy())
    else:
        scaled = rng.normal(size=(1, 32, 32, 1)).astype(np.float32)
        made = vgg.IMAGENET_SPREAD * scaled.repeat(3, axis=-1)
    inner = slice(1, -1)  # the outermost pixels see another padding
    np.testing.assert_allclose(first(scaled)[:, inner, inner], wanted(made)[:, inner, inner],
                               rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(ours.get_layer("block5_conv3").get_weights()[0],
                                  theirs.get_layer("block5_conv3").get_weights()[0])


def test_patches_by_hand() -> None:
    image = np.arange(2 * 4 * 2, dtype=np.float32).reshape(1, 2, 4, 2)
    found = computed(lambda x: vit.patches(x, 2), image)
    np.testing.assert_array_equal(found[0], [[0, 1, 2, 3, 8, 9, 10, 11],
                                             [4, 5, 6, 7, 12, 13, 14, 15]])


def test_shifted_copies_by_hand() -> None:
    image = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1)
    found = computed(lambda x: vit.shifted_copies(x, 1), image)[0]
    copies = [found[..., i].tolist() for i in range(5)]
    assert copies == [[[1, 2], [3, 4]], [[0, 0], [0, 1]], [[0, 0], [2, 0]], [[0, 3], [0, 0]],
                      [[4, 0], [0, 0]]]


def test_every_token_has_a_place(rng: np.random.Generator) -> None:
    """Without the learned positions, exchanged patches would give the same features."""
    size = vit.Size(embed_dim=16, depth=2, num_heads=2, patch_size=8)
    image = layers.Input((16, 32, 1))
    network = keras.Model(image, vit.vit(image, size))
    picture = rng.normal(size=(1, 16, 32, 1)).astype(np.float32)
    exchanged = np.concatenate([picture[:, :, 16:], picture[:, :, :16]], axis=2)
    table = network.get_layer("position").table
    assert np.abs(network(picture) - network(exchanged)).max() > 1e-4
    table.assign(ops.zeros_like(table))
    np.testing.assert_allclose(network(picture), network(exchanged), atol=1e-5)


@pytest.mark.parametrize("size", [64, 128, 192])
def test_face_and_spectrogram_stacked(size: int, rng: np.random.Generator) -> None:
    face = rng.uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    spectrogram = rng.normal(size=(2, 256, 64, 1)).astype(np.float32)
    found = computed(fusion.stacked, face, spectrogram)
    assert found.shape == (2, size, size, 4)
    np.testing.assert_array_equal(found[..., :3], face)
    halves = np.concatenate([spectrogram[:, :128, :, 0], spectrogram[:, 128:, :, 0]], axis=2)
    if size == 128:
        np.testing.assert_array_equal(found[..., 3], halves)
    if size == 64:
        means = halves.reshape(2, 64, 2, 64, 2).mean(axis=(2, 4))
        np.testing.assert_allclose(found[..., 3], means, atol=1e-5)


def test_mobilevit_tokens_are_the_last_stage(rng: np.random.Generator) -> None:
    image = layers.Input((SMALL, SMALL, 3))
    tokens = fusion._mobilevit_tokens(image)
    assert tokens.shape[1:] == ((SMALL // 32) ** 2, mobilevit.XXS.stages[-1])
