"""What payments hears from others."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.billing.events import AccountSettled, DayClosed, InstalmentFellDue, LesseeTransferred, SettlementDetermined
from xinzu.back.payments import api
from xinzu.back.payments.model import PaymentIntent, Purpose
from xinzu.middle.agreements.events import AgreementCancelled, AgreementSigned
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    """A signed rental waits for the customer's pre-authorisation; what is financed is paid by transfer."""
    await api.intend_mandates(
        uow,
        [
            (event.subject_id, event.party_id, event.agreement_no, event.terms)
            for event in events
            if event.terms.financing is None
        ],
    )


@on(AgreementCancelled)
async def on_agreements_cancelled(uow: UnitOfWork, events: Sequence[AgreementCancelled]) -> None:
    """Called off before commencement: everything goes back to the customer."""
    await api.call_off(uow, [event.subject_id for event in events])


@on(InstalmentFellDue)
async def on_instalments_fell_due(uow: UnitOfWork, events: Sequence[InstalmentFellDue]) -> None:
    """What fell due is collected for the first time, where there is a pre-authorisation to collect it from."""
    await api.intend_payments(
        uow,
        [
            PaymentIntent(
                agreement_id=event.subject_id,
                purpose=Purpose.INSTALMENT,
                amount_fen=event.outstanding_fen,
                due_on=event.due_on,
                instalment_id=event.instalment_id,
            )
            for event in events
            if event.outstanding_fen > 0
        ],
    )


@on(DayClosed)
async def on_days_closed(uow: UnitOfWork, events: Sequence[DayClosed]) -> None:
    """A new day: what failed on an earlier one is tried again. The tenant's own date counts, not the closed one."""
    await api.retry_failed(uow)
    await api.release_again(uow)


@on(SettlementDetermined)
async def on_settlements_determined(uow: UnitOfWork, events: Sequence[SettlementDetermined]) -> None:
    """The final balance replaces every open demand: collect it, or give the credit back."""
    await api.stop_retries(uow, [event.subject_id for event in events])
    await api.intend_payments(
        uow,
        [
            PaymentIntent(
                agreement_id=event.subject_id,
                purpose=Purpose.SETTLEMENT,
                amount_fen=event.balance_due_fen,
                due_on=uow.business_date,
            )
            for event in events
            if event.balance_due_fen > 0
        ],
    )
    credits_fen: dict[UUID, int | None] = {
        event.subject_id: event.credit_balance_fen for event in events if event.credit_balance_fen > 0
    }
    if credits_fen:
        await api.intend_refunds(uow, credits_fen, "结清退款")


@on(AccountSettled)
async def on_accounts_settled(uow: UnitOfWork, events: Sequence[AccountSettled]) -> None:
    """Nothing is owed any more: the rest of the pre-authorisation goes back."""
    await api.release_rests(uow, [event.subject_id for event in events])


@on(LesseeTransferred)
async def on_lessees_transferred(uow: UnitOfWork, events: Sequence[LesseeTransferred]) -> None:
    """Another owes from now on: nothing more is taken from the pre-authorisation of the one before, the rest of it goes back."""
    await api.release_rests(uow, [event.subject_id for event in events])
