"""Past decisions replayed per second from stored snapshots, reading and decoding included, beside the engine row by row in the same run.

100,000 past applications of 140 indicators each, made from a seed and decided by the engine; a draft that asks for a score of 680 where
the champion asks for 650. The machine may be busy: the CPU of this process and of PostgreSQL is told beside the wall time.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import psutil
from tests.integration.decisions.backtest_history import fill, with_score_floor

from xinzu.app.commands.strategy import told
from xinzu.app.modules import load_modules
from xinzu.kernel.time import FixedClock
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.rules.backtest import Cases, tallied
from xinzu.middle.decisions.rules.graph import indicators_read
from xinzu.middle.decisions.rules.nodes import handler
from xinzu.middle.decisions.rules.replay.batch import Replay
from xinzu.middle.decisions.rules.replay.engine import Engine
from xinzu.middle.decisions.store import backtest as store
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.schema import migrate
from xinzu.platform.servers.postgres import temporary_postgres
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url
from xinzu.platform.settings import Settings
from xinzu.platform.tenants import create_tenant

DISTINCT, COPIES = 20_000, int(os.environ.get("XINZU_BENCH_BACKTEST_COPIES", "5"))
ROUNDS, ENGINE_ROWS = 5, 2_000
NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)
T = TypeVar("T")
_BY = system_actor("bench")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one round: wall, CPU of this process, CPU of PostgreSQL."""

    wall: float
    own: float
    server: float


async def measured(server_pid: int, work: Callable[[], Awaitable[T]], rounds: int = ROUNDS) -> tuple[T, Cost]:
    """The medians of some rounds and the last answer."""
    costs, found = [], None
    for _ in range(rounds):
        wall, own, server = time.perf_counter(), time.process_time(), _server_cpu(server_pid)
        found = await work()
        costs.append(Cost(time.perf_counter() - wall, time.process_time() - own, _server_cpu(server_pid) - server))
    assert found is not None
    return found, Cost(*(median(getattr(each, part) for each in costs) for part in ("wall", "own", "server")))


def _server_cpu(pid: int) -> float:
    total = 0.0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return total


def show(name: str, rows: int, cost: Cost) -> float:
    """Print a cost per row; returns what two cores would do per second if both were kept busy."""
    of_two_cores = 2 * rows / (cost.own + cost.server)
    print(
        f"{name:<58} {rows / cost.wall:>9,.0f} /s wall {of_two_cores:>9,.0f} /s of two cores"
        f"   own {cost.own / rows * 1e6:6.2f} us, PostgreSQL {cost.server / rows * 1e6:6.2f} us each",
        flush=True,
    )
    return rows / (cost.own + cost.server)


async def main() -> None:
    load_modules()
    with tempfile.TemporaryDirectory(prefix="xinzu-bench-") as folder, temporary_postgres() as server:
        home = Path(folder)
        home.chmod(0o755)
        urls = await ensure_roles_and_database(server.admin_url, home, "xinzu_bench")
        await migrate(urls.owner.get_secret_value())
        runtime = Runtime(
            Settings(home=home, database_url=None),
            Database(urls.app.get_secret_value(), pool_size=4),
            FileKeyring.open_or_create(home / "keyring.json"),
            Outbound(),
            FixedClock(NOW),
        )
        try:
            tenant_id = await create_tenant(runtime, "bench-backtest", "bench")
            await fill(runtime, tenant_id, DISTINCT, copies=COPIES)
            owner = await asyncpg.connect(plain_url(urls.owner.get_secret_value()))
            try:
                await owner.execute("VACUUM ANALYZE decisions_decision, decisions_exposure", timeout=600)
                size = await owner.fetchval("SELECT pg_total_relation_size('decisions_decision')")
            finally:
                await owner.close()
            await _replayed(runtime, tenant_id, server.pid, size)
        finally:
            await runtime.close()


