"""What assets hears: what was agreed, that the first rent is in, that it is off."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.assets import store
from xinzu.back.assets.commands.deliveries import cancel_deliveries
from xinzu.back.payments.events import PaymentSucceeded
from xinzu.middle.agreements.events import AgreementCancelled, AgreementSigned
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork

FIRST_RENT = "first_rent"


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    """Keep which product goes to whom; nothing leaves the house before the first rent. What is financed comes from a dealer."""
    agreed = {event.subject_id: event for event in events if event.terms.financing is None}
    if not agreed:
        return
    await store.note_agreed(
        uow,
        [
            (event.subject_id, event.party_id, event.terms.product_id, event.terms.product_name, event.terms.device_value_fen)
            for event in agreed.values()
        ],
    )


@on(PaymentSucceeded)
async def on_payments_succeeded(uow: UnitOfWork, events: Sequence[PaymentSucceeded]) -> None:
    """The first rent is in: the delivery waits for a pick."""
    paid = {event.subject_id: event.party_id for event in events if event.purpose == FIRST_RENT}
    if paid:
        await store.note_paid(uow, paid)


@on(AgreementCancelled)
async def on_agreements_cancelled(uow: UnitOfWork, events: Sequence[AgreementCancelled]) -> None:
    """Do not deliver."""
    await cancel_deliveries(uow, {event.subject_id: event.party_id for event in events})
