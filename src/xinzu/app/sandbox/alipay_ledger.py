"""The Alipay twin's books: pre-authorisations, their operations, trades and refunds, and what Alipay refuses.

Order: INIT → AUTHORIZED → FINISH (nothing left after paying) or CLOSED (never paid from); operation: INIT → SUCCESS or CLOSED.
Each function works inside the caller's transaction and raises Refused, which undoes it. Amounts are fen; paying takes really
frozen money before credit, unfreezing gives back credit before money. Refusals follow the published error codes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from xinzu.app.sandbox.alipay_protocol import TIME_FORMAT, GatewayRequest, Refused
from xinzu.kernel.money import from_yuan

AMOUNT_FEN_MAX = 10_000_000_00
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_EXPIRY = re.compile(r"([0-9]{1,5})([mhd])")
_EXPIRY_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_NUMBER = re.compile(r"[0-9A-Za-z_\-]{1,64}")
NewNumber = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows an action left behind. ``again`` marks a repeated request that changed nothing and notifies nobody."""

    order: sqlite3.Row
    operation: sqlite3.Row
    trade: sqlite3.Row | None = None
    released: sqlite3.Row | None = None
    again: bool = False


def open_order(db: sqlite3.Connection, request: GatewayRequest, buyer_id: str, number: NewNumber) -> Changed:
    """The customer sees the order in the wallet: it exists from now on, in INIT. The same order again is the same order."""
    order_no, request_no = _number(request, "out_order_no"), _number(request, "out_request_no")
    amount_fen = _amount_fen(request, "amount")
    title = _required(request, "order_title")
    if request.text("product_code") not in ("PREAUTH_PAY", "PRE_AUTH_ONLINE", "PRE_AUTH"):
        raise Refused("40004", "ILLEGAL_ARGUMENT", "product_code 无效")
    if request.text("payee_user_id") not in ("", request.merchant.seller_id):
        raise Refused("40004", "ILLEGAL_ARGUMENT", "收款方与签约商户不一致")
    standing = db.execute(
        "SELECT * FROM alipay_order WHERE app_id = ? AND out_order_no = ?", (request.merchant.app_id, order_no)
    ).fetchone()
    if standing is not None:
        same = (standing["out_request_no"], standing["amount_fen"], standing["title"]) == (request_no, amount_fen, title)
        if not same or standing["buyer_id"] != buyer_id:
            raise Refused("40004", "UNIQUE_VIOLATION", "授权信息被篡改：商户授权订单号已用于其他内容")
        return Changed(standing, _freeze_of(db, standing["auth_no"]), again=True)
    auth_no = number("auth")
    db.execute(
        "INSERT INTO alipay_order (app_id, out_order_no, out_request_no, auth_no, title, buyer_id, seller_id, notify_url, "
        "status, amount_fen, credit_fen, expires_at, gmt_create) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'INIT', ?, 0, ?, ?)",
        (
            request.merchant.app_id,
            order_no,
            request_no,
            auth_no,
            title,
            buyer_id,
            request.merchant.seller_id,
            request.notify_url,
            amount_fen,
            _expiry(request),
            request.at,
        ),
    )
    _add_operation(db, number("operation"), auth_no, request_no, "FREEZE", "INIT", amount_fen, 0, request.at, "")
    return Changed(_order(db, auth_no), _freeze_of(db, auth_no))


def freeze(db: sqlite3.Connection, opened: Changed, credit_fen: int, at: str) -> Changed:
    """The customer confirmed: INIT → SUCCESS and AUTHORIZED, ``credit_fen`` of it waived on credit and the rest really frozen."""
    order = opened.order
    if opened.operation["status"] == "SUCCESS":
        return Changed(order, opened.operation, again=True)
    if order["status"] == "CLOSED" or at > order["expires_at"]:
        if order["status"] != "CLOSED":
            close(db, order["auth_no"], at)
        raise Refused("40004", "ORDER_ALREADY_CLOSED", "订单已关闭或已超时")
    amount_fen = order["amount_fen"]
    credit_fen = min(max(credit_fen, 0), amount_fen)
    db.execute(
        "UPDATE alipay_order SET status = 'AUTHORIZED', credit_fen = ?, rest_fen = ?, rest_credit_fen = ?, frozen_fen = ?, "
        "frozen_credit_fen = ? WHERE auth_no = ?",
        (credit_fen, amount_fen, credit_fen, amount_fen, credit_fen, order["auth_no"]),
    )
    db.execute(
        "UPDATE alipay_operation SET status = 'SUCCESS', credit_fen = ?, gmt_trans = ? WHERE operation_id = ?",
        (credit_fen, at, opened.operation["operation_id"]),
    )
    return Changed(_order(db, order["auth_no"]), _freeze_of(db, order["auth_no"]))


