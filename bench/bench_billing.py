"""A book of rentals lived through: written, closed day by day, paid. Each figure beside a named alternative in the same run.

- an ordinary day (a thirtieth falls due, 2 % are in arrears, and the same with a fifth in arrears), and the full close at the end of a month:
  every open agreement earns, what is owed is classified and provided for, and the books are compared. As a stress besides: a day on which
  everything falls due. Each beside the same changes and inserts as bare SQL (by the owner, no product code, nothing compared, rolled back),
  for two sizes: ten times the agreements should take ten times as long;
- a day of a tenant on which nothing happens: what most closes of most tenants are;
- receipts through ``record_receipts``, 512 to a transaction as the relay hands them over, beside one to a transaction.

Ordinary days are medians of three, the others happen once in a book; receipts are medians of three. CPU says more than the clock when
something else is running. ``python -m bench.bench_billing --agreements 1000000 --shared-buffers-mb 768`` is the large run, ``--only ordinary``
a part of it. A throw-away durable server for each book; memory is the proportional memory of PostgreSQL's processes (shared buffers counted
once) and of this one, the most seen while closing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

import asyncpg
import psutil
import structlog
import uvloop
from sqlalchemy import event

from bench.books import (
    ALL_ON_ONE_DAY,
    MANY_IN_ARREARS,
    OPENS_ON,
    ORDINARY,
    PERIODS,
    RENT_FEN,
    Shape,
    write_book,
    write_pattern,
)
from bench.servers import cpu_seconds, memory_mb
from xinzu.app.modules import load_modules
from xinzu.app.process import keep_what_is_loaded
from xinzu.back.billing import api as billing
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime, connect_raw
from xinzu.platform.schema import migrate
from xinzu.platform.servers.postgres import temporary_postgres
from xinzu.platform.servers.roles import ensure_roles_and_database
from xinzu.platform.settings import Settings
from xinzu.platform.tenants import create_tenant

AGREEMENTS = 20_000
ORDINARY_DAYS = 3  # the fourth is the last of the month
QUIET_DAYS = 15
BATCH = 512  # what the relay hands over at once
RECEIPTS, SINGLE_RECEIPTS = 20_000, 300
ACTOR = system_actor("bench")
ONE_DAY, SHANGHAI = timedelta(days=1), timedelta(hours=8)

# The changes and rows of a close and nothing else, in its order. $1 stands for the tenant, $2 for the day closed.
BARE = (
    "CREATE TEMPORARY TABLE earned ON COMMIT DROP AS SELECT agreement_id, amount_fen AS fen FROM billing_instalment WHERE false",
    "CREATE TEMPORARY TABLE due ON COMMIT DROP AS SELECT id, agreement_id, amount_fen AS fen FROM billing_instalment WHERE false",
    "CREATE TEMPORARY TABLE late ON COMMIT DROP AS SELECT agreement_id, amount_fen AS fen FROM billing_instalment WHERE false",
    """WITH grown AS (
           UPDATE billing_instalment SET earned_fen = amount_fen
           WHERE tenant_id = $1 AND role IN ('rent', 'interest') AND state IN ('due', 'overdue', 'paid') AND to_on = $2
             AND earned_fen < amount_fen
           RETURNING agreement_id, new.earned_fen - old.earned_fen AS fen)
       INSERT INTO earned SELECT * FROM grown""",
    """WITH fallen AS (
           UPDATE billing_instalment SET state = 'due' WHERE tenant_id = $1 AND state = 'scheduled' AND due_on <= $2 + 1
           RETURNING id, agreement_id, amount_fen)
       INSERT INTO due SELECT * FROM fallen""",
    """WITH overdue AS (
           UPDATE billing_instalment SET state = 'overdue' WHERE tenant_id = $1 AND state = 'due' AND $2 - due_on > 3
           RETURNING id, agreement_id, due_on)
       INSERT INTO billing_charge (tenant_id, id, agreement_id, kind, instalment_id, due_on, amount_fen, paid_fen, cancelled_fen,
                                   fen_days, raised_on, why)
       SELECT $1, uuidv7(), agreement_id, 'late_fee', id, due_on, 0, 0, 0, 0, $2, '{"segments": []}' FROM overdue""",
    """WITH grown AS (
           UPDATE billing_charge c SET fen_days = fen_days + i.amount_fen - i.paid_fen,
                  amount_fen = trunc((fen_days + i.amount_fen - i.paid_fen) * 0.0003)
           FROM billing_instalment i
           WHERE c.tenant_id = $1 AND i.tenant_id = $1 AND c.instalment_id = i.id AND i.state = 'overdue'
           RETURNING c.agreement_id, new.amount_fen - old.amount_fen AS fen)
       INSERT INTO late SELECT * FROM grown WHERE fen > 0""",
    """UPDATE billing_account a SET overdue_fen = l.fen, days_past_due = $2 - l.due_on
       FROM (SELECT i.agreement_id, sum(i.amount_fen - i.paid_fen + c.amount_fen - c.paid_fen) AS fen, min(i.due_on) AS due_on
             FROM billing_instalment i JOIN billing_charge c ON c.tenant_id = $1 AND c.instalment_id = i.id
             WHERE i.tenant_id = $1 AND i.state = 'overdue' GROUP BY 1) AS l
       WHERE a.tenant_id = $1 AND a.agreement_id = l.agreement_id""",
    """WITH said AS (
           INSERT INTO platform_event (tenant_id, id, type, subject_id, actor, occurred_at, data)
           SELECT $1, uuidv7(), e.type, e.agreement_id, 'system', now(), jsonb_build_object('subject_id', e.agreement_id, 'on', $2)
           FROM (SELECT agreement_id, 'xinzu.billing.instalment.fell_due.v1' AS type FROM due
                 UNION ALL SELECT agreement_id, 'xinzu.billing.arrears.aged.v1'
                           FROM billing_account WHERE tenant_id = $1 AND overdue_fen > 0) AS e
           RETURNING id, type)
       INSERT INTO platform_delivery (tenant_id, subscriber, event_id, next_attempt_at)
       SELECT $1, 'payments.on_instalments_fell_due', id, now() FROM said
       UNION ALL SELECT $1, 'decisions.on_arrears_aged', id, now() FROM said WHERE type = 'xinzu.billing.arrears.aged.v1'""",
    """WITH of_day AS (
           INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
           VALUES ($1, uuidv7(), 900000001, $2 + 1, 'billing.instalments_due', uuidv7(), '租金到期', now()) RETURNING id)
       INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
       SELECT $1, of_day.id, row_number() OVER (), '1122', l.account, d.fen / 2, d.agreement_id
       FROM of_day CROSS JOIN due d CROSS JOIN (VALUES ('2205'), ('2221')) AS l(account)""",
    """WITH of_day AS (
           INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
           VALUES ($1, uuidv7(), 900000000, $2, 'billing.income_earned', uuidv7(), '确认收入', now()) RETURNING id)
       INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
       SELECT $1, of_day.id, row_number() OVER (), m.debit, m.credit, m.fen, m.agreement_id
       FROM of_day CROSS JOIN (SELECT '2205' AS debit, '6001' AS credit, fen, agreement_id FROM earned
                               UNION ALL SELECT '1122', '630101', fen, agreement_id FROM late) AS m""",
)

# And at the end of a month: what has begun earns up to it, and what is owed is provided for.
BARE_MONTH_END = (
    """WITH of_day AS (
           INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
           VALUES ($1, uuidv7(), 900000002, $2, 'billing.income_accrued', uuidv7(), '计提', now()) RETURNING id)
       INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
       SELECT $1, of_day.id, 1, '2205', '6001', m.fen, uuidv7()
       FROM of_day CROSS JOIN (SELECT sum(amount_fen * ($2 - from_on + 1) / (to_on - from_on + 1) - earned_fen) AS fen
                               FROM billing_instalment WHERE tenant_id = $1 AND role = 'rent' AND state IN ('due', 'overdue', 'paid')
                                 AND to_on > $2 AND from_on <= $2) AS m""",
    """WITH provided AS (
           UPDATE billing_account a SET provision_fen = o.fen / 100 + 1
           FROM (SELECT agreement_id, cast(sum(amount_fen - paid_fen) AS bigint) AS fen FROM billing_instalment
                 WHERE tenant_id = $1 AND state IN ('due', 'overdue') GROUP BY 1) AS o
           WHERE a.tenant_id = $1 AND a.agreement_id = o.agreement_id RETURNING a.agreement_id, a.provision_fen AS fen
       ), of_day AS (
           INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
           VALUES ($1, uuidv7(), 900000003, $2, 'billing.provision', uuidv7(), '减值', now()) RETURNING id)
       INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
       SELECT $1, of_day.id, row_number() OVER (), '6702', '1231', p.fen, p.agreement_id FROM of_day CROSS JOIN provided p""",
)


@dataclass(slots=True)
class Book:
    """A tenant whose book was just written, on a server of its own."""

    runtime: Runtime
    clock: FixedClock
    owner: asyncpg.Connection
    tenant_id: int
    quiet_tenant_id: int
    agreements: int
    written_s: float
    memory: Memory


@dataclass(slots=True)
class Memory:
    """The most memory seen, in MB: PostgreSQL's processes together, and this process. Looking costs CPU of its own, which is told."""

    postgres: psutil.Process
    postgres_mb: float = 0.0
    own_mb: float = 0.0
    looking_s: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        self._stop.clear()
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self) -> None:
        own, before_s = psutil.Process(), self.looking_s
        while True:
            self.postgres_mb = max(self.postgres_mb, memory_mb(self.postgres))
            self.own_mb = max(self.own_mb, own.memory_info().rss / 1e6)
            self.looking_s = before_s + time.thread_time()
            if self._stop.wait(0.5):
                return


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock and of CPU, PostgreSQL's included."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Closed:
    """One close: what it did, what it took, and what the same changes took as bare SQL."""

    report: billing.DayReport
    took: Spent
    bare: Spent


