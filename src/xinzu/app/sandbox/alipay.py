"""The Alipay twin: ``/gateway.do`` for merchants, ``/wallet/*`` for the customer's hand, notifications to ``notify_url``.

The twin has no clock: an operation happens at the ``timestamp`` of the request that asks for it, and the customer's at the time
given to the wallet (``at``, else the order's own), so that a business clock moved by months stays consistent on both sides.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xinzu.app.sandbox import alipay_ledger as ledger
from xinzu.app.sandbox.alipay_protocol import (
    GatewayRequest,
    Refused,
    answer,
    forged_answer,
    forged_form,
    notify_form,
    parameters,
    read_request,
    refusal,
    success,
)
from xinzu.app.sandbox.deliveries import NOTIFY, Deliveries
from xinzu.app.sandbox.faults import FaultKind, Faults
from xinzu.app.sandbox.merchants import Merchants
from xinzu.app.sandbox.scores import ScoresTwin
from xinzu.app.sandbox.store import Store
from xinzu.app.sandbox.zhima import ZhimaTwin
from xinzu.kernel.money import to_yuan

FREEZE = "alipay.fund.auth.order.app.freeze"
DETAIL_QUERY = "alipay.fund.auth.operation.detail.query"
UNFREEZE = "alipay.fund.auth.order.unfreeze"
CANCEL = "alipay.fund.auth.operation.cancel"
PAY = "alipay.trade.pay"
TRADE_QUERY = "alipay.trade.query"
REFUND = "alipay.trade.refund"
REFUND_QUERY = "alipay.trade.fastpay.refund.query"
ZHIMA_SCORE = "zhima.credit.score.brief.get"
METHODS = frozenset({DETAIL_QUERY, UNFREEZE, CANCEL, PAY, TRADE_QUERY, REFUND, REFUND_QUERY, ZHIMA_SCORE})
_NUMBER_KINDS = {"auth": "1000200", "operation": "2000300", "trade": "2200140"}
_MASKED_LOGON = "138****0000"


class Silence(StrEnum):
    """How an answer is withheld."""

    DROP = "drop"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class GatewayReply:
    """What to send: the envelope, or silence after the work was done."""

    text: str
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class WalletReply:
    """What the wallet hands back to the mini program: 9000 done, 4000 refused, with the signed envelope."""

    result_code: str
    memo: str
    result: str
    auth_no: str = ""


class AlipayTwin:
    """The gateway over the sandbox's books. Synchronous; beside the signatures it takes well under a millisecond."""

    def __init__(self, store: Store, merchants: Merchants, faults: Faults, deliveries: Deliveries, scores: ScoresTwin) -> None:
        self._zhima = ZhimaTwin(store, scores)
        self._store = store
        self._merchants = merchants
        self._faults = faults
        self._deliveries = deliveries
        self._private_pem = merchants.alipay_keys.private_pem

    def gateway(self, query: str, body: str) -> GatewayReply:
        """Answer one ``gateway.do`` request."""
        params = parameters(query, body)
        method = params.get("method", "")
        if method not in METHODS:
            method = "error"
        try:
            request = read_request(params, self._merchants, METHODS)
        except Refused as refused:
            unknown_app = refused.sub_code in ("isv.invalid-app-id", "isv.missing-app-id")
            return GatewayReply(answer(method, refusal(refused), None if unknown_app else self._private_pem))
        buyer_id = ledger.buyer_of(self._store.db, request)
        if self._faults.strike(buyer_id, method, FaultKind.BUSY):
            return GatewayReply(answer(method, refusal(_busy()), self._private_pem))
        content = self._answered(request, buyer_id)
        fault = self._faults.strike(
            buyer_id, method, FaultKind.NO_REPLY, FaultKind.HANG, FaultKind.BUSY_AFTER, FaultKind.FORGED_REPLY
        )
        if fault is None:
            return GatewayReply(answer(method, content, self._private_pem))
        if fault.kind is FaultKind.BUSY_AFTER:
            return GatewayReply(answer(method, refusal(_busy()), self._private_pem))
        if fault.kind is FaultKind.FORGED_REPLY:
            return GatewayReply(forged_answer(method, content))
        return GatewayReply("", Silence.HANG if fault.kind is FaultKind.HANG else Silence.DROP)

    def open_wallet(self, order_string: str, buyer_id: str) -> WalletReply:
        """The customer opens the order and has not decided yet: it exists in INIT."""
        try:
            request = self._order_request(order_string)
            with self._store.transaction() as db:
                opened = ledger.open_order(db, request, buyer_id, self._numbers(request.at))
        except Refused as refused:
            return WalletReply("4000", refused.sub_msg, answer(FREEZE, refusal(refused), self._private_pem))
        return WalletReply("8000", "正在处理中", "", opened.order["auth_no"])

    def confirm(self, order_string: str, buyer_id: str, at: str = "") -> WalletReply:
        """The customer accepts the order: its signature is checked as Alipay does, the credit is frozen, the merchant is told."""
        try:
            request = self._order_request(order_string)
            return self._confirm(request, buyer_id, at or request.at)
        except Refused as refused:
            return WalletReply("4000", refused.sub_msg, answer(FREEZE, refusal(refused), self._private_pem))

    def _confirm(self, request: GatewayRequest, buyer_id: str, at: str) -> WalletReply:
        with self._store.transaction() as db:
            opened = ledger.open_order(db, request, buyer_id, self._numbers(request.at))
        if self._faults.strike(buyer_id, FREEZE, FaultKind.FREEZE_REFUSED) and opened.order["status"] == "INIT":
            with self._store.transaction() as db:
                ledger.close(db, opened.order["auth_no"], at)
            raise Refused("40004", "CREDIT_NOT_ENOUGH", "信用评估未通过，无法授权")
        limit = self._faults.strike(buyer_id, FREEZE, FaultKind.CREDIT_LIMIT)
        expired = opened.order["status"] == "INIT" and at > opened.order["expires_at"]
        with self._store.transaction() as db:
            if expired:
                ledger.close(db, opened.order["auth_no"], at)
                done = None
            else:
                done = ledger.freeze(db, opened, opened.order["amount_fen"] if limit is None else limit.credit_fen, at)
                if not done.again:
                    self._notify(db, FREEZE, done.order, _operation_form(done.order, done.operation, "fund_auth_freeze"), at)
        if done is None:
            raise Refused("40004", "ORDER_ALREADY_CLOSED", "订单已超时关闭")
        self._deliveries.wake()
        content = success(_operation_content(done.order, done.operation))
        return WalletReply("9000", "", answer(FREEZE, content, self._private_pem), done.order["auth_no"])

    def _order_request(self, order_string: str) -> GatewayRequest:
        return read_request(parameters(order_string, ""), self._merchants, frozenset({FREEZE}))

    def _answered(self, request: GatewayRequest, buyer_id: str) -> dict[str, object]:
        """The content of the answer; what changed is committed together with its notifications."""
        try:
            if request.method == PAY and self._faults.strike(buyer_id, PAY, FaultKind.INSUFFICIENT_BALANCE):
                return self._unpaid(request)
            with self._store.transaction() as db:
                content = self._act(db, request)
        except Refused as refused:
            return refusal(refused)
        self._deliveries.wake()
        return success(content)

    def _unpaid(self, request: GatewayRequest) -> dict[str, object]:
        """No money: nothing is booked, unless this number was paid before, which stays paid."""
        if ledger.find_trade(self._store.db, request.merchant.app_id, request.text("out_trade_no")) is not None:
            with self._store.transaction() as db:
                return success(self._act(db, request))
        return refusal(Refused("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"))

    def _act(self, db: sqlite3.Connection, request: GatewayRequest) -> dict[str, object]:
        numbers = self._numbers(request.at)
        match request.method:
            case "zhima.credit.score.brief.get":
                return self._zhima.admittance(db, request)
            case "alipay.fund.auth.operation.detail.query":
                found = ledger.find_operation(db, request)
                return _detail_content(found.order, found.operation)
            case "alipay.fund.auth.order.unfreeze":
                done = ledger.unfreeze(db, request, numbers)
                if not done.again:
                    self._notify_operation(db, request, done.order, done.operation, "fund_auth_unfreeze")
                return _operation_content(done.order, done.operation)
            case "alipay.fund.auth.operation.cancel":
                done, action = ledger.cancel(db, request, numbers)
                if not done.again:
                    self._notify_operation(db, request, done.order, done.operation, "fund_auth_operation_cancel")
                return _cancel_content(done.order, done.operation, action)
            case "alipay.trade.pay":
                done = ledger.pay(db, request, numbers)
                if not done.again:
                    self._notify_payment(db, request, done)
                return _pay_content(_row(done.trade))
            case "alipay.trade.query":
                return _trade_content(ledger.trade_of(db, request))
            case "alipay.trade.refund":
                trade, moved = ledger.refund(db, request)
                if moved:
                    form = _trade_form(trade) | {"refund_fee": to_yuan(trade["refunded_fen"]), "gmt_refund": request.at}
                    self._notify(db, REFUND, trade, form, request.at, url=trade["notify_url"])
                return _refund_content(trade, moved, request.at)
            case _:
                return _refund_query_content(db, request)

    def _notify_payment(self, db: sqlite3.Connection, request: GatewayRequest, done: ledger.Changed) -> None:
        trade = _row(done.trade)
        self._notify(db, PAY, trade, _trade_form(trade), request.at, url=trade["notify_url"])
        if done.released is not None:
            self._notify_operation(db, request, done.order, done.released, "fund_auth_unfreeze")

    def _notify_operation(
        self, db: sqlite3.Connection, request: GatewayRequest, order: sqlite3.Row, operation: sqlite3.Row, kind: str
    ) -> None:
        url = request.notify_url or order["notify_url"]
        self._notify(db, request.method, order, _operation_form(order, operation, kind), request.at, url=url)

    def _notify(
        self, db: sqlite3.Connection, method: str, row: sqlite3.Row, fields: Mapping[str, str], at: str, url: str | None = None
    ) -> None:
        """Queue a signed notification, as the buyer's behaviour has it."""
        form = {
            "notify_id": f"{at[:10].replace('-', '')}{self._store.next_number()}",
            "notify_time": at,
            "charset": "utf-8",
            "version": "1.0",
            "app_id": row["app_id"],
            "auth_app_id": row["app_id"],
            **fields,
        }
        target = row["notify_url"] if url is None else url
        fault = self._faults.strike_within(
            db,
            row["buyer_id"],
            method,
            FaultKind.DUPLICATE_NOTIFY,
            FaultKind.LATE_NOTIFY,
            FaultKind.LOST_NOTIFY,
            FaultKind.FORGED_NOTIFY,
        )
        kind = None if fault is None else fault.kind
        if kind is FaultKind.LOST_NOTIFY:
            return
        if kind is FaultKind.FORGED_NOTIFY:
            self._deliveries.enqueue(db, NOTIFY, target, forged_form(form), attempts_max=1)
        body = notify_form(form, self._private_pem)
        self._deliveries.enqueue(
            db, NOTIFY, target, body, delay_s=fault.delay_s if fault and kind is FaultKind.LATE_NOTIFY else 0.0
        )
        if kind is FaultKind.DUPLICATE_NOTIFY:
            self._deliveries.enqueue(db, NOTIFY, target, body)

    def _numbers(self, at: str) -> ledger.NewNumber:
        """Gateway numbers begin with the day they were made, as the real ones do."""
        day = at[:10].replace("-", "")
        return lambda kind: f"{day}{_NUMBER_KINDS[kind]}{self._store.next_number()}"


