"""Options of a training: what is not asked for is the model family's own."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest

from edge_runtime.errors import UsageError
from train.cli.options import add_loss, add_start, add_training, training_of
from train.models.build import LOSSES, Spec, make_spec
from train.models.registry import FAMILIES
from train.runs.folder import RunFolder, Training


def training(spec: Spec, *arguments: object) -> Training:
    parser = ArgumentParser()
    for add in (add_training, add_start, add_loss):
        add(parser)
    return training_of(parser.parse_args([str(argument) for argument in arguments]), spec)


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_has_a_learning_rate(name: str) -> None:
    spec = make_spec(name, ("ada", "bob"), 64)
    rate = training(spec).learning_rate
    assert rate == FAMILIES[name].learning_rate
    assert rate == 1e-4 if name == "vgg16" else rate in (3e-4, 2e-3)
    assert (rate == 3e-4) == name.startswith("vit")
    assert training(spec, "--learning-rate", 0.01).learning_rate == 0.01


def test_defaults_are_those_of_the_library() -> None:
    spec = make_spec("mobilevit_xxs_edge", ("ada", "bob"), 64)
    assert training(spec) == Training()
    assert training(spec).start == "from scratch" and training(spec).time_shift
    assert not training(spec, "--no-time-shift").time_shift
    for loss in LOSSES:
        parser = ArgumentParser()
        add_loss(parser)
        assert parser.parse_args(["--loss", loss]).cosface_scale == spec.cosface_scale


def test_where_to_start_from(small_run: RunFolder, tmp_path: Path) -> None:
    found = training(small_run.run.spec, "--init-from", small_run.path)
    assert found.init_from == str(small_run.path.resolve()) and found.init_digest
    assert found.start == f"from {small_run.path.name}"
    frozen = training(small_run.run.spec, "--weights", "imagenet")
    assert (frozen.weights, frozen.start) == ("imagenet", "imagenet, frozen")
    file = training(small_run.run.spec, "--weights", tmp_path / "vgg.h5")
    assert (file.weights, file.start) == (str(tmp_path / "vgg.h5"), "vgg.h5, frozen")
    with pytest.raises(UsageError, match="--init-from and --weights both say what to start from"):
        training(small_run.run.spec, "--init-from", small_run.path, "--weights", "imagenet")


def test_a_voice_network_may_train_for_longer() -> None:
    pair, fused = (make_spec(name, ("ada", "bob"), 64)
                   for name in ("mobilevit_xxs_edge", "vit_stacked"))
    found = training(pair, "--epochs", 10, "--voice-epochs", 22)
    assert [found.epochs_of(part) for part in ("face", "voice", "fused")] == [10, 22, 10]
    assert training(pair, "--epochs", 10).epochs_of("voice") == 10
    with pytest.raises(UsageError, match="one network for both; leave out --voice-epochs"):
        training(fused, "--voice-epochs", 22)
