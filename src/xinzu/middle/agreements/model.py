"""Nouns of agreements: states, the agreement, its document, its signer's check, the one-time code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.terms import AgreementTerms, Family
from xinzu.kernel.time import BusinessDate, Instant


class AgreementState(StrEnum):
    """drafted: terms fixed; signed: accepted by the customer; active: commenced; ended: everything is settled."""

    DRAFTED = "drafted"
    SIGNED = "signed"
    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"


AGREEMENT_MOVES = Transitions(
    "合同",
    {
        AgreementState.DRAFTED: {AgreementState.SIGNED, AgreementState.CANCELLED},
        AgreementState.SIGNED: {AgreementState.ACTIVE},
        AgreementState.ACTIVE: {AgreementState.ENDED},
        AgreementState.ENDED: set(),
        AgreementState.CANCELLED: set(),
    },
)


class IdentityState(StrEnum):
    """``unknown`` is written before the register is asked and stays until it answers."""

    UNKNOWN = "unknown"
    PASSED = "passed"
    FAILED = "failed"


class CancelReason(StrEnum):
    IDENTITY_FAILED = "identity_failed"
    IDENTITY_CONSENT_MISSING = "identity_consent_missing"
    APPLICATION_CANCELLED = "application_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """An agreement as it is stored. ``document_*`` are set once the contract is rendered.

    What it commenced with: ``asset_id`` of a rental, ``reference`` of a finance lease (handover protocol, VIN) or a loan (the bank's
    reference of the disbursement).
    """

    id: UUID
    agreement_no: str
    application_id: UUID
    party_id: UUID
    channel: str
    state: AgreementState
    terms: AgreementTerms
    drafted_at: Instant
    drafted_on: BusinessDate
    document_id: UUID | None
    document_sha256: str | None
    signed_at: Instant | None
    asset_id: UUID | None
    reference: str | None
    commencement_on: BusinessDate | None
    ended_on: BusinessDate | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """An approved application about to become an agreement."""

    application_id: UUID
    party_id: UUID
    channel: str
    terms: AgreementTerms


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose identity is to be checked, in clear: memory only."""

    agreement_id: UUID
    name: str = field(repr=False)
    identity_no: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityOutcome:
    """What the register said. ``code`` is its code, or why nothing is known."""

    agreement_id: UUID
    state: IdentityState
    check_id: str | None
    code: str


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One instalment of a financing as the contract lists it; ``balance_fen`` is the principal still owed after it."""

    number: int
    due_on: BusinessDate
    principal_fen: int
    interest_fen: int
    fee_fen: int
    balance_fen: int

    @property
    def total_fen(self) -> int:
        return self.principal_fen + self.interest_fen + self.fee_fen


@dataclass(frozen=True, slots=True)
class CostItem:
    """One item of the all-in cost table, in Chinese; ``amount_fen`` is None where performance as agreed does not tell it."""

    what: str
    when: str
    standard: str
    amount_fen: int | None
    who: str


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a customer is told about a financing before signing."""

    schedule: Sequence[ScheduleLine]
    costs: Sequence[CostItem]


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract about to be rendered: which template, and its input with clear personal values."""

    agreement_id: UUID
    family: Family
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """A contract as a PDF/A-2b file."""

    agreement_id: UUID
    pdf: bytes = field(repr=False)
    template_sha256: str
    renderer: str


@dataclass(frozen=True, slots=True)
class Code:
    """The newest one-time code of an agreement, without the code itself."""

    id: UUID
    agreement_id: UUID
    digest: bytes = field(repr=False)
    sent_at: Instant
    expires_at: Instant
    tries: int
    sent_recently: int
