"""What decisions hears."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.billing.events import AccountWrittenOff, ArrearsAged, ArrearsCleared
from xinzu.front.applications.events import ApplicationCancelled, ApplicationSubmitted, HumanReviewRequested
from xinzu.middle.agreements.events import AgreementCancelled, AgreementEnded, AgreementSigned
from xinzu.middle.decisions import api
from xinzu.middle.decisions.events import DecisionMade
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork


@on(ApplicationSubmitted)
async def on_applications_submitted(uow: UnitOfWork, events: Sequence[ApplicationSubmitted]) -> None:
    """Decide the batch."""
    await api.decide_applications(
        uow,
        [
            api.ApplicationToDecide(
                event.subject_id, event.party_id, event.channel, event.terms, event.signals, event.address_key
            )
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
    defaulted = [event for event in events if event.days_past_due >= api.DEFAULT_DAYS]
    await api.note_defaulted(uow, {event.subject_id: event.business_date for event in reversed(defaulted)})
    bad = [event for event in events if event.days_past_due >= api.BAD_DAYS_PAST_DUE]
    await api.note_bad(uow, {event.subject_id: event.business_date for event in reversed(bad)})


@on(AccountWrittenOff)
async def on_accounts_written_off(uow: UnitOfWork, events: Sequence[AccountWrittenOff]) -> None:
    """What is written off went bad, whether it was seen to age or not."""
    await api.note_bad(uow, {event.subject_id: uow.business_date for event in events})


@on(ArrearsCleared)
async def on_arrears_cleared(uow: UnitOfWork, events: Sequence[ArrearsCleared]) -> None:
    await api.note_cleared(uow, [event.subject_id for event in events])


@on(DecisionMade)
async def on_decisions_made(uow: UnitOfWork, events: Sequence[DecisionMade]) -> None:
    """Ask the challengers what they would have decided, and look whether a candidate keeps within its guard rails."""
    made = [event for event in events if event.decided_by == api.DecidedBy.STRATEGY]
    keys = sorted({event.strategy_key for event in made})
    if made:
        await api.shadow_decisions(uow, keys, [event.decision_id for event in made])
        await api.watch_candidates(uow, keys)