def close(db: sqlite3.Connection, auth_no: str, at: str) -> Changed:
    """An order nobody confirmed ends: refused, expired or withdrawn."""
    db.execute("UPDATE alipay_order SET status = 'CLOSED' WHERE auth_no = ?", (auth_no,))
    db.execute(
        "UPDATE alipay_operation SET status = 'CLOSED', gmt_trans = ? WHERE auth_no = ? AND type = 'FREEZE'",
        (at, auth_no),
    )
    return Changed(_order(db, auth_no), _freeze_of(db, auth_no))


def unfreeze(db: sqlite3.Connection, request: GatewayRequest, number: NewNumber) -> Changed:
    """Give back part or all of what is left."""
    request_no = _number(request, "out_request_no")
    amount_fen = _amount_fen(request, "amount")
    order = _order_of(db, request)
    standing = _operation_of(db, order["auth_no"], request_no, "UNFREEZE")
    if standing is not None:
        if standing["amount_fen"] != amount_fen:
            raise Refused("40004", "UNIQUE_VIOLATION", "解冻信息被篡改：请求流水号已用于其他金额")
        return Changed(order, standing, again=True)
    if request_no == order["out_request_no"]:
        raise Refused("40004", "UNIQUE_VIOLATION", "解冻请求流水号不能与冻结请求流水号相同")
    _refuse_ended(order)
    if amount_fen > order["rest_fen"]:
        raise Refused("40004", "REQUEST_AMOUNT_EXCEED", "请求解冻金额超限")
    return _release(db, order, request_no, amount_fen, request.at, request.text("remark"), number)


def cancel(db: sqlite3.Connection, request: GatewayRequest, number: NewNumber) -> tuple[Changed, str]:
    """Withdraw: close an order not yet confirmed, release one from which nothing was taken. Returns the action taken."""
    order = _order_of(db, request)
    if order["status"] == "INIT":
        return close(db, order["auth_no"], request.at), "close"
    freeze_operation = _freeze_of(db, order["auth_no"])
    if freeze_operation["status"] == "CLOSED":
        return Changed(order, freeze_operation, again=True), "close"
    request_no = f"CANCEL_{order['out_request_no']}"[:64]
    standing = _operation_of(db, order["auth_no"], request_no, "UNFREEZE")
    if standing is not None:
        return Changed(order, standing, again=True), "unfreeze"
    _refuse_ended(order)
    if order["rest_fen"] != order["frozen_fen"]:
        raise Refused("40004", "ILLEGAL_STATUS", "授权订单已发生解冻或转支付，不能撤销")
    return _release(db, order, request_no, order["rest_fen"], request.at, request.text("remark"), number), "unfreeze"


