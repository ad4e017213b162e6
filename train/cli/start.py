"""Runs to start from: `python -m train init`, untrained, for latency, and `import-weights`, from a
published checkpoint.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_runtime.console.parser import Commands
from train.cli.options import add_untrained, anybody, import_keras


def add_init(commands: Commands) -> None:
    init = commands.add("init", _init, "make an untrained run, for latency only",
                        example="--people 95 --out untrained")
    add_untrained(init)


def _init(options: Namespace) -> None:
    import_keras()
    from train.models.build import make_spec
    from train.runs.folder import init

    init(make_spec(options.model, anybody(options.people), options.image_size), options.out,
         options.seed)
    print(f"untrained run folder, for latency only: {options.out}")


def add_import_weights(commands: Commands) -> None:
    weights = commands.add("import-weights", _import_weights,
                           "make an untrained run from a MobileViT checkpoint, to start fit from",
                           example="mobilevit_xxs.safetensors --model mobilevit_xxs --out imagenet")
    weights.add_argument("checkpoint", type=Path, metavar="FILE",
                         help="timm's or ml-cvnets' mobilevit, .safetensors or .pt")
    add_untrained(weights)


def _import_weights(options: Namespace) -> None:
    import_keras()
    from train.models.build import make_spec
    from train.pretrained.import_weights import describe, init_from_checkpoint

    spec = make_spec(options.model, anybody(options.people), options.image_size)
    _, taken = init_from_checkpoint(spec, options.checkpoint, options.out, options.seed)
    print(describe(taken))
    print(f"\nrun folder to start from (python -m train fit --init-from): {options.out}")