async def _one_slice(runtime: Runtime, tenant_id: int, replay: decisions.Backtest, names: list[str]) -> Cases:
    async with runtime.reading(tenant_id) as read:
        period = store.Period(replay.key, read.calendar.opening(replay.since_on), read.now, DISTINCT * COPIES)
        found = await store.cases(read, replay.key, (await store.slices(read, period))[0], names, [], replay.maturity_days)
    assert found is not None
    return found


async def _replayed(runtime: Runtime, tenant_id: int, server_pid: int, size: int) -> None:
    rows = DISTINCT * COPIES
    draft = with_score_floor(680)

    async def asked() -> decisions.Backtest:
        async with runtime.reading(tenant_id) as read:
            request = decisions.AskBacktest(UUID(int=0), date(2025, 1, 1), segments=("channel", "price_band"))
            return decisions.asked_for(read, request, decisions.PHONE_RENTAL, None, draft, by="bench")

    replay = await asked()
    names = indicators_read(replay.graph)
    print(
        f"{rows:,} decisions, {size / rows / 1000:.1f} kB each stored; the draft reads {len(names)} indicators;"
        f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; medians of {ROUNDS}"
    )

    async def read_only() -> int:
        async with runtime.reading(tenant_id) as read:
            period = store.Period(replay.key, read.calendar.opening(replay.since_on), read.now, rows)
            done = 0
            for part in await store.slices(read, period):
                found = await store.cases(read, replay.key, part, sorted(names), [], replay.maturity_days)
                done += 0 if found is None else len(found)
            return done

    async def whole_jsonb() -> int:
        async with runtime.reading(tenant_id) as read:
            done = 0
            async for batch in read.batches(
                "SELECT inputs FROM decisions_decision WHERE tenant_id = :tenant LIMIT :n", 5_000, n=20_000
            ):
                done += len(batch)
            return done

    async def replayed(**how: Any) -> decisions.BacktestReport:  # noqa: ANN401
        return await decisions.replay_history(lambda: runtime.reading(tenant_id), replay, **how)

    whole, cost = await measured(server_pid, whole_jsonb, 1)
    show("whole snapshots read as objects (not done)", whole, cost)
    show("read as columns, one session", rows, (await measured(server_pid, read_only))[1])
    _, cost = await measured(server_pid, lambda: replayed(count_rows=False))
    show("replayed from the snapshots", rows, cost)
    laid, cost = await measured(
        server_pid, lambda: decisions.lay_down_history(lambda: runtime.unit(tenant_id, _BY), replay.key), 1
    )
    show("laid down as columns, once in their life", laid, cost)
    show("read from laid columns, one session", rows, (await measured(server_pid, read_only))[1])
    _, cost = await measured(server_pid, lambda: replayed(count_rows=False))
    fast = show("replayed from laid columns", rows, cost)
    report, cost = await measured(server_pid, replayed)
    show("replayed, with the rows of both versions counted", rows, cost)
    part = await _one_slice(runtime, tenant_id, replay, sorted({*names, "channel", "device_value_fen"}))
    ready = (Replay(replay.graph, handler(None)), names)

    async def in_memory() -> int:
        return len(tallied(part, ready, {}, replay.segments, (), 0).whole.counts) and len(part)

    held, cost = await measured(server_pid, in_memory)
    alone = show("replayed and tallied, columns already in memory", held, cost)
    async with runtime.reading(tenant_id) as read:
        inputs = [
            row.inputs
            for row in await read.rows("SELECT inputs FROM decisions_decision WHERE tenant_id = :tenant LIMIT :n", n=ENGINE_ROWS)
        ]
    engine = Engine(draft)

    async def one_by_one() -> int:
        return len(engine.answers(inputs))

    found, cost = await measured(server_pid, one_by_one)
    beside = show("zen-engine, row by row, snapshots already in memory", found, cost)
    print(
        f"ratio per CPU-second: {alone / beside:,.0f} in memory, {fast / beside:,.0f} with reading, comparing and checking on one side only"
    )
    print("\n".join(told(report)))
