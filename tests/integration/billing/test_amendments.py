"""Stories of agreements that are changed after commencement: after each step the books say what billing says, to the fen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from httpx import AsyncClient
from tests.integration.billing.conftest import Rental, only
from tests.integration.billing.test_three_families import LEASE, lease, loan, transfer

from xinzu.back.billing import api as billing
from xinzu.back.billing import schemas
from xinzu.back.billing.commands.plan_amendments import position_at
from xinzu.back.billing.errors import NotAmendable, PositionChanged
from xinzu.back.billing.events import (
    AccountSettled,
    AmendmentMade,
    ArrearsCleared,
    InstalmentFellDue,
    LesseeTransferred,
    SettlementDetermined,
)
from xinzu.back.billing.rules.servicing.position import position_sha256, schedule_sha256
from xinzu.back.billing.store import accounts
from xinzu.kernel.errors import Invalid
from xinzu.kernel.events import Event
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import Family
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

MakeRental = Callable[..., Rental]


def asked(rental: Rental, kind: str, **fields: Any) -> billing.Amendment:
    """A change as a request over HTTP asks for it."""
    body = {"kind": kind, "on": rental.today, "reason": "客户申请"} | fields
    converted: schemas.AnyAmendment = msgspec.convert(msgspec.to_builtins(body), schemas.AnyAmendment)
    return billing.amendment_of(rental.agreement_id, converted)


async def preview(rental: Rental, kind: str, **fields: Any) -> billing.AmendmentPreview:
    async with rental.runtime.reading(rental.tenant_id) as read:
        [outcome] = await billing.preview_amendments(read, [asked(rental, kind, **fields)])
    return accepted(outcome)


async def amend(rental: Rental, kind: str, **fields: Any) -> tuple[billing.Amended, list[Event]]:
    """Preview, then make it: what was previewed is what is done, the books agree and the schedule has the announced fingerprint."""
    seen = await preview(rental, kind, **fields)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        [outcome] = await billing.amend(uow, [asked(rental, kind, expected_sha256=seen.position_sha256, **fields)])
        said = list(uow.events)
    made = accepted(outcome)
    await rental.check_books()
    shown = msgspec.structs.asdict(made)
    assert {name: shown[name] for name in msgspec.structs.asdict(seen)} == msgspec.structs.asdict(seen)
    assert await schedule_print(rental) == seen.schedule_sha256
    assert only(AmendmentMade, said)[0].kind == kind
    return made, said


async def schedule_print(rental: Rental) -> str:
    async with rental.runtime.reading(rental.tenant_id) as read:
        account = await accounts.find(read, rental.agreement_id)
        assert account is not None
        return schedule_sha256(await position_at(read, account))


async def live(rental: Rental, until: date, *, pays: bool = True) -> list[Event]:
    """Live through days, paying what falls due on its day."""
    said: list[Event] = []
    while rental.today < until:
        day = await rental.pass_days(1)
        said += day
        for due in only(InstalmentFellDue, day) if pays else []:
            await transfer(rental, f"{rental.agreement_id}-{due.number}-{due.due_on}", due.outstanding_fen)
    return said


async def begun(rental: Rental) -> Rental:
    await rental.sign()
    await rental.commence()
    return rental


async def to_come(rental: Rental, role: str) -> list[int]:
    return [leg.amount_fen for leg in await rental.instalments() if leg.role == role and leg.state == "scheduled"]


async def rows_in_all(rental: Rental) -> dict[str, int]:
    """How many rows each table of billing, the books, the events and the evidence has."""
    tables = (
        *(
            "billing_account",
            "billing_instalment",
            "billing_charge",
            "billing_amendment",
            "billing_receipt",
            "billing_allocation",
        ),
        *("ledger_entry", "ledger_posting", "platform_event", "evidence_leaf"),
    )
    async with rental.runtime.reading(rental.tenant_id) as read:
        return {table: await read.scalar(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant") for table in tables}


# --- prepayment and payoff -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["reduce_instalment", "reduce_term"])
async def test_a_customer_prepays_half_of_a_loan_after_five_months(another_rental: MakeRental, policy: str) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 8, 12))
    before = await to_come(borrower, "principal")
    half_fen = sum(before) // 2
    made, said = await amend(borrower, "prepayment", amount_fen=half_fen, policy=policy, fee_pct="1")
    assert made.due_now_fen == made.balance_due_fen == half_fen + made.accrued_interest_fen + made.new_charges[0].amount_fen
    [due] = only(InstalmentFellDue, said)
    assert due.outstanding_fen == half_fen + made.accrued_interest_fen
    assert sum(await to_come(borrower, "principal")) == sum(before) - half_fen
    rows = len(await to_come(borrower, "principal"))
    assert rows == len(before) if policy == "reduce_instalment" else rows < len(before)
    paid = await transfer(borrower, "prepaid", made.due_now_fen)
    assert paid.allocated_fen == made.due_now_fen
    await live(borrower, date(2027, 4, 1))
    left = await borrower.balances()
    assert left.keys() == {"1002", "6011", "630103", "222106"}
    assert left["1002"] == left["6011"] + left["630103"] + left["222106"]
    assert (await borrower.account()).state == "settled"


async def test_the_next_instalments_are_paid_ahead_out_of_the_credit_balance_as_they_fall_due(another_rental: MakeRental) -> None:
    """Paid ahead is held, and set against the coming instalments in order: no interest is saved."""
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 8, 12))
    await transfer(borrower, "ahead", 250_000)
    made, _ = await amend(borrower, "prepayment", amount_fen=250_000, policy="next_instalments")
    assert made.falls_away_fen == made.balance_due_fen == 0
    assert made.credit_balance_fen == 250_000
    said = await live(borrower, date(2026, 11, 3), pays=False)
    assert [due.outstanding_fen for due in only(InstalmentFellDue, said)] == [3 * 106_619 - 250_000]


async def test_an_early_settlement_leaves_zero_everywhere(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 8, 12))
    quote = await preview(borrower, "payoff", on=date(2026, 8, 20))
    await live(borrower, date(2026, 8, 20))
    assert (await preview(borrower, "payoff")).due_now_fen == quote.due_now_fen
    await transfer(borrower, "payoff", quote.due_now_fen)
    made, said = await amend(borrower, "payoff")
    assert (made.balance_due_fen, made.credit_balance_fen) == (0, 0)
    assert only(AccountSettled, said)
    account = await borrower.account()
    assert (account.state, account.balance_due_fen, account.principal_fen, account.next_due) == ("settled", 0, 0, None)
    await live(borrower, date(2026, 9, 1))  # the allowance goes at the end of the month
    left = await borrower.balances()
    assert left.keys() == {"1002", "6011", "222106"}
    assert left["1002"] == left["6011"] + left["222106"]
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        [refused] = await billing.amend(uow, [asked(borrower, "payoff")])
    assert isinstance(refused, NotAmendable)


async def test_a_lease_is_settled_early_with_the_price_of_ownership_and_only_paid_money_ends_it(
    another_rental: MakeRental,
) -> None:
    lessee = await begun(lease(another_rental, buyout_fen=10_000))
    await live(lessee, date(2026, 9, 17))
    made, said = await amend(lessee, "payoff")
    assert [charge.kind for charge in made.new_charges] == ["buyout"]
    assert only(SettlementDetermined, said)[0].balance_due_fen == made.due_now_fen
    assert (await lessee.account()).state == "open"
    await transfer(lessee, "payoff", made.due_now_fen)
    assert (await lessee.account()).state == "settled"
    left = await lessee.balances()
    assert left.keys() - {"1231", "6702"} == {"1002", "2202", "2221", "222101", "6041", "605103"}
    assert left["1002"] + left["222101"] == left["2202"] + left["2221"] + left["6041"] + left["605103"]


# --- rate, term, pause ------------------------------------------------------------------------------------------------------


async def test_a_moratorium_runs_over_29_february(another_rental: MakeRental) -> None:
    """Actual days: the pause from 2 February to 2 April 2028 has 60 of them, and 30/360 is not asked."""
    financed = replace(LEASE, family=Family.LOAN, balloon_fen=0)
    borrower = another_rental(product_name="过桥贷款", rent_fen=900_000, deposit_fen=0, grace_days=0, financing=financed)
    borrower.clock.advance(timedelta(days=672))  # to 3 January 2028
    await borrower.pass_days(0)
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        for day in await billing.days_to_close(uow):
            await billing.close_day(uow, day)
    await begun(borrower)
    await live(borrower, date(2028, 2, 10))
    principal_fen = sum(await to_come(borrower, "principal"))
    before = await borrower.balances()
    made, _ = await amend(borrower, "moratorium", periods=2, interest="capitalised")
    added_fen = sum(await to_come(borrower, "principal")) - principal_fen
    days = [29, 31]  # 3 February to 3 March, to 3 April
    expected = sum(round(principal_fen * 8.5 / 100 * count / 365) for count in days)
    assert added_fen == expected == int(made.inputs["capitalised_fen"])
    after = await borrower.balances()
    tax_fen = after["222106"] - before.get("222106", 0)
    assert tax_fen == round(added_fen * 6 / 106)
    assert after["1303"] - before["1303"] == added_fen
    said = await live(borrower, date(2028, 4, 2), pays=False)
    assert only(InstalmentFellDue, said) == []
    await live(borrower, date(2029, 4, 2))
    left = await borrower.balances()
    assert left.keys() == {"1002", "6011", "222106"}
    assert left["1002"] == left["6011"] + left["222106"]


async def test_no_late_fee_accrues_in_a_moratorium(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental, grace_days=0))
    await live(borrower, date(2026, 4, 10), pays=False)
    [fee] = (await borrower.account()).charges
    made, _ = await amend(borrower, "moratorium", periods=2, interest="deferred")
    await live(borrower, date(2026, 6, 3), pays=False)
    assert (await borrower.account()).charges[0].amount_fen == fee.amount_fen
    await live(borrower, date(2026, 6, 6), pays=False)
    assert (await borrower.account()).charges[0].amount_fen > fee.amount_fen
    assert made.formula == "moratorium"


async def test_a_loan_is_restructured_and_then_a_receipt_comes(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 8, 12))
    principal_fen = sum(await to_come(borrower, "principal"))
    made, _ = await amend(borrower, "restructure", periods=12, annual_rate_pct="6", method="equal_principal")
    assert (made.version, made.due_now_fen) == (2, 0)
    legs = [leg for leg in await borrower.instalments() if leg.version == 2]
    assert {leg.amount_fen for leg in legs if leg.role == "principal"} <= {principal_fen // 12 + extra for extra in range(13)}
    await live(borrower, date(2026, 9, 2), pays=False)
    first = [leg for leg in legs if leg.number == 6]
    paid = await transfer(borrower, "first", sum(leg.amount_fen for leg in first))
    assert paid.allocated_fen == paid.amount_fen
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        interest = next(leg for leg in first if leg.role == "interest")
        why = await billing.why(read, borrower.agreement_id, parse_id(Prefix.INSTALMENT, interest.id))
    assert why.inputs["version"] == 2
    assert sum(segment.amount_fen or 0 for segment in why.segments) + int(why.inputs["carried_fen"]) == interest.amount_fen
    # The contract's rate up to the day, the new one from it on.
    assert [(segment.from_on, segment.rate_pct) for segment in why.segments] == [
        (date(2026, 8, 2), "12"),
        (date(2026, 8, 12), "6"),
    ]
    assert why.segments[0].base_fen == principal_fen


async def test_arrears_are_re_aged_and_days_past_due_go_on(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental, grace_days=0, late_fee_daily_rate="0"))
    await live(borrower, date(2026, 5, 12), pays=False)
    owed_fen = (await borrower.account()).balance_due_fen
    assert owed_fen == 2 * 106_619
    made, said = await amend(borrower, "re_age", periods=12)
    assert only(ArrearsCleared, said)
    assert (made.balance_due_fen, (await borrower.account()).days_past_due) == (0, 0)
    await live(borrower, date(2026, 6, 5), pays=False)
    # The first new instalment fell due on 2 June and is late: the days count from the oldest one, due on 2 April.
    assert (await borrower.account()).days_past_due == (date(2026, 6, 4) - date(2026, 4, 2)).days


async def test_a_loan_whose_accrual_is_stopped_is_re_aged(another_rental: MakeRental) -> None:
    """Interest that was claimed and not income is neither after the re-ageing, and income when the new legs are paid."""
    borrower = await begun(loan(another_rental, grace_days=0, late_fee_daily_rate="0"))
    await live(borrower, date(2026, 7, 20), pays=False)
    before = await borrower.balances()
    assert "6011" not in before, "accrual is stopped and what was earned taken back"
    await transfer(borrower, "part", 100_000)
    await amend(borrower, "re_age", periods=12)
    await live(borrower, date(2027, 7, 30))
    legs = await borrower.instalments()
    assert sum(leg.paid_fen for leg in legs if leg.role == "principal") == 1_200_000
    await live(borrower, date(2027, 8, 2))
    left = await borrower.balances()
    assert left.keys() == {"1002", "6011", "222106"}
    assert left["1002"] == left["6011"] + left["222106"]


async def test_a_backdated_rate_change_posts_the_differences(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 8, 12))
    before = await borrower.balances()
    made, _ = await amend(borrower, "rate_change", on=date(2026, 6, 10), annual_rate_pct="6")
    assert made.credit_fen > made.due_now_fen > 0
    # What was paid too much in interest pays what is missing in principal, the rest is held.
    assert made.balance_due_fen == 0
    assert made.credit_balance_fen == made.credit_fen - made.due_now_fen
    after = await borrower.balances()
    assert after["2203"] == made.credit_balance_fen
    assert after["6011"] < before["6011"]
    with pytest.raises(Invalid, match="must not be before 2026-08-02: the days before were reckoned anew"):
        await preview(borrower, "rate_change", on=date(2026, 7, 20), annual_rate_pct="5")
    await live(borrower, date(2027, 4, 1))
    left = await borrower.balances()
    assert left.keys() == {"1002", "6011", "222106"}
    assert left["1002"] == left["6011"] + left["222106"]
    dear = await begun(loan(another_rental))
    await live(dear, date(2027, 8, 12))
    made, _ = await amend(dear, "rate_change", on=date(2027, 6, 10), annual_rate_pct="18")
    assert made.due_now_fen > 0
    assert made.balance_due_fen == made.due_now_fen - made.credit_fen
    assert (await dear.account()).overdue_fen == 0, "nobody is late with what was not asked for"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("extension", {"periods": 2}),
        ("re_amortise", {}),
        ("rate_change", {"annual_rate_pct": "7.05"}),
        ("moratorium", {"periods": 1, "interest": "paid"}),
        ("moratorium", {"periods": 1, "interest": "capitalised"}),
        ("prepayment", {"amount_fen": 1_000_001, "policy": "reduce_instalment"}),
        ("restructure", {"periods": 9, "annual_rate_pct": "5"}),
    ],
)
async def test_a_lease_is_amended_within_a_month_and_its_receivable_and_income_stay_whole(
    another_rental: MakeRental, kind: str, fields: dict[str, Any]
) -> None:
    lessee = await begun(lease(another_rental))
    await live(lessee, date(2026, 6, 17))
    before = await lessee.balances()
    made, _ = await amend(lessee, kind, **fields)
    after = await lessee.balances()
    if kind != "prepayment":
        assert after["1531"] == sum(await to_come(lessee, "principal")) + sum(await to_come(lessee, "interest"))
    assert (after["2202"], after["222101"]) == (before["2202"], before["222101"]), "what the thing cost is what it cost"
    await transfer(lessee, "now", made.due_now_fen or 1)
    await live(lessee, date(2028, 9, 10))
    left = await lessee.balances()
    assert {code: left[code] for code in ("1531", "1532", "222110", "1122") if code in left} == {}
    assert (await lessee.account()).balance_due_fen == 0


# --- default -----------------------------------------------------------------------------------------------------------------


async def defaulted(another_rental: MakeRental) -> tuple[Rental, dict[str, Any]]:
    """A truck whose rents are unpaid since April: demanded in May, the time has run out."""
    lessee = await begun(lease(another_rental))
    await live(lessee, date(2026, 5, 10), pays=False)
    demand = {"demanded_on": lessee.today, "period_days": 15, "amount_fen": 600_000, "proof_ref": "EMS 1091"}
    await live(lessee, date(2026, 5, 26), pays=False)
    return lessee, demand


async def test_civil_code_art_752_all_rents_of_a_truck_are_due_after_the_demand(another_rental: MakeRental) -> None:
    lessee, demand = await defaulted(another_rental)
    with pytest.raises(Invalid, match="must be after the time demanded has run out"):
        await preview(lessee, "acceleration", demand=demand | {"period_days": 30})
    every = await lessee.instalments()
    made, said = await amend(lessee, "acceleration", demand=demand)
    account = await lessee.account()
    fees_fen = sum(charge.amount_fen for charge in account.charges)
    assert made.balance_due_fen == made.due_now_fen == sum(leg.amount_fen for leg in every) + fees_fen
    assert account.next_due is None
    assert only(InstalmentFellDue, said)
    await transfer(lessee, "all", made.due_now_fen)
    left = await lessee.balances()
    assert (await lessee.account()).state == "settled"
    assert left.keys() - {"1231", "6702"} == {"1002", "2202", "2221", "222101", "6041", "630101"}


async def test_civil_code_art_758_a_terminated_lease_gives_the_surplus_to_the_lessee(another_rental: MakeRental) -> None:
    lessee, demand = await defaulted(another_rental)
    made, said = await amend(
        lessee, "termination", demand=demand, recovered_value_fen=12_500_000, valuation_ref="appraisal 3", costs_fen=80_000
    )
    assert made.surplus_fen > 0 == made.balance_due_fen
    [final] = only(SettlementDetermined, said)
    assert final.credit_balance_fen == made.surplus_fen == made.credit_balance_fen
    left = await lessee.balances()
    assert left["2203"] == made.surplus_fen
    # The truck is back at its value; nothing of the lease is left in the books.
    assert left["1461"] == 12_500_000
    assert {code for code in ("1531", "1532", "222110", "1122") if code in left} == set()
    assert (await lessee.account()).state == "settling"


async def test_a_terminated_lease_whose_thing_is_worth_less_leaves_a_shortfall(another_rental: MakeRental) -> None:
    lessee, demand = await defaulted(another_rental)
    made, _ = await amend(lessee, "termination", demand=demand, recovered_value_fen=7_000_000, valuation_ref="appraisal 4")
    assert made.balance_due_fen == made.shortfall_fen > 0
    await transfer(lessee, "shortfall", made.shortfall_fen)
    assert (await lessee.account()).state == "settled"


async def test_a_loan_is_called_in_by_its_clause_and_a_rental_is_terminated(another_rental: MakeRental, rental: Rental) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 5, 10), pays=False)
    demand = {"demanded_on": borrower.today, "period_days": 15, "amount_fen": 106_619, "proof_ref": "EMS 7"}
    await rental.begin()
    await live(rental, date(2026, 6, 12), pays=False)
    with pytest.raises(Invalid, match="clause must be recorded"):
        await preview(borrower, "acceleration", demand=demand)
    made, _ = await amend(borrower, "acceleration", demand=demand, clause="第 9 条")
    assert (await borrower.account()).principal_fen == 1_200_000
    assert made.rebate_fen > 0, "interest to come is not asked for"
    begun_on = demand | {"demanded_on": date(2026, 6, 20), "amount_fen": 29_900}
    await live(rental, date(2026, 7, 10), pays=False)
    made, _ = await amend(rental, "termination", demand=begun_on)
    assert await to_come(rental, "rent") == []
    assert (await rental.account()).state == "open", "the device is still to come back"
    said = await rental.give_back()
    [final] = only(SettlementDetermined, said)
    assert final.balance_due_fen == (await rental.account()).balance_due_fen


# --- rentals -----------------------------------------------------------------------------------------------------------------


async def test_a_rental_is_renewed_at_a_lower_rent(another_rental: MakeRental) -> None:
    lessee = another_rental(period_count=3)
    await lessee.begin()
    await live(lessee, date(2026, 5, 20))
    with pytest.raises(Invalid, match="must not be above the rent in force"):
        await preview(lessee, "renewal", periods=2, rent_fen=30_000)
    made, _ = await amend(lessee, "renewal", periods=2, rent_fen=25_000)
    assert [(leg.number, leg.due_on, leg.amount_fen) for leg in made.new_legs] == [
        (4, date(2026, 6, 2), 25_000),
        (5, date(2026, 7, 2), 25_000),
    ]
    said = await live(lessee, date(2026, 8, 2))
    assert [due.outstanding_fen for due in only(InstalmentFellDue, said)] == [25_000, 25_000]
    left = await lessee.balances()
    assert left.keys() == {"1002", "1012", "2221", "6001"}


async def test_a_rental_is_bought_out_in_mid_term_and_at_its_end(another_rental: MakeRental) -> None:
    lessee = another_rental(buyout_fen=120_000)
    await lessee.begin()
    await live(lessee, date(2026, 6, 20))
    made, said = await amend(lessee, "buyout")
    price_fen = 500_000 - 4 * 29_900
    assert [(charge.kind, charge.amount_fen) for charge in made.new_charges] == [("buyout", price_fen)]
    assert only(SettlementDetermined, said)[0].balance_due_fen == price_fen == made.balance_due_fen
    assert (await lessee.account()).state == "settling"
    await transfer(lessee, "price", price_fen)
    assert (await lessee.account()).state == "settled"
    keeper = another_rental(buyout_fen=120_000, period_count=2)
    await keeper.begin()
    await live(keeper, keeper.today + timedelta(days=60))
    made, _ = await amend(keeper, "buyout")
    assert [charge.amount_fen for charge in made.new_charges] == [120_000]


async def test_another_lessee_takes_over_with_the_lessors_consent(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental, grace_days=30))
    await live(borrower, date(2026, 4, 10), pays=False)
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        draft = parties.PersonDraft(name="王小明", identity_no="11010519491231002X", phone="13800138001")
        [heir] = await parties.register_people(uow, [draft])
    heir_id = accepted(heir).id
    party = public_id(Prefix.PARTY, heir_id)
    fields = {"party_id": party, "consent_ref": "letter 4"}
    with pytest.raises(Invalid, match="let them be paid first"):
        await preview(borrower, "transfer", open_items="with_old", **fields)
    made, said = await amend(borrower, "transfer", open_items="with_new", **fields)
    [heard] = only(LesseeTransferred, said)
    assert (heard.party_before_id, heard.party_id) == (borrower.party_id, heir_id)
    assert (await borrower.account()).party_id == party
    assert made.balance_due_fen == 106_619
    for stranger, problem in ((borrower.party_id, "another party"), (new_id(), "no such party")):
        async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
            wanted = asked(
                borrower, "transfer", open_items="with_new", **fields | {"party_id": public_id(Prefix.PARTY, stranger)}
            )
            [refused] = await billing.amend(uow, [wanted])
        assert isinstance(refused, Invalid | parties.PartyUnknown), problem


# --- previews, refusals, neighbours --------------------------------------------------------------------------------------------


async def test_what_moved_since_the_preview_is_refused_and_what_is_refused_writes_nothing(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental, grace_days=30))
    await live(borrower, date(2026, 4, 10), pays=False)
    seen = await preview(borrower, "payoff")
    await transfer(borrower, "one", 1_000)
    before, balances = await rows_in_all(borrower), await borrower.balances()
    wrong = [
        asked(borrower, "payoff", expected_sha256=seen.position_sha256),
        asked(borrower, "payoff", on=borrower.today + timedelta(days=1)),
        asked(borrower, "payoff", on=borrower.today - timedelta(days=1)),
        asked(borrower, "renewal", periods=1, rent_fen=1),
        asked(borrower, "prepayment", amount_fen=10**9, policy="reduce_term"),
        asked(
            borrower, "acceleration", demand={"demanded_on": borrower.today, "period_days": 20, "amount_fen": 1, "proof_ref": "-"}
        ),
        asked(borrower, "rate_change", on=date(2020, 1, 1), annual_rate_pct="3"),
    ]
    async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
        outcomes = await billing.amend(uow, wanted := wrong)
    assert len(outcomes) == len(wanted)
    assert isinstance(outcomes[0], PositionChanged)
    assert all(isinstance(outcome, Invalid) for outcome in outcomes[1:])
    assert (await rows_in_all(borrower), await borrower.balances()) == (before, balances)


async def test_the_reason_and_both_fingerprints_are_evidence_and_changes_are_listed(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 8, 12))
    before = await schedule_print(borrower)
    made, _ = await amend(borrower, "extension", periods=1, reason="灾情展期")
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        [listed] = await billing.amendments_of(read, borrower.agreement_id)
        leaves = await evidence.facts_of(read, borrower.agreement_id)
        position = await position_at(read, accepted_account(await accounts.find(read, borrower.agreement_id)))
    assert (listed.id, listed.kind, listed.reason, listed.request["periods"]) == (made.id, "extension", "灾情展期", 1)
    [facts] = [msgspec.json.decode(leaf.body)["facts"] for leaf in leaves if leaf.kind == "billing.agreement.amended"]
    assert (facts["schedule_before_sha256"], facts["schedule_after_sha256"]) == (before, schedule_sha256(position))
    assert facts["position_sha256"] == made.position_sha256 != position_sha256(position)
    assert facts["reason"] == "灾情展期"


def accepted_account(found: accounts.Account | None) -> accounts.Account:
    assert found is not None
    return found


async def test_many_amendments_follow_each_other_and_nothing_is_lost(another_rental: MakeRental) -> None:
    """Each begins from what the one before left; in the end all principal has come back."""
    borrower = await begun(loan(another_rental))
    steps: list[tuple[str, dict[str, Any]]] = [
        ("prepayment", {"amount_fen": 100_000, "policy": "reduce_instalment"}),
        ("extension", {"periods": 1}),
        ("rate_change", {"annual_rate_pct": "9.5"}),
        ("moratorium", {"periods": 2, "interest": "paid"}),
        ("prepayment", {"amount_fen": 50_000, "policy": "reduce_term"}),
        ("re_amortise", {}),
    ]
    for turn, (kind, fields) in enumerate(steps):
        await live(borrower, borrower.today + timedelta(days=33))
        made, _ = await amend(borrower, kind, **fields)
        assert made.version == turn + 2
        if made.due_now_fen:
            await transfer(borrower, f"now-{turn}", made.due_now_fen)
    await live(borrower, date(2027, 12, 1))
    legs = await borrower.instalments()
    assert sum(leg.paid_fen for leg in legs if leg.role == "principal") == 1_200_000
    left = await borrower.balances()
    assert left.keys() == {"1002", "6011", "222106"}
    assert left["1002"] == left["6011"] + left["222106"]


async def test_fifty_receipts_and_an_amendment_at_once_neither_deadlock_nor_lose_a_fen(another_rental: MakeRental) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 5, 12), pays=False)
    owed_fen = (await borrower.account()).balance_due_fen

    async def pay(turn: int) -> int:
        async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
            given = billing.Transfer(borrower.agreement_id, f"parallel-{turn}", 1_000 + turn, borrower.today)
            [outcome] = await billing.record_transfers(uow, [given])
        return accepted(outcome).amount_fen

    async def change() -> int:
        async with borrower.runtime.unit(borrower.tenant_id, borrower.actor) as uow:
            [outcome] = await billing.amend(uow, [asked(borrower, "extension", periods=1)])
        accepted(outcome)
        return 0

    paid = await asyncio.gather(*(change() if turn == 25 else pay(turn) for turn in range(51)))
    await borrower.check_books()
    account = await borrower.account()
    assert sum(paid) == sum(1_000 + turn for turn in range(51) if turn != 25)
    assert account.balance_due_fen - account.credit_balance_fen == owed_fen - sum(paid)


async def test_an_amendment_over_http_is_previewed_made_once_and_listed(
    another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str]
) -> None:
    borrower = await begun(loan(another_rental))
    await live(borrower, date(2026, 5, 12))
    path = f"/v1/agreements/{public_id(Prefix.AGREEMENT, borrower.agreement_id)}"
    quote = (await api.get(f"{path}/payoff", params={"on": "2026-05-20"}, headers=api_key)).json()
    assert quote["due_now_fen"] == (await preview(borrower, "payoff", on=date(2026, 5, 20))).due_now_fen
    body = {"kind": "extension", "on": "2026-05-12", "periods": 1, "reason": "客户申请"}
    seen = (await api.post(f"{path}/amendments/preview", json=body, headers=api_key)).json()
    asked_for = body | {"expected_sha256": seen["position_sha256"]}
    keyed = api_key | {"Idempotency-Key": "extension-1"}
    answers = [await api.post(f"{path}/amendments", json=asked_for, headers=keyed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["new_legs"] == seen["new_legs"]
    listed = (await api.get(f"{path}/amendments", headers=api_key)).json()["items"]
    assert [(each["id"], each["kind"], each["version"]) for each in listed] == [(answers[0].json()["id"], "extension", 2)]
    again = await api.post(f"{path}/amendments", json=asked_for, headers=api_key)
    assert (again.status_code, again.json()["type"]) == (409, "urn:xinzu:problem:billing.position_changed")
    for wrong in ({"kind": "gift"}, {"periods": 0}, {"surprise": 1}):
        assert (await api.post(f"{path}/amendments", json=body | wrong, headers=api_key)).status_code in (400, 422)
    late = await api.post(f"{path}/amendments", json=body | {"on": "2026-05-13"}, headers=api_key)
    assert (late.status_code, late.json()["errors"][0]["pointer"]) == (422, "/on")
