"""Writing events with the change that made them true, one row per subscriber beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xinzu.kernel.events import Event
from xinzu.kernel.ids import new_ids
from xinzu.platform.events.codec import encode
from xinzu.platform.events.subscribers import subscribers_of

if TYPE_CHECKING:
    from xinzu.platform.uow import UnitOfWork

CHANNEL = "xinzu_event"

_INSERT_EVENTS = """
INSERT INTO platform_event (tenant_id, id, type, subject_id, actor, occurred_at, data)
SELECT :tenant, e.id, e.type, e.subject_id, :actor, :now, e.data
FROM unnest(cast(:ids AS uuid[]), cast(:types AS text[]), cast(:subjects AS uuid[]), cast(:data AS jsonb[]))
     AS e(id, type, subject_id, data)
"""

# One round trip for both. The notification rides on the insert, so that a relay wakes once the transaction has committed and not before.
_INSERT_EVENTS_AND_DELIVERIES = f"""
WITH said AS ({_INSERT_EVENTS}), written AS (
    INSERT INTO platform_delivery (tenant_id, subscriber, event_id, next_attempt_at)
    SELECT :tenant, d.subscriber, d.event_id, statement_timestamp()
    FROM unnest(cast(:subscribers AS text[]), cast(:heard AS uuid[])) AS d(subscriber, event_id)
    RETURNING 1
)
SELECT pg_notify(:channel, :tenant_text) FROM (SELECT 1 FROM written LIMIT 1) AS woken
"""  # noqa: S608 (a constant)


async def write_events(uow: UnitOfWork, events: Sequence[Event]) -> frozenset[str]:
    """Insert events and their deliveries in one statement, whatever the number of events; returns the names of who hears of it."""
    ids = new_ids(len(events))
    said: dict[str, object] = {
        "actor": str(uow.actor),
        "now": uow.now,
        "ids": ids,
        "types": [event.type for event in events],
        "subjects": [event.subject_id for event in events],
        "data": [encode(event).decode() for event in events],
    }
    deliveries = [
        (subscriber.name, event_id)
        for event_id, event in zip(ids, events, strict=True)
        for subscriber in subscribers_of(event.type)
    ]
    if deliveries:
        await uow.execute(
            _INSERT_EVENTS_AND_DELIVERIES,
            **said,
            channel=CHANNEL,
            tenant_text=str(uow.tenant_id),
            subscribers=[name for name, _ in deliveries],
            heard=[event_id for _, event_id in deliveries],
        )
    else:
        await uow.execute(_INSERT_EVENTS, **said)
    return frozenset(name for name, _ in deliveries)
