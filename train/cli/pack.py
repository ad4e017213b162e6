"""`python -m train pack`: data for a training machine without picture and sound libraries."""

from __future__ import annotations

import functools
from argparse import Namespace
from pathlib import Path

from edge_runtime.command import Commands
from edge_runtime.errors import UsageError
from edge_runtime.output import with_progress
from train.cli.options import import_keras
from train.cli.reading import read, say_noise


def add(commands: Commands) -> None:
    pack = commands.add("pack", _pack, "decode a folder of people into few files, for a training "
                                       "machine without picture and sound libraries",
                        example="--data people --image-size 128 --out pack")
    pack.add_argument("--data", type=Path, required=True, help="folder of people")
    pack.add_argument("--image-size", type=int, default=128, metavar="S",
                      help="the one to train with (128)")
    pack.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    pack.add_argument("--noise", type=Path, metavar="DIR", help="sound files of noise to pack too")
    pack.add_argument("--seed", type=int, default=0,
                      help="draws the split, as far as split.csv does not give it (0)")
    pack.add_argument("--strict", action="store_true", help="refuse data with any problem")


def _pack(options: Namespace) -> None:
    import_keras()
    from train.pack import noises_in, write_pack

    if not 32 <= options.image_size <= 1024:
        raise UsageError(f"--image-size expects 32 to 1024, found {options.image_size}")
    say_noise(options.noise)
    noises = noises_in(options.noise) if options.noise else []
    collection = read(options.data, options.image_size, options.seed, options.strict)
    write_pack(options.out, collection, options.image_size, noises,
               progress=functools.partial(with_progress, doing="packing"))
    files = sorted(options.out.iterdir())
    size_mb = sum(file.stat().st_size for file in files) / 1e6
    print(f"{len(collection.people.samples)} files of {len(collection.people.names)} people packed "
          f"in {len(files)} files, {size_mb:.1f} MB: {options.out}")
