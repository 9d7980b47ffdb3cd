"""Our Alipay client against the twin over loopback HTTP: the deposit's whole life, exact amounts, and what Alipay refuses."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from tests.contract.conftest import Receiver, Sandbox, accepted_deposit, eventually, fresh

from xinzu.back.payments.providers.alipay import AlipayAccount, AlipayChannel
from xinzu.back.payments.providers.base import (
    AuthorisationStatus,
    CollectOrder,
    FreezeOrder,
    Operation,
    OperationStatus,
    OperationType,
    PostPayment,
    RefundOrder,
    Trade,
    TradeStatus,
)
from xinzu.kernel.time import FixedClock
from xinzu.platform.crypto.signing import new_rsa_keys
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok, Unknown


async def test_a_deposit_is_waived_paid_from_and_given_back(
    alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver, clock: FixedClock
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 600_000)
    assert deposit.operation.status is OperationStatus.SUCCEEDED
    assert deposit.operation.authorisation is AuthorisationStatus.AUTHORISED
    assert (deposit.operation.credit_fen, deposit.operation.fund_fen, deposit.operation.rest_fen) == (600_000, 0, 600_000)
    (form,) = await eventually(lambda: receiver.forms(deposit.order_no))
    told = alipay.read_notification(form)
    assert told.kind == "fund_auth_freeze"
    assert isinstance(told.fact, Operation)
    assert (told.fact.auth_no, told.fact.amount_fen, told.fact.payer_id) == (deposit.auth_no, 600_000, deposit.buyer_id)

    clock.advance(timedelta(days=30))
    rent = CollectOrder(fresh("rent"), deposit.auth_no, "第1期租金", 29_901, payer_id=deposit.buyer_id)
    paid = await alipay.collect(rent)
    assert isinstance(paid, Ok)
    assert (paid.value.status, paid.value.amount_fen, paid.value.paid_at) == (TradeStatus.SUCCEEDED, 29_901, clock.now())
    (form,) = await eventually(lambda: receiver.forms(rent.trade_no))
    told = alipay.read_notification(form)
    assert isinstance(told.fact, Trade)
    assert (told.fact.status, told.fact.amount_fen) == (TradeStatus.SUCCEEDED, 29_901)

    released = await alipay.unfreeze(deposit.auth_no, fresh("rel"), 570_098, "归还完好")
    assert isinstance(released, Ok)
    assert (released.value.type, released.value.status, released.value.amount_fen) == (
        OperationType.UNFREEZE,
        OperationStatus.SUCCEEDED,
        570_098,
    )
    standing = await alipay.query_operation(deposit.order_no, deposit.request_no, OperationType.FREEZE)
    assert isinstance(standing, Ok)
    operation = standing.value
    assert (operation.frozen_total_fen, operation.paid_total_fen, operation.unfrozen_total_fen, operation.rest_fen) == (
        600_000,
        29_901,
        570_098,
        1,
    )
    last = await alipay.collect(CollectOrder(fresh("last"), deposit.auth_no, "零头", 1, releases_rest=True))
    assert isinstance(last, Ok)
    standing = await alipay.query_operation(deposit.order_no, deposit.request_no, OperationType.FREEZE)
    assert isinstance(standing, Ok)
    assert standing.value.authorisation is AuthorisationStatus.FINISHED
    after = await alipay.unfreeze(deposit.auth_no, fresh("rel"), 1, "多余")
    assert isinstance(after, Failed)
    assert after.code == "ORDER_ALREADY_FINISH"


@pytest.mark.parametrize("amount_fen", [1, 10, 99, 100, 101, 999, 10_000, 123_456, 999_999_99])
async def test_every_fen_arrives(alipay: AlipayChannel, sandbox: Sandbox, amount_fen: int) -> None:
    deposit = await accepted_deposit(alipay, sandbox, amount_fen)
    paid = await alipay.collect(CollectOrder(fresh("t"), deposit.auth_no, "租金", amount_fen))
    assert isinstance(paid, Ok)
    assert paid.value.amount_fen == deposit.operation.amount_fen == amount_fen


async def test_the_last_collection_may_release_the_rest(alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 100_000)
    paid = await alipay.collect(CollectOrder(fresh("buyout"), deposit.auth_no, "买断", 40_000, releases_rest=True))
    assert isinstance(paid, Ok)
    forms = await eventually(lambda: len(receiver.forms(deposit.order_no)) == 2 and receiver.forms(deposit.order_no))
    told = [alipay.read_notification(form).fact for form in forms]
    released = [fact for fact in told if isinstance(fact, Operation) and fact.type is OperationType.UNFREEZE]
    assert [(fact.amount_fen, fact.rest_fen, fact.unfrozen_total_fen) for fact in released] == [(60_000, 0, 60_000)]


async def test_the_same_payment_twice_takes_money_once(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    order = CollectOrder(fresh("t"), deposit.auth_no, "租金", 20_000)
    first, second = await alipay.collect(order), await alipay.collect(order)
    assert isinstance(first, Ok)
    assert first == second
    other_amount = await alipay.collect(dataclasses.replace(order, amount_fen=20_001))
    assert isinstance(other_amount, Failed)
    assert other_amount.code == "ACQ.CONTEXT_INCONSISTENT"
    standing = await alipay.query_operation(deposit.order_no, deposit.request_no, OperationType.FREEZE)
    assert isinstance(standing, Ok)
    assert standing.value.rest_fen == 30_000


async def test_the_same_release_twice_releases_once_and_another_amount_is_refused(
    alipay: AlipayChannel, sandbox: Sandbox
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    number = fresh("rel")
    assert await alipay.unfreeze(deposit.auth_no, number, 20_000, "部分") == await alipay.unfreeze(
        deposit.auth_no, number, 20_000, "部分"
    )
    tampered = await alipay.unfreeze(deposit.auth_no, number, 30_000, "部分")
    exceeding = await alipay.unfreeze(deposit.auth_no, fresh("rel"), 30_001, "过多")
    assert isinstance(tampered, Failed)
    assert isinstance(exceeding, Failed)
    assert (tampered.code, exceeding.code) == ("UNIQUE_VIOLATION", "REQUEST_AMOUNT_EXCEED")


async def test_a_refund_in_two_parts_never_exceeds_the_trade(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    trade_no = fresh("t")
    assert isinstance(await alipay.collect(CollectOrder(trade_no, deposit.auth_no, "租金", 30_000)), Ok)
    missing = await alipay.query_refund(trade_no, "r1")
    assert isinstance(missing, Failed)
    assert missing.code == "REFUND_NOT_EXIST"
    first = await alipay.refund(RefundOrder(trade_no, "r1", 10_000, "提前归还"))
    again = await alipay.refund(RefundOrder(trade_no, "r1", 10_000, "提前归还"))
    too_much = await alipay.refund(RefundOrder(trade_no, "r2", 20_001, "提前归还"))
    rest = await alipay.refund(RefundOrder(trade_no, "r3", 20_000, "提前归还"))
    assert isinstance(first, Ok)
    assert isinstance(again, Ok)
    assert isinstance(too_much, Failed)
    assert isinstance(rest, Ok)
    assert (first.value.refunded_total_fen, again.value.refunded_total_fen, rest.value.refunded_total_fen) == (
        10_000,
        10_000,
        30_000,
    )
    found = await alipay.query_refund(trade_no, "r1")
    assert isinstance(found, Ok)
    assert found.value.amount_fen == 10_000
    trade = await alipay.query_trade(trade_no)
    assert isinstance(trade, Ok)
    assert trade.value.status is TradeStatus.CLOSED


async def test_withdrawing_closes_an_open_order_and_releases_a_frozen_one(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    order = FreezeOrder(fresh("dep"), fresh("req"), "押金", 10_000)
    opened = sandbox.control(
        "POST", "/wallet/open", {"order_str": alipay.freeze_order(order), "buyer_id": fresh("2088"), "at": ""}
    )
    assert opened["result_code"] == "8000"
    found = await alipay.query_operation(order.order_no, order.request_no, OperationType.FREEZE)
    assert isinstance(found, Ok)
    assert (found.value.status, found.value.authorisation) == (OperationStatus.INITIAL, AuthorisationStatus.INITIAL)
    withdrawn = await alipay.cancel(order.order_no, order.request_no, "订单取消")
    assert isinstance(withdrawn, Ok)
    assert withdrawn.value.was_frozen is False

    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    released = await alipay.cancel(deposit.order_no, deposit.request_no, "订单取消")
    assert isinstance(released, Ok)
    assert released.value.was_frozen is True
    assert released == await alipay.cancel(deposit.order_no, deposit.request_no, "订单取消")
    closed = await alipay.unfreeze(deposit.auth_no, fresh("rel"), 1, "多余")
    assert isinstance(closed, Failed)
    assert closed.code == "ORDER_ALREADY_CLOSED"


async def test_an_order_confirmed_too_late_is_closed(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    order = FreezeOrder(fresh("dep"), fresh("req"), "押金", 10_000, expires_in_minutes=30)
    late = sandbox.confirm(alipay.freeze_order(order), fresh("2088"), at="2025-06-03 10:30:01")
    assert late["result_code"] == "4000"
    found = await alipay.query_operation(order.order_no, order.request_no, OperationType.FREEZE)
    assert isinstance(found, Ok)
    assert found.value.authorisation is AuthorisationStatus.CLOSED


async def test_post_payments_travel_in_yuan(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    order = FreezeOrder(fresh("dep"), fresh("req"), "押金", 50_000, post_payments=[PostPayment("租金", 29_900, "每月")])
    order_string = alipay.freeze_order(order)
    assert "299.00" in order_string
    assert sandbox.confirm(order_string, fresh("2088"))["result_code"] == "9000"


async def test_what_does_not_exist_is_a_definite_no(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    results = [
        await alipay.query_operation("nothing", "nothing", OperationType.FREEZE),
        await alipay.query_trade("nothing"),
        await alipay.unfreeze("2025", "r", 1, "无"),
        await alipay.collect(CollectOrder(fresh("t"), "2025", "租金", 1)),
    ]
    assert [result.code for result in results if isinstance(result, Failed)] == [
        "AUTH_ORDER_NOT_EXIST",
        "ACQ.TRADE_NOT_EXIST",
        "AUTH_ORDER_NOT_EXIST",
        "ACQ.AUTH_NO_ERROR",
    ]


async def test_more_than_is_left_cannot_be_taken(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    refused = await alipay.collect(CollectOrder(fresh("t"), deposit.auth_no, "租金", 10_001))
    assert isinstance(refused, Failed)
    assert refused.code == "ACQ.AUTH_AMOUNT_NOT_ENOUGH"


async def test_another_merchants_deposit_is_out_of_reach(
    alipay: AlipayChannel, sandbox: Sandbox, account: AlipayAccount, outbound: Outbound, clock: FixedClock
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    keys = new_rsa_keys()
    sandbox.control(
        "POST",
        "/control/merchants",
        {"alipay": [{"app_id": "2021000000000002", "seller_id": "2088000000000002", "public_key_pem": keys.public_pem}]},
    )
    rival = AlipayChannel(
        dataclasses.replace(account, app_id="2021000000000002", seller_id="2088000000000002", private_key_pem=keys.private_pem),
        outbound,
        clock,
    )
    refused = [
        await rival.collect(CollectOrder(fresh("t"), deposit.auth_no, "租金", 1)),
        await rival.unfreeze(deposit.auth_no, fresh("rel"), 1, "偷"),
        await rival.query_operation(deposit.order_no, deposit.request_no, OperationType.FREEZE),
    ]
    assert [result.code for result in refused if isinstance(result, Failed)] == [
        "ACQ.AUTH_NO_ERROR",
        "AUTH_ORDER_NOT_EXIST",
        "AUTH_ORDER_NOT_EXIST",
    ]


async def test_a_request_under_another_key_is_refused(
    alipay: AlipayChannel, sandbox: Sandbox, account: AlipayAccount, outbound: Outbound, clock: FixedClock
) -> None:
    forger = AlipayChannel(dataclasses.replace(account, private_key_pem=new_rsa_keys().private_pem), outbound, clock)
    result = await forger.query_trade("anything")
    assert isinstance(result, Failed)
    assert result.code == "isv.invalid-signature"
    wallet = sandbox.confirm(forger.freeze_order(FreezeOrder(fresh("dep"), fresh("req"), "押金", 1)), fresh("2088"))
    assert wallet["result_code"] == "4000"
    assert "isv.invalid-signature" in wallet["result"]


async def test_an_answer_under_another_key_is_not_believed(
    alipay: AlipayChannel, sandbox: Sandbox, account: AlipayAccount, outbound: Outbound, clock: FixedClock
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    distrustful = AlipayChannel(dataclasses.replace(account, alipay_public_key_pem=new_rsa_keys().public_pem), outbound, clock)
    result = await distrustful.collect(CollectOrder(fresh("t"), deposit.auth_no, "租金", 1))
    assert isinstance(result, Unknown)
    assert (result.reason, result.may_have_happened) == ("bad_signature", True)


async def test_an_unknown_app_gets_an_unsigned_answer_which_settles_nothing(
    account: AlipayAccount, outbound: Outbound, clock: FixedClock
) -> None:
    stranger = AlipayChannel(dataclasses.replace(account, app_id="2021999999999999"), outbound, clock)
    assert isinstance(await stranger.query_trade("anything"), Unknown)


async def test_chinese_and_awkward_characters_are_signed_as_they_are(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    trade_no = fresh("t")
    title = '租金 "第1期"} & a=b + 100% 😀 \\'
    assert isinstance(await alipay.collect(CollectOrder(trade_no, deposit.auth_no, title, 100)), Ok)
    assert isinstance(await alipay.query_trade(trade_no), Ok)
