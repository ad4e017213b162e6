"""The tutorial's walk-through: its commands, what it shows of them, and how they are run.

    python -m tests.walk_through --write    # a run of it, and the page shows what that printed
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "docs" / "tutorial" / "index.md"
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
_STEP = re.compile(r"```sh\n(.*?)```\n```text\n(.*?)```", re.DOTALL)


def walk_through() -> list[tuple[list[str], str]]:
    """Each shell block's commands with the output block after it."""
    return [(commands.strip().splitlines(), shown)
            for commands, shown in _STEP.findall(TUTORIAL.read_text(encoding="utf-8"))]


def run(command: str, folder: Path) -> str:
    """What a command prints; AssertionError where it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True,
                          text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def walk(folder: Path) -> None:
    """Runs all of it in a new folder, and leaves there what each step printed: printed.json."""
    folder.mkdir()
    printed = ["".join(run(command, folder) for command in commands)
               for commands, _ in walk_through()]
    (folder / "printed.json").write_text(json.dumps(printed))


def written(text: str, printed: list[str]) -> str:
    """The page with what each step printed in the place of what it showed."""
    left = iter(printed)
    return _STEP.sub(lambda step: f"```sh\n{step[1]}```\n```text\n{next(left).strip()}\n```", text)


def main() -> None:
    if sys.argv[1:] != ["--write"]:
        sys.exit("expected --write, which runs the tutorial and shows what it printed")
    with tempfile.TemporaryDirectory() as folder:
        walk(Path(folder) / "walk")
        printed = json.loads((Path(folder) / "walk" / "printed.json").read_text())
    TUTORIAL.write_text(written(TUTORIAL.read_text(encoding="utf-8"), printed), encoding="utf-8")


if __name__ == "__main__":
    main()
