"""The kiosk: a web page for a screen, a REST API and events, around the loop of `visavox watch`.

`station` is camera, microphone, networks and gallery with the thread that looks; `presence` says
what of it is told; `app` serves them, behind `security`, `visitors` and `connections`; whoever is
enrolled is guided by `enrolment.guided`. docs/reference/kiosk-api.md says what clients may rely on.
"""

from __future__ import annotations


