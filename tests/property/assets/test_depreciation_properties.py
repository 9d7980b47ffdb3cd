"""What holds for depreciation whatever the values."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.assets.model import LeavingCause
from xinzu.back.assets.rules import depreciation as rules

costs = st.integers(0, 10**10)
dates = st.dates(date(2000, 1, 1), date(2060, 12, 31))


@given(costs, st.integers(0, 90), st.integers(1, 600))
def test_straight_line_falls_to_the_residual_value_in_equal_steps(cost: int, residual_pct: int, life: int) -> None:
    residual = cost * residual_pct // 100
    totals = [rules.depreciated_fen(cost, residual, life, month) for month in range(life + 2)]
    steps = [later - earlier for earlier, later in pairwise(totals)][:life]
    assert totals[-1] == totals[-2] == cost - residual == sum(steps)
    assert max(steps) - min(steps) <= 1
    assert min(steps) >= 0


@given(dates, st.integers(1, 600))
def test_the_months_of_a_life_end_one_after_the_other(in_use_on: date, month: int) -> None:
    ends = rules.month_end(in_use_on, month)
    assert (ends + timedelta(days=1)).day == 1
    assert rules.months_begun(in_use_on, ends) == month
    assert rules.months_begun(in_use_on, ends + timedelta(days=1)) == month + 1


@given(costs, costs, st.sampled_from(LeavingCause))
def test_what_leaves_leaves_nothing_behind(cost: int, other: int, cause: LeavingCause) -> None:
    accumulated = min(cost, other)
    moved = rules.left(cause, cost, accumulated)
    assert sum(amount for _, credit, amount in moved if credit == rules.EQUIPMENT) == cost
    assert sum(amount for debit, _, amount in moved if debit == rules.ACCUMULATED) == accumulated
