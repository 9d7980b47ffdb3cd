"""Schedules against independent programs, and as they must come out to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import curo
import numpy_financial
import pytest
import pyxirr

from xinzu.back.billing.rules.schedules.periods import periods_of
from xinzu.back.billing.rules.schedules.solve import Schedule, schedule_of
from xinzu.back.billing.rules.schedules.terms import (
    DayCount,
    Grace,
    InterestDays,
    Method,
    Residue,
    RoundingPolicy,
    ScheduleTerms,
    Timing,
    Unit,
    Unknown,
)
from xinzu.kernel.errors import Invalid
from xinzu.kernel.money import Rounding

LOAN = ScheduleTerms(start_on=date(2026, 1, 15), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal("11.5"))
CAR = ScheduleTerms(
    start_on=date(2026, 3, 1),
    periods=36,
    principal_fen=18_000_000,
    annual_rate_pct=Decimal("8.4"),
    method=Method.BALLOON,
    balloon_fen=5_400_000,
    day_count=DayCount.PERIOD,
)


def totals(schedule: Schedule) -> list[int]:
    return [row.total_fen for row in schedule.rows]


# --- against other programs ---


@pytest.mark.parametrize("timing", Timing)
@pytest.mark.parametrize(
    ("rate", "count", "balloon_fen"), [("6", 12, 0), ("18.25", 24, 3_000_000), ("0", 10, 0), ("8.4", 36, 5_400_000)]
)
def test_the_instalment_is_that_of_numpy_financial(timing: Timing, rate: str, count: int, balloon_fen: int) -> None:
    terms = replace(CAR, timing=timing, annual_rate_pct=Decimal(rate), periods=count, balloon_fen=balloon_fen)
    periodic = float(terms.annual_rate_pct) / 1200
    when = "begin" if timing is Timing.ADVANCE else "end"
    expected = -numpy_financial.pmt(periodic, count, terms.principal_fen, -balloon_fen, when)
    assert totals(schedule_of(terms))[1] == pytest.approx(expected, abs=0.5 + 1e-6)


def test_interest_and_principal_are_those_of_numpy_financial() -> None:
    rows = schedule_of(replace(LOAN, day_count=DayCount.PERIOD)).rows
    rate = float(LOAN.annual_rate_pct) / 1200
    for row in rows:
        assert row.interest_fen == pytest.approx(-numpy_financial.ipmt(rate, row.n, 12, LOAN.principal_fen), abs=2)
        assert row.principal_fen == pytest.approx(-numpy_financial.ppmt(rate, row.n, 12, LOAN.principal_fen), abs=8)


@pytest.mark.parametrize(
    "terms",
    [
        LOAN,
        CAR,
        replace(CAR, timing=Timing.ADVANCE),
        replace(LOAN, method=Method.FLAT),
        replace(LOAN, method=Method.EQUAL_PRINCIPAL, fees=((1, 12_000),)),
        replace(LOAN, disbursements=((date(2026, 1, 15), 700_000), (date(2026, 4, 2), 500_000))),
    ],
)
def test_the_annual_cost_is_that_of_pyxirr(terms: ScheduleTerms) -> None:
    schedule = schedule_of(terms)
    drawn = terms.disbursements or ((terms.start_on, terms.principal_fen),)
    flows = [(on, -fen) for on, fen in drawn] + [(row.due_on, row.total_fen) for row in schedule.rows]
    expected = pyxirr.xirr([on for on, _ in flows], [fen for _, fen in flows])
    assert expected is not None
    assert schedule.annual_cost_pct is not None
    assert float(schedule.annual_cost_pct) == pytest.approx(expected * 100, abs=2e-6)
    assert Decimal(schedule.annual_cost_pct) >= Decimal(expected) * 100 - Decimal("1e-8"), "the cost is never understated"


@pytest.mark.parametrize("timing", Timing)
def test_a_balloon_is_solved_as_curo_solves_it(timing: Timing) -> None:
    terms = replace(CAR, timing=timing, day_count=DayCount.ACTUAL_365)
    first = terms.start_on if timing is Timing.ADVANCE else date(2026, 4, 1)
    calculator = curo.Calculator(precision=2)
    calculator.add(curo.SeriesAdvance(amount=180_000.0, post_date_from=terms.start_on))
    calculator.add(curo.SeriesPayment(number_of=36, amount=None, post_date_from=first))
    calculator.add(curo.SeriesPayment(number_of=1, amount=54_000.0, post_date_from=date(2029, 3, 1)))
    expected = calculator.solve_value(curo.Actual365(), 0.084)
    assert totals(schedule_of(terms))[1] == pytest.approx(expected * 100, abs=1)


def test_three_rents_at_once_are_solved_as_curo_solves_them() -> None:
    """3+n: three rents at the start, then one a month."""
    start = date(2026, 1, 10)
    terms = ScheduleTerms(
        start_on=start,
        periods=10,
        principal_fen=900_000,
        annual_rate_pct=Decimal(9),
        method=Method.STEPPED,
        weights=(Decimal(3), *[Decimal(1)] * 9),
        timing=Timing.ADVANCE,
        day_count=DayCount.ACTUAL_365,
    )
    calculator = curo.Calculator(precision=2)
    calculator.add(curo.SeriesAdvance(amount=9_000.0, post_date_from=start))
    calculator.add(curo.SeriesPayment(number_of=1, amount=None, post_date_from=start, weighting=3.0))
    calculator.add(curo.SeriesPayment(number_of=9, amount=None, post_date_from=date(2026, 2, 10)))
    expected = calculator.solve_value(curo.Actual365(), 0.09) * 100
    asked = totals(schedule_of(terms))
    assert asked[0] == pytest.approx(3 * expected, abs=2)
    assert asked[1] == pytest.approx(expected, abs=1)


# --- to the fen, by hand ---


def test_six_instalments_of_one_hundred_yuan() -> None:
    """¥100 at 7 %: 100 × (0.07/12) = 0.58 interest in the first month; smoothing finds nothing better than one fen less at the end."""
    terms = ScheduleTerms(start_on=date(2024, 1, 1), periods=6, principal_fen=10_000, annual_rate_pct=Decimal(7))
    rows = schedule_of(replace(terms, rounding=RoundingPolicy(Rounding.HALF_EVEN, smooth_last=True))).rows
    assert [(row.principal_fen, row.interest_fen) for row in rows] == [
        (1643, 58),
        (1652, 49),
        (1662, 39),
        (1672, 29),
        (1681, 20),
        (1690, 10),
    ]


def test_the_residue_goes_to_the_row_that_is_named() -> None:
    terms = replace(LOAN, rounding=RoundingPolicy(instalment_multiple_fen=100))
    last = totals(schedule_of(terms))
    first = totals(schedule_of(replace(terms, rounding=replace(terms.rounding, residue=Residue.FIRST))))
    assert len(set(last[:-1])) == 1
    assert last[-1] != last[0]
    assert max(first[1:]) - min(first[1:]) <= 1  # a fen of residue may be worth less than a fen of principal at the start
    assert first[0] != first[1]


def test_equal_principal_falls_by_the_same_interest() -> None:
    rows = schedule_of(replace(LOAN, method=Method.EQUAL_PRINCIPAL, day_count=DayCount.PERIOD)).rows
    assert {row.principal_fen for row in rows} == {100_000}
    assert [row.interest_fen for row in rows][:3] == [11_500, 10_542, 9_583]


def test_interest_only_and_bullet_repay_at_the_end() -> None:
    monthly = schedule_of(replace(LOAN, method=Method.INTEREST_ONLY, day_count=DayCount.PERIOD)).rows
    assert [row.total_fen for row in monthly] == [11_500] * 11 + [1_211_500]
    assert [row.total_fen for row in schedule_of(replace(LOAN, method=Method.BULLET, day_count=DayCount.PERIOD)).rows] == [
        1_338_000
    ]


def test_flat_interest_costs_nearly_twice_its_name() -> None:
    schedule = schedule_of(replace(LOAN, method=Method.FLAT))
    assert schedule.interest_fen == 138_000
    assert Decimal(schedule.irr_pct or 0) > Decimal("20.5")


def test_principal_grace_asks_interest_only_and_interest_grace_defers_it() -> None:
    rows = schedule_of(replace(LOAN, grace=Grace(principal=3), day_count=DayCount.PERIOD)).rows
    assert [row.total_fen for row in rows[:3]] == [11_500] * 3
    assert len({row.total_fen for row in rows[3:-1]}) == 1
    plain = schedule_of(LOAN)
    deferred = schedule_of(replace(LOAN, grace=Grace(interest=2)))
    assert [row.interest_fen for row in deferred.rows[:2]] == [0, 0]
    assert deferred.rows[2].interest_fen == sum(row.interest_fen for row in plain.rows[:3])
    assert deferred.total_fen == plain.total_fen


def test_an_interest_free_start_bears_none() -> None:
    rows = schedule_of(replace(LOAN, interest_free=3)).rows
    assert [row.interest_fen for row in rows[:3]] == [0, 0, 0]
    assert rows[3].interest_fen > 0
    assert schedule_of(replace(LOAN, interest_free=12)).interest_fen == 0


def test_a_new_rate_and_a_new_tranche_change_nothing_before_them() -> None:
    plain = schedule_of(LOAN).rows
    cheaper = schedule_of(replace(LOAN, rate_changes=((date(2026, 7, 1), Decimal(6)),))).rows
    assert cheaper[:5] == plain[:5]
    assert cheaper[6].total_fen < plain[6].total_fen
    topped = schedule_of(
        replace(LOAN, disbursements=((LOAN.start_on, 1_200_000), (date(2026, 7, 15), 300_000)), principal_fen=0)
    ).rows
    assert topped[:6] == plain[:6]
    assert topped[6].total_fen > plain[6].total_fen


def test_a_late_first_disbursement_bears_interest_from_its_day() -> None:
    late = replace(LOAN, disbursements=((date(2026, 1, 30), 1_200_000),), principal_fen=0, day_count=DayCount.ACTUAL_365)
    assert schedule_of(late).rows[0].interest_fen == round(1_200_000 * 0.115 * 16 / 365)


# --- calendars ---


def test_month_ends_keep_their_day_and_meet_the_29th_of_february() -> None:
    terms = replace(LOAN, start_on=date(2027, 10, 31), periods=5)
    assert [row.due_on.isoformat() for row in schedule_of(terms).rows] == [
        "2027-11-30",
        "2027-12-31",
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
    ]


def test_actual_actual_splits_at_31_december() -> None:
    """16 days of 2027 over 365 and 15 of 2028, a leap year, over 366."""
    terms = replace(LOAN, start_on=date(2027, 12, 16), periods=1, day_count=DayCount.ACTUAL_ACTUAL, principal_fen=365 * 366 * 100)
    expected = (16 * 366 + 15 * 365) * Decimal("11.5")
    assert schedule_of(terms).rows[0].interest_fen == int(expected.quantize(Decimal(1), rounding="ROUND_HALF_UP"))


@pytest.mark.parametrize(
    ("unit", "every", "second"),
    [(Unit.WEEK, 1, "2026-01-29"), (Unit.DAY, 15, "2026-02-14"), (Unit.MONTH, 1, "2026-03-15"), (Unit.QUARTER, 1, "2026-07-15")],
)
def test_weeks_half_months_months_and_quarters(unit: Unit, every: int, second: str) -> None:
    assert schedule_of(replace(LOAN, unit=unit, every=every)).rows[1].due_on.isoformat() == second


def test_a_short_and_a_long_first_period() -> None:
    short = replace(LOAN, first_due_on=date(2026, 1, 31), day_count=DayCount.ACTUAL_365)
    assert [row.due_on.isoformat() for row in schedule_of(short).rows[:3]] == ["2026-01-31", "2026-02-28", "2026-03-31"]
    assert schedule_of(short).rows[0].interest_fen == round(1_200_000 * 0.115 * 16 / 365)
    long = replace(short, first_due_on=date(2026, 3, 1))
    assert schedule_of(long).rows[0].interest_fen == round(1_200_000 * 0.115 * 45 / 365)
    advance = replace(short, timing=Timing.ADVANCE)
    assert next(period.due_on for period in periods_of(advance)) == date(2026, 1, 31)


def test_dates_may_be_given_one_by_one() -> None:
    dates = ((date(2026, 1, 15), date(2026, 2, 20)), (date(2026, 2, 20), date(2026, 3, 18)))
    rows = schedule_of(replace(LOAN, periods=0, period_dates=dates, day_count=DayCount.ACTUAL_360)).rows
    assert [(row.from_on, row.due_on) for row in rows] == list(dates)


def test_interest_by_whole_periods_knows_no_month_lengths() -> None:
    daily = schedule_of(replace(LOAN, day_count=DayCount.ACTUAL_365)).rows
    whole = schedule_of(replace(LOAN, day_count=DayCount.ACTUAL_365, interest_days=InterestDays.PERIOD)).rows
    assert whole[0].interest_fen == 11_500
    assert daily[0].interest_fen == round(1_200_000 * 0.115 * 31 / 365)


def test_the_nominal_rate_is_the_agreed_one_whatever_the_first_period() -> None:
    agreed = replace(LOAN, annual_rate_pct=Decimal(12), principal_fen=120_000_000, day_count=DayCount.PERIOD)
    for terms in (
        agreed,
        replace(agreed, timing=Timing.ADVANCE),
        replace(agreed, unit=Unit.QUARTER),
        replace(agreed, method=Method.BULLET, periods=3),
    ):
        expected = 12 if terms.method is not Method.BULLET else 12 * ((1.03) ** (1 / 3) - 1) * 100
        assert float(schedule_of(terms).irr_pct or 0) == pytest.approx(expected, abs=1e-4)
    long = schedule_of(replace(agreed, first_due_on=date(2026, 3, 15)))
    assert float(long.irr_pct or 0) == pytest.approx(12, abs=0.02)  # simple interest within a period of two months


# --- unknowns ---


def test_any_number_can_be_the_unknown() -> None:
    known = schedule_of(CAR)
    instalment_fen = known.rows[0].total_fen
    ask = replace(CAR, instalment_fen=instalment_fen)
    assert schedule_of(replace(ask, solve=Unknown.RATE)).terms.annual_rate_pct == pytest.approx(
        Decimal("8.4"), abs=Decimal("0.0001")
    )
    assert schedule_of(replace(ask, solve=Unknown.BALLOON, balloon_fen=0)).terms.balloon_fen == pytest.approx(5_400_000, abs=40)
    assert schedule_of(replace(ask, solve=Unknown.PRINCIPAL, principal_fen=0)).principal_fen == pytest.approx(18_000_000, abs=40)
    assert len(schedule_of(replace(ask, solve=Unknown.PERIODS, periods=0, balloon_fen=0)).rows) > 36


def test_a_supplier_bears_what_the_customer_does_not() -> None:
    """0 % for the customer: the supplier's subsidy is what makes twelve rents of a thousand earn 6 % for the lessor."""
    terms = replace(LOAN, annual_rate_pct=Decimal(6), day_count=DayCount.PERIOD, solve=Unknown.SUBSIDY, instalment_fen=100_000)
    schedule = schedule_of(terms)
    worth = -numpy_financial.pv(0.005, 12, 100_000)
    assert schedule.subsidy_fen == pytest.approx(1_200_000 - worth, abs=1)
    assert schedule.principal_fen + schedule.subsidy_fen == 1_200_000


