"""Files of phones and cameras that are not read here, and how they become files that are."""

from __future__ import annotations

from pathlib import PurePath

_HEIC = "heif-convert photo.heic photo.jpg"
_RAW = "dcraw -c -w photo.cr2 | pnmtojpeg > photo.jpg"
_FILM = "ffmpeg -i film.mp4 -vf fps=1 face%03d.png"
_SOUND = "ffmpeg -i memo{} memo.wav"
_FILMS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".3gp", ".3g2", ".avi", ".wmv", ".mpg", ".mpeg")
_SOUNDS = (".m4a", ".m4b", ".aac", ".amr", ".awb", ".wma", ".qta", *_FILMS)

_PICTURES = (dict.fromkeys((".heic", ".heif", ".heics", ".hif"), _HEIC)
             | dict.fromkeys((".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"), _RAW)
             | dict.fromkeys(_FILMS, _FILM))
_TO = {"face": "JPEG", "voice": "WAV"}
_CONVERT = {"face": _PICTURES, "voice": {ending: _SOUND.format(ending) for ending in _SOUNDS}}


def how_to_convert(name: str, modality: str) -> str | None:
    """The command that converts a file of this name, as an example; None where nobody knows."""
    return _CONVERT[modality].get(PurePath(name).suffix.lower())


def conversion(name: str, modality: str) -> str:
    """The same for the end of a message; where nobody knows, what to convert it to."""
    example = how_to_convert(name, modality)
    return f"; convert it, as with '{example}'" if example else f"; convert it to {_TO[modality]}"
