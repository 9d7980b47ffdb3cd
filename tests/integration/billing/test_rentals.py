"""Stories of one rental as billing lives them. After every step the books balance and agree with the sub-ledger (conftest)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from tests.integration.billing.conftest import Rental, only

from xinzu.back.billing import api
from xinzu.back.billing.errors import AccountMissing, ReceiptConflict, RefundExceedsCredit, ScheduleMissing
from xinzu.back.billing.events import (
    AccountSettled,
    ArrearsAged,
    ArrearsCleared,
    ChargeRaised,
    InstalmentBecameOverdue,
    InstalmentFellDue,
    ReceiptAllocated,
    ScheduleIssued,
    SettlementDetermined,
)
from xinzu.kernel.events import Event
from xinzu.kernel.ids import Prefix, new_id, parse_id
from xinzu.records.evidence import api as evidence

RENT_FEN = 29_900


async def test_the_first_rent_is_held_until_the_device_is_handed_over(rental: Rental) -> None:
    await rental.sign()
    said = await rental.pay(RENT_FEN, "first_rent")
    assert only(ReceiptAllocated, said)[0].credit_balance_fen == RENT_FEN
    assert await rental.balances() == {"1012": RENT_FEN, "2203": RENT_FEN}
    said = await rental.commence()
    issued = only(ScheduleIssued, said)[0]
    assert (issued.instalment_count, issued.total_fen, issued.first_due_on, issued.last_due_on) == (
        12,
        12 * RENT_FEN,
        date(2026, 3, 2),
        date(2027, 2, 2),
    )
    assert only(InstalmentFellDue, said) == []
    assert [row.state for row in await rental.instalments()] == ["paid"] + ["scheduled"] * 11
    assert await rental.balances() == {"1012": RENT_FEN, "2205": 26_460, "2221": 3_440}
    async with rental.runtime.reading(rental.tenant_id) as read:
        facts = await evidence.facts_of(read, rental.agreement_id)
    assert [fact.kind for fact in facts] == ["billing.receipt.allocated", "billing.schedule.issued"]


async def test_a_rental_without_the_first_rent_has_its_first_instalment_due_at_once(rental: Rental) -> None:
    await rental.sign()
    said = await rental.commence()
    due = only(InstalmentFellDue, said)
    assert [(fact.number, fact.outstanding_fen, fact.due_on) for fact in due] == [(1, RENT_FEN, date(2026, 3, 2))]
    assert (await rental.account()).balance_due_fen == RENT_FEN


async def test_rents_paid_on_their_due_dates_never_age(rental: Rental) -> None:
    await rental.begin()
    seen: list[Event] = []
    for _ in range(12 * 31):
        said = await rental.pass_days(1)
        seen += said
        for due in only(InstalmentFellDue, said):
            assert due.due_on == rental.today
            await rental.pay(due.outstanding_fen)
    assert [due.number for due in only(InstalmentFellDue, seen)] == list(range(2, 13))
    assert not [fact for fact in seen if isinstance(fact, InstalmentBecameOverdue | ArrearsAged | ChargeRaised)]
    assert {row.state for row in await rental.instalments()} == {"paid"}
    assert await rental.balances() == {"1012": 12 * RENT_FEN, "6001": 12 * 26_460, "2221": 12 * 3_440}
    said = await rental.give_back()
    assert only(SettlementDetermined, said)[0].balance_due_fen == 0
    assert len(only(AccountSettled, said)) == 1
    assert (await rental.account()).state == "settled"


async def test_two_missed_instalments_then_payment(rental: Rental) -> None:
    await rental.begin()
    said = await rental.pass_days(31 + 3)  # due 2 April; now it is 5 April, the last day of grace
    assert [fact.number for fact in only(InstalmentFellDue, said)] == [2]
    assert only(InstalmentBecameOverdue, said) == []
    said = await rental.pass_days(2)  # the close of 6 April
    overdue = only(InstalmentBecameOverdue, said)
    assert [(fact.number, fact.days_past_due, fact.outstanding_fen) for fact in overdue] == [(2, 4, RENT_FEN)]
    assert [(fact.days_past_due, fact.overdue_fen) for fact in only(ArrearsAged, said)] == [(4, RENT_FEN + 8)]
    said = await rental.pass_days(30)  # the close of 6 May: instalment 3 (2 May) is four days past due
    assert [fact.number for fact in only(InstalmentBecameOverdue, said)] == [3]
    aged = only(ArrearsAged, said)
    assert [fact.days_past_due for fact in aged] == list(range(5, 35))
    # 31 days after grace on the second rent, one on the third: 29900 × 31 × 0.0003 = 278.07, 29900 × 0.0003 = 8.97
    assert aged[-1].overdue_fen == 2 * RENT_FEN + 278 + 8
    account = await rental.account()
    assert (account.days_past_due, account.overdue_fen) == (34, aged[-1].overdue_fen)

    said = await rental.pay(RENT_FEN + 286, "arrears")
    assert only(ArrearsCleared, said) == []
    account = await rental.account()
    assert (account.days_past_due, account.overdue_fen) == (4, RENT_FEN)  # late fees first, then the older rent
    said = await rental.pay(RENT_FEN, "arrears")
    assert len(only(ArrearsCleared, said)) == 1
    account = await rental.account()
    assert (account.days_past_due, account.overdue_fen, account.balance_due_fen) == (0, 0, 0)
    assert (await rental.balances())["630101"] == 286 - 32 - 1  # less 13 % VAT of 278 and of 8
    said = await rental.pass_days(5)
    assert only(ArrearsAged, said) == []


async def test_a_late_fee_tells_its_segments_and_stops_at_thirty_percent(
    rental: Rental, another_rental: Callable[..., Rental]
) -> None:
    rental = another_rental(late_fee_daily_rate="0.5", grace_days=0)
    await rental.sign()
    await rental.commence()
    await rental.pass_days(3)  # closes of 2, 3 and 4 March; late on the 3rd and the 4th
    await rental.pay(10_000 + 19, "arrears")
    await rental.pass_days(2)
    account = await rental.account()
    charge = account.charges[0]
    async with rental.runtime.reading(rental.tenant_id) as read:
        answer = await api.why(read, rental.agreement_id, parse_id(Prefix.CHARGE, charge.id))
    # The agreed rate is far above four times the LPR (12 % a year): 59800 + 39800 fen-days × 12 % ÷ 365 = 32.74
    assert [(segment.days, segment.base_fen) for segment in answer.segments] == [(2, 29_900), (2, 19_900)]
    assert answer.inputs["ceiling_annual_pct"] == "12.00"
    assert (answer.amount_fen, answer.inputs["late_fee_fen"], charge.paid_fen) == (32, 32, 19)
    await rental.pass_days(1_200)
    late_fees = [charge.amount_fen for charge in (await rental.account()).charges]
    assert late_fees[-1] <= 29_900 * 30 // 100
    assert max(late_fees) == 29_900 * 30 // 100


async def test_the_same_payment_told_twice_is_one_receipt(rental: Rental) -> None:
    await rental.sign()
    payment_id = new_id()
    said = await rental.pay(RENT_FEN, payment_id=payment_id, twice=True)
    said += await rental.pay(RENT_FEN, payment_id=payment_id)
    assert len(only(ReceiptAllocated, said)) == 1
    assert (await rental.account()).credit_balance_fen == RENT_FEN
    with pytest.raises(ReceiptConflict):
        await rental.pay(RENT_FEN + 1, payment_id=payment_id)
    assert (await rental.account()).credit_balance_fen == RENT_FEN


async def test_overpayment_is_held_as_credit_balance_and_pays_the_next_rent(rental: Rental) -> None:
    await rental.begin()
    said = await rental.pay(RENT_FEN + 5_000)
    assert only(ReceiptAllocated, said)[0].allocated_fen == 0
    said = await rental.pass_days(31)  # 2 April
    assert only(InstalmentFellDue, said) == []
    assert (await rental.account()).credit_balance_fen == 5_000
    said = await rental.pass_days(30)  # 2 May
    assert [fact.outstanding_fen for fact in only(InstalmentFellDue, said)] == [RENT_FEN - 5_000]
    assert (await rental.account()).credit_balance_fen == 0


async def test_early_return_with_damage(rental: Rental) -> None:
    await rental.begin()
    await rental.pass_days(31)
    await rental.pay(RENT_FEN)
    await rental.pass_days(10)  # 12 April
    said = await rental.give_back(damage_fen=45_000)
    raised = {fact.kind: fact.amount_fen for fact in only(ChargeRaised, said)}
    assert raised == {"early_return": 30_000, "damage": 45_000}
    determined = only(SettlementDetermined, said)[0]
    assert (determined.balance_due_fen, determined.credit_balance_fen) == (75_000, 0)
    assert [row.state for row in await rental.instalments()] == ["paid", "paid"] + ["cancelled"] * 10
    assert (await rental.account()).state == "settling"
    said = await rental.pay(75_000, "settlement")
    assert [fact.settled_on for fact in only(AccountSettled, said)] == [rental.today]
    assert await rental.give_back(damage_fen=99) == []
    await rental.pass_days(60)
    assert (await rental.account()).state == "settled"
    async with rental.runtime.reading(rental.tenant_id) as read:
        facts = await evidence.facts_of(read, rental.agreement_id)
    assert facts[-2].kind == "billing.settlement.determined"


async def test_a_period_that_began_after_the_return_is_given_back(rental: Rental) -> None:
    await rental.begin()
    await rental.pass_days(31)  # 2 April: the second rent is due
    await rental.pay(RENT_FEN)
    await rental.pass_days(20)
    said = await rental.give_back(returned_on=date(2026, 4, 1))
    determined = only(SettlementDetermined, said)[0]
    # The rent given back is set against the early return fee.
    assert (determined.balance_due_fen, determined.credit_balance_fen) == (100, 0)
    assert [row.state for row in await rental.instalments()] == ["paid"] + ["cancelled"] * 11
    assert (await rental.balances())["6001"] == 26_460


async def test_late_fees_of_a_period_that_began_after_the_return_fall_away(rental: Rental) -> None:
    await rental.begin()
    await rental.pass_days(31 + 15)
    assert (await rental.account()).overdue_fen > RENT_FEN
    said = await rental.give_back(returned_on=date(2026, 4, 1))
    assert len(only(ArrearsCleared, said)) == 1
    account = await rental.account()
    assert (account.balance_due_fen, account.overdue_fen) == (30_000, 0)
    assert "630101" not in await rental.balances()


async def test_credit_left_at_the_end_is_refunded_and_settles(rental: Rental) -> None:
    await rental.begin()
    await rental.pay(80_000)
    said = await rental.give_back(damage_fen=1_000)
    determined = only(SettlementDetermined, said)[0]
    assert (determined.balance_due_fen, determined.credit_balance_fen) == (0, 49_000)
    with pytest.raises(RefundExceedsCredit):
        await rental.refund(49_001)
    refund_id = new_id()
    said = await rental.refund(49_000, refund_id)
    assert len(only(AccountSettled, said)) == 1
    assert await rental.refund(49_000, refund_id) == []
    # Money that still comes in is determined anew, so that it goes back.
    said = await rental.pay(500)
    assert [fact.credit_balance_fen for fact in only(SettlementDetermined, said)] == [500]
    assert only(AccountSettled, said) == []


async def test_an_agreement_called_off_after_the_first_rent_owes_nothing_once_the_rent_went_back(rental: Rental) -> None:
    await rental.sign()
    await rental.pay(RENT_FEN, "first_rent")
    said = await rental.call_off()
    assert [fact.credit_balance_fen for fact in only(SettlementDetermined, said)] == [RENT_FEN]
    said = await rental.refund(RENT_FEN)
    assert len(only(AccountSettled, said)) == 1
    account = await rental.account()
    assert (account.state, account.credit_balance_fen, account.balance_due_fen) == ("settled", 0, 0)
    assert await rental.call_off() == []


async def test_an_agreement_called_off_before_any_money_is_settled_and_gives_back_what_comes_late(rental: Rental) -> None:
    await rental.call_off()  # never signed: there is no account
    await rental.sign()
    assert len(only(AccountSettled, await rental.call_off())) == 1
    said = await rental.pay(RENT_FEN, "first_rent")
    assert [fact.credit_balance_fen for fact in only(SettlementDetermined, said)] == [RENT_FEN]


async def test_a_return_in_the_last_period_costs_no_early_return_fee(
    rental: Rental, another_rental: Callable[..., Rental]
) -> None:
    rental = another_rental(period_count=1)
    await rental.begin()
    await rental.pass_days(20)
    said = await rental.give_back()
    assert only(ChargeRaised, said) == []
    assert len(only(AccountSettled, said)) == 1


async def test_facts_that_come_too_early_are_refused_and_nothing_is_written(rental: Rental) -> None:
    for early in (rental.commence, lambda: rental.pay(RENT_FEN), rental.give_back, lambda: rental.refund(1)):
        with pytest.raises(AccountMissing):
            await early()
    await rental.sign()
    with pytest.raises(ScheduleMissing):
        await rental.give_back()
    await rental.commence()
    assert only(ScheduleIssued, await rental.commence()) == []


async def test_a_batch_of_many_rentals_takes_as_many_statements_as_one(
    rental: Rental, another_rental: Callable[..., Rental]
) -> None:
    rentals = [another_rental() for _ in range(20)]
    for one in rentals:
        await one.sign()
        await one.commence()
    statements: list[str] = []
    counts = []
    for batch in (rentals[:1], rentals[1:]):
        statements.clear()
        async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
            with uow.connection.query_logger(lambda said: statements.append(said.query)):
                await api.record_receipts(
                    uow,
                    [
                        api.Receipt(one.agreement_id, "payments", str(new_id()), "instalment", "alipay", "1", RENT_FEN, one.today)
                        for one in batch
                    ],
                )
        counts.append(len(statements))
    assert counts[0] > 0
    assert counts[0] == counts[1]
    await rental.check_books()
