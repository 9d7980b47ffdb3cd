"""The tenant's command keys, and checking a device's words. Keys are sealed with the tenant's vault and opened only to sign."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.devices import store
from xinzu.platform.crypto.signing import ed25519_public_key, ed25519_sign, ed25519_verify, new_ed25519_seed
from xinzu.platform.uow import ReadSession, UnitOfWork

PINNED_KEYS = 2


async def signers_of(uow: UnitOfWork) -> Sequence[store.Signer]:
    """The tenant's keys, made at first use: one that signs, and the next one, which devices pin before it is needed."""
    found = await store.signers(uow)
    if not found:
        made = []
        for number in range(1, PINNED_KEYS + 1):
            seed = new_ed25519_seed()
            made.append(store.Signer(number, ed25519_public_key(seed), uow.vault.seal(_place(number), seed)))
        await store.insert_signers(uow, made)
        found = await store.signers(uow)
    return found


def sign(read: ReadSession, signer: store.Signer, body: bytes) -> bytes:
    """The signature of a command's body."""
    return ed25519_sign(read.vault.open(_place(signer.number), signer.private_key_sealed), body)


def is_signed_by(public_key: bytes, body: bytes, signature: bytes) -> bool:
    """Whether a report carries its device's own signature."""
    return ed25519_verify(public_key, body, signature)


def _place(number: int) -> str:
    return f"devices_signer.private_key:{number}"
