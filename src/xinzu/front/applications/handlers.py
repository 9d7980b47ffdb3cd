"""What applications hear: decisions, the fate of agreements, withdrawn consents, delivered messages."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.front.applications import api
from xinzu.middle.agreements.events import AgreementCancelled, AgreementDrafted, AgreementEnded, AgreementSigned
from xinzu.middle.decisions.events import DecisionMade
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork
from xinzu.records.parties.events import ConsentWithdrawn, MessageDelivered


@on(DecisionMade)
async def on_decisions_made(uow: UnitOfWork, events: Sequence[DecisionMade]) -> None:
    """Approve, decline or refer."""
    await api.apply_decisions(
        uow,
        [
            api.DecisionTaken(event.subject_id, event.decision_id, event.outcome, event.decided_by, list(event.reason_codes))
            for event in events
        ],
    )


@on(AgreementDrafted)
async def on_agreements_drafted(uow: UnitOfWork, events: Sequence[AgreementDrafted]) -> None:
    """The application names its agreement."""
    await api.follow_drafts(uow, [(event.application_id, event.subject_id) for event in events])


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    """Contracted; the delivery address is fixed under the agreement."""
    await api.follow_signatures(uow, [(event.application_id, event.subject_id) for event in events])


@on(AgreementCancelled)
async def on_agreements_cancelled(uow: UnitOfWork, events: Sequence[AgreementCancelled]) -> None:
    """Cancelled with the agreement."""
    await api.follow_cancellations(uow, [(event.application_id, event.subject_id) for event in events])


@on(AgreementEnded)
async def on_agreements_ended(uow: UnitOfWork, events: Sequence[AgreementEnded]) -> None:
    """Closed with the agreement."""
    await api.follow_ends(uow, [(event.application_id, event.subject_id) for event in events])


@on(ConsentWithdrawn)
async def on_consents_withdrawn(uow: UnitOfWork, events: Sequence[ConsentWithdrawn]) -> None:
    """Stop what rests on the consent, and keep the withdrawal as evidence."""
    await api.stop_after_withdrawal(uow, [(event.subject_id, event.purpose) for event in events])


@on(MessageDelivered)
async def on_messages_delivered(uow: UnitOfWork, events: Sequence[MessageDelivered]) -> None:
    """A delivered notice becomes evidence."""
    await api.record_deliveries(
        uow,
        [
            api.DeliveredMessage(event.message_id, event.subject_id, event.party_id, event.template, event.delivered_at)
            for event in events
        ],
    )
