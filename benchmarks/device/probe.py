"""Run on the device, and beside it on this machine: what networks put out, and who it is.

`python probe.py JOB` reads a file of JSON and prints a line of JSON about itself, once everything
is imported, and one for each bundle that the file names. It imports what the wheel of `visavox`
holds, and nothing else of the clone.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import edge_runtime
from edge_runtime.bundle.networks import Network, Outputs, chosen_interpreter, load_bundle
from edge_runtime.decision.identify import Identifier
from edge_runtime.errors import VisavoxError
from edge_runtime.signals.reader import InputReader, Stages

Inputs = Mapping[str, npt.NDArray[np.float32]]

BLOCKS = (1, 2, 1, 2)  # inferences between marks: what a mark costs cancels in a difference
ROUNDING = 1e-7  # relative, about what float32 rounds to
MOST = 1e-2  # relative; of the brightest pixels that is over two steps of an int8 input
TRIES = 16


def main() -> None:
    warnings.simplefilter("ignore")
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps({"interpreter": str(chosen_interpreter()), "numpy": np.__version__,
                      "package": edge_runtime.__file__}), flush=True)
    for name in job["bundles"]:
        try:
            found = probe(Path(name), job["examples"], own_moves=job["own_moves"])
        except VisavoxError as error:
            found = {"error": str(error)}
        print(json.dumps({"bundle": name} | found), flush=True)


def probe(path: Path, examples: Sequence[tuple[str, str]], *, own_moves: bool) -> dict[str, Any]:
    """Decisions, and scores and embeddings by network, of every example (a face and a clip).

    own_moves: also how far each network's outputs move on this machine by themselves.
    """
    bundle = load_bundle(path, allow_uncertified=True)
    identifier = Identifier(bundle)
    networks = bundle.networks()
    decisions, outputs = [], []
    moves: dict[str, dict[str, float]] = {part: {"scores": 0, "embedding": 0} for part in networks}
    for face, voice in examples:
        decided = identifier.identify(Path(face), Path(voice))
        decisions.append({"person": decided.person, "reason": decided.reason,
                          "first": decided.top[0].person})
        reader = InputReader(bundle.manifest.inputs, Stages())
        reader.face(Path(face))
        reader.voice(Path(voice))
        found = {part: network.run(**inputs_of(network, reader))
                 for part, network in networks.items()}
        outputs.append({part: {"scores": each.scores.tolist(),
                               "embedding": each.embedding.tolist()}
                        for part, each in found.items()})
        for part, network in networks.items() if own_moves else ():
            moved = own_move(network, inputs_of(network, reader))
            moves[part] = {key: max(moves[part][key], moved[key]) for key in moved}
    for network in networks.values():
        mark(network, inputs_of(network, reader))
    return {"decisions": decisions, "outputs": outputs, "own_moves": moves}


def inputs_of(network: Network, reader: InputReader) -> Inputs:
    """Of a network of one modality, or of both."""
    arrays = {str(name): array for name, array in reader.arrays.items()}
    return {name: arrays[name] for name in network.inputs}


def mark(network: Network, inputs: Inputs) -> None:
    """Have the counter (plugin.c) set a mark before the first block of inferences and after each.

    The first inference of all is not counted: it makes room and packs weights.
    """
    network.run(**inputs)
    os.getsid(0)
    for block in BLOCKS:
        for _ in range(block):
            network.run(**inputs)
        os.getsid(0)


def own_move(network: Network, inputs: Inputs) -> dict[str, float]:
    """How far outputs move where every input is rounded otherwise, up or down by chance.

    Where nothing moves, since the network rounds its input more coarsely, twice as much is tried,
    up to MOST.
    """
    rng = np.random.default_rng(0)
    still = network.run(**inputs)
    change, moved = ROUNDING, {"scores": 0.0, "embedding": 0.0}
    while not moved["embedding"] and change < MOST:
        runs = [network.run(**{name: nudged(value, change, rng) for name, value in inputs.items()})
                for _ in range(TRIES)]
        moved = {key: max(difference(run, still)[key] for run in runs) for key in moved}
        change *= 2
    return moved


def nudged(
    value: npt.NDArray[np.float32], change: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    signs = rng.choice(np.array([-change, change]), value.shape)
    changed: npt.NDArray[np.float32] = (value * (1 + signs)).astype(np.float32)
    return changed


def difference(found: Outputs, other: Outputs) -> dict[str, float]:
    """The largest of any score, and of any number of the embedding."""
    return {"scores": float(np.abs(found.scores - other.scores).max()),
            "embedding": float(np.abs(found.embedding - other.embedding).max())}


if __name__ == "__main__":
    main()
