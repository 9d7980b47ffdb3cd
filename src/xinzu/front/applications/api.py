"""The front door of applications: commands for the demo and the doors, and the reads behind them."""

from __future__ import annotations

from uuid import UUID

from xinzu.front.applications import schemas, store
from xinzu.front.applications.commands.customer import cancel_applications, request_human_reviews, stop_after_withdrawal
from xinzu.front.applications.commands.decide import (
    DecisionTaken,
    apply_decisions,
    follow_cancellations,
    follow_drafts,
    follow_ends,
    follow_signatures,
)
from xinzu.front.applications.commands.delivery import change_delivery_addresses
from xinzu.front.applications.commands.notices import DeliveredMessage, record_deliveries
from xinzu.front.applications.commands.submit import submit
from xinzu.front.applications.errors import ApplicationUnknown
from xinzu.front.applications.model import UNDECIDED_STATES, Application, ApplicationState, CancelReason, Channel
from xinzu.front.applications.rules.review import may_request_human_review
from xinzu.front.applications.schemas import Applicant, ApplicationView, Consents, SubmitApplication
from xinzu.platform.uow import ReadSession
from xinzu.records.parties import api as parties

__all__ = [
    "Applicant",
    "Application",
    "ApplicationState",
    "ApplicationView",
    "CancelReason",
    "Channel",
    "Consents",
    "DecisionTaken",
    "DeliveredMessage",
    "SubmitApplication",
    "application",
    "application_view",
    "application_views",
    "apply_decisions",
    "cancel_applications",
    "change_delivery_addresses",
    "follow_cancellations",
    "follow_drafts",
    "follow_ends",
    "follow_signatures",
    "is_undecided",
    "record_deliveries",
    "request_human_reviews",
    "stop_after_withdrawal",
    "submit",
]


async def application(read: ReadSession, application_id: UUID) -> Application:
    """One application; raises ApplicationUnknown."""
    found = await store.application(read, application_id)
    if found is None:
        raise ApplicationUnknown()
    return found


async def application_view(read: ReadSession, application_id: UUID) -> ApplicationView:
    """One application as it is shown; raises ApplicationUnknown."""
    found = await application(read, application_id)
    people = await parties.masked_people(read, [found.party_id])
    return schemas.application_view(found, people[found.party_id], may_request_human_review(found))


async def application_views(
    read: ReadSession,
    *,
    state: ApplicationState | None = None,
    party_id: UUID | None = None,
    before: UUID | None = None,
    limit: int,
) -> list[tuple[UUID, ApplicationView]]:
    """Applications as they are shown with their ids, newest first, of one state or party, older than ``before``."""
    found = await store.applications(read, state, party_id, before, limit)
    people = await parties.masked_people(read, list({one.party_id for one in found}))
    return [(one.id, schemas.application_view(one, people[one.party_id], may_request_human_review(one))) for one in found]


async def is_undecided(read: ReadSession, application_id: UUID) -> bool:
    """Whether the decision is still awaited; one narrow read, for callers who wait."""
    return await store.state_of(read, application_id) in UNDECIDED_STATES
