"""What a person is known by: a face, and a voice."""

from __future__ import annotations

from typing import Literal, get_args

Modality = Literal["face", "voice"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
