"""Unit of work: one transaction of one tenant by one actor at one instant, committed once, at the edge.

Commands receive a ``UnitOfWork``, queries a ``ReadSession``; the difference stands in the signature. A command changes rows,
``emit``s the facts and ``enqueue``s jobs; everything is written in the same transaction, just before the commit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Executable, Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from xinzu.kernel.events import Event
from xinzu.kernel.time import BusinessCalendar, BusinessDate, Clock, Instant
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.vault import TenantVault

T = TypeVar("T")
_STATEMENTS: dict[str, TextClause] = {}


def statement(sql: str) -> TextClause:
    """SQL text with ``:name`` parameters, parsed once per distinct text."""
    parsed = _STATEMENTS.get(sql)
    if parsed is None:
        parsed = _STATEMENTS[sql] = text(sql)
    return parsed


class ReadSession:
    """A tenant's view of the database at one instant. Knows the tenant's calendar and can open sealed fields."""

    def __init__(
        self,
        connection: AsyncConnection,
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

    async def execute(self, query: str | Executable, /, **parameters: object) -> int:
        """Run a statement; returns the number of rows it touched."""
        result = await self.connection.execute(self._query(query), self._bound(query, parameters))
        return result.rowcount

    async def rows(self, query: str | Executable, /, **parameters: object) -> Sequence[Row[Any]]:
        """All rows of a query. SQL given as text may use ``:tenant``, which is always bound."""
        return (await self.connection.execute(self._query(query), self._bound(query, parameters))).all()

    async def batches(self, query: str, size: int, /, **parameters: object) -> AsyncIterator[Sequence[Row[Any]]]:
        """The rows of a query a batch at a time, over a cursor of the database: for answers of any length."""
        async with self.connection.stream(self._query(query), self._bound(query, parameters)) as result:
            async for batch in result.partitions(size):
                yield batch

    async def row(self, query: str | Executable, /, **parameters: object) -> Row[Any] | None:
        """The first row of a query, or None."""
        return (await self.connection.execute(self._query(query), self._bound(query, parameters))).first()

    async def scalar(self, query: str | Executable, /, **parameters: object) -> Any:  # noqa: ANN401
        return (await self.connection.execute(self._query(query), self._bound(query, parameters))).scalar()

    @staticmethod
    def _query(query: str | Executable) -> Executable:
        return statement(query) if isinstance(query, str) else query

    def _bound(self, query: str | Executable, parameters: Mapping[str, object]) -> dict[str, object]:
        if isinstance(query, str) and ":tenant" in query:
            return {"tenant": self.tenant_id, **parameters}
        return dict(parameters)


class UnitOfWork(ReadSession):
    """A transaction that may write. Commit happens once, by whoever opened it, never inside a command."""

    def __init__(
        self,
        connection: AsyncConnection,
        tenant_id: int,
        clock: Clock,
        calendar: BusinessCalendar,
        vault: TenantVault,
        actor: Actor,
    ) -> None:
        super().__init__(connection, tenant_id, clock, calendar, vault)
        self.actor = actor
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
