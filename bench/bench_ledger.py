"""Rows per second into the books, whole transactions from values to commit, beside the bare COPY of the same rows. Rows are entries and
postings: with two postings an entry every third row is an entry, which is wider and has four indexes. Postings alone are told beside.

The COPY goes into tables equal to the books': same columns, checks, indexes and foreign keys, no row security (COPY does not work with
it), no product code, rows made beforehand. A second one without the foreign keys shows what they cost. A throw-away durable server
(fsync on) is used. Medians of ``ROUNDS``, one after another in turn, so that a disturbance meets all of them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg

from xinzu.app.modules import load_modules
from xinzu.kernel.ids import new_id
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime, connect_raw
from xinzu.platform.schema import migrate
from xinzu.platform.servers.postgres import temporary_postgres
from xinzu.platform.servers.roles import ensure_roles_and_database
from xinzu.platform.settings import Settings
from xinzu.platform.tenants import create_tenant
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.api import Account, AccountType, Entry, Fact, Journal, Posting, Side

POSTINGS = 200_000
PER_ENTRY = (POSTINGS, 1_000, 2)  # the close of a day books one entry for all agreements; an import many small ones
COMMAND_ENTRIES = (1, 100, 1_000)  # entries per transaction of ``post``
ROUNDS = 5
ON = date(2026, 3, 2)
ACTOR = system_actor("bench")
CHART = [
    Account("1122", "应收租金", "Rents receivable", AccountType.ASSET, Side.DEBIT),
    Account("2221", "应交税费", "VAT payable", AccountType.LIABILITY, Side.CREDIT),
    Account("6001", "租赁收入", "Rental income", AccountType.INCOME, Side.CREDIT),
]
PAIRS = (("1122", "6001"), ("1122", "2221"))

_EQUAL = """
CREATE TABLE bench_entry (LIKE ledger_entry INCLUDING ALL);
CREATE TABLE bench_posting (LIKE ledger_posting INCLUDING ALL,
    FOREIGN KEY (tenant_id, entry_id) REFERENCES bench_entry (tenant_id, id),
    FOREIGN KEY (tenant_id, debit_account) REFERENCES ledger_account (tenant_id, code),
    FOREIGN KEY (tenant_id, credit_account) REFERENCES ledger_account (tenant_id, code));
CREATE TABLE bench_posting_free (LIKE ledger_posting INCLUDING ALL);
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows per second of one shape, entries and postings: through the product, by COPY into equal tables, by COPY without foreign keys."""

    per_entry: int
    ingested_per_s: float
    copied_per_s: float
    copied_free_per_s: float


def _journal(per_entry: int) -> Journal:
    """Rents falling due: receivable against income, receivable against VAT, agreement by agreement."""
    subjects = [new_id() for _ in range(POSTINGS // 2)]
    return Journal(
        facts=[Fact("bench.due", new_id(), ON, "租金到期") for _ in range(POSTINGS // per_entry)],
        counts=[per_entry] * (POSTINGS // per_entry),
        pairs=PAIRS,
        pair_of=[nth % 2 for nth in range(POSTINGS)],
        amounts_fen=[(26_460, 3_440)[nth % 2] for nth in range(POSTINGS)],
        subject_ids=[subjects[nth // 2] for nth in range(POSTINGS)],
    )


async def command_rate(runtime: Runtime, tenant_id: int, entries: int) -> float:
    """Postings per second through ``post``, two per entry, that many entries per transaction."""
    repeats = max(1, 4_000 // entries if entries > 1 else 300)
    batches = [
        [
            Entry(
                "bench.due",
                new_id(),
                ON,
                "租金到期",
                tuple(Posting(*pair, amount, new_id()) for pair, amount in zip(PAIRS, (26_460, 3_440), strict=True)),
            )
            for _ in range(entries)
        ]
        for _ in range(repeats)
    ]
    started = time.perf_counter()
    for batch in batches:
        async with runtime.unit(tenant_id, ACTOR) as uow:
            await ledger.post(uow, batch)
    return repeats * entries * 2 / (time.perf_counter() - started)


async def bulk_rate(runtime: Runtime, owner: asyncpg.Connection, tenant_id: int, per_entry: int) -> Rate:
    """One shape, ``ROUNDS`` times each way."""
    ways: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(ROUNDS):
        journal = _journal(per_entry)
        started = time.perf_counter()
        async with runtime.unit(tenant_id, ACTOR) as uow:
            await ledger.post_many(uow, journal)
        ways[0].append(time.perf_counter() - started)
        for way, table in enumerate(("bench_posting", "bench_posting_free"), start=1):
            ways[way].append(await _copied(owner, tenant_id, journal, table))
    rows = POSTINGS + POSTINGS // per_entry
    return Rate(per_entry, *(rows / statistics.median(way) for way in ways))


async def _copied(owner: asyncpg.Connection, tenant_id: int, journal: Journal, table: str) -> float:
    """Seconds of one transaction that copies the journal's rows; they are made before."""
    ids = [new_id() for _ in journal.facts]
    now = await owner.fetchval("SELECT now()")
    first_no = await owner.fetchval("SELECT coalesce(max(entry_no), 0) + 1 FROM bench_entry")
    entries = [
        (tenant_id, entry_id, first_no + nth, fact.business_date, fact.kind, new_id(), fact.memo, now)
        for nth, (entry_id, fact) in enumerate(zip(ids, journal.facts, strict=True))
    ]
    columns = ["tenant_id", "id", "entry_no", "business_date", "kind", "source_id", "memo", "recorded_at"]
    postings = _posting_rows(tenant_id, ids, journal)
    started = time.perf_counter()
    async with owner.transaction():
        await owner.copy_records_to_table("bench_entry", records=entries, columns=columns)
        await owner.copy_records_to_table(table, records=postings)
    return time.perf_counter() - started


