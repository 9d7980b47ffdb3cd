"""What a plan costs a year, and the cap nobody can lift."""

from __future__ import annotations

from decimal import Decimal

import pytest

from xinzu.front.catalogue.rules.annual_cost import AnnualCost, annual_cost, effective_cap, is_within_cap
from xinzu.front.catalogue.rules.late_fee import is_lawful_late_fee


def cost(
    device: int, rent: int, count: int, residual: int | None = None, buyout: int | None = None, months: int = 1
) -> AnnualCost:
    return annual_cost(
        device_value_fen=device,
        rent_fen=rent,
        period_count=count,
        period_months=months,
        residual_value_fen=residual,
        buyout_fen=buyout,
    )


def test_the_shanghai_case_of_lending_by_phone_is_far_above_the_cap() -> None:
    """A phone worth 9,000 for 18,000 in three months (judged 2025-03-12): more than 400 % a year by any reading."""
    found = cost(900_000, 600_000, 3, residual=0)
    assert found.nominal_pct > 400
    assert not is_within_cap(found.effective_pct)


def test_a_plan_that_gives_the_money_back_and_no_more_costs_nothing() -> None:
    found = cost(120_000, 10_000, 12, residual=0)
    assert abs(found.effective_pct) < Decimal("1e-12")


def test_a_plan_below_the_device_value_has_a_negative_cost() -> None:
    assert cost(600_000, 20_000, 12, residual=100_000).effective_pct < 0


def test_a_known_rate_is_found_again() -> None:
    """100.00 out; 50.00 at once; 51.00 a month later: the 50.00 that stay out earn 2 % in the month."""
    found = cost(10_000, 5_000, 1, residual=5_100)
    assert found.nominal_pct.quantize(Decimal("0.0001")) == Decimal("24.0000")
    assert found.effective_pct.quantize(Decimal("0.0001")) == Decimal("26.8242")


def test_quarterly_periods_compound_four_times_a_year() -> None:
    found = cost(10_000, 5_000, 1, residual=5_100, months=3)
    assert found.effective_pct.quantize(Decimal("0.0001")) == Decimal("8.2432")


def test_the_dearer_end_counts_when_a_lessee_may_return_or_buy() -> None:
    assert cost(600_000, 45_000, 12, residual=100_000, buyout=180_000) == cost(600_000, 45_000, 12, buyout=180_000)


def test_a_first_rent_that_covers_the_device_has_no_bound() -> None:
    found = cost(100_000, 100_000, 3, residual=0)
    assert not found.effective_pct.is_finite()
    assert not is_within_cap(found.effective_pct)


def test_a_plan_without_an_end_value_is_refused() -> None:
    with pytest.raises(ValueError, match="residual value or a buyout"):
        cost(600_000, 45_000, 12)


def test_what_is_shown_never_understates() -> None:
    found = cost(600_000, 45_000, 12, residual=100_000)
    assert Decimal(found.shown_pct) >= found.effective_pct


def test_a_tenant_may_only_be_stricter() -> None:
    assert effective_cap(Decimal(36)) == 24
    assert effective_cap(Decimal(18)) == 18
    assert not is_within_cap(Decimal(20), Decimal(18))


@pytest.mark.parametrize(("rate", "lawful"), [("0", True), ("0.000328", True), ("0.000329", False), ("0.0005", False)])
def test_a_late_fee_stays_within_four_times_lpr_a_year(rate: str, lawful: bool) -> None:
    assert is_lawful_late_fee(Decimal(rate)) is lawful
