"""Operators' passwords (argon2id) and the secrets we hand out: API keys and session tokens, kept only as fingerprints."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's argon2id profile for servers that check many passwords in little memory: 19 MiB, two passes, one lane.
ARGON2_MEMORY_KIB = 19 * 1024
ARGON2_PASSES = 2
ARGON2_LANES = 1
ARGON2_SALT_BYTES = 16
ARGON2_HASH_BYTES = 32

_SECRET_BYTES = 32  # 43 url-safe characters
_API_KEY = re.compile(r"xzk_(?P<tenant>[0-9a-z][0-9a-z-]{0,62})_(?P<secret>[A-Za-z0-9_-]{43})")
_TENANT = re.compile(r"[0-9a-z][0-9a-z-]{0,62}")

_HASHER = PasswordHasher(
    time_cost=ARGON2_PASSES,
    memory_cost=ARGON2_MEMORY_KIB,
    parallelism=ARGON2_LANES,
    hash_len=ARGON2_HASH_BYTES,
    salt_len=ARGON2_SALT_BYTES,
    type=Type.ID,
)


def hash_password(password: str) -> str:
    """The argon2id hash with its parameters and salt (PHC string). Takes tens of milliseconds: call it off the event loop."""
    return _HASHER.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Whether the password is the one that was hashed; a damaged hash verifies nothing."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's: hash again at the next successful log-in."""
    try:
        return _HASHER.check_needs_rehash(password_hash)
    except InvalidHashError:
        return True


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret at the moment it is made: ``text`` is shown once, ``fingerprint`` is what gets stored."""

    text: str = field(repr=False)
    fingerprint: bytes


def new_api_key(tenant: str) -> NewSecret:
    """``xzk_<tenant>_<43 url-safe characters>``. ``tenant`` is the tenant's short name: lower-case letters, digits, hyphens.

    The name is inside so that a key found in a leak can be traced, and the tenant be set before its row is read.
    """
    if not _TENANT.fullmatch(tenant):
        raise ValueError("a tenant's short name has 1 to 63 lower-case letters, digits and hyphens, not first a hyphen")
    text = f"xzk_{tenant}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return NewSecret(text, fingerprint_of(text))


def tenant_of_api_key(text: str) -> str | None:
    """The tenant's short name inside an API key, or None when the text is not of that form. Proves nothing by itself.

    >>> tenant_of_api_key("xzk_shanhu_" + "a_b" * 14 + "c")
    'shanhu'
    """
    found = _API_KEY.fullmatch(text)
    return found["tenant"] if found else None


def new_session_token() -> NewSecret:
    """A log-in session's token: 43 url-safe characters."""
    text = secrets.token_urlsafe(_SECRET_BYTES)
    return NewSecret(text, fingerprint_of(text))


def fingerprint_of(secret: str) -> bytes:
    """SHA-256 of a secret. No salt and no stretching: 256 random bits cannot be guessed, and look-up needs equality."""
    return hashlib.sha256(secret.encode()).digest()


def same_fingerprint(left: bytes, right: bytes) -> bool:
    """Equality that takes the same time wherever the two differ."""
    return hmac.compare_digest(left, right)
