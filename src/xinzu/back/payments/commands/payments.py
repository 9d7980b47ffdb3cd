"""Collect: intend, record what became of it once, try again on the next days, pay actively."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from xinzu.back.payments.commands.releases import release_what_is_due
from xinzu.back.payments.errors import MandateExhausted, MandateNotUsable, MandateUnknown, PaymentUnderWay
from xinzu.back.payments.events import PaymentFailed, PaymentSucceeded
from xinzu.back.payments.model import (
    OPEN_STATES,
    PAYMENT,
    AttemptState,
    Mandate,
    Payment,
    PaymentIntent,
    Purpose,
    Verdict,
)
from xinzu.back.payments.rules.active_payments import purpose_of_active_payment
from xinzu.back.payments.rules.limits import within_rest
from xinzu.back.payments.rules.retries import is_tried_again, shortfalls
from xinzu.back.payments.schemas import ActivePayment, PaymentView
from xinzu.back.payments.store import attempts, mandates
from xinzu.back.payments.store import payments as store
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

log = structlog.get_logger(__name__)

IDS_PER_JOB = 200
EXHAUSTED = "mandate_exhausted"


async def intend_payments(uow: UnitOfWork, intents: Sequence[PaymentIntent]) -> list[UUID]:
    """Write attempts and ask for their execution; returns the ids of those that will be called.

    An intent whose attempt exists, or whose purpose has a payment under way, is skipped: events may come twice. So is one of an
    agreement without a mandate: a financing is paid by transfer. The amount is cut to what is left of the mandate; with nothing left
    the attempt is written as failed, so that it can be seen.
    """
    locked = await mandates.lock_by_agreement(uow, [intent.agreement_id for intent in intents])
    usable: list[PaymentIntent] = []
    for intent in intents:
        mandate = locked.get(intent.agreement_id)
        if mandate is None:
            continue
        if not mandate.is_collectable:
            log.warning("nothing to collect from", agreement_id=str(intent.agreement_id), purpose=intent.purpose)
        else:
            usable.append(intent)
    if not usable:
        return []
    skipped = await store.standing(uow, usable)
    fresh = list({intent.key: intent for nth, intent in enumerate(usable) if nth not in skipped}.values())
    return await _write(uow, fresh, locked)


async def _write(uow: UnitOfWork, intents: Sequence[PaymentIntent], locked: dict[UUID, Mandate]) -> list[UUID]:
    """Insert attempts under locks that are held, enqueue their execution."""
    if not intents:
        return []
    granted = within_rest(
        [(locked[intent.agreement_id].id, intent.amount_fen) for intent in intents],
        {mandate.id: mandate.rest_fen for mandate in locked.values()},
    )
    written = []
    for intent, amount_fen in zip(intents, granted, strict=True):
        id_ = new_id()
        mandate = locked[intent.agreement_id]
        written.append(
            store.NewPayment(
                id=id_,
                mandate_id=mandate.id,
                party_id=mandate.party_id,
                intent=intent,
                amount_fen=amount_fen or intent.amount_fen,
                out_trade_no=public_id(Prefix.PAYMENT, id_),
                state=AttemptState.INTENDED if amount_fen else AttemptState.FAILED,
                failure_code=None if amount_fen else EXHAUSTED,
            )
        )
    await store.insert_payments(uow, written)
    for new in written:
        if new.state is AttemptState.FAILED:
            uow.emit(
                PaymentFailed(
                    subject_id=new.intent.agreement_id,
                    payment_id=new.id,
                    party_id=new.party_id,
                    purpose=new.intent.purpose,
                    amount_fen=new.amount_fen,
                    attempt=new.intent.attempt,
                    reason=EXHAUSTED,
                )
            )
    ids = [new.id for new in written if new.state is AttemptState.INTENDED]
    for start in range(0, len(ids), IDS_PER_JOB):
        uow.enqueue("payments.execute_payments", {"payment_ids": [str(id_) for id_ in ids[start : start + IDS_PER_JOB]]})
    return ids


async def settle_payments(uow: UnitOfWork, verdicts: Sequence[Verdict]) -> None:
    """Record what became of attempts; each settles once, whether the answer, a notification or a query brings the news first.

    Success is booked on the mandate, stated as PaymentSucceeded and left as evidence; failure is stated as PaymentFailed and marked
    for the next business day where another attempt is due; unknown is asked for again shortly.
    """
    owners = await mandates.lock_owners(uow, attempts.Kind.PAYMENT, [verdict.id for verdict in verdicts])
    standing = await store.payments_by_id(uow, [verdict.id for verdict in verdicts])
    moved: list[tuple[Payment, Verdict]] = []
    for verdict in {verdict.id: verdict for verdict in verdicts}.values():
        payment = standing.get(verdict.id)
        if payment is not None and PAYMENT.allows(payment.state, verdict.state):
            moved.append((payment, verdict))
    if not moved:
        return
    await attempts.record(uow, attempts.Kind.PAYMENT, [verdict for _, verdict in moved])
    succeeded = [(payment, verdict) for payment, verdict in moved if verdict.state is AttemptState.SUCCEEDED]
    failed = [(payment, verdict) for payment, verdict in moved if verdict.state is AttemptState.FAILED]
    unknown = [payment for payment, verdict in moved if verdict.state is AttemptState.UNKNOWN]
    await _succeed(uow, succeeded, owners)
    await _fail(uow, failed)
    if unknown:
        uow.enqueue(
            "payments.resolve_payments", {"payment_ids": [str(payment.id) for payment in unknown]}, after=attempts.RESOLVE_AFTER
        )
    settled = {payment.mandate_id for payment, _ in (*succeeded, *failed)}
    await release_what_is_due(uow, [id_ for id_ in settled if owners[id_].release_due_since is not None])


async def _succeed(uow: UnitOfWork, succeeded: Sequence[tuple[Payment, Verdict]], owners: dict[UUID, Mandate]) -> None:
    if not succeeded:
        return
    collected_fen: dict[UUID, int] = {}
    leaves = []
    for payment, verdict in succeeded:
        collected_fen[payment.mandate_id] = collected_fen.get(payment.mandate_id, 0) + payment.amount_fen
        paid_at = verdict.occurred_at or uow.now
        uow.emit(
            PaymentSucceeded(
                subject_id=payment.agreement_id,
                payment_id=payment.id,
                party_id=payment.party_id,
                purpose=payment.purpose,
                amount_fen=payment.amount_fen,
                provider=owners[payment.mandate_id].provider,
                provider_trade_no=verdict.channel_no or "",
                paid_at=paid_at,
            )
        )
        leaves.append(
            evidence.Leaf(
                "payments.payment.succeeded",
                payment.agreement_id,
                {
                    "payment_id": str(payment.id),
                    "purpose": payment.purpose.value,
                    "amount_fen": payment.amount_fen,
                    "out_trade_no": payment.out_trade_no,
                    "provider": owners[payment.mandate_id].provider.value,
                    "provider_trade_no": verdict.channel_no or "",
                    "paid_at": paid_at.isoformat(),
                },
            )
        )
    evidence.append(uow, leaves)
    await mandates.add_collected(uow, collected_fen)
    # Money that came in after everything was settled goes back when billing says so: two who decide it would pay it back twice.
    await store.set_to_retry(uow, [payment.id for payment, _ in succeeded], False)


async def _fail(uow: UnitOfWork, failed: Sequence[tuple[Payment, Verdict]]) -> None:
    for payment, verdict in failed:
        uow.emit(
            PaymentFailed(
                subject_id=payment.agreement_id,
                payment_id=payment.id,
                party_id=payment.party_id,
                purpose=payment.purpose,
                amount_fen=payment.amount_fen,
                attempt=payment.attempt,
                reason=verdict.reason or "",
            )
        )
    again = [payment.id for payment, _ in failed if is_tried_again(payment.purpose, payment.attempt)]
    if again:
        await store.set_to_retry(uow, again, True)


async def retry_failed(uow: UnitOfWork) -> None:
    """The day's turn: attempts that failed on an earlier business day are made again, for what is still missing."""
    today = uow.business_date
    agreements = await store.agreements_to_retry(uow, today)
    if not agreements:
        return
    locked = await mandates.lock_by_agreement(uow, agreements)
    waiting = await store.to_retry(uow, agreements, today)
    demands = await store.demands_of(uow, agreements)
    arrears_fen = await store.arrears_paid(uow, agreements)
    missing = {agreement: shortfalls(demands.get(agreement, ()), arrears_fen.get(agreement, 0)) for agreement in agreements}
    intents = []
    for payment in waiting:
        amount_fen = payment.amount_fen
        if payment.instalment_id is not None:
            amount_fen = missing[payment.agreement_id][payment.instalment_id]
        if amount_fen > 0 and locked[payment.agreement_id].is_collectable:
            intents.append(
                PaymentIntent(
                    agreement_id=payment.agreement_id,
                    purpose=payment.purpose,
                    amount_fen=amount_fen,
                    due_on=payment.due_on,
                    instalment_id=payment.instalment_id,
                    attempt=payment.attempt + 1,
                )
            )
    await store.set_to_retry(uow, [payment.id for payment in waiting], False)
    await intend_payments(uow, intents)


