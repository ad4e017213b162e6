"""Can a network tell people apart whom it was not trained on? Enrolling needs that."""

from __future__ import annotations

from edge_runtime.candidates import BOTH, EnrolledThresholds
from edge_runtime.errors import GalleryError
from edge_runtime.manifest import Manifest

MOST_EER = 0.25  # of face and voice together, on people whom the network does not know
FORCED = "forced"  # the audit log's event: the gallery remembers that it was told otherwise


def unsuited(manifest: Manifest | None, thresholds: EnrolledThresholds | None) -> str | None:
    """Why people should not be enrolled by this bundle; None where nothing is known against it."""
    if manifest and manifest.accuracy and manifest.accuracy.synthetic:
        return "the bundle was trained on synthetic people, and tells real ones apart poorly"
    rates = thresholds.equal_error_rate if thresholds else None
    if rates and rates[BOTH] > MOST_EER:
        return (f"the bundle's networks do not tell new people apart (EER {100 * rates[BOTH]:.0f} "
                f"%, at most {100 * MOST_EER:.0f} % is expected)")
    return None


def refuse(why: str) -> GalleryError:
    """What to say of it."""
    return GalleryError(f"{why}; use a bundle trained on more people, or an encoder, or take it "
                        "nevertheless with --force, which the gallery remembers")
