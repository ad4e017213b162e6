"""`python -m train synth`: drawn and synthesised people."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edge_runtime.command import Commands


def add(commands: Commands) -> None:
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
