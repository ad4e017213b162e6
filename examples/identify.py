"""Who is it? A bundle, a face and a clip in, a name or nobody out.

    python examples/identify.py bundle face.jpg clip.wav
"""

from __future__ import annotations

import argparse

from edge_runtime import Identifier, VisavoxError


def main() -> None:
    parser = argparse.ArgumentParser(description="Who is it?")
    parser.add_argument("bundle", help="what `python -m convert bundle` wrote")
    parser.add_argument("face", help="a crop of a face")
    parser.add_argument("voice", nargs="?", help="a few seconds of speech")
    options = parser.parse_args()
    try:
        identifier = Identifier.load(options.bundle)
        decision = identifier.identify(options.face, options.voice)
    except VisavoxError as error:  # one line: what was expected, what was found, what to do
        parser.exit(2, f"{error}\n")
    print(decision.person or "nobody", f"({decision.reason})")
    for one in decision.top:
        print(f"{one.score:8.3f}  {one.person}")


if __name__ == "__main__":
    main()
