"""Payments in types: states with their transition tables, and the values commands and rules pass around. Amounts are fen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.time import BusinessDate, Instant

ATTEMPTS_MAX = 3  # per instalment, on successive business days; afterwards the customer pays actively


class Provider(StrEnum):
    """Through whom money moves."""

    ALIPAY = "alipay"


class MandateState(StrEnum):
    """A pre-authorisation: asked for, standing, all used or released after collecting, released without ever collecting."""

    INTENDED = "intended"
    AUTHORISED = "authorised"
    FINISHED = "finished"
    CLOSED = "closed"


MANDATE = Transitions(
    "预授权",
    {
        MandateState.INTENDED: {MandateState.AUTHORISED, MandateState.CLOSED},
        MandateState.AUTHORISED: {MandateState.FINISHED, MandateState.CLOSED},
        MandateState.FINISHED: set(),
        # A customer may confirm an order in the second it is withdrawn: what was frozen must then still be given back.
        MandateState.CLOSED: {MandateState.AUTHORISED},
    },
)


class AttemptState(StrEnum):
    """How far one request to a provider has come."""

    INTENDED = "intended"
    CALLING = "calling"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


# Unresolved: the provider may act, or may have acted, and the amount stays reserved.
OPEN_STATES = (AttemptState.INTENDED, AttemptState.CALLING, AttemptState.UNKNOWN)

_ATTEMPT = {
    AttemptState.INTENDED: {AttemptState.CALLING, AttemptState.SUCCEEDED},
    AttemptState.CALLING: {AttemptState.UNKNOWN, AttemptState.SUCCEEDED, AttemptState.FAILED},
    AttemptState.UNKNOWN: {AttemptState.SUCCEEDED, AttemptState.FAILED},
    AttemptState.SUCCEEDED: set[AttemptState](),
    # The provider's signed word that it happened after all is the truth, however late.
    AttemptState.FAILED: {AttemptState.SUCCEEDED},
}
PAYMENT = Transitions("付款", _ATTEMPT)
RELEASE = Transitions("解冻", _ATTEMPT)
REFUND = Transitions("退款", _ATTEMPT)


class Purpose(StrEnum):
    """What a payment is for."""

    FIRST_RENT = "first_rent"
    INSTALMENT = "instalment"
    ARREARS = "arrears"
    SETTLEMENT = "settlement"


class NotificationOutcome(StrEnum):
    """What a believed message led to: taken in, about nothing we know, or contradicting what we know."""

    ACCEPTED = "accepted"
    UNMATCHED = "unmatched"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A pre-authorisation as it stands. ``reserved_fen`` is what open payments and releases may still take of it."""

    id: UUID
    agreement_id: UUID
    party_id: UUID
    provider: Provider
    title: str
    out_order_no: str
    out_request_no: str
    order_round: int
    auth_no: str | None
    authorised_fen: int
    first_rent_fen: int
    collected_fen: int
    released_fen: int
    reserved_fen: int
    state: MandateState
    release_due_since: Instant | None

    @property
    def rest_fen(self) -> int:
        """What may still be collected or released."""
        return self.authorised_fen - self.collected_fen - self.released_fen - self.reserved_fen

    @property
    def is_collectable(self) -> bool:
        return self.state is MandateState.AUTHORISED and self.release_due_since is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One attempt to collect. ``refunded_fen`` counts refunds that succeeded or may still."""

    id: UUID
    mandate_id: UUID
    agreement_id: UUID
    party_id: UUID
    purpose: Purpose
    instalment_id: UUID | None
    attempt: int
    amount_fen: int
    refunded_fen: int
    out_trade_no: str
    trade_no: str | None
    state: AttemptState
    failure_code: str | None
    due_on: BusinessDate
    created_at: Instant
    paid_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIntent:
    """A wish to collect. What the mandate cannot cover any more is cut off."""

    agreement_id: UUID
    purpose: Purpose
    amount_fen: int
    due_on: BusinessDate
    instalment_id: UUID | None = None
    attempt: int = 1

    @property
    def key(self) -> tuple[UUID, Purpose, UUID | None]:
        """Of each of these only one payment is under way."""
        return self.agreement_id, self.purpose, self.instalment_id


@dataclass(frozen=True, slots=True)
class Demand:
    """An instalment we tried to collect: what was asked for at first and what came in under its own name."""

    instalment_id: UUID
    due_on: BusinessDate
    asked_fen: int
    collected_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is now known of one attempt: succeeded, failed or unknown. ``channel_no`` is the provider's number for it."""

    id: UUID
    state: AttemptState
    channel_no: str | None = None
    occurred_at: Instant | None = None
    reason: str | None = None
