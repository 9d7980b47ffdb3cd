"""Which fields go with which family, and what the law says may be leased or lent."""

from __future__ import annotations

from typing import Any

import pytest

from xinzu.front.catalogue.rules.fields_of_family import check_cash_is_lent, check_financed_fields, rental_amounts
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import Family

LOAN: dict[str, Any] = {
    "is_loan": True,
    "principal_fen": 1_200_000,
    "annual_rate_pct": "12",
    "rent_fen": None,
    "deposit_fen": 0,
    "device_value_fen": None,
    "residual_value_fen": None,
    "buyout_fen": None,
}
LEASE = LOAN | {"is_loan": False, "device_value_fen": 1_200_000, "deposit_fen": 100_000, "buyout_fen": 10_000}


def refusal(fields: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        check_financed_fields(**fields)
    return refused.value.errors[0].pointer, refused.value.errors[0].code


def test_a_lease_and_a_loan_of_their_own_fields_pass() -> None:
    check_financed_fields(**LOAN)
    check_financed_fields(**LEASE)
    check_financed_fields(**LOAN | {"annual_rate_pct": None, "rent_fen": 106_619})


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        (LOAN | {"rent_fen": 1}, "/rent_fen", "catalogue.rent_is_computed"),
        (LOAN | {"annual_rate_pct": None}, "/financing/annual_rate_pct", "catalogue.rate_missing"),
        (LEASE | {"residual_value_fen": 1}, "/residual_value_fen", "catalogue.residual_is_balloon"),
        (LOAN | {"device_value_fen": 1}, "/device_value_fen", "catalogue.loan_has_no_device"),
        (LOAN | {"buyout_fen": 0}, "/buyout_fen", "catalogue.loan_has_no_buyout"),
        (LEASE | {"device_value_fen": None}, "/device_value_fen", "catalogue.device_value_missing"),
    ],
)
def test_a_field_that_is_missing_or_of_another_family_is_named(fields: dict[str, Any], pointer: str, code: str) -> None:
    assert refusal(fields) == (pointer, code)


def test_civil_code_art_670_nothing_is_held_back_from_what_is_lent() -> None:
    assert refusal(LOAN | {"deposit_fen": 1}) == ("/deposit_fen", "catalogue.loan_takes_no_deposit")


def test_finance_lease_interpretation_art_1_no_more_is_financed_than_the_thing_is_worth() -> None:
    assert refusal(LEASE | {"principal_fen": 1_200_001}) == ("/financing/principal_fen", "catalogue.financed_above_value")


@pytest.mark.parametrize("family", [Family.RENTAL, Family.FINANCE_LEASE])
def test_civil_code_arts_703_735_737_money_is_lent_and_never_leased(family: Family) -> None:
    with pytest.raises(Invalid) as refused:
        check_cash_is_lent(True, family)
    assert refused.value.errors[0].code == "catalogue.cash_is_only_lent"
    check_cash_is_lent(True, Family.LOAN)
    check_cash_is_lent(False, family)


@pytest.mark.parametrize(
    ("amounts", "pointer"),
    [
        ((None, 1, 1, None), "/rent_fen"),
        ((1, None, 1, None), "/device_value_fen"),
        ((1, 1, None, None), "/residual_value_fen"),
    ],
)
def test_a_rental_names_what_it_lacks(amounts: tuple[int | None, ...], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        rental_amounts(*amounts)
    assert refused.value.errors[0].pointer == pointer
