"""SQL of watch lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from xinzu.kernel.ids import new_ids
from xinzu.middle.screening.model import WatchEntry, WatchKind
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork


async def lists(read: ReadSession) -> Sequence[Row]:
    return await read.rows(
        "SELECT name, kind, version, entry_count, content_sha256, imported_by, imported_at FROM screening_watch_list"
        " WHERE tenant_id = :tenant ORDER BY name"
    )


async def version(read: ReadSession) -> int:
    """Grows with every import of any list; 0: there is none."""
    return int(await read.scalar("SELECT coalesce(sum(version), 0) FROM screening_watch_list WHERE tenant_id = :tenant") or 0)


async def replace(
    uow: UnitOfWork,
    name: str,
    kind: WatchKind,
    content_sha256: str,
    entries: Sequence[tuple[WatchEntry, str | None, set[str]]],
) -> int:
    """A list as it is published now in place of what it was: entries with their documents' keys and the keys they are found by. Gives its
    version."""
    await uow.execute(
        "DELETE FROM screening_watch_key WHERE tenant_id = :tenant AND entry_id IN"
        " (SELECT id FROM screening_watch_entry WHERE tenant_id = :tenant AND list_name = :name)",
        name=name,
    )
    await uow.execute("DELETE FROM screening_watch_entry WHERE tenant_id = :tenant AND list_name = :name", name=name)
    number = await uow.scalar(
        "INSERT INTO screening_watch_list AS w (tenant_id, name, kind, version, entry_count, content_sha256, imported_by, imported_at)"
        " VALUES (:tenant, :name, :kind, 1, :count, :sha256, :by, :now) ON CONFLICT (tenant_id, name) DO UPDATE"
        " SET kind = excluded.kind, version = w.version + 1, entry_count = excluded.entry_count,"
        " content_sha256 = excluded.content_sha256, imported_by = excluded.imported_by, imported_at = excluded.imported_at"
        " RETURNING version",
        name=name,
        kind=kind,
        count=len(entries),
        sha256=content_sha256,
        by=str(uow.actor),
        now=uow.now,
    )
    ids = new_ids(len(entries))
    await uow.execute(
        "INSERT INTO screening_watch_entry (tenant_id, id, list_name, reference, names, birth_on, document_key)"
        " SELECT :tenant, e.id, :name, e.reference, ARRAY(SELECT jsonb_array_elements_text(e.names)), e.birth_on, e.document_key"
        " FROM unnest(cast(:ids AS uuid[]), cast(:references AS text[]), cast(:names AS jsonb[]), cast(:births AS date[]),"
        " cast(:documents AS text[])) AS e(id, reference, names, birth_on, document_key)",
        name=name,
        ids=ids,
        references=[entry.reference for entry, _, _ in entries],
        names=[_json(entry.names) for entry, _, _ in entries],
        births=[entry.birth_on for entry, _, _ in entries],
        documents=[document for _, document, _ in entries],
    )
    keyed = [(key, entry_id) for entry_id, (_, _, keys) in zip(ids, entries, strict=True) for key in sorted(keys)]
    await uow.execute(
        "INSERT INTO screening_watch_key (tenant_id, key, entry_id)"
        " SELECT :tenant, k.key, k.entry_id FROM unnest(cast(:keys AS text[]), cast(:entries AS uuid[])) AS k(key, entry_id)",
        keys=[key for key, _ in keyed],
        entries=[entry_id for _, entry_id in keyed],
    )
    return int(number)


async def unscreened(read: ReadSession, party_ids: Sequence[UUID], at_version: int) -> list[UUID]:
    """Of these parties on file those not yet compared with the lists as they are now."""
    rows = await read.rows(
        "SELECT party_id FROM screening_party WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[]))"
        " AND watched_version < :version ORDER BY party_id",
        ids=list(party_ids),
        version=at_version,
    )
    return [row.party_id for row in rows]


async def candidates(read: ReadSession, keys: Mapping[UUID, set[str]]) -> dict[UUID, list[tuple[str, WatchEntry]]]:
    """Party → the entries it may be like, each with the name of its list. The documents of entries stand as their keys."""
    pairs = [(party_id, key) for party_id, found in keys.items() for key in sorted(found)]
    rows = await read.rows(
        "SELECT DISTINCT n.party_id, e.list_name, e.reference, e.names, e.birth_on, e.document_key"
        " FROM unnest(cast(:parties AS uuid[]), cast(:keys AS text[])) AS n(party_id, key)"
        " JOIN screening_watch_key k ON k.tenant_id = :tenant AND k.key = n.key"
        " JOIN screening_watch_entry e ON e.tenant_id = :tenant AND e.id = k.entry_id",
        parties=[party_id for party_id, _ in pairs],
        keys=[key for _, key in pairs],
    )
    found: dict[UUID, list[tuple[str, WatchEntry]]] = {}
    for row in rows:
        entry = WatchEntry(reference=row.reference, names=tuple(row.names), birth_on=row.birth_on, document_no=row.document_key)
        found.setdefault(row.party_id, []).append((row.list_name, entry))
    return found


async def mark_screened(uow: UnitOfWork, party_ids: Sequence[UUID], at_version: int) -> None:
    await uow.execute(
        "UPDATE screening_party SET watched_version = :version WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[]))",
        version=at_version,
        ids=list(party_ids),
    )


def _json(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()


async def next_unscreened(read: ReadSession, limit: int) -> list[UUID]:
    """Parties on file not yet compared with the lists as they are now."""
    rows = await read.rows(
        "SELECT party_id FROM screening_party WHERE tenant_id = :tenant AND watched_version < :version ORDER BY party_id LIMIT :limit",
        version=await version(read),
        limit=limit,
    )
    return [row.party_id for row in rows]
