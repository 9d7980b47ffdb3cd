"""All SQL of the evidence log. Hot statements run over arrays: one statement per step, whatever the number of leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence.model import Fact

LEAVES_PER_STATEMENT = 2_000  # what unnest holds stays within work_mem (4 MB); an append may have any number of leaves

# The head grows with its leaves, in one round trip.
_INSERT_LEAVES = """
WITH grown AS (
    UPDATE evidence_log SET size = :size, frontier = :frontier, updated_at = :now WHERE tenant_id = :tenant
)
INSERT INTO evidence_leaf (tenant_id, position, id, kind, subject_id, recorded_at, body, leaf_hash)
SELECT :tenant, cast(:first AS bigint) + l.nth - 1, l.id, l.kind, l.subject_id, :now, l.body, l.leaf_hash
FROM unnest(cast(:ids AS uuid[]), cast(:kinds AS text[]), cast(:subjects AS uuid[]), cast(:bodies AS bytea[]),
            cast(:hashes AS bytea[])) WITH ORDINALITY AS l(id, kind, subject_id, body, leaf_hash, nth)
"""

_INSERT_TILES = """
INSERT INTO evidence_tile (tenant_id, level, tile_index, hashes, root)
SELECT :tenant, t.level, t.tile_index, t.hashes, t.root
FROM unnest(cast(:levels AS smallint[]), cast(:indexes AS bigint[]), cast(:hashes AS bytea[]), cast(:roots AS bytea[]))
     AS t(level, tile_index, hashes, root)
"""

_SELECT_TILES = """
SELECT t.level, t.tile_index, t.hashes
FROM unnest(cast(:levels AS smallint[]), cast(:indexes AS bigint[])) AS wanted(level, tile_index)
JOIN evidence_tile t ON t.tenant_id = :tenant AND t.level = wanted.level AND t.tile_index = wanted.tile_index
"""

_FACT = "SELECT id, position, kind, subject_id, recorded_at, body FROM evidence_leaf"


@dataclass(frozen=True, slots=True)
class Head:
    """The log's head: its name, its size and its packed right edge."""

    origin: str
    size: int
    frontier: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """The log's newest key, still sealed."""

    key_id: bytes
    public_key: bytes
    private_key_sealed: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    size: int
    root: bytes
    note: str


async def head(read: ReadSession) -> Head | None:
    """The head as last committed."""
    return _head(await read.row("SELECT origin, size, frontier FROM evidence_log WHERE tenant_id = :tenant"))


async def lock_head(uow: UnitOfWork) -> Head | None:
    """The head, locked until the end of the transaction: appends of one tenant queue up here."""
    return _head(await uow.row("SELECT origin, size, frontier FROM evidence_log WHERE tenant_id = :tenant FOR UPDATE"))


async def create_head(uow: UnitOfWork, origin: str) -> bool:
    """Open the tenant's log; False when another transaction has opened it meanwhile (this one waits for its end)."""
    added = await uow.execute(
        "INSERT INTO evidence_log (tenant_id, origin, size, frontier, updated_at) VALUES (:tenant, :origin, 0, '', :now) "
        "ON CONFLICT (tenant_id) DO NOTHING",
        origin=origin,
        now=uow.now,
    )
    return added == 1


async def insert_leaves(
    uow: UnitOfWork,
    first_position: int,
    ids: Sequence[UUID],
    kinds: Sequence[str],
    subject_ids: Sequence[UUID],
    bodies: Sequence[bytes],
    hashes: Sequence[bytes],
    size: int,
    frontier: bytes,
) -> None:
    """Write leaves at consecutive positions and the head as it stands after them. All sequences have the same length."""
    for at in range(0, len(ids), LEAVES_PER_STATEMENT):
        part = slice(at, at + LEAVES_PER_STATEMENT)
        await uow.execute(
            _INSERT_LEAVES,
            size=size,
            frontier=frontier,
            first=first_position + at,
            now=uow.now,
            ids=ids[part],
            kinds=kinds[part],
            subjects=subject_ids[part],
            bodies=bodies[part],
            hashes=hashes[part],
        )


