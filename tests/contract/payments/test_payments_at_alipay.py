"""Payments against the real wire: the wallet, the gateway, its notifications and its bad days."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import pytest
from tests.contract.conftest import fresh
from tests.contract.payments.conftest import Merchant
from tests.integration.payments.shop import ACTOR, AUTHORISED_FEN, due

from xinzu.app.sandbox.alipay_protocol import notify_form
from xinzu.app.sandbox.merchants import alipay_keys
from xinzu.back.billing.events import AccountSettled, DayClosed, SettlementDetermined
from xinzu.back.payments.events import DepositReleased, MandateAuthorised, PaymentFailed, PaymentSucceeded, RefundSucceeded
from xinzu.back.payments.model import AttemptState, MandateState, Purpose
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.events import AgreementCancelled


async def rented(merchant: Merchant) -> UUID:
    """Signed, confirmed in the wallet, first rent paid."""
    agreement_id = await merchant.sign()
    await merchant.accept(agreement_id)
    await merchant.work()
    assert (await merchant.payments(agreement_id))[0].state is AttemptState.SUCCEEDED
    return agreement_id


async def notifications(merchant: Merchant, outcome: str) -> list[dict[str, object]]:
    reply = await merchant.client.get("/v1/payments/notifications", params={"outcome": outcome})
    items: list[dict[str, object]] = reply.json()["items"]
    return items


async def app_id_of(merchant: Merchant) -> str:
    async with merchant.runtime.reading(merchant.tenant_id) as read:
        return str(await read.scalar("SELECT app_id FROM payments_channel_account WHERE tenant_id = :tenant"))


def signed_notification(merchant: Merchant, **fields: str) -> bytes:
    """A notification under Alipay's own key."""
    return notify_form({"charset": "utf-8", "version": "1.0", **fields}, alipay_keys(merchant.sandbox.folder).private_pem)


async def test_from_the_wallet_to_the_first_rent(merchant: Merchant) -> None:
    agreement_id = await rented(merchant)
    await merchant.quiet()
    mandate = await merchant.mandate(agreement_id)
    assert (mandate.state, mandate.authorised_fen, mandate.collected_fen) == (MandateState.AUTHORISED, AUTHORISED_FEN, 30_000)
    succeeded = await merchant.events(agreement_id, MandateAuthorised, PaymentSucceeded)
    assert [type(event).__name__ for event in succeeded] == ["MandateAuthorised", "PaymentSucceeded"]
    listed = (await merchant.client.get(f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement_id)}/payments")).json()["items"]
    assert [(item["purpose"], item["state"], item["amount_fen"]) for item in listed] == [("first_rent", "succeeded", 30_000)]
    one = await merchant.client.get(f"/v1/payments/{listed[0]['id']}")
    assert one.json() == listed[0]
    assert len(await notifications(merchant, "accepted")) == 2
    assert await merchant.leaves(agreement_id) == ["payments.mandate.authorised", "payments.payment.succeeded"]
    # The order is the customer's no more.
    view = await merchant.client.get(f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement_id)}/pre-authorisation")
    assert (view.json()["state"], view.json()["order_string"]) == ("authorised", None)


@pytest.mark.parametrize("fault", ["no_reply", "hang", "busy_after", "forged_reply"])
async def test_a_payment_without_a_believable_answer_is_found_by_query(merchant: Merchant, clock: FixedClock, fault: str) -> None:
    agreement_id = await merchant.sign()
    await merchant.accept(agreement_id)
    merchant.sandbox.fault(merchant.buyer_id, fault, method="alipay.trade.pay")
    merchant.sandbox.fault(merchant.buyer_id, "lost_notify", method="alipay.trade.pay")
    await merchant.work()
    assert (await merchant.payments(agreement_id))[0].state is AttemptState.UNKNOWN
    await merchant.minutes_later(clock)
    assert (await merchant.payments(agreement_id))[0].state is AttemptState.SUCCEEDED
    assert len(await merchant.events(agreement_id, PaymentSucceeded)) == 1
    assert (await merchant.mandate(agreement_id)).collected_fen == 30_000


async def test_a_payment_that_never_arrived_is_made_again_under_the_same_number(merchant: Merchant, clock: FixedClock) -> None:
    agreement_id = await merchant.sign()
    await merchant.accept(agreement_id)
    merchant.sandbox.fault(merchant.buyer_id, "busy", method="alipay.trade.pay")
    await merchant.work()
    before = (await merchant.payments(agreement_id))[0]
    assert before.state is AttemptState.UNKNOWN
    await merchant.minutes_later(clock)
    after = (await merchant.payments(agreement_id))[0]
    assert (after.state, after.out_trade_no) == (AttemptState.SUCCEEDED, before.out_trade_no)


