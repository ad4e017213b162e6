"""`visavox kiosk`: a page for a screen, a REST API and events, until it is stopped."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.capture.choose import CAMERA_HELP, MICROPHONE_HELP
from edge_runtime.cli.options import add_detector, add_enrolled, open_enrolled
from edge_runtime.command import Commands
from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    from edge_runtime.capture.camera import Camera
    from edge_runtime.capture.microphone import Microphone
    from edge_runtime.kiosk.serve import Address
    from edge_runtime.kiosk.tokens import Tokens

SCENE, SOUND = "scene.mp4", "scene.wav"


def add(commands: Commands) -> None:
    kiosk = commands.add("kiosk", _kiosk, "serve a page for a screen, a REST API and events")
    kiosk.add_argument("--bundle", type=Path, metavar="FOLDER")
    kiosk.add_argument("--allow-uncertified", action="store_true",
                       help="use a bundle that did not pass its checks")
    add_enrolled(kiosk)
    kiosk.add_argument("--camera", help=f"(auto) {CAMERA_HELP}; none for no camera")
    kiosk.add_argument("--microphone", help=f"(auto) {MICROPHONE_HELP}; none for no microphone")
    add_detector(kiosk)
    kiosk.add_argument("--demo", type=Path, metavar="FOLDER",
                       help=f"play what 'make demo' leaves: bundle, {SCENE} and {SOUND}")
    kiosk.add_argument("--host", default="127.0.0.1", metavar="ADDRESS",
                       help="where to listen (127.0.0.1); another needs TLS and a token")
    kiosk.add_argument("--port", type=int, default=8765, metavar="N", help="(8765)")
    kiosk.add_argument("--allow-host", action="append", default=[], metavar="NAME",
                       help="a name besides its own that clients may call it; may be repeated")
    kiosk.add_argument("--tls-cert", type=Path, metavar="FILE")
    kiosk.add_argument("--tls-key", type=Path, metavar="FILE")
    kiosk.add_argument("--token-file", type=Path, metavar="FILE",
                       help="where the token's hash is (~/.config/visavox/kiosk-token.json)")
    kiosk.add_argument("--set-token", action="store_true",
                       help="make a new token for the administration, print it, and stop")


def _kiosk(options: Namespace) -> None:
    _need_extra()
    from edge_runtime.kiosk.tokens import Tokens, default_token_file, set_token

    token_file = options.token_file or default_token_file()
    if options.set_token:
        print(set_token(token_file))
        return
    from edge_runtime.kiosk.serve import Address

    address = Address(options.host, options.port, options.tls_cert, options.tls_key,
                      tuple(options.allow_host))
    tokens = Tokens(token_file)
    address.check(tokens.exists)
    _choose_demo(options)
    if options.bundle is None:
        raise UsageError("expected --bundle FOLDER, or --demo FOLDER, found neither")
    _run(options, address, tokens)


def _need_extra() -> None:
    try:
        import fastapi  # noqa: F401
        import multipart  # noqa: F401
        import paho.mqtt  # noqa: F401
        import prometheus_client  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise UsageError(f"expected the packages of the kiosk, found no {error.name}; pip install "
                         "'visavox[kiosk]'") from None


def _choose_demo(options: Namespace) -> None:
    """Fills in what --demo stands for, where it was not given."""
    if options.demo is None:
        options.camera, options.microphone = options.camera or "auto", options.microphone or "auto"
        return
    bundle, scene, sound = (options.demo / name for name in ("bundle", SCENE, SOUND))
    for path in (bundle, scene, sound):
        if not path.exists():
            raise UsageError(f"--demo expects a folder as 'make demo' leaves it, found no {path}; "
                             "run 'make demo'")
    options.bundle = options.bundle or bundle
    options.camera, options.microphone = options.camera or str(scene), (
        options.microphone or str(sound))


def _run(options: Namespace, address: Address, tokens: Tokens) -> None:
    from edge_runtime.detect import make_detector
    from edge_runtime.identify import Identifier
    from edge_runtime.kiosk.serve import make_server
    from edge_runtime.kiosk.service import Service
    from edge_runtime.kiosk.station import Station

    _open_sources(options)  # a mistake is said now
    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    detector = make_detector(options.detector, options.yunet_model)
    with open_enrolled(options, identifier.manifest, mode="create") as gallery:
        station = Station(identifier, detector, gallery, lambda: _open_sources(options))
        service = Service(station, tokens, options.bundle.name)
        if not tokens.exists:
            print("there is no token, so nobody can administrate; 'visavox kiosk --set-token' "
                  "makes one")
        print(f"the kiosk is at {address.url}; Ctrl+C stops it", flush=True)
        make_server(service, address).run()


def _open_sources(options: Namespace) -> tuple[Camera | None, Microphone | None]:
    from edge_runtime.capture.choose import camera_from, microphone_from
    from edge_runtime.capture.files import FileClock

    clock = FileClock()  # two files begin together, each time they are played
    return (camera_from(options.camera, clock) if options.camera != "none" else None,
            microphone_from(options.microphone, clock) if options.microphone != "none" else None)