async def insert_tiles(
    uow: UnitOfWork, levels: Sequence[int], indexes: Sequence[int], hashes: Sequence[bytes], roots: Sequence[bytes]
) -> None:
    """Write full tiles. All sequences have the same length."""
    await uow.execute(_INSERT_TILES, levels=levels, indexes=indexes, hashes=hashes, roots=roots)


async def entries(read: ReadSession, level: int, first: int, last: int) -> list[bytes]:
    """The entries [first, last) of a tile level where it has no full tile: hashes of leaves, or roots of the tiles below."""
    if level == 0:
        rows = await read.rows(
            "SELECT leaf_hash FROM evidence_leaf"
            " WHERE tenant_id = :tenant AND position >= :first AND position < :last ORDER BY position",
            first=first,
            last=last,
        )
    else:
        rows = await read.rows(
            "SELECT root FROM evidence_tile"
            " WHERE tenant_id = :tenant AND level = :level AND tile_index >= :first AND tile_index < :last ORDER BY tile_index",
            level=level - 1,
            first=first,
            last=last,
        )
    return [row[0] for row in rows]


async def tiles(read: ReadSession, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The hashes of full tiles by (level, index); one that does not exist is missing."""
    rows = await read.rows(_SELECT_TILES, levels=[level for level, _ in places], indexes=[index for _, index in places])
    return {(row.level, row.tile_index): row.hashes for row in rows}


async def fact(read: ReadSession, leaf_id: UUID) -> Fact | None:
    row = await read.row(f"{_FACT} WHERE tenant_id = :tenant AND id = :id", id=leaf_id)
    return None if row is None else _fact(row)


async def facts_of(read: ReadSession, subject_id: UUID, after_position: int, limit: int) -> list[Fact]:
    rows = await read.rows(
        f"{_FACT} WHERE tenant_id = :tenant AND subject_id = :subject AND position > :after ORDER BY position LIMIT :limit",
        subject=subject_id,
        after=after_position,
        limit=limit,
    )
    return [_fact(row) for row in rows]


async def newest_checkpoint(read: ReadSession) -> StoredCheckpoint | None:
    row = await read.row("SELECT size, root, note FROM evidence_checkpoint WHERE tenant_id = :tenant ORDER BY size DESC LIMIT 1")
    return None if row is None else StoredCheckpoint(row.size, row.root, row.note)


async def checkpoint_at(read: ReadSession, size: int) -> StoredCheckpoint | None:
    """The checkpoint of exactly this size, when one was signed."""
    row = await read.row("SELECT size, root, note FROM evidence_checkpoint WHERE tenant_id = :tenant AND size = :size", size=size)
    return None if row is None else StoredCheckpoint(row.size, row.root, row.note)


async def insert_checkpoint(uow: UnitOfWork, checkpoint: StoredCheckpoint) -> None:
    """Keep a checkpoint. Two signers of one size write the same note (Ed25519 is deterministic), so the second adds nothing."""
    await uow.execute(
        "INSERT INTO evidence_checkpoint (tenant_id, size, root, note, signed_at) VALUES (:tenant, :size, :root, :note, :now) "
        "ON CONFLICT (tenant_id, size) DO NOTHING",
        size=checkpoint.size,
        root=checkpoint.root,
        note=checkpoint.note,
        now=uow.now,
    )


async def newest_signer(read: ReadSession) -> Signer | None:
    row = await read.row(
        "SELECT key_id, public_key, private_key_sealed FROM evidence_signer"
        " WHERE tenant_id = :tenant ORDER BY created_at DESC LIMIT 1"
    )
    return None if row is None else Signer(row.key_id, row.public_key, row.private_key_sealed)


async def insert_signer(uow: UnitOfWork, signer: Signer) -> None:
    await uow.execute(
        "INSERT INTO evidence_signer (tenant_id, key_id, public_key, private_key_sealed, created_at) "
        "VALUES (:tenant, :key_id, :public_key, :sealed, :now)",
        key_id=signer.key_id,
        public_key=signer.public_key,
        sealed=signer.private_key_sealed,
        now=uow.now,
    )


def _head(row: Row | None) -> Head | None:
    return None if row is None else Head(row.origin, row.size, row.frontier)


def _fact(row: Row) -> Fact:
    return Fact(row.id, row.position, row.kind, row.subject_id, row.recorded_at, row.body.decode())
