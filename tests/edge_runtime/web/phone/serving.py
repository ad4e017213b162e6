"""The exported folder, served on a free port of this machine."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator, Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from edge_runtime.web.export import HEADERS

NOT_ISOLATED = {name: value for name, value in HEADERS.items()
                if not name.startswith("Cross-Origin")}


class _Handler(SimpleHTTPRequestHandler):
    headers_to_send: Mapping[str, str] = {}

    def end_headers(self) -> None:
        for name, value in self.headers_to_send.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def served(
    folder: Path, headers: Mapping[str, str] = HEADERS, port: int = 0
) -> Iterator[str]:
    """The address, as long as it is served."""
    handler = type("Handler", (_Handler,), {"headers_to_send": headers})
    server = ThreadingHTTPServer(("127.0.0.1", port),
                                 functools.partial(handler, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
