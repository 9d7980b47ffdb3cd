"""Recording money that went back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.errors import AccountMissing, RefundExceedsCredit
from xinzu.back.billing.model import Funds
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.allocation import draw
from xinzu.back.billing.store import accounts, receipts
from xinzu.platform.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that was given back out of the credit balance. The id names it; it is recorded once."""

    refund_id: UUID
    agreement_id: UUID
    amount_fen: int


async def record_refunds(uow: UnitOfWork, given: Sequence[Refund]) -> None:
    """Take refunds out of the credit balance, oldest receipt first; AccountSettled when a settling account comes to zero.

    A refund that was recorded before changes nothing. Books credit balance against the clearing account. Raises AccountMissing, or
    RefundExceedsCredit when more went back than is held: money has left that the books do not owe, so somebody must look.
    """
    by_id = {refund.refund_id: refund for refund in given}
    agreement_ids = sorted({refund.agreement_id for refund in by_id.values()})
    if len(await accounts.lock(uow, agreement_ids)) < len(agreement_ids):
        raise AccountMissing
    known = await receipts.known_refunds(uow, list(by_id))
    fresh = [refund for refund in by_id.values() if refund.refund_id not in known]
    if not fresh:
        return
    funds = await receipts.available(uow, agreement_ids)
    drawn: dict[UUID, int] = {}
    for refund in fresh:
        left = [
            Funds(fund.receipt_id, fund.available_fen - drawn.get(fund.receipt_id, 0))
            for fund in funds.get(refund.agreement_id, [])
        ]
        held_fen = sum(fund.available_fen for fund in left)
        if held_fen < refund.amount_fen:
            raise RefundExceedsCredit(held_fen=held_fen, refunded_fen=refund.amount_fen)
        for part in draw(left, refund.amount_fen):
            drawn[part.receipt_id] = drawn.get(part.receipt_id, 0) + part.available_fen
    await receipts.insert_refunds(uow, [(refund.refund_id, refund.agreement_id, refund.amount_fen) for refund in fresh], drawn)
    standings = await moving.restate(uow, sorted({refund.agreement_id for refund in fresh}))
    await moving.close_settled(uow, list(standings.values()))
    await booking.post(
        uow,
        [
            booking.entry(
                "billing.refund", refund.refund_id, uow.business_date, [(refund.agreement_id, postings.refund(refund.amount_fen))]
            )
            for refund in fresh
        ],
    )
