"""`visavox kiosk`: a page for a screen, a REST API and events, until it is stopped."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edge_runtime.apps.cli.options import (
    add_detector,
    add_enrolled,
    detector_from,
    given,
    need,
    open_enrolled,
)
from edge_runtime.capture.devices import CAMERA_HELP, MICROPHONE_HELP
from edge_runtime.console.parser import Commands
from edge_runtime.errors import UsageError, VisavoxError

if TYPE_CHECKING:
    from edge_runtime.apps.kiosk.app import Address
    from edge_runtime.apps.kiosk.configuration import Configuration
    from edge_runtime.apps.kiosk.tokens import Tokens
    from edge_runtime.capture.camera import Camera
    from edge_runtime.capture.microphone import Microphone
    from edge_runtime.gallery.store import Gallery

_KIOSK = ("--bundle", "--allow-uncertified", "--gallery", "--key", "--camera", "--microphone",
          "--detector", "--yunet-model", "--demo", "--allow-host", "--trusted-proxy",
          "--path-prefix", "--tls-cert", "--tls-key", "--config", "--print-systemd")
SCENE, SOUND = "scene.mp4", "scene.wav"


def add_kiosk(commands: Commands) -> None:
    kiosk = commands.add("kiosk", _kiosk, "serve a page for a screen, a REST API and events",
                         example="--demo demo\n"
                                 "bundle --gallery gallery.db --camera 0 --microphone auto")
    kiosk.add_bundle(required=False, help="whom it knows; needed without --demo")
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
    kiosk.add_argument("--trusted-proxy", action="append", default=[], metavar="ADDRESS",
                       help="a proxy (or a network of them) to be believed whom it speaks for; may "
                            "be repeated; see docs/how-to/proxy.md")
    kiosk.add_argument("--path-prefix", metavar="PATH",
                       help="where a proxy shows the kiosk, such as /visavox")
    kiosk.add_argument("--tls-cert", type=Path, metavar="FILE")
    kiosk.add_argument("--tls-key", type=Path, metavar="FILE")
    kiosk.add_argument("--token-file", type=Path, metavar="FILE",
                       help="where the token's hash is (~/.config/visavox/kiosk-token.json)")
    kiosk.add_argument("--set-token", action="store_true",
                       help="make a new token for the administration, print it, and stop")
    kiosk.add_argument("--config", type=Path, metavar="FILE",
                       help="MQTT, a hook, proxies and the camera's address: see "
                            "docs/how-to/home-assistant.md")
    kiosk.add_argument("--print-systemd", action="store_true",
                       help="print a systemd unit that runs the kiosk with these arguments")


def _kiosk(options: Namespace) -> None:
    _need_extra()
    from edge_runtime.apps.kiosk.app import Address
    from edge_runtime.apps.kiosk.configuration import read_configuration
    from edge_runtime.apps.kiosk.tokens import Tokens, default_token_file, set_token
    from edge_runtime.apps.kiosk.visitors import Proxies

    token_file = options.token_file or default_token_file()
    if options.set_token:
        _check_alone(options)
        print(set_token(token_file))
        return
    need(options, "--key", "--gallery")
    configuration = read_configuration(options.config)
    named = configuration.proxy
    address = Address(options.host, options.port, options.tls_cert, options.tls_key,
                      tuple(options.allow_host),
                      Proxies.of([*named.trusted, *options.trusted_proxy],
                                 options.path_prefix or named.path_prefix))
    tokens = Tokens(token_file)
    address.check(tokens.exists)
    _choose_camera(options, configuration)
    _choose_demo(options)
    if options.bundle is None:
        raise UsageError("expected a BUNDLE, or --demo FOLDER, found neither")
    if options.print_systemd:
        print(_unit(options), end="")
        return
    with address.listening() as listening:
        _run(options, configuration, address, tokens, listening)


def _choose_camera(options: Namespace, configuration: Configuration) -> None:
    """The configuration's, for an address whose password nobody else is to see."""
    if configuration.camera is None:
        if options.camera and "://" in options.camera and "@" in options.camera:
            print("warning: everybody on this machine can see the camera's password in the list of "
                  "processes; write camera = \"ADDRESS\" into the file of --config instead",
                  file=sys.stderr)
    elif options.camera is not None:
        raise UsageError(f"expected --camera or camera in {options.config}, found both; leave one "
                         "out")
    elif not options.print_systemd:
        options.camera = configuration.camera


def _check_alone(options: Namespace) -> None:
    """UsageError for what does nothing beside --set-token, which stops when the token is made."""
    if idle := [option for option in _KIOSK if given(options, option)]:
        raise UsageError("--set-token makes a token and stops: expected --token-file at most "
                         f"beside it, found {', '.join(idle)}; run it by itself, then the kiosk "
                         "without it")


def _need_extra() -> None:
    try:
        import fastapi  # noqa: F401
        import paho.mqtt  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise UsageError(f"expected the packages of the kiosk, found no {error.name}; pip install "
                         "'visavox[kiosk]'") from None


