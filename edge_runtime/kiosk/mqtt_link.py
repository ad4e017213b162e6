"""How the connection to an MQTT broker is, and why there is none."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_runtime.errors import UsageError
from edge_runtime.files import read_text

LinkState = Literal[
    "starting", "ok",
    "missing",    # cannot be reached
    "stalled",    # reached, or not even that, and nothing comes back
    "untrusted",  # no TLS there, or a certificate that this kiosk does not trust
    "denied",     # refuses the user, the password, or the kiosk
    "shared",     # works, but another kiosk tells under the same device name
    "closed"]


@dataclass(frozen=True)
class Link:
    """How the connection is. message: one line, with what to do unless all is well."""

    state: LinkState
    message: str


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts what `ca_file` holds, or what the system does. UsageError for a file that is none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is None:
        context.load_default_certs()
        return context
    text = read_text(ca_file, "a certificate (PEM)")
    try:
        context.load_verify_locations(cadata=text.encode("ascii", "replace").decode())
    except (ssl.SSLError, ValueError):
        raise UsageError(f"{ca_file}: expected a certificate (PEM), found none; name the "
                         "one that signed the broker's as ca_file in [mqtt]") from None
    return context


def why_not(error: Exception) -> tuple[LinkState, str]:
    """What is wrong with a connection that was not made, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        return "untrusted", (f"its certificate is not trusted ({said}); name the one that signed "
                             "it as ca_file in [mqtt], and the host as it names itself")
    if isinstance(error, ssl.SSLError | ConnectionResetError):
        return "untrusted", "it does not speak TLS as expected; correct port and tls in [mqtt]"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "missing", ("no such host is known; correct host in [mqtt], or the network's name "
                           "server")
    said = "no answer" if isinstance(error, TimeoutError) else (
        getattr(error, "strerror", None) or str(error))
    return "missing", f"{said}; start it, or correct host and port in [mqtt]"
