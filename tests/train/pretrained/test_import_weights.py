"""Checkpoints of MobileViT become runs, and runs start from other runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import safetensors.numpy

from edge_runtime.dataset.collection import read_collection
from edge_runtime.dataset.people import index_people
from edge_runtime.errors import RunError, UsageError
from tests.data.drawn_weights import draw_state
from tests.train.models.test_mobilevit_parity import (
    drawn_state,
    in_cvnets_names,
    network,
    reference,
)
from tests.train.training.tiny_training import TINY
from train.cli import main
from train.models.build import Spec, build_network, make_spec
from train.models.registry import FAMILIES
from train.pretrained.checkpoints import (
    GREY_MEAN,
    GREY_SPREAD,
    State,
    assign_weights,
    import_weights,
)
from train.pretrained.import_weights import describe, init_from_checkpoint
from train.pretrained.transfer import read_source, weights_digest
from train.runs.folder import RunFolder, Training, init, load_run
from train.scoring.evaluate import evaluate

Run = Callable[..., subprocess.CompletedProcess[str]]
PEOPLE = ("ada", "bob", "eve")
SPEC = make_spec("mobilevit_xxs", PEOPLE, 64)


@pytest.fixture(scope="module")
def state() -> State:
    """timm's mobilevit_xxs for colour pictures and 10 classes."""
    return drawn_state(reference("xxs"))


