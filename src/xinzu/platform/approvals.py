"""Four eyes 双人复核: what one person may not do alone waits until another has approved it.

A module names a ``platform.controls.Control`` beside the command that it holds. The command asks ``check`` when it knows the amount and has
written nothing; its doors call what ``with_second_person`` makes of it, which records what was refused for want of a second person as a
request. Approving runs the same command with the same request, and all its checks are made again.

    WAIVER = Control("billing.waive_items", 50_000, Permission.BILLING_WRITE, Prefix.AGREEMENT, "减免应收款项", "Waive what is due")
    await check(uow, WAIVER, amount_fen)                                     # in the command
    waive = with_second_person(WAIVER, waive_items, about=…, encode=…, decode=…)    # for its doors
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from xinzu.kernel.errors import Conflict, Forbidden, Gone, NotFound, Problem
from xinzu.kernel.events import Event, event
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import Instant
from xinzu.platform.actor import ActorKind
from xinzu.platform.attesting import attest
from xinzu.platform.commands import Command
from xinzu.platform.controls import Control, alone_max_fen, hold
from xinzu.platform.db import Row
from xinzu.platform.uow import Approved, ReadSession, UnitOfWork

I = TypeVar("I")  # noqa: E741
EXPIRES_AFTER = timedelta(days=7)


class ApprovalState(StrEnum):
    """Waiting for a second person until it is decided. ``expired`` is a waiting one whose time is over; it is never stored."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"


@event("xinzu.platform.approval.requested.v1")
@dataclass(frozen=True, kw_only=True)
class ApprovalRequested(Event):
    """Something waits for a second person. Subject: what it is about."""

    approval_id: UUID
    command: str
    amount_fen: int
    expires_at: Instant


@event("xinzu.platform.approval.decided.v1")
@dataclass(frozen=True, kw_only=True)
class ApprovalDecided(Event):
    """A second person approved, and it was done in the same transaction, or refused (the one who asked may do that too)."""

    approval_id: UUID
    command: str
    amount_fen: int
    state: str


class SecondPersonNeeded(Conflict):
    """More than one person may do alone: ``amount_fen`` and ``alone_max_fen`` say so. A door that records requests answers 202 in its place."""

    code = "approval.needed"
    title_zh = "超出单人权限，须由另一人复核"
    title_en = "One person may not do this alone: another must approve it"


class AmountGrown(Conflict):
    """Since the request the amount has grown beyond what is approved."""

    code = "approval.amount_grown"
    title_zh = "金额已超过申请时的数额，请确认现在的金额后再复核"
    title_en = "The amount has grown since the request: approve with the present one as amount_max_fen"


class ApprovalUnknown(NotFound):
    code = "approval.unknown"
    title_zh = "没有这份复核申请"
    title_en = "There is no such request for approval"


class ApprovalDone(Conflict):
    """It was approved or refused before."""

    code = "approval.done"
    title_zh = "该申请已有复核结果"
    title_en = "The request is decided already"


class ApprovalExpired(Gone):
    """Nobody decided in time: it must be asked for again."""

    code = "approval.expired"
    title_zh = "复核申请已过期，请重新提交"
    title_en = "The request has expired: ask again"


class NotAPerson(Forbidden):
    """An API key or the system is nobody's second person."""

    code = "approval.not_a_person"
    title_zh = "复核只能由登录的操作员进行，API 密钥不能复核"
    title_en = "Only an operator who is logged in can decide, an API key cannot"


class SamePerson(Forbidden):
    """The one who asked cannot approve it."""

    code = "approval.same_person"
    title_zh = "申请人不能复核自己的申请"
    title_en = "Whoever asked cannot approve it: another operator must"


@dataclass(frozen=True, slots=True)
class About:
    """What a request is about, why it is made, and where the proof is."""

    subject_id: UUID
    reason: str
    evidence_ref: str