async def test_the_notification_settles_what_the_answer_left_open(merchant: Merchant) -> None:
    agreement_id = await merchant.sign()
    await merchant.accept(agreement_id)
    merchant.sandbox.fault(merchant.buyer_id, "no_reply", method="alipay.trade.pay")
    await merchant.work()
    await merchant.until(lambda _, payments: payments[0].state is AttemptState.SUCCEEDED, agreement_id)
    assert len(await merchant.events(agreement_id, PaymentSucceeded)) == 1


async def test_a_worker_that_died_in_the_middle_of_a_call_loses_and_doubles_nothing(
    merchant: Merchant, clock: FixedClock
) -> None:
    agreement_id = await merchant.sign()
    await merchant.accept(agreement_id)
    async with merchant.runtime.unit(merchant.tenant_id, ACTOR) as uow:
        await uow.execute("UPDATE payments_payment SET state = 'calling' WHERE tenant_id = :tenant")
    await merchant.work()
    assert (await merchant.payments(agreement_id))[0].state is AttemptState.CALLING
    await merchant.minutes_later(clock)
    assert (await merchant.payments(agreement_id))[0].state is AttemptState.SUCCEEDED
    assert (await merchant.mandate(agreement_id)).collected_fen == 30_000


async def test_an_empty_purse_is_tried_again_the_next_day(merchant: Merchant, clock: FixedClock) -> None:
    agreement_id = await merchant.sign()
    await merchant.accept(agreement_id)
    merchant.sandbox.fault(merchant.buyer_id, "insufficient_balance")
    await merchant.work()
    failed = (await merchant.payments(agreement_id))[0]
    assert (failed.state, failed.failure_code) == (AttemptState.FAILED, "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    assert len(await merchant.events(agreement_id, PaymentFailed)) == 1
    clock.advance(timedelta(days=1))
    await merchant.happen(DayClosed(subject_id=new_id(), business_date=due(merchant)))
    await merchant.work()
    newest = (await merchant.payments(agreement_id))[0]
    assert (newest.attempt, newest.state, newest.purpose) == (2, AttemptState.SUCCEEDED, Purpose.FIRST_RENT)


async def test_a_second_identical_notification_is_answered_success_and_has_no_effect(merchant: Merchant) -> None:
    merchant.sandbox.fault(merchant.buyer_id, "duplicate_notify", method="alipay.fund.auth.order.app.freeze")
    merchant.sandbox.fault(merchant.buyer_id, "duplicate_notify", method="alipay.trade.pay")
    agreement_id = await rented(merchant)
    await merchant.quiet()
    assert [item["deliveries"] for item in await notifications(merchant, "accepted")] == [2, 2]
    assert len(await merchant.events(agreement_id, MandateAuthorised)) == 1
    assert len(await merchant.events(agreement_id, PaymentSucceeded)) == 1
    assert (await merchant.mandate(agreement_id)).collected_fen == 30_000


async def test_a_lost_confirmation_is_found_by_asking(merchant: Merchant, clock: FixedClock) -> None:
    agreement_id = await merchant.sign()
    merchant.sandbox.fault(merchant.buyer_id, "lost_notify", method="alipay.fund.auth.order.app.freeze")
    merchant.sandbox.confirm(await merchant.order_string(agreement_id), merchant.buyer_id)
    await merchant.minutes_later(clock, 11)
    assert (await merchant.mandate(agreement_id)).state is MandateState.AUTHORISED


async def test_back_from_the_wallet_the_app_need_not_wait_for_the_notification(merchant: Merchant) -> None:
    agreement_id = await merchant.sign()
    merchant.sandbox.fault(merchant.buyer_id, "lost_notify", method="alipay.fund.auth.order.app.freeze")
    merchant.sandbox.confirm(await merchant.order_string(agreement_id), merchant.buyer_id)
    path = f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement_id)}/pre-authorisation"
    asked = await merchant.client.post(f"{path}/check")
    assert (asked.status_code, asked.json()["state"]) == (202, "intended")
    await merchant.work()
    assert (await merchant.client.get(path)).json()["state"] == "authorised"
    nobody = f"/v1/agreements/{public_id(Prefix.AGREEMENT, new_id())}/pre-authorisation"
    assert (await merchant.client.post(f"{nobody}/check")).status_code == 404
    assert (await merchant.client.get(nobody)).status_code == 404


