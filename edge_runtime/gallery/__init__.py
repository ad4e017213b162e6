"""People enrolled on the device, without training anew: stored, found again, forgotten.

    from pathlib import Path
    from edge_runtime.enrolment.files import read_samples
    from edge_runtime.gallery.store import Gallery
    from edge_runtime.decision.identify import Identifier

    identifier = Identifier.load(Path("bundle"))
    samples = read_samples(identifier, faces=[Path("anna1.jpg"), Path("anna2.jpg")])
    with Gallery.open(Path("gallery.db"), identifier.manifest, mode="create") as gallery:
        gallery.enroll("Anna", samples)
        print(gallery.search("face", samples[0].embedding))

A gallery takes the extra `gallery` (the package cryptography); nothing else here imports it.
"""
