"""What billing hears. A fact that comes before the one it builds on is refused, and the relay brings it again."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.assets.events import AssetInspected
from xinzu.back.billing import api
from xinzu.back.payments.events import PaymentSucceeded, RefundSucceeded
from xinzu.kernel.outcomes import accepted
from xinzu.middle.agreements.events import AgreementCancelled, AgreementCommenced, AgreementSigned
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork


@on(AgreementSigned)
async def on_agreements_signed(uow: UnitOfWork, events: Sequence[AgreementSigned]) -> None:
    """Open an account for each."""
    await api.open_accounts(
        uow,
        [
            api.Opening(
                agreement_id=signed.subject_id,
                party_id=signed.party_id,
                agreement_no=signed.agreement_no,
                terms=signed.terms,
                signed_on=uow.calendar.business_date(signed.signed_at),
            )
            for signed in events
        ],
    )


@on(AgreementCommenced)
async def on_agreements_commenced(uow: UnitOfWork, events: Sequence[AgreementCommenced]) -> None:
    """Issue the schedules."""
    await api.issue_schedules(uow, [api.Commencement(commenced.subject_id, commenced.commencement_on) for commenced in events])


@on(AgreementCancelled)
async def on_agreements_cancelled(uow: UnitOfWork, events: Sequence[AgreementCancelled]) -> None:
    """Close what was opened for them."""
    await api.call_off_accounts(uow, [cancelled.subject_id for cancelled in events])


@on(PaymentSucceeded)
async def on_payments_succeeded(uow: UnitOfWork, events: Sequence[PaymentSucceeded]) -> None:
    """Record the receipts."""
    outcomes = await api.record_receipts(
        uow,
        [
            api.Receipt(
                agreement_id=paid.subject_id,
                source=api.RECEIPT_SOURCE_PAYMENTS,
                source_ref=str(paid.payment_id),
                purpose=paid.purpose,
                provider=paid.provider,
                provider_trade_no=paid.provider_trade_no,
                amount_fen=paid.amount_fen,
                received_on=uow.calendar.business_date(paid.paid_at),
            )
            for paid in events
        ],
    )
    for outcome in outcomes:
        accepted(outcome)


@on(RefundSucceeded)
async def on_refunds_succeeded(uow: UnitOfWork, events: Sequence[RefundSucceeded]) -> None:
    """Take the refunds out of the credit balances."""
    await api.record_refunds(
        uow, [api.Refund(refunded.refund_id, refunded.subject_id, refunded.amount_fen) for refunded in events]
    )


@on(AssetInspected)
async def on_assets_inspected(uow: UnitOfWork, events: Sequence[AssetInspected]) -> None:
    """Settle the accounts."""
    await api.settle_returns(
        uow,
        [
            api.Return(inspected.subject_id, inspected.inspection_id, inspected.returned_on, inspected.damage_fen)
            for inspected in events
        ],
    )