@dataclass(frozen=True, slots=True)
class _Held:
    control: Control
    run: Command[Any, Any]
    decode: Callable[[UnitOfWork, Any], Any]


_HELD: dict[str, _Held] = {}


class Waiting(msgspec.Struct, kw_only=True):
    """Not done: it waits for a second person until ``expires_at``."""

    id: str
    command: str
    amount_fen: int
    alone_max_fen: int
    expires_at: Instant


class ApprovalView(msgspec.Struct, kw_only=True):
    """A request for a second person. ``request`` is what will be done, ``answer`` what the command answered when it was. ``state`` is
    waiting, approved, refused or expired."""

    id: str
    command: str
    title_zh: str
    title_en: str
    subject: str
    amount_fen: int
    reason: str
    evidence_ref: str
    request: dict[str, Any]
    state: str
    requested_by: str
    requested_at: Instant
    expires_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    decision_reason: str | None
    answer: Any


@dataclass(frozen=True, slots=True)
class Decision:
    """A second person's answer. ``amount_max_fen`` is up to which amount an approval goes when it has grown; default: as requested."""

    approval_id: UUID
    reason: str
    amount_max_fen: int | None = None


async def check(uow: UnitOfWork, control: Control, amount_fen: int, *, before_fen: int = 0) -> None:
    """Called by a command that has reckoned everything and written nothing. ``before_fen`` is what was done of the same kind lately: it counts
    towards the limit, so that nobody goes around it in small parts.

    What the system does by itself is not held. Raises SecondPersonNeeded, or AmountGrown under an approval of less.
    """
    if uow.actor.kind is ActorKind.SYSTEM:
        return
    if uow.approved is not None and uow.approved.command == control.command:
        if amount_fen > uow.approved.amount_max_fen:
            raise AmountGrown(amount_fen=amount_fen, amount_max_fen=uow.approved.amount_max_fen)
        return
    most_fen = await alone_max_fen(uow, control)
    if most_fen == 0 or amount_fen + before_fen > most_fen:
        raise SecondPersonNeeded(amount_fen=amount_fen, alone_max_fen=most_fen)


def with_second_person(
    control: Control,
    command: Command[I, Any],
    *,
    about: Callable[[I], About],
    encode: Callable[[I], Mapping[str, Any]],
    decode: Callable[[UnitOfWork, Any], I],
) -> Command[I, Any]:
    """The command as its doors call it: what needs a second person is recorded and answered with Waiting. ``encode`` and ``decode`` bring a
    request to JSON and back; ``decode`` may bring what depends on the day to the day of the approval."""
    hold(control)
    _HELD[control.command] = _Held(control, command, decode)

    async def run(uow: UnitOfWork, requests: Sequence[I]) -> list[Outcome[Any]]:
        outcomes = await command(uow, requests)
        return [
            await _record(uow, control, about(request), encode(request), outcome)
            if isinstance(outcome, SecondPersonNeeded)
            else outcome
            for request, outcome in zip(requests, outcomes, strict=True)
        ]

    run.__qualname__ = getattr(command, "__qualname__", control.command)
    return run