def pay(db: sqlite3.Connection, request: GatewayRequest, number: NewNumber) -> Changed:
    """Take money out of a pre-authorisation. The same trade number with the same amount and order is the same payment."""
    trade_no = _number(request, "out_trade_no", "ACQ.INVALID_PARAMETER")
    amount_fen = _amount_fen(request, "total_amount", "ACQ.INVALID_PARAMETER")
    subject = _required(request, "subject", "ACQ.INVALID_PARAMETER")
    confirm_mode = request.text("auth_confirm_mode") or "NOT_COMPLETE"
    if confirm_mode not in ("COMPLETE", "NOT_COMPLETE"):
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "auth_confirm_mode 无效")
    if request.text("product_code") not in ("PREAUTH_PAY", "PRE_AUTH_ONLINE", "PRE_AUTH"):
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "product_code 无效")
    auth_no = _required(request, "auth_no", "ACQ.INVALID_PARAMETER")
    standing = find_trade(db, request.merchant.app_id, trade_no)
    if standing is not None:
        if (standing["amount_fen"], standing["auth_no"]) != (amount_fen, auth_no):
            raise Refused("40004", "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改：商户订单号已用于其他金额或授权")
        if standing["status"] == "TRADE_CLOSED":
            raise Refused("40004", "ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        operation = _operation_of(db, auth_no, trade_no, "PAY")
        if operation is None:
            raise Refused("20000", "ACQ.SYSTEM_ERROR", "系统错误")
        return Changed(_order(db, auth_no), operation, standing, again=True)
    order = find_order(db, auth_no)
    if order is None or order["app_id"] != request.merchant.app_id or order["status"] == "INIT":
        raise Refused("40004", "ACQ.AUTH_NO_ERROR", "预授权号错误或状态不对")
    if order["status"] in ("CLOSED", "FINISH"):
        raise Refused("40004", "ACQ.AUTH_NO_ERROR", "预授权订单已完结或关闭")
    if request.text("buyer_id") not in ("", order["buyer_id"]) or request.text("seller_id") not in ("", order["seller_id"]):
        raise Refused("40004", "ACQ.AUTH_NO_ERROR", "预授权订单的参与方与支付单不一致")
    if amount_fen > order["rest_fen"]:
        raise Refused("40004", "ACQ.AUTH_AMOUNT_NOT_ENOUGH", "授权金额不足")
    credit_fen = max(0, amount_fen - (order["rest_fen"] - order["rest_credit_fen"]))
    db.execute(
        "UPDATE alipay_order SET rest_fen = rest_fen - :amount, rest_credit_fen = rest_credit_fen - :credit, "
        "paid_fen = paid_fen + :amount, paid_credit_fen = paid_credit_fen + :credit WHERE auth_no = :auth_no",
        {"amount": amount_fen, "credit": credit_fen, "auth_no": auth_no},
    )
    _add_operation(db, number("operation"), auth_no, trade_no, "PAY", "SUCCESS", amount_fen, credit_fen, request.at, subject)
    db.execute(
        "INSERT INTO alipay_trade (app_id, out_trade_no, trade_no, auth_no, buyer_id, seller_id, subject, notify_url, status, "
        "amount_fen, gmt_create, gmt_payment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'TRADE_SUCCESS', ?, ?, ?)",
        (
            request.merchant.app_id,
            trade_no,
            number("trade"),
            auth_no,
            order["buyer_id"],
            order["seller_id"],
            subject,
            request.notify_url,
            amount_fen,
            request.at,
            request.at,
        ),
    )
    released = None
    order = _order(db, auth_no)
    if confirm_mode == "COMPLETE" and order["rest_fen"]:
        released = _release(
            db, order, f"COMPLETE_{trade_no}"[:64], order["rest_fen"], request.at, "转支付完成，解冻剩余", number
        ).operation
    _settle_status(db, auth_no)
    operation = _operation_of(db, auth_no, trade_no, "PAY")
    trade = find_trade(db, request.merchant.app_id, trade_no)
    if operation is None or trade is None:
        raise Refused("20000", "ACQ.SYSTEM_ERROR", "系统错误")
    return Changed(_order(db, auth_no), operation, trade, released)


def refund(db: sqlite3.Connection, request: GatewayRequest) -> tuple[sqlite3.Row, bool]:
    """Give money of a trade back. Returns the trade and whether money moved; the same request number moves it once."""
    trade = _trade_of(db, request)
    amount_fen = _amount_fen(request, "refund_amount", "ACQ.INVALID_PARAMETER")
    request_no = request.text("out_request_no") or trade["out_trade_no"]
    standing = find_refund(db, trade["trade_no"], request_no)
    if standing is not None:
        if standing["amount_fen"] != amount_fen:
            raise Refused("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款请求号已用于其他金额")
        return trade, False
    if trade["status"] == "TRADE_CLOSED":
        raise Refused("40004", "ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    if trade["status"] == "TRADE_FINISHED":
        raise Refused("40004", "ACQ.TRADE_HAS_FINISHED", "交易已完结，不允许退款")
    if amount_fen > trade["amount_fen"] - trade["refunded_fen"]:
        raise Refused("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超过可退金额")
    db.execute(
        "INSERT INTO alipay_refund VALUES (?, ?, ?, ?, ?)",
        (trade["trade_no"], request_no, amount_fen, request.at, request.text("refund_reason")),
    )
    db.execute(
        "UPDATE alipay_trade SET refunded_fen = refunded_fen + ?1, "
        "status = CASE WHEN refunded_fen + ?1 = amount_fen THEN 'TRADE_CLOSED' ELSE status END WHERE trade_no = ?2",
        (amount_fen, trade["trade_no"]),
    )
    return _trade_of(db, request), True


def find_operation(db: sqlite3.Connection, request: GatewayRequest) -> Changed:
    """For ``operation.detail.query``: by merchant numbers, or by the gateway's."""
    order = _order_of(db, request)
    kind = request.text("operation_type") or "FREEZE"
    if request.text("operation_id"):
        operation = db.execute(
            "SELECT * FROM alipay_operation WHERE auth_no = ? AND operation_id = ?",
            (order["auth_no"], request.text("operation_id")),
        ).fetchone()
    else:
        operation = _operation_of(db, order["auth_no"], _number(request, "out_request_no"), kind)
    if operation is None:
        raise Refused("40004", "AUTH_OPERATION_NOT_EXIST", "支付宝资金操作流水不存在")
    return Changed(order, operation)


def find_order(db: sqlite3.Connection, auth_no: str) -> sqlite3.Row | None:
    """An order by the gateway's number."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM alipay_order WHERE auth_no = ?", (auth_no,)).fetchone()
    return row


def find_trade(db: sqlite3.Connection, app_id: str, out_trade_no: str) -> sqlite3.Row | None:
    """A trade by the merchant's number."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM alipay_trade WHERE app_id = ? AND out_trade_no = ?", (app_id, out_trade_no)
    ).fetchone()
    return row


def find_refund(db: sqlite3.Connection, trade_no: str, request_no: str) -> sqlite3.Row | None:
    """One refund of a trade."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM alipay_refund WHERE trade_no = ? AND out_request_no = ?", (trade_no, request_no)
    ).fetchone()
    return row


def trade_of(db: sqlite3.Connection, request: GatewayRequest) -> sqlite3.Row:
    """The trade a query names; refuses with ACQ.TRADE_NOT_EXIST."""
    return _trade_of(db, request)


def buyer_of(db: sqlite3.Connection, request: GatewayRequest) -> str:
    """Whose behaviour applies to a request; empty when it names nobody we know."""
    app_id = request.merchant.app_id
    for sql, name in (
        ("SELECT buyer_id FROM alipay_order WHERE app_id = ? AND auth_no = ?", "auth_no"),
        ("SELECT buyer_id FROM alipay_order WHERE app_id = ? AND out_order_no = ?", "out_order_no"),
        ("SELECT buyer_id FROM alipay_trade WHERE app_id = ? AND out_trade_no = ?", "out_trade_no"),
        ("SELECT buyer_id FROM alipay_trade WHERE app_id = ? AND trade_no = ?", "trade_no"),
    ):
        if request.text(name):
            row = db.execute(sql, (app_id, request.text(name))).fetchone()
            if row is not None:
                return str(row["buyer_id"])
    return request.text("buyer_id")


def _release(
    db: sqlite3.Connection, order: sqlite3.Row, request_no: str, amount_fen: int, at: str, remark: str, number: NewNumber
) -> Changed:
    credit_fen = min(amount_fen, order["rest_credit_fen"])
    db.execute(
        "UPDATE alipay_order SET rest_fen = rest_fen - :amount, rest_credit_fen = rest_credit_fen - :credit, "
        "unfrozen_fen = unfrozen_fen + :amount WHERE auth_no = :auth_no",
        {"amount": amount_fen, "credit": credit_fen, "auth_no": order["auth_no"]},
    )
    operation_id = number("operation")
    _add_operation(db, operation_id, order["auth_no"], request_no, "UNFREEZE", "SUCCESS", amount_fen, credit_fen, at, remark)
    _settle_status(db, order["auth_no"])
    operation = db.execute("SELECT * FROM alipay_operation WHERE operation_id = ?", (operation_id,)).fetchone()
    return Changed(_order(db, order["auth_no"]), operation)


def _settle_status(db: sqlite3.Connection, auth_no: str) -> None:
    """Nothing left: FINISH when something was paid, CLOSED when all went back."""
    db.execute(
        "UPDATE alipay_order SET status = CASE WHEN paid_fen > 0 THEN 'FINISH' ELSE 'CLOSED' END "
        "WHERE auth_no = ? AND rest_fen = 0 AND status = 'AUTHORIZED'",
        (auth_no,),
    )


def _add_operation(
    db: sqlite3.Connection,
    operation_id: str,
    auth_no: str,
    request_no: str,
    kind: str,
    status: str,
    amount_fen: int,
    credit_fen: int,
    at: str,
    remark: str,
) -> None:
    db.execute(
        "INSERT INTO alipay_operation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (operation_id, auth_no, request_no, kind, status, amount_fen, credit_fen, at, at, remark),
    )


def _order(db: sqlite3.Connection, auth_no: str) -> sqlite3.Row:
    row = find_order(db, auth_no)
    if row is None:
        raise Refused("40004", "AUTH_ORDER_NOT_EXIST", "支付宝资金授权订单不存在")
    return row


def _order_of(db: sqlite3.Connection, request: GatewayRequest) -> sqlite3.Row:
    """The order a request names, of this merchant only."""
    if request.text("auth_no"):
        row = find_order(db, request.text("auth_no"))
    else:
        row = db.execute(
            "SELECT * FROM alipay_order WHERE app_id = ? AND out_order_no = ?",
            (request.merchant.app_id, _number(request, "out_order_no")),
        ).fetchone()
    if row is None or row["app_id"] != request.merchant.app_id:
        raise Refused("40004", "AUTH_ORDER_NOT_EXIST", "支付宝资金授权订单不存在")
    found: sqlite3.Row = row
    return found


def _trade_of(db: sqlite3.Connection, request: GatewayRequest) -> sqlite3.Row:
    if request.text("trade_no"):
        row = db.execute(
            "SELECT * FROM alipay_trade WHERE app_id = ? AND trade_no = ?", (request.merchant.app_id, request.text("trade_no"))
        ).fetchone()
    else:
        row = find_trade(db, request.merchant.app_id, _number(request, "out_trade_no", "ACQ.INVALID_PARAMETER"))
    if row is None:
        raise Refused("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")
    found: sqlite3.Row = row
    return found


def _freeze_of(db: sqlite3.Connection, auth_no: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM alipay_operation WHERE auth_no = ? AND type = 'FREEZE'", (auth_no,)
    ).fetchone()
    if row is None:
        raise Refused("40004", "AUTH_OPERATION_NOT_EXIST", "支付宝资金操作流水不存在")
    return row


def _operation_of(db: sqlite3.Connection, auth_no: str, request_no: str, kind: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM alipay_operation WHERE auth_no = ? AND out_request_no = ? AND type = ?", (auth_no, request_no, kind)
    ).fetchone()
    return row


def _refuse_ended(order: sqlite3.Row) -> None:
    if order["status"] == "INIT":
        raise Refused("40004", "ILLEGAL_STATUS", "订单状态非法：尚未冻结成功")
    if order["status"] == "CLOSED":
        raise Refused("40004", "ORDER_ALREADY_CLOSED", "授权订单已经关闭")
    if order["status"] == "FINISH":
        raise Refused("40004", "ORDER_ALREADY_FINISH", "授权订单已经完结，无法再进行资金操作")


def _required(request: GatewayRequest, name: str, sub_code: str = "ILLEGAL_ARGUMENT") -> str:
    value = request.text(name)
    if not value or len(value) > 256:
        raise Refused("40004", sub_code, f"参数异常或缺失：{name}")
    return value


def _number(request: GatewayRequest, name: str, sub_code: str = "ILLEGAL_ARGUMENT") -> str:
    value = request.text(name)
    if not _NUMBER.fullmatch(value):
        raise Refused("40004", sub_code, f"参数异常或缺失：{name}")
    return value


def _amount_fen(request: GatewayRequest, name: str, sub_code: str = "ILLEGAL_ARGUMENT") -> int:
    """A positive amount of at most two decimals, sent as text or number."""
    value = request.text(name)
    amount_fen = from_yuan(value) if _AMOUNT.fullmatch(value) else 0
    if not 0 < amount_fen <= AMOUNT_FEN_MAX:
        raise Refused("40004", sub_code, f"金额无效：{name}")
    return amount_fen


def _expiry(request: GatewayRequest) -> str:
    found = _EXPIRY.fullmatch(request.text("timeout_express") or "15d")
    if found is None:
        raise Refused("40004", "ILLEGAL_ARGUMENT", "timeout_express 无效")
    begun = datetime.strptime(request.at, TIME_FORMAT)  # noqa: DTZ007 (Beijing times compared among themselves)
    return (begun + timedelta(**{_EXPIRY_UNITS[found[2]]: int(found[1])})).strftime(TIME_FORMAT)
