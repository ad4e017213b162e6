"""A systemd unit for the kiosk, and what systemd is told while it runs (sd_notify)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

WATCHDOG_S = 30

# No MemoryDenyWriteExecute: libffi, by which sounddevice is called back, may need such memory.
_UNIT = """\
[Unit]
Description=Visavox kiosk
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.exec.html
After=network.target sound.target

[Service]
Type=notify
NotifyAccess=main
WatchdogSec={watchdog_s}
ExecStart={command}
User={user}
SupplementaryGroups=video audio
Restart=always
RestartSec=2
TimeoutStopSec=15
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
{writable}PrivateTmp=yes
PrivateMounts=yes
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-alsa rw
DeviceAllow=char-media rw
DeviceAllow=/dev/vchiq rw
DeviceAllow=/dev/vcsm-cma rw
DeviceAllow=char-dma_heap rw
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit(command: Sequence[str], user: str, writable: Sequence[Path] = ()) -> str:
    """The unit that runs `command` (its first word an absolute path) as `user`, who may write to
    the folders `writable`, those that are there."""
    paths = "".join(f"ReadWritePaths={_quoted(f'-{path}')}\n" for path in writable)
    words = " ".join(_quoted(word).replace("$", "$$") for word in command)
    return _UNIT.format(watchdog_s=WATCHDOG_S, command=words, user=user, writable=paths)


def _quoted(word: str) -> str:
    """One word of a unit file: see systemd.syntax(7) and systemd.service(5)."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    word = "".join(letter if letter >= " " else f"\\x{ord(letter):02x}" for letter in word)
    plain = word and not any(letter.isspace() or letter in "\"'\\;" for letter in word)
    return word if plain else f'"{word}"'


def notify(message: str) -> None:
    """Tells systemd, where it has started this: see sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (contextlib.suppress(OSError),  # nothing that the kiosk should end for
          socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told):
        told.connect(address)
        told.send(message.encode())


async def watched(alive: Callable[[], bool]) -> None:
    """Tells the watchdog, where there is one, for as long as `alive`; then systemd starts anew."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit():
        return
    while True:
        if alive():
            notify("WATCHDOG=1")
        await asyncio.sleep(int(microseconds) / 2e6)
