"""The pages: the kiosk's, and the phone's, a static folder that runs wholly in the browser of an
Android phone.

`shared` is what both have; the kiosk serves it below its page, and `export.export_web`, which
writes the phone's folder, copies it there. `parameters` writes what Python and JavaScript share.

On a phone the rules are those of Python, ported once: picture.js (face.py, detection.py),
face-quality.js (face_quality.py), sound.js (voice.py, voice_quality.py), scoring.js (scoring.py),
similarity.js (similarity.py), decide.js (decide.py), evidence.js (evidence.py), watcher.js
(watch.py), samples.js and gallery.js (gallery). Golden vectors hold both together.
docs/how-to/phone.md says how to open it on a phone.
"""
