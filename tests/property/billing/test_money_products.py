"""What holds for rents by the day and periods of days, for tranches, rates in steps and due dates that move back, whatever the terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.decisions.people import terms

from xinzu.back.billing.api import agreed_schedule, cost_table, daily_cost_pct, schedule_of, schedule_terms
from xinzu.back.billing.model import Role
from xinzu.back.billing.rules.legs import (
    ONE_DAY,
    daily_legs,
    financed_legs,
    recounted,
    rental_legs,
    standing,
    term_end,
    why_daily,
)
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy, is_working_day
from xinzu.back.billing.rules.schedules.terms import Unit
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import DailyRent, Family, Financing, PriceBand, RateStep, Tranche

STARTS = st.dates(date(2020, 1, 1), date(2027, 12, 31))
DAYS = st.integers(1, 366)


@st.composite
def by_day(draw: st.DrawFn) -> DailyRent:
    begins = [1, *sorted(draw(st.sets(st.integers(2, 120), max_size=4)))]
    prices = [draw(st.integers(1, 50_000)), *(draw(st.integers(0, 50_000)) for _ in begins[1:])]
    caps = st.none() | st.integers(1, 31), st.none() | st.integers(1, 366)
    return DailyRent(bands=tuple(map(PriceBand, begins, prices)), month_days_max=draw(caps[0]), charged_days_max=draw(caps[1]))


def total_fen(rent: DailyRent, days: int, start: date) -> int:
    return sum(leg.amount_fen for leg in daily_legs(rent, days, start))


@given(by_day(), DAYS, STARTS)
def test_another_day_never_costs_less_and_never_more_than_the_dearest_band(rent: DailyRent, days: int, start: date) -> None:
    fewer, more = total_fen(rent, days, start), total_fen(rent, days + 1, start)
    assert 0 <= more - fewer <= max(band.daily_fen for band in rent.bands)


@given(by_day(), DAYS, STARTS)
def test_a_quote_by_the_day_asks_for_what_the_legs_do_and_each_leg_says_why(rent: DailyRent, days: int, start: date) -> None:
    legs = daily_legs(rent, days, start)
    total = sum(leg.amount_fen for leg in legs)
    agreed = replace(
        terms(), daily=rent, period_months=0, period_days=1, period_count=days, total_fen=total, rent_fen=legs[0].amount_fen
    )
    table = cost_table(agreed, start)
    assert [(row.due_on, row.total_fen) for row in table.instalments] == [(leg.due_on, leg.amount_fen) for leg in legs]
    assert table.lines[0].amount_fen == agreed.rent_total_fen == total
    for leg in legs:
        why = why_daily(standing(leg, new_id(), new_id(), 1), rent, start)
        assert sum(segment.amount_fen or 0 for segment in why.segments) == leg.amount_fen


@given(by_day(), DAYS, DAYS, STARTS)
def test_a_return_on_any_day_comes_to_the_rent_of_the_days_kept(
    rent: DailyRent, agreed_days: int, kept_days: int, start: date
) -> None:
    agreed = daily_legs(rent, agreed_days, start)
    away, come = recounted(agreed, rent, agreed_days, start, start + (kept_days - 1) * ONE_DAY)
    kept = sum(leg.amount_fen for leg in agreed if leg.number not in away) + sum(leg.amount_fen for leg in come)
    assert kept == total_fen(rent, kept_days, start)
    if kept_days >= agreed_days:
        assert away == ()
    for leg in come:
        why = why_daily(standing(leg, new_id(), new_id(), leg.version), rent, start)
        assert leg.amount_fen > 0
        assert sum(segment.amount_fen or 0 for segment in why.segments) == leg.amount_fen


@given(by_day(), DAYS, STARTS, st.integers(1, 10**7), st.integers(0, 10**7))
def test_a_rental_by_the_day_costs_nothing_a_year_until_it_brings_back_more_than_the_thing(
    rent: DailyRent, days: int, start: date, value_fen: int, end_fen: int
) -> None:
    rents = [((leg.due_on - start).days, leg.amount_fen) for leg in daily_legs(rent, days, start)]
    cost = daily_cost_pct(value_fen, rents, days, end_fen)
    gains = sum(fen for _, fen in rents) + end_fen > value_fen
    assert (cost is None or Decimal(cost) > 0) if gains else cost == "0.000000"


@given(st.integers(1, 10**6), st.integers(7, 60), st.integers(1, 60), STARTS)
def test_rents_by_periods_of_days_follow_each_other_without_a_gap(rent_fen: int, days: int, count: int, start: date) -> None:
    legs = rental_legs(rent_fen, days, count, start, unit=Unit.DAY)
    assert [leg.from_on for leg in legs] == [start + n * days * ONE_DAY for n in range(count)]
    assert all(later.from_on == leg.to_on + ONE_DAY for leg, later in pairwise(legs))
    assert legs[-1].to_on == term_end(days, count, start, Unit.DAY)


@st.composite
def loans(draw: st.DrawFn) -> tuple[Financing, int]:
    count = draw(st.integers(2, 24))
    lasts = 7 * (count - 1)  # before the last due date, whatever the unit
    days = sorted(draw(st.sets(st.integers(0, lasts - 1), min_size=1, max_size=4)))
    tranches = tuple(Tranche(after, draw(st.integers(100_000, 10**7))) for after in days)
    steps = sorted(draw(st.sets(st.integers(2, count), max_size=3)))
    loan = Financing(
        family=Family.LOAN,
        principal_fen=sum(each.amount_fen for each in tranches),
        annual_rate_pct=str(draw(st.integers(0, 24))),
        day_count=draw(st.sampled_from(["30/360", "actual/365", "actual/360"])),
        tranches=tranches,
        rate_steps=tuple(RateStep(step, str(draw(st.integers(0, 24)))) for step in steps),
    )
    return loan, count


@settings(deadline=None)
@given(loans(), STARTS, st.sampled_from([(1, Unit.MONTH), (7, Unit.DAY), (15, Unit.DAY)]), st.sampled_from(ShiftPolicy))
def test_what_is_drawn_is_repaid_and_the_quote_asks_for_what_the_legs_do(
    loan: tuple[Financing, int], start: date, period: tuple[int, Unit], policy: ShiftPolicy
) -> None:
    financing, count = loan
    every, unit = period
    if unit is Unit.DAY and every < 14 and policy in (ShiftPolicy.PRECEDING, ShiftPolicy.MODIFIED_FOLLOWING):
        return  # a holiday may be longer than a week, which is refused by its own rule
    schedule = schedule_of(schedule_terms(financing, every, count, start, unit=unit, due_shift=policy))
    legs = financed_legs(schedule.rows, start)
    assert sum(leg.amount_fen for leg in legs if leg.role is Role.PRINCIPAL) == financing.principal_fen
    agreed = replace(
        terms(),
        financing=financing,
        period_months=every if unit is Unit.MONTH else 0,
        period_days=every if unit is Unit.DAY else 0,
        period_count=count,
        total_fen=schedule.total_fen,
        due_shift=policy.value,
    )
    assert schedule_of(agreed_schedule(agreed, financing, start)).rows == schedule.rows
    table = cost_table(agreed, start)
    assert sum(row.total_fen for row in table.instalments) == sum(leg.amount_fen for leg in legs) == schedule.total_fen
    if policy in (ShiftPolicy.PRECEDING, ShiftPolicy.MODIFIED_FOLLOWING):
        assert all(is_working_day(row.due_on) for row in schedule.rows)
        assert all(later.from_on == row.due_on for row, later in pairwise(schedule.rows))


@given(STARTS, st.integers(2, 24))
def test_interest_never_falls_due_before_it_has_accrued(start: date, count: int) -> None:
    """Civil Code art. 670: a payment that moves back takes the end of its interest with it."""
    loan = Financing(family=Family.LOAN, principal_fen=3_650_000, annual_rate_pct="10", day_count="actual/365")
    schedule = schedule_of(schedule_terms(loan, 1, count, start, due_shift=ShiftPolicy.PRECEDING))
    balance_fen = 3_650_000
    for row in schedule.rows:
        days = (row.due_on - row.from_on) // timedelta(days=1)
        assert abs(row.interest_fen - Decimal(balance_fen) * days / 3_650) <= 1
        balance_fen = row.balance_fen
