"""Networks that start from the weights of another run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras

from edge_runtime.errors import RunError, UsageError
from train.models.build import Spec, build_network
from train.models.registry import Part
from train.runs.folder import RunFolder, Training, load_run


@dataclass(frozen=True)
class Source:
    """The people of another run, in the order of its scores, and its networks."""

    people: tuple[str, ...]
    networks: dict[Part, keras.Model]

    def give_to(self, network: keras.Model, part: Part, people: tuple[str, ...]) -> None:
        """Start a network of the same family from these weights.

        The layer `scores` is taken only where it scores the same people by the same loss.
        """
        source = self.networks[part]
        for ours, theirs in _bodies(network, source):
            ours.assign(theirs)
        scores, trained = network.get_layer("scores"), source.get_layer("scores")
        if people == self.people and len(scores.weights) == len(trained.weights):
            scores.set_weights(trained.get_weights())


def weights_digest(folder: RunFolder) -> str:
    """SHA-256 over a run's weight files. RunError where one is missing."""
    whole = hashlib.sha256()
    for part in folder.run.spec.parts:
        try:
            whole.update(folder.weights(part).read_bytes())
        except OSError as error:
            raise RunError(f"{folder.weights(part)}: expected weights, found none "
                           f"({error.strerror}); train that run to its end") from None
    return whole.hexdigest()


def check_family(folder: RunFolder, spec: Spec) -> None:
    """UsageError where a run to start from is of another family than `spec`."""
    found = folder.run.spec.family
    if found != spec.family:
        raise UsageError(f"--init-from {folder.path}: expected a run of {spec.family}, found one "
                         f"of {found}; name another run, or --model {found}")


def read_source(spec: Spec, training: Training) -> Source | None:
    """The run that `training.init_from` names, checked to fit `spec`; None without one.

    UsageError for another family, or a family whose layers do not allow another image size.
    """
    if training.init_from is None:
        return None
    folder = load_run(Path(training.init_from))
    source = folder.run.spec
    check_family(folder, spec)
    networks = {part: folder.load_network(part) for part in spec.parts}
    if source.image_size != spec.image_size:
        for part, network in networks.items():
            _check_shapes(build_network(spec, part), network, folder)
    return Source(source.people, networks)


def _bodies(
    network: keras.Model, source: keras.Model
) -> Iterator[tuple[keras.Variable, keras.Variable]]:
    """All weights but those of the scores, side by side."""
    bodies = [[w for w in n.weights if not any(w is head for head in n.get_layer("scores").weights)]
              for n in (network, source)]
    return zip(*bodies, strict=True)


def _check_shapes(network: keras.Model, source: keras.Model, folder: RunFolder) -> None:
    for ours, theirs in _bodies(network, source):
        if ours.shape != theirs.shape:
            spec = folder.run.spec
            raise UsageError(f"--init-from {folder.path}: {ours.path} of {spec.family} depends on "
                             f"the image size; train with --image-size {spec.image_size}, as that "
                             "run was")
