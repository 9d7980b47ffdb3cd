"""Who may call the twins: Alipay apps with their public keys, and keys of the signed HTTP contract, in ``merchants.json``.

The file may be written before or while the sandbox runs (by ``register`` or by hand): an app or key that is not known makes the
registry look at the file again. The twins' own Alipay key pair stands beside it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from xinzu.platform.crypto.signing import KeyPair, new_rsa_keys

MERCHANTS_FILE = "merchants.json"
ALIPAY_KEYS_FILE = "alipay-keys.json"


@dataclass(frozen=True, slots=True)
class AlipayMerchant:
    """An app at the Alipay twin: whom the money goes to and the key its requests are verified with."""

    app_id: str
    seller_id: str
    public_key_pem: str


@dataclass(frozen=True, slots=True)
class SignedClient:
    """A client of the signed HTTP contract."""

    key_id: str
    secret: str = field(repr=False)


class Merchants:
    """The registry as the file has it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / MERCHANTS_FILE
        self._read_at = 0
        self._alipay: dict[str, AlipayMerchant] = {}
        self._signed: dict[str, SignedClient] = {}
        self._load()
        self.alipay_keys = alipay_keys(folder)

    def alipay(self, app_id: str) -> AlipayMerchant | None:
        """The app, or None when nobody registered it."""
        if app_id not in self._alipay:
            self._load()
        return self._alipay.get(app_id)

    def signed(self, key_id: str) -> SignedClient | None:
        """The client, or None when nobody registered it."""
        if key_id not in self._signed:
            self._load()
        return self._signed.get(key_id)

    def add(self, *, alipay: tuple[AlipayMerchant, ...] = (), signed: tuple[SignedClient, ...] = ()) -> None:
        """Register or replace, in the file and here."""
        register(self._folder, alipay=alipay, signed=signed)
        self._read_at = 0
        self._load()

    def _load(self) -> None:
        """Read the file when it changed since it was last read."""
        try:
            changed_at = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed_at == self._read_at:
            return
        document = json.loads(self._path.read_text())
        self._alipay = {entry["app_id"]: AlipayMerchant(**entry) for entry in document.get("alipay", [])}
        self._signed = {entry["key_id"]: SignedClient(**entry) for entry in document.get("signed", [])}
        self._read_at = changed_at


def register(folder: Path, *, alipay: tuple[AlipayMerchant, ...] = (), signed: tuple[SignedClient, ...] = ()) -> None:
    """Add merchants to the file of a sandbox folder, whether it runs or not. The same id again replaces."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MERCHANTS_FILE
    document = json.loads(path.read_text()) if path.exists() else {}
    apps = {entry["app_id"]: entry for entry in document.get("alipay", [])}
    keys = {entry["key_id"]: entry for entry in document.get("signed", [])}
    apps.update(
        {app.app_id: {"app_id": app.app_id, "seller_id": app.seller_id, "public_key_pem": app.public_key_pem} for app in alipay}
    )
    keys.update({client.key_id: {"key_id": client.key_id, "secret": client.secret} for client in signed})
    _write_private(path, json.dumps({"alipay": list(apps.values()), "signed": list(keys.values())}, indent=1))


def alipay_keys(folder: Path) -> KeyPair:
    """The Alipay twin's key pair of a sandbox folder, made when there is none: merchants need its public half."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ALIPAY_KEYS_FILE
    if not path.exists():
        pair = new_rsa_keys()
        _write_private(path, json.dumps({"private_pem": pair.private_pem, "public_pem": pair.public_pem}), replace=False)
    return KeyPair(**json.loads(path.read_text()))


def _write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write in one step with mode 0600. Without ``replace`` a file another process made meanwhile wins."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if replace:
        draft.replace(path)
        return
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