async def pay_actively(uow: UnitOfWork, requests: Sequence[ActivePayment]) -> list[Outcome[PaymentView]]:
    """A customer pays out of the pre-authorisation now: a first rent or settlement that failed before, else arrears.

    Refuses with MandateUnknown, MandateNotUsable, MandateExhausted, PaymentUnderWay, or Invalid naming ``amount_fen``.
    """
    locked = await mandates.lock_by_agreement(uow, [request.agreement_id for request in requests])
    newest = await store.newest_by_purpose(uow, [request.agreement_id for request in requests])
    taken: set[UUID] = set()
    outcomes: list[PaymentIntent | Problem] = []
    for request in requests:
        mandate = locked.get(request.agreement_id)
        if mandate is None:
            outcomes.append(MandateUnknown())
        elif request.agreement_id in taken:
            outcomes.append(PaymentUnderWay())
        else:
            outcome = _active_intent(uow, request, mandate, newest)
            if isinstance(outcome, PaymentIntent):
                taken.add(request.agreement_id)
            outcomes.append(outcome)
    intents = [outcome for outcome in outcomes if isinstance(outcome, PaymentIntent)]
    ids = await _write(uow, intents, locked)
    superseded = [
        newest[intent.agreement_id, intent.purpose].id for intent in intents if (intent.agreement_id, intent.purpose) in newest
    ]
    if superseded:
        await store.set_to_retry(uow, superseded, False)
    written = await store.payments_by_id(uow, ids)
    views = iter([PaymentView.of(written[id_]) for id_ in ids])
    return [outcome if isinstance(outcome, Problem) else next(views) for outcome in outcomes]