async def _record(
    uow: UnitOfWork, control: Control, about: About, request: Mapping[str, Any], needed: SecondPersonNeeded
) -> Waiting:
    """Asked again while it waits, the same request waits once."""
    amount_fen, most_fen = (int(needed.extras[name] or 0) for name in ("amount_fen", "alone_max_fen"))
    known = await uow.row(
        "SELECT id, amount_fen, expires_at FROM platform_approval WHERE tenant_id = :tenant AND state = 'waiting'"
        " AND command = :command AND subject_id = :subject AND requested_by_id = :by AND expires_at > :now"
        " AND request = cast(:request AS jsonb)",
        command=control.command,
        subject=about.subject_id,
        by=uow.actor.id,
        now=uow.now,
        request=_json(request),
    )
    if known is not None:
        return _waiting(control, known.id, known.amount_fen, most_fen, known.expires_at)
    approval_id, expires_at = new_id(), uow.now + EXPIRES_AFTER
    await uow.execute(
        "INSERT INTO platform_approval (tenant_id, id, command, request, subject_id, amount_fen, reason, evidence_ref, state,"
        " requested_by, requested_by_id, requested_at, expires_at) VALUES (:tenant, :id, :command, cast(:request AS jsonb), :subject,"
        " :amount_fen, :reason, :evidence_ref, 'waiting', :by, :by_id, :now, :expires_at)",
        id=approval_id,
        command=control.command,
        request=_json(request),
        subject=about.subject_id,
        amount_fen=amount_fen,
        reason=about.reason,
        evidence_ref=about.evidence_ref,
        by=str(uow.actor),
        by_id=uow.actor.id,
        now=uow.now,
        expires_at=expires_at,
    )
    uow.emit(
        ApprovalRequested(
            subject_id=about.subject_id,
            approval_id=approval_id,
            command=control.command,
            amount_fen=amount_fen,
            expires_at=expires_at,
        )
    )
    facts = {
        "approval_id": public_id(Prefix.APPROVAL, approval_id),
        "command": control.command,
        "request": dict(request),
        "amount_fen": amount_fen,
        "reason": about.reason,
        "evidence_ref": about.evidence_ref,
        "by": str(uow.actor),
    }
    attest(uow, "platform.approval.requested", about.subject_id, facts)
    return _waiting(control, approval_id, amount_fen, most_fen, expires_at)


def _waiting(control: Control, approval_id: UUID, amount_fen: int, alone_max_fen: int, expires_at: Instant) -> Waiting:
    return Waiting(
        id=public_id(Prefix.APPROVAL, approval_id),
        command=control.command,
        amount_fen=amount_fen,
        alone_max_fen=alone_max_fen,
        expires_at=expires_at,
    )


async def approve(uow: UnitOfWork, given: Sequence[Decision]) -> list[Outcome[ApprovalView]]:
    """Be the second person: what was requested is done now, in this transaction, by the same command with its checks made again. What it
    refuses then is the answer, and the request waits on.

    Refuses with NotAPerson, ApprovalUnknown, Forbidden, SamePerson, ApprovalDone, ApprovalExpired, AmountGrown, and with what the command
    refuses with.
    """
    return [await _decided(uow, decision, is_approved=True) for decision in given]


async def refuse(uow: UnitOfWork, given: Sequence[Decision]) -> list[Outcome[ApprovalView]]:
    """Say no: nothing is done. Whoever asked may take the request back this way. Refuses as ``approve`` does, but for SamePerson."""
    return [await _decided(uow, decision, is_approved=False) for decision in given]


async def _decided(uow: UnitOfWork, decision: Decision, *, is_approved: bool) -> Outcome[ApprovalView]:
    """A Problem that is returned comes before anything was written; one that the command raises gives the transaction up."""
    try:
        held, row = await _to_decide(uow, decision.approval_id, is_approved=is_approved)
    except Problem as refusal:
        return refusal
    answer = await _run(uow, held, row, decision) if is_approved else None
    if isinstance(answer, Problem):
        return answer
    state = ApprovalState.APPROVED if is_approved else ApprovalState.REFUSED
    await uow.execute(
        "UPDATE platform_approval SET state = :state, decided_by = :by, decided_by_id = :by_id, decided_at = :now,"
        " decision_reason = :reason, answer = cast(:answer AS jsonb) WHERE tenant_id = :tenant AND id = :id",
        id=row.id,
        state=state.value,
        by=str(uow.actor),
        by_id=uow.actor.id,
        now=uow.now,
        reason=decision.reason,
        answer=None if answer is None else _json(answer),
    )
    uow.emit(
        ApprovalDecided(
            subject_id=row.subject_id, approval_id=row.id, command=row.command, amount_fen=row.amount_fen, state=state.value
        )
    )
    facts = {
        "approval_id": public_id(Prefix.APPROVAL, row.id),
        "command": row.command,
        "amount_fen": row.amount_fen,
        "requested_by": row.requested_by,
        "by": str(uow.actor),
        "reason": decision.reason,
    }
    attest(uow, f"platform.approval.{state}", row.subject_id, facts)
    return await approval(uow, row.id)


