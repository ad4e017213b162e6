"""Enrol somebody whom no network was trained on, and find them again.

    python examples/enroll.py bundle gallery.db Anna anna1.jpg anna2.jpg anna3.jpg --probe new.jpg

The gallery is one encrypted file; its key lies in the user's configuration folder, or where
`--key` says. Faces are not stored, only their embeddings.
"""

from __future__ import annotations

import argparse

from edge_runtime import Gallery, Identifier, VisavoxError
from edge_runtime.enrolment.files import read_samples


def main() -> None:
    parser = argparse.ArgumentParser(description="Enrol somebody, and find them again.")
    parser.add_argument("bundle")
    parser.add_argument("gallery")
    parser.add_argument("name")
    parser.add_argument("faces", nargs="+", help="crops of their face")
    parser.add_argument("--probe", help="another face, to look for")
    parser.add_argument("--key", help="the device key")
    options = parser.parse_args()
    try:
        identifier = Identifier.load(options.bundle)
        samples = read_samples(identifier, faces=options.faces)
        with Gallery.open(options.gallery, identifier.manifest, options.key,
                          mode="create") as gallery:
            gallery.enroll(options.name, samples, consent="to try an example")
            print(f"{options.name} is enrolled; {len(gallery.people())} in {options.gallery}")
            if options.probe:
                embedding = identifier.embed(face=options.probe)["face"]
                for match in gallery.search("face", embedding):
                    print(f"{match.similarity:8.3f}  {match.person}")
    except VisavoxError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
