"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # extension.py, and the code that it reads

from edge_runtime import __version__  # noqa: E402

project = "Visavox"
author = copyright = "the Visavox authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "extension"]
exclude_patterns = ["_build"]
templates_path: list[str] = []
myst_heading_anchors = 3
smartquotes = False  # -- begins an option
# Two modules may use one name for a type; a signature then links to the first.
suppress_warnings = ["ref.python"]

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# A module is documented where it is written, not once more where another takes it over.
autodoc_default_options = {"members": True, "ignore-module-all": True}

html_theme = "furo"
html_title = "Visavox"
html_show_sourcelink = False
html_copy_source = False
