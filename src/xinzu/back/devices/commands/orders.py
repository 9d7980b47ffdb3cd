"""Ordering levels: guarded when they restrict, at once when they free, repeated while a device is not where it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from xinzu.back.devices import signing, store
from xinzu.back.devices.errors import DeviceUnknown, NotBound, RestrictionNotAllowed
from xinzu.back.devices.events import RestrictionOrdered, RestrictionRefused
from xinzu.back.devices.model import Command, HoldKind, HoldRequest, Level, LevelOrder, LevelRequest, Reason, Situation
from xinzu.back.devices.rules.commands import command_body
from xinzu.back.devices.rules.guards import expires_at, is_within_hours, refusal_of
from xinzu.back.devices.schemas import HoldView, OrderView
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import Instant
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

GAPS_MAX = 500
QUIET_AFTER_REFUSAL = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A level asked for an agreement's device, with the notice that came before and the case it belongs to."""

    agreement_id: UUID
    level: str
    legal_basis: str
    notice_message_id: UUID | None = None
    case_id: UUID | None = None


async def order_levels(uow: UnitOfWork, orders: Sequence[LevelOrder]) -> dict[UUID, UUID]:
    """Make each level the desired one of its device (one order per device): sign, supersede, write, wake the gateway.

    The guards come before this. Returns the command ids by device. Emits RestrictionOrdered and writes evidence, except for an order
    that only renews one whose time ran out.
    """
    if not orders:
        return {}
    devices = await store.lock_devices(uow, [order.device_id for order in orders])
    signer = (await signing.signers_of(uow))[0]
    new: list[store.NewCommand] = []
    for order in orders:
        device = devices[order.device_id]
        until = expires_at(order.level, uow.now, uow.calendar.zone)
        command_id, counter = new_id(), device.desired_counter + 1
        body = command_body(
            tenant_id=uow.tenant_id,
            device_id=device.id,
            command_id=command_id,
            level=order.level,
            counter=counter,
            issued_at=uow.now,
            expires_at=until,
        )
        command = Command(
            id=command_id,
            device_id=device.id,
            level=order.level,
            counter=counter,
            body=body,
            key_number=signer.number,
            signature=signing.sign(uow, signer, body),
        )
        new.append(store.NewCommand(command, order.agreement_id, order.legal_basis, until))
    await store.supersede(uow, list(devices))
    await store.insert_commands(uow, new)
    _tell(uow, orders, new)
    return {item.command.device_id: item.command.id for item in new}


async def ask_levels(uow: UnitOfWork, asks: Sequence[Ask]) -> list[Reason | None]:
    """Guard each ask, then order it; a refused one is told as RestrictionRefused with its reason, which is returned.

    Asks of one agreement are looked at one after the other, because each changes what the next one meets.
    """
    times = await store.notice_times(uow, [ask.notice_message_id for ask in asks if ask.notice_message_id is not None])
    reasons: list[Reason | None] = [None] * len(asks)
    waiting = list(enumerate(asks))
    while waiting:
        turn: dict[UUID, tuple[int, Ask]] = {}
        later = []
        for item in waiting:
            if item[1].agreement_id in turn:
                later.append(item)
            else:
                turn[item[1].agreement_id] = item
        situations = await store.situations(uow, list(turn))
        orders: list[LevelOrder] = []
        raised: list[UUID] = []
        for index, ask in turn.values():
            situation = situations.get(ask.agreement_id)
            reasons[index] = reason = _judge(uow, ask, situation, times)
            if reason is not None:
                _refuse(uow, ask, situation, reason)
            elif situation is not None and situation.device_id is not None and Level(ask.level) is not situation.current:
                orders.append(
                    LevelOrder(
                        device_id=situation.device_id,
                        agreement_id=ask.agreement_id,
                        level=Level(ask.level),
                        legal_basis=ask.legal_basis,
                    )
                )
                if Level(ask.level).rank > situation.current.rank:
                    raised.append(ask.agreement_id)
        await order_levels(uow, orders)
        if raised:
            await store.mark_raised(uow, raised, uow.business_date)
        waiting = later
    return reasons


async def free(uow: UnitOfWork, agreement_ids: Sequence[UUID], legal_basis: str) -> None:
    """Free these agreements' devices at once, at any hour; a device that is already to be free is left alone."""
    situations = await store.situations(uow, agreement_ids)
    await order_levels(
        uow,
        [
            LevelOrder(
                device_id=situation.device_id,
                agreement_id=situation.agreement_id,
                level=Level.FREE,
                legal_basis=legal_basis,
            )
            for situation in situations.values()
            if situation.device_id is not None and situation.current is not Level.FREE
        ],
    )


