"""VAT inside amounts, by article of the VAT Law of 2024."""

from __future__ import annotations

import pytest

from xinzu.back.billing.rules.vat import Supply, rate_pct_of, supply_of, vat_fen, vat_of_growth_fen
from xinzu.kernel.terms import Family


def test_art_10_letting_a_movable_is_13_pct_and_lending_6_pct() -> None:
    assert {family: rate_pct_of(supply_of(family)) for family in Family} == {
        Family.RENTAL: 13,
        Family.FINANCE_LEASE: 13,
        Family.LOAN: 6,
    }
    assert rate_pct_of(Supply.GOODS) == 13


def test_art_12_the_two_rates_are_kept_apart() -> None:
    lease, leaseback = supply_of(Family.FINANCE_LEASE), supply_of(Family.FINANCE_LEASE, is_leaseback=True)
    assert [rate_pct_of(lease, is_principal=part) for part in (True, False)] == [13, 13]
    assert [rate_pct_of(leaseback, is_principal=part) for part in (True, False)] == [0, 6]
    assert [rate_pct_of(supply_of(Family.LOAN), is_principal=part) for part in (True, False)] == [0, 6]


def test_art_17_vat_and_price_make_the_whole() -> None:
    for gross in (1, 2, 3, 11_299, 11_300, 29_900, 10**15):
        for rate in (13, 6):
            tax = vat_fen(gross, rate)
            # the tax is that of the price to within half a fen of the whole
            assert abs(2 * (tax * (100 + rate) - gross * rate)) <= 100 + rate


def test_daily_growth_bears_the_vat_of_the_whole() -> None:
    assert sum(vat_of_growth_fen(day, day + 1, 6) for day in range(10_600)) == 600


def test_what_is_given_back_mirrors_what_was_charged() -> None:
    assert vat_fen(-29_900, 13) == -vat_fen(29_900, 13)


def test_a_rent_of_299_yuan_carries_34_yuan_40() -> None:
    assert vat_fen(29_900, 13) == 3_440


def test_a_rate_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="not below zero"):
        vat_fen(1, -1)
