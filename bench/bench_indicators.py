"""All online indicators of one applicant, over a million applications of history, beside one query per indicator in the same run.

Synthetic history, written set by set: two years, most people once or twice, a few addresses and devices shared by hundreds, three channels
and forty products shared by everybody. Both ways answer the same, which is checked. The machine may be busy: the CPU is told too.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import psutil

from xinzu.app.modules import load_modules
from xinzu.kernel.time import FixedClock
from xinzu.middle.credit.commands.snapshots import _values
from xinzu.middle.credit.definitions import computed
from xinzu.middle.credit.model import Aggregate, EntityKind, Known
from xinzu.middle.credit.rules import compile as compiled
from xinzu.middle.credit.store import indicators as store
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.schema import migrate
from xinzu.platform.servers.postgres import temporary_postgres
from xinzu.platform.servers.roles import ensure_roles_and_database, plain_url
from xinzu.platform.settings import Settings
from xinzu.platform.tenants import create_tenant
from xinzu.platform.uow import ReadSession

APPLICATIONS = int(os.environ.get("XINZU_BENCH_APPLICATIONS", "1000000"))
NOW = datetime(2026, 6, 1, 3, 20, tzinfo=UTC)
SPAN = timedelta(days=730)
MEASURED, NAIVE_MEASURED, BATCH = 300, 40, 256
DATABASE = "xinzu_bench"

# Application n: who, with which phone, to which address, on which device. One in fifty goes to one of 200 shared addresses and devices.
_APPLICATIONS = """
CREATE UNLOGGED TABLE bench_application AS
SELECT n, lpad(to_hex(n), 32, '0')::uuid AS id, lpad(to_hex((n * 7919::bigint) % (:n * 7 / 10)), 32, '0') AS party,
    CASE WHEN n % 50 = 0 THEN 'a' || n / 50 % 200 ELSE 'A' || (n * 6007::bigint) % (:n * 9 / 10) END AS address,
    CASE WHEN n % 50 = 1 THEN 'd' || n / 50 % 200 ELSE 'D' || (n * 5003::bigint) % (:n * 9 / 10) END AS device,
    (ARRAY['alipay', 'wechat', 'pc'])[1 + n % 3] AS channel, n * 31 % 40 AS product, n % 10 < 3 AS is_declined,
    jsonb_build_object('party', lpad(to_hex((n * 7919::bigint) % (:n * 7 / 10)), 32, '0'), 'channel', 'alipay', 'value_fen', 599900,
        'phone', n, 'address', n, 'device', n) AS said,
    cast(:now AS timestamptz) - cast(:span AS interval) * (1 - n::float8 / :n) AS at
FROM generate_series(1, :n) n
"""
_FACT = """
INSERT INTO credit_fact (tenant_id, entity_kind, entity_key, occurred_at, id, kind, subject_id, known_at, attributes)
SELECT :tenant, {entity}, {key}, {at}, lpad(to_hex(n * 100 + {number}), 32, '0')::uuid, {kind}, id, {at}, {attributes}
FROM bench_application WHERE {which}
"""
_ENTITIES = {
    "party": "cast(party::uuid AS text)",
    "phone": "party",
    "address": "address",
    "device": "device",
    "channel": "channel",
    "product_channel": "product || ':' || channel",
    "merchant": "'self'",
}
# (kind, entities, how long after the application, which applications, attributes)
_HISTORY = [
    ("'applied'", ("party", "phone", "address", "device", "channel", "product_channel"), "0", "true", "said"),
    (
        "CASE WHEN is_declined THEN 'declined' ELSE 'approved' END",
        ("party", "address", "channel", "merchant"),
        "1 second",
        "true",
        "jsonb_build_object('is_declined', is_declined::int)",
    ),
    ("'commenced'", ("party",), "2 days", "NOT is_declined", "jsonb_build_object('value_fen', 599900)"),
    ("'first_due'", ("channel", "merchant"), "32 days", "NOT is_declined", "'{}'"),
    ("'first_overdue'", ("channel", "merchant"), "32 days", "NOT is_declined AND n % 20 = 0", "'{}'"),
    ("'instalment_due'", ("party",), "32 days", "NOT is_declined", "'{}'"),
    (
        "'payment_succeeded'",
        ("party",),
        "32 days",
        "NOT is_declined",
        "jsonb_build_object('amount_fen', 39900, 'purpose', 'instalment')",
    ),
    ("'arrears'", ("party",), "40 days", "NOT is_declined AND n % 20 = 0", "jsonb_build_object('days', 8, 'overdue_fen', 39900)"),
]
_COUNTERS = """
INSERT INTO credit_counter (tenant_id, entity_kind, entity_key, bucket_hours, bucket_at, kind, facts, amount)
SELECT tenant_id, entity_kind, entity_key, b.hours, date_trunc(b.unit, occurred_at), kind, count(*),
       sum(coalesce((attributes->>'value_fen')::bigint, 0))
