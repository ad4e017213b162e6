"""`visavox thresholds`: from when on somebody enrolled is named, measured on people on disk."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec

from edge_runtime.cli.options import add_bundle, add_gallery
from edge_runtime.command import Commands, percent, print_json, table
from edge_runtime.gallery.limits import COLUMNS
from edge_runtime.gallery.store import Gallery


def add(commands: Commands) -> None:
    thresholds = commands.add("thresholds", _thresholds, "measure from when on somebody enrolled "
                                                         "is named, and keep that in the gallery")
    add_bundle(thresholds)
    add_gallery(thresholds)
    thresholds.add_argument("--people", type=Path, required=True, metavar="FOLDER",
                            help="people whom the network was not trained on, as for training")
    thresholds.add_argument("--false-accept-rate", type=float, default=0.05, metavar="SHARE",
                            help="of strangers who get a name, at most (0.05)")
    thresholds.add_argument("--plots", type=Path, metavar="FOLDER",
                            help="draw the trade-off and the scores there; needs matplotlib")


def _thresholds(options: Namespace) -> None:
    from edge_runtime.identify import Identifier
    from edge_runtime.thresholds import lookalikes, measure_limits

    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    with Gallery.open(options.gallery, identifier.manifest, options.key, mode="create") as gallery:
        measured = measure_limits(identifier, options.people, options.false_accept_rate)
        if options.plots:
            from edge_runtime.threshold_plots import draw

            draw(options.plots, measured)
        gallery.set_limits(measured.limits)
        alike = lookalikes(gallery, measured.limits)
    limits = measured.limits
    if options.json:
        content: dict[str, Any] = msgspec.to_builtins(limits)
        rates = {column: found.equal_error_rate() for column, found in measured.outcomes.items()}
        print_json(content | {"lookalikes": [list(pair[:2]) for pair in alike],
                              "equal_error_rate": rates})
        return
    print(table(["", "threshold (log-odds)", "strangers named (%)", "with 95 % confidence below",
                 "not named (%)", "EER (%)"],
                [[column, f"{limits.thresholds[column]:.2f}",
                  percent(measured.outcomes[column].fpir(limits.thresholds[column])),
                  percent(limits.false_accept_bound[column]), percent(limits.miss_rate[column]),
                  percent(measured.outcomes[column].equal_error_rate())] for column in COLUMNS]))
    print(f"\nmeasured with {limits.people} people enrolled; among more, more strangers get a name")
    for one, other, _ in alike:
        print(f"lookalikes: {one} and {other} may be taken for each other; enroll both from more "
              "samples")
    print(f"kept in {options.gallery}")
