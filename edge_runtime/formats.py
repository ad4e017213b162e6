"""Which pictures and sounds are read, and how large they may be: what is meant, and nothing else.

Pillow and libsndfile know dozens of formats more; some start other programs (Ghostscript), some
take memory that no header tells of (AVIF, JPEG 2000). Limits count what reading allocates.
"""

from __future__ import annotations

from pathlib import Path

# The formats by Pillow's names, with the endings of their files.
PICTURE_FORMATS: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
}
# The same by libsndfile's names.
SOUND_FORMATS: dict[str, tuple[str, ...]] = {
    "WAV": (".wav", ".wave"),
    "WAVEX": (),
    "RF64": (".rf64",),
    "W64": (".w64",),
    "FLAC": (".flac",),
    "OGG": (".ogg", ".oga", ".opus"),
    "MP3": (".mp3",),
    "AIFF": (".aif", ".aiff", ".aifc"),
    "AU": (".au", ".snd"),
    "CAF": (".caf",),
}
PICTURE_ENDINGS = frozenset(ending for some in PICTURE_FORMATS.values() for ending in some)
SOUND_ENDINGS = frozenset(ending for some in SOUND_FORMATS.values() for ending in some)
# What messages call them.
PICTURES = "JPEG, PNG, WebP, TIFF, BMP, GIF or PPM"
SOUNDS = "WAV, FLAC, Ogg, MP3, AIFF, AU or CAF"


def is_picture(path: Path) -> bool:
    """Whether the file's ending is that of a picture that is read."""
    return path.suffix.lower() in PICTURE_ENDINGS


def is_sound(path: Path) -> bool:
    """Whether the file's ending is that of a sound that is read."""
    return path.suffix.lower() in SOUND_ENDINGS


def is_video(head: bytes) -> bool:
    """Whether a file begins as a video that is played: MP4, MOV, AVI, Matroska, WebM, MPEG. FFmpeg
    knows many more, among them lists that name other files and addresses."""
    return (head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
            or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
            or head.startswith((b"\x1aE\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3"))
            or (head[:1] == b"G" and head[188:189] == b"G"))


def foreign_format(head: bytes) -> str | None:
    """What a file is that is not read, by its first bytes: those that people bring."""
    if head[4:8] == b"ftyp":
        return _FTYP.get(head[8:12].lower().strip(), "MPEG-4")
    return next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)


_FTYP = {b"heic": "HEIC", b"heix": "HEIC", b"heif": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC",
         b"avif": "AVIF", b"avis": "AVIF", b"m4a": "M4A", b"m4b": "M4A", b"qt": "QuickTime",
         b"3gp4": "3GP", b"3gp5": "3GP", b"3gp6": "3GP"}
_FOREIGN = {b"\x1aE\xdf\xa3": "WebM or Matroska", b"#!AMR": "AMR", b"0&\xb2u": "WMA",
            b"%!PS": "PostScript", b"\xc5\xd0\xd3\xc6": "PostScript", b"%PDF": "PDF",
            b"\x00\x00\x00\x0cjP  ": "JPEG 2000", b"\xffO\xffQ": "JPEG 2000",
            b"P1": "PPM in text", b"P2": "PPM in text", b"P3": "PPM in text",
            b"8BPS": "Photoshop", b"<svg": "SVG", b"\x00\x00\x01\x00": "an icon"}
