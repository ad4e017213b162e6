"""`python -m train init`: an untrained run, for latency."""

from __future__ import annotations

from argparse import Namespace

from edge_runtime.command import Commands
from train.cli.options import add_untrained, anybody, import_keras


def add(commands: Commands) -> None:
    init = commands.add("init", _init, "make an untrained run, for latency only",
                        example="--people 95 --out untrained")
    add_untrained(init)


def _init(options: Namespace) -> None:
    import_keras()
    from train.run import init
    from train.spec import make_spec

    init(make_spec(options.model, anybody(options.people), options.image_size), options.out,
         options.seed)
    print(f"untrained run folder, for latency only: {options.out}")
