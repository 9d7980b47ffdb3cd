"""A loan and a lease more than 90 days past due: interest stops entering income, and does so again when they are cured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.integration.billing.conftest import Rental, only

from xinzu.back.billing import api
from xinzu.back.billing.events import AccrualResumed, AccrualStopped, AssetReclassified
from xinzu.back.billing.model import AdjustmentKind
from xinzu.back.billing.rules.vat import vat_fen
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import Family, Financing
from xinzu.records.ledger import api as ledger

MakeRental = Callable[..., Rental]
TERMS: dict[Family, dict[str, Any]] = {
    family: {
        "rent_fen": 106_619,
        "deposit_fen": 0,
        "grace_days": 0,
        "period_count": 24,
        "financing": Financing(family=family, principal_fen=2_200_000, annual_rate_pct="12"),
    }
    for family in (Family.LOAN, Family.FINANCE_LEASE)
}
INCOME = {Family.LOAN: "6011", Family.FINANCE_LEASE: "6041"}
SUSPENDED = {Family.LOAN: "113202", Family.FINANCE_LEASE: "153201"}
RATE_PCT = {Family.LOAN: 6, Family.FINANCE_LEASE: 13}


async def transfer(rental: Rental, reference: str, amount_fen: int, received_on: date | None = None) -> api.Allocated:
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        given = api.Transfer(rental.agreement_id, reference, amount_fen, received_on or rental.today)
        [outcome] = await api.record_transfers(uow, [given])
    await rental.check_books()
    return accepted(outcome)


async def interest(rental: Rental) -> list[Any]:
    """Interest by leg: what is claimed, paid, earned and suspended."""
    async with rental.runtime.reading(rental.tenant_id) as read:
        return list(
            await read.rows(
                "SELECT state, amount_fen AS claimed_fen, paid_fen, cancelled_fen, earned_fen, suspended_fen, suspended_vat_fen"
                " FROM billing_instalment WHERE tenant_id = :tenant AND agreement_id = :agreement AND role = 'interest'"
                " ORDER BY number",
                agreement=rental.agreement_id,
            )
        )


async def check_interest(rental: Rental) -> None:
    """Suspended and earned are what is claimed; of what is to come nothing is earned while accrual is stopped."""
    is_stopped = (await rental.account()).non_accrual_since is not None
    for leg in await interest(rental):
        if leg.state != "scheduled":
            assert leg.suspended_fen + leg.earned_fen == leg.claimed_fen
            assert leg.suspended_fen == (leg.claimed_fen - leg.paid_fen - leg.cancelled_fen if is_stopped else 0)
        elif is_stopped:
            assert leg.earned_fen == 0


@pytest.mark.parametrize("family", [Family.LOAN, Family.FINANCE_LEASE])
async def test_over_ninety_one_days_and_back(another_rental: MakeRental, family: Family) -> None:
    borrower = another_rental(**TERMS[family])
    await borrower.sign()
    await borrower.commence()  # 2 March; the first instalment is due on 2 April
    said = await borrower.pass_days(31 + 91)  # closed up to 1 July: 90 days past due
    assert only(AccrualStopped, said) == []
    legs = await interest(borrower)
    due_fen = sum(leg.claimed_fen for leg in legs if leg.state != "scheduled")
    accrued_fen = sum(leg.earned_fen for leg in legs if leg.state == "scheduled")
    income_before = (await borrower.balances())[INCOME[family]]
    assert income_before > 0

    [stopped] = only(AccrualStopped, await borrower.pass_days(1))
    assert (stopped.business_date, stopped.days_past_due, stopped.taken_back_fen) == (date(2026, 7, 2), 91, due_fen + accrued_fen)
    await check_interest(borrower)
    account = await borrower.account()
    assert (account.non_accrual_since, account.suspended_fen) == (date(2026, 7, 2), due_fen)
    balances = await borrower.balances()
    assert INCOME[family] not in balances  # nothing was ever paid, so nothing is income
    rate_pct = RATE_PCT[family]
    assert balances[SUSPENDED[family]] == sum(
        leg.claimed_fen - vat_fen(leg.claimed_fen, rate_pct) for leg in await interest(borrower) if leg.state != "scheduled"
    )

    # Two months on: interest falls due, is claimed and is no income; nothing of the month's interest is earned at its end.
    payable_before = balances.get("222106", 0)
    await borrower.pass_days(62)
    await check_interest(borrower)
    legs = await interest(borrower)
    balances = await borrower.balances()
    assert INCOME[family] not in balances
    since_fen = sum(leg.suspended_vat_fen for leg in legs)
    assert (since_fen > 0) is (family is Family.LOAN)  # a loan's VAT waits for the money, a lease's rent is taxed when due
    if family is Family.LOAN:
        # Only principal's late fees were taxed meanwhile; the interest was not.
        fees_fen = sum(charge.amount_fen for charge in (await borrower.account()).charges)
        assert balances["222106"] - payable_before < vat_fen(fees_fen, 6)
        assert balances["222110"] == since_fen

    # What is paid is income in the order of the waterfall: the oldest instalment first.
    fee = (await borrower.account()).charges
    first = [leg for leg in await borrower.instalments() if leg.number == 1]
    oldest_fee_fen = sum(charge.amount_fen for charge in fee if charge.due_on == first[0].due_on)
    await transfer(borrower, "T-1", oldest_fee_fen + legs[0].claimed_fen // 2)
    await check_interest(borrower)
    half_fen = legs[0].claimed_fen - legs[0].claimed_fen // 2
    assert (await borrower.balances())[INCOME[family]] == (
        legs[0].claimed_fen - vat_fen(legs[0].claimed_fen, rate_pct) - (half_fen - vat_fen(half_fen, rate_pct))
    )

    # All arrears paid: everything claimed so far is income, and yet the class stays, so that interest is income only when paid.
    await transfer(borrower, "T-2", (await borrower.account()).balance_due_fen)
    account = await borrower.account()
    assert (account.suspended_fen, account.overdue_fen, account.asset_class) == (0, 0, "substandard")
    await check_interest(borrower)
    said = []
    for n in range(220):
        said += await borrower.pass_days(1)
        await check_interest(borrower)
        owed_fen = (await borrower.account()).balance_due_fen
        if owed_fen and not only(AccrualResumed, said):
            await transfer(borrower, f"M-{n}", owed_fen)
        if only(AccrualResumed, said):
            break
    [resumed] = only(AccrualResumed, said)
    [better] = only(AssetReclassified, said)
    assert (better.asset_class, better.business_date) == ("normal", resumed.business_date)
    assert (await borrower.account()).non_accrual_since is None
    while borrower.today.day != 1:  # a month end: what is to come is accrued by its days again
        await borrower.pass_days(1)
    month_end = borrower.today - timedelta(days=1)
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        kinds = {each.entry.kind for each in await ledger.journal(read, month_end, month_end)}
    assert "billing.income_accrued" in kinds


async def test_what_is_claimed_and_within_its_grace_when_accrual_resumes_is_income_at_once(another_rental: MakeRental) -> None:
    borrower = another_rental(**TERMS[Family.LOAN] | {"grace_days": 10})
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(31 + 92)
    assert (await borrower.account()).non_accrual_since is not None
    said = []
    for n in range(260):
        said += await borrower.pass_days(1)
        account = await borrower.account()
        if account.overdue_fen or (account.balance_due_fen and borrower.today.day == 10):
            await transfer(borrower, f"M-{n}", account.balance_due_fen)
        if only(AccrualResumed, said):
            break
    [resumed] = only(AccrualResumed, said)
    account = await borrower.account()
    claimed_fen = sum(leg.amount_fen for leg in await borrower.instalments() if leg.role == "interest" and leg.state == "due")
    assert resumed.recognised_fen == claimed_fen > 0
    assert (account.suspended_fen, account.overdue_fen) == (0, 0)


async def test_the_reason_of_suspended_interest_says_since_when(another_rental: MakeRental) -> None:
    borrower = another_rental(**TERMS[Family.LOAN])
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(31 + 92)
    first = next(leg for leg in await borrower.instalments() if leg.role == "interest")
    assert first.suspended_fen == first.amount_fen
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        why = await api.why(read, borrower.agreement_id, parse_id(Prefix.INSTALMENT, first.id))
    assert (why.inputs["non_accrual_since"], why.inputs["suspended_fen"]) == ("2026-07-02", first.amount_fen)
    assert "停止计提" in why.words_zh


async def test_interest_that_is_let_off_or_written_off_was_never_income(another_rental: MakeRental) -> None:
    borrower = another_rental(**TERMS[Family.LOAN] | {"period_count": 3})
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(31 + 120)
    first = next(leg for leg in await borrower.instalments() if leg.role == "interest")
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        waiver = api.Waiver(borrower.agreement_id, parse_id(Prefix.INSTALMENT, first.id), 1_000, "和解")
        accepted((await api.waive_items(uow, [waiver]))[0])
    await borrower.check_books()
    await check_interest(borrower)
    assert "6011" not in await borrower.balances()
    claimed_fen = (await borrower.account()).balance_due_fen
    suspended = await interest(borrower)
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        accepted((await api.write_off_accounts(uow, [api.WriteOff(borrower.agreement_id, "法院终结执行")]))[0])
    await borrower.check_books()
    balances = await borrower.balances()
    assert "6011" not in balances
    assert "113202" not in balances
    net_fen = sum(leg.suspended_fen - vat_fen(leg.suspended_fen, 6) + leg.suspended_vat_fen for leg in suspended)
    assert balances["6702"] == claimed_fen - net_fen


async def test_money_that_bounces_is_suspended_again_at_the_next_close(another_rental: MakeRental) -> None:
    borrower = another_rental(**TERMS[Family.LOAN])
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(31 + 100)
    paid = await transfer(borrower, "T-1", 200_000)
    assert (await borrower.balances())["6011"] > 0
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        reversal = api.Reversal(borrower.agreement_id, parse_id(Prefix.RECEIPT, paid.id), AdjustmentKind.CHARGEBACK, "付款行退回")
        accepted((await api.reverse_receipts(uow, [reversal]))[0])
    await borrower.check_books()
    await borrower.pass_days(1)
    await check_interest(borrower)
    assert "6011" not in await borrower.balances()


async def test_money_recorded_late_is_income_of_the_interest_it_paid(another_rental: MakeRental) -> None:
    borrower = another_rental(**TERMS[Family.LOAN])
    await borrower.sign()
    await borrower.commence()
    await borrower.pass_days(31 + 100)
    await transfer(borrower, "T-1", 150_000, date(2026, 6, 1))
    await check_interest(borrower)
    await borrower.pass_days(40)
    await transfer(borrower, "T-2", 90_000, date(2026, 7, 20))
    await check_interest(borrower)
