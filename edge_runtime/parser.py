"""How all command lines read their words: options in full, near misses named, a bundle by its place
or by its option."""

from __future__ import annotations

import re
from argparse import SUPPRESS, Action, ArgumentParser, HelpFormatter, Namespace
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from edge_runtime.terminal import printable

_NUMBER = re.compile(r"-\.?\d")  # a value, and no option


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' (did you mean X?)', or nothing where no known name is near."""
    names = {name.lstrip("-"): name for name in known}
    asked = word.lstrip("-").lower().replace("_", "-" if word.startswith("-") else "_")
    begun = [name for name in names if len(asked) > 1 and name.startswith(asked)]
    near = begun or get_close_matches(asked, names, n=2, cutoff=0.65)
    return f" (did you mean {' or '.join(names[name] for name in near)}?)" if near else ""


class Parser(ArgumentParser):
    """Says a mistake in one line, like everything else, and not the whole usage before it.

    Options are written in full: a part of one that is clear today may mean two things tomorrow, and
    a script would stop working, or do something else.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Help, **settings)
        self.commands: Collection[str] = ()
        self._placed: dict[str, tuple[Action, str | None]] = {}

    def add_bundle(self, *, required: bool, help: str) -> None:
        """BUNDLE, or --bundle BUNDLE."""
        self.add_argument("--bundle", type=Path, metavar="BUNDLE", help="the same, by its name")
        nargs = None if required else "?"
        place = self.add_argument("bundle", type=Path, nargs=nargs, metavar="BUNDLE", help=help)
        self._placed["--bundle"] = place, nargs

    def parse_known_args(  # type: ignore[override]  # argparse's own calls give no more than these
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        words = list(args or ())
        (self._check_command if self.commands else self._check_options)(words)
        given = {name_of(word) for word in words}
        for option, (place, nargs) in self._placed.items():
            # SUPPRESS takes no word; "?" for all would miss a bundle that stands behind an option.
            place.nargs, place.default = (SUPPRESS, SUPPRESS) if option in given else (nargs, None)
            place.required = place.nargs is None
        known, left = super().parse_known_args(words, namespace)
        if left and not self.commands:
            self.error(f"expected nothing more, found '{left[0]}'")
        return known, left

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; '{self.prog} --help' says more\n")

    def _check_command(self, words: Sequence[str]) -> None:
        first = words[0] if words else ""
        if not first or first in self.commands or name_of(first) in self._option_string_actions:
            return
        hint = did_you_mean(first, [*self.commands, *self._option_string_actions])
        if hint or not first.startswith("-"):
            self.error(f"there is no command '{first}'{hint}")
        self.error(f"expected a command first, found '{first}'")

    def _check_options(self, words: Sequence[str]) -> None:
        for word in words:
            if word == "--":
                return
            if len(word) < 2 or not word.startswith("-") or " " in word or _NUMBER.match(word):
                continue
            if (name := name_of(word)) not in self._option_string_actions:
                hint = did_you_mean(name, self._option_string_actions)
                self.error(f"there is no option '{name}'{hint}")


def name_of(word: str) -> str:
    """--bundle=b -> --bundle."""
    return word.partition("=")[0]


class _Help(HelpFormatter):
    """Leaves lines that begin with blanks, such as examples, as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(line if line.startswith(" ") else super(_Help, self)._fill_text(
            line, width, indent) for line in text.splitlines())