# --- what cannot be ---


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"periods": 0}, "/periods"),
        ({"periods": -3}, "/periods"),
        ({"periods": 100_000}, "/periods"),
        ({"every": 0}, "/every"),
        ({"principal_fen": 0}, "/principal_fen"),
        ({"principal_fen": 10**18}, "/principal_fen"),
        ({"annual_rate_pct": Decimal("NaN")}, "/annual_rate_pct"),
        ({"annual_rate_pct": Decimal("-1")}, "/annual_rate_pct"),
        ({"annual_rate_pct": Decimal("1E+9")}, "/annual_rate_pct"),
        ({"balloon_fen": 1_200_001}, "/balloon_fen"),
        ({"balloon_fen": 1, "method": Method.FLAT}, "/balloon_fen"),
        ({"first_due_on": date(2026, 1, 1)}, "/first_due_on"),
        ({"disbursements": ((date(2026, 2, 1), 1), (date(2026, 1, 20), 1)), "principal_fen": 0}, "/disbursements"),
        ({"disbursements": ((date(2027, 2, 1), 1),), "principal_fen": 0}, "/disbursements"),
        ({"rate_changes": ((date(2030, 1, 1), Decimal(5)),)}, "/rate_changes"),
        ({"period_dates": ((date(2026, 1, 15), date(2026, 1, 15)),), "periods": 0}, "/period_dates"),
        ({"weights": (Decimal(1),) * 12}, "/weights"),
        ({"method": Method.STEPPED, "weights": (Decimal(0),) * 12}, "/weights"),
        ({"grace": Grace(principal=12)}, "/grace/principal"),
        ({"fees": ((13, 100),)}, "/fees"),
        ({"solve": Unknown.RATE}, "/instalment_fen"),
        ({"solve": Unknown.RATE, "instalment_fen": 10}, "/instalment_fen"),
        ({"solve": Unknown.PERIODS, "instalment_fen": 11_000}, "/instalment_fen"),
        ({"start_on": date(9990, 1, 1)}, "/start_on"),
    ],
)
def test_terms_that_cannot_be_are_refused_by_the_name_of_the_field(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        schedule_of(replace(LOAN, **wrong))  # type: ignore[arg-type]
    assert [error.pointer for error in refused.value.errors] == [field]
