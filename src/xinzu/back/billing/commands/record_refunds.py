"""Recording money that went back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from xinzu.back.billing.commands import booking, controls, moving
from xinzu.back.billing.errors import AccountMissing, RefundConflict, RefundExceedsCredit
from xinzu.back.billing.events import RefundRecorded
from xinzu.back.billing.model import Funds
from xinzu.back.billing.rules import chart, postings
from xinzu.back.billing.rules.allocation import draw
from xinzu.back.billing.store import accounts, receipts
from xinzu.back.billing.store import controls as recent
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.platform import approvals
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that was given back out of the credit balance, and the account it left. The id names it; it is recorded once."""

    refund_id: UUID
    agreement_id: UUID
    amount_fen: int
    cash: str = chart.CLEARING


@dataclass(frozen=True, slots=True)
class BankRefund:
    """Money that went back by bank transfer, as an operator records it. The bank's reference names it."""

    agreement_id: UUID
    reference: str
    amount_fen: int
    reason: str = ""
    evidence_ref: str = ""


class Refunded(msgspec.Struct, kw_only=True):
    """A refund, and what is still held. ``is_new`` is false when it was recorded before."""

    id: str
    amount_fen: int
    credit_balance_fen: int
    is_new: bool


async def record_bank_refunds(uow: UnitOfWork, given: Sequence[BankRefund]) -> list[Outcome[Refunded]]:
    """Record refunds by bank transfer, one after the other. As ``record_refunds``, against the bank, and kept as evidence.

    Refuses with AccountMissing, RefundConflict when the reference stands for another refund, RefundExceedsCredit, or SecondPersonNeeded
    (``controls.REFUND``).
    """
    outcomes: list[Outcome[Refunded]] = []
    for refund in given:
        try:
            outcomes.append(await _from_bank(uow, refund))
        except Problem as refusal:  # found before anything is written
            outcomes.append(refusal)
    return outcomes


async def record_refunds(uow: UnitOfWork, given: Sequence[Refund]) -> None:
    """Take refunds out of the credit balance, oldest receipt first; AccountSettled when a settling account comes to zero.

    A refund that was recorded before changes nothing. Books credit balance against the clearing account or the bank. Raises AccountMissing,
    or RefundExceedsCredit when more went back than is held: money has left that the books do not owe, so somebody must look.
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
            raise RefundExceedsCredit(
                f"溢缴款余额为 {held_fen} 分，不足 {refund.amount_fen} 分",
                f"The credit balance is {held_fen} fen, less than {refund.amount_fen}",
                held_fen=held_fen,
                refunded_fen=refund.amount_fen,
            )
        for part in draw(left, refund.amount_fen):
            drawn[part.receipt_id] = drawn.get(part.receipt_id, 0) + part.available_fen
    await receipts.insert_refunds(uow, [(refund.refund_id, refund.agreement_id, refund.amount_fen) for refund in fresh], drawn)
    standings = await moving.restate(uow, sorted({refund.agreement_id for refund in fresh}))
    uow.emit(
        *(
            RefundRecorded(
                subject_id=refund.agreement_id,
                refund_id=refund.refund_id,
                amount_fen=refund.amount_fen,
                credit_balance_fen=standings[refund.agreement_id].credit_fen,
                party_id=standings[refund.agreement_id].party_id,
            )
            for refund in fresh
        )
    )
    await moving.close_settled(uow, list(standings.values()))
    await booking.post(
        uow,
        [
            booking.entry(
                "billing.refund",
                refund.refund_id,
                uow.business_date,
                [(refund.agreement_id, postings.refund(refund.amount_fen, refund.cash))],
            )
            for refund in fresh
        ],
    )


async def _from_bank(uow: UnitOfWork, asked: BankRefund) -> Refunded:
    refund_id = uuid5(NAMESPACE_OID, f"xinzu.billing.refund/{uow.tenant_id}/{asked.reference}")
    known = (await receipts.known_refunds(uow, [refund_id])).get(refund_id)
    if known is not None and known != (asked.agreement_id, asked.amount_fen):
        raise RefundConflict
    if known is None:
        await _check(uow, asked)
    await record_refunds(uow, [Refund(refund_id, asked.agreement_id, asked.amount_fen, chart.BANK)])
    if known is None:
        facts = {
            "refund_id": public_id(Prefix.REFUND, refund_id),
            "reference": asked.reference,
            "amount_fen": asked.amount_fen,
            "reason": asked.reason,
            "evidence_ref": asked.evidence_ref,
            "by": str(uow.actor),
        }
        evidence.append(uow, [evidence.Leaf("billing.refund.recorded", asked.agreement_id, facts)])
    account = await accounts.find(uow, asked.agreement_id)
    return Refunded(
        id=public_id(Prefix.REFUND, refund_id),
        amount_fen=asked.amount_fen,
        credit_balance_fen=0 if account is None else account.credit_balance_fen,
        is_new=known is None,
    )


async def _check(uow: UnitOfWork, asked: BankRefund) -> None:
    """Whether so much is held at all comes before who may give it back."""
    account = await accounts.find(uow, asked.agreement_id)
    if account is None or account.credit_balance_fen < asked.amount_fen:
        return  # refused below, with what is held
    lately_fen = await recent.refunded_since_fen(uow, asked.agreement_id, uow.business_date - controls.COUNTED)
    await approvals.check(uow, controls.REFUND, asked.amount_fen, before_fen=lately_fen)