async def request_levels(uow: UnitOfWork, requests: Sequence[LevelRequest]) -> list[Outcome[OrderView]]:
    """An operator's orders, under the same guards. Raises per item DeviceUnknown, NotBound, RestrictionNotAllowed.

    Lowering is always allowed. A refusal writes nothing: the operator has the answer in hand.
    """
    notices = [request.notice_message_id for request in requests if request.notice_message_id is not None]
    times = await store.notice_times(uow, notices)
    outcomes: list[Outcome[OrderView]] = []
    for request in requests:
        device = await store.find_device(uow, request.device_id)
        if device is None:
            outcomes.append(DeviceUnknown())
            continue
        # The binding is locked before the shadow, as everywhere.
        situation = None
        if device.agreement_id is not None:
            situation = (await store.situations(uow, [device.agreement_id])).get(device.agreement_id)
        current = device.desired_level if situation is None else situation.current
        if request.level.rank > current.rank:
            if situation is None:
                outcomes.append(NotBound())
                continue
            ask = Ask(
                agreement_id=situation.agreement_id,
                level=request.level,
                legal_basis=request.legal_basis,
                notice_message_id=request.notice_message_id,
            )
            reason = _judge(uow, ask, situation, times)
            if reason is not None:
                outcomes.append(
                    RestrictionNotAllowed(
                        f"不能将终端调整为 {request.level}：{reason}",
                        f"The device cannot be set to {request.level}: {reason}",
                        reason=str(reason),
                    )
                )
                continue
            await store.mark_raised(uow, [situation.agreement_id], uow.business_date)
        order = LevelOrder(
            device_id=device.id, agreement_id=device.agreement_id, level=request.level, legal_basis=request.legal_basis
        )
        made = await order_levels(uow, [order])
        outcomes.append(
            OrderView(
                id=public_id(Prefix.COMMAND, made[device.id]), device_id=public_id(Prefix.DEVICE, device.id), level=request.level
            )
        )
    return outcomes


async def set_holds(uow: UnitOfWork, requests: Sequence[HoldRequest]) -> list[Outcome[HoldView]]:
    """Stop escalation, or let it go on. What is restricted stays so; freeing is not stopped. Raises DeviceUnknown, NotBound."""
    outcomes: list[Outcome[HoldView]] = []
    for request in requests:
        device = await store.find_device(uow, request.device_id)
        if device is None:
            outcomes.append(DeviceUnknown())
        elif device.agreement_id is None:
            outcomes.append(NotBound())
        else:
            await store.set_hold(uow, device.agreement_id, request.kind, is_placed=request.is_placed)
            evidence.append(
                uow,
                [
                    evidence.Leaf(
                        "devices.hold.placed" if request.is_placed else "devices.hold.lifted",
                        device.agreement_id,
                        {"device": public_id(Prefix.DEVICE, device.id), "kind": str(request.kind)},
                    )
                ],
            )
            holds: list[HoldKind] = await store.holds_of(uow, device.agreement_id)
            outcomes.append(HoldView(device_id=public_id(Prefix.DEVICE, device.id), holds=[str(kind) for kind in holds]))
    return outcomes


async def reconcile(uow: UnitOfWork, device_ids: Sequence[UUID] | None = None) -> int:
    """Close the gap between desired and reported: expire old commands, issue the desired level anew. Returns how many.

    A restricting level is renewed within the hours and while nothing holds it only; a freeing one always.
    """
    await store.expire(uow)
    may_restrict = is_within_hours(uow.now, uow.calendar.zone)
    orders = [
        LevelOrder(
            device_id=gap.device_id,
            agreement_id=gap.agreement_id,
            level=gap.level,
            legal_basis=gap.legal_basis,
            is_repeat=True,
        )
        for gap in await store.gaps(uow, device_ids, uow.now - QUIET_AFTER_REFUSAL, GAPS_MAX)
        if gap.level is Level.FREE or (may_restrict and gap.agreement_id is not None and not gap.is_held)
    ]
    await order_levels(uow, orders)
    return len(orders)


def _judge(uow: UnitOfWork, ask: Ask, situation: Situation | None, times: dict[tuple[UUID, UUID], Instant]) -> Reason | None:
    if ask.level not in set(Level):
        return Reason.UNKNOWN_LEVEL
    if situation is None:
        return None if ask.level == Level.FREE else Reason.NOT_BOUND
    if situation.device_id is None and ask.level != Level.FREE:
        return Reason.NO_DEVICE
    notice_id = ask.notice_message_id
    return refusal_of(
        Level(ask.level),
        situation,
        now=uow.now,
        zone=uow.calendar.zone,
        today=uow.business_date,
        notice_delivered_at=None if notice_id is None else times.get((ask.agreement_id, notice_id)),
        case_id=ask.case_id,
    )


def _refuse(uow: UnitOfWork, ask: Ask, situation: Situation | None, reason: Reason) -> None:
    device_id = None if situation is None else situation.device_id
    uow.emit(RestrictionRefused(subject_id=ask.agreement_id, device_id=device_id, level=ask.level, reason=str(reason)))
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "devices.restriction.refused",
                ask.agreement_id,
                {"level": ask.level[:32], "reason": str(reason), "legal_basis": ask.legal_basis},
            )
        ],
    )


def _tell(uow: UnitOfWork, orders: Sequence[LevelOrder], new: Sequence[store.NewCommand]) -> None:
    leaves = []
    for order, item in zip(orders, new, strict=True):
        if order.is_repeat:
            continue
        subject_id = order.agreement_id or order.device_id
        uow.emit(
            RestrictionOrdered(
                subject_id=subject_id,
                device_id=order.device_id,
                command_id=item.command.id,
                level=str(order.level),
                legal_basis=order.legal_basis,
            )
        )
        leaves.append(
            evidence.Leaf(
                "devices.restriction.ordered",
                subject_id,
                {
                    "device": public_id(Prefix.DEVICE, order.device_id),
                    "command": public_id(Prefix.COMMAND, item.command.id),
                    "level": str(order.level),
                    "legal_basis": order.legal_basis,
                    "command_sha256": sha256(item.command.body).hexdigest(),
                },
            )
        )
    if leaves:
        evidence.append(uow, leaves)