def _choose_demo(options: Namespace) -> None:
    """Fills in what --demo stands for, where it was not given."""
    if options.demo is None:
        if not options.print_systemd:
            options.camera = options.camera or "auto"
            options.microphone = options.microphone or "auto"
        return
    bundle, scene, sound = (options.demo / name for name in ("bundle", SCENE, SOUND))
    for path in (bundle, scene, sound):
        if not path.exists():
            raise UsageError(f"--demo expects a folder as 'make demo' leaves it, found no {path}; "
                             "run 'make demo'")
    if options.bundle and options.camera and options.microphone:
        raise UsageError("--demo does nothing beside --bundle, --camera and --microphone, found "
                         "all of them; leave it out")
    options.bundle = options.bundle or bundle
    options.camera, options.microphone = options.camera or str(scene), (
        options.microphone or str(sound))


def _run(
    options: Namespace, configuration: Configuration, address: Address, tokens: Tokens,
    listening: socket.socket,
) -> None:
    from edge_runtime.apps.kiosk.app import make_server, run
    from edge_runtime.apps.kiosk.hooks import Hook
    from edge_runtime.apps.kiosk.mqtt import Broker
    from edge_runtime.apps.kiosk.service import Service
    from edge_runtime.apps.kiosk.station import Station, keep_memory_small
    from edge_runtime.decision.identify import Identifier

    _open_sources(options)  # a mistake is said now
    keep_memory_small()
    identifier = Identifier.load(options.bundle, allow_uncertified=options.allow_uncertified)
    detector = detector_from(options)
    with ExitStack() as stack:
        gallery = stack.enter_context(open_enrolled(
            options, identifier.manifest, mode="create", force=options.demo is not None))
        station = Station(identifier, detector, gallery, lambda: _open_sources(options))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="visavox-phone-")))
        service = Service(station, tokens, options.bundle.name,
                          _phone_page(options, folder / "phone", gallery))
        server = make_server(service, address)
        if configuration.mqtt:
            broker = stack.enter_context(Broker(configuration.mqtt, service.metrics))
            service.broker = broker
            station.on_decision.append(broker.decided)
            station.on_forget.append(broker.forgotten)
            service.on_state.append(broker.state)
        if configuration.hook:
            hook = stack.enter_context(Hook(configuration.hook, service.metrics))
            station.on_decision.append(hook.decided)
        if not tokens.exists:
            print("there is no token, so nobody can administrate; 'visavox kiosk --set-token' "
                  "makes one")
        print(f"the kiosk is at {address.url(listening.getsockname()[1])}; Ctrl+C stops it",
              flush=True)
        run(server, listening)


def _phone_page(options: Namespace, out: Path, gallery: Gallery | None) -> Path | None:
    """The bundle for a phone's browser. Without it, the kiosk does all the rest."""
    from edge_runtime.web.export import export_web

    try:
        export_web(options.bundle, out, thresholds=gallery.thresholds() if gallery else None,
                   allow_uncertified=options.allow_uncertified)
    except VisavoxError as error:
        print(f"without the phone's page: {error}", file=sys.stderr)
        return None
    return out


def _open_sources(options: Namespace) -> tuple[Camera | None, Microphone | None]:
    from edge_runtime.capture.devices import camera_from, microphone_from
    from edge_runtime.capture.files import FileClock

    clock = FileClock()  # two files begin together, each time they are played
    return (camera_from(options.camera, clock) if options.camera != "none" else None,
            microphone_from(options.microphone, clock) if options.microphone != "none" else None)


def _unit(options: Namespace) -> str:
    """A systemd unit that runs the kiosk as it was asked for, by whoever asks."""
    from edge_runtime.apps.kiosk.systemd import unit
    from edge_runtime.gallery.keys import default_key_file

    beside = Path(sys.executable).with_name("visavox")
    program = str(beside) if beside.is_file() else shutil.which("visavox")
    if program is None:
        raise UsageError("expected the program visavox on the path, found none; pip install "
                         "'visavox[kiosk]'")
    arguments: list[str] = []
    for name, value in vars(options).items():
        if name in ("command", "run", "print_systemd", "set_token", "demo") or not value:
            continue
        flag = f"--{name.replace('_', '-')}"
        for word in value if isinstance(value, list) else [value]:
            arguments += [flag] if word is True else [flag, _absolute(word)]
    writable = []
    if options.gallery is not None:
        key = options.key or default_key_file()
        writable = [key.absolute().parent, options.gallery.absolute().parent]
    return unit([program, "kiosk", *arguments], _user(), writable)


def _user() -> str:
    """Whoever asks, as systemd takes it: by name, or by number where /etc/passwd has no name."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _absolute(word: object) -> str:
    """A file's whole path: systemd starts in another folder."""
    path = Path(str(word))
    return str(path.absolute() if isinstance(word, Path) or path.is_file() or path.is_dir()
               else word)
