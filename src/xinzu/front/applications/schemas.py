"""Applications as they go over HTTP: personal values come in clear once and go out masked, always."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from xinzu.front.applications.model import Application
from xinzu.front.catalogue.api import TermsView, terms_view
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.platform.http.fields import ONE_LINE, TextVersion
from xinzu.records.parties.api import MaskedPerson

INTEGER_MAX = 2**53 - 1
# An id that names nothing is not found, whatever its form.
OfferId = Annotated[str, Meta(min_length=1, max_length=64)]
Address = Annotated[str, Meta(min_length=5, max_length=200, pattern=ONE_LINE)]
SignalName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]
SignalValue: TypeAlias = (
    Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
    | Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9._:\-]*$(?!\n)")]
    | bool
    | None
)


class Applicant(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who applies. Sealed at once; every answer shows masked forms."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=ONE_LINE)]
    identity_no: Annotated[str, Meta(min_length=1, max_length=32)]
    phone: Annotated[str, Meta(min_length=1, max_length=32)]


class Consents(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Separate consents, each with the version of its text; all three are mandatory. A missing one was not given."""

    application: TextVersion | None = None
    identity_check: TextVersion | None = None
    decision: TextVersion | None = None


class SubmitApplication(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A customer's application for one plan, or for one quote that still holds: exactly one of the two.

    ``signals`` are risk facts the channel vouches for (codes and numbers, no personal data).
    """

    channel: Literal["alipay", "wechat", "pc"]
    plan_id: OfferId | None = None
    quote_id: OfferId | None = None
    applicant: Applicant
    delivery_address: Address
    consents: Consents
    signals: Annotated[dict[SignalName, SignalValue], Meta(max_length=32)] = msgspec.field(default_factory=dict)


class Cancellation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is cancelled."""

    reason: Literal["customer_request", "merchant_request", "out_of_stock"]


class AddressChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the device shall go instead."""

    delivery_address: Address


class ApplicantView(msgspec.Struct, kw_only=True):
    """The applicant, masked."""

    name: str
    identity_no: str
    phone: str


class DecisionView(msgspec.Struct, kw_only=True):
    """The last decision. ``decided_by`` is strategy or reviewer."""

    id: str
    decided_by: str
    reason_codes: list[str]


class ApplicationView(msgspec.Struct, kw_only=True):
    """An application. ``may_request_human_review`` after an automated decline (PIPL art. 24)."""

    id: str
    party_id: str
    channel: str
    state: str
    applicant: ApplicantView
    delivery_address: str
    terms: TermsView
    decision: DecisionView | None
    may_request_human_review: bool
    human_review_requested_at: Instant | None
    cancel_reason: str | None
    agreement_id: str | None
    submitted_at: Instant
    updated_at: Instant


class ApplicationPage(msgspec.Struct, kw_only=True):
    """Applications, newest first."""

    items: list[ApplicationView]
    next_cursor: str | None


class ApplicationMoved(msgspec.Struct, kw_only=True):
    """An application's state after a request to change it."""

    id: str
    state: str


class AddressChanged(msgspec.Struct, kw_only=True):
    """The delivery address as it now stands, masked."""

    id: str
    delivery_address: str


def application_view(
    application: Application, person: MaskedPerson, may_request_human_review: bool, terms: TermsView | None = None
) -> ApplicationView:
    """``terms`` may be given ready-made, when many applications share them."""
    decision = application.decision
    return ApplicationView(
        id=public_id(Prefix.APPLICATION, application.id),
        party_id=public_id(Prefix.PARTY, application.party_id),
        channel=application.channel,
        state=application.state,
        applicant=ApplicantView(name=person.name, identity_no=person.identity_no, phone=person.phone),
        delivery_address=application.delivery_address,
        terms=terms or terms_view(application.terms),
        decision=None
        if decision is None
        else DecisionView(
            id=public_id(Prefix.DECISION, decision.id), decided_by=decision.decided_by, reason_codes=decision.reason_codes
        ),
        may_request_human_review=may_request_human_review,
        human_review_requested_at=application.human_review_requested_at,
        cancel_reason=application.cancel_reason,
        agreement_id=None if application.agreement_id is None else public_id(Prefix.AGREEMENT, application.agreement_id),
        submitted_at=application.submitted_at,
        updated_at=application.updated_at,
    )
