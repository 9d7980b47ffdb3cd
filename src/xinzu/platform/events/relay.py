"""Hands events to their subscribers: per tenant and subscriber, in batches, in order of the events' ids.

The delivery row is removed in the subscriber's own transaction, so its effects happen once although delivery is tried at least
once. A batch that fails is tried item by item; an item that fails is tried again with growing waits and ends as ``dead``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
import structlog

from xinzu.kernel.errors import Unavailable
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.masking import redact
from xinzu.platform.db import DATABASE_TROUBLE, Row, is_connection_loss
from xinzu.platform.events.codec import decode
from xinzu.platform.events.outbox import CHANNEL
from xinzu.platform.events.subscribers import Subscriber, subscriber
from xinzu.platform.observe.metrics import DELIVERIES
from xinzu.platform.runtime import Runtime
from xinzu.platform.uow import ReadSession, UnitOfWork

log = structlog.get_logger(__name__)

BATCH_MAX = 512
ATTEMPTS_MAX = 10
SWEEP_SECONDS = 1.0

_DUE_SUBSCRIBERS = """
SELECT DISTINCT subscriber FROM platform_delivery
WHERE tenant_id = :tenant AND state = 'pending' AND next_attempt_at <= statement_timestamp()
"""

# One relay at a time works for a subscriber, so that batches keep their order; SKIP LOCKED would let a second one overtake.
# The deliveries are chosen first, so that neither a long backlog nor a long history of events is read for one batch. They are removed
# in the same statement: it all stands or falls with the subscriber's transaction.
_CLAIM = """
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended(:subscriber, :tenant)) AS mine
), due AS MATERIALIZED (
    SELECT d.event_id
    FROM turn
    JOIN platform_delivery d ON turn.mine
    WHERE d.tenant_id = :tenant AND d.subscriber = :subscriber AND d.state = 'pending'
      AND d.next_attempt_at <= statement_timestamp()
    ORDER BY d.event_id
    LIMIT :limit
), done AS (
    DELETE FROM platform_delivery d USING due
    WHERE d.tenant_id = :tenant AND d.subscriber = :subscriber AND d.event_id = due.event_id
)
SELECT due.event_id, e.type, cast(e.data AS text) AS data
FROM due
JOIN platform_event e ON e.tenant_id = :tenant AND e.id = due.event_id
ORDER BY due.event_id
"""

_FAILED = """
UPDATE platform_delivery
SET attempts = attempts + 1,
    state = CASE WHEN attempts + 1 >= :attempts_max THEN 'dead' ELSE 'pending' END,
    next_attempt_at = statement_timestamp() + least(interval '5 minutes', interval '250 milliseconds' * power(2, attempts))
                      * (0.75 + random() / 2),
    last_error = :error
