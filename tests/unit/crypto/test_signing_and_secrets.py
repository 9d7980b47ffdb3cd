"""Signatures checked against an independent implementation (the openssl command), passwords and API keys."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from xinzu.platform.crypto.passwords import (
    fingerprint_of,
    hash_password,
    needs_rehash,
    new_api_key,
    new_session_token,
    same_fingerprint,
    tenant_of_api_key,
    verify_password,
)
from xinzu.platform.crypto.signing import (
    KeyPair,
    KeyUnusable,
    ed25519_public_key,
    ed25519_sign,
    ed25519_verify,
    new_ed25519_seed,
    new_rsa_keys,
    rsa2_sign,
    rsa2_verify,
)

OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    return new_rsa_keys()


def test_ed25519_follows_the_rfc_8032_vector() -> None:
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert ed25519_public_key(seed) == public
    assert ed25519_sign(seed, b"\x72") == signature
    assert ed25519_verify(public, b"\x72", signature)


def test_a_wrong_ed25519_signature_is_false_and_a_wrong_key_is_an_error() -> None:
    seed = new_ed25519_seed()
    public = ed25519_public_key(seed)
    signature = ed25519_sign(seed, b"lock")
    assert not ed25519_verify(public, b"unlock", signature)
    assert not ed25519_verify(public, b"lock", b"")
    with pytest.raises(KeyUnusable):
        ed25519_verify(b"short", b"lock", signature)


@pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")
def test_openssl_accepts_our_rsa2_and_we_accept_openssls(keys: KeyPair, tmp_path: Path) -> None:
    message = 'app_id=1&biz_content={"amount":"1.00"}&charset=utf-8&title=手机押金'.encode()
    for name, content in (
        ("private.pem", keys.private_pem.encode()),
        ("public.pem", keys.public_pem.encode()),
        ("message", message),
        ("ours", base64.b64decode(rsa2_sign(keys.private_pem, message))),
    ):
        (tmp_path / name).write_bytes(content)

    def openssl(*arguments: str) -> bytes:
        return subprocess.run([str(OPENSSL), "dgst", "-sha256", *arguments], cwd=tmp_path, check=True, capture_output=True).stdout

    assert b"Verified OK" in openssl("-verify", "public.pem", "-signature", "ours", "message")
    theirs = base64.b64encode(openssl("-sign", "private.pem", "message")).decode()
    assert rsa2_verify(keys.public_pem, message, theirs)


def test_rsa_keys_may_come_as_bare_base64(keys: KeyPair) -> None:
    def bare(pem: str) -> str:
        return "".join(line for line in pem.splitlines() if "-----" not in line)

    signature = rsa2_sign(bare(keys.private_pem), b"m")
    assert rsa2_verify(bare(keys.public_pem), b"m", signature)


def test_a_wrong_rsa2_signature_is_false_and_a_wrong_key_is_an_error(keys: KeyPair) -> None:
    signature = rsa2_sign(keys.private_pem, b"m")
    assert not rsa2_verify(keys.public_pem, b"n", signature)
    assert not rsa2_verify(keys.public_pem, b"m", "not base64!")
    assert not rsa2_verify(new_rsa_keys().public_pem, b"m", signature)
    with pytest.raises(KeyUnusable):
        rsa2_sign("AAAA", b"m")
    with pytest.raises(KeyUnusable):
        rsa2_verify(keys.private_pem, b"m", signature)


def test_a_key_pair_does_not_show_its_private_half(keys: KeyPair) -> None:
    assert "PRIVATE" not in repr(keys)


def test_a_password_verifies_and_its_hash_is_argon2id() -> None:
    password_hash = hash_password("correct horse")
    assert password_hash.startswith("$argon2id$")
    assert verify_password(password_hash, "correct horse")
    assert not verify_password(password_hash, "wrong horse")
    assert not verify_password("damaged", "correct horse")
    assert not needs_rehash(password_hash)
    assert needs_rehash("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$5mSSWkfCXHE9SE3y3R1XYw")


def test_an_api_key_names_its_tenant_and_is_kept_as_a_fingerprint() -> None:
    key = new_api_key("shan-hu")
    assert tenant_of_api_key(key.text) == "shan-hu"
    assert len(key.text.removeprefix("xzk_shan-hu_")) == 43
    assert same_fingerprint(key.fingerprint, fingerprint_of(key.text))
    assert not same_fingerprint(key.fingerprint, fingerprint_of(new_api_key("shan-hu").text))
    assert key.text not in repr(key)


@pytest.mark.parametrize(
    "text", ["", "xzk__" + "a" * 43, "xzk_shanhu_short", "xzk_Shanhu_" + "a" * 43, "xzk_shanhu_" + "a" * 44, "Bearer x"]
)
def test_what_is_no_api_key_has_no_tenant(text: str) -> None:
    assert tenant_of_api_key(text) is None


def test_a_tenant_name_that_could_not_be_read_back_is_refused() -> None:
    for name in ("", "shan_hu", "Shan", "-a", "a" * 64):
        with pytest.raises(ValueError, match="short name"):
            new_api_key(name)


def test_session_tokens_differ() -> None:
    assert new_session_token().text != new_session_token().text
