"""Data for training: `python -m train synth`, drawn and synthesised people, and `pack`, for a
training machine without picture and sound libraries.
"""

from __future__ import annotations

import functools
from argparse import Namespace
from pathlib import Path

from edge_runtime.console.output import with_progress
from edge_runtime.console.parser import Commands
from edge_runtime.errors import UsageError
from train.cli.options import import_keras, read, say_noise


def add_synth(commands: Commands) -> None:
    synth = commands.add("synth", _synth, "draw and synthesise people, to try everything without "
                                          "data",
                         example="--people 6 --faces 16 --clips 12 --out people")
    synth.add_argument("--people", type=int, required=True, metavar="N")
    synth.add_argument("--out", type=Path, required=True, help="a new folder")
    synth.add_argument("--seed", type=int, default=0)
    synth.add_argument("--faces", type=int, default=24, metavar="N", help="per person (24)")
    synth.add_argument("--clips", type=int, default=12, metavar="N", help="per person (12)")
    synth.add_argument("--scenes", action="store_true", help="whole pictures of 640x480 too")
    synth.add_argument("--film", type=Path, metavar="FOLDER",
                       help="also scene.mp4 and scene.wav there: some of them before a camera")
    synth.add_argument("--in-film", type=int, nargs="+", default=[1, 2, 3], metavar="N",
                       help="who comes, one after the other, by number (1 2 3)")


def _synth(options: Namespace) -> None:
    from train.synthetic import make_people

    make_people(options.out, options.people, seed=options.seed, faces_per_person=options.faces,
                clips_per_person=options.clips, scenes=options.scenes)
    print(f"{options.people} synthetic people in {options.out}")
    if options.film:
        from train.synthetic.film import make_film

        make_film(options.film, options.in_film, options.seed)
        print(f"a film of {len(options.in_film)} of them in {options.film}")


def add_pack(commands: Commands) -> None:
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
    from train.data import noises_in, write_pack

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
