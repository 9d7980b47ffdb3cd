"""Where the provider is called: claim and commit, call outside any transaction, record the outcome.

A claim is committed before its call, so each call is made by one worker; a worker that dies leaves ``calling`` behind, which the
sweep resolves like any unknown outcome: ask, and where the provider knows nothing, repeat under the same number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from xinzu.back.payments.channels import alipay_of
from xinzu.back.payments.commands.mandates import take_in_freezes
from xinzu.back.payments.commands.payments import settle_payments
from xinzu.back.payments.commands.refunds import settle_refunds
from xinzu.back.payments.commands.releases import settle_releases, settle_withdrawals
from xinzu.back.payments.model import AttemptState, Purpose, Verdict
from xinzu.back.payments.providers.alipay import AlipayChannel
from xinzu.back.payments.providers.base import (
    CollectOrder,
    Operation,
    OperationStatus,
    OperationType,
    Refund,
    RefundOrder,
    Trade,
    TradeStatus,
)
from xinzu.back.payments.store import attempts, mandates
from xinzu.back.payments.store.attempts import Call, Kind
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron, job
from xinzu.platform.providers import Failed, Ok, ProviderResult, Unknown
from xinzu.platform.runtime import Runtime
from xinzu.platform.uow import UnitOfWork

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")
Ask = Callable[[AlipayChannel, Call], Awaitable[Verdict]]
Settle = Callable[[UnitOfWork, Sequence[Verdict]], Awaitable[None]]

PARALLEL_MAX = 20
SILENT_AFTER = timedelta(seconds=30)  # longer than any call may take: its caller is gone
SWEEP_MAX = 500
CHECK_EVERY = timedelta(minutes=10)  # an order nobody confirmed is looked up this often,
CHECK_FOR = timedelta(days=15)  # for as long as Alipay lets an order live

_PURPOSE_TITLES = {
    Purpose.FIRST_RENT: "首期租金",
    Purpose.INSTALMENT: "租金",
    Purpose.ARREARS: "补缴租金",
    Purpose.SETTLEMENT: "结清款",
}
_RESOLVE = {
    Kind.PAYMENT: ("payments.resolve_payments", "payment_ids"),
    Kind.RELEASE: ("payments.resolve_releases", "ids"),
    Kind.REFUND: ("payments.resolve_refunds", "ids"),
}
# The provider's way of saying that a call never arrived, so that it must be made again under the same number.
NEVER_ARRIVED = frozenset({"ACQ.TRADE_NOT_EXIST", "AUTH_ORDER_NOT_EXIST", "AUTH_OPERATION_NOT_EXIST", "REFUND_NOT_EXIST"})


@job("payments.execute_payments")
async def execute_payments(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Make the first call of intended payments."""
    await _execute(runtime, tenant_id, Kind.PAYMENT, arguments["payment_ids"], _collect, settle_payments)