FROM credit_fact CROSS JOIN (VALUES (1, 'hour'), (24, 'day')) AS b(hours, unit)
WHERE tenant_id = :tenant AND entity_kind IN ('channel', 'product_channel', 'merchant') GROUP BY 1, 2, 3, 4, 5, 6
"""


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds per call, and the CPU of one call in this process and in PostgreSQL."""

    name: str
    p50_ms: float
    p99_ms: float
    own_cpu_ms: float
    server_cpu_ms: float


async def fill(owner_url: str, tenant_id: int) -> int:
    """The history, written by the owner of the tables; returns the number of fact rows."""
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute(f"SET synchronous_commit = off; SET app.tenant = '{tenant_id}'")

        async def run(sql: str) -> None:
            values = {
                ":tenant": str(tenant_id),
                ":now": f"'{NOW.isoformat()}'",
                ":span": f"'{SPAN.days} days'",
                ":n": str(APPLICATIONS),
            }
            for name, value in values.items():
                sql = sql.replace(name, value)
            await connection.execute(sql, timeout=3_600)

        # Loaded as a restore loads: without the index and the policy, which come back before anything is measured.
        await run("ALTER TABLE credit_fact DROP CONSTRAINT pk_credit_fact; ALTER TABLE credit_fact NO FORCE ROW LEVEL SECURITY")
        await run(_APPLICATIONS)
        number = 0
        for kind, entities, after, which, attributes in _HISTORY:
            for entity in entities:
                # Rows of one fact share an id; here they need only be different.
                number += 1
                await run(
                    _FACT.format(
                        entity=f"'{entity}'",
                        key=_ENTITIES[entity],
                        at=f"at + interval '{after}'",
                        number=number,
                        kind=kind,
                        which=which,
                        attributes=attributes,
                    )
                )
        await run(_COUNTERS)
        key = "tenant_id, entity_kind, entity_key, occurred_at, id"
        await run(
            f"SET maintenance_work_mem = '512MB'; ALTER TABLE credit_fact ADD CONSTRAINT pk_credit_fact PRIMARY KEY ({key})"
        )
        await run("ALTER TABLE credit_fact FORCE ROW LEVEL SECURITY")
        await connection.execute("ANALYZE credit_fact, credit_counter", timeout=3_600)
        return int(await connection.fetchval("SELECT count(*) FROM credit_fact", timeout=600))
    finally:
        await connection.close()