async def test_a_customer_alipay_refused_may_try_again(merchant: Merchant, clock: FixedClock) -> None:
    agreement_id = await merchant.sign()
    merchant.sandbox.fault(merchant.buyer_id, "freeze_refused")
    order_string = await merchant.order_string(agreement_id)
    assert merchant.sandbox.confirm(order_string, merchant.buyer_id)["result_code"] == "4000"
    await merchant.minutes_later(clock, 11)
    assert await merchant.order_string(agreement_id) != order_string
    await merchant.accept(agreement_id)


async def test_a_notification_about_an_unknown_order_is_kept_in_sight_and_not_sent_for_ever(merchant: Merchant) -> None:
    body = signed_notification(
        merchant,
        app_id=await app_id_of(merchant),
        notify_id=fresh("n"),
        notify_time="2025-06-03 10:00:00",
        notify_type="trade_status_sync",
        out_trade_no="pay_of_somebody_else",
        trade_no="2025060322001",
        trade_status="TRADE_SUCCESS",
        total_amount="300.00",
        buyer_id="2088123412341234",
    )
    for _ in range(2):
        reply = await merchant.client.post(f"/v1/callbacks/alipay/{merchant.slug}", content=body)
        assert (reply.status_code, reply.text) == (200, "success")
    unmatched = await notifications(merchant, "unmatched")
    assert [(item["kind"], item["deliveries"]) for item in unmatched] == [("trade_status_sync", 2)]
    assert "buyer_id" not in str(unmatched)


async def test_a_forged_notification_is_refused_and_leaves_no_trace(merchant: Merchant) -> None:
    agreement_id = await merchant.sign()
    mandate = await merchant.mandate(agreement_id)
    form = {"app_id": await app_id_of(merchant), "notify_id": fresh("n"), "notify_type": "fund_auth_freeze", "sign_type": "RSA2"}
    bodies = [
        urlencode({**form, "out_order_no": mandate.out_order_no, "sign": "AAAA"}).encode(),
        b"",
        b"\xff\xfe",
        b"a=1&a=2",
        b"{}",
    ]
    for body in bodies:
        reply = await merchant.client.post(f"/v1/callbacks/alipay/{merchant.slug}", content=body)
        assert (reply.status_code, reply.json()["code"]) == (400, "payments.notification_refused")
    all_of_them = (await merchant.client.get("/v1/payments/notifications")).json()["items"]
    assert all_of_them == []
    assert (await merchant.mandate(agreement_id)).state is MandateState.INTENDED


@pytest.mark.parametrize(
    ("wrong", "reason"), [({"amount": "1.00"}, "amount_mismatch"), ({"app_id": "2021999999999999"}, "wrong_app")]
)
async def test_a_notification_that_contradicts_us_is_refused_and_recorded(
    merchant: Merchant, wrong: dict[str, str], reason: str
) -> None:
    agreement_id = await merchant.sign()
    mandate = await merchant.mandate(agreement_id)
    fields = {
        "app_id": await app_id_of(merchant),
        "notify_id": fresh("n"),
        "notify_time": "2025-06-03 10:00:00",
        "notify_type": "fund_auth_freeze",
        "auth_no": fresh("auth"),
        "out_order_no": mandate.out_order_no,
        "out_request_no": mandate.out_request_no,
        "operation_id": "1",
        "operation_type": "FREEZE",
        "status": "SUCCESS",
        "amount": "5600.00",
        "pre_auth_type": "CREDIT_AUTH",
    }
    body = signed_notification(merchant, **(fields | wrong))
    reply = await merchant.client.post(f"/v1/callbacks/alipay/{merchant.slug}", content=body)
    assert (reply.status_code, reply.json()["reason"]) == (400, reason)
    assert [item["reason"] for item in await notifications(merchant, "refused")] == [reason]
    assert (await merchant.mandate(agreement_id)).state is MandateState.INTENDED


async def test_a_callback_address_nobody_has_is_not_found(merchant: Merchant) -> None:
    for slug in ("nobody-here", "../x", "A"):
        assert (await merchant.client.post(f"/v1/callbacks/alipay/{slug}", content=b"a=1")).status_code == 404
    assert (await merchant.client.post("/v1/callbacks/alipay/%00", content=b"a=1")).status_code == 422


