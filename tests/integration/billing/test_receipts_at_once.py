"""Receipts of many agreements in one transaction, and many transactions at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from asyncpg import IntegrityConstraintViolationError
from tests.integration.billing.conftest import RENT_FEN, Rental, terms

from xinzu.back.billing import api
from xinzu.back.billing.errors import ReceiptConflict
from xinzu.back.billing.store import receipts
from xinzu.kernel.ids import Prefix, new_id, new_ids, parse_id
from xinzu.kernel.outcomes import accepted
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings

AT_ONCE = 50
MANY = 110  # from a hundred on references are checked in sets


@pytest.fixture
def agreement_ids() -> list[UUID]:
    return new_ids(MANY)


async def begin_all(rental: Rental, agreement_ids: list[UUID]) -> None:
    """Handed over today: the first rent is due."""
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        openings = [api.Opening(each, new_id(), f"XZ-{n}", terms(), rental.today) for n, each in enumerate(agreement_ids)]
        await api.open_accounts(uow, openings)
        await api.issue_schedules(uow, [api.Commencement(each, rental.today) for each in agreement_ids])


def receipt_of(rental: Rental, agreement_id: UUID, amount_fen: int, ref: str | None = None) -> api.Receipt:
    return api.Receipt(agreement_id, "payments", ref or str(new_id()), "instalment", "alipay", "1", amount_fen, rental.today)


@asynccontextmanager
async def many_connections(rental: Rental, urls: DatabaseUrls, settings: Settings, home: Path) -> AsyncIterator[Runtime]:
    keyring = FileKeyring.open_or_create(home / "keyring.json")
    database = Database(urls.app.get_secret_value(), pool_size=AT_ONCE)
    runtime = Runtime(settings, database, keyring, Outbound(), rental.clock)
    try:
        yield runtime
    finally:
        await runtime.close()


async def test_fifty_transactions_at_once_on_one_agreement_neither_deadlock_nor_lose_a_fen(
    rental: Rental, database_urls: DatabaseUrls, settings: Settings, home: Path
) -> None:
    await rental.sign()
    await rental.commence()
    all_begun = asyncio.Barrier(AT_ONCE)

    async def pay(turn: int) -> int:
        async with runtime.unit(rental.tenant_id, rental.actor) as uow:
            await uow.scalar("SELECT 1")
            await all_begun.wait()
            [outcome] = await api.record_receipts(uow, [receipt_of(rental, rental.agreement_id, 1_000 + turn)])
        return accepted(outcome).allocated_fen

    async with many_connections(rental, database_urls, settings, home) as runtime:
        allocated = await asyncio.wait_for(asyncio.gather(*(pay(turn) for turn in range(AT_ONCE))), 60)
    account = await rental.account()
    assert sum(allocated) == RENT_FEN
    assert account.credit_balance_fen == sum(1_000 + turn for turn in range(AT_ONCE)) - RENT_FEN
    await rental.check_books()


async def test_batches_at_once_over_the_same_agreements_wait_in_one_order(rental: Rental) -> None:
    agreement_ids = new_ids(20)
    await begin_all(rental, agreement_ids)
    told_twice = [receipt_of(rental, each, 500) for each in agreement_ids]

    async def pay(given: list[api.Receipt]) -> int:
        async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
            return sum(accepted(outcome).is_new for outcome in await api.record_receipts(uow, given))

    batches = [[receipt_of(rental, each, 700) for each in agreement_ids[:: 1 if n % 2 else -1]] for n in range(4)]
    told = await asyncio.gather(*(pay(batch) for batch in [*batches, told_twice, told_twice[::-1], told_twice + told_twice]))
    assert sum(told) == 5 * len(agreement_ids)
    async with rental.runtime.reading(rental.tenant_id) as read:
        for each in agreement_ids:
            assert (await api.account_of(read, each)).balance_due_fen == RENT_FEN - 4 * 700 - 500
    await rental.check_books()


async def test_a_large_batch_does_what_its_receipts_would_do_one_by_one(rental: Rental, agreement_ids: list[UUID]) -> None:
    await begin_all(rental, agreement_ids)
    exact, short, over, twice, late = (agreement_ids[n::5] for n in range(5))
    given = [
        *(receipt_of(rental, each, RENT_FEN) for each in exact),
        *(receipt_of(rental, each, 1) for each in short),
        *(receipt_of(rental, each, RENT_FEN + 250) for each in over),
        *(receipt_of(rental, each, fen) for each in twice for fen in (20_000, 20_000)),
        receipt_of(rental, new_id(), 1),
    ]
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        outcomes = await api.record_receipts(uow, given)
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [False] * (len(given) - 1) + [True]
    by_agreement: dict[UUID, int] = {}
    for receipt, outcome in zip(given[:-1], outcomes[:-1], strict=True):
        by_agreement[receipt.agreement_id] = by_agreement.get(receipt.agreement_id, 0) + accepted(outcome).allocated_fen
    assert [by_agreement[each] for each in (*exact, *over, *twice)] == [RENT_FEN] * len((*exact, *over, *twice))
    await rental.check_books()
    async with rental.runtime.reading(rental.tenant_id) as read:
        for group, due_fen, credit_fen in (
            (exact, 0, 0),
            (short, RENT_FEN - 1, 0),
            (over, 0, 250),
            (twice, 0, 40_000 - RENT_FEN),
            (late, RENT_FEN, 0),
        ):
            for each in group[:3]:
                account = await api.account_of(read, each)
                assert (account.balance_due_fen, account.credit_balance_fen) == (due_fen, credit_fen)
    # Held money, new money and arrears in one batch: the oldest money is set first, and what is overdue is cleared.
    await rental.pass_days(40)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        for outcome in await api.record_receipts(uow, [receipt_of(rental, each, 100_000) for each in agreement_ids]):
            accepted(outcome)
        cleared = [event for event in uow.events if type(event).__name__ == "ArrearsCleared"]
    async with rental.runtime.reading(rental.tenant_id) as read:
        standing = [await api.account_of(read, each) for each in agreement_ids]
    assert [each.balance_due_fen for each in standing] == [0] * MANY
    assert len(cleared) == len(short) + len(late) + len(exact) + len(over) + len(twice)
    await rental.check_books()


async def test_a_reference_given_to_money_of_two_agreements_at_once_is_recorded_once(
    rental: Rental, agreement_ids: list[UUID]
) -> None:
    await begin_all(rental, agreement_ids[:2])

    async def pay(agreement_id: UUID) -> object:
        try:
            async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
                [outcome] = await api.record_receipts(uow, [receipt_of(rental, agreement_id, 100, "one-and-the-same")])
                await asyncio.sleep(0.05)  # so that both have looked the reference up
                return outcome
        except ReceiptConflict as refusal:
            return refusal

    outcomes = await asyncio.gather(*(pay(each) for each in agreement_ids[:2]))
    assert sorted(isinstance(outcome, ReceiptConflict) for outcome in outcomes) == [False, True]
    await rental.check_books()


@pytest.mark.parametrize("count", [1, MANY])
async def test_a_receipt_refers_to_what_is_there(rental: Rental, agreement_ids: list[UUID], count: int) -> None:
    await begin_all(rental, agreement_ids)
    async with rental.runtime.reading(rental.tenant_id) as read:
        [leg] = [each for each in await api.instalments_of(read, agreement_ids[-1]) if each.due_on == rental.today]
    right = [
        receipts.NewReceipt(new_id(), each, "payments", str(new_id()), "instalment", "alipay", "1", 100, rental.today)
        for each in agreement_ids[-count:]
    ]
    row = receipts.AllocationRow(new_id(), right[-1].agreement_id, right[-1].id, parse_id(Prefix.INSTALMENT, leg.id), None, 100)
    for given, rows in (
        ([*right[:-1], right[-1]._replace(agreement_id=new_id())], [row]),
        (right, [row._replace(instalment_id=new_id())]),
        (right, [row._replace(instalment_id=None, charge_id=new_id())]),
        (right, [row._replace(charge_id=new_id())]),
        (right, [row._replace(instalment_id=None)]),
        (right, [row._replace(amount_fen=101)]),
    ):
        with pytest.raises(IntegrityConstraintViolationError):
            async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
                await receipts.insert_receipts(uow, given, rows)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow, uow.savepoint(keep=False):
        await receipts.insert_receipts(uow, right, [row])
        assert await uow.scalar("SELECT current_setting('session_replication_role')") == "origin"


async def test_money_of_yesterday_and_today_in_one_batch_counts_each_from_its_day(rental: Rental) -> None:
    agreement_ids = new_ids(3)
    await begin_all(rental, agreement_ids)
    await rental.pass_days(10)
    given = [receipt_of(rental, each, RENT_FEN) for each in agreement_ids]
    given[1] = replace(given[1], received_on=rental.today - timedelta(days=9))
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        outcomes = [accepted(outcome) for outcome in await api.record_receipts(uow, given)]
    async with rental.runtime.reading(rental.tenant_id) as read:
        owed = [(await api.account_of(read, each)).balance_due_fen for each in agreement_ids]
    assert owed[1] == 0 < owed[0] == owed[2]
    assert outcomes[1].allocated_fen == RENT_FEN
    await rental.check_books()