@pytest.fixture(scope="module")
def checkpoint(state: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("timm") / "mobilevit_xxs.safetensors"
    safetensors.numpy.save_file(state, path)
    return path


def stem(model: keras.Model) -> keras.Model:
    return keras.Model(model.input, model.get_layer("stem_norm").output)


@pytest.mark.parametrize("names", ["timm", "ml-cvnets"])
def test_a_face_sees_what_the_checkpoint_was_made_for(
    names: str, state: State, rng: np.random.Generator
) -> None:
    """The same picture, 0 to 1 for theirs (ml-cvnets: blue first) and 0 to 255 for ours."""
    theirs = network((64, 64, 3))
    assign_weights(theirs, state)
    ours = build_network(SPEC, "face")
    assert import_weights(ours, state if names == "timm" else in_cvnets_names(state)) == ["scores"]
    picture = rng.uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    made = picture / 255 if names == "timm" else picture[..., ::-1] / 255
    inner = slice(1, -1)  # the outermost pixels see another padding
    wanted = np.asarray(stem(theirs)(made))[:, inner, inner]
    np.testing.assert_allclose(stem(ours)(picture)[:, inner, inner], wanted, atol=1e-4)
    assert np.abs(wanted).max() > 0.5
    # Behind the stem the weights are theirs as they are.
    for name in ("stage1_expand_conv", "stage5_transformer2_mlp1", "last_norm"):
        for one, other in zip(ours.get_layer(name).get_weights(),
                              theirs.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_voice_looks_like_a_grey_picture(state: State, rng: np.random.Generator) -> None:
    theirs = network((64, 64, 3))
    assign_weights(theirs, state)
    ours = build_network(SPEC, "voice")
    assert import_weights(ours, state) == ["scores"]
    spectrogram = rng.normal(size=(1, 256, 64, 1)).astype(np.float32)
    made = GREY_MEAN + GREY_SPREAD * spectrogram.repeat(3, axis=-1)
    image = keras.Input((256, 64, 1))
    alone = keras.Model(image, ours.get_layer("stem_norm")(ours.get_layer("stem_conv")(
        ours.get_layer("stem_pad")(image))))
    colours = keras.Input((256, 64, 3))
    wanted = keras.Model(colours, theirs.get_layer("stem_norm")(theirs.get_layer("stem_conv")(
        theirs.get_layer("stem_pad")(colours))))
    inner = slice(1, -1)
    np.testing.assert_allclose(alone(spectrogram)[:, inner, inner],
                               wanted(made)[:, inner, inner], atol=1e-4)


def test_classes_of_pictures_are_no_people(state: State) -> None:
    ten = tuple(f"person{i}" for i in range(10))  # as many as the checkpoint has classes
    model = build_network(make_spec("mobilevit_xxs", ten, 64), "face")
    before = model.get_layer("scores").get_weights()[0]
    assert import_weights(model, {f"module.{name}": value for name, value in state.items()}) == [
        "scores"]
    np.testing.assert_array_equal(model.get_layer("scores").get_weights()[0], before)


@pytest.fixture(scope="module")
def imported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder, _ = init_from_checkpoint(SPEC, checkpoint, tmp_path_factory.mktemp("run") / "run", 0)
    return folder


def test_the_run_says_where_it_comes_from(imported: RunFolder, checkpoint: Path) -> None:
    run = load_run(imported.path).run
    assert run == imported.run and run.data is None and run.spec == SPEC
    assert run.training.init_from == str(checkpoint.resolve())
    assert run.training.init_digest and len(run.training.init_digest) == 64
    assert run.training.start == "from mobilevit_xxs.safetensors"
    assert imported.load_network("voice").count_params() > 900_000


def test_the_table(checkpoint: Path, tmp_path: Path) -> None:
    _, taken = init_from_checkpoint(SPEC, checkpoint, tmp_path / "run", 0)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in
            describe(taken).splitlines()]
    assert rows[0] == ["layers", "face", "voice"]
    assert ["band_norm", "-", "left as drawn"] in rows
    assert ["scores", "left as drawn", "left as drawn"] in rows
    assert ["stem", "496 weights", "208 weights"] in rows
    assert {row[0] for row in rows} >= {f"stage{i}" for i in range(1, 6)} | {"last"}


@pytest.mark.parametrize("family", ["vgg16", "vit", "mobilevit_cross_attention"])
def test_families_that_take_no_checkpoint(family: str, checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{family} takes no MobileViT checkpoint, expected one of "
                                         "mobilevit_xxs, "):
        init_from_checkpoint(make_spec(family, PEOPLE, 64), checkpoint, tmp_path / "run", 0)


def test_a_checkpoint_of_another_size_leaves_nothing(state: State, tmp_path: Path) -> None:
    shapes = {name: (value.shape[0] + 1, *value.shape[1:]) if value.ndim else ()
              for name, value in state.items()}
    other = tmp_path / "other.safetensors"
    safetensors.numpy.save_file(draw_state(shapes, 0), other)
    for path in (other, tmp_path / "cut.safetensors"):
        if not path.exists():
            path.write_bytes(other.read_bytes()[:100_000])
        with pytest.raises(RunError, match=r"expected .* found"):
            init_from_checkpoint(SPEC, path, tmp_path / "run", 0)
    assert not (tmp_path / "run").exists()


def test_the_command(run_train: Run, checkpoint: Path, tmp_path: Path) -> None:
    done = run_train("import-weights", checkpoint, "--model", "mobilevit_xxs_edge",
                      "--image-size", 64, "--people", 4, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "| scores" in done.stdout and done.stdout.strip().endswith(str(tmp_path / "run"))
    assert len(load_run(tmp_path / "run").run.spec.people) == 4
    pickled = tmp_path / "model.pkl"
    pickled.write_bytes(b"cos\nsystem\n")
    done = run_train("import-weights", pickled, "--out", tmp_path / "other")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "expected a checkpoint, .safetensors or one of .pt, .pth, .bin, found '.pkl'" in (
        done.stderr)


def started(spec: Spec, source: RunFolder) -> keras.Model:
    """A face network of `spec` that starts from another run."""
    found = read_source(spec, Training(init_from=str(source.path)))
    assert found is not None
    network = build_network(spec, "face")
    found.give_to(network, "face", spec.people)
    return network


@pytest.mark.parametrize(("people", "size", "loss", "same"), [
    (PEOPLE, 64, "softmax", True), (PEOPLE, 128, "softmax", True),
    (("ada", "bob", "zoe"), 64, "softmax", False), (("ada", "bob"), 64, "softmax", False),
    (PEOPLE, 64, "cosface", False)])
def test_all_but_the_scores_of_others_is_taken(
    people: tuple[str, ...], size: int, loss: str, same: bool, imported: RunFolder
) -> None:
    spec = make_spec("mobilevit_xxs", people, size, loss)  # type: ignore[arg-type]
    network, source = started(spec, imported), imported.load_network("face")
    for layer, other in zip(network.layers, source.layers, strict=False):
        if layer.weights and layer.name != "scores":
            assert all(np.array_equal(a, b) for a, b in zip(
                layer.get_weights(), other.get_weights(), strict=True)), layer.name
    kernels = [n.get_layer("scores").get_weights()[0] for n in (network, source)]
    assert np.array_equal(*kernels) == same


def test_towers_are_taken_too(tmp_path: Path) -> None:
    spec = make_spec("mobilevit_xxs_edge_frozen_concat", PEOPLE, 64)
    source = init(spec, tmp_path / "run", seed=5)
    found = read_source(spec, Training(init_from=str(source.path)))
    assert found is not None
    network = build_network(spec, "fused")
    found.give_to(network, "fused", ())
    tower, other = (n.get_layer("voice_tower") for n in (network, source.load_network("fused")))
    for one, two in zip(tower.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_sources_that_do_not_fit(imported: RunFolder, tmp_path: Path) -> None:
    training = Training(init_from=str(imported.path))
    with pytest.raises(UsageError, match="expected a run of vit, found one of mobilevit_xxs; name "
                                         "another run, or --model mobilevit_xxs"):
        read_source(make_spec("vit", PEOPLE, 64), training)
    assert read_source(SPEC, Training()) is None
    with pytest.raises(RunError, match="expected a run folder"):
        read_source(SPEC, Training(init_from=str(tmp_path)))


@pytest.mark.parametrize(("family", "size", "weight"), [
    ("vit", 64, "position/table"), ("vgg16", 64, "dense0/kernel")])
def test_families_bound_to_an_image_size(
    family: str, size: int, weight: str, tmp_path: Path
) -> None:
    source = init(make_spec(family, PEOPLE, size), tmp_path / "run", seed=0)
    with pytest.raises(UsageError, match=f"{weight} of {family} depends on the image size; train "
                                         "with --image-size 64, as that run was"):
        read_source(make_spec(family, PEOPLE, 128), Training(init_from=str(source.path)))


def test_a_source_cut_short(imported: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((imported.path / "run.json").read_bytes())
    with pytest.raises(RunError, match="expected weights, found none"):
        weights_digest(load_run(tmp_path))
    for part in ("face", "voice"):
        content = imported.weights(part).read_bytes()
        (tmp_path / f"{part}.weights.h5").write_bytes(content[: len(content) // 2])
    assert weights_digest(load_run(tmp_path)) != weights_digest(imported)
    with pytest.raises(RunError, match="weights are missing, damaged or of another model"):
        read_source(SPEC, Training(init_from=str(tmp_path)))


@pytest.mark.slow
def test_fine_tuning(
    small_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Fewer people, another loss, from another run: recorded, and told apart from no source."""
    monkeypatch.setattr("train.training.examples.MIN_EXAMPLES", 16)
    monkeypatch.setitem(FAMILIES, "tiny", TINY)
    source = init(make_spec("tiny", PEOPLE, 64), tmp_path / "source", seed=0)
    out = tmp_path / "run"
    arguments = ["train", "fit", "--data", small_people, "--model", "tiny", "--image-size", 64,
                 "--epochs", 1, "--leave-out-people", 1, "--loss", "cosface", "--no-time-shift",
                 "--out", out]
    monkeypatch.setattr(sys, "argv", [*map(str, arguments), "--init-from", str(source.path)])
    assert main() == 0
    said = capsys.readouterr().out
    assert "face network, 3 people, from source" in said
    assert "6 test pairs" in said  # of the three
    content = json.loads((out / "run.json").read_text())
    assert content["training"]["init_from"] == str(source.path.resolve())
    assert content["training"]["init_digest"] == weights_digest(source)
    assert content["training"]["time_shift"] is False and content["spec"]["loss"] == "cosface"
    assert len(content["data"]["left_out"]) == 1 and len(content["spec"]["people"]) == 3
    assert not set(content["data"]["left_out"]) & set(content["spec"]["people"])
    people = load_run(out).load_network("voice").get_layer("scores").get_weights()[0]
    np.testing.assert_allclose(np.linalg.norm(people, axis=0), 1, atol=1e-5)
    monkeypatch.setattr(sys, "argv", [*map(str, arguments), "--resume"])
    assert main() == 2
    assert "the training options differ" in capsys.readouterr().err
    collection = read_collection(index_people(small_people), 64)
    assert len(evaluate(load_run(out), collection).pairs) == 6