def _posting_rows(tenant_id: int, ids: Sequence[UUID], journal: Journal) -> list[tuple[int, UUID, int, str, str, int, UUID]]:
    lines = [(entry_id, line) for entry_id, count in zip(ids, journal.counts, strict=True) for line in range(1, count + 1)]
    pairs = [journal.pairs[pair] for pair in journal.pair_of]
    moved = zip(lines, pairs, journal.amounts_fen, journal.subject_ids, strict=True)
    return [(tenant_id, *place, *pair, amount_fen, subject_id) for place, pair, amount_fen, subject_id in moved]


async def report_ms(runtime: Runtime, tenant_id: int) -> tuple[int, float]:
    """How many postings the books hold, and milliseconds of a trial balance over all of them."""
    async with runtime.reading(tenant_id) as read:
        count = int(await read.scalar("SELECT count(*) FROM ledger_posting WHERE tenant_id = :tenant"))
        seconds = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            await ledger.trial_balance(read, ON)
            seconds.append(time.perf_counter() - started)
    return count, statistics.median(seconds) * 1_000


async def _main(admin_url: str, home: Path) -> None:
    load_modules()
    urls = await ensure_roles_and_database(admin_url, home)
    await migrate(urls.owner.get_secret_value())
    keyring = FileKeyring.open_or_create(home / "keyring.json")
    runtime = Runtime(Settings(home=home), Database(urls.app.get_secret_value()), keyring, Outbound())
    tenant_id = await create_tenant(runtime, "bench", "bench")
    async with runtime.unit(tenant_id, ACTOR) as uow:
        await ledger.open_accounts(uow, CHART)
    owner = await connect_raw(urls.owner.get_secret_value())
    await owner.execute(_EQUAL)
    print("entries/transaction   post, postings/s")
    for entries in COMMAND_ENTRIES:
        rates = [await command_rate(runtime, tenant_id, entries) for _ in range(ROUNDS)]
        print(f"{entries:>20,} {statistics.median(rates):>18,.0f}")
    print("postings/entry  post_many, rows/s  postings/s   COPY equal, rows/s  ratio   without foreign keys, rows/s  ratio")
    for per_entry in PER_ENTRY:
        rate = await bulk_rate(runtime, owner, tenant_id, per_entry)
        print(
            f"{per_entry:>14,} {rate.ingested_per_s:>18,.0f} {rate.ingested_per_s * per_entry / (per_entry + 1):>11,.0f}"
            f" {rate.copied_per_s:>20,.0f} {rate.ingested_per_s / rate.copied_per_s:>6.2f}"
            f" {rate.copied_free_per_s:>30,.0f} {rate.ingested_per_s / rate.copied_free_per_s:>6.2f}"
        )
    count, milliseconds = await report_ms(runtime, tenant_id)
    print(f"trial balance over {count:,} postings: {milliseconds:.0f} ms", end="")
    await owner.close()
    async with runtime.unit(tenant_id, ACTOR) as uow:
        await ledger.close_periods(uow, [ledger.ClosePeriod(ON)])
    print(f"; after closing: {(await report_ms(runtime, tenant_id))[1]:.0f} ms")
    await runtime.close()


async def main() -> None:
    with temporary_postgres(durable=True, shared_buffers_mb=256) as server, tempfile.TemporaryDirectory() as folder:
        await _main(server.admin_url, Path(folder))
