"""An application's life and its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import Instant


class Channel(StrEnum):
    """Where the customer came from."""

    ALIPAY = "alipay"
    WECHAT = "wechat"
    PC = "pc"


class ApplicationState(StrEnum):
    """``contracted`` from the signature, ``closed`` when the agreement has ended."""

    SUBMITTED = "submitted"
    REFERRED = "referred"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    CONTRACTED = "contracted"
    CLOSED = "closed"


_S = ApplicationState
# A declined application goes back to a person on the applicant's demand. An agreement's end may be heard before its signature.
APPLICATION_MOVES: Transitions[ApplicationState] = Transitions(
    "application",
    {
        _S.SUBMITTED: {_S.REFERRED, _S.APPROVED, _S.DECLINED, _S.CANCELLED},
        _S.REFERRED: {_S.APPROVED, _S.DECLINED, _S.CANCELLED},
        _S.APPROVED: {_S.CONTRACTED, _S.CANCELLED, _S.CLOSED},
        _S.DECLINED: {_S.REFERRED},
        _S.CANCELLED: set(),
        _S.CONTRACTED: {_S.CANCELLED, _S.CLOSED},
        _S.CLOSED: set(),
    },
)

# What the customer or the merchant may still withdraw; a signed agreement is cancelled through the agreement.
OPEN_STATES = frozenset({_S.SUBMITTED, _S.REFERRED, _S.APPROVED})
UNDECIDED_STATES = frozenset({_S.SUBMITTED})


class CancelReason(StrEnum):
    """Why an application was cancelled. A code, because free words would be a place for personal data."""

    CUSTOMER_REQUEST = "customer_request"
    MERCHANT_REQUEST = "merchant_request"
    OUT_OF_STOCK = "out_of_stock"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    AGREEMENT_CANCELLED = "agreement_cancelled"


class DecidedBy(StrEnum):
    """Who decided."""

    STRATEGY = "strategy"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The last decision on an application."""

    id: UUID
    decided_by: str
    reason_codes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application as it stands; the delivery address is masked."""

    id: UUID
    party_id: UUID
    channel: str
    state: ApplicationState
    terms: AgreementTerms
    delivery_address: str = field(repr=False)
    submitted_at: Instant
    updated_at: Instant
    decision: Decision | None = None
    human_review_requested_at: Instant | None = None
    cancel_reason: str | None = None
    agreement_id: UUID | None = None
