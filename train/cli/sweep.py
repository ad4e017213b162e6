"""`python -m train sweep`: the table of all families and fusions."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

from edge_runtime.console.output import print_result, say_problems, silenced_stderr
from edge_runtime.console.parser import Commands
from edge_runtime.dataset.people import index_people
from edge_runtime.errors import UsageError
from train.cli.options import check_positive, import_keras, say_noise


def add_sweep(commands: Commands) -> None:
    sweep = commands.add("sweep", _sweep, "train and compare all families and fusions",
                         example="--data people --out sweep --budget-minutes 60 --jobs 2")
    sweep.add_argument("--data", type=Path, required=True, help="folder of people")
    sweep.add_argument("--out", type=Path, required=True, metavar="FOLDER",
                       help="table, plot and run folders; a sweep in it goes on, and may be "
                            "given more rows and seeds where it has no budget")
    sweep.add_argument("--rows", default="all", help="'all', or names with commas between them")
    sweep.add_argument("--list", default="", metavar="ROWS",
                       help="rows that the table names as not run, like --rows")
    sweep.add_argument("--seeds", type=int, default=1, metavar="N", help="of each row (1)")
    sweep.add_argument("--epochs", type=int, default=80, help="at most (80)")
    sweep.add_argument("--voice-epochs", type=int, metavar="EPOCHS",
                       help="of a pair's voice network, which learns more slowly (as --epochs)")
    sweep.add_argument("--head-epochs", type=int, metavar="EPOCHS",
                       help="of rows that train a head on frozen networks (as --epochs)")
    sweep.add_argument("--budget-minutes", type=float, metavar="M",
                       help="leave out what does not fit, and train the rest for as many epochs as "
                            "do")
    sweep.add_argument("--jobs", type=int, default=1, metavar="N",
                       help="rows at a time; where fewer are left, also the networks of each (1)")
    sweep.add_argument("--image-size", type=int, default=128, metavar="S")
    sweep.add_argument("--noise", type=Path, metavar="DIR", help="sound files to train with")
    sweep.add_argument("--test-noise", type=Path, metavar="DIR", help="for a second test, in noise")
    sweep.add_argument("--snr", type=float, metavar="DB", help="speech over the test noise")
    sweep.add_argument("--weights", type=Path, metavar="FILE",
                       help="VGG16's ImageNet weights, where they cannot be downloaded")
    sweep.add_argument("--json", action="store_true", help="print one JSON object")


def _sweep(options: Namespace) -> None:
    with redirect_stdout(sys.stderr) if options.json else nullcontext():
        import_keras()
        with silenced_stderr():
            from train.data import is_pack
            from train.sweep.plan import Settings, rows_by_name
            from train.sweep.sweep import sweep
            from train.sweep.table import markdown

        check_positive(options, "seeds", "epochs", "voice_epochs", "head_epochs", "jobs",
                       "budget_minutes")
        if options.budget_minutes and (options.voice_epochs or options.head_epochs):
            raise UsageError("--budget-minutes chooses the epochs; leave out --voice-epochs and "
                             "--head-epochs")
        if (options.test_noise is None) != (options.snr is None):
            raise UsageError("--test-noise DIR and --snr DB go together, found one of them")
        rows = rows_by_name(options.rows)
        listed = rows_by_name(options.list) if options.list else ()
        if not is_pack(options.data):
            say_problems(index_people(options.data).problems)
        say_noise(options.noise)
        settings = Settings(options.data, options.out, options.image_size, noise=options.noise,
                            test_noise=options.test_noise, snr_db=options.snr,
                            weights=options.weights, voice_epochs=options.voice_epochs,
                            head_epochs=options.head_epochs)
        content = sweep(settings, rows, options.seeds, epochs=options.epochs,
                        budget_minutes=options.budget_minutes, jobs=options.jobs, listed=listed)
    if options.json:
        print_result("train sweep", content)
    else:
        print(f"\n{markdown(content)}\ntable, plot and runs: {options.out}")
