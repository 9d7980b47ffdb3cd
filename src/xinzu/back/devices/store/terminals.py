"""Terminals, what they are bound to, the notices and holds the guards look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from asyncpg import IntegrityConstraintViolationError

from xinzu.back.devices.errors import DeviceEnrolled, KeyTaken
from xinzu.back.devices.model import (
    Device,
    DeviceDraft,
    DeviceKind,
    HoldKind,
    Level,
    Situation,
)
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_DEVICE = """
SELECT d.id, d.asset_id, d.kind, d.public_key, d.enrolled_at, s.desired_level, s.desired_counter, s.reported_level,
       s.reported_at, s.last_seen_at, s.sequence, b.agreement_id
FROM devices_device d
JOIN devices_shadow s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
LEFT JOIN devices_binding b ON b.tenant_id = d.tenant_id AND b.asset_id = d.asset_id AND b.released_at IS NULL
WHERE d.tenant_id = :tenant AND d.retired_at IS NULL
"""

_SITUATIONS = """
SELECT b.agreement_id, d.id AS device_id, s.desired_level, b.consent_clause_version, b.cleared_at, b.closed_case_id, b.raised_on,
       (SELECT array_agg(h.kind) FROM devices_hold h
        WHERE h.tenant_id = b.tenant_id AND h.agreement_id = b.agreement_id AND h.lifted_at IS NULL) AS holds
FROM devices_binding b
LEFT JOIN devices_device d ON d.tenant_id = b.tenant_id AND d.asset_id = b.asset_id AND d.retired_at IS NULL
LEFT JOIN devices_shadow s ON s.tenant_id = d.tenant_id AND s.device_id = d.id
WHERE b.tenant_id = :tenant AND b.agreement_id = ANY(cast(:ids AS uuid[])) AND b.released_at IS NULL
ORDER BY b.agreement_id FOR UPDATE OF b
"""


def _device(row: Row) -> Device:
    return Device(
        **{
            **row,
            "kind": DeviceKind(row.kind),
            "public_key": bytes(row.public_key),
            "desired_level": Level(row.desired_level),
            "reported_level": None if row.reported_level is None else Level(row.reported_level),
        }
    )


async def last_seen(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, Instant]:
    """By agreement, when the device that serves it was last heard of, or enrolled if it never was. Agreements without a device are left out."""
    rows = await read.rows(
        "SELECT b.agreement_id, coalesce(s.last_seen_at, d.enrolled_at) AS seen_at FROM devices_binding b"
        " JOIN devices_device d ON d.tenant_id = b.tenant_id AND d.asset_id = b.asset_id AND d.retired_at IS NULL"
        " JOIN devices_shadow s ON s.tenant_id = d.tenant_id AND s.device_id = d.id"
        " WHERE b.tenant_id = :tenant AND b.agreement_id = ANY(cast(:ids AS uuid[])) AND b.released_at IS NULL",
        ids=list(agreement_ids),
    )
    return {row.agreement_id: row.seen_at for row in rows}


# --- terminals ---------------------------------------------------------------------------------------------------------


async def enrol(uow: UnitOfWork, draft: DeviceDraft) -> UUID:
    """Put a terminal on file; an earlier one of the asset is retired. Raises KeyTaken, and DeviceEnrolled in a race."""
    await uow.execute(
        "UPDATE devices_device SET retired_at = :now WHERE tenant_id = :tenant AND asset_id = :asset AND retired_at IS NULL",
        now=uow.now,
        asset=draft.asset_id,
    )
    device_id = new_id()
    try:
        written = await uow.execute(
            "INSERT INTO devices_device (tenant_id, id, asset_id, kind, public_key, enrolled_at)"
            " VALUES (:tenant, :id, :asset, :kind, :key, :now) ON CONFLICT (tenant_id, public_key) DO NOTHING",
            id=device_id,
            asset=draft.asset_id,
            kind=str(draft.kind),
            key=draft.public_key,
            now=uow.now,
        )
    except IntegrityConstraintViolationError as error:
        raise DeviceEnrolled() from error
    if not written:
        raise KeyTaken()
    await uow.execute(
        "INSERT INTO devices_shadow (tenant_id, device_id, desired_level, desired_counter, sequence)"
        " VALUES (:tenant, :id, 'free', 0, 0)",
        id=device_id,
    )
    return device_id


async def find_device(read: ReadSession, device_id: UUID) -> Device | None:
    row = await read.row(f"{_DEVICE} AND d.id = :id", id=device_id)
    return None if row is None else _device(row)


async def device_of_asset(read: ReadSession, asset_id: UUID) -> Device | None:
    row = await read.row(f"{_DEVICE} AND d.asset_id = :id", id=asset_id)
    return None if row is None else _device(row)


async def lock_devices(uow: UnitOfWork, device_ids: Sequence[UUID]) -> dict[UUID, Device]:
    """Terminals in use, their shadows locked."""
    rows = await uow.rows(f"{_DEVICE} AND d.id = ANY(cast(:ids AS uuid[])) ORDER BY d.id FOR UPDATE OF s", ids=list(device_ids))
    return {row.id: _device(row) for row in rows}


# --- bindings, notices, holds ------------------------------------------------------------------------------------------


async def bind(uow: UnitOfWork, bound: Sequence[tuple[UUID, UUID, str]]) -> None:
    """Agreements (with asset and clause version) that commenced. The end of an asset's earlier agreement is thereby known."""
    await uow.execute(
        "UPDATE devices_binding b SET released_at = :now"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:assets AS uuid[])) AS n(agreement_id, asset_id)"
        " WHERE b.tenant_id = :tenant AND b.asset_id = n.asset_id AND b.agreement_id <> n.agreement_id AND b.released_at IS NULL"
        " AND NOT EXISTS (SELECT FROM devices_binding k WHERE k.tenant_id = :tenant AND k.agreement_id = n.agreement_id)",
        now=uow.now,
        agreements=[item[0] for item in bound],
        assets=[item[1] for item in bound],
    )
    await uow.execute(
        "INSERT INTO devices_binding (tenant_id, agreement_id, asset_id, consent_clause_version, bound_at)"
        " SELECT :tenant, n.agreement_id, n.asset_id, n.clause, :now"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:assets AS uuid[]), cast(:clauses AS text[]))"
        " AS n(agreement_id, asset_id, clause) ON CONFLICT (tenant_id, agreement_id) DO NOTHING",
        now=uow.now,
        agreements=[item[0] for item in bound],
        assets=[item[1] for item in bound],
        clauses=[item[2] for item in bound],
    )


