"""What holds for every schedule, whatever its terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xinzu.back.billing.rules.schedules.day_count import year_fraction
from xinzu.back.billing.rules.schedules.solve import Schedule, schedule_of
from xinzu.back.billing.rules.schedules.terms import (
    ANNUITIES,
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

dates = st.dates(date(2020, 1, 1), date(2040, 12, 31))
rates = st.decimals(0, 36, places=4)
weights = st.sampled_from([Decimal(1), Decimal(1), Decimal("1.5"), Decimal(2), Decimal(3)])


@st.composite
def terms(draw: st.DrawFn) -> ScheduleTerms:
    method = draw(st.sampled_from(Method))
    count = draw(st.integers(1, 60))
    start = draw(dates)
    unit = draw(st.sampled_from(Unit))
    principal_fen = draw(st.integers(10_000, 10**10))
    graces = st.integers(0, (count - 1) // 2)
    balloon = method in ANNUITIES and draw(st.booleans())
    with_events = method not in (Method.FLAT,) and draw(st.booleans())
    tranches: tuple[tuple[date, int], ...] = ()
    changes: tuple[tuple[date, Decimal], ...] = ()
    if with_events and count > 1:
        later = start + timedelta(days=draw(st.integers(1, max(1, (count - 1) * (1 if unit is Unit.DAY else 7)) // 2 + 1)))
        assume(later < start + timedelta(days=count if unit is Unit.DAY else 7 * (count - 1)))
        part_fen = draw(st.integers(1, principal_fen - 1))
        if draw(st.booleans()):
            tranches = ((start, principal_fen - part_fen), (later, part_fen))
        else:
            changes = ((later, draw(rates)),)
    return ScheduleTerms(
        start_on=start,
        periods=count,
        method=method,
        principal_fen=principal_fen,
        annual_rate_pct=draw(rates),
        unit=unit,
        every=1 if unit is Unit.DAY else draw(st.integers(1, 3)),
        timing=draw(st.sampled_from(Timing)),
        day_count=draw(st.sampled_from(DayCount)),
        interest_days=draw(st.sampled_from(InterestDays)),
        balloon_fen=draw(st.integers(0, principal_fen // 2)) if balloon and not tranches else 0,
        weights=tuple(draw(weights) for _ in range(count)) if method in (Method.STEPPED, Method.UNEVEN) else (),
        grace=Grace() if method is Method.BULLET else Grace(draw(graces), draw(graces)),
        interest_free=0 if method is Method.BULLET else draw(graces),
        disbursements=tranches,
        rate_changes=changes,
        rounding=RoundingPolicy(
            draw(st.sampled_from(Rounding)),
            draw(st.sampled_from([1, 1, 1, 10, 100])),
            draw(st.sampled_from(Residue)),
            draw(st.booleans()),
        ),
    )


@given(terms())
def test_the_rows_repay_what_was_drawn_and_leave_nothing(given_terms: ScheduleTerms) -> None:
    schedule = _schedule(given_terms)
    assert schedule.principal_fen == given_terms.drawn_fen
    assert schedule.rows[-1].balance_fen == 0
    assert all(row.interest_fen >= 0 for row in schedule.rows)
    if given_terms.method not in (Method.STEPPED, Method.UNEVEN):  # rows of low weight may let interest grow the balance
        drawn = given_terms.drawn_fen
        assert all(0 <= row.balance_fen <= drawn for row in schedule.rows)
    dues = [row.due_on for row in schedule.rows]
    assert dues == sorted(set(dues))
    assert schedule == schedule_of(given_terms), "the same terms give the same rows"


@given(terms())
def test_the_annuity_asks_for_the_same_each_time(given_terms: ScheduleTerms) -> None:
    annuity = replace(
        given_terms,
        method=Method.EQUAL_INSTALMENT,
        weights=(),
        disbursements=(),
        rate_changes=(),
        grace=Grace(),
        rounding=replace(given_terms.rounding, residue=Residue.LAST),
    )
    rows = _schedule(annuity).rows[: annuity.periods]
    paid_off = next((row.n for row in rows if row.balance_fen <= annuity.balloon_fen), len(rows))
    assert len({row.total_fen for row in rows[: paid_off - 1]}) <= 1


@given(terms(), st.integers(2, 48))
def test_solving_for_the_rate_gives_back_the_rate(given_terms: ScheduleTerms, count: int) -> None:
    annuity = ScheduleTerms(
        start_on=given_terms.start_on,
        periods=count,
        principal_fen=max(given_terms.principal_fen, 1_000_000),
        annual_rate_pct=given_terms.annual_rate_pct,
        timing=given_terms.timing,
        day_count=given_terms.day_count,
    )
    instalment_fen = schedule_of(annuity).rows[0].total_fen
    found = schedule_of(replace(annuity, solve=Unknown.RATE, instalment_fen=instalment_fen + 1, annual_rate_pct=Decimal(0)))
    again = schedule_of(replace(found.terms, solve=Unknown.INSTALMENT, instalment_fen=None))
    assert again.rows[0].total_fen == instalment_fen + 1
    principal = schedule_of(replace(annuity, solve=Unknown.PRINCIPAL, instalment_fen=instalment_fen, principal_fen=0))
    assert abs(principal.principal_fen - annuity.principal_fen) <= count  # half a fen of rent is worth at most so much
    periods = schedule_of(replace(annuity, solve=Unknown.PERIODS, instalment_fen=instalment_fen + 1, periods=0))
    assert len(periods.rows) <= count


@given(dates, st.integers(0, 2_000), st.integers(0, 2_000))
def test_actual_days_add_up(start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    for convention in (DayCount.ACTUAL_360, DayCount.ACTUAL_364, DayCount.ACTUAL_365, DayCount.ACTUAL_ACTUAL):
        whole = year_fraction(convention, start, end)
        assert whole == pytest.approx(year_fraction(convention, start, middle) + year_fraction(convention, middle, end))


def _schedule(given_terms: ScheduleTerms) -> Schedule:
    """Skips what the terms themselves forbid, e.g. an event after the last due date."""
    try:
        return schedule_of(given_terms)
    except Invalid:
        assume(False)
        raise
