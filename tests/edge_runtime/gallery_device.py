"""The gallery's commands on a device of their own, with its bundle, key and people's files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from edge_runtime.apps.cli import main

RUN = "import sys; from edge_runtime.apps.cli import main; sys.exit(main())"
WITHOUT_CRYPTOGRAPHY = f"import sys; sys.modules['cryptography'] = None; {RUN}"
PASSPHRASE = {"VISAVOX_PASSPHRASE": "correct horse"}


class Device:
    """A bundle, people's files, a gallery and a key; `run` and `mistake` call `visavox`."""

    def __init__(self, bundle: Path, people: Path, folder: Path) -> None:
        self.bundle, self.people, self.folder = bundle, people, folder
        self.gallery = folder / "gallery.db"
        # Without a key of the machine that tests, and without its environment's.
        self.environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config")}
        for name in ("VISAVOX_DEVICE_KEY", *PASSPHRASE):
            self.environment.pop(name, None)

    def start(
        self, *arguments: object, code: str = RUN, limit_bytes: int | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """A process of its own, whose files may grow to `limit_bytes`."""
        def limit() -> None:
            if limit_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], text=True, preexec_fn=limit,
            start_new_session=True, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment)

    def call(self, *arguments: object, **environment: str) -> tuple[int, str, str]:
        """Within this process, which takes a tenth of the time."""
        out, err = io.StringIO(), io.StringIO()
        with (mock.patch.dict(os.environ, self.environment | environment, clear=True),
              contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)):
            code = main([str(argument) for argument in arguments])
        return code, out.getvalue(), err.getvalue()

    def run(self, *arguments: object, **environment: str) -> str:
        code, out, err = self.call(*arguments, **environment)
        assert code == 0, err
        return out

    def mistake(self, *arguments: object, **environment: str) -> str:
        """The one line of standard error."""
        return one_line(*self.call(*arguments, **environment))

    def mistake_of_child(self, *arguments: object, **options: Any) -> str:
        """The same, in a process of its own."""
        with self.start(*arguments, **options) as child:
            out, err = child.communicate(timeout=300)
        return one_line(child.returncode, out, err)

    def files(self, number: int) -> tuple[str, ...]:
        """The arguments that name the files of one of the synthetic people."""
        folder = self.people / f"synthetic_00{number}"
        return ("--face", *map(str, sorted((folder / "face").iterdir())),
                "--voice", *map(str, sorted((folder / "voice").iterdir())))

    def enroll(self, name: str, number: int) -> tuple[str, ...]:
        """The arguments that enroll one; the little network takes all people for one."""
        return ("enroll", name, "--bundle", str(self.bundle), "--gallery", str(self.gallery),
                "--allow-duplicate", *self.files(number))

    def names(self) -> list[str]:
        listed = json.loads(self.run("people", "--gallery", self.gallery, "--json"))
        return [person["person"] for person in listed["people"]]

    def check_intact(self, *names: str) -> None:
        """Everybody is there, and the audit log holds."""
        assert self.names() == list(names)
        assert json.loads(self.run("audit", "--gallery", self.gallery, "--json"))["holds"] is True


def one_line(code: int, out: str, err: str) -> str:
    assert code == 2, err
    assert out == "" and err.startswith("visavox: ") and err.count("\n") == 1, err
    assert "Traceback" not in err and len(err) < 600
    return err.removeprefix("visavox: ").rstrip("\n")
