"""The last day of a month: what unfinished periods have earned is income of the month, and the next one begins without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.integration.billing.test_amendments import amend
from tests.integration.billing.test_three_families import loan

from xinzu.back.billing import api
from xinzu.back.billing.model import Role
from xinzu.back.billing.rules.effective_interest import earned_fen
from xinzu.back.billing.rules.postings import leg_earned
from xinzu.kernel.terms import Family
from xinzu.records.ledger import api as ledger

Rental = Any
MakeRental = Callable[..., Rental]
INCOME = {"6001", "6011", "6041"}


async def _income_fen(rental: Rental, on: date) -> int:
    async with rental.runtime.reading(rental.tenant_id) as read:
        trial = await ledger.trial_balance(read, on)
    return sum(line.balance_fen for line in trial.lines if line.account.code in INCOME)


async def test_a_month_has_the_income_of_its_days_and_the_legs_are_earned_when_they_end(
    rental: Rental, another_rental: MakeRental
) -> None:
    people = [rental, *(another_rental(rent_fen=fen) for fen in (1, 99, 29_901))]
    for person in people:
        await person.begin()  # on 2 March
    await rental.pass_days(30)
    march, april_1 = date(2026, 3, 31), date(2026, 4, 1)
    legs = [leg for person in people for leg in await person.instalments()]
    net_fen = sum(
        moved.amount_fen
        for leg in legs
        for moved in leg_earned(Family.RENTAL, Role.RENT, 0, earned_fen(leg.amount_fen, leg.from_on, leg.to_on, march))
    )
    assert net_fen > 0
    assert await _income_fen(rental, march) == net_fen
    assert await _income_fen(rental, april_1) == 0
    async with rental.runtime.reading(rental.tenant_id) as read:
        assert await read.scalar("SELECT sum(earned_fen) FROM billing_instalment WHERE tenant_id = :tenant") == 0
    async with rental.runtime.reading(rental.tenant_id) as read:
        accrued = [each.entry for each in await ledger.journal(read, march, april_1) if "accru" in each.entry.kind]
    assert [(entry.kind, entry.business_date, entry.total_fen) for entry in accrued] == [
        ("billing.income_accrued", march, net_fen),
        ("billing.accrual_reversed", april_1, net_fen),
    ]
    assert len(accrued[0].postings) == 1  # in sums: how many agreements there are does not matter
    rental.clock.advance(timedelta(days=1))
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        report = await api.close_day(uow, april_1)
    firsts = [leg.amount_fen for leg in legs if leg.number == 1]
    assert (report.income_fen, report.accrued_fen) == (sum(firsts), 0)
    await rental.check_books()


async def test_what_changes_within_a_month_has_no_accrual_to_undo(rental: Rental) -> None:
    await rental.begin()
    await rental.pass_days(40)
    await rental.give_back()  # books and billing are compared after each step
    await rental.pass_days(30)
    assert "2205" not in await rental.balances()


async def test_interest_that_is_no_income_is_not_accrued(another_rental: MakeRental) -> None:
    borrower = loan(another_rental)
    await borrower.sign()
    await borrower.commence()
    while (await borrower.account()).non_accrual_since is None:
        await borrower.pass_days(1)
    while borrower.today.day != 1:
        await borrower.pass_days(1)
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        month = await ledger.journal(read, borrower.today - timedelta(days=1), borrower.today)
    assert [each for each in month if each.entry.kind == "billing.income_accrued"] == []


async def test_a_change_on_the_first_of_a_month_leaves_the_month_before_as_it_was(another_rental: MakeRental) -> None:
    """A rate that changes on 1 April: what March had earned stays March's, once, and April begins with it taken back and earned again."""
    borrower = loan(another_rental)
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(30)
    assert borrower.today == date(2026, 4, 1)
    march_fen = await _income_fen(borrower, date(2026, 3, 31))
    assert march_fen > 0
    await amend(borrower, "rate_change", annual_rate_pct="6")
    assert await _income_fen(borrower, date(2026, 3, 31)) == march_fen
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        earned_by_legs_fen = await read.scalar("SELECT sum(earned_fen) FROM billing_instalment WHERE tenant_id = :tenant")
    [net, _] = leg_earned(Family.LOAN, Role.INTEREST, 0, earned_by_legs_fen)
    assert await _income_fen(borrower, date(2026, 4, 1)) == net.amount_fen > 0
