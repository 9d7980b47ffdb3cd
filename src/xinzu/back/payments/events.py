"""What happened to money on its way. The subject of each is the agreement."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import Instant


@event("xinzu.payments.mandate.authorised.v1")
@dataclass(frozen=True, kw_only=True)
class MandateAuthorised(Event):
    """The customer's pre-authorisation stands: this much can be collected or released."""

    mandate_id: UUID
    party_id: UUID
    authorised_fen: int


@event("xinzu.payments.payment.succeeded.v1")
@dataclass(frozen=True, kw_only=True)
class PaymentSucceeded(Event):
    """Money was collected, as the provider confirmed. ``purpose`` is first_rent, instalment, arrears or settlement."""

    payment_id: UUID
    party_id: UUID
    purpose: str
    amount_fen: int
    provider: str
    provider_trade_no: str
    paid_at: Instant


@event("xinzu.payments.payment.failed.v1")
@dataclass(frozen=True, kw_only=True)
class PaymentFailed(Event):
    """The provider refused an attempt for good (for instance insufficient balance)."""

    payment_id: UUID
    party_id: UUID
    purpose: str
    amount_fen: int
    attempt: int
    reason: str


@event("xinzu.payments.refund.succeeded.v1")
@dataclass(frozen=True, kw_only=True)
class RefundSucceeded(Event):
    """Money was given back to the customer."""

    refund_id: UUID
    party_id: UUID
    amount_fen: int


@event("xinzu.payments.deposit.released.v1")
@dataclass(frozen=True, kw_only=True)
class DepositReleased(Event):
    """What was left of the pre-authorisation was released."""

    mandate_id: UUID
    party_id: UUID
    collected_fen: int
    released_fen: int
