"""timm's mobilevit_xxs, untrained, as an ONNX file. Runs in the environment `onnxruntime`.

    python -m benchmarks.peers.timm_mobilevit OUT IMAGE_SIZE
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.peers import torchvision_stub

CLASSES = 95


def main() -> None:
    out, image_size = Path(sys.argv[1]), int(sys.argv[2])
    torchvision_stub.install()
    import timm
    import torch

    network = timm.create_model("mobilevit_xxs", num_classes=CLASSES).eval()
    partial = out.with_suffix(".partial")  # what is cut short would be taken for whole next time
    torch.onnx.export(network, (torch.zeros(1, 3, image_size, image_size),), str(partial),
                      external_data=False)
    partial.replace(out)


if __name__ == "__main__":
    main()
