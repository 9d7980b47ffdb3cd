"""Unit of work: one transaction of one tenant by one actor at one instant, committed once, at the edge.

Commands receive a ``UnitOfWork``, queries a ``ReadSession``; the difference stands in the signature. A command changes rows,
``emit``s the facts and ``enqueue``s jobs; everything is written in the same transaction, just before the commit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from xinzu.kernel.events import Event
from xinzu.kernel.time import BusinessCalendar, BusinessDate, Clock, Instant
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.vault import TenantVault
from xinzu.platform.db import Row, TenantConnection, statement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Approved:
    """A second person's yes under which a unit of work runs (``platform.approvals``): to which command, and up to which amount."""

    id: UUID
    command: str
    amount_max_fen: int


class ReadSession:
    """A tenant's view of the database at one instant. Knows the tenant's calendar and can open sealed fields."""

    def __init__(
        self,
        connection: TenantConnection,
        tenant_id: int,
        clock: Clock,
        calendar: BusinessCalendar,
        vault: TenantVault,
    ) -> None:
        self.connection = connection
        self.tenant_id = tenant_id
        self.calendar = calendar
        self.vault = vault
        self.now: Instant = clock.now()

    @property
    def business_date(self) -> BusinessDate:
        return self.calendar.business_date(self.now)

    async def execute(self, query: str, /, **parameters: object) -> int:
        """Run a statement; returns the number of rows it touched."""
        status = await self.connection.execute(*self._bound(query, parameters))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def rows(self, query: str, /, **parameters: object) -> Sequence[Row]:
        """All rows of a query. ``:tenant`` is always bound."""
        rows: Sequence[Row] = await self.connection.fetch(*self._bound(query, parameters))
        return rows

    async def batches(self, query: str, size: int, /, **parameters: object) -> AsyncIterator[Sequence[Row]]:
        """The rows of a query a batch at a time, over a cursor of the database: for answers of any length."""
        cursor = await self.connection.cursor(*self._bound(query, parameters))  # type: ignore[no-untyped-call]
        while batch := await cursor.fetch(size):
            yield batch

    async def row(self, query: str, /, **parameters: object) -> Row | None:
        """The first row of a query, or None."""
        rows = await self.rows(query, **parameters)
        return rows[0] if rows else None

    async def scalar(self, query: str, /, **parameters: object) -> Any:  # noqa: ANN401
        """The first column of the first row, or None."""
        row = await self.row(query, **parameters)
        return None if row is None else row[0]

    def _bound(self, query: str, parameters: dict[str, object]) -> tuple[Any, ...]:
        """The statement as the driver takes it, followed by the values of its parameters."""
        sql, names = statement(query)
        parameters["tenant"] = self.tenant_id
        return (sql, *(parameters[name] for name in names))


class UnitOfWork(ReadSession):
    """A transaction that may write. Commit happens once, by whoever opened it, never inside a command."""

    def __init__(
        self,
        connection: TenantConnection,
        tenant_id: int,
        clock: Clock,
        calendar: BusinessCalendar,
        vault: TenantVault,
        actor: Actor,
    ) -> None:
        super().__init__(connection, tenant_id, clock, calendar, vault)
        self.actor = actor
        self.approved: Approved | None = None
        self.events: list[Event] = []
        self.heard_by: frozenset[str] = frozenset()  # the subscribers of what was said, once it is written
        self.jobs: list[tuple[str, Mapping[str, object], timedelta]] = []
        self._last_steps: dict[str, Any] = {}
        self._last_step_calls: list[Callable[[], Awaitable[None]]] = []

    def emit(self, *events: Event) -> None:
        """State facts; written and handed to their subscribers with this transaction's commit."""
        self.events.extend(events)

    async def say(self) -> None:
        """Write the facts stated so far now and not with the commit: for a command that states more than memory should hold."""
        await self._write_events()
        self.events.clear()

    def enqueue(self, job: str, arguments: Mapping[str, object], *, after: timedelta = timedelta()) -> None:
        """Ask for a job of this tenant. Arguments hold ids, never personal data; the queue row commits with the change."""
        self.jobs.append((job, arguments, after))

    @asynccontextmanager
    async def savepoint(self, *, keep: bool) -> AsyncIterator[None]:
        """What the block writes stands only with ``keep``, and never when it raises: for dry runs. What was emitted is the caller's."""
        savepoint = self.connection.transaction()  # type: ignore[no-untyped-call]
        await savepoint.start()
        try:
            yield
        except BaseException:
            await savepoint.rollback()
            raise
        await (savepoint.commit() if keep else savepoint.rollback())

    def before_commit(self, key: str, create: Callable[[], T], finish: Callable[[UnitOfWork, T], Awaitable[None]]) -> T:
        """Collect work for the very end of the transaction: the first call under a key creates the collector.

        Used where a lock must be held as briefly as possible (the head of the evidence log).
        """
        if key not in self._last_steps:
            collector = self._last_steps[key] = create()

            async def run() -> None:
                await finish(self, collector)

            self._last_step_calls.append(run)
        return self._last_steps[key]  # type: ignore[no-any-return]

    async def finish(self) -> None:
        """Write events, jobs and last steps. Called by the opener, once, before the commit."""
        from xinzu.platform.jobs import write_jobs

        await self._write_events()
        if self.jobs:
            await write_jobs(self, self.jobs)
        for call in self._last_step_calls:
            await call()

    async def _write_events(self) -> None:
        from xinzu.platform.events.outbox import write_events

        if self.events:
            self.heard_by |= await write_events(self, self.events)