@pytest.mark.parametrize("fault", [None, "no_reply", "busy"])
async def test_damage_is_taken_out_of_the_deposit_and_the_rest_released(
    merchant: Merchant, clock: FixedClock, fault: str | None
) -> None:
    agreement_id = await rented(merchant)
    await merchant.happen(
        SettlementDetermined(subject_id=agreement_id, party_id=new_id(), balance_due_fen=80_000, credit_balance_fen=0)
    )
    await merchant.work()
    if fault is not None:
        merchant.sandbox.fault(merchant.buyer_id, fault, method="alipay.fund.auth.order.unfreeze")
        merchant.sandbox.fault(merchant.buyer_id, "lost_notify", method="alipay.fund.auth.order.unfreeze")
    await merchant.happen(AccountSettled(subject_id=agreement_id, party_id=new_id(), settled_on=due(merchant)))
    await merchant.work()
    await merchant.minutes_later(clock)
    mandate = await merchant.mandate(agreement_id)
    assert (mandate.state, mandate.collected_fen, mandate.released_fen) == (MandateState.FINISHED, 110_000, 450_000)
    assert len(await merchant.events(agreement_id, DepositReleased)) == 1
    await merchant.quiet()
    assert await notifications(merchant, "refused") == []


@pytest.mark.parametrize("fault", [None, "no_reply", "busy"])
async def test_an_agreement_called_off_gives_the_first_rent_and_the_deposit_back(
    merchant: Merchant, clock: FixedClock, fault: str | None
) -> None:
    agreement_id = await rented(merchant)
    if fault is not None:
        merchant.sandbox.fault(merchant.buyer_id, fault, method="alipay.trade.refund")
    await merchant.happen(
        AgreementCancelled(subject_id=agreement_id, application_id=new_id(), party_id=new_id(), reason="customer_withdrew")
    )
    await merchant.work()
    await merchant.minutes_later(clock)
    assert [event.amount_fen for event in await merchant.events(agreement_id, RefundSucceeded)] == [30_000]
    assert (await merchant.payments(agreement_id))[0].refunded_fen == 30_000
    assert (await merchant.mandate(agreement_id)).released_fen == AUTHORISED_FEN - 30_000
    await merchant.quiet()
    assert await notifications(merchant, "refused") == []


@pytest.mark.parametrize("looked_at", [True, False])
async def test_an_order_nobody_confirmed_is_withdrawn(merchant: Merchant, clock: FixedClock, looked_at: bool) -> None:
    agreement_id = await merchant.sign()
    order_string = await merchant.order_string(agreement_id)
    if looked_at:
        merchant.sandbox.control("POST", "/wallet/open", {"order_str": order_string, "buyer_id": merchant.buyer_id, "at": ""})
    await merchant.happen(
        AgreementCancelled(subject_id=agreement_id, application_id=new_id(), party_id=new_id(), reason="customer_withdrew")
    )
    await merchant.work()
    await merchant.quiet()
    assert (await merchant.mandate(agreement_id)).state is MandateState.CLOSED
    # A wallet that never showed the order may still confirm it: then everything goes straight back.
    confirmed = merchant.sandbox.confirm(order_string, merchant.buyer_id)
    if looked_at:
        assert confirmed["result_code"] == "4000"
        return
    await merchant.until(lambda mandate, _: mandate.auth_no is not None, agreement_id)
    await merchant.work()
    mandate = await merchant.mandate(agreement_id)
    assert (mandate.state, mandate.released_fen, mandate.collected_fen) == (MandateState.CLOSED, AUTHORISED_FEN, 0)


async def test_first_rents_of_several_customers_settle_together(merchant: Merchant) -> None:
    agreements = [await merchant.sign() for _ in range(3)]
    for agreement_id in agreements:
        await merchant.accept(agreement_id)
    await merchant.work()
    for agreement_id in agreements:
        assert (await merchant.mandate(agreement_id)).collected_fen == 30_000


async def test_the_customer_pays_arrears_over_http_once_per_key(merchant: Merchant) -> None:
    agreement_id = await rented(merchant)
    path = f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement_id)}/payments"
    headers = {"Idempotency-Key": fresh("k")}
    replies = [await merchant.client.post(path, json={"amount_fen": 12_300}, headers=headers) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert replies[0].json() == replies[1].json()
    await merchant.work()
    done = await merchant.client.get(replies[0].headers["location"])
    assert (done.json()["state"], done.json()["purpose"]) == ("succeeded", "arrears")
    for body in ({"amount_fen": 0}, {"amount_fen": "all"}, {"amount_yuan": 1}, {"amount_fen": 10**30}):
        assert (await merchant.client.post(path, json=body)).status_code in (400, 422)
