"""Stories of customers whose agreements change, with the figures worked out apart from the code where a formula gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy_financial as npf
import pytest
from pyxirr import xirr

from xinzu.back.billing.model import InstalmentState, Leg, Role
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import DayCount, Grace, Method, ScheduleTerms, Timing
from xinzu.back.billing.rules.servicing.accrued import accrued_to
from xinzu.back.billing.rules.servicing.change import after
from xinzu.back.billing.rules.servicing.default import Acceleration, Demand, Termination, accelerate, terminate
from xinzu.back.billing.rules.servicing.ending import (
    Buyout,
    OpenItemsStay,
    PriceFormula,
    PriceTable,
    Renewal,
    Transfer,
    buy_out,
    renew,
    transfer,
)
from xinzu.back.billing.rules.servicing.payoff import Payoff, pay_off
from xinzu.back.billing.rules.servicing.position import OpenCharge, Position, legs_of, position_of
from xinzu.back.billing.rules.servicing.prepayment import Prepaid, Prepayment, prepay
from xinzu.back.billing.rules.servicing.relief import (
    Derecognition,
    Loss,
    Waiver,
    derecognise,
    resume_accrual,
    stop_accrual,
    waive,
)
from xinzu.back.billing.rules.servicing.reschedule import (
    Extension,
    Moratorium,
    PausedInterest,
    RateChange,
    ReAge,
    ReAmortise,
    Restructure,
    change_rate,
    extend,
    pause,
    re_age,
    re_amortise,
    restructure,
)
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import Family

LOAN = ScheduleTerms(start_on=date(2026, 1, 15), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal(12))
TRUCK = ScheduleTerms(
    start_on=date(2026, 3, 1),
    periods=24,
    principal_fen=30_000_000,
    annual_rate_pct=Decimal("7.2"),
    method=Method.BALLOON,
    balloon_fen=6_000_000,
)


def stands(
    terms: ScheduleTerms, on: date, *, family: Family = Family.LOAN, paid_to: date | None = None, buyout_fen: int = 0
) -> Position:
    """The agreement on a date with everything due by ``paid_to`` paid."""
    legs = [settled(leg, on, paid_to or on) for leg in legs_of(schedule_of(terms).rows, terms)]
    return position_of(family, on, legs, terms=terms, buyout_fen=buyout_fen)


def settled(leg: Leg, on: date, paid_to: date) -> Leg:
    if leg.due_on <= paid_to:
        return replace(leg, paid_fen=leg.amount_fen, state=InstalmentState.PAID)
    return replace(leg, state=InstalmentState.OVERDUE) if leg.due_on <= on else leg


def rental(on: date, *, paid: int, rents: int = 12, rent_fen: int = 29_900) -> Position:
    terms = ScheduleTerms(start_on=date(2026, 1, 31), periods=rents, principal_fen=1, timing=Timing.ADVANCE)
    starts = [row.due_on for row in schedule_of(replace(terms, principal_fen=rents * 100)).rows]
    ends = [*starts[1:], date(2027, 1, 31)]
    legs = [
        Leg(
            version=1,
            number=n,
            role=Role.RENT,
            from_on=start,
            to_on=end - timedelta(days=1),
            due_on=start,
            amount_fen=rent_fen,
            paid_fen=rent_fen if n <= paid else 0,
            state=InstalmentState.PAID if n <= paid else InstalmentState.OVERDUE if start <= on else InstalmentState.SCHEDULED,
        )
        for n, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    ]
    return position_of(Family.RENTAL, on, legs)


def totals(legs: tuple[Leg, ...]) -> dict[date, int]:
    found: dict[date, int] = {}
    for leg in legs:
        found[leg.due_on] = found.get(leg.due_on, 0) + leg.amount_fen
    return found


# --- prepayment ----------------------------------------------------------------------------------------------------------


def test_a_customer_prepays_half_after_five_months_and_pays_half_the_instalment() -> None:
    on = date(2026, 6, 15)
    change = prepay(stands(LOAN, on), Prepayment(on=on, amount_fen=358_674, policy=Prepaid.REDUCE_INSTALMENT))
    assert change.due_now_fen == 358_674, "on a due date nothing has accrued since"
    rows = list(totals(change.new_legs[1:]).values())
    expected = -npf.pmt(0.01, 7, 717_348 - 358_674)
    assert all(abs(row - float(expected)) <= 0.5 for row in rows[:-1])
    flows = [(on, -358_674.0), *((leg_on, float(fen)) for leg_on, fen in totals(change.new_legs[1:]).items())]
    effective = xirr([leg_on for leg_on, _ in flows], [fen for _, fen in flows])
    assert effective is not None
    assert change.annual_cost_pct is not None
    assert abs(float(change.annual_cost_pct) - 100 * effective) < 1e-5


def test_the_same_instalment_over_fewer_rows_is_what_nper_says() -> None:
    on = date(2026, 6, 15)
    change = prepay(stands(LOAN, on), Prepayment(on=on, amount_fen=358_674, policy=Prepaid.REDUCE_TERM))
    rows = list(totals(change.new_legs[1:]).values())
    assert len(rows) == int(-(-npf.nper(0.01, -106_619, 358_674) // 1))
    assert set(rows[:-1]) == {106_619}
    assert rows[-1] < 106_619


def test_interest_to_the_day_within_a_leap_february() -> None:
    terms = replace(LOAN, start_on=date(2027, 12, 31), day_count=DayCount.ACTUAL_365)
    on = date(2028, 2, 29)
    before = accrued_to(stands(terms, on - timedelta(days=1)), on - timedelta(days=1))
    balance_fen = schedule_of(terms).rows[0].balance_fen
    assert before.interest_fen == round(balance_fen * 0.12 * 28 / 365)
    assert before.since_on == date(2028, 1, 31)
    assert accrued_to(stands(terms, on), on).interest_fen == 0, "the row due that day has asked for it"


def test_a_month_end_is_kept_by_a_prepayment_and_an_extension() -> None:
    terms = replace(LOAN, start_on=date(2026, 1, 31))
    on = date(2026, 2, 10)
    dues = list(
        totals(prepay(stands(terms, on), Prepayment(on=on, amount_fen=100_000, policy=Prepaid.REDUCE_INSTALMENT)).new_legs)
    )
    assert dues[:4] == [on, date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    longer = list(totals(extend(stands(terms, on), Extension(on=on, periods=1)).new_legs))
    assert (longer[0], longer[-2], longer[-1]) == (date(2026, 3, 31), date(2027, 1, 31), date(2027, 2, 28))


def test_days_before_and_after_a_prepayment_are_the_days_of_the_row() -> None:
    """A prepayment of one fen costs no more interest than none: the broken row's two parts are the whole."""
    for day in range(16, 29):
        on = date(2026, 6, day)
        change = prepay(stands(LOAN, on), Prepayment(on=on, amount_fen=1, policy=Prepaid.REDUCE_INSTALMENT))
        assert change.accrued is not None
        first = next(leg for leg in change.new_legs if leg.role is Role.INTEREST and leg.due_on == date(2026, 7, 15))
        assert abs(change.accrued.interest_fen + first.amount_fen - 7_173) <= 1


