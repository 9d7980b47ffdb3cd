"""Believed messages of providers in the database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.payments.model import NotificationOutcome, Provider
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import Instant
from xinzu.platform.uow import ReadSession, UnitOfWork


@dataclass(frozen=True, slots=True)
class NewNotification:
    """A message about to be written."""

    notify_id: str
    kind: str
    digest: str
    outcome: NotificationOutcome
    reason: str | None
    shown: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredNotification:
    """A message as it was recorded."""

    id: UUID
    notify_id: str
    kind: str
    outcome: NotificationOutcome
    reason: str | None
    deliveries: int
    form: Mapping[str, str]
    received_at: Instant


async def outcomes_of(read: ReadSession, notify_ids: Sequence[str]) -> dict[str, tuple[NotificationOutcome, str | None]]:
    """What became of messages that came before."""
    rows = await read.rows(
        "SELECT notify_id, outcome, reason FROM payments_notification"
        " WHERE tenant_id = :tenant AND provider = :provider AND notify_id = ANY(cast(:ids AS text[]))",
        provider=Provider.ALIPAY.value,
        ids=list(notify_ids),
    )
    return {row.notify_id: (NotificationOutcome(row.outcome), row.reason) for row in rows}


async def insert(uow: UnitOfWork, notifications: Sequence[NewNotification]) -> set[str]:
    """Write new messages; returns the notify ids that were indeed new (a twin may have committed meanwhile)."""
    if not notifications:
        return set()
    rows = await uow.rows(
        "INSERT INTO payments_notification (tenant_id, id, provider, notify_id, kind, digest, outcome, reason, form, received_at)"
        " SELECT :tenant, n.id, :provider, n.notify_id, n.kind, n.digest, n.outcome, n.reason, n.form, :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:notify_ids AS text[]), cast(:kinds AS text[]), cast(:digests AS text[]),"
        " cast(:outcomes AS text[]), cast(:reasons AS text[]), cast(:forms AS jsonb[]))"
        " AS n(id, notify_id, kind, digest, outcome, reason, form)"
        " ON CONFLICT (tenant_id, provider, notify_id) DO NOTHING RETURNING notify_id",
        provider=Provider.ALIPAY.value,
        now=uow.now,
        ids=[new_id() for _ in notifications],
        notify_ids=[item.notify_id for item in notifications],
        kinds=[item.kind for item in notifications],
        digests=[item.digest for item in notifications],
        outcomes=[item.outcome.value for item in notifications],
        reasons=[item.reason for item in notifications],
        forms=[json.dumps(dict(item.shown), ensure_ascii=False) for item in notifications],
    )
    return {row.notify_id for row in rows}


async def count_deliveries(uow: UnitOfWork, notify_ids: Sequence[str]) -> None:
    """Count repeated deliveries."""
    if not notify_ids:
        return
    counted = Counter(notify_ids)
    await uow.execute(
        "UPDATE payments_notification n SET deliveries = n.deliveries + c.times"
        " FROM unnest(cast(:ids AS text[]), cast(:times AS int[])) AS c(notify_id, times)"
        " WHERE n.tenant_id = :tenant AND n.provider = :provider AND n.notify_id = c.notify_id",
        provider=Provider.ALIPAY.value,
        ids=list(counted),
        times=list(counted.values()),
    )


async def listed(
    read: ReadSession, outcome: NotificationOutcome | None, before: UUID | None, limit: int
) -> list[StoredNotification]:
    """Messages, newest first, of one outcome or all."""
    rows = await read.rows(
        "SELECT id, notify_id, kind, outcome, reason, deliveries, form, received_at FROM payments_notification"
        " WHERE tenant_id = :tenant AND (cast(:outcome AS text) IS NULL OR outcome = cast(:outcome AS text))"
        " AND (cast(:before AS uuid) IS NULL OR id < cast(:before AS uuid)) ORDER BY id DESC LIMIT :limit",
        outcome=None if outcome is None else outcome.value,
        before=before,
        limit=limit,
    )
    return [
        StoredNotification(
            row.id,
            row.notify_id,
            row.kind,
            NotificationOutcome(row.outcome),
            row.reason,
            row.deliveries,
            row.form,
            row.received_at,
        )
        for row in rows
    ]
