"""The close of business: in order, once, all or nothing, and the same whatever is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from xinzu.back.billing import api
from xinzu.back.billing.errors import DayNotOver, DaySkipped
from xinzu.back.billing.events import AccountSettled, ArrearsAged, BooksDiffered, DayClosed, InstalmentFellDue
from xinzu.back.billing.jobs import close_days
from xinzu.back.billing.model import ItemKind
from xinzu.back.billing.rules.delinquency import arrears
from xinzu.back.billing.rules.late_fee import late_fee_fen
from xinzu.back.billing.store.items import open_items
from xinzu.kernel.ids import new_id
from xinzu.platform.events.relay import Relay
from xinzu.records.ledger import api as ledger

RENT_FEN = 29_900
START = date(2026, 3, 2)
AGEING = {ItemKind.RENT, ItemKind.LATE_FEE}
Rental = Any


async def close(rental: Rental, on: date, *, dry_run: bool = False) -> api.DayReport:
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        return await api.close_day(uow, on, dry_run=dry_run)


async def test_days_are_closed_in_order_once_and_only_when_they_are_over(rental: Rental) -> None:
    async with rental.runtime.reading(rental.tenant_id) as read:
        assert await api.days_to_close(read) == []
    with pytest.raises(DayNotOver):
        await close(rental, START)
    rental.clock.advance(timedelta(days=3))
    async with rental.runtime.reading(rental.tenant_id) as read:
        assert await api.days_to_close(read) == [START + timedelta(days=n) for n in range(3)]
    with pytest.raises(DaySkipped):
        await close(rental, START + timedelta(days=1))
    with pytest.raises(DaySkipped):
        await close(rental, START - timedelta(days=1))
    first = await close(rental, START)
    again = await close(rental, START)
    assert (first.was_closed, again.was_closed) == (False, True)


async def test_the_job_catches_up_on_missed_days(rental: Rental) -> None:
    await rental.begin()
    rental.clock.advance(timedelta(days=45))
    await close_days(rental.runtime, rental.tenant_id, {})
    await close_days(rental.runtime, rental.tenant_id, {})
    async with rental.runtime.reading(rental.tenant_id) as read:
        assert await api.days_to_close(read) == []
        closed = await read.scalar(
            "SELECT count(*) FROM platform_event WHERE tenant_id = :tenant AND type = :t", t=DayClosed.type
        )
        aged = await read.scalar(
            "SELECT count(*) FROM platform_event WHERE tenant_id = :tenant AND type = :t", t=ArrearsAged.type
        )
    assert closed == 45
    assert (await rental.account()).days_past_due == (date(2026, 4, 15) - date(2026, 4, 2)).days
    assert aged == 10  # 6 to 15 April
    await rental.check_books()


async def test_a_dry_run_says_what_would_be_and_changes_nothing(rental: Rental) -> None:
    await rental.begin()
    await rental.pass_days(30)
    rental.clock.advance(timedelta(days=1))
    before = (await rental.balances(), await rental.instalments())
    would_be = await close(rental, date(2026, 4, 1), dry_run=True)
    assert (would_be.fell_due_count, would_be.dry_run, would_be.was_closed) == (1, True, False)
    assert (await rental.balances(), await rental.instalments()) == before
    async with rental.runtime.reading(rental.tenant_id) as read:
        said = await read.scalar(
            "SELECT count(*) FROM platform_event WHERE tenant_id = :tenant AND type = :t", t=InstalmentFellDue.type
        )
    assert said == 0
    done = await close(rental, date(2026, 4, 1))
    assert done.fell_due_count == 1


async def test_two_closes_at_once_close_once(rental: Rental) -> None:
    await rental.begin()
    await rental.pass_days(30)
    rental.clock.advance(timedelta(days=1))
    reports = await asyncio.gather(*(close(rental, date(2026, 4, 1)) for _ in range(3)))
    assert sorted(report.was_closed for report in reports) == [False, True, True]
    await rental.check_books()


async def test_late_fees_in_the_database_are_what_the_rule_says(rental: Rental, another_rental: Callable[..., Rental]) -> None:
    rates = ["0", "0.00001", "0.0003", "0.000328767", "0.0005", "0.02", "1"]
    rents = [1, 99, 29_900, 1_234_567, 98_765_432_101]
    rentals = [another_rental(late_fee_daily_rate=rate, rent_fen=rent, grace_days=1) for rate in rates for rent in rents]
    for one in rentals:
        await one.sign()
        await one.commence()
    for days in (3, 20, 400):
        await rental.pass_days(days)
        async with rental.runtime.reading(rental.tenant_id) as read:
            rows = await read.rows(
                "SELECT c.amount_fen, c.fen_days, i.amount_fen AS rent_fen, a.late_fee_daily_rate, a.late_fee_ceiling_annual_pct"
                " FROM billing_charge c JOIN billing_instalment i ON i.tenant_id = c.tenant_id AND i.id = c.instalment_id"
                " JOIN billing_account a ON a.tenant_id = c.tenant_id AND a.agreement_id = c.agreement_id WHERE c.tenant_id = :tenant"
            )
        assert len(rows) >= len(rentals)
        for row in rows:
            expected = late_fee_fen(row.fen_days, row.rent_fen, row.late_fee_daily_rate, row.late_fee_ceiling_annual_pct)
            assert row.amount_fen == expected


async def test_arrears_in_the_database_are_what_the_rule_says(rental: Rental, another_rental: Callable[..., Rental]) -> None:
    rentals = [another_rental(grace_days=grace, late_fee_daily_rate=rate) for grace in (0, 1, 3, 30) for rate in ("0", "0.0003")]
    for one in rentals:
        await one.begin()
    seen: set[bool] = set()
    for days, paid_fen in ((30, 0), (2, 1), (3, RENT_FEN - 1), (25, 7_000), (5, 0), (40, 3 * RENT_FEN), (1, 100_000)):
        await rental.pass_days(days)
        for one in rentals:
            if paid_fen:
                await one.pay(paid_fen)
            closed_on = rental.today - timedelta(days=1)
            async with rental.runtime.reading(rental.tenant_id) as read:
                owed = (await open_items(read, [one.agreement_id])).get(one.agreement_id, [])
                account = await api.account_of(read, one.agreement_id)
            expected = arrears([item for item in owed if item.kind in AGEING], one.terms.grace_days, closed_on)
            assert (account.overdue_fen, account.days_past_due) == (expected.overdue_fen, expected.days_past_due)
            seen.add(expected.overdue_fen > 0)
    assert seen == {True, False}


async def test_fifty_receipts_at_once_on_one_agreement_lose_no_fen(rental: Rental) -> None:
    await rental.sign()
    await rental.commence()

    async def pay() -> None:
        async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
            receipt = api.Receipt(
                rental.agreement_id, "payments", str(new_id()), "instalment", "alipay", "1", 1_000, rental.today
            )
            await api.record_receipts(uow, [receipt])

    await asyncio.gather(*(pay() for _ in range(50)))
    account = await rental.account()
    assert (account.balance_due_fen, account.credit_balance_fen) == (0, 50_000 - RENT_FEN)
    await rental.check_books()


async def test_receipts_and_a_close_at_once_do_not_block_each_other_for_good(
    rental: Rental, another_rental: Callable[..., Rental]
) -> None:
    rentals = [another_rental() for _ in range(15)]
    for one in rentals:
        await one.sign()
        await one.commence()
    await rental.pass_days(29)

    async def pay(one: Rental) -> None:
        async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
            receipt = api.Receipt(one.agreement_id, "payments", str(new_id()), "instalment", "alipay", "1", 5_000, one.today)
            await api.record_receipts(uow, [receipt])

    for _ in range(4):
        rental.clock.advance(timedelta(days=1))
        await asyncio.gather(
            close_days(rental.runtime, rental.tenant_id, {}),
            *(pay(one) for one in rentals),
            *(pay(one) for one in reversed(rentals)),
        )
    await rental.check_books()


async def test_the_relay_brings_a_whole_rental_through_billing(rental: Rental) -> None:
    """The same story through the event table: handlers are subscribed, and a fact that comes too early is brought again."""
    from xinzu.back.assets.events import AssetInspected
    from xinzu.back.payments.events import PaymentSucceeded

    await rental.sign()
    await rental.commence()
    payment = PaymentSucceeded(
        subject_id=rental.agreement_id,
        payment_id=new_id(),
        party_id=rental.party_id,
        purpose="instalment",
        amount_fen=RENT_FEN + 29_900,
        provider="alipay",
        provider_trade_no="1",
        paid_at=rental.clock.now(),
    )
    inspected = AssetInspected(
        subject_id=rental.agreement_id, asset_id=new_id(), inspection_id=new_id(), returned_on=rental.today, damage_fen=0
    )
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        uow.emit(payment, payment)
    await Relay(rental.runtime).drain([rental.tenant_id])
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        uow.emit(inspected)
    await Relay(rental.runtime).drain([rental.tenant_id])
    account = await rental.account()
    assert (account.state, account.balance_due_fen) == ("settling", 100)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        uow.emit(
            PaymentSucceeded(
                subject_id=rental.agreement_id,
                payment_id=new_id(),
                party_id=rental.party_id,
                purpose="settlement",
                amount_fen=100,
                provider="alipay",
                provider_trade_no="2",
                paid_at=rental.clock.now(),
            )
        )
    await Relay(rental.runtime).drain([rental.tenant_id])
    async with rental.runtime.reading(rental.tenant_id) as read:
        settled = await read.scalar(
            "SELECT count(*) FROM platform_event WHERE tenant_id = :tenant AND type = :t", t=AccountSettled.type
        )
    assert settled == 1
    await rental.check_books()


@pytest.mark.parametrize("side", ["billing", "books"])
async def test_every_close_finds_what_one_side_has_and_the_other_has_not(rental: Rental, side: str) -> None:
    """One fen too many on either side on an ordinary day is said by that day's close and by each one until it is put right."""
    await rental.begin()
    await rental.pass_days(3)
    rental.clock.advance(timedelta(days=3))
    [held, receivable] = ["2203", "1122"]
    assert (await close(rental, date(2026, 3, 5))).differing_count == 0
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        if side == "billing":
            await uow.execute("UPDATE billing_receipt SET amount_fen = amount_fen + 1 WHERE tenant_id = :tenant")
        else:
            postings = (ledger.Posting(receivable, held, 1, rental.agreement_id),)
            await ledger.post(uow, [ledger.Entry("test.by_hand", new_id(), date(2026, 3, 8), "手工凭证", postings)])
    for on in (date(2026, 3, 6), date(2026, 3, 7)):
        async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
            report = await api.close_day(uow, on)
            said = [(each.account, each.ledger_fen - each.billing_fen) for each in uow.events if isinstance(each, BooksDiffered)]
        assert said == ([(held, -1)] if side == "billing" else [(receivable, 1), (held, 1)])
        assert report.differing_count == len(said)


