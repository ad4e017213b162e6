"""The token: its hash at rest, right ones, wrong ones, and how fast."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.apps.kiosk import tokens
from edge_runtime.apps.kiosk.tokens import Tokens, set_token
from edge_runtime.errors import UsageError


def test_a_token_is_kept_as_a_hash_that_its_owner_alone_can_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token.json"
    token = set_token(file)
    assert re.fullmatch(r"([a-z2-7]{5}-){3}[a-z2-7]{5}", token)
    assert token not in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())) == {"salt", "sha256"}
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
                                     b'{"salt": "AAAA", "hash": "AAAA", "more": 1}',
                                     json.dumps(dict.fromkeys(("salt", "hash"), "A" * 43 + "=")
                                                ).encode()])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"expected the hash of a token.*--set-token"):
        Tokens(file)


def test_wrong_tokens_are_slowed_down_by_address(token_file: Path, token: str) -> None:
    time_s = 100.0
    known = Tokens(token_file, lambda: time_s)
    assert [known.check("wrong", "a") for _ in range(5)] == [0.0] * 5
    assert [known.check("wrong", "a") for _ in range(100)] == [2.0] * 100
    assert known.check("wrong", "b") == 0.0
    time_s += 2.1
    assert known.check("wrong", "a") == 0.0 and (known.check("wrong", "a") or 0) > 0


def test_the_right_token_is_let_in_at_once_whatever_else_is_sent(
    token_file: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the first time after a start, from the address of those who send wrong ones, and
    without the work of a slow hash."""
    monkeypatch.delattr(tokens.hashlib, "scrypt")
    known = Tokens(token_file, lambda: 100.0)
    for number in range(200):
        known.check(f"wrong {number}", "a")
    assert (known.check("wrong", "a") or 0) > 0
    assert known.check(token, "a") is None


def test_of_ipv6_a_whole_network_is_one_address(token_file: Path, token: str) -> None:
    known = Tokens(token_file, lambda: 100.0)
    waits = [known.check("wrong", f"2001:db8::{number:x}") for number in range(50)]
    assert waits.count(0.0) == 5 and known.check("wrong", "2001:db8:0:1::1") == 0.0


def test_few_addresses_are_remembered(token_file: Path, token: str) -> None:
    limiter = tokens._Limiter(lambda: 100.0)
    for number in range(3000):
        limiter.wait_s(str(number))
    assert len(limiter._full) == 1000


@given(st.text(max_size=30))
def test_no_other_text_is_the_token(text: str) -> None:
    salt = bytes(16)
    if text != "the token":
        assert tokens._digest(text, salt) != tokens._digest("the token", salt)
