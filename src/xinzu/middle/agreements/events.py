"""What happened to an agreement. The subject of each is the agreement."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import BusinessDate, Instant


@event("xinzu.agreements.agreement.drafted.v1")
@dataclass(frozen=True, kw_only=True)
class AgreementDrafted(Event):
    """Terms are fixed; the document is not yet signed."""

    application_id: UUID
    party_id: UUID
    agreement_no: str
    terms: AgreementTerms


@event("xinzu.agreements.document.rendered.v1")
@dataclass(frozen=True, kw_only=True)
class DocumentRendered(Event):
    """The contract document exists and can be read and accepted."""

    application_id: UUID
    document_id: UUID
    document_sha256: str


@event("xinzu.agreements.agreement.signed.v1")
@dataclass(frozen=True, kw_only=True)
class AgreementSigned(Event):
    """The customer accepted the document by one-time code (Electronic Signature Law arts. 3, 13)."""

    application_id: UUID
    party_id: UUID
    agreement_no: str
    document_sha256: str
    terms: AgreementTerms
    signed_at: Instant


@event("xinzu.agreements.agreement.commenced.v1")
@dataclass(frozen=True, kw_only=True)
class AgreementCommenced(Event):
    """The device was handed over, the leased thing taken over, or the loan disbursed: instalments run from ``commencement_on``.

    ``asset_id`` is of a rental only: what is financed is not in our stock.
    """

    application_id: UUID
    party_id: UUID
    asset_id: UUID | None
    commencement_on: BusinessDate
    terms: AgreementTerms


@event("xinzu.agreements.agreement.cancelled.v1")
@dataclass(frozen=True, kw_only=True)
class AgreementCancelled(Event):
    """The agreement ended before commencement (identity not verified, customer withdrew)."""

    application_id: UUID
    party_id: UUID
    reason: str


@event("xinzu.agreements.agreement.ended.v1")
@dataclass(frozen=True, kw_only=True)
class AgreementEnded(Event):
    """Everything was returned and settled."""

    application_id: UUID
    party_id: UUID
    ended_on: BusinessDate
    reason: str
