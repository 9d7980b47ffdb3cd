"""Proof documents: what is handed to a court or a customer, and what ``xinzu.records.evidence.verify`` checks for a stranger.

A document carries everything but the trust: the verifier key has to reach the checker by another way. Hashes are base64,
``body`` is the leaf's text exactly as it was hashed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xinzu.records.evidence.rules.merkle import HASH_BYTES, leaf_hash, verify_consistency, verify_inclusion
from xinzu.records.evidence.rules.notes import Checkpoint

INCLUSION_TYPE = "xinzu.evidence.inclusion.v1"
CONSISTENCY_TYPE = "xinzu.evidence.consistency.v1"


class ProofMalformed(ValueError):
    """Not a proof document of a kind this release knows."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One leaf is in the log: its body and position, the path to the root, and the signed checkpoint with that root."""

    body: str
    position: int
    path: tuple[bytes, ...]
    checkpoint: str

    def proves(self, checkpoint: Checkpoint) -> bool:
        """Whether the path leads to this tree head. The head itself must have been verified."""
        return verify_inclusion(leaf_hash(self.body.encode()), self.position, checkpoint.size, self.path, checkpoint.root)


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """The log only grew between two sizes. A checkpoint is given when the log keeps one of exactly that size.

    The older checkpoint a checker holds himself is worth more than the one we send.
    """

    older_size: int
    newer_size: int
    path: tuple[bytes, ...]
    older_checkpoint: str | None
    newer_checkpoint: str | None

    def proves(self, older: Checkpoint, newer: Checkpoint) -> bool:
        """Whether the newer tree begins with the older one. Both heads must have been verified."""
        return (older.size, newer.size) == (self.older_size, self.newer_size) and verify_consistency(
            older.size, newer.size, older.root, newer.root, self.path
        )


def proof_document(proof: Proof) -> dict[str, Any]:
    """An inclusion proof as JSON members."""
    return {
        "type": INCLUSION_TYPE,
        "body": proof.body,
        "position": proof.position,
        "path": [base64.b64encode(step).decode() for step in proof.path],
        "checkpoint": proof.checkpoint,
    }


def consistency_document(proof: ConsistencyProof) -> dict[str, Any]:
    """A consistency proof as JSON members."""
    return {
        "type": CONSISTENCY_TYPE,
        "older_size": proof.older_size,
        "newer_size": proof.newer_size,
        "path": [base64.b64encode(step).decode() for step in proof.path],
        "older_checkpoint": proof.older_checkpoint,
        "newer_checkpoint": proof.newer_checkpoint,
    }


def parse_proof(text: str) -> Proof | ConsistencyProof:
    """The proof of a JSON document; raises ProofMalformed when a member is missing or of the wrong kind."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ProofMalformed("the document is not JSON") from None
    if not isinstance(document, dict):
        raise ProofMalformed("the document is not a JSON object")
    if document.get("type") == INCLUSION_TYPE:
        return Proof(_text(document, "body"), _count(document, "position"), _path(document), _text(document, "checkpoint"))
    if document.get("type") == CONSISTENCY_TYPE:
        return ConsistencyProof(
            _count(document, "older_size"),
            _count(document, "newer_size"),
            _path(document),
            None if document.get("older_checkpoint") is None else _text(document, "older_checkpoint"),
            None if document.get("newer_checkpoint") is None else _text(document, "newer_checkpoint"),
        )
    raise ProofMalformed(f"type must be {INCLUSION_TYPE} or {CONSISTENCY_TYPE}")


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not _is_unicode(value):
        raise ProofMalformed(f"{name} must be text")
    return value


def _is_unicode(text: str) -> bool:
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def _count(document: Mapping[str, object], name: str) -> int:
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ProofMalformed(f"{name} must be a count")
    return value


def _path(document: Mapping[str, object]) -> tuple[bytes, ...]:
    steps = document.get("path")
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        raise ProofMalformed("path must be a list")
    try:
        path = tuple(base64.b64decode(step, validate=True) for step in steps)
    except (TypeError, ValueError, binascii.Error):
        raise ProofMalformed("path must hold base64 hashes") from None
    if any(len(step) != HASH_BYTES for step in path):
        raise ProofMalformed(f"path must hold hashes of {HASH_BYTES} bytes")
    return path
