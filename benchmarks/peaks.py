"""The most that a processor can do: measured in the interpreter here, published for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.graph import Layer, dense_model, sum_model
from benchmarks.operations import call_of

SIDE = 1024  # of the matrices multiplied
# Bytes of a sum's two terms and itself. The quickest counts, so that what a layer finds in a cache
# is not held to be slower than it can be.
MOVED = (3 << 14, 3 << 16, 3 << 18, 3 << 20, 3 << 22)


@dataclass(frozen=True)
class Peak:
    """Of one core: float32 in GFLOP/s, int8 in GOP/s (two for a multiply-add), bandwidth
    in GB/s."""

    float32: float
    int8: float
    bandwidth: float

    def floor_ms(self, layer: Layer) -> float:
        """No machine of this peak runs the layer in less: Williams et al., Roofline, 2009."""
        work = 2 * layer.macs / (self.int8 if layer.int8 else self.float32)
        return max(work, layer.bytes / self.bandwidth) / 1e6

    @classmethod
    def best_of(cls, times_ms: Mapping[str, Sequence[float]]) -> Peak:
        """By the quickest run of each of `peak_tasks`."""
        least = {name: min(times) for name, times in times_ms.items()}
        work = 2 * SIDE**3 / 1e6
        return cls(work / least["float32"], work / least["int8"],
                   max(size / 1e6 / least[f"sum of {size}"] for size in MOVED))


def peak_tasks(threads: int) -> dict[str, Callable[[], object]]:
    """A product of two matrices in float32 and in int8, and sums of two rows of float32."""
    models = {"float32": dense_model(SIDE, int8=False), "int8": dense_model(SIDE, int8=True),
              **{f"sum of {size}": sum_model(size // 12) for size in MOVED}}
    return {name: call_of(model, threads) for name, model in models.items()}


@dataclass(frozen=True)
class Core:
    """flops, int8_ops: in one clock (Arm's Software Optimization Guides: pipes of 128 bits, two
    for a multiply-add; int8 counts the dot-product instructions, and where there are none, as on
    Cortex-A53 and A72, int8 is no faster than float32). bandwidth: of the whole memory, GB/s."""

    ghz: float
    flops: int
    int8_ops: int
    bandwidth: float

    @property
    def peak(self) -> Peak:
        return Peak(self.ghz * self.flops, self.ghz * self.int8_ops, self.bandwidth)


PUBLISHED = {
    "Raspberry Pi Zero 2 W (Cortex-A53, LPDDR2-900)": Core(1.0, 8, 8, 3.6),
    "Raspberry Pi 3 B+ (Cortex-A53, LPDDR2-900)": Core(1.4, 8, 8, 3.6),
    "Raspberry Pi 4 (Cortex-A72, LPDDR4-3200)": Core(1.5, 8, 8, 12.8),
    "Raspberry Pi 5 (Cortex-A76, LPDDR4X-4267)": Core(2.4, 16, 64, 17.1),
    "phone, small core (Cortex-A55, LPDDR4X-3733)": Core(1.82, 8, 32, 14.9),
    "phone, large core (Cortex-X1, LPDDR5-6400)": Core(2.84, 32, 128, 51.2),
}