def test_the_fee_is_capped_by_the_interest_forgone() -> None:
    on = date(2027, 1, 10)
    change = prepay(stands(LOAN, on), Prepayment(on=on, amount_fen=50_000, policy=Prepaid.REDUCE_INSTALMENT, fee_pct=Decimal(5)))
    (fee,) = change.charges
    assert fee.why.inputs["agreed_fen"] == 2_500
    assert fee.amount_fen == change.rebate_fen < 2_500


def test_what_was_owed_anyway_is_needed_first() -> None:
    on = date(2026, 6, 25)
    behind = stands(LOAN, on, paid_to=date(2026, 5, 20))
    change = prepay(behind, Prepayment(on=on, amount_fen=100_000, policy=Prepaid.REDUCE_INSTALMENT))
    assert change.arrears_fen == 106_619
    assert change.due_now_fen == 106_619 + 100_000 + 2_391


def test_rows_paid_ahead_are_not_computed_anew() -> None:
    on = date(2026, 6, 25)
    ahead = stands(LOAN, on, paid_to=date(2026, 8, 15))
    assert min(totals(re_amortise(ahead, ReAmortise(on=on)).new_legs)) == date(2026, 9, 15)
    with pytest.raises(Invalid, match="paid ahead"):
        prepay(ahead, Prepayment(on=on, amount_fen=100_000, policy=Prepaid.REDUCE_INSTALMENT))
    partly = replace(ahead, legs=tuple(replace(leg, paid_fen=1) if leg.number == 10 else leg for leg in ahead.legs))
    with pytest.raises(Invalid, match="row 10 is paid in part"):
        re_amortise(partly, ReAmortise(on=on))


