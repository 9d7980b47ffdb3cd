"""Payments as they go over HTTP and as commands answer. Amounts are integers of fen."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec

from xinzu.back.payments.model import AttemptState, Mandate, MandateState, NotificationOutcome, Payment, Purpose
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate, Instant

AMOUNT_FEN_MAX = 10**12


class PayNow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the customer pays. Without an amount: the first rent or settlement that could not be collected."""

    amount_fen: Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_FEN_MAX, description="Amount in fen")] | None = None


class ActivePayment(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's own payment of one agreement."""

    agreement_id: UUID
    amount_fen: int | None


class PaymentView(msgspec.Struct, kw_only=True):
    """One attempt to collect. ``trade_no`` is the provider's number; ``failure_code`` its reason for refusing."""

    id: str
    agreement_id: str
    purpose: Purpose
    instalment_id: str | None
    attempt: int
    amount_fen: int
    refunded_fen: int
    state: AttemptState
    out_trade_no: str
    trade_no: str | None
    failure_code: str | None
    due_on: BusinessDate
    created_at: Instant
    paid_at: Instant | None

    @classmethod
    def of(cls, payment: Payment) -> PaymentView:
        instalment = payment.instalment_id
        return cls(
            id=public_id(Prefix.PAYMENT, payment.id),
            agreement_id=public_id(Prefix.AGREEMENT, payment.agreement_id),
            purpose=payment.purpose,
            instalment_id=None if instalment is None else public_id(Prefix.INSTALMENT, instalment),
            attempt=payment.attempt,
            amount_fen=payment.amount_fen,
            refunded_fen=payment.refunded_fen,
            state=payment.state,
            out_trade_no=payment.out_trade_no,
            trade_no=payment.trade_no,
            failure_code=payment.failure_code,
            due_on=payment.due_on,
            created_at=payment.created_at,
            paid_at=payment.paid_at,
        )


class PaymentPage(msgspec.Struct, kw_only=True):
    """Attempts, newest first."""

    items: list[PaymentView]
    next_cursor: str | None


class PreAuthorisationView(msgspec.Struct, kw_only=True):
    """The pre-authorisation of an agreement. ``order_string`` goes to ``my.tradePay`` while the customer has not confirmed."""

    id: str
    agreement_id: str
    state: MandateState
    amount_fen: int
    collected_fen: int
    released_fen: int
    order_string: str | None

    @classmethod
    def of(cls, mandate: Mandate, order_string: str | None = None) -> PreAuthorisationView:
        return cls(
            id=public_id(Prefix.MANDATE, mandate.id),
            agreement_id=public_id(Prefix.AGREEMENT, mandate.agreement_id),
            state=mandate.state,
            amount_fen=mandate.authorised_fen,
            collected_fen=mandate.collected_fen,
            released_fen=mandate.released_fen,
            order_string=order_string,
        )


class NotificationView(msgspec.Struct, kw_only=True):
    """A message of the provider whose signature held, without the members that tell of persons."""

    id: str
    notify_id: str
    kind: str
    outcome: NotificationOutcome
    reason: str | None
    deliveries: int
    form: dict[str, Any]
    received_at: Instant


class NotificationPage(msgspec.Struct, kw_only=True):
    """Messages, newest first."""

    items: list[NotificationView]
    next_cursor: str | None