def _busy() -> Refused:
    return Refused("20000", "aop.unknow-error", "系统繁忙，请稍后查询结果")


def _row(row: sqlite3.Row | None) -> sqlite3.Row:
    if row is None:
        raise Refused("20000", "ACQ.SYSTEM_ERROR", "系统错误")
    return row


def _parts(prefix: str, total_fen: int, credit_fen: int) -> dict[str, str]:
    """An amount with its credit and fund parts, in yuan."""
    return {
        f"{prefix}amount": to_yuan(total_fen),
        f"{prefix}credit_amount": to_yuan(credit_fen),
        f"{prefix}fund_amount": to_yuan(total_fen - credit_fen),
    }


def _pre_auth_type(order: sqlite3.Row) -> dict[str, str]:
    return {"pre_auth_type": "CREDIT_AUTH"} if order["credit_fen"] == order["amount_fen"] else {}


def _operation_content(order: sqlite3.Row, operation: sqlite3.Row) -> dict[str, object]:
    return {
        "auth_no": order["auth_no"],
        "out_order_no": order["out_order_no"],
        "operation_id": operation["operation_id"],
        "out_request_no": operation["out_request_no"],
        "status": operation["status"],
        "gmt_trans": operation["gmt_trans"],
        "payer_user_id": order["buyer_id"],
        "payer_logon_id": _MASKED_LOGON,
        **_parts("", operation["amount_fen"], operation["credit_fen"]),
        **_pre_auth_type(order),
    }