def _active_intent(
    uow: UnitOfWork, request: ActivePayment, mandate: Mandate, newest: dict[tuple[UUID, Purpose], Payment]
) -> PaymentIntent | Problem:
    if not mandate.is_collectable:
        return MandateNotUsable()
    if mandate.rest_fen <= 0:
        return MandateExhausted()
    of_agreement = {purpose: payment for (agreement, purpose), payment in newest.items() if agreement == request.agreement_id}
    purpose = purpose_of_active_payment({purpose: payment.state for purpose, payment in of_agreement.items()})
    last = of_agreement.get(purpose)
    if last is not None and last.state in OPEN_STATES:
        return PaymentUnderWay()
    amount_fen = request.amount_fen
    if purpose is not Purpose.ARREARS and last is not None:
        if amount_fen is not None and amount_fen != last.amount_fen:
            return Invalid.field(
                "/amount_fen",
                "payments.amount_differs",
                f"待付金额为 {last.amount_fen} 分，请按此金额支付或不填金额",
                f"What is to be paid is {last.amount_fen} fen: give that amount or none",
            )
        amount_fen = last.amount_fen
    if amount_fen is None:
        return Invalid.field(
            "/amount_fen",
            "payments.amount_required",
            "请填写要支付的欠款金额（分）",
            "Give the amount of the arrears to pay, in fen",
        )
    if amount_fen > mandate.rest_fen:
        return Invalid.field(
            "/amount_fen",
            "payments.amount_exceeds_mandate",
            f"金额超过预授权剩余额度 {mandate.rest_fen} 分，请减少金额",
            f"The amount exceeds the {mandate.rest_fen} fen left of the pre-authorisation: give less",
        )
    return PaymentIntent(
        agreement_id=request.agreement_id,
        purpose=purpose,
        amount_fen=amount_fen,
        due_on=last.due_on if last is not None and purpose is not Purpose.ARREARS else uow.business_date,
        attempt=last.attempt + 1 if last is not None else 1,
    )
