"""The log's key and its signature under a tree head. The key is sealed with the tenant's vault and opened only to sign."""

from __future__ import annotations

from hashlib import sha256

from xinzu.platform.crypto.signing import ed25519_public_key, ed25519_sign, new_ed25519_seed
from xinzu.platform.uow import ReadSession
from xinzu.records.evidence.model import SignedCheckpoint
from xinzu.records.evidence.rules.merkle import Frontier
from xinzu.records.evidence.rules.notes import Checkpoint, NoteSignature, VerifierKey, write_checkpoint, write_note, write_vkey
from xinzu.records.evidence.store import Head, Signer


def new_origin(tenant_id: int, public_key: bytes) -> str:
    """The log's name for ever: unique among all installations, because it is drawn from the log's first key.

    >>> new_origin(7, bytes(32))
    'xinzu.evidence/7/66687aadf862bd77'
    """
    return f"xinzu.evidence/{tenant_id}/{sha256(public_key).hexdigest()[:16]}"


def new_signer(read: ReadSession) -> tuple[str, Signer]:
    """A fresh key for a new log, sealed, and the origin that is named after it."""
    seed = new_ed25519_seed()
    public_key = ed25519_public_key(seed)
    origin = new_origin(read.tenant_id, public_key)
    key_id = VerifierKey(origin, public_key).key_id
    return origin, Signer(key_id, public_key, read.vault.seal(_context(key_id), seed))


def sign_head(read: ReadSession, head: Head, signer: Signer) -> SignedCheckpoint:
    """The signed checkpoint of a head. Ed25519 is deterministic: the same head always gives the same note, stored or not.

    The head must be committed, or a rollback would leave a signature under a tree that never was.
    """
    key = VerifierKey(head.origin, signer.public_key)
    root = Frontier.unpack(head.size, head.frontier).root()
    text = write_checkpoint(Checkpoint(head.origin, head.size, root))
    seed = read.vault.open(_context(signer.key_id), signer.private_key_sealed)
    note = write_note(text, [NoteSignature(head.origin, signer.key_id, ed25519_sign(seed, text.encode()))])
    return SignedCheckpoint(head.origin, head.size, root, note, write_vkey(key))


def _context(key_id: bytes) -> str:
    return f"evidence_signer.private_key:{key_id.hex()}"
