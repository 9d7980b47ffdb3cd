"""Money that came in before it was recorded counts from the day it came in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.integration.billing.conftest import Rental, only

from xinzu.back.billing import api
from xinzu.back.billing.events import ArrearsCleared, ChargeReduced
from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import Family, Financing
from xinzu.records.ledger import api as ledger

MakeRental = Callable[..., Rental]
LOAN = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12")
LEASE = Financing(family=Family.FINANCE_LEASE, principal_fen=1_200_000, annual_rate_pct="9")


async def transfer(rental: Rental, reference: str, amount_fen: int, received_on: date) -> api.Allocated:
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        [outcome] = await api.record_transfers(uow, [api.Transfer(rental.agreement_id, reference, amount_fen, received_on)])
    return accepted(outcome)


async def owes(rental: Rental) -> Any:
    """What the customer owes and has paid, item by item."""
    account = await rental.account()
    legs = await rental.instalments()
    fees = sorted((charge.due_on, charge.amount_fen - charge.cancelled_fen, charge.paid_fen) for charge in account.charges)
    return (
        account.balance_due_fen,
        account.credit_balance_fen,
        [fee for fee in fees if fee[1]],
        {(leg.number, leg.role): (leg.paid_fen, leg.state in {"paid", "scheduled"}) for leg in legs},
    )


# Each payment: the day after commencement it came in, how many days later it was recorded, and how much. They are recorded in order of the
# days they were recorded on.
STORIES = [
    [(40, 30, 106_619)],
    [(33, 20, 50_000), (45, 0, 90_000)],
    [(33, 45, 50_000), (45, 20, 90_000), (50, 0, 1_000), (62, 5, 200_000)],
    [(31, 1, 106_619), (62, 1, 106_619)],
    [(32, 60, 400_000), (70, 0, 10_000)],
    [(35, 50, 30), (36, 40, 106_000), (37, 30, 5_000), (66, 3, 106_619)],
    [(10, 50, 20_000), (45, 15, 107_000)],
]
FAMILIES: list[dict[str, Any]] = [
    {"rent_fen": 106_619, "financing": LOAN, "deposit_fen": 0},
    {"rent_fen": 104_941, "financing": LEASE, "deposit_fen": 0},
    {"rent_fen": 106_619, "late_fee_daily_rate": "0.0004"},
]


@pytest.mark.parametrize("grace_days", [0, 3])
async def test_paid_on_time_and_recorded_late_is_paid_on_time_fen_for_fen(another_rental: MakeRental, grace_days: int) -> None:
    pairs = []
    for story in STORIES:
        for terms in FAMILIES:
            punctual, late = (another_rental(grace_days=grace_days, **terms) for _ in range(2))
            pairs.append((punctual, late, story))
            for one in (punctual, late):
                await one.sign()
                await one.commence()
    clock = pairs[0][0]
    began_on = clock.today
    for day in range(1, 96):
        await clock.pass_days(1)
        for punctual, late, story in pairs:
            for n, (came, delay, fen) in enumerate(story):
                if came == day:
                    await transfer(punctual, f"P{n}-{punctual.agreement_id}", fen, clock.today)
                if came + delay == day:
                    await transfer(late, f"L{n}-{late.agreement_id}", fen, began_on + timedelta(days=came))
        if day % 10 == 0:
            await clock.check_books()
    for n, (punctual, late, _) in enumerate(pairs):
        assert await owes(late) == await owes(punctual), n
    # And from then on they stay alike, arrears and days past due too.
    await clock.pass_days(25)
    for punctual, late, _ in pairs:
        assert await owes(late) == await owes(punctual)
        ours, theirs = await late.account(), await punctual.account()
        assert (ours.overdue_fen, ours.days_past_due) == (theirs.overdue_fen, theirs.days_past_due)


async def test_late_fees_of_the_days_since_are_taken_back_with_entry_evidence_and_reason(another_rental: MakeRental) -> None:
    borrower = another_rental(rent_fen=106_619, deposit_fen=0, grace_days=0, financing=LOAN)
    await borrower.sign()
    await borrower.commence()  # 2 March; the first instalment is due on 2 April
    await borrower.pass_days(31 + 20)
    [fee] = (await borrower.account()).charges
    assert fee.amount_fen == 94_619 * 19 * 3 // 10_000
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        given = api.Transfer(borrower.agreement_id, "T-1", 106_619 + 141, date(2026, 4, 8))
        [outcome] = await api.record_transfers(uow, [given])
        said = list(uow.events)
    assert accepted(outcome).allocated_fen == 106_619 + 141
    await borrower.check_books()
    for_five_days = 94_619 * 5 * 3 // 10_000
    assert for_five_days == 141
    [reduced] = only(ChargeReduced, said)
    assert (reduced.amount_fen, reduced.taken_back_fen) == (141, fee.amount_fen - 141)
    assert len(only(ArrearsCleared, said)) == 1
    account = await borrower.account()
    assert (account.balance_due_fen, account.overdue_fen, account.days_past_due) == (0, 0, 0)
    assert account.charges[0].cancelled_fen == fee.amount_fen - 141
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        why = await api.why(read, borrower.agreement_id, parse_id(Prefix.CHARGE, fee.id))
        [done] = await api.adjustments_of(read, borrower.agreement_id)
        leaf = await read.scalar(
            "SELECT count(*) FROM evidence_leaf WHERE tenant_id = :tenant AND kind = 'billing.late_fee.corrected'"
        )
        entries = {each.entry.kind: each.entry for each in await ledger.journal(read, date(2026, 4, 8), date(2026, 4, 30))}
    assert (why.inputs["late_fee_fen"], why.inputs["taken_back_fen"]) == (141, fee.amount_fen - 141)
    assert (why.inputs["counted_from"], why.inputs["corrected_on"]) == ("2026-04-08", "2026-04-22")
    assert [(segment.from_on, segment.to_on) for segment in why.segments] == [(date(2026, 4, 3), date(2026, 4, 7))]
    assert (done.kind, done.amount_fen) == ("correction", fee.amount_fen - 141)
    assert leaf == 1
    assert entries["billing.receipt"].business_date == date(2026, 4, 8)
    assert sum(posting.amount_fen for posting in entries["billing.late_fee_corrected"].postings) == fee.amount_fen - 141


async def test_a_receipt_of_a_closed_month_is_booked_on_the_first_open_day_with_its_own_date(another_rental: MakeRental) -> None:
    borrower = another_rental(rent_fen=106_619, deposit_fen=0, grace_days=0, financing=LOAN)
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(65)  # 6 May
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        accepted((await ledger.close_periods(uow, [ledger.ClosePeriod(date(2026, 4, 30))]))[0])
    await transfer(borrower, "T-1", 106_619, date(2026, 4, 2))
    await borrower.check_books()
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        entries = await ledger.journal(read, date(2026, 5, 1), date(2026, 5, 6))
    [receipt] = [each.entry for each in entries if each.entry.kind == "billing.receipt"]
    assert (receipt.business_date, receipt.effective_on) == (date(2026, 5, 1), date(2026, 4, 2))


async def test_a_receipt_of_a_day_before_the_commencement_is_refused(another_rental: MakeRental) -> None:
    borrower = another_rental(rent_fen=106_619, deposit_fen=0, financing=LOAN)
    await borrower.sign()
    await borrower.pass_days(3)
    await borrower.commence()
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        given = [
            api.Transfer(borrower.agreement_id, reference, 1_000, on)
            for reference, on in (
                ("T-1", borrower.today - timedelta(days=1)),
                ("T-2", borrower.today),
                ("T-3", borrower.today + timedelta(days=1)),
            )
        ]
        before, allowed, to_come = await api.record_transfers(uow, given)
    assert isinstance(before, Invalid)
    assert before.errors[0].code == "billing.received_before_commencement"
    assert accepted(allowed).is_new
    assert isinstance(to_come, Invalid)


async def test_receipts_of_today_cost_no_further_statement(another_rental: MakeRental) -> None:
    """The hot path stays as it was: what money of an earlier day needs is only read for such money."""
    lessees = [another_rental(rent_fen=106_619, deposit_fen=0, financing=LOAN) for _ in range(3)]
    for lessee in lessees:
        await lessee.sign()
        await lessee.commence()
    clock = lessees[0]
    await clock.pass_days(50)
    statements: list[str] = []
    for count in (1, 3):
        statements.clear()
        async with clock.runtime.unit(clock.tenant_id, clock.actor) as uow:
            given = [
                api.Transfer(each.agreement_id, f"{count}-{n}", 5_000, clock.today) for n, each in enumerate(lessees[:count])
            ]
            with uow.connection.query_logger(lambda said: statements.append(said.query)):
                for outcome in await api.record_transfers(uow, given):
                    accepted(outcome)
        assert 0 < sum("billing_" in statement for statement in statements) <= 12, count
        assert not any("billing_adjustment" in statement for statement in statements)
