"""Evidence as it goes over HTTP."""

from __future__ import annotations

import base64
from typing import Literal

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.records.evidence.model import Fact, SignedCheckpoint


class LeafView(msgspec.Struct, kw_only=True):
    """One recorded fact. ``body`` is the canonical JSON exactly as it was hashed; ``position`` its place in the log, from 0."""

    id: str
    position: int
    kind: str
    recorded_at: Instant
    body: str


class LeafPage(msgspec.Struct, kw_only=True):
    """Facts in the order they were recorded."""

    items: list[LeafView]
    next_cursor: str | None


class ProofView(msgspec.Struct, kw_only=True):
    """A proof document: keep it as a file and check it with ``python -m xinzu.records.evidence.verify``. Hashes are base64."""

    type: Literal["xinzu.evidence.inclusion.v1"]
    body: str
    position: int
    path: list[str]
    checkpoint: str


class ConsistencyView(msgspec.Struct, kw_only=True):
    """A proof document that the log only grew. A checkpoint is null when the log signed none of exactly that size."""

    type: Literal["xinzu.evidence.consistency.v1"]
    older_size: int
    newer_size: int
    path: list[str]
    older_checkpoint: str | None
    newer_checkpoint: str | None


class CheckpointView(msgspec.Struct, kw_only=True):
    """The signed head of the log. ``note`` is a C2SP signed note, ``vkey`` checks it; get the key by a second way to trust it."""

    origin: str
    size: int
    root: str
    note: str
    vkey: str


def leaf_view(fact: Fact) -> LeafView:
    return LeafView(
        id=public_id(Prefix.LEAF, fact.id),
        position=fact.position,
        kind=fact.kind,
        recorded_at=fact.recorded_at,
        body=fact.body,
    )


def checkpoint_view(signed: SignedCheckpoint) -> CheckpointView:
    return CheckpointView(
        origin=signed.origin, size=signed.size, root=base64.b64encode(signed.root).decode(), note=signed.note, vkey=signed.vkey
    )