def _detail_content(order: sqlite3.Row, operation: sqlite3.Row) -> dict[str, object]:
    return {
        **_operation_content(order, operation),
        "operation_type": operation["type"],
        "order_status": order["status"],
        "order_title": order["title"],
        "gmt_create": operation["gmt_create"],
        "remark": operation["remark"],
        "trans_currency": "CNY",
        **_parts("rest_", order["rest_fen"], order["rest_credit_fen"]),
        **_parts("total_freeze_", order["frozen_fen"], order["frozen_credit_fen"]),
        **_parts("total_pay_", order["paid_fen"], order["paid_credit_fen"]),
    }


def _operation_form(order: sqlite3.Row, operation: sqlite3.Row, kind: str) -> dict[str, str]:
    """A fund_auth_* notification's own members."""
    return {
        "notify_type": kind,
        "auth_no": order["auth_no"],
        "out_order_no": order["out_order_no"],
        "operation_id": operation["operation_id"],
        "out_request_no": operation["out_request_no"],
        "operation_type": operation["type"],
        "status": operation["status"],
        "gmt_create": operation["gmt_create"],
        "gmt_trans": operation["gmt_trans"],
        "payee_user_id": order["seller_id"],
        "payer_user_id": order["buyer_id"],
        "payer_logon_id": _MASKED_LOGON,
        **_parts("", operation["amount_fen"], operation["credit_fen"]),
        **_parts("rest_", order["rest_fen"], order["rest_credit_fen"]),
        **_parts("total_freeze_", order["frozen_fen"], order["frozen_credit_fen"]),
        **_parts("total_pay_", order["paid_fen"], order["paid_credit_fen"]),
        "total_unfreeze_amount": to_yuan(order["unfrozen_fen"]),
        **_pre_auth_type(order),
    }


