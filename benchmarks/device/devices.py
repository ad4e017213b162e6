"""Which devices are emulated: a processor, with the Debian that a Raspberry Pi OS is made of."""

from __future__ import annotations

from dataclasses import dataclass

# The features and the part number that /proc/cpuinfo shows on a Pi. LiteRT chooses its kernels by
# them and crashes where it finds an x86's.
_CPUINFO = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: {variant}
CPU part\t: {part}
CPU revision\t: {revision}
"""


@dataclass(frozen=True)
class Device:
    """cpu: a model of QEMU's (never `max`, which computes int8 wrongly). suite: Debian's release.
    python, glibc: its version there, and the minor one of the C library. dot_product: has the
    instructions of int8 dot products (asimddp).
    """

    cpu: str
    board: str
    suite: str
    python: str
    glibc: int
    dot_product: bool
    cpuinfo: str


DEVICES = (
    Device("cortex-a72", "Raspberry Pi 4", "bookworm", "3.11", 36, False, _CPUINFO.format(
        features="fp asimd evtstrm crc32 cpuid", variant="0x0", part="0xd08", revision=3)),
    Device("cortex-a76", "Raspberry Pi 5", "trixie", "3.13", 41, True, _CPUINFO.format(
        features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm "
                 "lrcpc dcpop asimddp", variant="0x4", part="0xd0b", revision=1)),
)
