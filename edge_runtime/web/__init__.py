"""The phone: a static folder that runs wholly in the browser of an Android phone.

`export.export_web` writes it. The rules are those of Python, ported once: picture.js (face.py,
crop.py), face-quality.js (quality.py), sound.js (voice.py, speech.py), scoring.js (scoring.py),
similarity.js (similarity.py), decide.js (decide.py), evidence.js (evidence.py), watcher.js
(watch.py), samples.js and gallery.js (gallery). Golden vectors hold both together.
docs/how-to/phone.md says how to open it on a phone.
"""

from __future__ import annotations


