"""What credit hears: facts about people, orders and money, put on file under whom they concern.

An event carries no instant of its own unless the business gave it one; where it does not, a fact occurred when it was heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from xinzu.back.assets.events import AssetInspected
from xinzu.back.billing.events import (
    AccountSettled,
    AccountWrittenOff,
    ArrearsAged,
    ArrearsCleared,
    InstalmentBecameOverdue,
    InstalmentFellDue,
)
from xinzu.back.collections.events import CaseOpened
from xinzu.back.devices.events import RestrictionApplied
from xinzu.back.payments.events import PaymentFailed, PaymentSucceeded
from xinzu.front.applications.events import ApplicationCancelled
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.middle.agreements.events import AgreementCommenced, AgreementEnded, AgreementSigned
from xinzu.middle.credit import api
from xinzu.middle.credit.api import FactKind, Happening
from xinzu.middle.decisions.events import DecisionMade
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork
from xinzu.records.parties.events import MessageFailed

RESTRICTED_LEVELS = ("limit", "lock")
FINAL = {"approve": FactKind.APPROVED, "decline": FactKind.DECLINED}


@on(DecisionMade)
async def on_decisions_made(uow: UnitOfWork, events: Sequence[DecisionMade]) -> None:
    """A referral is no outcome: the person's decision will be."""
    await api.note(
        uow,
        [
            Happening(
                kind=FINAL[event.outcome],
                subject_id=event.subject_id,
                occurred_at=uow.now,
                attributes={"is_declined": int(event.outcome == "decline"), "decided_by": event.decided_by},
            )
            for event in events
            if event.outcome in FINAL
        ],
    )


@on(ApplicationCancelled)
async def on_applications_cancelled(uow: UnitOfWork, events: Sequence[ApplicationCancelled]) -> None:
    """Only what the customer took back says something of the customer."""
    await api.note(
        uow,
        [
            Happening(kind=FactKind.CANCELLED, subject_id=event.subject_id, occurred_at=uow.now)
            for event in events
            if event.reason == "customer_request"
        ],
    )


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    await api.name_agreements(uow, {event.subject_id: event.application_id for event in events})


@on(AgreementCommenced)
async def on_agreements_commenced(uow: UnitOfWork, events: Sequence[AgreementCommenced]) -> None:
    await api.note(uow, [_plain(FactKind.COMMENCED, event, uow.now) for event in events])


@on(AgreementEnded)
async def on_agreements_ended(uow: UnitOfWork, events: Sequence[AgreementEnded]) -> None:
    await api.note(uow, [_plain(FactKind.ENDED, event, uow.now) for event in events])


@on(InstalmentFellDue)
async def on_instalments_fell_due(uow: UnitOfWork, events: Sequence[InstalmentFellDue]) -> None:
    """An instalment is due until its day is over: the fact occurs then, and whatever comes of it is counted with it."""
    await api.note(uow, _instalments(uow, events, FactKind.INSTALMENT_DUE, FactKind.FIRST_DUE))


@on(InstalmentBecameOverdue)
async def on_instalments_became_overdue(uow: UnitOfWork, events: Sequence[InstalmentBecameOverdue]) -> None:
    """Counted with the day it was due, so that a share of late ones is one of the same instalments."""
    await api.note(uow, _instalments(uow, events, FactKind.INSTALMENT_OVERDUE, FactKind.FIRST_OVERDUE))


@on(ArrearsAged)
async def on_arrears_aged(uow: UnitOfWork, events: Sequence[ArrearsAged]) -> None:
    """Stated of the end of a business date; a close that is late does not make it later than a clearing that came since."""
    await api.note(
        uow,
        [
            Happening(
                kind=FactKind.ARREARS,
                subject_id=event.subject_id,
                party_id=event.party_id,
                occurred_at=min(uow.now, _end_of(uow, event.business_date)),
                attributes={"days": event.days_past_due, "overdue_fen": event.overdue_fen},
            )
            for event in events
        ],
    )


