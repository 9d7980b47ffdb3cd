"""The key management interface and its file driver: master keys wrap tenants' data keys and never leave the driver.

A driver for PKCS#11 or a cloud KMS implements the same two methods; data keys are cached by ``vault``, so a slow KMS is asked
once per tenant and process.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from xinzu.kernel.errors import InvariantBroken

KEYRING_FILE = "keyring.json"
_FORMAT = 1
_BLOB_VERSION = b"\x01"
_NONCE_BYTES = 12
_HEAD_BYTES = 1 + 4 + _NONCE_BYTES


class KeyringBroken(InvariantBroken):
    """The keyring cannot be trusted or cannot open a blob: wrong mode, damaged file, missing key version, wrong context."""


class Kms(Protocol):
    """Wraps data keys under a master key. ``context`` (such as ``tenant:<number>:data:1``) is bound in and asked for again."""

    def wrap(self, data_key: bytes, context: str) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: str) -> bytes: ...


class FileKeyring:
    """Master keys in one JSON file that only its owner may read (mode 0600); for one machine and for development.

    A wrapped blob is ``01 | key version u32 | nonce 12 | AES-256-GCM`` with the context as associated data. Rotation adds a
    version; older blobs stay readable and are re-wrapped at leisure, no sealed field is rewritten. A process that meets a
    version it does not know reads the file again, so a rotation needs no restart.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._keys: dict[int, AESGCM] = {}
        self._current = 0
        self._load()

    @classmethod
    def open_or_create(cls, path: Path) -> FileKeyring:
        """The keyring at ``path``, made with a first random key when there is none. Safe when two processes start at once."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with _exclusive(path):
                if not path.exists():
                    _write(path, {1: os.urandom(32)})
        return cls(path)

    @property
    def current_version(self) -> int:
        """The version new blobs are wrapped under."""
        return self._current

    def wrap(self, data_key: bytes, context: str) -> bytes:
        """The data key under the current master key. The context is authenticated, not hidden."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, data_key, context.encode())
        return _BLOB_VERSION + self._current.to_bytes(4, "big") + nonce + sealed

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """The data key inside a blob; raises KeyringBroken for a damaged blob, an unknown key version or another context."""
        if len(wrapped) < _HEAD_BYTES + 16 or wrapped[:1] != _BLOB_VERSION:
            raise KeyringBroken("not a wrapped key of a format this release knows")
        version = int.from_bytes(wrapped[1:5], "big")
        if version not in self._keys:
            self._load()
        if version not in self._keys:
            raise KeyringBroken(f"the keyring {self._path} has no key version {version}: restore the keyring that wrapped it")
        try:
            return self._keys[version].decrypt(wrapped[5:_HEAD_BYTES], wrapped[_HEAD_BYTES:], context.encode())
        except InvalidTag:
            raise KeyringBroken(f"the wrapped key does not belong to context {context!r} or was altered") from None

    def rotate(self) -> int:
        """Add a master key version and make it current; returns its number. Re-wrap tenants' keys afterwards."""
        with _exclusive(self._path):
            keys = _read(self._path)
            version = max(keys) + 1
            _write(self._path, {**keys, version: os.urandom(32)})
        self._load()
        return version

    def _load(self) -> None:
        keys = _read(self._path)
        with self._lock:
            self._keys = {version: AESGCM(key) for version, key in keys.items()}
            self._current = max(keys)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """One writer of the keyring at a time, across processes. The lock file holds nothing and stays."""
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> dict[int, bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyringBroken(f"{path} may be read by others (mode {mode:04o}): run chmod 600 on it")
        raw = file.read()
    try:
        document = json.loads(raw)
        if document["format"] != _FORMAT:
            raise KeyringBroken(f"{path} has keyring format {document['format']}, this release reads {_FORMAT}")
        keys = {int(version): base64.b64decode(key, validate=True) for version, key in document["keys"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise KeyringBroken(f"{path} is not a keyring: restore it from its backup") from None
    if not keys or any(len(key) != 32 for key in keys.values()):
        raise KeyringBroken(f"{path} has no usable key: restore it from its backup")
    return keys


def _write(path: Path, keys: dict[int, bytes]) -> None:
    """Replace the file in one step, durable before it is used: losing a master key loses every sealed field."""
    document = {"format": _FORMAT, "keys": {str(version): base64.b64encode(key).decode() for version, key in keys.items()}}
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
