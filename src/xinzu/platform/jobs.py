"""Jobs and cron on pgqueuer, in the same database: a job row commits with the change that asks for it.

A job is ``async def verb_noun(runtime, tenant_id, arguments)`` declared with ``@job("<module>.<verb_noun>")``. It runs at least once,
so it must be idempotent; it opens its own units of work, because it is the place where providers are called (never inside one).
``@cron`` declares a recurring job; it runs once per tenant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import asyncpg
import msgspec
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, Schedule
from pgqueuer.domain.types import QueueEntrypoint
from pgqueuer.ports.repository import EntrypointExecutionParameter

from xinzu.platform.db import driver_of

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime
    from xinzu.platform.uow import UnitOfWork

log = structlog.get_logger(__name__)

JobFunction = Callable[["Runtime", int, Mapping[str, Any]], Awaitable[None]]
ATTEMPTS_MAX = 8
RETRY_DELAY_FIRST = timedelta(seconds=1)
RETRY_DELAY_MAX = timedelta(minutes=5)
HEARTBEAT_TIMEOUT = timedelta(seconds=10)  # a job whose worker was killed is taken up again after this,
POLL_EVERY = timedelta(seconds=5)  # plus at most this, because nothing announces it
BATCH = 50


@dataclass(frozen=True, slots=True)
class JobDeclaration:
    """A job by name; ``schedule`` is a cron expression for recurring ones (a sixth field counts seconds).

    At most ``at_a_time`` of them run at once in all workers together; 0 sets no limit.
    """

    name: str
    run: JobFunction
    schedule: str | None = None
    at_a_time: int = 0


_JOBS: dict[str, JobDeclaration] = {}


def job(name: str, *, at_a_time: int = 0) -> Callable[[JobFunction], JobFunction]:
    """Declare a job that is asked for with ``uow.enqueue``. ``at_a_time`` keeps a long one from taking the whole worker."""
    return _declare(name, None, at_a_time)


def cron(name: str, schedule: str) -> Callable[[JobFunction], JobFunction]:
    """Declare a recurring job, run once per tenant at each tick. A missed tick is not made up: the work must look at state."""
    return _declare(name, schedule)


def _declare(name: str, schedule: str | None, at_a_time: int = 0) -> Callable[[JobFunction], JobFunction]:
    def register(run: JobFunction) -> JobFunction:
        if name in _JOBS:
            raise ValueError(f"two jobs are called {name}")
        _JOBS[name] = JobDeclaration(name, run, schedule, at_a_time)
        return run

    return register


def jobs() -> Mapping[str, JobDeclaration]:
    return _JOBS


async def write_jobs(uow: UnitOfWork, asked: Sequence[tuple[str, Mapping[str, object], timedelta]]) -> None:
    """Insert the job rows of a unit of work through its own connection, so that they commit with it."""
    for name, _, _ in asked:
        if name not in _JOBS:
            raise KeyError(f"no job is called {name}")
    queries = Queries(AsyncpgDriver(cast(Any, uow.connection)))
    await queries.enqueue(
        [name for name, _, _ in asked],
        [msgspec.json.encode({"tenant_id": uow.tenant_id, "arguments": arguments}) for _, arguments, _ in asked],
        [0] * len(asked),
        [after if after else None for _, _, after in asked],
    )


async def run_payload(runtime: Runtime, name: str, payload: bytes) -> None:
    """Run one queued job."""
    body = msgspec.json.decode(payload)
    await _JOBS[name].run(runtime, body["tenant_id"], body["arguments"])


def build_queuer(runtime: Runtime, connection: asyncpg.Connection) -> PgQueuer:
    """The worker's queue and scheduler over one dedicated connection. Failed jobs are retried, then held and listed."""
    queuer = PgQueuer.from_asyncpg_connection(connection)

    def retrying(parameters: EntrypointExecutorParameters) -> DatabaseRetryEntrypointExecutor:
        return DatabaseRetryEntrypointExecutor(
            parameters, max_attempts=ATTEMPTS_MAX, initial_delay=RETRY_DELAY_FIRST, max_delay=RETRY_DELAY_MAX
        )

    def queue(declaration: JobDeclaration) -> None:
        @queuer.entrypoint(
            declaration.name, concurrency_limit=declaration.at_a_time, executor_factory=retrying, on_failure="hold"
        )
        async def run_one(job: Job) -> None:
            await run_payload(runtime, declaration.name, job.payload or b"{}")

    def schedule(declaration: JobDeclaration, expression: str) -> None:
        @queuer.schedule(f"cron_{declaration.name.replace('.', '_')}", expression, clean_old=True)
        async def tick(_: Schedule) -> None:
            for tenant_id in await runtime.tenant_ids():
                try:
                    await declaration.run(runtime, tenant_id, {})
                except Exception:
                    # One tenant's trouble must not keep the others from their turn; the next tick tries again.
                    log.exception("cron job failed", job=declaration.name, tenant_id=tenant_id)

    for declaration in _JOBS.values():
        if declaration.schedule is None:
            queue(declaration)
        else:
            schedule(declaration, declaration.schedule)
    return queuer


async def drain_jobs(runtime: Runtime) -> int:
    """Run every job that is due, here and now, and return how many ran. For the demo's filling and for tests.

    Same queue, same functions, same retry rule as the worker; only the waiting is left out.
    """
    entrypoints = {
        QueueEntrypoint(name): EntrypointExecutionParameter(concurrency_limit=0)
        for name, declaration in _JOBS.items()
        if declaration.schedule is None
    }
    ran = 0
    async with runtime.database.engine.connect() as pooled:
        queries = Queries(AsyncpgDriver(cast(Any, await driver_of(pooled))))
        manager_id = uuid4()
        more = True
        while more:
            runtime.jobs_asked = False
            batch = await queries.dequeue(BATCH, entrypoints, cast(Any, manager_id), None, HEARTBEAT_TIMEOUT)
            if not batch:
                break
            outcomes = await asyncio.gather(
                *(run_payload(runtime, str(item.entrypoint), item.payload or b"{}") for item in batch), return_exceptions=True
            )
            done = []
            for item, outcome in zip(batch, outcomes, strict=True):
                if outcome is None:
                    done.append((item, "successful", None))
                elif item.attempts + 1 >= ATTEMPTS_MAX or not isinstance(outcome, Exception):
                    log.error("job failed for good", job=item.entrypoint, exc_info=outcome)
                    done.append((item, "failed", None))
                elif isinstance(outcome, RetryRequested):
                    await queries.retry_job(item, outcome.delay, None)
                else:
                    log.warning("job failed, will retry", job=item.entrypoint, exc_info=outcome)
                    await queries.retry_job(item, RETRY_DELAY_FIRST * 2**item.attempts, None)
            await queries.log_jobs(cast(Any, done))
            ran += len(batch)
            # A short batch was all there was; what may have come since was asked for by this process, or is tried again.
            more = len(batch) == BATCH or len(done) < len(batch) or runtime.jobs_asked
        return ran