WHERE tenant_id = :tenant AND subscriber = :subscriber AND event_id = :event_id
RETURNING state
"""


class Relay:
    """One per worker process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._woken: set[int] = set()
        self._wake = asyncio.Event()
        self.failures = 0  # deliveries that failed and wait for their next attempt, or for a person

    async def drain(self, tenant_ids: Iterable[int] | None = None) -> int:
        """Deliver until nothing is due for these tenants (default: all); returns the number of deliveries made."""
        delivered = 0
        for tenant_id in tenant_ids if tenant_ids is not None else await self._runtime.tenant_ids():
            with self._runtime.going_first():
                while made := await self._deliver_due(tenant_id):
                    delivered += made
        return delivered

    async def deliver_to(self, tenant_id: int, names: Iterable[str]) -> int:
        """Deliver what is due for these subscribers, who were just written to, side by side; returns the number of deliveries made."""

        async def to(name: str) -> int:
            known = subscriber(name)
            delivered, made = 0, BATCH_MAX
            while known is not None and made >= BATCH_MAX:
                made = await self._deliver(tenant_id, known)
                delivered += made
            return delivered

        return sum(await asyncio.gather(*(to(name) for name in sorted(names))))

    async def _deliver_due(self, tenant_id: int) -> int:
        async with self._runtime.reading(tenant_id) as read:
            due = [row.subscriber for row in await read.rows(_DUE_SUBSCRIBERS)]
        delivered = 0
        for name in due:
            known = subscriber(name)
            if known is not None:
                delivered += await self._deliver(tenant_id, known)
        return delivered

    async def _deliver(self, tenant_id: int, to: Subscriber) -> int:
        try:
            return await self._deliver_batch(tenant_id, to, BATCH_MAX)
        except Unavailable:
            raise
        except Exception as error:
            if is_connection_loss(error):
                raise Unavailable() from error
        # Something in the batch fails: one event per transaction from here on, until the due ones are through.
        delivered = 0
        tried: set[UUID] = set()
        while True:
            failing: list[UUID] = []
            try:
                made = await self._deliver_batch(tenant_id, to, 1, failing)
            except Unavailable:
                raise
            except Exception as error:
                if is_connection_loss(error) or not failing:
                    raise
                await self._note_failure(tenant_id, to, failing[0], error)
                if failing[0] in tried:
                    return delivered
                tried.add(failing[0])
                continue
            if not made:
                return delivered
            delivered += made

    async def _deliver_batch(self, tenant_id: int, to: Subscriber, limit: int, taken: list[UUID] | None = None) -> int:
        async with self._runtime.unit(tenant_id, system_actor(to.name)) as uow:
            rows = await uow.rows(_CLAIM, subscriber=to.name, limit=limit)
            if not rows:
                return 0
            if taken is not None:
                taken.extend(row.event_id for row in rows)
            await to.handler(uow, [decode(row.type, row.data) for row in rows])
        DELIVERIES.labels(to.name, "done").inc(len(rows))
        return len(rows)

    async def _note_failure(self, tenant_id: int, to: Subscriber, event_id: UUID, error: Exception) -> None:
        reason = redact(f"{type(error).__name__}: {error}")[:500]
        async with self._runtime.unit(tenant_id, system_actor(to.name)) as uow:
            state = await uow.scalar(_FAILED, subscriber=to.name, event_id=event_id, error=reason, attempts_max=ATTEMPTS_MAX)
        DELIVERIES.labels(to.name, "failed").inc()
        self.failures += 1
        emit = log.error if state == "dead" else log.warning
        emit("event delivery failed", subscriber=to.name, event_id=str(event_id), state=state, reason=reason)

    async def run(self) -> None:
        """Deliver for ever: at once when a transaction that wrote events commits, and by a sweep each second for retries."""
        while True:
            try:
                async with self._runtime.database.raw_connection() as connection:
                    await connection.add_listener(CHANNEL, self._on_notify)
                    self._woken.update(await self._runtime.tenant_ids())
                    await self._run_while(connection)
            except (Unavailable, *DATABASE_TROUBLE) as error:
                log.warning("event relay lost the database, reconnecting", reason=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _run_while(self, connection: asyncpg.Connection) -> None:
        while not connection.is_closed():
            woken, self._woken = self._woken, set()
            self._wake.clear()
            await self.drain(sorted(woken))
            try:
                await asyncio.wait_for(self._wake.wait(), SWEEP_SECONDS)
            except TimeoutError:
                self._woken.update(await self._runtime.tenant_ids())

    def _on_notify(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._woken.add(int(str(payload)))
        self._wake.set()


async def dead_deliveries(read: ReadSession) -> Sequence[Row]:
    """Deliveries that were given up, oldest first, with the event's type and the last error."""
    return await read.rows(
        "SELECT d.subscriber, d.event_id, e.type, e.subject_id, d.attempts, d.last_error FROM platform_delivery d"
        " JOIN platform_event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id"
        " WHERE d.tenant_id = :tenant AND d.state = 'dead' ORDER BY d.event_id"
    )


async def replay_dead(uow: UnitOfWork, event_ids: Sequence[UUID] | None = None) -> int:
    """Put dead deliveries back in line (all of the tenant, or those of the given events); returns how many."""
    return await uow.execute(
        "UPDATE platform_delivery SET state = 'pending', attempts = 0, next_attempt_at = statement_timestamp()"
        " WHERE tenant_id = :tenant AND state = 'dead' AND (cast(:ids AS uuid[]) IS NULL OR event_id = ANY(cast(:ids AS uuid[])))",
        ids=list(event_ids) if event_ids is not None else None,
    )
