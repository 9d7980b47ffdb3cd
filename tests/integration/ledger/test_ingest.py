"""Very many entries at once keep every rule that single ones keep."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from asyncpg import IntegrityConstraintViolationError
from tests.integration.ledger.books import booked, close, numbers, open_books, post, sale

from xinzu.kernel.errors import InvariantBroken
from xinzu.kernel.ids import new_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.api import Entry, Ingested, Journal, Posting
from xinzu.records.ledger.commands import ingest
from xinzu.records.ledger.errors import BooksNotOpen, EntryDiffers, PeriodClosed

FEBRUARY, TODAY = date(2026, 2, 28), date(2026, 3, 2)


def sold_and_paid(amount_fen: int, on: date = TODAY) -> Entry:
    subject = new_id()
    postings = (Posting("1122", "6001", amount_fen, subject), Posting("1001", "1122", amount_fen, subject))
    return Entry("test.cash_sale", new_id(), on, "现销", postings)


async def ingest_journal(
    runtime: Runtime, tenant_id: int, actor: Actor, journal: Journal, *, moves_late: bool = False
) -> Ingested:
    async with runtime.unit(tenant_id, actor) as uow:
        return await ledger.post_many(uow, journal, moves_late=moves_late)


async def test_an_import_in_several_statements_is_told_twice_and_booked_once(
    runtime: Runtime, tenant_id: int, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "POSTINGS_PER_STATEMENT", 7)
    entries = [sold_and_paid(n) for n in range(1, 31)]
    await open_books(runtime, tenant_id, actor, entries[3])
    told = ledger.journal_of(entries)
    assert await ingest_journal(runtime, tenant_id, actor, told) == Ingested(29, 1)
    assert await ingest_journal(runtime, tenant_id, actor, told) == Ingested(0, 30)
    assert await ingest_journal(runtime, tenant_id, actor, ledger.journal_of([])) == Ingested(0, 0)
    assert await numbers(runtime, tenant_id) == list(range(1, 31))
    async with runtime.reading(tenant_id) as read:
        journal = await ledger.journal(read, TODAY, TODAY)
        balance = await ledger.trial_balance(read, TODAY)
    assert sorted(each.entry.total_fen for each in journal) == [2 * n for n in range(1, 31)]
    assert {each.entry for each in journal} == set(entries)
    assert {line.account.code: line.balance_fen for line in balance.lines} == {"1001": 465, "1122": 0, "6001": 465}


async def test_a_closed_month_keeps_an_import_out_or_moves_it(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    entries = [sold_and_paid(1), sold_and_paid(2, FEBRUARY), sold_and_paid(4)]
    with pytest.raises(BooksNotOpen):
        await ingest_journal(runtime, tenant_id, actor, ledger.journal_of(entries))
    await open_books(runtime, tenant_id, actor)
    await close(runtime, tenant_id, actor, FEBRUARY)
    with pytest.raises(PeriodClosed):
        await ingest_journal(runtime, tenant_id, actor, ledger.journal_of(entries))
    assert await numbers(runtime, tenant_id) == []
    assert await ingest_journal(runtime, tenant_id, actor, ledger.journal_of(entries), moves_late=True) == Ingested(3, 0)
    async with runtime.reading(tenant_id) as read:
        first = (await ledger.journal(read, date(2026, 3, 1), TODAY))[0]
    assert (first.entry.business_date, first.entry.effective_on, first.entry_no) == (date(2026, 3, 1), FEBRUARY, 2)


async def test_a_known_fact_with_another_total_is_not_swallowed(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    known = sold_and_paid(100)
    await open_books(runtime, tenant_id, actor, known)
    other = replace(known, postings=(replace(known.postings[0], amount_fen=101), known.postings[1]))
    with pytest.raises(EntryDiffers):
        await ingest_journal(runtime, tenant_id, actor, ledger.journal_of([sold_and_paid(1), other]))
    assert await numbers(runtime, tenant_id) == [1]


@pytest.mark.parametrize("others", [0, 60])  # from a hundred postings on, references are checked in sets
async def test_the_database_refuses_what_would_not_balance(runtime: Runtime, tenant_id: int, actor: Actor, others: int) -> None:
    await open_books(runtime, tenant_id, actor)
    right = ledger.journal_of([sold_and_paid(100), sold_and_paid(200), *(sold_and_paid(n + 1) for n in range(others))])
    first, second, *rest = right.facts
    amounts, pairs = list(right.amounts_fen[4:]), list(right.pair_of[4:])
    for wrong in (
        replace(right, pairs=[("1122", "9999"), ("1001", "1122")]),
        replace(right, pairs=[("9999", "6001"), ("1001", "1122")]),
        replace(right, pairs=[("1122", "1122"), ("1001", "1122")]),
        replace(right, pair_of=[0, 5, 0, 1, *pairs]),
        replace(right, pair_of=[0, -5, 0, 1, *pairs]),
        replace(right, amounts_fen=[100, 0, 200, 200, *amounts]),
        replace(right, amounts_fen=[100, -1, 200, 200, *amounts]),
        replace(right, facts=[first, second._replace(kind=first.kind, source_id=first.source_id), *rest]),
        replace(right, facts=[first, second._replace(effective_on=TODAY), *rest]),
    ):
        with pytest.raises(IntegrityConstraintViolationError):
            await ingest_journal(runtime, tenant_id, actor, wrong)
    for broken in (
        replace(right, counts=[2, 3, *right.counts[2:]]),
        replace(right, counts=[4, 0, *right.counts[2:]]),
        replace(right, counts=[4, *right.counts[2:]]),
        replace(right, amounts_fen=[1]),
        replace(right, subject_ids=[]),
    ):
        with pytest.raises(InvariantBroken):
            await ingest_journal(runtime, tenant_id, actor, broken)
    assert await numbers(runtime, tenant_id) == []


async def test_two_writers_of_one_fact_at_once_book_it_once(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await open_books(runtime, tenant_id, actor)
    known, journals = sold_and_paid(7), [[sold_and_paid(n) for n in range(1, 4)] for _ in range(4)]
    told = await asyncio.gather(
        *(ingest_journal(runtime, tenant_id, actor, ledger.journal_of([*own[:2], known, *own[2:]])) for own in journals)
    )
    assert sorted(each.known_count for each in told) == [0, 1, 1, 1]
    assert await numbers(runtime, tenant_id) == list(range(1, 14))


async def test_the_way_in_is_the_tenant_s_own_and_leaves_the_checks_on(
    runtime: Runtime, tenant_id: int, other_tenant_id: int, actor: Actor
) -> None:
    await open_books(runtime, tenant_id, actor)
    with pytest.raises(BooksNotOpen):
        await ingest_journal(runtime, other_tenant_id, actor, ledger.journal_of([sold_and_paid(1)]))
    async with runtime.unit(tenant_id, actor) as uow:
        await ledger.post_many(uow, ledger.journal_of([sold_and_paid(1)]))
        assert await uow.scalar("SELECT current_setting('session_replication_role')") == "origin"
        # The same transaction's ordinary inserts are checked by their foreign keys as ever.
        with pytest.raises(IntegrityConstraintViolationError):
            async with uow.savepoint(keep=False):
                await uow.execute(
                    "INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)"
                    " SELECT tenant_id, id, 9, '1122', '9999', 1, id FROM ledger_entry WHERE tenant_id = :tenant"
                )
    async with runtime.reading(tenant_id) as read:
        assert await read.scalar("SELECT has_parameter_privilege('session_replication_role', 'SET')") is False


async def test_after_a_bulk_single_entries_go_on_counting(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await open_books(runtime, tenant_id, actor, sale(1, new_id(), TODAY))
    await ingest_journal(runtime, tenant_id, actor, ledger.journal_of([sold_and_paid(2), sold_and_paid(3)]))
    last = await post(runtime, tenant_id, actor, sale(4, new_id(), TODAY))
    assert await numbers(runtime, tenant_id) == [1, 2, 3, 4]
    assert (await booked(runtime, tenant_id, last[0])).total_fen == 4
