"""Training faces from a folder of whole pictures, cut as the device cuts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_runtime.console.output import because
from edge_runtime.dataset.passed_over import (
    PassedOver,
    described,
    is_text,
    listed,
    odd,
    relative,
    sorted_out,
)
from edge_runtime.errors import InputError, UsageError
from edge_runtime.signals.detection import Detector, Picture, face_crop
from edge_runtime.signals.face import read_picture, square_face
from edge_runtime.signals.face_quality import Flaw, refusals, usable_face

MAX_SIDE = 288  # pixels: what training wants for a network of 256
MADE_BY = "visavox crop"  # in each PNG, so that nothing else is ever overwritten

Progress = Callable[[Sequence[Path]], Iterable[Path]]


@dataclass
class CropReport:
    """What became of each picture, by its path in the folder.

    faces: where each face was written, in the other folder. flaws: of each picture that has some.
    unreadable: why, of each picture that could not be read. passed_over: what else lies there.
    """

    faces: dict[str, str] = field(default_factory=dict)
    flaws: dict[str, tuple[Flaw, ...]] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    passed_over: list[PassedOver] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        return len(self.faces) + len(self.unreadable) + len(self.refused)

    @property
    def refused(self) -> dict[str, tuple[Flaw, ...]]:
        """The pictures that gave no face, with the reasons."""
        refused = {path: refusals(flaws) for path, flaws in self.flaws.items()}
        return {path: flaws for path, flaws in refused.items() if flaws}

    @property
    def reasons(self) -> Counter[str]:
        """How often each reason was met, those that only are worth saying among them."""
        return Counter(flaw.reason for flaws in self.flaws.values() for flaw in flaws)

    @property
    def share_without_face(self) -> float:
        """Of the pictures that could be read."""
        return self.reasons["no_face"] / max(1, self.pictures - len(self.unreadable))


def crop_folder(
    folder: Path, out: Path, detector: Detector, progress: Progress = iter
) -> CropReport:
    """Write the face of each picture in `folder` and in `folder/<person>/face` to the same place
    under `out`, as PNG. Pictures without a face that is good enough are reported.

    Raises InputError where there is no picture, UsageError where `out` lies in `folder` or holds
    a file of that name that this command did not make: nothing is written then.
    """
    pictures, passed_over = _pictures(folder)
    if folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise UsageError(f"--out {out}: expected a folder outside of {folder}")
    targets = _targets(folder, pictures)
    for target in targets.values():
        _refuse_foreign(out / target)
    report = CropReport(passed_over=passed_over)
    for path in progress(pictures):
        name, target = path.relative_to(folder).as_posix(), targets[path]
        try:
            face, flaws = _take_face(read_picture(path), detector)
        except InputError as error:
            report.unreadable[name] = str(error).removeprefix(f"{path}: ")
            face, flaws = None, ()
        if flaws:
            report.flaws[name] = flaws
        if face is None:
            (out / target).unlink(missing_ok=True)  # of an earlier run, which would now mislead
        else:
            _write(out / target, face)
            report.faces[name] = target
    return report


def _take_face(
    picture: Picture, detector: Detector
) -> tuple[Picture | None, tuple[Flaw, ...]]:
    """The largest face of a picture, uint8 [side, side, 3], side at most MAX_SIDE, if it is good
    enough; and what is wrong with it."""
    box, flaws = usable_face(picture, detector.detect(picture))
    if box is None:
        return None, flaws
    crop = face_crop(picture, box)
    return square_face(crop, min(MAX_SIDE, crop.shape[0])), flaws


def _pictures(folder: Path) -> tuple[list[Path], list[PassedOver]]:
    """Pictures by path, and what else is there but people's voices and texts."""
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder of pictures, found none")
    found, there = sorted_out(folder, folder, "face")
    people = [path for path in listed(folder, folder)[0] if path.is_dir() and not odd(path)]
    passed = [one for one in there
              if folder / one.path not in people and not is_text(folder / one.path)]
    for person in people:
        entries, unreadable = listed(person, folder)
        faces = [path for path in entries if path.is_dir() and path.name.casefold() == "face"]
        passed += unreadable
        for path in faces:
            pictures, others = sorted_out(path, folder, "face")
            found += pictures
            passed += others
        if not faces and not unreadable:
            passed.append(PassedOver(relative(person, folder), "folders without face/",
                                     "move their pictures one level up, or into face/"))
    if not found:
        raise InputError(f"{folder}: expected pictures in it, or in <person>/face, found none"
                         f"{because(described(passed))}")
    return sorted(found), passed


def _targets(folder: Path, pictures: Sequence[Path]) -> dict[Path, str]:
    """Each picture's place under the other folder; a.jpg and a.png keep their endings."""
    names = [path.relative_to(folder) for path in pictures]
    short = [name.with_suffix(".png").as_posix() for name in names]
    alike = Counter(target.casefold() for target in short)
    whole = [f"{name.as_posix()}.png" for name in names]
    mixed = [a if alike[a.casefold()] == 1 else b for a, b in zip(short, whole, strict=True)]
    unique = len({target.casefold() for target in mixed}) == len(mixed)
    return dict(zip(pictures, mixed if unique else whole, strict=True))


def _refuse_foreign(target: Path) -> None:
    from PIL import Image

    if not target.exists() and not target.is_symlink():
        return
    try:
        with Image.open(target, formats=["PNG"]) as found:  # as _write makes them
            made_here = found.info.get("Software") == MADE_BY
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        made_here = False
    if not made_here:
        raise UsageError(f"{target}: the file is there already, and 'visavox crop' did not make it;"
                         " name another folder")


def _write(target: Path, face: Picture) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    mark = PngInfo()
    mark.add_text("Software", MADE_BY)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        Image.fromarray(face).save(unfinished, "png", pnginfo=mark)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
