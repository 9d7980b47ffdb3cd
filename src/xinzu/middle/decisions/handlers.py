"""What decisions hears."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.billing.events import ArrearsAged, ArrearsCleared
from xinzu.front.applications.events import ApplicationCancelled, ApplicationSubmitted, HumanReviewRequested
from xinzu.middle.agreements.events import AgreementCancelled, AgreementEnded, AgreementSigned
from xinzu.middle.decisions import api
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork


@on(ApplicationSubmitted)
async def on_applications_submitted(uow: UnitOfWork, events: Sequence[ApplicationSubmitted]) -> None:
    """Decide the batch."""
    await api.decide_applications(
        uow,
        [
            api.ApplicationToDecide(event.subject_id, event.party_id, event.channel, event.terms, event.signals)
            for event in events
        ],
    )


@on(HumanReviewRequested)
async def on_human_reviews_requested(uow: UnitOfWork, events: Sequence[HumanReviewRequested]) -> None:
    """Put the declined ones before a person."""
    await api.refer_to_person(uow, [event.subject_id for event in events])


@on(ApplicationCancelled)
async def on_applications_cancelled(uow: UnitOfWork, events: Sequence[ApplicationCancelled]) -> None:
    await api.withdraw(uow, [event.subject_id for event in events])


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    """Know the agreement an order runs under, because arrears are told by agreement."""
    await api.name_agreements(uow, {event.application_id: event.subject_id for event in events})


@on(AgreementCancelled)
async def on_agreements_cancelled(uow: UnitOfWork, events: Sequence[AgreementCancelled]) -> None:
    await api.close_exposures(uow, [event.application_id for event in events])


@on(AgreementEnded)
async def on_agreements_ended(uow: UnitOfWork, events: Sequence[AgreementEnded]) -> None:
    await api.close_exposures(uow, [event.application_id for event in events])


@on(ArrearsAged)
async def on_arrears_aged(uow: UnitOfWork, events: Sequence[ArrearsAged]) -> None:
    await api.note_overdue(uow, {event.subject_id: event.business_date for event in events})


@on(ArrearsCleared)
async def on_arrears_cleared(uow: UnitOfWork, events: Sequence[ArrearsCleared]) -> None:
    await api.note_cleared(uow, [event.subject_id for event in events])
