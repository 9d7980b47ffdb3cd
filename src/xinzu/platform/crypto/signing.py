"""Ed25519 for what we sign ourselves and RSA2 (SHA256withRSA, PKCS#1 v1.5) for Alipay. Loaded keys are cached: parsing costs
more than signing."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

RSA_BITS_DEFAULT = 2048
_RAW = serialization.Encoding.Raw
_PEM = serialization.Encoding.PEM
_KEYS_CACHED = 256


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair as PEM text: PKCS#8 without a password, and SubjectPublicKeyInfo."""

    private_pem: str = field(repr=False)
    public_pem: str


class KeyUnusable(ValueError):
    """A key text that is not the kind of key it should be. The message never repeats key material."""


# --- Ed25519 -----------------------------------------------------------------------------------------------------------


def new_ed25519_seed() -> bytes:
    """A fresh private key as its 32-byte seed: the form that gets wrapped by the KMS."""
    return Ed25519PrivateKey.generate().private_bytes(_RAW, serialization.PrivateFormat.Raw, serialization.NoEncryption())


def ed25519_public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a seed."""
    return _ed25519_private(seed).public_key().public_bytes(_RAW, serialization.PublicFormat.Raw)


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature of a message (RFC 8032)."""
    return _ed25519_private(seed).sign(message)


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is this key's; a malformed signature is simply false. Raises KeyUnusable for a bad key."""
    try:
        _ed25519_public(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(_KEYS_CACHED)
def _ed25519_private(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != 32:
        raise KeyUnusable("an Ed25519 seed has 32 bytes")
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(4096)  # one per device is common
def _ed25519_public(public_key: bytes) -> Ed25519PublicKey:
    if len(public_key) != 32:
        raise KeyUnusable("an Ed25519 public key has 32 bytes")
    return Ed25519PublicKey.from_public_bytes(public_key)


# --- RSA2 --------------------------------------------------------------------------------------------------------------


def new_rsa_keys(bits: int = RSA_BITS_DEFAULT) -> KeyPair:
    """A fresh RSA key pair."""
    key = generate_private_key(public_exponent=65537, key_size=bits)
    private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return KeyPair(
        private.decode(), key.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    )


def rsa2_sign(private_pem: str, message: bytes) -> str:
    """The base64 RSA2 signature. Takes PEM, or the bare base64 that Alipay's key tool writes (PKCS#1 or PKCS#8)."""
    return base64.b64encode(_rsa_private(private_pem).sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def rsa2_verify(public_pem: str, message: bytes, signature: str) -> bool:
    """Whether the base64 signature is this key's; a malformed signature is simply false. Raises KeyUnusable for a bad key."""
    key = _rsa_public(public_pem)
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


@lru_cache(_KEYS_CACHED)
def _rsa_private(text: str) -> RSAPrivateKey:
    for pem in _as_pem(text, "PRIVATE KEY", "RSA PRIVATE KEY"):
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            continue
        if isinstance(key, RSAPrivateKey):
            return key
    raise KeyUnusable("not an RSA private key: give PEM, or the base64 of its PKCS#8 or PKCS#1 form")


@lru_cache(_KEYS_CACHED)
def _rsa_public(text: str) -> RSAPublicKey:
    for pem in _as_pem(text, "PUBLIC KEY", "RSA PUBLIC KEY"):
        try:
            key = serialization.load_pem_public_key(pem)
        except ValueError:
            continue
        if isinstance(key, RSAPublicKey):
            return key
    raise KeyUnusable("not an RSA public key: give PEM, or the base64 of its DER form")


def _as_pem(text: str, *labels: str) -> list[bytes]:
    """The text itself when it is PEM, else its base64 dressed as each kind of PEM it may be."""
    if "-----BEGIN" in text:
        return [text.encode()]
    body = re.sub(r"\s", "", text)
    return [f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode() for label in labels]
