"""What holds for rents paid ahead, prices by month and due dates that move, whatever the terms."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.integration.decisions.people import terms

from xinzu.back.billing.api import cost_table, dearest_buyout, rental_cost_pct
from xinzu.back.billing.rules.legs import rental_legs, with_shifted_dues
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy, is_working_day
from xinzu.back.billing.rules.schedules.rentals import several_then_each
from xinzu.kernel.terms import EndsIn

STARTS = st.dates(date(2020, 1, 1), date(2027, 12, 31))
PHONE = terms()


@st.composite
def rentals(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Rent, months per period, periods, rents at the start."""
    count = draw(st.integers(1, 36))
    return draw(st.integers(1, 1_000_000)), draw(st.integers(1, 12)), count, draw(st.integers(1, count))


@given(rentals(), STARTS)
def test_legs_ask_on_each_day_for_what_the_engine_asks_and_are_for_every_day_of_the_term_once(
    rental: tuple[int, int, int, int], start: date
) -> None:
    rent_fen, months, count, first_rents = rental
    legs = rental_legs(rent_fen, months, count, start, first_rents)
    asked: Counter[date] = Counter()
    for leg in legs:
        asked[leg.due_on] += leg.amount_fen
    assert asked == {
        row.due_on: row.total_fen for row in several_then_each(rent_fen, first_rents, count - first_rents, start, every=months)
    }
    assert [leg.number for leg in legs] == list(range(1, count + 1))
    plain = rental_legs(rent_fen, months, count, start)
    assert [(leg.from_on, leg.to_on, leg.amount_fen) for leg in legs] == [
        (leg.from_on, leg.to_on, leg.amount_fen) for leg in plain
    ]
    assert all(leg.due_on <= other.due_on for leg, other in zip(legs, plain, strict=True)), "never later than in turn"


@given(rentals(), STARTS, st.sampled_from(ShiftPolicy))
def test_due_dates_move_to_working_days_and_nothing_else_moves(
    rental: tuple[int, int, int, int], start: date, policy: ShiftPolicy
) -> None:
    rent_fen, months, count, first_rents = rental
    legs = rental_legs(rent_fen, months, count, start, first_rents)
    moved = with_shifted_dues(legs, policy, start)
    assert [replace(leg, due_on=start) for leg in moved] == [replace(leg, due_on=start) for leg in legs]
    for leg, other in zip(legs, moved, strict=True):
        assert other.due_on >= start
        assert abs(other.due_on - leg.due_on) <= timedelta(days=12)
        if policy is ShiftPolicy.NONE or leg.due_on == start:
            assert other.due_on == leg.due_on
        else:
            assert is_working_day(other.due_on)


@given(rentals(), STARTS, st.sampled_from(ShiftPolicy), st.sampled_from(EndsIn), st.integers(0, 100_000))
def test_the_quoted_instalments_sum_to_all_that_is_certain_to_fall_due(
    rental: tuple[int, int, int, int], start: date, policy: ShiftPolicy, ends_in: EndsIn, buyout_fen: int
) -> None:
    rent_fen, months, count, first_rents = rental
    agreed = replace(
        PHONE,
        rent_fen=rent_fen,
        period_months=months,
        period_count=count,
        first_rents=first_rents,
        due_shift=policy.value,
        ends_in=ends_in,
        buyout_fen=buyout_fen,
    )
    table = cost_table(agreed, start)
    assert sum(row.total_fen for row in table.instalments) == agreed.authorised_fen - agreed.deposit_fen
    assert table.instalments[0].total_fen == agreed.first_payment_fen
    assert table.instalments[0].due_on == start


@given(st.integers(100_000, 1_000_000), st.integers(1_000, 100_000), st.integers(2, 24), st.integers(0, 500_000), st.data())
def test_paying_rents_ahead_never_costs_less(
    device_fen: int, rent_fen: int, count: int, end_fen: int, data: st.DataObject
) -> None:
    first_rents = data.draw(st.integers(2, count))
    fewer, more = (rental_cost_pct(device_fen, rent_fen, count, 1, end_fen, first_rents=first_rents - each) for each in (1, 0))
    if fewer is None or Decimal(fewer) >= 0:
        assert more is None or (fewer is not None and Decimal(more) >= Decimal(fewer))


@given(st.integers(100_000, 1_000_000), st.integers(1_000, 50_000), st.integers(1, 12), st.data())
def test_value_less_rents_begun_costs_nothing_in_any_month_and_more_costs_more(
    device_fen: int, rent_fen: int, count: int, data: st.DataObject
) -> None:
    prices = [max(device_fen - rent_fen * month, 0) for month in range(1, count + 1)]
    first_rents = data.draw(st.integers(1, count))
    if rent_fen * count > device_fen:
        return
    month, cost = dearest_buyout(device_fen, rent_fen, count, 1, prices, first_rents=first_rents)
    assert Decimal(cost or "Infinity") == 0 or rent_fen * first_rents >= device_fen
    dearer = [price + (1_000 if n == month else 0) for n, price in enumerate(prices, 1)]
    found, cost = dearest_buyout(device_fen, rent_fen, count, 1, dearer, first_rents=first_rents)
    assert found == month
    assert cost is None or Decimal(cost) > 0
