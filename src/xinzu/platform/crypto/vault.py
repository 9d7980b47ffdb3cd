"""Sealed fields of one tenant: AES-256-GCM under the tenant's data key, and keyed blind indexes to find a row by its value.

A sealed field is bound to its tenant and its place (``table.column:row-uuid``), so a value copied to another row, column or
tenant does not open. Destroying a tenant's wrapped keys erases every sealed field of that tenant.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from xinzu.kernel.errors import InvariantBroken
from xinzu.platform.crypto.kms import Kms

_ENVELOPE_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = 1 + 4 + _NONCE_BYTES
_KEY_BYTES = 32
BLIND_BYTES = 16


class SealBroken(InvariantBroken):
    """A sealed field does not open here: another tenant's or another place's value, or it was altered."""


class DataKeyUnknown(SealBroken):
    """The field names a data key this vault was not loaded with: load the tenant's keys again, a rotation may have added it."""


@dataclass(frozen=True, slots=True)
class WrappedKeys:
    """One tenant's keys as they are stored: data keys by number (the highest seals, all open) and the blind index key."""

    data_keys: Mapping[int, bytes]
    blind_key: bytes


class TenantVault:
    """Seals and opens one tenant's fields. Holds clear keys: keep it in memory only, one per tenant and process.

    Nonces are random, which AES-GCM allows for 2**32 fields per data key: rotate the data key (``add_data_key``) well before.
    """

    __slots__ = ("_aad_head", "_blind_key", "_column_keys", "_current", "_data_keys", "tenant_id")

    def __init__(self, tenant_id: int, data_keys: Mapping[int, bytes], blind_key: bytes) -> None:
        if not data_keys:
            raise ValueError("a vault needs at least one data key")
        self.tenant_id = tenant_id
        self._aad_head = f"{tenant_id}|"
        self._data_keys = {number: AESGCM(key) for number, key in data_keys.items()}
        self._current = max(data_keys)
        self._blind_key = blind_key
        self._column_keys: dict[str, bytes] = {}

    def seal(self, context: str, plaintext: bytes) -> bytes:
        """``01 | data key u32 | nonce 12 | AES-256-GCM`` of the plaintext, bound to tenant and context; 33 bytes longer."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._data_keys[self._current].encrypt(nonce, plaintext, (self._aad_head + context).encode())
        return _ENVELOPE_VERSION + self._current.to_bytes(4, "big") + nonce + sealed

    def open(self, context: str, sealed: bytes) -> bytes:
        """The plaintext; raises SealBroken when tenant, context or content differ from what was sealed."""
        if len(sealed) < _HEAD_BYTES + _TAG_BYTES or sealed[:1] != _ENVELOPE_VERSION:
            raise SealBroken(f"{context}: not a sealed field of a format this release knows")
        number = int.from_bytes(sealed[1:5], "big")
        key = self._data_keys.get(number)
        if key is None:
            raise DataKeyUnknown(f"{context}: sealed under data key {number}, which this vault does not hold")
        try:
            return key.decrypt(sealed[5:_HEAD_BYTES], sealed[_HEAD_BYTES:], (self._aad_head + context).encode())
        except InvalidTag:
            raise SealBroken(f"{context}: the field belongs to another tenant or place, or was altered") from None

    def seal_text(self, context: str, text: str) -> bytes:
        """``seal`` for text."""
        return self.seal(context, text.encode())

    def open_text(self, context: str, sealed: bytes) -> str:
        """``open`` for text."""
        return self.open(context, sealed).decode()

    def is_current(self, sealed: bytes) -> bool:
        """Whether a field is sealed under the newest data key; a rotation job seals the others anew."""
        return sealed[1:5] == self._current.to_bytes(4, "big")

    def blind(self, column: str, normalized: str) -> bytes:
        """16 bytes by which equal values of one tenant's column are found. Normalise first: equality is byte equality.

        Keyed per tenant and column, because an unkeyed digest of an identity number or a phone is found by trying them all.
        """
        key = self._column_keys.get(column)
        if key is None:
            key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"xinzu.blind|{self.tenant_id}|{column}".encode()).derive(
                self._blind_key
            )
            self._column_keys[column] = key
        return hmac.digest(key, normalized.encode(), "sha256")[:BLIND_BYTES]


def new_tenant_keys(kms: Kms, tenant_id: int) -> WrappedKeys:
    """Fresh keys for a new tenant, wrapped for storage."""
    data_key = kms.wrap(os.urandom(_KEY_BYTES), _data_context(tenant_id, 1))
    return WrappedKeys({1: data_key}, kms.wrap(os.urandom(_KEY_BYTES), _blind_context(tenant_id)))


def load_vault(kms: Kms, tenant_id: int, wrapped: WrappedKeys) -> TenantVault:
    """The tenant's vault; raises the driver's error when the keys are another tenant's or the master key is missing."""
    data_keys = {number: kms.unwrap(blob, _data_context(tenant_id, number)) for number, blob in wrapped.data_keys.items()}
    return TenantVault(tenant_id, data_keys, kms.unwrap(wrapped.blind_key, _blind_context(tenant_id)))


def add_data_key(kms: Kms, tenant_id: int, wrapped: WrappedKeys) -> WrappedKeys:
    """Rotate a tenant's data key: a new highest number seals from now on, the older ones still open."""
    number = max(wrapped.data_keys) + 1
    blob = kms.wrap(os.urandom(_KEY_BYTES), _data_context(tenant_id, number))
    return WrappedKeys({**wrapped.data_keys, number: blob}, wrapped.blind_key)


def rewrap(kms: Kms, tenant_id: int, wrapped: WrappedKeys) -> WrappedKeys:
    """The same keys under the current master key, after the master key was rotated. No sealed field changes."""

    def again(blob: bytes, context: str) -> bytes:
        return kms.wrap(kms.unwrap(blob, context), context)

    data_keys = {number: again(blob, _data_context(tenant_id, number)) for number, blob in wrapped.data_keys.items()}
    return WrappedKeys(data_keys, again(wrapped.blind_key, _blind_context(tenant_id)))


def _data_context(tenant_id: int, number: int) -> str:
    return f"tenant:{tenant_id}:data:{number}"


def _blind_context(tenant_id: int) -> str:
    return f"tenant:{tenant_id}:blind"
