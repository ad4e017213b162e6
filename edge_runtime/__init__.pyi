from edge_runtime.decision.decide import Decision as Decision
from edge_runtime.decision.identify import Identifier as Identifier
from edge_runtime.errors import BundleError as BundleError
from edge_runtime.errors import CaptureError as CaptureError
from edge_runtime.errors import ConversionError as ConversionError
from edge_runtime.errors import DuplicateError as DuplicateError
from edge_runtime.errors import GalleryError as GalleryError
from edge_runtime.errors import InputError as InputError
from edge_runtime.errors import NameTakenError as NameTakenError
from edge_runtime.errors import PeopleError as PeopleError
from edge_runtime.errors import RunError as RunError
from edge_runtime.errors import UsageError as UsageError
from edge_runtime.errors import VisavoxError as VisavoxError
from edge_runtime.gallery.store import Gallery as Gallery

__version__: str
