"""SQL of the grey and black lists."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.screening.model import ListColour, ListedKind, ListEntry, ListReason
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_COLUMNS = "id, colour, kind, reason, source, expires_on, added_by, added_at, removed_by, removed_at, removal_reason"


async def insert(uow: UnitOfWork, entries: Sequence[tuple[ListEntry, str, Instant | None]]) -> None:
    """Entries with their keys and the instants at which they expire."""
    await uow.execute(
        "INSERT INTO screening_list_entry (tenant_id, id, colour, kind, key, reason, source, expires_on, expires_at, added_by, added_at)"
        " SELECT :tenant, e.id, e.colour, e.kind, e.key, e.reason, e.source, e.expires_on, e.expires_at, :by, :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:colours AS text[]), cast(:kinds AS text[]), cast(:keys AS text[]),"
        " cast(:reasons AS text[]), cast(:sources AS text[]), cast(:expire_on AS date[]), cast(:expire_at AS timestamptz[]))"
        " AS e(id, colour, kind, key, reason, source, expires_on, expires_at)",
        by=str(uow.actor),
        now=uow.now,
        ids=[entry.id for entry, _, _ in entries],
        colours=[entry.colour for entry, _, _ in entries],
        kinds=[entry.kind for entry, _, _ in entries],
        keys=[key for _, key, _ in entries],
        reasons=[entry.reason for entry, _, _ in entries],
        sources=[entry.source for entry, _, _ in entries],
        expire_on=[entry.expires_on for entry, _, _ in entries],
        expire_at=[expires_at for _, _, expires_at in entries],
    )


async def standing(read: ReadSession, colour: ListColour, kind: ListedKind, key: str, reason: ListReason) -> UUID | None:
    """The entry that says the same now."""
    found = await read.scalar(
        "SELECT id FROM screening_list_entry WHERE tenant_id = :tenant AND colour = :colour AND kind = :kind AND key = :key"
        " AND reason = :reason AND removed_at IS NULL AND (expires_at IS NULL OR expires_at > :now) LIMIT 1",
        colour=colour,
        kind=kind,
        key=key,
        reason=reason,
        now=read.now,
    )
    return found if isinstance(found, UUID) else None


async def entry(read: ReadSession, entry_id: UUID, *, lock: bool = False) -> ListEntry | None:
    row = await read.row(
        f"SELECT {_COLUMNS} FROM screening_list_entry WHERE tenant_id = :tenant AND id = :id{' FOR UPDATE' if lock else ''}",  # noqa: S608 (constants only)
        id=entry_id,
    )
    return None if row is None else _entry(row)


async def entries(read: ReadSession, colour: ListColour | None, before: UUID | None, limit: int) -> list[ListEntry]:
    """Newest first, removed and expired ones too."""
    rows = await read.rows(
        f"SELECT {_COLUMNS} FROM screening_list_entry WHERE tenant_id = :tenant"  # noqa: S608 (constants only)
        " AND (cast(:colour AS text) IS NULL OR colour = :colour) AND (cast(:before AS uuid) IS NULL OR id < :before)"
        " ORDER BY id DESC LIMIT :limit",
        colour=colour,
        before=before,
        limit=limit,
    )
    return [_entry(row) for row in rows]


async def remove(uow: UnitOfWork, entry_id: UUID, reason: str) -> None:
    await uow.execute(
        "UPDATE screening_list_entry SET removed_by = :by, removed_at = :now, removal_reason = :reason"
        " WHERE tenant_id = :tenant AND id = :id",
        by=str(uow.actor),
        now=uow.now,
        reason=reason,
        id=entry_id,
    )


def _entry(row: Row) -> ListEntry:
    return ListEntry(
        id=row.id,
        colour=ListColour(row.colour),
        kind=ListedKind(row.kind),
        reason=ListReason(row.reason),
        source=row.source,
        expires_on=row.expires_on,
        added_by=row.added_by,
        added_at=row.added_at,
        removed_by=row.removed_by,
        removed_at=row.removed_at,
        removal_reason=row.removal_reason,
    )
