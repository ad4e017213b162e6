"""The README's walk-through: its commands, what it shows of them, and how they are run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def walk_through() -> list[tuple[list[str], str]]:
    """Each shell block's commands with the output block after it."""
    text = README.read_text(encoding="utf-8")
    section = text[text.index("## Walk-through") : text.index("## Your own people")]
    blocks = BLOCK.findall(section)
    steps: list[tuple[list[str], str]] = []
    for (language, content), (_, following) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "sh":
            steps.append((content.strip().splitlines(), following))
    return steps


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
