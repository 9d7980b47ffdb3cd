"""Rentals as rows of legs, working days, and why a row is what it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from xinzu.back.billing.rules.schedules.batch import Quote, quote_many, rental_costs
from xinzu.back.billing.rules.schedules.cost import rental_cost_pct
from xinzu.back.billing.rules.schedules.holidays import (
    ShiftPolicy,
    is_working_day,
    shifted,
    unannounced_years,
    with_shifted_dues,
    with_shifted_periods,
)
from xinzu.back.billing.rules.schedules.rentals import (
    LegRole,
    buyout_price_fen,
    buyout_price_of_month,
    buyout_prices,
    daily_rent_fen,
    daily_rents,
    equal_rents,
    rent_to_own,
    several_then_each,
    with_return,
)
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import DayCount, Method, ScheduleTerms, Timing, Unit
from xinzu.back.billing.rules.schedules.why import why_row
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import PriceBand

START = date(2026, 1, 31)
LOAN = ScheduleTerms(start_on=date(2026, 1, 15), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal("11.5"))


# --- rentals ---


def test_rents_in_arrears_are_due_at_the_end_of_their_period() -> None:
    rows = equal_rents(29_900, 2, START, timing=Timing.ARREARS)
    assert [row.due_on for row in rows] == [date(2026, 2, 28), date(2026, 3, 31)]


@pytest.mark.parametrize(("unit", "every", "second"), [(Unit.WEEK, 1, 7), (Unit.DAY, 15, 15), (Unit.DAY, 1, 1)])
def test_rents_by_the_week_the_half_month_and_the_day(unit: Unit, every: int, second: int) -> None:
    rows = equal_rents(700, 3, START, unit=unit, every=every)
    assert (rows[1].due_on - rows[0].due_on).days == second


def test_three_rents_at_the_start_and_one_a_month_make_the_whole_rent() -> None:
    rows = several_then_each(10_000, 3, 9, START)
    assert sum(row.total_fen for row in rows) == 12 * 10_000
    assert len(rows) == 10
    assert rows[1].due_on == date(2026, 2, 28)


def test_a_deposit_comes_back_with_the_device() -> None:
    rows = with_return(equal_rents(10_000, 12, START), 300_000)
    deposits = [leg.amount_fen for row in rows for leg in row.legs if leg.role is LegRole.DEPOSIT]
    assert deposits == [300_000, -300_000]
    assert rows[-1].due_on == date(2027, 1, 31)


def test_after_rent_to_own_the_device_changes_hands_for_the_agreed_price() -> None:
    rows = rent_to_own(equal_rents(50_000, 12, START), 100)
    assert rows[-1].legs[0].role is LegRole.RESIDUAL
    assert sum(row.total_fen for row in rows) == 600_100


def test_daily_rent_changes_with_its_bands_and_stops_at_its_cap() -> None:
    bands = [PriceBand(1, 3_000), PriceBand(8, 2_000), PriceBand(31, 1_000)]
    assert daily_rent_fen(bands, 1, 31) == 7 * 3_000 + 23 * 2_000 + 1_000
    assert daily_rent_fen(bands, 5, 9) == 3 * 3_000 + 2 * 2_000
    whole = daily_rents(bands, date(2026, 3, 1), date(2026, 5, 1), days_max=40)
    assert [row.total_fen for row in whole] == [7 * 3_000 + 23 * 2_000 + 1_000, 9 * 1_000]
    free = daily_rents(bands, date(2026, 3, 1), date(2026, 6, 1), days_max=40)
    assert free[-1].total_fen == 0


@pytest.mark.parametrize("bands", [[], [PriceBand(2, 1)], [PriceBand(1, 1), PriceBand(1, 2)], [PriceBand(1, -1)]])
def test_bands_that_cannot_be_are_refused(bands: list[PriceBand]) -> None:
    with pytest.raises(Invalid):
        daily_rent_fen(bands, 1, 3)


def test_a_rental_of_no_days_is_refused() -> None:
    with pytest.raises(Invalid):
        daily_rents([PriceBand(1, 100)], START, START)


def test_the_buy_out_price_falls_with_each_rent_to_its_floor() -> None:
    prices = [fen for _, fen in buyout_prices(equal_rents(50_000, 12, START), 600_000, floor_fen=80_000)]
    assert prices == [max(600_000 - 50_000 * month, 80_000) for month in range(1, 13)]
    assert buyout_price_fen(600_000, 100_001, credited_share=Decimal("0.5")) == 549_999
    assert buyout_price_of_month([500_000, 450_000], 7) == 450_000
    with pytest.raises(Invalid):
        buyout_price_fen(600_000, 1, credited_share=Decimal("NaN"))


# --- working days ---


def test_make_up_days_are_worked_and_holidays_are_not() -> None:
    assert is_working_day(date(2024, 2, 4))  # a Sunday before the Spring Festival
    assert not is_working_day(date(2024, 2, 12))  # a Monday of it
    assert not is_working_day(date(2026, 10, 5))


def test_a_due_date_on_a_day_off_moves_as_the_policy_says() -> None:
    assert shifted(date(2024, 2, 10), ShiftPolicy.FOLLOWING) == date(2024, 2, 18)  # the Sunday after is a make-up day
    assert shifted(date(2024, 2, 10), ShiftPolicy.PRECEDING) == date(2024, 2, 9)
    assert shifted(date(2026, 5, 31), ShiftPolicy.FOLLOWING) == date(2026, 6, 1)
    assert shifted(date(2026, 5, 31), ShiftPolicy.MODIFIED_FOLLOWING) == date(2026, 5, 29)


def test_only_the_payment_moves_or_the_interest_with_it() -> None:
    terms = replace(LOAN, start_on=date(2025, 9, 4), periods=3, day_count=DayCount.ACTUAL_365)
    plain = schedule_of(terms).rows
    paid_later = with_shifted_dues(plain, ShiftPolicy.FOLLOWING)
    assert paid_later[0].due_on == date(2025, 10, 9)
    assert [row.total_fen for row in paid_later] == [row.total_fen for row in plain]
    moved = schedule_of(with_shifted_periods(terms, ShiftPolicy.FOLLOWING)).rows
    assert [row.due_on for row in moved] == [date(2025, 10, 9), date(2025, 11, 4), date(2025, 12, 4)]
    assert moved[0].interest_fen == round(1_200_000 * 0.115 * 35 / 365)
    assert moved[1].from_on == date(2025, 10, 9)
    assert sum(row.principal_fen for row in moved) == 1_200_000


def test_interest_cannot_follow_where_periods_would_vanish_or_are_paid_in_advance() -> None:
    daily = replace(LOAN, unit=Unit.DAY, start_on=date(2025, 9, 29))
    for terms in (daily, replace(LOAN, timing=Timing.ADVANCE)):
        with pytest.raises(Invalid):
            with_shifted_periods(terms, ShiftPolicy.FOLLOWING)
    assert with_shifted_periods(daily, ShiftPolicy.NONE) == daily


def test_years_without_a_notice_know_weekends_only_and_are_named() -> None:
    assert is_working_day(date(2099, 10, 1))
    assert not is_working_day(date(2099, 10, 3))
    assert unannounced_years([date(2026, 1, 1), date(2099, 1, 1), date(2098, 1, 1)]) == (2098, 2099)


# --- why ---


def test_a_row_answers_with_its_segments() -> None:
    """A new rate from 1 July splits the sixth row (15 June to 15 July) into 16 days at the old rate and 14 at the new one."""
    terms = replace(LOAN, rate_changes=((date(2026, 7, 1), Decimal(6)),), day_count=DayCount.ACTUAL_365)
    answer = why_row(terms, 6)
    assert [(str(part.from_on), str(part.to_on), part.rate_pct) for part in answer.segments] == [
        ("2026-06-15", "2026-07-01", Decimal("11.5")),
        ("2026-07-01", "2026-07-15", Decimal(6)),
    ]
    assert [part.fraction * 365 for part in answer.segments] == [pytest.approx(16), pytest.approx(14)]
    assert sum(part.interest_fen for part in answer.segments) == answer.row.interest_fen
    assert answer.formula == "equal_instalment_in_arrears"


def test_there_is_no_why_of_a_row_that_is_not_there() -> None:
    for n in (0, 13):
        with pytest.raises(Invalid):
            why_row(LOAN, n)


# --- batches ---


def test_a_batch_answers_what_cannot_be_with_its_problem_and_the_rest_as_ever() -> None:
    good, bad, other = quote_many([LOAN, replace(LOAN, periods=0), replace(LOAN, method=Method.FLAT)])
    assert isinstance(good, Quote)
    assert isinstance(bad, Invalid)
    assert isinstance(other, Quote)
    assert other.total_fen == schedule_of(replace(LOAN, method=Method.FLAT)).total_fen
    assert quote_many([]) == []


def test_batched_annual_costs_are_those_of_single_plans() -> None:
    plans = [
        (600_000, 45_000, 12, 1, 100_000),
        (899_900, 61_250, 12, 1, 200_000),
        (300_000, 9_900, 10, 3, 0),
        (500_000, 500_000, 2, 1, 5),
    ]
    device, rent, count, months, end = (np.array(column, dtype=np.int64) for column in zip(*plans, strict=True))
    found = rental_costs(device, rent, count, months, end, np.ones(len(plans), dtype=np.bool_))
    for index, (value, each, periods, every, left) in enumerate(plans):
        single = rental_cost_pct(value, each, periods, every, left)
        assert float(found.effective_pct[index]) == pytest.approx(np.inf if single is None else float(single), abs=1e-6)
        nominal_of_a_period = (1 + found.effective_pct[index] / 100) ** (every / 12) - 1
        assert float(found.nominal_pct[index]) == pytest.approx(nominal_of_a_period * 12 / every * 100, abs=1e-9)
        assert found.total_fen[index] == each * periods + left
    with pytest.raises(ValueError, match="positive"):
        rental_costs(device, rent, count - 12, months, end, np.ones(len(plans), dtype=np.bool_))