def test_a_prepayment_found_late_counts_from_its_day() -> None:
    """Told on 25 June that half was paid on 25 April: rows of May and June asked for too much."""
    position = stands(LOAN, date(2026, 6, 25))
    on_time = prepay(
        stands(LOAN, date(2026, 4, 25)),
        event := Prepayment(on=date(2026, 4, 25), amount_fen=450_000, policy=Prepaid.REDUCE_INSTALMENT),
    )
    late = prepay(position, event)
    assert totals(late.new_legs[2:]) == {
        due_on: fen for due_on, fen in totals(on_time.new_legs).items() if due_on.month != 4 and due_on > position.as_of
    }
    asked_too_much_fen = 2 * 106_619 - sum(totals(on_time.new_legs)[date(2026, month, 15)] for month in (5, 6))
    assert sum(delta.amount_fen for delta in late.deltas) == -asked_too_much_fen
    assert late.credit_fen == asked_too_much_fen
    later = after(position, late)
    assert sum(leg.open_fen for leg in later.legs if leg.role is Role.PRINCIPAL) == 450_000 + sum(
        leg.amount_fen for leg in late.new_legs[2:] if leg.role is Role.PRINCIPAL
    )


# --- payoff --------------------------------------------------------------------------------------------------------------


def test_a_flat_loan_is_settled_by_the_actuarial_method() -> None:
    flat = replace(LOAN, method=Method.FLAT)
    on = date(2026, 6, 15)
    change = pay_off(stands(flat, on), Payoff(on=on))
    rate = npf.rate(12, -112_000, 1_200_000, 0)
    assert abs(change.due_now_fen - float(-npf.pv(rate, 7, 112_000))) <= 1
    assert change.rebate_fen == 7 * 112_000 - change.due_now_fen


def test_a_truck_lessee_buys_the_truck_early_with_its_residual() -> None:
    on = date(2027, 3, 1)
    position = stands(TRUCK, on, family=Family.FINANCE_LEASE, buyout_fen=10_000)
    change = pay_off(position, Payoff(on=on))
    instalment = -npf.pmt(0.006, 24, 30_000_000, -6_000_000)
    left = -npf.pv(0.006, 12, instalment, 6_000_000)
    assert abs(change.due_now_fen - 10_000 - float(left)) <= 12
    assert [(charge.kind, charge.amount_fen) for charge in change.charges] == [("buyout", 10_000)]
    assert sum(item.open_fen for item in after(position, change).items) == change.due_now_fen


def test_interest_paid_ahead_is_credited_at_the_payoff() -> None:
    on = date(2026, 6, 25)
    change = pay_off(stands(LOAN, on, paid_to=date(2026, 8, 15)), Payoff(on=on))
    principal_fen = schedule_of(LOAN).rows[6].balance_fen
    assert change.credit_fen == 7_173 + 6_179 - int(change.why.inputs["accrued_fen"])
    assert change.due_now_fen == principal_fen
    with pytest.raises(Invalid, match="must not be before"):
        pay_off(stands(LOAN, on), Payoff(on=date(2026, 6, 24)))


def test_deferred_interest_of_a_grace_is_owed_at_the_payoff() -> None:
    terms = replace(LOAN, grace=Grace(0, 2), day_count=DayCount.PERIOD)
    on = date(2026, 3, 15)
    change = pay_off(stands(terms, on), Payoff(on=on))
    assert change.accrued is not None
    assert change.accrued.deferred_fen == schedule_of(terms).rows[2].interest_fen - round(
        schedule_of(terms).rows[1].balance_fen * 0.01
    )


# --- reschedules ---------------------------------------------------------------------------------------------------------


def test_re_amortising_on_any_day_of_the_row_is_the_same() -> None:
    on_the_row, within_it = (re_amortise(stands(LOAN, on), ReAmortise(on=on)) for on in (date(2026, 6, 15), date(2026, 7, 14)))
    assert totals(on_the_row.new_legs) == totals(within_it.new_legs)
    assert list(totals(within_it.new_legs).values()) == [106_618] * 6 + [106_620]


def test_a_rate_that_does_not_change_leaves_the_rows_as_they_were_but_for_the_residue() -> None:
    on = date(2026, 6, 25)
    same = change_rate(stands(LOAN, on), RateChange(on=on, annual_rate_pct=Decimal(12)))
    assert abs(sum(totals(same.new_legs).values()) - (106_619 * 6 + 106_614)) <= 1


