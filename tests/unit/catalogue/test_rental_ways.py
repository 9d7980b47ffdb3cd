"""How a rental may be paid and end, which of it is not a financing's, and what whoever offers it should know."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.integration.decisions.people import terms

from xinzu.back.billing.api import dearest_buyout, rental_cost_pct
from xinzu.front.catalogue.rules.annual_cost import warnings_of
from xinzu.front.catalogue.rules.fields_of_family import check_rental_ways
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import AgreementTerms, EndsIn

RENTAL: dict[str, Any] = {
    "is_financed": False,
    "ends_in": EndsIn.RETURN,
    "first_rents": 1,
    "period_count": 12,
    "term_months": 12,
    "residual_value_fen": 100_000,
    "buyout_fen": None,
    "buyout_prices_fen": (),
}
OWN = RENTAL | {"ends_in": EndsIn.OWN, "residual_value_fen": None, "buyout_fen": 0}
FINANCED = RENTAL | {"is_financed": True, "residual_value_fen": None}


def test_what_can_be_passes() -> None:
    check_rental_ways(**RENTAL)
    check_rental_ways(**OWN | {"first_rents": 12})
    check_rental_ways(**RENTAL | {"buyout_fen": 1, "buyout_prices_fen": (3, 2, 1)})
    check_rental_ways(**FINANCED)


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        (FINANCED | {"first_rents": 2}, "/first_rents", "catalogue.first_rents_of_rentals"),
        (FINANCED | {"ends_in": EndsIn.OWN}, "/ends_in", "catalogue.ends_in_of_rentals"),
        (FINANCED | {"buyout_prices_fen": (1,)}, "/buyout_prices_fen", "catalogue.buyout_prices_of_rentals"),
        (RENTAL | {"first_rents": 13}, "/first_rents", "catalogue.first_rents_beyond_term"),
        (OWN | {"buyout_fen": None}, "/buyout_fen", "catalogue.transfer_price_missing"),
        (OWN | {"residual_value_fen": 1}, "/residual_value_fen", "catalogue.residual_stays_with_lessee"),
        (RENTAL | {"buyout_fen": 1, "buyout_prices_fen": (1,) * 13}, "/buyout_prices_fen", "catalogue.buyout_prices_beyond_term"),
        (RENTAL | {"buyout_fen": 2, "buyout_prices_fen": (3, 1)}, "/buyout_fen", "catalogue.buyout_differs_from_table"),
    ],
)
def test_what_cannot_be_is_named(fields: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_rental_ways(**fields)
    assert (refused.value.errors[0].pointer, refused.value.errors[0].code) == (pointer, code)


def test_cas_21_art_36_a_rental_to_own_is_warned_of_as_financing() -> None:
    on = date(2026, 3, 2)
    assert [each.code for each in warnings_of(None, on, EndsIn.OWN)] == ["catalogue.transfers_ownership"]
    assert [each.code for each in warnings_of(Decimal(20), on, EndsIn.OWN)] == [
        "catalogue.transfers_ownership",
        "catalogue.cost_above_four_times_lpr",
    ]


def test_terms_agreed_before_there_were_such_products_are_plain_rentals() -> None:
    phone = terms()
    stored = msgspec.to_builtins(phone)
    for name in ("first_rents", "ends_in", "buyout_prices_fen", "due_shift", "period_days", "daily"):
        del stored[name]
    assert msgspec.convert(stored, AgreementTerms) == phone
    own = AgreementTerms(**{**vars(phone), "first_rents": 3, "ends_in": EndsIn.OWN, "buyout_prices_fen": (3, 1), "buyout_fen": 1})
    assert msgspec.json.decode(msgspec.json.encode(own), type=AgreementTerms) == own
    assert own.authorised_fen == phone.authorised_fen + 1
    assert own.first_payment_fen == 3 * phone.rent_fen


def test_a_known_buyout_costs_what_it_costs() -> None:
    """100.00 out, 50.00 at once; 51.00 a month later earn 2 % of the 50.00 that stayed out: 26.82 % a year."""
    assert dearest_buyout(10_000, 5_000, 2, 1, (5_100, 0)) == (1, "26.824180")
    # Two of two rents are paid at once and one comes back: the same 51.00 a month later would be on nothing.
    assert dearest_buyout(10_000, 5_000, 2, 1, (5_100, 0), first_rents=2) == (1, None)


def test_a_rent_that_falls_due_earlier_costs_more() -> None:
    agreed, earlier = rental_cost_pct(600_000, 45_000, 12, 1, 100_000), None
    earlier = rental_cost_pct(600_000, 45_000, 12, 1, 100_000, days_early=(0, 3, 0, 8))
    assert Decimal(earlier or 0) > Decimal(agreed or 0)
    with pytest.raises(ValueError, match="of the term"):
        rental_cost_pct(600_000, 45_000, 12, 1, 100_000, first_rents=13)
