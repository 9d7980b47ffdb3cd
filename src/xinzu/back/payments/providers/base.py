"""What a payment channel can do, one Protocol per capability, in fen and instants. No provider's words beyond its numbers.

``order_no``, ``request_no`` and ``trade_no`` are ours and make every call repeatable: the same number with the same content
gives the same answer. ``auth_no`` and ``channel_*`` numbers are the provider's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from xinzu.kernel.time import Instant
from xinzu.platform.providers import ProviderResult


class OperationType(StrEnum):
    """What an operation on a pre-authorisation does."""

    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    PAY = "pay"


class OperationStatus(StrEnum):
    """How far an operation has come."""

    INITIAL = "initial"
    SUCCEEDED = "succeeded"
    CLOSED = "closed"


class AuthorisationStatus(StrEnum):
    """The pre-authorisation as a whole: finished when nothing is left after paying, closed when nothing was ever paid."""

    INITIAL = "initial"
    AUTHORISED = "authorised"
    FINISHED = "finished"
    CLOSED = "closed"


class TradeStatus(StrEnum):
    """One collection. Closed also means refunded in full; finished means that it can no longer be refunded."""

    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    CLOSED = "closed"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class PostPayment:
    """One line of what the customer will pay later, shown when the deposit is waived on credit."""

    name: str
    amount_fen: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class FreezeOrder:
    """A pre-authorisation to put before the customer. ``expires_in_minutes`` bounds how long it may be accepted."""

    order_no: str
    request_no: str
    title: str
    amount_fen: int
    expires_in_minutes: int = 30
    category: str = "RENT_PHONE"
    service_id: str | None = None
    post_payments: Sequence[PostPayment] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation and what stands of its pre-authorisation. Sums are None where the answer at hand does not tell them.

    ``credit_fen`` is the part waived on credit, ``fund_fen`` the part really frozen; they add up to ``amount_fen``.
    """

    auth_no: str
    order_no: str
    operation_id: str
    request_no: str
    type: OperationType
    status: OperationStatus
    amount_fen: int
    credit_fen: int
    fund_fen: int
    occurred_at: Instant | None
    payer_id: str | None = None
    authorisation: AuthorisationStatus | None = None
    frozen_total_fen: int | None = None
    paid_total_fen: int | None = None
    unfrozen_total_fen: int | None = None
    rest_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A withdrawn pre-authorisation: ``was_frozen`` tells whether an amount had to be released."""

    auth_no: str
    order_no: str
    was_frozen: bool


@dataclass(frozen=True, slots=True)
class CollectOrder:
    """A collection out of a pre-authorisation. ``releases_rest`` gives the remainder back to the customer: the last one."""

    trade_no: str
    auth_no: str
    title: str
    amount_fen: int
    releases_rest: bool = False
    payer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trade:
    """A collection as the provider has it."""

    trade_no: str
    channel_trade_no: str
    status: TradeStatus
    amount_fen: int
    paid_at: Instant | None
    payer_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund of all or part of a collection; ``request_no`` tells partial refunds apart."""

    trade_no: str
    request_no: str
    amount_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the provider has it. ``refunded_total_fen`` is the sum of all refunds of the trade, where told."""

    trade_no: str
    channel_trade_no: str
    request_no: str
    amount_fen: int
    occurred_at: Instant | None
    refunded_total_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A verified message of the provider. ``id`` is the same on each delivery: act once.

    Messages may come twice, late and in any order; the fact says the state the thing has reached, so compare, do not add up.
    """

    id: str
    kind: str
    sent_at: Instant
    fact: Operation | Trade


class NotificationRefused(Exception):
    """A message that must not be believed; ``code``: bad_signature, wrong_app, wrong_seller, unknown_kind, malformed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PreAuthorisations(Protocol):
    """Freeze an amount or a credit for a deposit, release it."""

    def freeze_order(self, order: FreezeOrder) -> str:
        """The signed order the customer's wallet takes. No call is made; the outcome comes by notification or query."""
        ...

    async def query_operation(self, order_no: str, request_no: str, kind: OperationType) -> ProviderResult[Operation]: ...

    async def unfreeze(self, auth_no: str, request_no: str, amount_fen: int, remark: str) -> ProviderResult[Operation]: ...

    async def cancel(self, order_no: str, request_no: str, remark: str) -> ProviderResult[Cancelled]: ...


class Collections(Protocol):
    """Take money, look it up, give it back."""

    async def collect(self, order: CollectOrder) -> ProviderResult[Trade]: ...

    async def query_trade(self, trade_no: str) -> ProviderResult[Trade]: ...

    async def refund(self, order: RefundOrder) -> ProviderResult[Refund]: ...

    async def query_refund(self, trade_no: str, request_no: str) -> ProviderResult[Refund]: ...


class Notifications(Protocol):
    """Believe a provider's message or refuse it."""

    def read_notification(self, form: Mapping[str, str]) -> Notification:
        """The verified message; raises NotificationRefused."""
        ...


PaymentFact: TypeAlias = Operation | Trade