def test_a_new_rate_in_mid_term_is_what_the_engine_says_for_the_whole_contract() -> None:
    on = date(2026, 6, 25)
    change = change_rate(stands(LOAN, on), RateChange(on=on, annual_rate_pct=Decimal(6)))
    whole = schedule_of(replace(LOAN, rate_changes=((on, Decimal(6)),))).rows[5:]
    assert list(totals(change.new_legs).values()) == [row.total_fen for row in whole]


def test_a_backdated_rate_posts_what_was_asked_too_much() -> None:
    position = stands(LOAN, date(2026, 6, 25))
    change = change_rate(position, RateChange(on=date(2026, 4, 25), annual_rate_pct=Decimal(6)))
    assert {delta.number for delta in change.deltas} == {4, 5}
    assert change.credit_fen == 3_045 + 4_082
    assert change.due_now_fen == 630 + 1_667, "more of the paid instalments is principal"
    assert all(delta.amount_fen < 0 for delta in change.deltas if delta.role is Role.INTEREST)
    assert position.legs == stands(LOAN, date(2026, 6, 25)).legs, "what was asked for stands"


def test_a_capitalised_pause_bears_no_interest_on_interest_within_it() -> None:
    on = date(2026, 6, 20)
    position = stands(LOAN, on)
    change = pause(position, Moratorium(on=on, periods=3, interest=PausedInterest.CAPITALISED))
    assert change.pause is not None
    assert change.pause.capitalised_fen == 3 * 7_173
    assert change.no_late_fee == (on, date(2026, 9, 15))
    assert min(totals(change.new_legs)) == date(2026, 10, 15)
    half = date(2026, 7, 31)
    settled_early = pay_off(after(position, change), Payoff(on=half))
    assert settled_early.accrued is not None
    assert settled_early.accrued.interest_fen == round(3 * 7_173 * (half - date(2026, 6, 15)).days / 92)


def test_a_deferred_pause_is_asked_for_once_and_bears_nothing() -> None:
    on = date(2026, 6, 15)
    change = pause(stands(LOAN, on), Moratorium(on=on, periods=3, interest=PausedInterest.DEFERRED))
    first = min(totals(change.new_legs))
    assert first == date(2026, 10, 15)
    interest = next(leg.amount_fen for leg in change.new_legs if leg.due_on == first and leg.role is Role.INTEREST)
    assert interest == 4 * 7_173


def test_a_restructured_loan_over_more_rows() -> None:
    on = date(2026, 6, 15)
    change = restructure(stands(LOAN, on), Restructure(on=on, periods=18, annual_rate_pct=Decimal(9)))
    rows = list(totals(change.new_legs).values())
    assert len(rows) == 18
    assert abs(rows[0] - float(-npf.pmt(0.0075, 18, 717_348))) <= 0.5


def test_re_ageing_restarts_the_days_only_on_a_recorded_ground() -> None:
    on = date(2026, 6, 20)
    behind = stands(LOAN, on, paid_to=date(2026, 4, 15))
    plain = re_age(behind, ReAge(on=on))
    assert (plain.reset_days_past_due, plain.ageing_since) == (False, date(2026, 5, 15))
    agreed = re_age(behind, ReAge(on=on, reset_ground="hardship plan 2026-17"))
    assert (agreed.reset_days_past_due, agreed.ageing_since) == (True, None)
    with pytest.raises(Invalid, match="reset_ground"):
        re_age(behind, ReAge(on=on, reset_ground=" "))
    over = stands(LOAN, date(2027, 3, 1), paid_to=date(2026, 12, 1))
    with pytest.raises(Invalid, match="periods"):
        re_age(over, ReAge(on=date(2027, 3, 1)))
    anew = re_age(over, ReAge(on=date(2027, 3, 1), periods=3))
    assert list(totals(anew.new_legs)) == [date(2027, 3, 15), date(2027, 4, 15), date(2027, 5, 15)]


# --- rentals -------------------------------------------------------------------------------------------------------------


