"""Everything that can go wrong by the user's hand. Each message says expected, found, remedy.

VisavoxError
├── UsageError        arguments that do not go together
├── InputError        a picture or a sound file that cannot be used
├── PeopleError       a folder of people that cannot be trained on or evaluated
├── RunError          a run folder that is missing, incomplete or of another kind
├── ConversionError   a trained network that cannot become a bundle
├── CaptureError      a camera or a microphone that gives nothing now
├── BundleError       a bundle that is missing, damaged, of another version or not certified
└── GalleryError      enrolled people that cannot be read or changed, or a person to be enrolled
    ├── NameTakenError    somebody of that name is enrolled
    └── DuplicateError    they seem to be enrolled under another name

Commands print the message on one line and end with exit code 2.
"""


class VisavoxError(Exception):
    """Base of all errors that a user can mend."""


class UsageError(VisavoxError):
    """Arguments that do not go together."""


class InputError(VisavoxError):
    """A picture or a sound file that cannot be used."""


class PeopleError(VisavoxError):
    """A folder of people that cannot be trained on or evaluated."""


class RunError(VisavoxError):
    """A run folder that is missing, incomplete or of another kind."""


class ConversionError(VisavoxError):
    """A trained network that cannot become a bundle."""


class CaptureError(VisavoxError):
    """A camera or a microphone that gives nothing now."""


class BundleError(VisavoxError):
    """A bundle that is missing, damaged, of another version or not certified."""


class GalleryError(VisavoxError):
    """Enrolled people that cannot be read or changed, or somebody who cannot be enrolled."""


class NameTakenError(GalleryError):
    """Somebody of that name is enrolled."""


class DuplicateError(GalleryError):
    """Somebody seems to be enrolled under another name; whoever knows better may enroll them."""
