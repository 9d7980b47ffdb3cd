"""Take in believed messages of a provider, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from xinzu.back.payments.commands.mandates import take_in_freezes
from xinzu.back.payments.commands.payments import settle_payments
from xinzu.back.payments.commands.releases import settle_releases
from xinzu.back.payments.model import AttemptState, NotificationOutcome, Payment, Verdict
from xinzu.back.payments.providers.base import Notification, Operation, OperationStatus, OperationType, Trade, TradeStatus
from xinzu.back.payments.store import notifications as store
from xinzu.back.payments.store import payments as payment_store
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import UnitOfWork

_WITHDRAWAL = "fund_auth_operation_cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedNotification:
    """A message whose signature held. ``notification`` is None when its content is not what it should be: ``reason`` says why."""

    notify_id: str
    kind: str
    digest: str
    shown: Mapping[str, str]
    notification: Notification | None
    reason: str | None = None


class NotificationTaken(msgspec.Struct, kw_only=True):
    """What became of a message. ``again`` when it was delivered before."""

    outcome: NotificationOutcome
    reason: str | None
    again: bool


async def record_notifications(uow: UnitOfWork, received: Sequence[ReceivedNotification]) -> list[Outcome[NotificationTaken]]:
    """Record messages and let each new one take effect: a confirmed order, a collected payment, a released rest.

    A message about nothing we know is kept as unmatched; one that contradicts what we know (amount, app, seller) as refused.
    """
    first_of = {item.notify_id: nth for nth, item in reversed(list(enumerate(received)))}
    before = await store.outcomes_of(uow, list(first_of))
    fresh = [item for nth, item in enumerate(received) if first_of[item.notify_id] == nth and item.notify_id not in before]
    judged = await _judge(uow, fresh)
    inserted = await store.insert(
        uow,
        [store.NewNotification(item.notify_id, item.kind, item.digest, *judged[item.notify_id], item.shown) for item in fresh],
    )
    # Every delivery but the one that wrote the row.
    await store.count_deliveries(
        uow,
        [
            item.notify_id
            for nth, item in enumerate(received)
            if item.notify_id not in inserted or first_of[item.notify_id] != nth
        ],
    )
    known = {**before, **judged}
    return [
        NotificationTaken(
            outcome=known[item.notify_id][0],
            reason=known[item.notify_id][1],
            again=item.notify_id not in inserted or first_of[item.notify_id] != nth,
        )
        for nth, item in enumerate(received)
    ]


_Judgement = tuple[NotificationOutcome, str | None]
_ACCEPTED: _Judgement = (NotificationOutcome.ACCEPTED, None)
_UNMATCHED: _Judgement = (NotificationOutcome.UNMATCHED, None)


async def _judge(uow: UnitOfWork, items: Sequence[ReceivedNotification]) -> dict[str, _Judgement]:
    """Decide and act, freezes first: a payment cannot come before its pre-authorisation."""
    judged: dict[str, _Judgement] = {}
    operations: list[tuple[str, Operation]] = []
    trades: list[tuple[str, Trade]] = []
    for item in items:
        if item.notification is None:
            outcome = NotificationOutcome.UNMATCHED if item.reason == "unknown_kind" else NotificationOutcome.REFUSED
            judged[item.notify_id] = (outcome, item.reason)
        elif isinstance(item.notification.fact, Trade):
            trades.append((item.notify_id, item.notification.fact))
        elif item.kind == _WITHDRAWAL and item.notification.fact.type is OperationType.UNFREEZE:
            # The job that asked for the withdrawal learns its outcome itself; the message only confirms it.
            judged[item.notify_id] = _ACCEPTED
        else:
            operations.append((item.notify_id, item.notification.fact))
    judged |= await _take_freezes(uow, [pair for pair in operations if pair[1].type is OperationType.FREEZE])
    judged |= await _take_trades(uow, trades)
    judged |= await _take_releases(uow, [pair for pair in operations if pair[1].type is not OperationType.FREEZE])
    return judged


async def _take_freezes(uow: UnitOfWork, freezes: Sequence[tuple[str, Operation]]) -> dict[str, _Judgement]:
    if not freezes:
        return {}
    contradictions = await take_in_freezes(uow, [operation for _, operation in freezes])
    return {
        notify_id: _UNMATCHED if operation.order_no not in contradictions else _judgement(contradictions[operation.order_no])
        for notify_id, operation in freezes
    }


async def _take_trades(uow: UnitOfWork, trades: Sequence[tuple[str, Trade]]) -> dict[str, _Judgement]:
    if not trades:
        return {}
    known = await payment_store.payments_by_trade_no(uow, [trade.trade_no for _, trade in trades])
    judged: dict[str, _Judgement] = {}
    verdicts = []
    for notify_id, trade in trades:
        payment = known.get(trade.trade_no)
        if payment is None:
            judged[notify_id] = _UNMATCHED
            continue
        reason = _contradiction(payment, trade)
        judged[notify_id] = _judgement(reason)
        verdict = None if reason else verdict_of_trade(payment, trade)
        if verdict is not None:
            verdicts.append(verdict)
    if verdicts:
        await settle_payments(uow, verdicts)
    return judged


async def _take_releases(uow: UnitOfWork, releases: Sequence[tuple[str, Operation]]) -> dict[str, _Judgement]:
    if not releases:
        return {}
    known = await payment_store.releases_by_request_no(uow, [operation.request_no for _, operation in releases])
    judged: dict[str, _Judgement] = {}
    verdicts = []
    for notify_id, operation in releases:
        release = known.get(operation.request_no)
        if release is None:
            judged[notify_id] = _UNMATCHED
            continue
        judged[notify_id] = _judgement("amount_mismatch" if operation.amount_fen != release.amount_fen else None)
        if judged[notify_id] is _ACCEPTED and operation.status is OperationStatus.SUCCEEDED:
            verdicts.append(
                Verdict(
                    id=release.id,
                    state=AttemptState.SUCCEEDED,
                    channel_no=operation.operation_id,
                    occurred_at=operation.occurred_at or uow.now,
                )
            )
    if verdicts:
        await settle_releases(uow, verdicts)
    return judged


def _judgement(reason: str | None) -> _Judgement:
    return _ACCEPTED if reason is None else (NotificationOutcome.REFUSED, reason)


def _contradiction(payment: Payment, trade: Trade) -> str | None:
    if trade.amount_fen != payment.amount_fen:
        return "amount_mismatch"
    if payment.trade_no is not None and payment.trade_no != trade.channel_trade_no:
        return "wrong_trade_no"
    return None


def verdict_of_trade(payment: Payment, trade: Trade) -> Verdict | None:
    """What a message about a trade says of the attempt; None where it says nothing new.

    A closed trade is a failure only while the attempt is open: a collected one is closed by refunding it in full.
    """
    if trade.status in (TradeStatus.SUCCEEDED, TradeStatus.FINISHED):
        return Verdict(id=payment.id, state=AttemptState.SUCCEEDED, channel_no=trade.channel_trade_no, occurred_at=trade.paid_at)
    if trade.status is TradeStatus.CLOSED:
        return Verdict(id=payment.id, state=AttemptState.FAILED, channel_no=trade.channel_trade_no, reason="trade_closed")
    return None
