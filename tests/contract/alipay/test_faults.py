"""What goes wrong between us and Alipay, and that a query settles it: never a guess, never twice, never lost."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
from tests.contract.conftest import Receiver, Sandbox, accepted_deposit, eventually, fresh

from xinzu.back.payments.providers.alipay import AlipayAccount, AlipayChannel
from xinzu.back.payments.providers.base import (
    CollectOrder,
    FreezeOrder,
    NotificationRefused,
    Operation,
    OperationType,
    Trade,
    TradeStatus,
)
from xinzu.kernel.time import FixedClock
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok, Unknown


@pytest.fixture
async def impatient(account: AlipayAccount, clock: FixedClock) -> AsyncIterator[AlipayChannel]:
    """A client that waits half a second."""
    async with Outbound(connect_attempts=1) as outbound:
        yield AlipayChannel(account, outbound, clock, timeout_s=0.5)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("no_reply", "no_reply"),
        ("hang", "no_reply"),
        ("busy_after", "provider_aop.unknow-error"),
        ("forged_reply", "bad_signature"),
    ],
)
async def test_a_payment_without_a_believable_answer_is_found_by_query(
    alipay: AlipayChannel, impatient: AlipayChannel, sandbox: Sandbox, kind: str, reason: str
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    sandbox.fault(deposit.buyer_id, kind, method="alipay.trade.pay")
    order = CollectOrder(fresh("t"), deposit.auth_no, "租金", 20_000)
    unanswered = await impatient.collect(order)
    assert isinstance(unanswered, Unknown)
    assert (unanswered.reason, unanswered.may_have_happened) == (reason, True)
    found = await alipay.query_trade(order.trade_no)
    assert isinstance(found, Ok)
    assert (found.value.status, found.value.amount_fen) == (TradeStatus.SUCCEEDED, 20_000)
    # Repeating under the same number is as good as asking.
    repeated = await alipay.collect(order)
    assert isinstance(repeated, Ok)
    assert repeated.value.channel_trade_no == found.value.channel_trade_no


async def test_a_busy_gateway_did_nothing_and_says_so_only_by_query(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    sandbox.fault(deposit.buyer_id, "busy", method="alipay.trade.pay")
    order = CollectOrder(fresh("t"), deposit.auth_no, "租金", 20_000)
    assert isinstance(await alipay.collect(order), Unknown)
    missing = await alipay.query_trade(order.trade_no)
    assert isinstance(missing, Failed)
    assert missing.code == "ACQ.TRADE_NOT_EXIST"
    assert isinstance(await alipay.collect(order), Ok)


async def test_a_poor_buyer_pays_at_the_third_attempt(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    sandbox.fault(deposit.buyer_id, "insufficient_balance", times=2)
    results = [await alipay.collect(CollectOrder(fresh("t"), deposit.auth_no, "租金", 20_000)) for _ in range(3)]
    assert [result.code if isinstance(result, Failed) else "paid" for result in results] == [
        "ACQ.BUYER_BALANCE_NOT_ENOUGH",
        "ACQ.BUYER_BALANCE_NOT_ENOUGH",
        "paid",
    ]


async def test_a_payment_made_stays_made_when_the_buyer_has_become_poor(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    order = CollectOrder(fresh("t"), deposit.auth_no, "租金", 20_000)
    first = await alipay.collect(order)
    sandbox.fault(deposit.buyer_id, "insufficient_balance")
    assert await alipay.collect(order) == first


async def test_a_refused_customer_gets_no_deposit_waived(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    buyer_id, order = fresh("2088"), FreezeOrder(fresh("dep"), fresh("req"), "押金", 10_000)
    sandbox.fault(buyer_id, "freeze_refused")
    assert sandbox.confirm(alipay.freeze_order(order), buyer_id)["result_code"] == "4000"
    found = await alipay.query_operation(order.order_no, order.request_no, OperationType.FREEZE)
    assert isinstance(found, Ok)
    assert found.value.status == "closed"


async def test_a_customer_of_little_credit_leaves_money(alipay: AlipayChannel, sandbox: Sandbox) -> None:
    buyer_id = fresh("2088")
    sandbox.fault(buyer_id, "credit_limit", credit_fen=20_000)
    deposit = await accepted_deposit(alipay, sandbox, 50_000, buyer_id)
    assert (deposit.operation.credit_fen, deposit.operation.fund_fen) == (20_000, 30_000)
    released = await alipay.unfreeze(deposit.auth_no, fresh("rel"), 45_000, "归还")
    assert isinstance(released, Ok)
    assert (released.value.credit_fen, released.value.fund_fen) == (20_000, 25_000)


async def test_a_notification_may_come_twice_with_the_same_id(
    alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    sandbox.fault(deposit.buyer_id, "duplicate_notify", method="alipay.trade.pay")
    trade_no = fresh("t")
    await alipay.collect(CollectOrder(trade_no, deposit.auth_no, "租金", 100))
    forms = await eventually(lambda: len(receiver.forms(trade_no)) == 2 and receiver.forms(trade_no))
    first, second = (alipay.read_notification(form) for form in forms)
    assert first == second


async def test_a_forged_notification_is_refused_and_the_true_one_follows(
    alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    sandbox.fault(deposit.buyer_id, "forged_notify", method="alipay.trade.pay")
    trade_no = fresh("t")
    await alipay.collect(CollectOrder(trade_no, deposit.auth_no, "租金", 100))
    forms = await eventually(lambda: len(receiver.forms(trade_no)) == 2 and receiver.forms(trade_no))
    verdicts = []
    for form in forms:
        try:
            verdicts.append(alipay.read_notification(form).kind)
        except NotificationRefused as refused:
            verdicts.append(refused.code)
    assert sorted(verdicts) == ["bad_signature", "trade_status_sync"]


async def test_notifications_may_overtake_each_other(alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver) -> None:
    buyer_id = fresh("2088")
    sandbox.fault(buyer_id, "late_notify", method="alipay.fund.auth.order.app.freeze", delay_s=0.7)
    deposit = await accepted_deposit(alipay, sandbox, 10_000, buyer_id)
    assert isinstance(await alipay.unfreeze(deposit.auth_no, fresh("rel"), 4_000, "部分"), Ok)
    forms = await eventually(lambda: len(receiver.forms(deposit.order_no)) == 2 and receiver.forms(deposit.order_no))
    kinds = [alipay.read_notification(form).kind for form in forms]
    assert kinds == ["fund_auth_unfreeze", "fund_auth_freeze"]


async def test_a_notification_is_sent_until_it_is_accepted(alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    await eventually(lambda: sandbox.control("GET", "/control/deliveries")["waiting"] == 0)
    receiver.answers += [(500, b"oops"), (200, b"fail")]
    trade_no = fresh("t")
    await alipay.collect(CollectOrder(trade_no, deposit.auth_no, "租金", 100))
    forms = await eventually(lambda: len(receiver.forms(trade_no)) == 3 and receiver.forms(trade_no))
    assert len({form["notify_id"] for form in forms}) == 1
    await eventually(lambda: sandbox.control("GET", "/control/deliveries")["waiting"] == 0)


async def test_a_lost_notification_is_made_good_by_query(alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    sandbox.fault(deposit.buyer_id, "lost_notify", method="alipay.trade.pay")
    trade_no = fresh("t")
    await alipay.collect(CollectOrder(trade_no, deposit.auth_no, "租金", 100))
    await eventually(lambda: sandbox.control("GET", "/control/deliveries")["waiting"] == 0)
    assert receiver.forms(trade_no) == []
    assert isinstance(await alipay.query_trade(trade_no), Ok)


@pytest.mark.parametrize("change", [{"amount": "0.01"}, {"app_id": "2021000000000009"}, {"status": "CLOSED"}, {"sign": ""}])
async def test_a_tampered_notification_is_refused(
    alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver, change: dict[str, str]
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    (form,) = await eventually(lambda: receiver.forms(deposit.order_no))
    assert isinstance(alipay.read_notification(form).fact, Operation)
    with pytest.raises(NotificationRefused) as refused:
        alipay.read_notification({**form, **change})
    assert refused.value.code == "bad_signature"


@pytest.mark.parametrize(("field", "code"), [("app_id", "wrong_app"), ("seller_id", "wrong_seller")])
async def test_a_true_notification_for_somebody_else_is_refused(
    alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver, field: str, code: str
) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 10_000)
    (form,) = await eventually(lambda: receiver.forms(deposit.order_no))
    other = dataclasses.replace(alipay.account, **{field: "2021000000000009"})
    with pytest.raises(NotificationRefused) as refused:
        dataclasses.replace(alipay, account=other).read_notification(form)
    assert refused.value.code == code


async def test_a_killed_twin_forgets_nothing(alipay: AlipayChannel, sandbox: Sandbox, receiver: Receiver) -> None:
    deposit = await accepted_deposit(alipay, sandbox, 50_000)
    sandbox.fault(deposit.buyer_id, "late_notify", method="alipay.trade.pay", delay_s=1.0)
    order = CollectOrder(fresh("t"), deposit.auth_no, "租金", 20_000)
    paid = await alipay.collect(order)
    sandbox.stop()
    refused = await alipay.collect(order)
    assert isinstance(refused, Unknown)
    await asyncio.to_thread(sandbox.start)
    assert await alipay.collect(order) == paid
    found = await alipay.query_trade(order.trade_no)
    assert isinstance(found, Ok)
    assert isinstance(found.value, Trade)
    (form,) = await eventually(lambda: receiver.forms(order.trade_no))
    assert isinstance(alipay.read_notification(form).fact, Trade)