def test_a_renewal_follows_the_last_day_and_never_costs_more() -> None:
    position = rental(date(2027, 1, 10), paid=12)
    change = renew(position, Renewal(on=date(2027, 1, 10), periods=3, rent_fen=20_000))
    assert [str(leg.from_on) for leg in change.new_legs] == ["2027-01-31", "2027-02-28", "2027-03-31"]
    with pytest.raises(Invalid, match="rent in force"):
        renew(position, Renewal(on=date(2027, 1, 10), periods=3, rent_fen=29_901))
    with pytest.raises(Invalid, match="above the guard"):
        renew(position, Renewal(on=date(2027, 1, 10), periods=3, rent_fen=20_000, rents_max_fen=12 * 29_900 + 59_999))


def test_a_rental_is_bought_out_in_its_fifth_month() -> None:
    on = date(2026, 6, 10)
    position = rental(on, paid=6)
    by_table = buy_out(position, Buyout(on=on, price=PriceTable(prices_fen=(500_000, 450_000, 400_000, 360_000, 330_000))))
    assert by_table.due_now_fen == 330_000
    assert by_table.falls_away_fen == 7 * 29_900, (
        "rents of June 30 and later; five have begun, and what was paid ahead comes back"
    )
    assert by_table.credit_fen == 29_900
    by_formula = buy_out(position, Buyout(on=on, price=PriceFormula(device_value_fen=500_000)))
    assert by_formula.due_now_fen == 500_000 - 5 * 29_900


def test_what_is_open_stays_with_whom_the_policy_says() -> None:
    on = date(2026, 6, 10)
    position = replace(rental(on, paid=4), charges=(OpenCharge("c1", "late_fee", on, 300),))
    for policy, stays in ((OpenItemsStay.WITH_OLD, 30_200), (OpenItemsStay.WITH_NEW, 0)):
        handed = transfer(position, Transfer(on=on, open_items=policy, consent_ref="doc 9"))
        assert sum(item.open_fen for item in handed.stays) == stays
        assert sum(item.open_fen for item in (*handed.stays, *handed.moves)) == sum(item.open_fen for item in position.items)
    with pytest.raises(Invalid, match="consent_ref"):
        transfer(position, Transfer(on=on, open_items=OpenItemsStay.WITH_OLD, consent_ref=""))


# --- default -------------------------------------------------------------------------------------------------------------


def defaulted(on: date, family: Family = Family.FINANCE_LEASE) -> Position:
    return stands(TRUCK, on, family=family, paid_to=date(2026, 9, 15))


DEMAND = Demand(demanded_on=date(2026, 12, 5), period_days=15, amount_fen=3_000_000, proof_ref="EMS 1091")


def test_nothing_without_a_demand_its_time_and_an_amount_still_unpaid() -> None:
    on = date(2026, 12, 21)
    for demand, at, named in (
        (replace(DEMAND, proof_ref=""), on, "proof_ref"),
        (replace(DEMAND, period_days=14), on, "period_days"),
        (replace(DEMAND, amount_fen=0), on, "amount_fen"),
        (replace(DEMAND, amount_fen=10**10), on, "amount_fen"),
        (DEMAND, date(2026, 12, 20), "time demanded"),
    ):
        with pytest.raises(Invalid, match=named):
            accelerate(defaulted(at), Acceleration(on=at, demand=demand))
        with pytest.raises(Invalid, match=named):
            terminate(defaulted(at), Termination(on=at, demand=demand))
    with pytest.raises(Invalid, match="has been met"):
        accelerate(stands(TRUCK, on, family=Family.FINANCE_LEASE), Acceleration(on=on, demand=DEMAND))
    with pytest.raises(Invalid, match="terminate the rental"):
        accelerate(rental(on, paid=3), Acceleration(on=on, demand=DEMAND))


def test_a_truck_lessee_in_default_owes_all_rents_or_the_truck_is_reckoned_up() -> None:
    on = date(2026, 12, 21)
    position = defaulted(on)
    rows = schedule_of(TRUCK).rows
    every_rent_fen = sum(row.total_fen for row in rows[6:])
    called = accelerate(position, Acceleration(on=on, demand=DEMAND))
    assert called.due_now_fen == every_rent_fen, "art. 752: all rents, interest not yet accrued with them"
    sold_well = terminate(
        position,
        Termination(on=on, demand=DEMAND, recovered_value_fen=28_000_000, valuation_ref="appraisal 3", costs_fen=200_000),
    )
    assert sold_well.reckoning is not None
    assert sold_well.reckoning.owed_fen == every_rent_fen + 200_000
    assert sold_well.credit_fen == 28_000_000 - every_rent_fen - 200_000, "art. 758: the excess is the lessee's"
    sold_badly = terminate(
        position, Termination(on=on, demand=DEMAND, recovered_value_fen=12_000_000, valuation_ref="appraisal 3")
    )
    assert sold_badly.due_now_fen == every_rent_fen - 12_000_000
    unknown = terminate(position, Termination(on=on, demand=DEMAND))
    assert (unknown.reckoning, unknown.due_now_fen) == (None, every_rent_fen)


