"""People enrolled on the device, without training anew: stored, found again, forgotten.

    from edge_runtime import Gallery, Identifier
    from edge_runtime.enrolment.files import read_samples

    identifier = Identifier.load("bundle")
    samples = read_samples(identifier, faces=["anna1.jpg", "anna2.jpg"])
    with Gallery.open("gallery.db", identifier.manifest, mode="create") as gallery:
        gallery.enroll("Anna", samples)
        print(gallery.search("face", samples[0].embedding))

A gallery takes the extra `gallery` (the package cryptography); nothing else here imports it.
"""
