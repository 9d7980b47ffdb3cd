"""Hearing what devices say: believed only under their own key, once, and written set-based."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from xinzu.back.devices import signing, store
from xinzu.back.devices.commands.orders import reconcile
from xinzu.back.devices.errors import ReportRefused
from xinzu.back.devices.events import RestrictionApplied, RestrictionRefused
from xinzu.back.devices.model import AckResult, CommandState, Device, ReportKind, SignedReport
from xinzu.back.devices.rules.commands import check_addressee, read_report
from xinzu.kernel.ids import Prefix, public_id
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

_STATES = {
    AckResult.ACCEPTED: CommandState.ACCEPTED,
    AckResult.APPLIED: CommandState.APPLIED,
    AckResult.REFUSED: CommandState.REFUSED,
}


@dataclass(slots=True)
class Heard:
    """What a batch of reports came to: how many were believed, and why the others were not."""

    believed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    applied: int = 0


async def record_reports(uow: UnitOfWork, payloads: Sequence[tuple[UUID, bytes]]) -> Heard:
    """Take reports as they came in (device as the broker knows it, payload), oldest first.

    A report that is malformed, badly signed, another device's or played again changes nothing and is counted. An applied command is
    told as RestrictionApplied with the device's signed words as evidence. A device that says hello and is not where it should be gets
    what is under way to it again, or its desired level anew.
    """
    heard = Heard()
    devices = await store.lock_devices(uow, sorted({device_id for device_id, _ in payloads}))
    sequences = {device.id: device.sequence for device in devices.values()}
    believed: list[tuple[Device, SignedReport]] = []
    for device_id, payload in payloads:
        try:
            signed = _believe(uow.tenant_id, devices.get(device_id), payload, sequences)
        except ReportRefused as refused:
            heard.refused[refused.code] += 1
            continue
        sequences[device_id] = signed.report.sequence
        believed.append((devices[device_id], signed))
    heard.believed = len(believed)
    if not believed:
        return heard
    newest = {device.id: signed.report for device, signed in believed}
    await store.note_seen(
        uow, [store.Seen(device_id, report.level, report.counter, report.sequence) for device_id, report in newest.items()]
    )
    heard.applied = await _record_acks(uow, [(device, signed) for device, signed in believed if signed.report.result is not None])
    adrift = [
        device_id
        for device_id, report in newest.items()
        if report.level is not devices[device_id].desired_level or report.counter < devices[device_id].desired_counter
    ]
    greeted = {device.id for device, signed in believed if signed.report.kind is ReportKind.HELLO}
    adrift = [device_id for device_id in adrift if device_id in greeted]
    if adrift:
        if await store.send_again(uow, adrift):
            await store.wake_gateway(uow)
        await reconcile(uow, adrift)
    return heard


def _believe(tenant_id: int, device: Device | None, payload: bytes, sequences: dict[UUID, int]) -> SignedReport:
    signed = read_report(payload)
    if device is None:
        raise ReportRefused("unknown_device")
    if not signing.is_signed_by(device.public_key, signed.body, signed.signature):
        raise ReportRefused("bad_signature")
    check_addressee(signed, tenant_id=tenant_id, device_id=device.id, sequence_seen=sequences[device.id])
    return signed


async def _record_acks(uow: UnitOfWork, acks: Sequence[tuple[Device, SignedReport]]) -> int:
    # A device repeats an answer whose command it is sent again: the last one of a batch says it all.
    by_command: dict[UUID, store.Settled] = {}
    for device, signed in acks:
        report = signed.report
        if report.command_id is None or report.result is None:
            continue
        by_command[report.command_id] = store.Settled(
            report.command_id, device.id, _STATES[report.result], report.reason, signed.body, signed.signature
        )
    if not by_command:
        return 0
    leaves = []
    applied = 0
    for row in await store.settle(uow, list(by_command.values())):
        subject_id = row.agreement_id or row.device_id
        settled = by_command[row.id]
        facts = {
            "device": public_id(Prefix.DEVICE, row.device_id),
            "command": public_id(Prefix.COMMAND, row.id),
            "level": row.level,
            "counter": row.counter,
            "report_sha256": sha256(settled.body).hexdigest(),
        }
        if settled.state is CommandState.APPLIED:
            applied += 1
            uow.emit(
                RestrictionApplied(
                    subject_id=subject_id, device_id=row.device_id, command_id=row.id, level=row.level, applied_at=uow.now
                )
            )
            leaves.append(evidence.Leaf("devices.restriction.applied", subject_id, facts))
        elif settled.state is CommandState.REFUSED:
            reason = f"device:{settled.reason}"
            uow.emit(RestrictionRefused(subject_id=subject_id, device_id=row.device_id, level=row.level, reason=reason))
            leaves.append(evidence.Leaf("devices.restriction.refused", subject_id, {**facts, "reason": reason}))
    if leaves:
        evidence.append(uow, leaves)
    return applied
