"""What holds for explanations, batches and rentals, whatever the terms."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.billing.rules.schedules.batch import Quote, quote_many
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy, is_working_day, shifted
from xinzu.back.billing.rules.schedules.rentals import buyout_prices, daily_rent_fen, daily_rents, equal_rents
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import DayCount, Grace, Method, ScheduleTerms, Timing
from xinzu.back.billing.rules.schedules.why import why_row
from xinzu.kernel.terms import PriceBand

dates = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@st.composite
def loans(draw: st.DrawFn) -> ScheduleTerms:
    count = draw(st.integers(2, 36))
    return ScheduleTerms(
        start_on=draw(dates),
        periods=count,
        principal_fen=draw(st.integers(100_000, 10**10)),
        annual_rate_pct=draw(st.decimals(0, 36, places=4)),
        every=draw(st.integers(1, 3)),
        timing=draw(st.sampled_from(Timing)),
        day_count=draw(st.sampled_from([DayCount.PERIOD, DayCount.THIRTY_360, DayCount.ACTUAL_365])),
    )


@given(st.lists(loans(), min_size=1, max_size=12))
def test_a_batch_quotes_what_the_schedules_say(many: list[ScheduleTerms]) -> None:
    for terms, quote in zip(many, quote_many(many), strict=True):
        schedule = schedule_of(terms)
        first, last = schedule.rows[0].total_fen, schedule.rows[-1].total_fen
        expected = Quote(first, last, schedule.interest_fen, schedule.total_fen, schedule.irr_pct, schedule.annual_cost_pct)
        assert quote == expected


@given(loans(), st.sampled_from(Method), st.data())
def test_a_row_s_segments_sum_to_its_interest(terms: ScheduleTerms, method: Method, data: st.DataObject) -> None:
    weights = (Decimal(1),) * terms.periods if method in (Method.STEPPED, Method.UNEVEN) else ()
    grace = Grace() if method is Method.BULLET else Grace(interest=data.draw(st.integers(0, terms.periods - 1)))
    agreed = ScheduleTerms(
        start_on=terms.start_on,
        periods=terms.periods,
        principal_fen=terms.principal_fen,
        annual_rate_pct=terms.annual_rate_pct,
        timing=terms.timing,
        day_count=terms.day_count,
        method=method,
        weights=weights,
        grace=grace,
    )
    schedule = schedule_of(agreed)
    answer = why_row(agreed, data.draw(st.integers(1, len(schedule.rows))))
    assert answer.row == schedule.rows[answer.row.n - 1]
    assert sum(part.interest_fen for part in answer.segments) + answer.deferred_fen == answer.row.interest_fen
    assert all(part.from_on <= part.to_on for part in answer.segments)


@given(dates, st.sampled_from([ShiftPolicy.FOLLOWING, ShiftPolicy.PRECEDING, ShiftPolicy.MODIFIED_FOLLOWING]))
def test_a_shifted_date_is_worked_and_near(on: date, policy: ShiftPolicy) -> None:
    to = shifted(on, policy)
    assert is_working_day(to)
    assert abs((to - on).days) <= 12
    assert not is_working_day(on) or to == on
    assert policy is not ShiftPolicy.MODIFIED_FOLLOWING or to.month == on.month
    assert shifted(to, policy) == to


@given(dates, st.integers(1, 800), st.integers(0, 5_000), st.integers(0, 5_000), st.integers(2, 400))
def test_daily_rents_sum_to_the_days_rented(start: date, days: int, early_fen: int, late_fen: int, change: int) -> None:
    bands = [PriceBand(1, early_fen), PriceBand(change, late_fen)]
    rows = daily_rents(bands, start, start + timedelta(days=days))
    assert sum(row.total_fen for row in rows) == daily_rent_fen(bands, 1, days)
    assert rows[0].from_on == start
    assert rows[-1].to_on == start + timedelta(days=days)


@given(st.integers(1, 10**6), st.integers(1, 48), dates, st.integers(1, 10**8))
def test_a_buy_out_price_never_rises(rent_fen: int, periods: int, start: date, device_fen: int) -> None:
    prices = [fen for _, fen in buyout_prices(equal_rents(rent_fen, periods, start), device_fen)]
    assert prices == sorted(prices, reverse=True)
    assert min(prices) >= 0
