"""Payments that come late, twice, too much, or of which nobody heard the answer."""

from __future__ import annotations

from tests.scenario.story import AUTHORISED_FEN, EARLY_RETURN_FEE_FEN, PAY, REFUND, RENT_FEN, Shop

from xinzu.app.sandbox.alipay_protocol import notify_form
from xinzu.app.sandbox.merchants import alipay_keys
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.kernel.ids import Prefix, new_id, public_id


async def test_the_second_identical_notification_has_no_second_effect(shop: Shop) -> None:
    customer = shop.customer()
    rental = await customer.applies()
    await rental.signs()
    await customer.runs_into("duplicate_notify", times=2)  # of the pre-authorisation and of the first rent
    await rental.pre_authorises()
    messages = await shop.get_all("/v1/payments/notifications")
    assert [(message["outcome"], message["deliveries"]) for message in messages] == [("accepted", 2), ("accepted", 2)]
    assert await rental.receipts_fen() == [RENT_FEN]
    assert len(await rental.told("payments.mandate.authorised")) == 1
    assert len(await rental.told("payments.payment.succeeded")) == 1


async def test_a_notification_about_an_order_nobody_knows_is_recorded_as_unmatched_and_answered_success(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    payment = (await rental.payments())[0]
    known = (await shop.get_all("/v1/payments/notifications"))[0]
    world, folder = shop.world, sandbox_folder(shop.world.runtime.settings.home)
    (account,) = await shop.rows("SELECT app_id, seller_id FROM payments_channel_account WHERE tenant_id = :tenant")
    fields = {
        "notify_id": "20260302099999999",
        "notify_type": "trade_status_sync",
        "notify_time": world.beijing_time,
        "charset": "utf-8",
        "version": "1.0",
        "app_id": account.app_id,
        "auth_app_id": account.app_id,
        "seller_id": account.seller_id,
        "out_trade_no": public_id(Prefix.PAYMENT, new_id()),
        "trade_no": "2026030222001400000001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "400.00",
        "buyer_id": rental.customer.buyer_id,
        "gmt_payment": world.beijing_time,
    }
    headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
    body = notify_form(fields, alipay_keys(folder).private_pem)
    answer = await world.api.post(f"/v1/callbacks/alipay/{shop.slug}", content=body, headers=headers)
    assert (answer.status_code, answer.text) == (200, "success")
    await world.settle()
    unmatched = await shop.get_all("/v1/payments/notifications?outcome=unmatched")
    assert [message["notify_id"] for message in unmatched] == ["20260302099999999"]
    assert known["outcome"] == "accepted"
    assert (await rental.payments(), await rental.receipts_fen()) == ([payment], [RENT_FEN])


async def test_a_payment_whose_answer_was_lost_is_found_by_asking_and_counted_once(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await rental.customer.runs_into("no_reply", PAY)  # Alipay collects, the line drops before the answer
    await rental.customer.runs_into("lost_notify", PAY)  # and its notification never comes
    await shop.quiet_days_until(rental.due_on(2))
    assert [payment["state"] for payment in await rental.payments()] == ["succeeded", "unknown"]
    assert (await rental.instalments())[1] == "due"
    await shop.next_day()
    assert [payment["state"] for payment in await rental.payments()] == ["succeeded", "succeeded"]
    assert await rental.receipts_fen() == [RENT_FEN, RENT_FEN]
    assert (await rental.instalments())[1] == "paid"
    # Had Alipay collected twice, it could not release the whole rest at the end.
    await rental.comes_back()
    assert (await rental.mandate())["released_fen"] == AUTHORISED_FEN - 2 * RENT_FEN - EARLY_RETURN_FEE_FEN


async def test_an_account_without_money_is_tried_again_the_next_day_and_nobody_is_dunned(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await rental.customer.runs_into("insufficient_balance", PAY)
    await shop.quiet_days_until(rental.due_on(2))
    assert [(payment["attempt"], payment["state"]) for payment in await rental.payments()] == [(1, "succeeded"), (1, "failed")]
    await shop.next_day()
    assert [(payment["attempt"], payment["state"]) for payment in (await rental.payments())[1:]] == [
        (1, "failed"),
        (2, "succeeded"),
    ]
    account = await rental.account()
    assert (account["balance_due_fen"], account["overdue_fen"], account["charges"]) == (0, 0, [])
    assert await rental.customer.messages("payment_reminder") == []


async def test_what_is_paid_too_much_is_held_and_pays_the_next_rents(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await rental.pays(50_000)
    assert (await rental.account())["credit_balance_fen"] == 50_000
    await shop.quiet_days_until(rental.due_on(2))
    assert ((await rental.instalments())[1], (await rental.account())["credit_balance_fen"]) == ("paid", 10_000)
    await shop.quiet_days_until(rental.due_on(3))
    assert await rental.receipts_fen() == [RENT_FEN, 50_000, 30_000]  # only what the credit did not cover is collected
    assert await rental.instalments() == ["paid"] * 3


async def test_credit_that_is_left_at_the_end_goes_back_before_the_deposit_is_released(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await rental.pays(EARLY_RETURN_FEE_FEN + 7_000)
    await shop.next_day(5)
    await rental.customer.runs_into("no_reply", REFUND)  # given back all the same, once
    await rental.comes_back()
    await shop.next_day()
    account, mandate = await rental.account(), await rental.mandate()
    assert (account["state"], account["credit_balance_fen"]) == ("settled", 0)
    assert [refund["amount_fen"] for refund in await rental.told("payments.refund.succeeded")] == [7_000]
    assert mandate["collected_fen"] + mandate["released_fen"] == AUTHORISED_FEN


async def test_money_that_is_heard_of_only_after_the_settlement_goes_back_once(shop: Shop) -> None:
    rental = await shop.rents_out_to(shop.customer())
    await shop.next_day(2)
    await rental.customer.runs_into("no_reply", PAY)
    await rental.customer.runs_into("lost_notify", PAY)
    await rental.pays(9_000)  # collected, but nobody has heard
    await rental.comes_back()
    assert ((await rental.account())["state"], (await rental.mandate())["state"]) == ("settled", "authorised")
    await shop.next_day(2)
    assert [refund["amount_fen"] for refund in await rental.told("payments.refund.succeeded")] == [9_000]
    assert (await rental.account())["credit_balance_fen"] == 0
    mandate = await rental.mandate()
    assert (mandate["state"], mandate["collected_fen"] + mandate["released_fen"]) == ("finished", AUTHORISED_FEN)
