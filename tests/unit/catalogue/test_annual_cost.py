"""What a plan may cost a year: the cap nobody can lift, and the warning below it. What a rental costs is billing's to tell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from xinzu.back.billing.api import rental_cost_pct
from xinzu.front.catalogue.rules.annual_cost import UNBOUNDED, effective_cap, is_within_cap, warnings_of
from xinzu.front.catalogue.rules.late_fee import is_lawful_late_fee


def cost(device: int, rent: int, count: int, end: int, months: int = 1) -> Decimal:
    found = rental_cost_pct(device, rent, count, months, end)
    return UNBOUNDED if found is None else Decimal(found)


def test_the_shanghai_case_of_lending_by_phone_is_far_above_the_cap() -> None:
    """A phone worth 9,000 for 18,000 in three months (judged 2025-03-12): more than 400 % a year by any reading."""
    found = cost(900_000, 600_000, 3, 0)
    assert found > 400
    assert not is_within_cap(found)


def test_a_plan_that_gives_the_money_back_and_no_more_costs_nothing() -> None:
    assert cost(120_000, 10_000, 12, 0) == 0


def test_a_plan_below_the_device_value_has_a_negative_cost() -> None:
    assert cost(600_000, 20_000, 12, 100_000) == Decimal("-57.360510")
    assert cost(600_000, 1, 60, 0, months=12) == Decimal("-17.820920")


def test_a_known_rate_is_found_again() -> None:
    """100.00 out; 50.00 at once; 51.00 a month later: the 50.00 that stay out earn 2 % in the month, 1.02^12 in the year."""
    assert cost(10_000, 5_000, 1, 5_100) == Decimal("26.824180")


def test_quarterly_periods_compound_four_times_a_year() -> None:
    assert cost(10_000, 5_000, 1, 5_100, months=3) == Decimal("8.243216")


def test_a_first_rent_that_covers_the_device_has_no_bound() -> None:
    assert cost(100_000, 100_000, 3, 0) == UNBOUNDED
    assert not is_within_cap(UNBOUNDED)


@pytest.mark.parametrize("amounts", [(0, 1, 12, 1, 0), (1, -1, 12, 1, 0), (1, 1, 0, 1, 0), (1, 1, 12, 0, 0), (1, 1, 12, 1, -1)])
def test_amounts_that_cannot_be_have_no_cost(amounts: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        rental_cost_pct(*amounts)


def test_a_tenant_may_only_be_stricter() -> None:
    assert effective_cap(Decimal(36)) == 24
    assert effective_cap(Decimal(18)) == 18
    assert not is_within_cap(Decimal(20), Decimal(18))


def test_small_loan_guidance_2025_more_than_four_times_lpr_is_warned_of() -> None:
    """The LPR of the day counts: 3.00 % since 2025-05-20, 3.10 % before."""
    assert [warned.code for warned in warnings_of(Decimal("12.2"), date(2026, 3, 2))] == ["catalogue.cost_above_four_times_lpr"]
    assert "（12%）" in warnings_of(UNBOUNDED, date(2026, 3, 2))[0].words_zh
    assert warnings_of(Decimal("12.2"), date(2025, 5, 19)) == ()
    assert warnings_of(None, date(2026, 3, 2)) == ()


@pytest.mark.parametrize(("rate", "lawful"), [("0", True), ("0.000328", True), ("0.000329", False), ("0.0005", False)])
def test_a_late_fee_stays_within_four_times_lpr_a_year(rate: str, lawful: bool) -> None:
    assert is_lawful_late_fee(Decimal(rate)) is lawful
