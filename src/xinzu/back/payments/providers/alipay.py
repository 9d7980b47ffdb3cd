"""Alipay by our own thin client: the fund pre-authorisation (芝麻免押) and collections out of it, over ``gateway.do``.

Yuan strings and Beijing times exist only in this file and its wire; inside the product it is fen and instants. A code the
gateway gives for "I do not know yet" (10003, 20000, system errors), a missing answer and a signature that does not fit are all
Unknown, and are resolved by ``query_operation``, ``query_trade`` or ``query_refund`` before anything is tried again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from xinzu.back.payments.providers.base import (
    AuthorisationStatus,
    Cancelled,
    Collections,
    CollectOrder,
    FreezeOrder,
    Notification,
    NotificationRefused,
    Notifications,
    Operation,
    OperationStatus,
    OperationType,
    PaymentFact,
    PreAuthorisations,
    Refund,
    RefundOrder,
    Trade,
    TradeStatus,
)
from xinzu.kernel.money import from_yuan, to_yuan
from xinzu.kernel.time import Clock, Instant
from xinzu.platform import alipay_wire as wire
from xinzu.platform.alipay_gateway import GatewayApp, call_gateway, common_parameters
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok, ProviderResult

T = TypeVar("T")

PRODUCT_CODE = "PREAUTH_PAY"
# fmt: off
SHOWN_FIELDS = frozenset({
    "app_id", "method", "timestamp", "code", "msg", "sub_code",
    "sub_msg", "out_order_no", "out_request_no", "out_trade_no", "auth_no", "operation_id",
    "operation_type", "trade_no", "trade_status", "status", "order_status", "amount",
    "total_amount", "refund_amount", "refund_fee", "rest_amount", "fund_change", "action",
    "auth_confirm_mode", "product_code", "gmt_trans", "gmt_payment",
})
# fmt: on

_OPERATION_TYPES = {"FREEZE": OperationType.FREEZE, "UNFREEZE": OperationType.UNFREEZE, "PAY": OperationType.PAY}
_OPERATION_STATUSES = {
    "INIT": OperationStatus.INITIAL,
    "SUCCESS": OperationStatus.SUCCEEDED,
    "CLOSED": OperationStatus.CLOSED,
}
_AUTHORISATION_STATUSES = {
    "INIT": AuthorisationStatus.INITIAL,
    "AUTHORIZED": AuthorisationStatus.AUTHORISED,
    "FINISH": AuthorisationStatus.FINISHED,
    "CLOSED": AuthorisationStatus.CLOSED,
}
_TRADE_STATUSES = {
    "WAIT_BUYER_PAY": TradeStatus.WAITING,
    "TRADE_SUCCESS": TradeStatus.SUCCEEDED,
    "TRADE_CLOSED": TradeStatus.CLOSED,
    "TRADE_FINISHED": TradeStatus.FINISHED,
}
_NOTIFIED_OPERATIONS = {
    "fund_auth_freeze": OperationType.FREEZE,
    "fund_auth_unfreeze": OperationType.UNFREEZE,
    "fund_auth_operation_cancel": OperationType.UNFREEZE,
}


@dataclass(frozen=True, slots=True)
class AlipayAccount:
    """One merchant app at Alipay. Only the gateway's address and the keys differ between the sandbox twin and production."""

    app_id: str
    gateway_url: str
    private_key_pem: str = field(repr=False)
    alipay_public_key_pem: str
    notify_url: str
    seller_id: str