def test_one_rent_is_too_little_to_terminate_without_an_agreed_ground() -> None:
    on = date(2026, 12, 21)
    position = stands(TRUCK, on, family=Family.FINANCE_LEASE, paid_to=date(2026, 11, 15))
    demand = replace(DEMAND, amount_fen=1_000_000)
    with pytest.raises(Invalid, match="two rents or 15 %"):
        terminate(position, Termination(on=on, demand=demand))
    assert terminate(position, Termination(on=on, demand=demand, clause="art. 14.2")).falls_away_fen > 0


def test_a_loan_called_in_owes_no_interest_that_has_not_accrued() -> None:
    on = date(2026, 12, 21)
    position = defaulted(on, Family.LOAN)
    with pytest.raises(Invalid, match="clause"):
        accelerate(position, Acceleration(on=on, demand=DEMAND))
    called = accelerate(position, Acceleration(on=on, demand=DEMAND, clause="8.1"))
    rows = schedule_of(TRUCK).rows
    accrued_fen = round(rows[8].balance_fen * 0.006 * 20 / 31)
    assert called.due_now_fen == sum(row.total_fen for row in rows[6:9]) + rows[8].balance_fen + accrued_fen
    with pytest.raises(Invalid, match="call a loan in"):
        terminate(position, Termination(on=on, demand=DEMAND))


def test_a_rental_in_default_ends_without_rents_not_begun() -> None:
    on = date(2026, 6, 10)
    demand = Demand(demanded_on=date(2026, 5, 20), period_days=15, amount_fen=29_900, proof_ref="sms 4")
    change = terminate(rental(on, paid=3), Termination(on=on, demand=demand))
    assert change.arrears_fen == 2 * 29_900
    assert change.falls_away_fen == 7 * 29_900


# --- relief --------------------------------------------------------------------------------------------------------------


def test_a_waiver_above_the_limit_needs_a_second_person() -> None:
    on = date(2026, 6, 20)
    position = replace(stands(LOAN, on, paid_to=date(2026, 5, 15)), charges=(OpenCharge("c1", "late_fee", on, 900),))
    event = Waiver(on=on, amounts_fen={"c1": 900, "1/5/interest": 100}, ground="complaint 12", alone_max_fen=1_000)
    assert not waive(position, event).needs_four_eyes
    assert waive(position, replace(event, alone_max_fen=999)).needs_four_eyes
    later = after(position, waive(position, event))
    assert sum(item.open_fen for item in later.items) == sum(item.open_fen for item in position.items) - 1_000
    for amounts in ({"c1": 901}, {"c9": 1}, {"1/1/interest": 1}, {}):
        with pytest.raises(Invalid, match="amounts_fen"):
            waive(position, replace(event, amounts_fen=amounts))


def test_a_write_off_holds_principal_and_what_has_accrued_but_no_later_interest() -> None:
    on = date(2026, 6, 25)
    position = stands(LOAN, on, paid_to=date(2026, 5, 15))
    lost = derecognise(position, Derecognition(on=on, loss=Loss.WRITE_OFF, ground="court closed the case"))
    assert lost.principal_fen == 717_348 + 98_461
    assert lost.interest_fen == 8_158 + 2_391
    assert lost.needs_four_eyes
    with pytest.raises(Invalid, match="ground"):
        derecognise(position, Derecognition(on=on, loss=Loss.WRITE_OFF, ground=""))


def test_interest_leaves_the_books_after_ninety_days_and_comes_back_once_nothing_is_overdue() -> None:
    on = date(2026, 6, 25)
    position = stands(LOAN, on, paid_to=date(2026, 3, 1))
    stopped = stop_accrual(position, on, 91)
    assert stopped.reversed_fen == 11_054 + 10_098 + 9_133 + 8_158 + 2_391
    with pytest.raises(Invalid, match="above 90"):
        stop_accrual(position, on, 90)
    with pytest.raises(Invalid, match="clear the arrears"):
        resume_accrual(position, on, 1)
    assert resume_accrual(stands(LOAN, on), on, 0).caught_up_fen == 2_391