@contextlib.asynccontextmanager
async def book(agreements: int, shape: Shape, shared_buffers_mb: int) -> AsyncIterator[Book]:
    """A server, a tenant and its book, the day before the first one to be closed."""
    with (
        temporary_postgres(durable=True, shared_buffers_mb=shared_buffers_mb) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        home = Path(folder)
        urls = await ensure_roles_and_database(server.admin_url, home)
        await migrate(urls.owner.get_secret_value())
        clock = FixedClock(_morning(OPENS_ON))
        runtime = Runtime(
            Settings(home=home),
            Database(urls.app.get_secret_value()),
            FileKeyring.open_or_create(home / "keyring.json"),
            Outbound(),
            clock,
        )
        owner = await connect_raw(urls.owner.get_secret_value())
        try:
            pattern_id, quiet_id, tenant_id = [await create_tenant(runtime, name, name) for name in ("pattern", "quiet", "bench")]
            async with runtime.unit(pattern_id, ACTOR) as uow:
                await write_pattern(uow, shape.first_begins_on)
            for each in (quiet_id, tenant_id):
                async with runtime.unit(each, ACTOR) as uow:
                    await billing.open_books(uow)
            started = time.perf_counter()
            await write_book(owner, pattern_id, tenant_id, agreements, shape)
            written_s = time.perf_counter() - started
            yield Book(runtime, clock, owner, tenant_id, quiet_id, agreements, written_s, Memory(psutil.Process(server.pid)))
        finally:
            await owner.close()
            await runtime.close()


def _morning(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 2, tzinfo=UTC)


async def close(of: Book, on: date) -> Closed:
    """Close a day of the book the morning after, having changed the same rows by bare SQL and taken that back."""
    of.clock.set(_morning(on + ONE_DAY))
    bare = await _bare(of, on)
    spent = _spending(of)
    with of.memory.watched():
        async with of.runtime.unit(of.tenant_id, ACTOR) as uow:
            report = await billing.close_day(uow, on)
    return Closed(report, spent(), bare)


def _spending(of: Book) -> Callable[[], Spent]:
    """Begin to measure; the answer says what was spent since."""

    def cpu_s() -> float:
        return time.process_time() - of.memory.looking_s + cpu_seconds(of.memory.postgres)

    started, cpu_started = time.perf_counter(), cpu_s()
    return lambda: Spent(time.perf_counter() - started, cpu_s() - cpu_started)


async def _bare(of: Book, on: date) -> Spent:
    spent = _spending(of)
    transaction = of.owner.transaction()
    await transaction.start()
    await of.owner.execute(f"SET LOCAL app.tenant = '{of.tenant_id}'")
    for statement in (*BARE, *(BARE_MONTH_END if (on + ONE_DAY).day == 1 else ())):
        await of.owner.execute(statement.replace("$1", str(of.tenant_id)).replace("$2", f"date '{on}'"))
    bare = spent()
    await transaction.rollback()
    # What was taken back must not lie in the way of the close that follows.
    await of.owner.execute(
        "VACUUM billing_instalment, billing_charge, billing_account, ledger_entry, ledger_posting, platform_event, platform_delivery"
    )
    return bare


@dataclass(frozen=True, slots=True)
class Paid:
    """Receipts per second, and what one cost in microseconds of CPU: of this process and of PostgreSQL."""

    per_s: float
    own_us: float
    postgres_us: float


async def pay(of: Book, paying: Sequence[UUID], *, per_transaction: int = BATCH, writers: int = 1) -> Paid:
    """Record a rent of each payer, which settles what has fallen due. Writers take turns at the batches."""
    receipts = [
        billing.Receipt(
            agreement_id=agreement_id,
            source=billing.RECEIPT_SOURCE_PAYMENTS,
            source_ref=str(new_id()),
            purpose="instalment",
            provider="alipay",
            provider_trade_no=f"20260428{nth:012}",
            amount_fen=RENT_FEN,
            received_on=(of.clock.now() + SHANGHAI).date(),
        )
        for nth, agreement_id in enumerate(paying)
    ]
    firsts = iter(range(0, len(receipts), per_transaction))
    keep_what_is_loaded()  # as every process of the product does

    async def write() -> None:
        for first in firsts:
            async with of.runtime.unit(of.tenant_id, ACTOR) as uow:
                await billing.record_receipts(uow, receipts[first : first + per_transaction])

    started, own_s, postgres_s = time.perf_counter(), time.process_time(), cpu_seconds(of.memory.postgres)
    await asyncio.gather(*(write() for _ in range(writers)))
    count = max(len(receipts), 1)
    return Paid(
        per_s=count / (time.perf_counter() - started),
        own_us=(time.process_time() - own_s) / count * 1e6,
        postgres_us=(cpu_seconds(of.memory.postgres) - postgres_s) / count * 1e6,
    )


async def payers(of: Book, due_on: date, limit: int | None = None) -> list[UUID]:
    """Who pays what fell due that day: whoever is not late with an earlier rent, in no order."""
    async with of.runtime.reading(of.tenant_id) as read:
        rows = await read.rows(
            "SELECT i.agreement_id FROM billing_instalment i JOIN billing_account a"
            " ON a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id"
            " WHERE i.tenant_id = :tenant AND i.state = 'due' AND i.due_on = :on AND a.overdue_fen = 0"
            " ORDER BY md5(i.agreement_id::text) LIMIT :limit",
            on=due_on,
            limit=limit,
        )
    return [row.agreement_id for row in rows]


async def check(of: Book) -> None:
    """A measurement of wrong books would say nothing."""
    async with of.runtime.reading(of.tenant_id) as read:
        differing = [each for each in await billing.reconcile(read) if each.difference_fen]
    if differing:
        raise RuntimeError(f"books and billing differ: {differing}")


def _show(of: Book, name: str, closes: Sequence[Closed]) -> None:
    seconds, bare_s = median(each.took.seconds for each in closes), median(each.bare.seconds for each in closes)
    cpu_s, bare_cpu_s = median(each.took.cpu_seconds for each in closes), median(each.bare.cpu_seconds for each in closes)
    report = closes[-1].report
    print(
        f"{of.agreements:>10,} {name:<42} {seconds:>7.2f} s {cpu_s:>7.2f} s {bare_s:>8.2f} s {bare_cpu_s:>7.2f} s {cpu_s / bare_cpu_s:>6.2f}"
        f" {report.fell_due_count:>10,} {report.delinquent_count:>9,} {of.memory.postgres_mb:>9,.0f} {of.memory.own_mb:>8,.0f}",
        flush=True,
    )


async def quiet_days(of: Book) -> None:
    """Days of a tenant on which nothing happens: how many statements, the transaction's own included, and how long."""
    took_ms, said = [], 0

    def note(*_: object) -> None:
        nonlocal said
        said += 1

    engine = of.runtime.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    for nth in range(1, QUIET_DAYS + 1):
        on = OPENS_ON + nth * ONE_DAY - ONE_DAY
        of.clock.set(_morning(on + ONE_DAY))
        said = 0
        started = time.perf_counter()
        async with of.runtime.unit(of.quiet_tenant_id, ACTOR) as uow:
            await billing.close_day(uow, on)
        took_ms.append((time.perf_counter() - started) * 1000)
    event.remove(engine, "before_cursor_execute", note)
    of.clock.set(_morning(OPENS_ON))
    print(f"{'':>10} a day on which nothing happens: {said} statements, {median(took_ms):.1f} ms", flush=True)


async def stress_day(agreements: int, shared_buffers_mb: int) -> float:
    """The close of a day on which everything falls due; then its receipts. Returns the CPU seconds of the close."""
    async with book(agreements, ALL_ON_ONE_DAY, shared_buffers_mb) as of:
        instalments_per_s = agreements * PERIODS / of.written_s
        print(
            f"{agreements:>10,} agreements written in {of.written_s:.1f} s ({instalments_per_s:,.0f} instalments/s)", flush=True
        )
        closed = await close(of, OPENS_ON)
        _show(of, ALL_ON_ONE_DAY.name, [closed])
        paying = await payers(of, OPENS_ON + ONE_DAY, RECEIPTS + SINGLE_RECEIPTS)
        singly = min(SINGLE_RECEIPTS, len(paying) // 10)
        single = await pay(of, paying[:singly], per_transaction=1)
        paid = {
            writers: [await pay(of, paying[singly + part :: 6], writers=writers) for part in parts]
            for writers, parts in ((1, (0, 1, 2)), (2, (3, 4, 5)))
        }
        one_per_s, two_per_s = [median(each.per_s for each in paid[writers]) for writers in (1, 2)]
        own_us, postgres_us = median(each.own_us for each in paid[1]), median(each.postgres_us for each in paid[1])
        print(
            f"{'':>10} receipts, {BATCH} to a transaction: {one_per_s:,.0f}/s by one writer, {two_per_s:,.0f}/s by two; CPU of one"
            f" {own_us:.0f} µs and {postgres_us:.0f} µs of PostgreSQL; one to a transaction: {single.per_s:,.0f}/s,"
            f" {single.own_us:,.0f} µs and {single.postgres_us:,.0f} µs (ratio {one_per_s / single.per_s:.1f})",
            flush=True,
        )
        await check(of)
        return closed.took.cpu_seconds


async def ordinary_days(agreements: int, shared_buffers_mb: int) -> tuple[float, float]:
    """Three ordinary days and the last of the month, what falls due being paid. Returns the CPU seconds of an ordinary and of the full close."""
    async with book(agreements, ORDINARY, shared_buffers_mb) as of:
        await quiet_days(of)
        closes = []
        for nth in range(ORDINARY_DAYS + 1):
            on = OPENS_ON + nth * ONE_DAY
            closes.append(await close(of, on))
            await pay(of, await payers(of, on + ONE_DAY))
            if nth == ORDINARY_DAYS - 1:
                _show(of, ORDINARY.name, closes)
        _show(of, "full: the last day of a month", closes[-1:])
        await check(of)
        return median(each.took.cpu_seconds for each in closes[:-1]), closes[-1].took.cpu_seconds


async def hard_day(agreements: int, shared_buffers_mb: int) -> float:
    """An ordinary day of a book that goes badly. Returns the CPU seconds of the close."""
    async with book(agreements, MANY_IN_ARREARS, shared_buffers_mb) as of:
        closed = await close(of, OPENS_ON)
        _show(of, MANY_IN_ARREARS.name, [closed])
        await check(of)
        return closed.took.cpu_seconds


async def main(agreements: int = AGREEMENTS, shared_buffers_mb: int = 256, only: str = "") -> None:
    """Print medians and ratios, for a tenth of the agreements and for all of them."""
    load_modules()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # the closes tell how far they are
    print(
        "agreements close of                                       close       CPU  bare SQL       CPU  ratio   fell due   arrears    PG, MB  own, MB"
    )
    took: dict[str, list[float]] = {}
    for size in (agreements // 10, agreements):
        if only in ("", "ordinary"):
            ordinary, full = await ordinary_days(size, shared_buffers_mb)
            took.setdefault("ordinary", []).append(ordinary)
            took.setdefault("full", []).append(full)
        if only in ("", "hard"):
            took.setdefault("many in arrears", []).append(await hard_day(size, shared_buffers_mb))
        if only in ("", "stress"):
            took.setdefault("all due", []).append(await stress_day(size, shared_buffers_mb))
    growth = ", ".join(f"{name} × {large / small:.1f}" for name, (small, large) in took.items())
    print(f"CPU for ten times the agreements: {growth}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agreements", type=int, default=AGREEMENTS)
    parser.add_argument("--shared-buffers-mb", type=int, default=256)
    parser.add_argument("--only", default="", choices=("", "ordinary", "hard", "stress"))
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(chosen.agreements, chosen.shared_buffers_mb, chosen.only))
