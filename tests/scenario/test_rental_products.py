"""Rentals that are paid ahead or end in the customer's hands."""

from __future__ import annotations

from typing import Any

from tests.scenario.rentals import Rental
from tests.scenario.story import DEPOSIT_FEN, EARLY_RETURN_FEE_FEN, RENT_FEN, Shop

from xinzu.kernel.time import add_months

PRICE_FEN = 9_900


async def rented(shop: Shop, **changes: Any) -> Rental:
    """From a plan of its own to the handover."""
    plan = {
        "product_id": shop.product_id,
        "period_count": 3,
        "rent_fen": RENT_FEN,
        "deposit_fen": DEPOSIT_FEN,
        "device_value_fen": 300_000,
        "early_return_fee_fen": EARLY_RETURN_FEE_FEN,
        "late_fee_daily_rate": "0.0003",
        "restriction_clause_version": "2026-01",
    } | changes
    plan_id = (await shop.post("owner", "/v1/plans", plan))["id"]
    await shop.post("owner", f"/v1/plans/{plan_id}/publication")
    rental = await shop.customer().applies(plan_id)
    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await rental.receives_it()
    return rental


async def test_a_phone_rented_to_own_stays_with_the_customer_who_paid_for_it(shop: Shop) -> None:
    # The price guard holds for it as for any plan, so that it costs the customer no more than the phone is worth.
    rent_fen = 96_000
    rental = await rented(shop, rent_fen=rent_fen, first_rents=2, ends_in="own", buyout_fen=PRICE_FEN)
    assert (await rental.mandate())["collected_fen"] == 2 * rent_fen
    assert await rental.instalments() == ["paid", "paid", "scheduled"]
    await shop.until(rental.due_on(2))
    assert await rental.instalments() == ["paid", "paid", "paid"]
    await shop.until(add_months(rental.commencement_on, 3))
    account, mandate = await rental.account(), await rental.mandate()
    assert (account["state"], account["balance_due_fen"]) == ("settled", 0)
    assert {charge["kind"]: charge["amount_fen"] for charge in account["charges"]} == {"buyout": PRICE_FEN}
    assert (mandate["state"], mandate["collected_fen"]) == ("finished", 3 * rent_fen + PRICE_FEN)
    assert mandate["released_fen"] == DEPOSIT_FEN
    assert (await rental.agreement())["state"] == "ended"
    assert (await shop.get("warehouse", f"/v1/assets/{rental.asset_id}"))["state"] == "retired"
    found = (await shop.get("owner", await rental.path("/account/classification")))["tests"][0]
    assert (found["code"], found["holds"]) == ("title_transfers", True)


async def test_rents_paid_ahead_go_back_to_the_customer_who_returns_the_phone(shop: Shop) -> None:
    rental = await rented(shop, first_rents=3, residual_value_fen=184_000)
    assert await rental.instalments() == ["paid", "paid", "paid"]
    await shop.next_day(10)
    await rental.comes_back()
    account, mandate = await rental.account(), await rental.mandate()
    assert sorted(await rental.instalments()) == ["cancelled", "cancelled", "paid"]
    assert (account["state"], account["credit_balance_fen"]) == ("settled", 0)
    kept_fen = RENT_FEN + EARLY_RETURN_FEE_FEN
    assert mandate["collected_fen"] == 3 * RENT_FEN
    refunded = await shop.rows("SELECT sum(amount_fen) AS fen FROM billing_refund WHERE tenant_id = :tenant")
    assert refunded[0].fen == 3 * RENT_FEN - kept_fen
    assert (await rental.agreement())["state"] == "ended"
