"""NATS keys and the JSON Web Tokens signed with them: Ed25519 keys written in base32 with a kind letter and a checksum.

Only what an authorisation callout needs: one account key, sign, verify. Source: NATS documentation, "NKeys" and "JWT".
"""

from __future__ import annotations

import base64
import hashlib
import json
from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from xinzu.platform.servers.home import secret

_ACCOUNT_KIND = 0  # an A in base32
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class BadToken(ValueError):
    """A token that is not whole or not signed by the key it names."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key with its public name, e.g. ``A…`` for an account."""

    private: Ed25519PrivateKey
    public: str


def account_key(home: Path) -> Key:
    """The account key of this home's NATS, derived from a secret that is generated once."""
    seed = hashlib.sha256(b"xinzu nats account key\0" + secret(home, "nats_account").encode("ascii")).digest()
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return Key(private, encode(_ACCOUNT_KIND, private.public_key().public_bytes_raw()))


def encode(kind: int, public: bytes) -> str:
    """A public key as NATS writes it: kind, key, CRC-16/XMODEM in little endian; base32 without padding."""
    body = bytes((kind,)) + public
    return base64.b32encode(body + crc_hqx(body, 0).to_bytes(2, "little")).decode("ascii").rstrip("=")


def decode(text: str) -> bytes:
    """The 32 bytes of a public key of any kind. Raises BadToken when it is damaged."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError as damaged:
        raise BadToken("not base32") from damaged
    if len(raw) != 35 or crc_hqx(raw[:-2], 0).to_bytes(2, "little") != raw[-2:]:
        raise BadToken("not a public key")
    return raw[1:-2]


def sign(key: Key, claims: Mapping[str, Any], issued_at_s: int) -> str:
    """A token over the claims; issuer, issue time (seconds since the epoch) and token id are added."""
    body: dict[str, Any] = {**claims, "iss": key.public, "iat": issued_at_s}
    body["jti"] = base64.b32encode(hashlib.sha256(_json(body)).digest()).decode("ascii").rstrip("=")
    signed = f"{_base64(_json(_HEADER))}.{_base64(_json(body))}"
    return f"{signed}.{_base64(key.private.sign(signed.encode('ascii')))}"


def verify(token: str) -> dict[str, Any]:
    """The claims of a token whose signature fits the issuer it names; the caller judges the issuer. Raises BadToken."""
    try:
        signed, _, signature = token.rpartition(".")
        header, _, body = signed.partition(".")
        if json.loads(_plain(header)).get("alg") != _HEADER["alg"]:
            raise BadToken("unknown algorithm")
        claims: dict[str, Any] = json.loads(_plain(body))
        Ed25519PublicKey.from_public_bytes(decode(str(claims["iss"]))).verify(_plain(signature), signed.encode("ascii"))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as wrong:
        raise BadToken("not a signed token") from wrong
    return claims


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
