"""Stories of rental products: several rents at the start, rent to own, prices by month, due dates off the days off. The books agree after
each step."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from httpx import AsyncClient
from tests.integration.billing.conftest import Rental, only
from tests.integration.billing.test_amendments import MakeRental, amend, live
from tests.integration.billing.test_http import path
from tests.integration.billing.test_three_families import lease, loan, transfer

from xinzu.back.billing import api as billing
from xinzu.back.billing.events import (
    AccountSettled,
    ChargeRaised,
    InstalmentBecameOverdue,
    InstalmentFellDue,
    LeaseClassDiffered,
    OwnershipPassed,
    ScheduleIssued,
    SettlementDetermined,
)
from xinzu.back.billing.rules.legs import financed_legs
from xinzu.kernel.terms import EndsIn

RENT_FEN = 29_900


async def begun(rental: Rental) -> list[Any]:
    """Signed, what is due at commencement collected, handed over; returns what the commencement said."""
    await rental.sign()
    await rental.pay(rental.terms.first_payment_fen, "first_rent")
    return await rental.commence()


async def income_fen(rental: Rental) -> int:
    """What of the rents is earned, VAT included."""
    async with rental.runtime.reading(rental.tenant_id) as read:
        found = await read.scalar("SELECT sum(earned_fen) FROM billing_instalment WHERE tenant_id = :tenant")
    return int(found or 0)


async def test_three_rents_at_the_start_pay_the_first_period_and_the_last_two(another_rental: MakeRental) -> None:
    lessee = another_rental(first_rents=3)
    assert (lessee.terms.first_payment_fen, lessee.terms.rent_total_fen) == (3 * RENT_FEN, 12 * RENT_FEN)
    assert lessee.terms.authorised_fen == 300_000 + 12 * RENT_FEN
    said = await begun(lessee)
    assert only(InstalmentFellDue, said) == []
    [issued] = only(ScheduleIssued, said)
    assert (issued.first_due_on, issued.last_due_on) == (date(2026, 3, 2), date(2026, 12, 2))
    assert (issued.instalment_count, issued.total_fen) == (12, 12 * RENT_FEN)
    legs = sorted(await lessee.instalments(), key=lambda leg: leg.number)
    assert [leg.number for leg in legs if leg.due_on == date(2026, 3, 2)] == [1, 11, 12]
    assert [leg.number for leg in legs if leg.state == "paid"] == [1, 11, 12]
    assert [(leg.from_on, leg.to_on) for leg in legs[10:]] == [
        (date(2027, 1, 2), date(2027, 2, 1)),
        (date(2027, 2, 2), date(2027, 3, 1)),
    ]
    account = await lessee.account()
    assert (account.balance_due_fen, account.credit_balance_fen) == (0, 0)
    assert (account.next_due.number, account.next_due.due_on) == (2, date(2026, 4, 2))
    said = await live(lessee, date(2027, 3, 5))
    assert [due.number for due in only(InstalmentFellDue, said)] == list(range(2, 11))
    assert await income_fen(lessee) == 12 * RENT_FEN
    assert (await lessee.balances()).keys() == {"1002", "1012", "2221", "6001"}


async def test_income_is_by_straight_line_over_the_whole_term_however_the_rents_are_paid(another_rental: MakeRental) -> None:
    """CAS 21 art. 45."""
    in_turn, ahead = another_rental(), another_rental(first_rents=6)
    await in_turn.begin()
    await ahead.begin()
    for until in (date(2026, 4, 2), date(2026, 6, 2), date(2026, 9, 2)):
        await live(in_turn, until)
        async with in_turn.runtime.reading(in_turn.tenant_id) as read:
            rows = await read.rows(
                "SELECT agreement_id, sum(earned_fen) AS earned_fen FROM billing_instalment WHERE tenant_id = :tenant GROUP BY 1"
            )
        earned = {row.agreement_id: row.earned_fen for row in rows}
        assert earned[in_turn.agreement_id] == earned[ahead.agreement_id] > 0


async def test_rents_paid_ahead_come_back_when_the_thing_does(another_rental: MakeRental) -> None:
    lessee = another_rental(first_rents=3)
    await begun(lessee)
    await live(lessee, date(2026, 5, 10))
    said = await lessee.give_back()
    [settled] = only(SettlementDetermined, said)
    assert (settled.balance_due_fen, settled.credit_balance_fen) == (0, 2 * RENT_FEN - 30_000)
    states = {leg.number: leg.state for leg in await lessee.instalments()}
    assert states == {n: "paid" if n <= 3 else "cancelled" for n in range(1, 13)}
    said = await lessee.refund(2 * RENT_FEN - 30_000)
    assert len(only(AccountSettled, said)) == 1
    assert only(OwnershipPassed, said) == []


async def test_what_is_missing_of_the_first_payment_is_collected_rent_by_rent(another_rental: MakeRental) -> None:
    lessee = another_rental(first_rents=3)
    await lessee.sign()
    await lessee.pay(RENT_FEN + 1_000, "first_rent")
    said = await lessee.commence()
    assert [(due.number, due.outstanding_fen) for due in only(InstalmentFellDue, said)] == [
        (11, RENT_FEN - 1_000),
        (12, RENT_FEN),
    ]


async def test_a_thing_rented_to_own_is_the_lessees_when_the_price_at_the_end_is_paid(another_rental: MakeRental) -> None:
    lessee = another_rental(first_rents=2, ends_in=EndsIn.OWN, buyout_fen=9_900)
    assert lessee.terms.authorised_fen == 300_000 + 12 * RENT_FEN + 9_900
    said = await begun(lessee)
    [differing] = only(LeaseClassDiffered, said)
    assert (differing.lease_class, differing.booked_as) == ("finance", "operating")
    assert "title_transfers" in differing.because
    said = await live(lessee, date(2027, 3, 1))
    assert only(SettlementDetermined, said) == []
    said = await lessee.pass_days(1)
    [price] = only(ChargeRaised, said)
    assert (price.kind, price.amount_fen) == ("buyout", 9_900)
    [determined] = only(SettlementDetermined, said)
    assert (determined.balance_due_fen, determined.credit_balance_fen) == (9_900, 0)
    assert (await lessee.account()).state == "settling"
    assert only(SettlementDetermined, await lessee.pass_days(2)) == []
    said = await lessee.pay(9_900, "settlement")
    [passed] = only(OwnershipPassed, said)
    assert (passed.kept_on, passed.passed_on) == (date(2027, 3, 2), lessee.today)
    assert len(only(AccountSettled, said)) == 1
    assert (await lessee.balances()).keys() == {"1002", "1012", "2221", "6001", "605103"}


async def test_without_a_price_the_thing_is_the_lessees_on_the_day_after_the_term(another_rental: MakeRental) -> None:
    lessee = another_rental(ends_in=EndsIn.OWN, buyout_fen=0, period_count=3)
    await begun(lessee)
    assert only(OwnershipPassed, await live(lessee, date(2026, 6, 1))) == []
    said = await lessee.pass_days(1)
    assert [passed.kept_on for passed in only(OwnershipPassed, said)] == [date(2026, 6, 2)]
    assert len(only(AccountSettled, said)) == 1
    assert only(ChargeRaised, said) == []
    assert (await lessee.account()).state == "settled"


async def test_who_is_late_keeps_the_thing_as_a_lessee_until_everything_is_paid(another_rental: MakeRental) -> None:
    lessee = another_rental(ends_in=EndsIn.OWN, buyout_fen=0, period_count=3)
    await begun(lessee)
    said = await live(lessee, date(2026, 6, 20), pays=False)
    assert only(OwnershipPassed, said) == []
    assert only(SettlementDetermined, said) == []
    owed_fen = (await lessee.account()).balance_due_fen
    assert owed_fen > 2 * RENT_FEN
    await transfer(lessee, "late", owed_fen + 500)
    assert (await lessee.account()).state == "open"
    [determined] = only(SettlementDetermined, await lessee.pass_days(1))
    assert (determined.balance_due_fen, determined.credit_balance_fen) == (0, 500)
    assert len(only(OwnershipPassed, await lessee.refund(500))) == 1


async def test_a_renewal_moves_the_passing_of_ownership_to_the_new_end(another_rental: MakeRental) -> None:
    lessee = another_rental(ends_in=EndsIn.OWN, buyout_fen=0, period_count=2)
    await begun(lessee)
    await live(lessee, date(2026, 4, 20))
    await amend(lessee, "renewal", periods=1, rent_fen=20_000)
    assert only(OwnershipPassed, await live(lessee, date(2026, 6, 1))) == []
    assert len(only(OwnershipPassed, await lessee.pass_days(1))) == 1


async def test_a_thing_that_comes_back_in_mid_term_is_not_the_lessees(another_rental: MakeRental) -> None:
    lessee = another_rental(ends_in=EndsIn.OWN, buyout_fen=0, early_return_fee_fen=0)
    await begun(lessee)
    await live(lessee, date(2026, 5, 1))
    said = await lessee.give_back()
    assert len(only(AccountSettled, said)) == 1
    assert only(OwnershipPassed, said) == []


async def test_keeping_the_thing_costs_what_the_table_says_for_the_month(
    another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str]
) -> None:
    prices = (470_000, 440_000, 410_000, 200_000)
    lessee = another_rental(first_rents=3, buyout_prices_fen=prices, buyout_fen=200_000)
    await begun(lessee)
    await live(lessee, date(2026, 4, 10))
    for on, month, price_fen in (("2026-04-10", 2, 440_000), ("2026-05-02", 3, 410_000), ("2027-12-31", 22, 200_000)):
        shown = (await api.get(path(lessee, "buyout"), params={"on": on}, headers=api_key)).json()
        found = shown["inputs"]
        assert (found["month"], found["price_fen"], found["priced_by"]) == (month, price_fen, "table")
    refused = await api.get(path(lessee, "buyout"), params={"on": "2026-04-09"}, headers=api_key)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/on")
    made, _ = await amend(lessee, "buyout")
    assert (made.due_now_fen, made.credit_fen, made.balance_due_fen) == (440_000, 2 * RENT_FEN, 440_000 - 2 * RENT_FEN)
    await transfer(lessee, "price", made.balance_due_fen)
    assert (await lessee.account()).state == "settled"


async def test_due_dates_move_off_days_off_and_the_days_a_rent_is_for_do_not(another_rental: MakeRental) -> None:
    lessee = another_rental(due_shift="following", first_rents=2, late_fee_daily_rate="0.0003", grace_days=0)
    await begun(lessee)
    legs = sorted(await lessee.instalments(), key=lambda leg: leg.number)
    moved = {leg.number: leg.due_on for leg in legs if leg.due_on != leg.from_on}
    assert moved == {
        3: date(2026, 5, 6),
        6: date(2026, 8, 3),
        8: date(2026, 10, 8),
        11: date(2027, 1, 4),
        12: date(2026, 3, 2),
    }
    await live(lessee, date(2026, 5, 2))
    assert (await lessee.account()).balance_due_fen == 0
    said = await live(lessee, date(2026, 5, 8), pays=False)
    [due] = only(InstalmentFellDue, said)
    assert (due.number, due.due_on) == (3, date(2026, 5, 6))
    [late] = only(InstalmentBecameOverdue, said)
    assert (late.days_past_due, late.due_on) == (1, date(2026, 5, 6))


async def test_why_a_rent_is_due_when_it_is(another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str]) -> None:
    lessee = another_rental(due_shift="following", first_rents=2)
    await begun(lessee)
    legs = {leg.number: leg for leg in await lessee.instalments()}
    moved = (await api.get(path(lessee, f"amounts/{legs[3].id}/why"), headers=api_key)).json()
    assert (moved["formula"], "2026-05-06" in moved["words_zh"]) == ("equal_rent_in_advance", True)
    ahead = (await api.get(path(lessee, f"amounts/{legs[12].id}/why"), headers=api_key)).json()
    assert (ahead["formula"], ahead["segments"][0]["from_on"]) == ("rent_paid_at_commencement", "2027-02-02")
    borrower = loan(another_rental, due_shift="following")
    await borrower.sign()
    await borrower.commence()
    second = next(leg for leg in await borrower.instalments() if leg.number == 2)
    why = (await api.get(path(borrower, f"amounts/{second.id}/why"), headers=api_key)).json()
    assert "2026-05-02 非工作日，按约定改于 2026-05-06 支付" in why["words_zh"]


@pytest.mark.parametrize("policy", ["preceding", "modified_following"])
async def test_a_rent_that_is_due_before_its_period_is_earned_in_it(another_rental: MakeRental, policy: str) -> None:
    lessee = another_rental(due_shift=policy)
    await begun(lessee)
    dues = {leg.number: leg.due_on for leg in await lessee.instalments()}
    earlier = policy == "preceding"
    assert dues[3] == (date(2026, 4, 30) if earlier else date(2026, 5, 6))
    said = await live(lessee, date(2026, 5, 2))
    assert [due.number for due in only(InstalmentFellDue, said)] == ([2, 3] if earlier else [2])
    assert await income_fen(lessee) == 2 * RENT_FEN


@pytest.mark.parametrize("make", [loan, lease])
async def test_interest_is_for_the_agreed_days_wherever_the_due_date_moves(another_rental: MakeRental, make: Any) -> None:
    borrower = make(another_rental, due_shift="following")
    await borrower.sign()
    await borrower.commence()
    terms = borrower.terms
    rows = billing.schedule_of(
        billing.schedule_terms(terms.financing, terms.period_months, terms.period_count, borrower.today)
    ).rows
    agreed = {(leg.number, leg.role): leg for leg in financed_legs(rows, borrower.today)}
    moved = {}
    for leg in await borrower.instalments():
        plain = agreed.pop((leg.number, leg.role))
        assert (leg.from_on, leg.to_on, leg.amount_fen) == (plain.from_on, plain.to_on, plain.amount_fen)
        if leg.due_on != plain.due_on:
            moved[leg.number] = leg.due_on
    assert agreed == {}
    assert (moved[2], moved[5], moved[7]) == (date(2026, 5, 6), date(2026, 8, 3), date(2026, 10, 8))
    said = await live(borrower, date(2026, 6, 3))
    assert [due.due_on for due in only(InstalmentFellDue, said)] == [date(2026, 4, 2), date(2026, 5, 6), date(2026, 6, 2)]


async def test_a_schedule_that_takes_the_place_of_another_moves_its_dates_as_well(another_rental: MakeRental) -> None:
    borrower = loan(another_rental, due_shift="following")
    await borrower.sign()
    await borrower.commence()
    await live(borrower, date(2026, 4, 15))
    made, _ = await amend(borrower, "prepayment", amount_fen=300_000, policy="reduce_instalment")
    first = next(leg for leg in made.new_legs if leg.due_on > borrower.today)
    assert (first.to_on, first.due_on) == (date(2026, 5, 1), date(2026, 5, 6))


async def test_who_settles_between_the_agreed_and_the_moved_day_pays_no_interest_on_what_was_agreed_to_be_due(
    another_rental: MakeRental,
) -> None:
    in_time, moved = loan(another_rental), loan(another_rental, due_shift="following")
    for each in (in_time, moved):
        await each.sign()
        await each.commence()
    await live(in_time, date(2026, 5, 4), pays=False)
    due_fen = []
    for each in (in_time, moved):
        settled, _ = await amend(each, "payoff")
        due_fen.append(settled.due_now_fen)
    assert due_fen[0] == due_fen[1]