async def test_what_is_counted_on_is_summed_up_anew_once_a_month(rental: Rental) -> None:
    """Even if the figures of a comparison were lost or wrong, the books and billing would be compared from the beginning at the month's end."""
    await rental.begin()
    await rental.pass_days(27)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        await uow.execute(
            """UPDATE billing_day SET compared_fen = jsonb_set(compared_fen, '{1122}', '7') WHERE tenant_id = :tenant"""
        )
    rental.clock.advance(timedelta(days=4))
    reports = [await close(rental, date(2026, 3, day)) for day in (29, 30, 31)]
    assert [report.differing_count for report in reports] == [1, 1, 0]


async def test_a_day_on_which_nothing_happens_costs_nine_statements(rental: Rental) -> None:
    await rental.begin()
    await rental.pass_days(5)
    rental.clock.advance(timedelta(days=1))
    said: list[object] = []
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        with uow.connection.query_logger(said.append):
            await api.close_day(uow, date(2026, 3, 7))
    assert len(said) == 8, said  # the ninth says DayClosed


async def test_all_that_falls_due_on_a_day_is_one_entry_with_a_posting_for_each_agreement(
    rental: Rental, another_rental: Callable[..., Rental]
) -> None:
    people = [rental, *(another_rental() for _ in range(4))]
    for person in people:
        await person.sign()
        await person.commence()
    await rental.pass_days(31)
    async with rental.runtime.reading(rental.tenant_id) as read:
        due = [each.entry for each in await ledger.journal(read, date(2026, 4, 2), date(2026, 4, 2))]
    [entry] = [entry for entry in due if entry.kind == "billing.instalments_due"]
    assert {posting.subject_id for posting in entry.postings} == {person.agreement_id for person in people}
    assert entry.total_fen == len(people) * RENT_FEN


async def test_the_close_reads_only_what_is_about_to_be_due_or_is_open(
    rental: Rental, another_rental: Callable[..., Rental]
) -> None:
    """The plan of each step stands on a partial index: a book of paid and far instalments costs nothing."""
    rentals = [another_rental(period_count=48) for _ in range(40)]
    for one in rentals:
        await one.sign()
        await one.commence()
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        await uow.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for condition in ("i.state = 'scheduled' AND i.due_on <= date '2026-03-03'", "i.state IN ('due', 'overdue')"):
            rows = await uow.rows(f"EXPLAIN SELECT i.id FROM billing_instalment i WHERE i.tenant_id = :tenant AND {condition}")
            plans.append("\n".join(row[0] for row in rows))
    assert "ix_billing_instalment_scheduled" in plans[0]
    assert "ix_billing_instalment_open" in plans[1]
