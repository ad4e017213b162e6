"""Writes timm_mobilevit_*.npz: what timm's MobileViT answers with weights drawn from a seed.

Runs in an environment of its own (torch 2.13.0, timm 1.0.31): `make parity`. Each file holds
the `seed`, the `step`, and per case `<case>_shapes` (JSON: name -> shape of every weight),
`<case>_fingerprint` of the drawn weights, `<case>_stage3` [height / 8, width / 8, channels] thinned
by the step, `<case>_features` after the pool and `<case>_logits`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from benchmarks.peers import torchvision_stub
from tests.data.drawn_weights import draw_input, draw_state, fingerprint

SEED = 20_261_122
NUM_CLASSES = 10
STEP = 3  # odd, so that every place of the 2x2 patches is among what is kept
# Height, width, channels: a face, and a log-mel spectrogram of 256 frames.
CASES = {"picture": (256, 256, 3), "spectrogram": (256, 64, 1)}
MODELS = {"xxs": ("picture", "spectrogram"), "xs": ("spectrogram",), "s": ("spectrogram",)}


def reference(model_name: str, case: str) -> dict[str, np.ndarray]:
    """What timm's network answers in one case, by the names of this module's docstring."""
    import timm

    height, width, channels = CASES[case]
    network = timm.create_model(model_name, num_classes=NUM_CLASSES, in_chans=channels).eval()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    state = draw_state(shapes, SEED)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    image = torch.from_numpy(draw_input((1, height, width, channels), SEED).transpose(0, 3, 1, 2))
    seen: dict[str, torch.Tensor] = {}
    network.stages[2].register_forward_hook(lambda *call: seen.update(stage3=call[2]))
    with torch.no_grad():
        logits = network(image)
        features = network.forward_head(network.forward_features(image), pre_logits=True)
    stage3 = seen["stage3"][0].permute(1, 2, 0)[::STEP, ::STEP]
    print(f"{model_name} {case}: standard deviation of stage 3 {stage3.std():.3f}, features "
          f"{features.std():.3f}, logits {logits.std():.3f}")
    return {
        f"{case}_shapes": np.array(json.dumps(shapes)),
        f"{case}_fingerprint": np.array(fingerprint(state)),
        f"{case}_stage3": stage3.numpy(),
        f"{case}_features": features[0].numpy(),
        f"{case}_logits": logits[0].numpy(),
    }


def main() -> None:
    torchvision_stub.install()
    torch.manual_seed(SEED)
    for size, cases in MODELS.items():
        name = f"mobilevit_{size}"
        arrays = {"seed": np.array(SEED), "step": np.array(STEP)}
        for case in cases:
            arrays |= reference(name, case)
        path = Path(__file__).with_name(f"timm_{name}.npz")
        np.savez_compressed(path, allow_pickle=False, **arrays)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