@dataclass(frozen=True, slots=True)
class AlipayChannel(PreAuthorisations, Collections, Notifications):
    """Pre-authorisations, collections and notifications of one account. ``clock`` stamps requests."""

    account: AlipayAccount
    outbound: Outbound
    clock: Clock
    timeout_s: float | None = None

    def freeze_order(self, order: FreezeOrder) -> str:
        """``alipay.fund.auth.order.app.freeze`` as the signed orderStr for ``my.tradePay``; nothing is sent."""
        extra = {"category": order.category, **({"serviceId": order.service_id} if order.service_id else {})}
        content: dict[str, object] = {
            "out_order_no": order.order_no,
            "out_request_no": order.request_no,
            "order_title": order.title,
            "amount": to_yuan(order.amount_fen),
            "product_code": PRODUCT_CODE,
            "payee_user_id": self.account.seller_id,
            "timeout_express": f"{order.expires_in_minutes}m",
            "extra_param": _json(extra),
        }
        if order.post_payments:
            content["deposit_product_mode"] = "POSTPAY"
            content["post_payments"] = [
                {"name": line.name, "amount": to_yuan(line.amount_fen), "description": line.description}
                for line in order.post_payments
            ]
        params = self._common("alipay.fund.auth.order.app.freeze", notify=True)
        return wire.order_string({**params, "biz_content": _json(content)}, self.account.private_key_pem)

    async def query_operation(self, order_no: str, request_no: str, kind: OperationType) -> ProviderResult[Operation]:
        """``alipay.fund.auth.operation.detail.query``. Failed with ``AUTH_ORDER_NOT_EXIST`` while nobody accepted the order.

        Not existing is no proof that a delayed request will not still arrive: repeat it under the same number, never a new one.
        """
        content = {"out_order_no": order_no, "out_request_no": request_no, "operation_type": kind.upper()}
        return await self._call("alipay.fund.auth.operation.detail.query", content, lambda answer: _operation(answer.content))

    async def unfreeze(self, auth_no: str, request_no: str, amount_fen: int, remark: str) -> ProviderResult[Operation]:
        """``alipay.fund.auth.order.unfreeze``: give back part or all of what is left. Repeatable under the same number."""
        content = {"auth_no": auth_no, "out_request_no": request_no, "amount": to_yuan(amount_fen), "remark": remark}
        return await self._call(
            "alipay.fund.auth.order.unfreeze",
            content,
            lambda answer: _operation({**answer.content, "operation_type": "UNFREEZE"}),
            notify=True,
        )

    async def cancel(self, order_no: str, request_no: str, remark: str) -> ProviderResult[Cancelled]:
        """``alipay.fund.auth.operation.cancel``: withdraw an order nobody accepted yet, or release one unpaid from."""
        content = {"out_order_no": order_no, "out_request_no": request_no, "remark": remark}
        return await self._call(
            "alipay.fund.auth.operation.cancel",
            content,
            lambda answer: Cancelled(answer.text("auth_no"), answer.text("out_order_no"), answer.text("action") == "unfreeze"),
            notify=True,
        )

    async def collect(self, order: CollectOrder) -> ProviderResult[Trade]:
        """``alipay.trade.pay`` out of a pre-authorisation. The same trade number and amount never takes money twice."""
        content = {
            "out_trade_no": order.trade_no,
            "auth_no": order.auth_no,
            "subject": order.title,
            "total_amount": to_yuan(order.amount_fen),
            "product_code": PRODUCT_CODE,
            "auth_confirm_mode": "COMPLETE" if order.releases_rest else "NOT_COMPLETE",
            "seller_id": self.account.seller_id,
            **({"buyer_id": order.payer_id} if order.payer_id else {}),
        }
        # The answer to a pay call carries no trade_status: code 10000 is the success.
        return await self._call(
            "alipay.trade.pay", content, lambda answer: _trade({"trade_status": "TRADE_SUCCESS", **answer.content}), notify=True
        )

    async def query_trade(self, trade_no: str) -> ProviderResult[Trade]:
        """``alipay.trade.query``. Failed with ``ACQ.TRADE_NOT_EXIST`` when no money was asked for under this number."""
        return await self._call("alipay.trade.query", {"out_trade_no": trade_no}, lambda answer: _trade(answer.content))

    async def refund(self, order: RefundOrder) -> ProviderResult[Refund]:
        """``alipay.trade.refund``. ``fund_change`` N on a repeated request is a success too: it was refunded before."""
        content = {
            "out_trade_no": order.trade_no,
            "out_request_no": order.request_no,
            "refund_amount": to_yuan(order.amount_fen),
            "refund_reason": order.reason,
        }

        def refunded(answer: wire.Answer) -> Refund:
            return Refund(
                answer.text("out_trade_no"),
                answer.text("trade_no"),
                order.request_no,
                order.amount_fen,
                _time(answer.content, "gmt_refund_pay"),
                refunded_total_fen=from_yuan(answer.text("refund_fee")),
            )

        return await self._call("alipay.trade.refund", content, refunded)

    async def query_refund(self, trade_no: str, request_no: str) -> ProviderResult[Refund]:
        """``alipay.trade.fastpay.refund.query``. An answer without a refund status says that there is no such refund (yet)."""
        content = {"out_trade_no": trade_no, "out_request_no": request_no, "query_options": ["gmt_refund_pay"]}

        def found(answer: wire.Answer) -> Refund | Failed:
            if answer.text("refund_status") != "REFUND_SUCCESS":
                return Failed("REFUND_NOT_EXIST", "no refund under this request number")
            return Refund(
                answer.text("out_trade_no"),
                answer.text("trade_no"),
                answer.text("out_request_no"),
                from_yuan(answer.text("refund_amount")),
                _time(answer.content, "gmt_refund_pay"),
            )

        result = await self._call("alipay.trade.fastpay.refund.query", content, found)
        if not isinstance(result, Ok):
            return result
        return result.value if isinstance(result.value, Failed) else Ok(result.value)

    def read_notification(self, form: Mapping[str, str]) -> Notification:
        """Verify a notify form and say what it means; raises NotificationRefused.

        Answer it with the plain text ``success`` once the fact is stored; anything else makes Alipay send it again.
        """
        if not wire.notification_is_signed(form, self.account.alipay_public_key_pem):
            raise NotificationRefused("bad_signature")
        if form.get("app_id") != self.account.app_id:
            raise NotificationRefused("wrong_app")
        if any(form.get(name, self.account.seller_id) != self.account.seller_id for name in ("seller_id", "payee_user_id")):
            raise NotificationRefused("wrong_seller")
        kind = form.get("notify_type", "")
        try:
            if kind == "trade_status_sync":
                fact: PaymentFact = _trade(form)
            elif kind in _NOTIFIED_OPERATIONS:
                fact = _operation({"operation_type": _NOTIFIED_OPERATIONS[kind].upper(), **form})
            else:
                raise NotificationRefused("unknown_kind")
            return Notification(form["notify_id"], kind, wire.from_gateway_time(form["notify_time"]), fact)
        except (KeyError, ValueError):
            raise NotificationRefused("malformed") from None

    def _common(self, method: str, *, notify: bool) -> dict[str, str]:
        return common_parameters(self.account.app_id, method, self.clock.now(), self.account.notify_url if notify else "")

    async def _call(
        self, method: str, content: Mapping[str, object], read: Callable[[wire.Answer], T], *, notify: bool = False
    ) -> ProviderResult[T]:
        account = self.account
        return await call_gateway(
            self.outbound,
            GatewayApp(account.app_id, account.gateway_url, account.private_key_pem, account.alipay_public_key_pem),
            self._common(method, notify=notify),
            content,
            read,
            shown_fields=SHOWN_FIELDS,
            timeout_s=self.timeout_s,
        )