async def _to_decide(uow: UnitOfWork, approval_id: UUID, *, is_approved: bool) -> tuple[_Held, Row]:
    """The request, locked, when this actor may decide it now; raises the Problem that keeps him from it."""
    if uow.actor.kind is not ActorKind.OPERATOR:
        raise NotAPerson
    row = await uow.row(f"{_SELECT} AND id = :id FOR UPDATE", id=approval_id)
    held = None if row is None else _HELD.get(row.command)
    if row is None or held is None:
        raise ApprovalUnknown
    if held.control.permission not in uow.actor.permissions:
        raise Forbidden(f"需要权限 {held.control.permission}", f"This needs the permission {held.control.permission}")
    if is_approved and row.requested_by_id == uow.actor.id:
        raise SamePerson
    if row.state != ApprovalState.WAITING:
        raise ApprovalDone(state=row.state)
    if row.expires_at <= uow.now:
        raise ApprovalExpired
    return held, row


async def _run(uow: UnitOfWork, held: _Held, row: Row, decision: Decision) -> Outcome[Any]:
    amount_max_fen = row.amount_fen if decision.amount_max_fen is None else decision.amount_max_fen
    uow.approved = Approved(row.id, row.command, amount_max_fen)
    try:
        [outcome] = await held.run(uow, [held.decode(uow, row.request)])
    finally:
        uow.approved = None
    return outcome


_SELECT = """
SELECT id, command, request, subject_id, amount_fen, reason, evidence_ref, state, requested_by, requested_by_id, requested_at, expires_at,
       decided_by, decided_at, decision_reason, answer
FROM platform_approval WHERE tenant_id = :tenant
"""

_LIST = f"""{_SELECT}
  AND (cast(:state AS text) IS NULL
       OR CASE WHEN state = 'waiting' AND expires_at <= :now THEN 'expired' ELSE state END = cast(:state AS text))
  AND (cast(:subject AS uuid) IS NULL OR subject_id = :subject) AND (cast(:before AS uuid) IS NULL OR id < :before)
ORDER BY id DESC LIMIT :limit
"""


async def approvals(
    read: ReadSession,
    state: ApprovalState | None = None,
    subject_id: UUID | None = None,
    *,
    before: UUID | None = None,
    limit: int = 1_000,
) -> list[tuple[UUID, ApprovalView]]:
    """Requests with their ids, newest first: in one state, about one thing, or all. ``before`` is the last id seen."""
    rows = await read.rows(
        _LIST, state=None if state is None else state.value, subject=subject_id, before=before, limit=limit, now=read.now
    )
    return [(row.id, _view(row, read.now)) for row in rows]


async def approval(read: ReadSession, approval_id: UUID) -> ApprovalView:
    """One request; raises ApprovalUnknown."""
    row = await read.row(f"{_SELECT} AND id = :id", id=approval_id)
    if row is None:
        raise ApprovalUnknown
    return _view(row, read.now)


def _view(row: Row, now: Instant) -> ApprovalView:
    held = _HELD.get(row.command)
    is_expired = row.state == ApprovalState.WAITING and row.expires_at <= now
    return ApprovalView(
        id=public_id(Prefix.APPROVAL, row.id),
        command=row.command,
        title_zh=held.control.title_zh if held else row.command,
        title_en=held.control.title_en if held else row.command,
        subject=public_id(held.control.subject, row.subject_id) if held else str(row.subject_id),
        amount_fen=row.amount_fen,
        reason=row.reason,
        evidence_ref=row.evidence_ref,
        request=row.request,
        state=ApprovalState.EXPIRED.value if is_expired else row.state,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        answer=row.answer,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
