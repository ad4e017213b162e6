"""Training-time techniques before a recipe, each run by TensorFlow Model Optimization in a child
process: it switches the process that imports it to another Keras.

    pruned50     half of the weights of convolutions and dense layers are zero
    pruned2of4   two in each four of them are, which some accelerators skip
    clustered16  each layer has 16 different weights
    qat          convolutions learn with int8 weights and activations
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.console.output import silenced_stderr
from edge_runtime.errors import ConversionError

if TYPE_CHECKING:
    from train.models.registry import Part

def tuned(
    run: Path, part: Part, techniques: tuple[str, ...], data: Path, *, folded: bool = True,
    steps: int | None = None,
) -> bytes:
    """A network of a run after the techniques: the `.tflite` model that a recipe takes.

    data: people or a pack, those of the training. folded: see convert/graph/fold.py. steps: of each
    technique at most, to find out whether it can be applied. ConversionError where it cannot, or
    the child crashed.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_tune_in_child, run, part, techniques, data, folded, steps).result()
        except BrokenProcessPool:
            # As TensorFlow 2.21 does after `qat` alone on the paper's MobileViTs (SiLU).
            raise ConversionError(f"{'_'.join(techniques)} of the {part} network: not supported: "
                                  "TensorFlow crashed while it converted, or was killed for want "
                                  "of memory") from None


def _tune_in_child(
    run: Path, part: Part, techniques: tuple[str, ...], data: Path, folded: bool,
    steps: int | None,
) -> bytes:
    with silenced_stderr():
        from convert.quantize.tuning import tune
    from convert.graph.fold import fold
    from train.data import noises_in, read_data, without_people
    from train.runs.folder import load_run
    from train.training.examples import training_batches

    folder = load_run(run)
    spec, training = folder.run.spec, folder.run.training
    collection = read_data(data, spec.image_size, folder.run.split_seed)
    if folder.run.data:
        collection = without_people(collection, folder.run.data.left_out)
    noises = noises_in(Path(training.noise)) if training.noise else []
    network = folder.load_network(part)
    return tune(fold(network) if folded else network, techniques,
                training_batches(collection, spec, training, part, noises), steps)
