"""What screening hears: what became of applications, who fell behind, which money moved."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.billing.events import AccountWrittenOff, ArrearsAged, ArrearsCleared, ReceiptAllocated, RefundRecorded
from xinzu.front.applications.events import ApplicationApproved, ApplicationCancelled
from xinzu.kernel.ids import Prefix, public_id
from xinzu.middle.agreements.events import AgreementCommenced, AgreementEnded, AgreementSigned
from xinzu.middle.decisions.events import DecisionMade
from xinzu.middle.screening import api
from xinzu.middle.screening.api import Direction, Method, Movement
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork


@on(DecisionMade)
async def on_decisions_made(uow: UnitOfWork, events: Sequence[DecisionMade]) -> None:
    """Only a decline marks the neighbours; a referral is no outcome."""
    declined = [event.subject_id for event in events if event.outcome == "decline"]
    if declined:
        await api.note_declined(uow, declined)


@on(ApplicationApproved)
async def on_applications_approved(uow: UnitOfWork, events: Sequence[ApplicationApproved]) -> None:
    await api.note_approved(uow, [event.subject_id for event in events])


@on(ApplicationCancelled)
async def on_applications_cancelled(uow: UnitOfWork, events: Sequence[ApplicationCancelled]) -> None:
    await api.note_cancelled(uow, [event.subject_id for event in events])


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    await api.name_agreements(uow, {event.subject_id: event.application_id for event in events})


@on(AgreementCommenced)
async def on_agreements_commenced(uow: UnitOfWork, events: Sequence[AgreementCommenced]) -> None:
    await api.note_commenced(uow, {event.application_id: uow.now for event in events})


@on(AgreementEnded)
async def on_agreements_ended(uow: UnitOfWork, events: Sequence[AgreementEnded]) -> None:
    await api.note_ended(uow, {event.application_id: uow.now for event in events})


@on(ArrearsAged)
async def on_arrears_aged(uow: UnitOfWork, events: Sequence[ArrearsAged]) -> None:
    """More than a month behind marks the neighbours."""
    late = {event.party_id for event in events if event.days_past_due > api.OVERDUE_BAD_DAYS}
    if late:
        await api.note_defaulted(uow, sorted(late))


@on(ArrearsCleared)
async def on_arrears_cleared(uow: UnitOfWork, events: Sequence[ArrearsCleared]) -> None:
    await api.note_cured(uow, sorted({event.party_id for event in events}))


@on(AccountWrittenOff)
async def on_accounts_written_off(uow: UnitOfWork, events: Sequence[AccountWrittenOff]) -> None:
    await api.note_defaulted(uow, sorted({event.party_id for event in events}))


@on(ReceiptAllocated)
async def on_receipts_allocated(uow: UnitOfWork, events: Sequence[ReceiptAllocated]) -> None:
    """Whether a provider collected it or it came to the bank. What the event does not say, the cashier does (``api.record_movements``)."""
    await api.note_movements(
        uow,
        [
            Movement(
                source="receipt",
                source_ref=public_id(Prefix.RECEIPT, event.receipt_id),
                party_id=event.party_id,
                agreement_id=event.subject_id,
                direction=Direction.IN,
                method=Method.TRANSFER,
                purpose=event.purpose or "",
                amount_fen=event.amount_fen,
                moved_on=event.received_on or uow.business_date,
            )
            for event in events
            if event.party_id is not None
        ],
    )


@on(RefundRecorded)
async def on_refunds_recorded(uow: UnitOfWork, events: Sequence[RefundRecorded]) -> None:
    await api.note_movements(
        uow,
        [
            Movement(
                source="refund",
                source_ref=public_id(Prefix.REFUND, event.refund_id),
                party_id=event.party_id,
                agreement_id=event.subject_id,
                direction=Direction.OUT,
                method=Method.TRANSFER,
                purpose="refund",
                amount_fen=event.amount_fen,
                moved_on=uow.business_date,
            )
            for event in events
            if event.party_id is not None
        ],
    )
