"""What happened to an application."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.terms import AgreementTerms


@event("xinzu.applications.application.submitted.v1")
@dataclass(frozen=True, kw_only=True)
class ApplicationSubmitted(Event):
    """A customer applied. Subject: the application. ``signals`` are risk facts the channel vouches for (no personal data); ``address_key`` is
    a digest of the delivery address under the tenant's own key, by which equal ones are recognised and nothing is read."""

    party_id: UUID
    channel: str
    terms: AgreementTerms
    signals: dict[str, str | int | bool | None] = field(default_factory=dict)
    address_key: str | None = None


@event("xinzu.applications.application.referred.v1")
@dataclass(frozen=True, kw_only=True)
class ApplicationReferred(Event):
    """A person must look at it. Subject: the application."""

    decision_id: UUID


@event("xinzu.applications.application.approved.v1")
@dataclass(frozen=True, kw_only=True)
class ApplicationApproved(Event):
    """The application may become an agreement on these terms. Subject: the application."""

    party_id: UUID
    channel: str
    decision_id: UUID
    terms: AgreementTerms


@event("xinzu.applications.application.declined.v1")
@dataclass(frozen=True, kw_only=True)
class ApplicationDeclined(Event):
    """The application was declined. Subject: the application."""

    decision_id: UUID
    reason_codes: list[str]


@event("xinzu.applications.application.cancelled.v1")
@dataclass(frozen=True, kw_only=True)
class ApplicationCancelled(Event):
    """The customer or the merchant withdrew it before an agreement was signed. Subject: the application."""

    reason: str


@event("xinzu.applications.human_review.requested.v1")
@dataclass(frozen=True, kw_only=True)
class HumanReviewRequested(Event):
    """The applicant asks for a person to decide again (PIPL art. 24). Subject: the application."""

    decision_id: UUID
