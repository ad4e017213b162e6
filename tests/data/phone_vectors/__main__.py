"""Writes vectors.json anew."""

import json

from tests.data.phone_vectors import FILE, vectors
from tests.data.phone_vectors.signals import drawn_picture, spoken

FILE.write_text(json.dumps(vectors(drawn_picture(), spoken())) + "\n", encoding="utf-8")
print(f"{FILE}: {FILE.stat().st_size} bytes")
