"""Give collected money back, trade by trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from xinzu.back.payments.events import RefundSucceeded
from xinzu.back.payments.model import REFUND, AttemptState, Verdict
from xinzu.back.payments.rules.refunds import split_refund
from xinzu.back.payments.store import attempts, mandates
from xinzu.back.payments.store import payments as store
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

log = structlog.get_logger(__name__)


async def intend_refunds(uow: UnitOfWork, amounts_fen: Mapping[UUID, int | None], reason: str) -> None:
    """Refund an amount per agreement (None: everything collected) out of its newest payments, and ask for the execution.

    What came in without a mandate was a transfer and goes back as one, from billing's door: nothing is done here.
    """
    locked = await mandates.lock_by_agreement(uow, list(amounts_fen))
    refundable = await store.refundable(uow, list(locked))
    refunds = []
    for agreement_id, mandate in locked.items():
        amount_fen = amounts_fen[agreement_id]
        paid = refundable.get(agreement_id, [])
        available = [(payment.id, payment.amount_fen - payment.refunded_fen) for payment in paid]
        total_fen = sum(fen for _, fen in available)
        wanted_fen = total_fen if amount_fen is None else amount_fen
        if wanted_fen > total_fen:
            log.warning(
                "refund exceeds what was collected", agreement_id=str(agreement_id), wanted_fen=wanted_fen, total_fen=total_fen
            )
        for payment_id, part_fen in split_refund(available, wanted_fen):
            id_ = new_id()
            refunds.append(
                store.NewRefund(
                    id=id_,
                    payment_id=payment_id,
                    mandate_id=mandate.id,
                    agreement_id=agreement_id,
                    party_id=mandate.party_id,
                    amount_fen=part_fen,
                    out_request_no=public_id(Prefix.REFUND, id_),
                    reason=reason,
                )
            )
    if refunds:
        await store.insert_refunds(uow, refunds)
        uow.enqueue("payments.execute_refunds", {"ids": [str(refund.id) for refund in refunds]})


async def settle_refunds(uow: UnitOfWork, verdicts: Sequence[Verdict]) -> None:
    """Record what became of refunds, each once. Success is stated as RefundSucceeded and left as evidence."""
    await mandates.lock_owners(uow, attempts.Kind.REFUND, [verdict.id for verdict in verdicts])
    standing = await store.refunds_by_id(uow, [verdict.id for verdict in verdicts])
    moved = {
        verdict.id: verdict
        for verdict in verdicts
        if verdict.id in standing and REFUND.allows(standing[verdict.id].state, verdict.state)
    }
    if not moved:
        return
    await attempts.record(uow, attempts.Kind.REFUND, list(moved.values()))
    undone: list[tuple[UUID, int]] = []
    unknown = []
    for id_, verdict in moved.items():
        refund = standing[id_]
        if verdict.state is AttemptState.UNKNOWN:
            unknown.append(str(id_))
        elif verdict.state is AttemptState.FAILED:
            log.error("refund refused", refund_id=str(id_), reason=verdict.reason)
            undone.append((refund.payment_id, -refund.amount_fen))
        else:
            if refund.state is AttemptState.FAILED:
                undone.append((refund.payment_id, refund.amount_fen))
            uow.emit(
                RefundSucceeded(
                    subject_id=refund.agreement_id, refund_id=id_, party_id=refund.party_id, amount_fen=refund.amount_fen
                )
            )
            evidence.append(
                uow,
                [
                    evidence.Leaf(
                        "payments.refund.succeeded",
                        refund.agreement_id,
                        {"refund_id": str(id_), "payment_id": str(refund.payment_id), "amount_fen": refund.amount_fen},
                    )
                ],
            )
    if undone:
        await store.change_refunded(uow, undone)
    if unknown:
        uow.enqueue("payments.resolve_refunds", {"ids": unknown}, after=attempts.RESOLVE_AFTER)
