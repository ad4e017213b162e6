"""What is sealed opens only with its key, for its owner and purpose, and unchanged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.gallery.keys import Vault, new_key

KEY = bytes(range(32))


@given(st.binary(max_size=3000), st.binary(max_size=16), st.text(max_size=20))
def test_round_trip(content: bytes, owner: bytes, purpose: str) -> None:
    purpose = purpose.encode("utf-8", "replace").decode()
    sealed = Vault(KEY, owner).seal(content, purpose)
    assert Vault(KEY, owner).unseal(sealed, purpose) == content
    assert len(sealed) == len(content) + 28


def test_other_key_owner_or_purpose() -> None:
    sealed = Vault(KEY, b"anna").seal(b"secret", "name")
    assert Vault(new_key(), b"anna").unseal(sealed, "name") is None
    assert Vault(KEY, b"ben").unseal(sealed, "name") is None
    assert Vault(KEY, b"anna").unseal(sealed, "consent") is None


def test_every_changed_byte_and_every_cut_is_seen() -> None:
    vault = Vault(KEY)
    sealed = vault.seal(b"secret", "name")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert vault.unseal(bytes(changed), "name") is None
        assert vault.unseal(sealed[:place], "name") is None


def test_the_same_content_looks_different_each_time() -> None:
    vault = Vault(KEY)
    assert vault.seal(b"secret", "name") != vault.seal(b"secret", "name")
    assert new_key() != new_key() and len(new_key()) == 32


