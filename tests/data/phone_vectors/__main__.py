"""Writes vectors.json anew."""

import json

from tests.data.phone_vectors.signals import drawn_picture, spoken
from tests.data.phone_vectors.vectors import FILE, vectors

FILE.write_text(json.dumps(vectors(drawn_picture(), spoken())) + "\n", encoding="utf-8")
print(f"{FILE}: {FILE.stat().st_size} bytes")
