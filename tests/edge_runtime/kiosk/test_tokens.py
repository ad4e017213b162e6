"""The token: its hash at rest, right ones, wrong ones, and how fast."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import UsageError
from edge_runtime.kiosk import tokens
from edge_runtime.kiosk.tokens import Tokens, set_token


def test_a_token_is_kept_as_a_hash_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token.json"
    token = set_token(file)
    assert re.fullmatch(r"([a-z2-7]{5}-){3}[a-z2-7]{5}", token)
    assert token not in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())) == {"salt", "hash"}
    first = Tokens(file)
    assert first.exists and first.check(token, "a") is None and first.check("x", "a") == 0
    other = set_token(file)
    assert other != token and Tokens(file).check(token, "a") == 0


def test_an_editor_may_have_saved_it(tmp_path: Path) -> None:
    file = tmp_path / "token.json"
    token = set_token(file)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert Tokens(file).check(token, "a") is None


def test_without_a_file_there_is_no_token(tmp_path: Path) -> None:
    missing = Tokens(tmp_path / "none.json")
    assert not missing.exists and missing.check("", "a") == 0 and missing.check("x", "a") == 0


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b'{"salt": "", "hash": ""}',
                                     b'{"salt": "AAAA", "hash": "AAAA", "more": 1}'])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"expected the hash of a token.*--set-token"):
        Tokens(file)


def test_wrong_tokens_are_slowed_down_by_address(
    token_file: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_s = 100.0
    hashed = 0

    def scrypt(given: str, salt: bytes) -> bytes:
        nonlocal hashed
        hashed += 1
        return real(given, salt)

    real = tokens._scrypt
    monkeypatch.setattr(tokens, "_scrypt", scrypt)
    monkeypatch.setattr(tokens.time, "monotonic", lambda: time_s)
    known = Tokens(token_file)
    assert [known.check("wrong", "a") for _ in range(5)] == [0.0] * 5
    assert all((known.check("wrong", "a") or 0) > 0 for _ in range(100)) and hashed == 5
    assert (known.check(token, "a") or 0) > 0  # not known to be right yet
    assert known.check(token, "b") is None and hashed == 6
    assert known.check(token, "a") is None and hashed == 6  # from now on
    time_s += 2.1
    assert known.check("wrong", "a") == 0.0 and (known.check("wrong", "a") or 0) > 0


def test_few_addresses_are_remembered(token_file: Path, token: str) -> None:
    limiter = tokens._Limiter()
    for number in range(3000):
        limiter.note(str(number))
    assert len(limiter._full) == 1000


@given(st.text(max_size=30))
def test_no_other_text_is_the_token(text: str) -> None:
    salt = bytes(16)
    if text != "the token":
        assert tokens._scrypt(text, salt) != tokens._scrypt("the token", salt)
