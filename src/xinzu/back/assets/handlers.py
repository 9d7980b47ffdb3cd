"""What assets hears: what was agreed, that the first rent is in, that it is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from xinzu.back.assets import store
from xinzu.back.assets.commands.books import dispose_assets
from xinzu.back.assets.commands.deliveries import cancel_deliveries
from xinzu.back.assets.model import Disposal, LeavingCause
from xinzu.back.billing.events import AmendmentMade, OwnershipPassed
from xinzu.back.payments.events import PaymentSucceeded
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import BusinessDate
from xinzu.middle.agreements.events import AgreementCancelled, AgreementSigned
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork

FIRST_RENT = "first_rent"
BUYOUT = "buyout"


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


@on(AmendmentMade)
async def on_amendments_made(uow: UnitOfWork, events: Sequence[AmendmentMade]) -> None:
    """A rented thing that its lessee bought is sold: off the register and out of the books from that day."""
    await _sell(uow, {event.subject_id: event.effective_on for event in events if event.kind == BUYOUT})


@on(OwnershipPassed)
async def on_ownership_passed(uow: UnitOfWork, events: Sequence[OwnershipPassed]) -> None:
    """A thing that ended in its lessee's hands is sold: off the register and out of the books from the day after the term."""
    await _sell(uow, {event.subject_id: event.kept_on for event in events})


async def _sell(uow: UnitOfWork, sold: Mapping[UUID, BusinessDate]) -> None:
    """The thing that each agreement holds is the lessee's from a day on; hearing it again changes nothing."""
    for agreement_id, on_day in sold.items():
        asset_id = await store.asset_id_of_agreement(uow, agreement_id)
        if asset_id is not None:
            [outcome] = await dispose_assets(uow, [Disposal(asset_id=asset_id, cause=LeavingCause.SOLD, disposed_on=on_day)])
            accepted(outcome)