@on(ArrearsCleared)
async def on_arrears_cleared(uow: UnitOfWork, events: Sequence[ArrearsCleared]) -> None:
    await api.note(uow, [_plain(FactKind.CLEARED, event, uow.now) for event in events])


@on(AccountSettled)
async def on_accounts_settled(uow: UnitOfWork, events: Sequence[AccountSettled]) -> None:
    await api.note(uow, [_plain(FactKind.SETTLED, event, uow.now) for event in events])


@on(AccountWrittenOff)
async def on_accounts_written_off(uow: UnitOfWork, events: Sequence[AccountWrittenOff]) -> None:
    await api.note(uow, [_plain(FactKind.WRITTEN_OFF, event, uow.now) for event in events])


@on(PaymentSucceeded)
async def on_payments_succeeded(uow: UnitOfWork, events: Sequence[PaymentSucceeded]) -> None:
    await api.note(
        uow,
        [
            Happening(
                kind=FactKind.PAYMENT_SUCCEEDED,
                subject_id=event.subject_id,
                party_id=event.party_id,
                occurred_at=event.paid_at,
                attributes={"purpose": event.purpose, "amount_fen": event.amount_fen},
            )
            for event in events
        ],
    )


@on(PaymentFailed)
async def on_payments_failed(uow: UnitOfWork, events: Sequence[PaymentFailed]) -> None:
    await api.note(
        uow,
        [
            Happening(
                kind=FactKind.PAYMENT_FAILED,
                subject_id=event.subject_id,
                party_id=event.party_id,
                occurred_at=uow.now,
                attributes={"purpose": event.purpose, "reason": event.reason, "amount_fen": event.amount_fen},
            )
            for event in events
        ],
    )


@on(RestrictionApplied)
async def on_restrictions_applied(uow: UnitOfWork, events: Sequence[RestrictionApplied]) -> None:
    await api.note(
        uow,
        [
            Happening(
                kind=FactKind.RESTRICTED,
                subject_id=event.subject_id,
                occurred_at=event.applied_at,
                attributes={"level": event.level},
            )
            for event in events
            if event.level in RESTRICTED_LEVELS
        ],
    )


@on(AssetInspected)
async def on_assets_inspected(uow: UnitOfWork, events: Sequence[AssetInspected]) -> None:
    await api.note(
        uow,
        [
            Happening(
                kind=FactKind.INSPECTED,
                subject_id=event.subject_id,
                occurred_at=uow.now,
                attributes={"damage_fen": event.damage_fen},
            )
            for event in events
        ],
    )


@on(CaseOpened)
async def on_cases_opened(uow: UnitOfWork, events: Sequence[CaseOpened]) -> None:
    await api.note(uow, [_plain(FactKind.CASE_OPENED, event, uow.now) for event in events])


@on(MessageFailed)
async def on_messages_failed(uow: UnitOfWork, events: Sequence[MessageFailed]) -> None:
    await api.note(uow, [_plain(FactKind.MESSAGE_FAILED, event, uow.now) for event in events])


def _plain(
    kind: FactKind,
    event: AgreementCommenced | AgreementEnded | ArrearsCleared | AccountSettled | AccountWrittenOff | CaseOpened | MessageFailed,
    at: Instant,
) -> Happening:
    return Happening(kind=kind, subject_id=event.subject_id, party_id=event.party_id, occurred_at=at)


def _instalments(
    uow: UnitOfWork, events: Sequence[InstalmentFellDue | InstalmentBecameOverdue], kind: FactKind, kind_of_first: FactKind
) -> list[Happening]:
    """As an instalment, and as the first one, which it may turn out not to be."""
    return [
        Happening(
            kind=each,
            subject_id=event.subject_id,
            party_id=event.party_id,
            occurred_at=_end_of(uow, event.due_on),
            attributes={"number": event.number},
        )
        for event in events
        for each in (kind, kind_of_first)
    ]


def _end_of(uow: UnitOfWork, on_date: BusinessDate) -> Instant:
    return uow.calendar.opening(on_date + timedelta(days=1))
