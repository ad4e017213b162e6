"""Where the passphrase of an export comes from: the environment, or a prompt."""

from __future__ import annotations

import getpass
import os
import sys

from edge_runtime.errors import UsageError

PASSPHRASE = "VISAVOX_PASSPHRASE"


def ask_passphrase(*, new: bool = False) -> str:
    """The passphrase; a `new` one is asked for twice. UsageError where nobody can be asked."""
    if given := os.environ.get(PASSPHRASE):
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"expected a passphrase in ${PASSPHRASE} or a terminal to ask on, found "
                         "neither; set it, or run this in a terminal")
    try:
        passphrase = getpass.getpass("passphrase of the export: ")
        if new and getpass.getpass("the same again: ") != passphrase:
            raise UsageError("the two passphrases differ; do it again")
    except EOFError:
        raise UsageError("expected a passphrase, found the end of the input") from None
    return passphrase