async def situations(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> dict[UUID, Situation]:
    """What the guards look at, by agreement; the bindings are locked. An agreement without a running binding is left out."""
    rows = await uow.rows(_SITUATIONS, ids=list(agreement_ids))
    return {
        row.agreement_id: Situation(
            agreement_id=row.agreement_id,
            device_id=row.device_id,
            current=Level(row.desired_level or Level.FREE),
            consent_clause_version=row.consent_clause_version,
            cleared_at=row.cleared_at,
            closed_case_id=row.closed_case_id,
            raised_on=row.raised_on,
            holds=frozenset(HoldKind(kind) for kind in row.holds or ()),
        )
        for row in rows
    }


async def mark_raised(uow: UnitOfWork, agreement_ids: Sequence[UUID], on: BusinessDate) -> None:
    await uow.execute(
        "UPDATE devices_binding SET raised_on = :on WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[]))",
        on=on,
        ids=list(agreement_ids),
    )


async def mark_cleared(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE devices_binding SET cleared_at = :now WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[]))",
        now=uow.now,
        ids=list(agreement_ids),
    )


async def mark_case_closed(uow: UnitOfWork, cases: Mapping[UUID, UUID]) -> None:
    """The case of each agreement is closed: what it asked for counts no more."""
    await uow.execute(
        "UPDATE devices_binding b SET closed_case_id = c.case_id"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:cases AS uuid[])) AS c(agreement_id, case_id)"
        " WHERE b.tenant_id = :tenant AND b.agreement_id = c.agreement_id",
        agreements=list(cases),
        cases=list(cases.values()),
    )


async def release(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE devices_binding SET released_at = :now"
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[])) AND released_at IS NULL",
        now=uow.now,
        ids=list(agreement_ids),
    )


async def insert_notices(uow: UnitOfWork, notices: Sequence[tuple[UUID, UUID, Instant]]) -> None:
    """Notices that arrived: (message, agreement, when)."""
    await uow.execute(
        "INSERT INTO devices_notice (tenant_id, message_id, agreement_id, delivered_at)"
        " SELECT :tenant, n.message_id, n.agreement_id, n.delivered_at"
        " FROM unnest(cast(:messages AS uuid[]), cast(:agreements AS uuid[]), cast(:ats AS timestamptz[]))"
        " AS n(message_id, agreement_id, delivered_at) ON CONFLICT (tenant_id, message_id) DO NOTHING",
        messages=[item[0] for item in notices],
        agreements=[item[1] for item in notices],
        ats=[item[2] for item in notices],
    )


async def notice_times(read: ReadSession, message_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], Instant]:
    """When notices arrived, by (agreement, message)."""
    if not message_ids:
        return {}
    rows = await read.rows(
        "SELECT message_id, agreement_id, delivered_at FROM devices_notice"
        " WHERE tenant_id = :tenant AND message_id = ANY(cast(:ids AS uuid[]))",
        ids=list(message_ids),
    )
    return {(row.agreement_id, row.message_id): row.delivered_at for row in rows}


async def set_hold(uow: UnitOfWork, agreement_id: UUID, kind: HoldKind, *, is_placed: bool) -> None:
    if is_placed:
        await uow.execute(
            "INSERT INTO devices_hold (tenant_id, agreement_id, kind, placed_by, placed_at)"
            " VALUES (:tenant, :agreement, :kind, :actor, :now) ON CONFLICT (tenant_id, agreement_id, kind)"
            " DO UPDATE SET placed_by = excluded.placed_by, placed_at = excluded.placed_at, lifted_at = NULL"
            " WHERE devices_hold.lifted_at IS NOT NULL",
            agreement=agreement_id,
            kind=str(kind),
            actor=str(uow.actor),
            now=uow.now,
        )
    else:
        await uow.execute(
            "UPDATE devices_hold SET lifted_at = :now"
            " WHERE tenant_id = :tenant AND agreement_id = :agreement AND kind = :kind AND lifted_at IS NULL",
            agreement=agreement_id,
            kind=str(kind),
            now=uow.now,
        )


async def holds_of(read: ReadSession, agreement_id: UUID) -> list[HoldKind]:
    rows = await read.rows(
        "SELECT kind FROM devices_hold WHERE tenant_id = :tenant AND agreement_id = :id AND lifted_at IS NULL ORDER BY kind",
        id=agreement_id,
    )
    return [HoldKind(row.kind) for row in rows]
