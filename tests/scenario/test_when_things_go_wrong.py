"""Refusing wallets, lost parcels, a system that was off, money that crosses other money on its way."""

from __future__ import annotations

from datetime import timedelta

from tests.scenario.phones import Phones
from tests.scenario.story import AUTHORISED_FEN, EARLY_RETURN_FEE_FEN, PAY, RENT_FEN, Shop


async def test_a_wallet_that_refuses_gets_another_order_to_confirm(shop: Shop) -> None:
    rental = await shop.customer().applies()
    await rental.signs()
    refused_order = (await rental.mandate())["order_string"]
    await rental.customer.runs_into("freeze_refused")
    await rental.pre_authorises()
    await shop.next_day()
    mandate = await rental.mandate()
    assert (mandate["state"], await rental.receipts_fen()) == ("intended", [])
    assert mandate["order_string"] not in (None, refused_order)
    await rental.pre_authorises()
    assert ((await rental.mandate())["state"], await rental.receipts_fen()) == ("authorised", [RENT_FEN])


async def test_nothing_is_shipped_before_the_first_rent_is_in(shop: Shop) -> None:
    rental = await shop.customer().applies()
    await rental.signs()
    await rental.customer.runs_into("insufficient_balance", PAY)
    await rental.pre_authorises()
    path = f"/v1/deliveries/{await rental.agreement_id()}/shipments"
    serial = (await shop.get_all("/v1/assets?state=in_stock"))[0]["serial"]
    status, problem = await shop.call("warehouse", "POST", path, {"serial": serial})
    assert (status, problem["code"]) == (409, "assets.delivery_not_ready")
    await shop.next_day()  # the retry succeeds
    assert await rental.receipts_fen() == [RENT_FEN]
    await rental.is_shipped()
    await rental.receives_it()


async def test_a_parcel_that_comes_back_is_inspected_and_another_phone_is_shipped(shop: Shop) -> None:
    rental = await shop.customer().applies()
    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await rental.parcel_is("picked_up", "in_transit", "returned")
    assert (await rental.agreement())["state"] == "signed"
    await rental.is_inspected()
    assert (await shop.get("warehouse", f"/v1/assets/{rental.asset_id}"))["state"] == "in_stock"
    assert (await rental.account())["credit_balance_fen"] == RENT_FEN  # nobody was charged and nothing settled
    await rental.is_shipped()
    await rental.receives_it()
    assert await rental.instalments() == ["paid", "scheduled", "scheduled"]


async def test_who_pays_before_the_next_attempt_is_not_collected_from_again(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await rental.customer.runs_into("insufficient_balance", PAY)
    await shop.quiet_days_until(rental.due_on(2))
    await rental.pays()
    await shop.next_day(3)
    assert await rental.receipts_fen() == [RENT_FEN, RENT_FEN]
    assert (await rental.account())["credit_balance_fen"] == 0


async def test_of_two_payments_that_cross_each_other_one_pays_the_rent_and_one_is_held(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await rental.customer.runs_into("no_reply", PAY)
    await rental.customer.runs_into("lost_notify", PAY)
    await shop.quiet_days_until(rental.due_on(2))
    await rental.pays()  # the collection succeeded, but nobody has heard of it yet
    await shop.next_day()
    assert await rental.receipts_fen() == [RENT_FEN] * 3
    assert ((await rental.instalments())[1], (await rental.account())["credit_balance_fen"]) == ("paid", RENT_FEN)


async def test_a_rent_collected_between_return_and_inspection_is_set_off_and_the_rest_goes_back(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await shop.quiet_days_until(rental.due_on(2) - timedelta(days=1))
    await rental.is_received()
    await shop.next_day()
    assert (await rental.instalments())[1] == "paid"
    await rental.is_inspected()
    account, mandate = await rental.account(), await rental.mandate()
    assert await rental.instalments() == ["paid", "cancelled", "cancelled"]
    assert (account["state"], account["credit_balance_fen"]) == ("settled", 0)
    assert [refund["amount_fen"] for refund in await rental.told("payments.refund.succeeded")] == [
        RENT_FEN - EARLY_RETURN_FEE_FEN
    ]
    assert mandate["collected_fen"] + mandate["released_fen"] == AUTHORISED_FEN


async def test_days_on_which_the_system_was_off_are_made_up_for(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await shop.is_back_after(rental.due_on(3) + timedelta(days=2))  # nothing ran for two months
    assert await rental.receipts_fen() == [RENT_FEN] * 3
    assert await rental.instalments() == ["paid"] * 3
    account = await rental.account()
    assert (account["balance_due_fen"], account["days_past_due"], account["charges"]) == (0, 0, [])
    assert await rental.customer.messages("payment_reminder") == []


async def test_who_is_in_arrears_and_brings_the_phone_back_settles_everything_at_once(shop: Shop, phones: Phones) -> None:
    rental = await shop.customer().applies()
    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await phones.enrol(rental)
    await rental.receives_it()
    await rental.customer.runs_into("insufficient_balance", PAY, 1_000)
    await shop.quiet_days_until(rental.due_on(2))
    await shop.next_day(6)
    await phones.of(rental).becomes("limit")
    await rental.customer.has_money_again()
    await rental.comes_back()
    await phones.of(rental).becomes("free")
    account, mandate = await rental.account(), await rental.mandate()
    late_fee_fen = next(charge["amount_fen"] for charge in account["charges"] if charge["kind"] == "late_fee")
    assert (account["state"], account["balance_due_fen"], account["days_past_due"]) == ("settled", 0, 0)
    assert mandate["collected_fen"] == 2 * RENT_FEN + late_fee_fen + EARLY_RETURN_FEE_FEN
    assert mandate["collected_fen"] + mandate["released_fen"] == AUTHORISED_FEN
    assert [case["state"] for case in await shop.get_all("/v1/collections/cases")] == ["closed"]

    # The next lessee of the same phone begins with a free one and a clean record.
    successor = await shop.customer().applies()
    await successor.signs()
    await successor.pre_authorises()
    await successor.is_shipped(rental.serial)
    await successor.receives_it()
    record = await phones.of(rental).record()
    assert (record["agreement_id"], record["desired_level"]) == (await successor.agreement_id(), "free")
