"""Somebody comes into a gallery: by files, live before a camera, or step by step at a kiosk.

`rules` is what holds for all of these, and for the phone's page: how many samples, what refuses
one. `files`, `live` and `guided` gather the samples; the gallery, which is below, keeps them.
"""
