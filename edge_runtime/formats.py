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