def _operation(content: Mapping[str, object]) -> Operation:
    """An operation out of an answer or a notification; raises ValueError or KeyError when a member is missing or wrong."""
    amount_fen = from_yuan(str(content["amount"]))
    credit_fen = _fen(content, "credit_amount")
    fund_fen = _fen(content, "fund_amount")
    if credit_fen is None and fund_fen is None:
        credit_fen, fund_fen = (amount_fen, 0) if content.get("pre_auth_type") == "CREDIT_AUTH" else (0, amount_fen)
    elif credit_fen is None or fund_fen is None:
        credit_fen, fund_fen = (
            (amount_fen - fund_fen, fund_fen) if fund_fen is not None else (credit_fen or 0, amount_fen - (credit_fen or 0))
        )
    if credit_fen + fund_fen != amount_fen:
        raise ValueError("credit and fund parts do not add up to the amount")
    status = content.get("order_status")
    frozen, paid, unfrozen = (_fen(content, f"total_{what}_amount") for what in ("freeze", "pay", "unfreeze"))
    rest = _fen(content, "rest_amount")
    if unfrozen is None and frozen is not None and paid is not None and rest is not None:
        unfrozen = frozen - paid - rest
    return Operation(
        auth_no=str(content["auth_no"]),
        order_no=str(content["out_order_no"]),
        operation_id=str(content["operation_id"]),
        request_no=str(content["out_request_no"]),
        type=_OPERATION_TYPES[str(content["operation_type"])],
        status=_OPERATION_STATUSES[str(content["status"])],
        amount_fen=amount_fen,
        credit_fen=credit_fen,
        fund_fen=fund_fen,
        occurred_at=_time(content, "gmt_trans"),
        payer_id=_optional(content, "payer_user_id"),
        authorisation=_AUTHORISATION_STATUSES[str(status)] if status else None,
        frozen_total_fen=frozen,
        paid_total_fen=paid,
        unfrozen_total_fen=unfrozen,
        rest_fen=rest,
    )


def _trade(content: Mapping[str, object]) -> Trade:
    return Trade(
        trade_no=str(content["out_trade_no"]),
        channel_trade_no=str(content["trade_no"]),
        status=_TRADE_STATUSES[str(content["trade_status"])],
        amount_fen=from_yuan(str(content["total_amount"])),
        paid_at=_time(content, "gmt_payment") or _time(content, "send_pay_date"),
        payer_id=_optional(content, "buyer_user_id") or _optional(content, "buyer_id"),
    )


def _fen(content: Mapping[str, object], name: str) -> int | None:
    value = content.get(name)
    return None if value is None or value == "" else from_yuan(str(value))


def _time(content: Mapping[str, object], name: str) -> Instant | None:
    value = content.get(name)
    return wire.from_gateway_time(str(value)) if value else None


def _optional(content: Mapping[str, object], name: str) -> str | None:
    value = content.get(name)
    return str(value) if value else None


def _json(content: Mapping[str, object] | Mapping[str, str]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
