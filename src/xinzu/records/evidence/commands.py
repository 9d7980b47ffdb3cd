"""Use cases of the evidence log: append, sign, prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from xinzu.kernel.errors import invariant
from xinzu.kernel.ids import new_ids
from xinzu.kernel.time import Instant, as_utc
from xinzu.platform import attesting
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import store
from xinzu.records.evidence.errors import LeafUnknown, LogEmpty, SizeOutOfRange
from xinzu.records.evidence.model import KIND_FORM, Leaf, SignedCheckpoint
from xinzu.records.evidence.rules.canonical import NotCanonical, check_canonical
from xinzu.records.evidence.rules.merkle import (
    Frontier,
    consistency_path,
    consistency_ranges,
    inclusion_path,
    inclusion_ranges,
    leaf_hashes,
    nodes_of_ranges,
    verify_consistency,
)
from xinzu.records.evidence.rules.notes import Checkpoint, VerifierKey, write_vkey
from xinzu.records.evidence.rules.proofs import ConsistencyProof, Proof
from xinzu.records.evidence.rules.tiles import TileHashes, complete_tiles, edges_to_complete, reading_for
from xinzu.records.evidence.signing import new_signer, sign_head

LEAF_VERSION = 1
_LAST_STEP = "evidence.append"
# Same bytes as rules.canonical.canonical_json (a property test holds them together), ten times faster.
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class _Pending:
    """The leaves of one transaction, column by column, until its end."""

    ids: list[UUID] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    subject_ids: list[UUID] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    written: bool = False


def append(uow: UnitOfWork, leaves: Sequence[Leaf]) -> list[UUID]:
    """Record facts with the change they tell of; returns the leaf ids in order.

    The bodies are fixed here; they get their positions at the end of the transaction, all leaves of it together, because from
    there on the log's head is locked. Raises NotCanonical for facts that cannot be written in exactly one way; then none of
    these leaves is recorded.
    """
    at, actor, tenant_id = _spelled(uow.now), str(uow.actor), uow.tenant_id
    ids, bodies = new_ids(len(leaves)), []
    for leaf_id, leaf in zip(ids, leaves, strict=True):
        facts = leaf.facts if type(leaf.facts) is dict else dict(leaf.facts)
        check_canonical(facts)
        kind = _checked_kind(leaf.kind)
        bodies.append(leaf_body(leaf_id, kind, leaf.subject_id, facts, at=at, actor=actor, tenant_id=tenant_id))
    pending = uow.before_commit(_LAST_STEP, _Pending, _write)
    invariant(not pending.written, "evidence was appended by a last step of the transaction, after the log was written")
    pending.ids += ids
    pending.kinds += [leaf.kind for leaf in leaves]
    pending.subject_ids += [leaf.subject_id for leaf in leaves]
    pending.bodies += bodies
    return ids


def _keep(uow: UnitOfWork, kind: str, subject_id: UUID, facts: Mapping[str, Any]) -> None:
    append(uow, [Leaf(kind, subject_id, facts)])


attesting.kept_by(_keep)


def leaf_body(
    leaf_id: UUID, kind: str, subject_id: UUID, facts: Mapping[str, object], *, at: str, actor: str, tenant_id: int
) -> bytes:
    """The canonical JSON of a leaf: what is hashed, stored and shown to a court."""
    members = {
        "actor": actor,
        "at": at,
        "facts": facts,
        "id": str(leaf_id),
        "kind": kind,
        "subject": str(subject_id),
        "tenant": tenant_id,
        "v": LEAF_VERSION,
    }
    try:
        return _encode(members)
    except UnicodeEncodeError:
        raise NotCanonical("a text holds half a surrogate pair: it is not Unicode text") from None


@lru_cache(1024)
def _checked_kind(kind: str) -> str:
    if not KIND_FORM.fullmatch(kind):
        raise NotCanonical(f"a kind reads module.noun.past_verb, got {kind[:60]!r}")
    return kind


def _spelled(at: Instant) -> str:
    return as_utc(at).isoformat(timespec="microseconds").replace("+00:00", "Z")


async def _write(uow: UnitOfWork, pending: _Pending) -> None:
    """The last step of the transaction: lock the head, grow the tree, write leaves, full tiles and the new head."""
    pending.written = True
    if not pending.ids:
        return
    head = await _locked_head(uow)
    before = Frontier.unpack(head.size, head.frontier)
    hashes = leaf_hashes(pending.bodies)
    growth = before.append(hashes)
    after = growth.frontier
    edges = {
        edge.level: await store.entries(uow, edge.level, edge.first, edge.last)
        for edge in edges_to_complete(before.size, after.size)
    }
    await store.insert_leaves(
        uow, before.size, pending.ids, pending.kinds, pending.subject_ids, pending.bodies, hashes, after.size, after.pack()
    )
    if tiles := complete_tiles(growth, edges):
        await store.insert_tiles(
            uow,
            [tile.level for tile in tiles],
            [tile.index for tile in tiles],
            [tile.hashes for tile in tiles],
            [tile.root for tile in tiles],
        )


async def _locked_head(uow: UnitOfWork) -> store.Head:
    """The locked head; a tenant's first append opens its log and makes its key."""
    head = await store.lock_head(uow)
    if head is None:
        origin, signer = new_signer(uow)
        if await store.create_head(uow, origin):
            await store.insert_signer(uow, signer)
        head = await store.lock_head(uow)
    invariant(head is not None, "the head of the evidence log stands after it was created")
    assert head is not None
    return head