@job("payments.resolve_payments")
async def resolve_payments(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Ask what became of payments of unknown outcome."""
    await _resolve(runtime, tenant_id, Kind.PAYMENT, arguments["payment_ids"], _query_trade, settle_payments)


@job("payments.execute_releases")
async def execute_releases(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Make the first call of intended releases."""
    await _execute(runtime, tenant_id, Kind.RELEASE, arguments["ids"], _unfreeze, settle_releases)


@job("payments.resolve_releases")
async def resolve_releases(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Ask what became of releases of unknown outcome."""
    await _resolve(runtime, tenant_id, Kind.RELEASE, arguments["ids"], _query_release, settle_releases)


@job("payments.execute_refunds")
async def execute_refunds(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Make the first call of intended refunds."""
    await _execute(runtime, tenant_id, Kind.REFUND, arguments["ids"], _refund, settle_refunds)


@job("payments.resolve_refunds")
async def resolve_refunds(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Ask what became of refunds of unknown outcome."""
    await _resolve(runtime, tenant_id, Kind.REFUND, arguments["ids"], _query_refund, settle_refunds)


@job("payments.withdraw_mandates")
async def withdraw_mandates(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Withdraw orders of called-off agreements that the customer has not confirmed. What stays unknown, the sweep brings back."""
    async with runtime.reading(tenant_id) as read:
        channel = await alipay_of(runtime, read)
        orders = await mandates.orders_of(read, _uuids(arguments["mandate_ids"]))

    async def withdraw(order: tuple[UUID, str, str]) -> tuple[UUID, str | None, bool] | None:
        mandate_id, order_no, request_no = order
        result = await channel.cancel(order_no, request_no, "合同取消")
        if isinstance(result, Ok):
            return mandate_id, result.value.auth_no, result.value.was_frozen
        if isinstance(result, Failed) and result.code in NEVER_ARRIVED:
            return mandate_id, None, False
        log.warning("pre-authorisation not withdrawn", mandate_id=str(mandate_id), outcome=type(result).__name__)
        return None

    withdrawn = [item for item in await _in_parallel(orders, withdraw) if item is not None]
    async with runtime.unit(tenant_id, system_actor("payments.withdraw_mandates")) as uow:
        await settle_withdrawals(uow, withdrawn)


@job("payments.query_mandates")
async def query_mandates(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Look up orders whose confirmation may have been lost on the way to us."""
    async with runtime.reading(tenant_id) as read:
        channel = await alipay_of(runtime, read)
        orders = await mandates.orders_of(read, _uuids(arguments["mandate_ids"]))

    async def query(order: tuple[UUID, str, str]) -> Operation | None:
        result = await channel.query_operation(order[1], order[2], OperationType.FREEZE)
        return result.value if isinstance(result, Ok) else None

    found = [operation for operation in await _in_parallel(orders, query) if operation is not None]
    async with runtime.unit(tenant_id, system_actor("payments.query_mandates")) as uow:
        for order_no, contradiction in (await take_in_freezes(uow, found)).items():
            if contradiction is not None:
                log.error("order contradicts its mandate", order_no=order_no, reason=contradiction)


@cron("payments.sweep", "* * * * *")
async def sweep(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Bring back what was left lying: calls never made, outcomes never learnt, confirmations and withdrawals never heard of."""
    async with runtime.unit(tenant_id, system_actor("payments.sweep")) as uow:
        before = uow.now - SILENT_AFTER
        for kind, noun, key in (
            (Kind.PAYMENT, "payments", "payment_ids"),
            (Kind.RELEASE, "releases", "ids"),
            (Kind.REFUND, "refunds", "ids"),
        ):
            to_execute, to_resolve = await attempts.stale(uow, kind, before, SWEEP_MAX)
            if to_execute:
                uow.enqueue(f"payments.execute_{noun}", {key: [str(id_) for id_ in to_execute]})
            if to_resolve:
                uow.enqueue(f"payments.resolve_{noun}", {key: [str(id_) for id_ in to_resolve]})
        silent = await mandates.take_turn_to_check(uow, uow.now - CHECK_FOR, uow.now - CHECK_EVERY, SWEEP_MAX)
        if silent:
            uow.enqueue("payments.query_mandates", {"mandate_ids": [str(id_) for id_ in silent]})
        called_off = await mandates.to_withdraw(uow, SWEEP_MAX)
        if called_off:
            uow.enqueue("payments.withdraw_mandates", {"mandate_ids": [str(id_) for id_ in called_off]})


async def _execute(runtime: Runtime, tenant_id: int, kind: Kind, ids: Sequence[str], ask: Ask, settle: Settle) -> None:
    async with runtime.unit(tenant_id, system_actor("payments.execute")) as uow:
        channel = await alipay_of(runtime, uow)
        calls = await attempts.claim(uow, kind, _uuids(ids))
        # This job runs again when its worker was killed between claim and outcome: ask as soon as that is certain.
        claimed = {call.id for call in calls}
        left = await attempts.calling(uow, kind, [id_ for id_ in _uuids(ids) if id_ not in claimed])
        if left:
            job_name, key = _RESOLVE[kind]
            uow.enqueue(job_name, {key: [str(id_) for id_ in left]}, after=SILENT_AFTER)
    await _ask_and_settle(runtime, tenant_id, channel, calls, ask, settle)


async def _resolve(runtime: Runtime, tenant_id: int, kind: Kind, ids: Sequence[str], ask: Ask, settle: Settle) -> None:
    async with runtime.unit(tenant_id, system_actor("payments.resolve")) as uow:
        channel = await alipay_of(runtime, uow)
        calls = await attempts.claim_unresolved(uow, kind, _uuids(ids), uow.now - SILENT_AFTER)
    await _ask_and_settle(runtime, tenant_id, channel, calls, ask, settle)


async def _ask_and_settle(
    runtime: Runtime, tenant_id: int, channel: AlipayChannel, calls: Sequence[Call], ask: Ask, settle: Settle
) -> None:
    if not calls:
        return
    verdicts = await _in_parallel(calls, lambda call: ask(channel, call))
    async with runtime.unit(tenant_id, system_actor("payments.settle")) as uow:
        await settle(uow, verdicts)


async def _in_parallel(items: Sequence[T], call: Callable[[T], Awaitable[R]]) -> list[R]:
    """Call for each item, a bounded number at a time, results in order."""
    room = asyncio.Semaphore(PARALLEL_MAX)

    async def one(item: T) -> R:
        async with room:
            return await call(item)

    return list(await asyncio.gather(*(one(item) for item in items)))


async def _collect(channel: AlipayChannel, call: Call) -> Verdict:
    order = CollectOrder(
        trade_no=call.our_no,
        auth_no=call.auth_no,
        title=f"{call.title} {_PURPOSE_TITLES[Purpose(call.reason)]}",
        amount_fen=call.amount_fen,
        payer_id=call.payer_id,
    )
    return _trade_verdict(call, await channel.collect(order))


async def _query_trade(channel: AlipayChannel, call: Call) -> Verdict:
    result = await channel.query_trade(call.our_no)
    if isinstance(result, Failed) and result.code in NEVER_ARRIVED:
        return await _collect(channel, call)
    if isinstance(result, Failed):
        return _unknown(call, result.code)
    return _trade_verdict(call, result)


def _trade_verdict(call: Call, result: ProviderResult[Trade]) -> Verdict:
    if isinstance(result, Ok):
        trade = result.value
        if trade.amount_fen != call.amount_fen:
            return _unknown(call, "amount_mismatch")
        if trade.status in (TradeStatus.SUCCEEDED, TradeStatus.FINISHED):
            return Verdict(id=call.id, state=AttemptState.SUCCEEDED, channel_no=trade.channel_trade_no, occurred_at=trade.paid_at)
        if trade.status is TradeStatus.WAITING:
            return _unknown(call, "waiting")
        return Verdict(id=call.id, state=AttemptState.FAILED, channel_no=trade.channel_trade_no, reason="trade_closed")
    return _no_success(call, result)


async def _unfreeze(channel: AlipayChannel, call: Call) -> Verdict:
    return _release_verdict(call, await channel.unfreeze(call.auth_no, call.our_no, call.amount_fen, "解冻剩余额度"))


async def _query_release(channel: AlipayChannel, call: Call) -> Verdict:
    result = await channel.query_operation(call.order_no, call.our_no, OperationType.UNFREEZE)
    if isinstance(result, Failed) and result.code in NEVER_ARRIVED:
        return await _unfreeze(channel, call)
    if isinstance(result, Failed):
        return _unknown(call, result.code)
    return _release_verdict(call, result)


def _release_verdict(call: Call, result: ProviderResult[Operation]) -> Verdict:
    if isinstance(result, Ok):
        operation = result.value
        if operation.amount_fen != call.amount_fen:
            return _unknown(call, "amount_mismatch")
        if operation.status is OperationStatus.SUCCEEDED:
            return Verdict(
                id=call.id,
                state=AttemptState.SUCCEEDED,
                channel_no=operation.operation_id,
                occurred_at=operation.occurred_at,
            )
        if operation.status is OperationStatus.INITIAL:
            return _unknown(call, "waiting")
        return Verdict(id=call.id, state=AttemptState.FAILED, reason="operation_closed")
    return _no_success(call, result)


async def _refund(channel: AlipayChannel, call: Call) -> Verdict:
    order = RefundOrder(trade_no=call.trade_no or "", request_no=call.our_no, amount_fen=call.amount_fen, reason=call.reason)
    return _refund_verdict(call, await channel.refund(order))


async def _query_refund(channel: AlipayChannel, call: Call) -> Verdict:
    result = await channel.query_refund(call.trade_no or "", call.our_no)
    if isinstance(result, Failed) and result.code in NEVER_ARRIVED:
        return await _refund(channel, call)
    if isinstance(result, Failed):
        return _unknown(call, result.code)
    return _refund_verdict(call, result)


def _refund_verdict(call: Call, result: ProviderResult[Refund]) -> Verdict:
    if isinstance(result, Ok):
        return Verdict(id=call.id, state=AttemptState.SUCCEEDED, occurred_at=result.value.occurred_at)
    return _no_success(call, result)


def _no_success(call: Call, result: Failed | Unknown) -> Verdict:
    if isinstance(result, Failed):
        return Verdict(id=call.id, state=AttemptState.FAILED, reason=result.code)
    return _unknown(call, result.reason)


def _unknown(call: Call, reason: str) -> Verdict:
    return Verdict(id=call.id, state=AttemptState.UNKNOWN, reason=reason)


def _uuids(ids: Sequence[str]) -> list[UUID]:
    return [UUID(id_) for id_ in ids]