def applicants(count: int) -> list[Known]:
    """Applicants as they come: each has applied before, and some share an address or device with hundreds."""
    found = []
    for turn in range(count):
        n = APPLICATIONS - turn * (APPLICATIONS // (count * 3)) - turn % 50
        party = UUID(int=(n * 7919) % (APPLICATIONS * 7 // 10))
        keys = {
            EntityKind.PARTY: str(party),
            EntityKind.PHONE: party.hex,
            EntityKind.ADDRESS: f"a{n // 50 % 200}" if turn % 10 == 0 else f"A{(n * 6007) % (APPLICATIONS * 9 // 10)}",
            EntityKind.DEVICE: f"d{n // 50 % 200}" if turn % 10 == 1 else f"D{(n * 5003) % (APPLICATIONS * 9 // 10)}",
            EntityKind.CHANNEL: ("alipay", "wechat", "pc")[n % 3],
            EntityKind.PRODUCT_CHANNEL: f"{n * 31 % 40}:{('alipay', 'wechat', 'pc')[n % 3]}",
            EntityKind.MERCHANT: "self",
        }
        found.append(Known(UUID(int=n), party, keys, dict.fromkeys(computed())))
    return found


async def all_at_once(read: ReadSession, known: Known) -> dict[str, Any]:
    """As the product does: two statements."""
    numbers, times = await store.online(read, [known])
    return {
        key: each.value
        for key, each in _values(numbers[known.application_id], known.given, times[known.application_id], None).items()
    }


async def one_by_one(read: ReadSession, known: Known) -> dict[str, Any]:
    """The named alternative: for each indicator a query of its own over the facts, without counters."""
    numbers: dict[str, dict[str, int | None]] = {}
    for key, definition in computed().items():
        if definition.of is None:
            continue
        if definition.of.is_shared:
            numbers[key] = {
                role: await _shared_count(read, aggregate, known)
                for role, aggregate in (("of", definition.of), ("over", definition.over))
                if aggregate is not None
            }
            continue
        query = _single(key)
        own = [kind for aggregate in definition.aggregates for kind in aggregate.entities if kind in known.keys]
        hours = {kind: compiled.reach_hours([definition])[kind] for kind in own}
        row = await read.row(
            query.sql,
            as_of=read.now,
            ids=[known.application_id],
            parties=[str(known.party_id)],
            key_ids=[known.application_id] * len(hours),
            entity_kinds=list(hours),
            entity_keys=[known.keys[kind] for kind in hours],
            since=[read.now - (store.EVER if reach is None else timedelta(hours=reach)) for reach in hours.values()],
        )
        numbers[key] = {column.role: getattr(row, column.name) for column in query.columns}
    return {key: each.value for key, each in _values(numbers, known.given, {}, None).items()}


@cache
def _single(key: str) -> compiled.Query:
    return compiled.online([computed()[key]])


async def _shared_count(read: ReadSession, aggregate: Aggregate, known: Known) -> int:
    kind = aggregate.entities[0]
    hours, until = (aggregate.window_hours or 0) + aggregate.until_hours, aggregate.until_hours
    unit = None if hours <= compiled.EXACT_HOURS_MAX else "hour" if hours <= compiled.BY_HOUR_MAX else "day"
    measure = "count(*)" if aggregate.measure == "count" else "coalesce(sum((attributes->>'value_fen')::bigint), 0)::bigint"
    return int(
        await read.scalar(
            f"SELECT {measure} FROM credit_fact WHERE tenant_id = :tenant AND entity_kind = :kind AND entity_key = :key"
            " AND kind = ANY(cast(:facts AS text[])) AND occurred_at >= :begin AND occurred_at < :end AND known_at < :now",
            kind=kind,
            key=known.keys[kind],
            facts=list(aggregate.facts),
            begin=_full(read.now - timedelta(hours=hours), unit),
            end=_full(read.now - timedelta(hours=until), unit) if until else read.now,
            now=read.now,
        )
    )


def _full(at: datetime, unit: str | None) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return at if unit is None else hour if unit == "hour" else hour.replace(hour=0)


async def timed(
    name: str,
    runtime: Runtime,
    tenant_id: int,
    server_pid: int,
    known: list[Known],
    way: Callable[[ReadSession, Known], Awaitable[dict[str, Any]]],
) -> Timed:
    took: list[float] = []
    async with runtime.reading(tenant_id) as read:
        for each in known[:8]:
            await way(read, each)  # statements are prepared, pages are warm
        own, server = time.process_time(), _server_cpu_s(server_pid)
        for each in known:
            started = time.perf_counter()
            await way(read, each)
            took.append((time.perf_counter() - started) * 1000)
        own_s, server_s = time.process_time() - own, _server_cpu_s(server_pid) - server
    quantiles = statistics.quantiles(took, n=100)
    return Timed(name, statistics.median(took), quantiles[98], own_s * 1000 / len(known), server_s * 1000 / len(known))


def _server_cpu_s(pid: int) -> float:
    total = 0.0
    for process in psutil.Process(pid).children(recursive=True):
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
    return total


async def main() -> None:
    load_modules()
    with tempfile.TemporaryDirectory(prefix="xinzu-bench-") as folder, temporary_postgres() as server:
        home = Path(folder)
        home.chmod(0o755)
        urls = await ensure_roles_and_database(server.admin_url, home, DATABASE)
        await migrate(urls.owner.get_secret_value())
        runtime = Runtime(
            Settings(home=home, database_url=None),
            Database(urls.app.get_secret_value(), pool_size=2),
            FileKeyring.open_or_create(home / "keyring.json"),
            Outbound(),
            FixedClock(NOW),
        )
        try:
            await _measured(runtime, plain_url(urls.owner.get_secret_value()), server.pid)
        finally:
            await runtime.close()


async def _measured(runtime: Runtime, owner_url: str, server_pid: int) -> None:
    tenant_id = await create_tenant(runtime, "bench-credit", "bench")
    started = time.perf_counter()
    facts = await fill(owner_url, tenant_id)
    print(f"{APPLICATIONS:,} applications, {facts:,} fact rows, filled in {time.perf_counter() - started:.0f} s", flush=True)
    counted = sum(definition.of is not None for definition in computed().values())
    print(
        f"{len(computed())} computed indicators, {counted} of them from facts; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    known = applicants(MEASURED)
    async with runtime.reading(tenant_id) as read:
        for each in known[:10]:
            at_once, singly = await all_at_once(read, each), await one_by_one(read, each)
            if at_once != singly:
                sys.exit(
                    f"the two ways differ: { {key: (at_once[key], singly[key]) for key in at_once if at_once[key] != singly[key]} }"
                )
    print(f"{'one applicant':34} {'p50 ms':>8} {'p99 ms':>8} {'own CPU':>8} {'PG CPU':>8}")
    rows = [
        await timed("all online indicators at once", runtime, tenant_id, server_pid, known, all_at_once),
        await timed("one query per indicator (naive)", runtime, tenant_id, server_pid, known[:NAIVE_MEASURED], one_by_one),
        await timed("all at once, again", runtime, tenant_id, server_pid, known, all_at_once),
    ]
    for row in rows:
        print(f"{row.name:34} {row.p50_ms:8.2f} {row.p99_ms:8.2f} {row.own_cpu_ms:8.2f} {row.server_cpu_ms:8.2f}")
    batch = known[:BATCH]
    async with runtime.reading(tenant_id) as read:
        await store.online(read, batch)
        started = time.perf_counter()
        await store.online(read, batch)
        print(f"a batch of {BATCH}: {(time.perf_counter() - started) * 1000 / BATCH:.2f} ms per applicant")


if __name__ == "__main__":
    asyncio.run(main())
