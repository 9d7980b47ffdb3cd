"""What holds for the figures of every contract."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.integration.decisions.people import terms

from xinzu.kernel.money import from_yuan
from xinzu.middle.agreements.rules.contract import instalment_lines
from xinzu.middle.agreements.rules.figures import percent
from xinzu.middle.agreements.rules.numbers import agreement_no

BASE = terms()


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 10**10))
def test_instalments_are_numbered_through_and_sum_to_the_rent(count: int, months: int, rent_fen: int) -> None:
    agreed = replace(BASE, period_count=count, period_months=months, rent_fen=rent_fen)
    lines = instalment_lines(agreed)
    assert [number for number, _, _ in lines] == [str(nth) for nth in range(1, count + 1)]
    assert sum(from_yuan(amount.removesuffix(" 元").replace(",", "")) for _, _, amount in lines) == agreed.rent_total_fen


@given(st.decimals(0, 10, allow_nan=False, allow_infinity=False, places=9))
def test_a_rate_is_shown_exactly(rate: Decimal) -> None:
    assert Decimal(percent(rate).removesuffix("%")) == rate * 100


@given(st.integers(2000, 2999), st.integers(1, 10**9), st.integers(1, 10**9))
def test_different_numbers_look_different(year: int, one: int, other: int) -> None:
    assert (agreement_no(year, one) == agreement_no(year, other)) == (one == other)