async def sign_checkpoint(uow: UnitOfWork) -> SignedCheckpoint | None:
    """Sign and keep the committed head when the log grew since the last checkpoint; None when it did not.

    Before signing, the stored tree is proven to continue the last checkpoint: a log must never sign two histories. If it does
    not, the database was altered behind our back and InvariantBroken raises the alarm.
    """
    head, last = await store.head(uow), await store.newest_checkpoint(uow)
    if head is None or head.size == (last.size if last else 0):
        return None
    signed = sign_head(uow, head, await _signer(uow))
    if last is not None:
        hashes = await _hashes_of(uow, consistency_ranges(last.size, signed.size), signed.size)
        path = consistency_path(last.size, signed.size, hashes.fetch)
        invariant(
            verify_consistency(last.size, signed.size, last.root, signed.root, path),
            f"the evidence log of tenant {uow.tenant_id} at size {signed.size} does not continue its checkpoint at {last.size}",
        )
    await store.insert_checkpoint(uow, store.StoredCheckpoint(signed.size, signed.root, signed.note))
    return signed


async def checkpoint(read: ReadSession) -> SignedCheckpoint:
    """The newest checkpoint: the kept one when it covers the whole log, else the head signed now. Raises LogEmpty."""
    head = await store.head(read)
    if head is None or head.size == 0:
        raise LogEmpty
    return sign_head(read, head, await _signer(read))


async def prove(read: ReadSession, leaf_id: UUID) -> Proof:
    """The proof that a leaf is in the log, to the newest kept checkpoint that covers it or else to the head.

    Raises LeafUnknown. A proof that does not verify is never handed out: InvariantBroken says the stored log was altered.
    """
    fact = await store.fact(read, leaf_id)
    if fact is None:
        raise LeafUnknown
    kept = await store.newest_checkpoint(read)
    if kept is not None and kept.size > fact.position:
        size, root, note = kept.size, kept.root, kept.note
    else:
        signed = await checkpoint(read)
        size, root, note = signed.size, signed.root, signed.note
    hashes = await _hashes_of(read, inclusion_ranges(fact.position, size), size)
    proof = Proof(fact.body, fact.position, tuple(inclusion_path(fact.position, size, hashes.fetch)), note)
    invariant(
        proof.proves(Checkpoint("", size, root)),
        f"leaf {fact.position} of the evidence log of tenant {read.tenant_id} does not verify at size {size}",
    )
    return proof


async def prove_consistency(read: ReadSession, older_size: int, newer_size: int | None = None) -> ConsistencyProof:
    """The proof that the log only grew from one size to the other (default: to its head). Raises LogEmpty, SizeOutOfRange."""
    head = await checkpoint(read)
    newer = head.size if newer_size is None else newer_size
    if not 0 < older_size <= newer <= head.size:
        raise SizeOutOfRange(
            f"请给出 1 至 {head.size} 之间、先小后大的两个长度",
            f"Give two sizes from 1 to {head.size}, the older one first",
            log_size=head.size,
        )
    hashes = await _hashes_of(read, consistency_ranges(older_size, newer), head.size)
    path = tuple(consistency_path(older_size, newer, hashes.fetch))
    return ConsistencyProof(older_size, newer, path, await _note_at(read, older_size, head), await _note_at(read, newer, head))


async def vkey(read: ReadSession) -> str:
    """The verifier key of the tenant's log, to be given to checkers by another way than the proofs. Raises LogEmpty."""
    head = await store.head(read)
    if head is None:
        raise LogEmpty
    return write_vkey(VerifierKey(head.origin, (await _signer(read)).public_key))


async def _hashes_of(read: ReadSession, ranges: Sequence[tuple[int, int]], size: int) -> TileHashes:
    """The hashes that make up these ranges, in a log of at least ``size``. One query for tiles, one per unfinished edge."""
    reading = reading_for(nodes_of_ranges(ranges), size)
    entries = await store.tiles(read, reading.tiles) if reading.tiles else {}
    for edge in reading.edges:
        entries[edge.tile] = b"".join(await store.entries(read, edge.level, edge.first, edge.last))
    return TileHashes(entries)


async def _note_at(read: ReadSession, size: int, head: SignedCheckpoint) -> str | None:
    if size == head.size:
        return head.note
    kept = await store.checkpoint_at(read, size)
    return None if kept is None else kept.note


async def _signer(read: ReadSession) -> store.Signer:
    signer = await store.newest_signer(read)
    if signer is None:
        raise LogEmpty
    return signer
