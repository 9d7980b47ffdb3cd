"""The front door of the evidence log for other modules.

    evidence.append(uow, [Leaf("agreements.agreement.accepted", agreement_id, {"document_sha256": digest})])

``append`` needs no await: the leaves are written at the end of the transaction that holds the change.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from uuid import UUID

from xinzu.platform.uow import ReadSession
from xinzu.records.evidence import store
from xinzu.records.evidence.commands import append, checkpoint, prove, prove_consistency, sign_checkpoint, vkey
from xinzu.records.evidence.model import Fact, Leaf, SignedCheckpoint
from xinzu.records.evidence.rules.canonical import JSON, SALT_BYTES, NotCanonical, salted_digest
from xinzu.records.evidence.rules.notes import Checkpoint, parse_vkey
from xinzu.records.evidence.rules.proofs import ConsistencyProof, Proof, consistency_document, proof_document
from xinzu.records.evidence.verify import NotProven, check_inclusion

__all__ = [
    "JSON",
    "Checkpoint",
    "ConsistencyProof",
    "Fact",
    "Leaf",
    "NotCanonical",
    "NotProven",
    "Proof",
    "SignedCheckpoint",
    "append",
    "checkpoint",
    "consistency_document",
    "facts_of",
    "new_salt",
    "proof_document",
    "prove",
    "prove_consistency",
    "salted_digest",
    "sign_checkpoint",
    "verify",
    "vkey",
]

FACTS_MAX = 1_000


async def facts_of(read: ReadSession, subject_id: UUID, *, after_position: int = -1, limit: int = FACTS_MAX) -> Sequence[Fact]:
    """What was recorded about a subject, oldest first; ``after_position`` is the last position seen, for the next page."""
    return await store.facts_of(read, subject_id, after_position, limit)


def verify(proof: Proof, verifier_key: str) -> Checkpoint:
    """The tree head a proof is true under, with nothing but the key; raises NotProven, or NoteMalformed (both ValueError)."""
    return check_inclusion(proof, parse_vkey(verifier_key))


def new_salt() -> bytes:
    """A salt for one personal value. Keep it sealed beside the value: deleting both erases the person from the evidence."""
    return os.urandom(SALT_BYTES)
