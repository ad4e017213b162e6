"""What is read from a folder that people filled, and what is passed over, with what to do: nothing
goes unnamed but texts, and what file managers leave behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.console.terminal import printable
from edge_runtime.signals.picture_format import how_to_convert, is_picture, is_sound

READ = {"face": is_picture, "voice": is_sound}  # by modality: whether a file's ending is read
_WORDS = {"face": "pictures", "voice": "sound files"}
_COMMON = {"face": "JPEG or PNG", "voice": "WAV or FLAC"}
_LEFT_BEHIND = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory", ".localized",
                "__macosx", "@eadir", "lost+found", "system volume information"}
_TEXTS = {".txt", ".md", ".rst", ".csv", ".json", ".pdf", ".html", ".ods", ".xlsx"}
_NAMED = 3  # of a kind, where there are many


@dataclass(frozen=True)
class PassedOver:
    """path: in the folder, with forward slashes. what: a word for its kind, in the plural. remedy:
    the same for all of a kind."""

    path: str
    what: str
    remedy: str


def sorted_out(folder: Path, root: Path, modality: str) -> tuple[list[Path], list[PassedOver]]:
    """The files of a modality in a folder, by name, and what else is there. root: the folder that
    paths are told from."""
    taken: list[Path] = []
    passed: list[PassedOver] = []
    entries, unreadable = listed(folder, root)
    for path in entries:
        if found := odd(path) or _other(path, modality):
            passed.append(PassedOver(relative(path, root), *found))
        else:
            taken.append(path)
    return taken, [*passed, *unreadable]


def listed(folder: Path, root: Path) -> tuple[list[Path], list[PassedOver]]:
    """What lies in a folder, by name, without what file managers leave behind; or that it cannot
    be read."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        return [], [PassedOver(relative(folder, root), f"folders that cannot be read "
                               f"({error.strerror})", "mend their rights")]
    return [path for path in entries if path.name.lower() not in _LEFT_BEHIND
            and not path.name.startswith("._")], []


def odd(path: Path) -> tuple[str, str] | None:
    """The kind of what is of no use whatever its ending, and the remedy."""
    if not path.name.isascii() and re.search("[\ud800-\udfff]", path.name):
        return "names that are not UTF-8", "rename them, as with 'convmv -f latin1 -t utf8'"
    if path.name.startswith("."):
        return "hidden files and folders", "rename them, without a dot in front"
    if path.is_symlink() and not path.exists():
        return "links to what is not there", "copy the files themselves"
    if not path.is_file() and not path.is_dir():
        return "entries that are no files", "copy the files themselves"
    return None


def _other(path: Path, modality: str) -> tuple[str, str] | None:
    """The same for what is no file of the modality."""
    if path.is_dir():
        return "folders among the files", "move their files one level up"
    if READ[modality](path):
        return None
    ending = path.suffix.lower()
    if example := how_to_convert(path.name, modality):
        return f"{ending} files among {_WORDS[modality]}", f"convert them, as with '{example}'"
    for other, is_other in READ.items():
        if is_other(path):
            return f"{_WORDS[other]} among {_WORDS[modality]}", f"move them to {other}/"
    return (f"{ending} files among {_WORDS[modality]}" if ending else "files without an ending",
            f"convert them to {_COMMON[modality]}, or take them out")


def is_text(path: Path) -> bool:
    """What people keep beside their data to explain it."""
    return path.suffix.lower() in _TEXTS or path.stem.lower() in ("readme", "license", "licence")


def relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def described(passed: Iterable[PassedOver]) -> list[str]:
    """A line for each kind: how many, the first few by name, and what to do."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in passed:
        kinds.setdefault((one.what, one.remedy), []).append(printable(one.path))
    return [f"{what}: {len(paths)} passed over ({', '.join(paths[:_NAMED])}"
            f"{', ...' if len(paths) > _NAMED else ''}); {remedy}"
            for (what, remedy), paths in kinds.items()]
