"""Who may stay connected, for how long, and who makes room for whom.

uvicorn closes idle connections, but lets a client take for ever over one request, and over reading
the answer; and where all places are taken it turns away whoever comes next. Here nobody is waited
for, and of those who use their place for nothing, the one who has done so for longest makes room.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from typing import Any, Literal

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from edge_runtime.apps.kiosk.security import BODY_S, MAX_HEADERS
from edge_runtime.apps.kiosk.visitors import Proxies, as_address, household, is_loopback

MOST = 256  # connections
FOR_LOOPBACK = 64  # of these, which no other machine can take
PER_HOUSEHOLD = 32  # of another machine; a proxy that the owner names has many visitors
HEADERS_S = 10.0  # from the first byte of a connection, or of the next request, to the last header
WRITE_S = 10.0  # until what was written is taken
_SEND_BUFFER = 64 * 1024  # bytes in the system; what a client does not read is noticed after these
_MOST_FRAGMENTS = 64  # of one message

State = Literal["idle", "stalled", "busy"]


class Guest:
    """One connection. idle: nothing is asked; stalled: it does not read what it is sent."""

    def __init__(self, connection: socket.socket, address: str, *, proxy: bool) -> None:
        self.household, self.local, self.proxy = household(address), is_loopback(address), proxy
        self._connection, self.ended = connection, False
        self._timer = asyncio.get_running_loop().call_later(HEADERS_S, self.end)  # TLS goes before
        self.now("idle")

    @property
    def closed(self) -> bool:
        return self._connection.fileno() < 0

    def now(self, state: State) -> None:
        self.state, self.since_s = state, time.monotonic()

    def greet(self, transport: asyncio.Transport) -> None:
        """It has got as far as HTTP. From now on it is told of whatever is not taken at once."""
        self._timer.cancel()
        transport.set_write_buffer_limits(high=1, low=0)  # 0 would stop TLS with nothing to send

    def stall(self, transport: asyncio.Transport) -> None:
        self.now("stalled")
        self._timer = asyncio.get_running_loop().call_later(WRITE_S, transport.abort)

    def read(self) -> None:
        """It reads again, or has gone."""
        self._timer.cancel()

    def end(self) -> None:
        self.ended = True
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


class Guests:
    """Everybody who is connected."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies
        self._by_file: dict[int, Guest] = {}

    def of(self, transport: asyncio.BaseTransport) -> Guest:
        return self._by_file[transport.get_extra_info("socket").fileno()]

    def let_in(self, connection: socket.socket, address: str) -> bool:
        """Whether there is room for one more, if need be in somebody's place."""
        self._by_file = {file: one for file, one in self._by_file.items() if not one.closed}
        guest = Guest(connection, address, proxy=self._proxies.trust(as_address(address)))
        rivals = self._rivals(guest)
        if rivals is not None:
            useless = [rival for rival in rivals if rival.state != "busy"]
            if not useless:
                guest.read()
                return False
            min(useless, key=lambda rival: rival.since_s).end()
        self._by_file[connection.fileno()] = guest
        return True

    def _rivals(self, newcomer: Guest) -> list[Guest] | None:
        """Of whom one has to go; None where there is room."""
        everybody = [one for one in self._by_file.values() if not one.ended]
        if newcomer.local:
            return everybody if len(everybody) >= MOST else None
        others = [one for one in everybody if not one.local]
        own = [one for one in others if one.household == newcomer.household]
        if not newcomer.proxy and len(own) >= PER_HOUSEHOLD:
            return own
        full = len(everybody) >= MOST or len(others) >= MOST - FOR_LOOPBACK
        return others if full else None


class Door(socket.socket):
    """A listening socket that lets in as many as there is room for, before TLS and HTTP begin."""

    def __init__(self, listening: socket.socket, guests: Guests) -> None:
        super().__init__(listening.family, listening.type, listening.proto,
                         listening.dup().detach())
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._guests = guests

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        if not self._guests.let_in(connection, address[0]):
            connection.close()
            raise ConnectionAbortedError  # which asyncio passes over
        return connection, address


class Impatient(H11Protocol):
    """uvicorn's HTTP/1.1, with limits on how long headers, a body that nobody wants, and the
    reading of an answer may take."""

    _guest: Guest
    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, guests: Guests, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._guests = guests

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._guest = self._guests.of(transport)
        self._guest.greet(transport)
        self._end_in(HEADERS_S)

    def data_received(self, data: bytes) -> None:
        waiting = self.cycle is None or self.cycle.response_complete
        if waiting and self._deadline is None:
            self._end_in(HEADERS_S)
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._forget_deadline()
            self._note()

    def on_response_complete(self) -> None:
        if self.cycle.more_body and self._deadline is None:
            self._end_in(BODY_S)
        super().on_response_complete()
        self._note()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._forget_deadline()
        if len(self.headers) > MAX_HEADERS:  # which the other protocol takes for a fault of ours
            self.send_400_response(f"expected at most {MAX_HEADERS} headers")
        else:
            super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._guest.stall(self.transport)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._guest.read()
        self._note()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self._guest.read()
        super().connection_lost(exc)

    def _note(self) -> None:
        """What the connection does now."""
        if not self.flow.write_paused:
            done = self.cycle is None or self.cycle.response_complete
            self._guest.now("idle" if done else "busy")

    def _end_in(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Listener(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, with a limit on how long the reading of a message may take."""

    _guest: Guest

    def __init__(self, *arguments: Any, guests: Guests, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._guests = guests

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._guest = self._guests.of(transport)
        self._guest.now("busy")

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # no answers pile up for who does not read them

    def handle_cont(self, event: Any) -> None:
        super().handle_cont(event)
        if len(self.frames) > _MOST_FRAGMENTS:
            self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._guest.stall(self.transport)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._guest.read()
        self._guest.now("busy")

    def connection_lost(self, exc: Exception | None) -> None:
        self._guest.read()
        super().connection_lost(exc)