def _cancel_content(order: sqlite3.Row, operation: sqlite3.Row, action: str) -> dict[str, object]:
    return {
        "auth_no": order["auth_no"],
        "out_order_no": order["out_order_no"],
        "operation_id": operation["operation_id"],
        "out_request_no": order["out_request_no"],
        "action": action,
    }


def _pay_content(trade: sqlite3.Row) -> dict[str, object]:
    amount = to_yuan(trade["amount_fen"])
    return {
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "total_amount": amount,
        "receipt_amount": amount,
        "buyer_pay_amount": amount,
        "gmt_payment": trade["gmt_payment"],
        "buyer_user_id": trade["buyer_id"],
        "buyer_logon_id": _MASKED_LOGON,
        "auth_trade_pay_mode": "CREDIT_PREAUTH_PAY",
        "fund_bill_list": [{"fund_channel": "ALIPAYACCOUNT", "amount": amount}],
    }


def _trade_content(trade: sqlite3.Row) -> dict[str, object]:
    return {
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "trade_status": trade["status"],
        "total_amount": to_yuan(trade["amount_fen"]),
        "receipt_amount": to_yuan(trade["amount_fen"]),
        "send_pay_date": trade["gmt_payment"],
        "buyer_user_id": trade["buyer_id"],
        "buyer_logon_id": _MASKED_LOGON,
        "subject": trade["subject"],
    }


def _trade_form(trade: sqlite3.Row) -> dict[str, str]:
    """A trade_status_sync notification's own members."""
    amount = to_yuan(trade["amount_fen"])
    return {
        "notify_type": "trade_status_sync",
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "trade_status": trade["status"],
        "total_amount": amount,
        "receipt_amount": amount,
        "buyer_pay_amount": amount,
        "subject": trade["subject"],
        "buyer_id": trade["buyer_id"],
        "buyer_logon_id": _MASKED_LOGON,
        "seller_id": trade["seller_id"],
        "gmt_create": trade["gmt_create"],
        "gmt_payment": trade["gmt_payment"],
    }


def _refund_content(trade: sqlite3.Row, moved: bool, at: str) -> dict[str, object]:
    return {
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "buyer_user_id": trade["buyer_id"],
        "buyer_logon_id": _MASKED_LOGON,
        "fund_change": "Y" if moved else "N",
        "refund_fee": to_yuan(trade["refunded_fen"]),
        "gmt_refund_pay": at,
    }


def _refund_query_content(db: sqlite3.Connection, request: GatewayRequest) -> dict[str, Any]:
    trade = ledger.trade_of(db, request)
    found = ledger.find_refund(db, trade["trade_no"], request.text("out_request_no"))
    if found is None:
        # The gateway's way of saying that there is no such refund: a success without a refund status.
        return {}
    return {
        "out_trade_no": trade["out_trade_no"],
        "trade_no": trade["trade_no"],
        "out_request_no": found["out_request_no"],
        "total_amount": to_yuan(trade["amount_fen"]),
        "refund_amount": to_yuan(found["amount_fen"]),
        "refund_status": "REFUND_SUCCESS",
        "refund_reason": found["reason"],
        "gmt_refund_pay": found["gmt_refund"],
    }
