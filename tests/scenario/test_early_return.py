"""Rentals that end before their term, and what is left of the pre-authorisation then."""

from __future__ import annotations

from tests.scenario.story import AUTHORISED_FEN, EARLY_RETURN_FEE_FEN, PAY, RENT_FEN, Shop

DAMAGE_FEN = 35_000


async def test_a_damaged_phone_brought_back_early_costs_fee_and_damage_and_the_rest_is_released(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer("周磊"))
    await shop.quiet_days_until(rental.due_on(2))
    await shop.next_day(9)
    await rental.comes_back(damage_fen=DAMAGE_FEN)

    account, mandate = await rental.account(), await rental.mandate()
    assert await rental.instalments() == ["paid", "paid", "cancelled"]  # the third period had not begun
    assert {charge["kind"]: charge["amount_fen"] for charge in account["charges"]} == {
        "early_return": EARLY_RETURN_FEE_FEN,
        "damage": DAMAGE_FEN,
    }
    assert (account["state"], account["balance_due_fen"]) == ("settled", 0)
    collected_fen = 2 * RENT_FEN + EARLY_RETURN_FEE_FEN + DAMAGE_FEN
    assert (mandate["state"], mandate["collected_fen"]) == ("finished", collected_fen)
    assert mandate["released_fen"] == AUTHORISED_FEN - collected_fen
    assert await rental.receipts_fen() == [RENT_FEN, RENT_FEN, EARLY_RETURN_FEE_FEN + DAMAGE_FEN]
    assert (await rental.agreement())["state"] == "ended"
    for charge in account["charges"]:
        why = await shop.get("channel", await rental.path(f"/amounts/{charge['id']}/why"))
        assert why["amount_fen"] == charge["amount_fen"]
        assert why["words_zh"]


async def test_a_settlement_without_money_is_collected_the_next_day_before_anything_is_released(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await shop.next_day(5)
    await rental.customer.runs_into("insufficient_balance", PAY)
    await rental.comes_back(damage_fen=DAMAGE_FEN)
    account, mandate = await rental.account(), await rental.mandate()
    assert (account["state"], account["balance_due_fen"]) == ("settling", EARLY_RETURN_FEE_FEN + DAMAGE_FEN)
    assert (mandate["state"], mandate["released_fen"]) == ("authorised", 0)
    await shop.next_day()
    account, mandate = await rental.account(), await rental.mandate()
    assert (account["state"], account["balance_due_fen"]) == ("settled", 0)
    assert mandate["collected_fen"] + mandate["released_fen"] == AUTHORISED_FEN
    assert (await rental.agreement())["state"] == "ended"


async def test_damage_beyond_the_authorised_amount_stays_owed_and_releases_nothing(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await shop.next_day(3)
    await rental.comes_back(damage_fen=250_000)
    account, mandate = await rental.account(), await rental.mandate()
    rest_fen = AUTHORISED_FEN - RENT_FEN
    assert (account["state"], account["balance_due_fen"]) == ("settling", EARLY_RETURN_FEE_FEN + 250_000 - rest_fen)
    assert (mandate["collected_fen"], mandate["released_fen"]) == (AUTHORISED_FEN, 0)
    assert (await rental.agreement())["state"] == "active"


async def test_an_agreement_called_off_after_the_first_rent_gives_everything_back(shop: Shop) -> None:
    rental = await shop.customer().applies()
    await rental.signs()
    await rental.pre_authorises()
    await rental.is_called_off()
    account, mandate = await rental.account(), await rental.mandate()
    assert (account["state"], account["credit_balance_fen"], account["balance_due_fen"]) == ("settled", 0, 0)
    assert [refund["amount_fen"] for refund in await rental.told("payments.refund.succeeded")] == [RENT_FEN]
    assert mandate["released_fen"] == AUTHORISED_FEN - RENT_FEN
    assert await rental.state() == "cancelled"
    agreement_id = await rental.agreement_id()
    status, _ = await shop.call("warehouse", "POST", f"/v1/deliveries/{agreement_id}/shipments", {"serial": "356000000000000"})
    assert status == 404 or (await shop.get("warehouse", f"/v1/deliveries/{agreement_id}"))["state"] == "cancelled"
