"""What collections hears from others."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.billing.events import AccountSettled, ArrearsAged, ArrearsCleared, LesseeTransferred
from xinzu.back.collections import api
from xinzu.back.collections.model import Aged
from xinzu.back.devices.events import RestrictionRefused
from xinzu.middle.agreements.events import AgreementSigned
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork
from xinzu.records.parties.events import MessageDelivered, MessageFailed


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    """Messages name an agreement by its number; its family says which ladder it climbs."""
    await api.remember_agreements(uow, [(event.subject_id, event.agreement_no, event.terms.family) for event in events])


@on(ArrearsAged)
async def on_arrears_aged(uow: UnitOfWork, events: Sequence[ArrearsAged]) -> None:
    """A day closed with something overdue: the next rungs, if it is their time."""
    await api.follow_arrears(
        uow,
        [
            Aged(
                agreement_id=event.subject_id,
                party_id=event.party_id,
                business_date=event.business_date,
                days_past_due=event.days_past_due,
                overdue_fen=event.overdue_fen,
            )
            for event in events
        ],
    )


@on(ArrearsCleared)
async def on_arrears_cleared(uow: UnitOfWork, events: Sequence[ArrearsCleared]) -> None:
    """Paid: the case ends."""
    await api.close_cases(uow, [event.subject_id for event in events])


@on(AccountSettled)
async def on_accounts_settled(uow: UnitOfWork, events: Sequence[AccountSettled]) -> None:
    """Nothing is owed at all: the case ends."""
    await api.close_cases(uow, [event.subject_id for event in events])


@on(LesseeTransferred)
async def on_lessees_transferred(uow: UnitOfWork, events: Sequence[LesseeTransferred]) -> None:
    """Another owes what is open: nobody was reminded or noticed yet, so the case of the one before ends and a new one begins."""
    await api.close_cases(uow, [event.subject_id for event in events])


@on(MessageDelivered)
async def on_messages_delivered(uow: UnitOfWork, events: Sequence[MessageDelivered]) -> None:
    """A notice counts from its delivery."""
    await api.note_deliveries(uow, [(event.message_id, event.delivered_at) for event in events])


@on(MessageFailed)
async def on_messages_failed(uow: UnitOfWork, events: Sequence[MessageFailed]) -> None:
    """A notice that did not get through does not count."""
    await api.mark_undelivered(uow, [(event.message_id, event.reason) for event in events])


@on(RestrictionRefused)
async def on_restrictions_refused(uow: UnitOfWork, events: Sequence[RestrictionRefused]) -> None:
    """A restriction that did not happen is not counted as a rung."""
    await api.mark_refused(uow, [(event.subject_id, event.level, event.reason) for event in events])
