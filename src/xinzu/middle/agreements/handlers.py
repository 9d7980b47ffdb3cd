"""What agreements hears."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.assets.events import AssetHandedOver
from xinzu.back.billing.events import AccountSettled, LesseeTransferred
from xinzu.front.applications.events import ApplicationApproved, ApplicationCancelled
from xinzu.middle.agreements import api
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork


@on(ApplicationApproved)
async def on_applications_approved(uow: UnitOfWork, events: Sequence[ApplicationApproved]) -> None:
    """Draft the batch."""
    await api.draft_agreements(uow, [api.Draft(event.subject_id, event.party_id, event.channel, event.terms) for event in events])


@on(ApplicationCancelled)
async def on_applications_cancelled(uow: UnitOfWork, events: Sequence[ApplicationCancelled]) -> None:
    """Drop the drafts of the cancelled ones."""
    await api.cancel_of_applications(uow, [event.subject_id for event in events])


@on(AssetHandedOver)
async def on_assets_handed_over(uow: UnitOfWork, events: Sequence[AssetHandedOver]) -> None:
    """The rental begins on the day the device was handed over."""
    await api.commence_agreements(uow, {event.subject_id: (event.asset_id, event.handed_over_on) for event in events})


@on(AccountSettled)
async def on_accounts_settled(uow: UnitOfWork, events: Sequence[AccountSettled]) -> None:
    """Nothing is owed either way any more: the agreement ends."""
    await api.end_agreements(uow, {event.subject_id: event.settled_on for event in events})


@on(LesseeTransferred)
async def on_lessees_transferred(uow: UnitOfWork, events: Sequence[LesseeTransferred]) -> None:
    """Another party took over: it is theirs from now on. The contract document stays the one that was signed."""
    await api.pass_agreements(uow, {event.subject_id: event.party_id for event in events})
