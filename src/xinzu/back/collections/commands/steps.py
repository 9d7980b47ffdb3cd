"""Climb the ladder: send reminders, notices and demands, ask for restrictions; each only when and while it may be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from xinzu.back.collections import store
from xinzu.back.collections.events import RestrictionRequested
from xinzu.back.collections.model import (
    ANNOUNCED,
    CONTACTS,
    NOTICE_BEFORE,
    LadderPolicy,
    Step,
    StepKind,
    StepState,
)
from xinzu.back.collections.rules.contact_limits import next_contact_at, next_restriction_at
from xinzu.back.collections.rules.ladder import (
    DEMAND_BASIS,
    LEGAL_BASIS,
    announced_for,
    may_restrict,
    notice_delivered_at,
    pay_by,
)
from xinzu.back.collections.rules.policy import in_force
from xinzu.back.collections.store import DueStep
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

STEPS_MAX = 500
# What is proven of a contact; a reminder is not. An acceleration names its demand by the leaf that says it was delivered.
EVIDENCE_KINDS = {
    StepKind.FIRST_NOTICE: "collections.notice",
    StepKind.SECOND_NOTICE: "collections.notice",
    StepKind.PAYMENT_DEMAND: "collections.demand",
}


async def carry_out_steps(uow: UnitOfWork, limit: int = STEPS_MAX) -> int:
    """Carry out planned steps whose time has come, of open cases without a hold; returns how many.

    Outside the hours, and once a debtor was contacted often enough today, a step waits for the next opening. A restriction is asked
    for in the hours in which devices restricts, and only if it is still allowed at that moment.
    """
    due = await store.due_steps(uow, limit)
    if not due:
        return 0
    due = await _with_known_debtor(uow, due)
    policy = in_force(await store.overrides(uow))
    local_day = uow.now.astimezone(uow.calendar.zone).date()
    contacts = await store.contacts_on(uow, list({item.case.party_id for item in due}), local_day)
    now_due: list[DueStep] = []
    postponed: list[tuple[UUID, Instant]] = []
    for item in due:
        is_contact = item.step.kind in CONTACTS
        made = contacts.get(item.case.party_id, 0)
        zone = uow.calendar.zone
        at = next_contact_at(uow.now, zone, made, policy) if is_contact else next_restriction_at(uow.now, zone, policy)
        if at > uow.now:
            postponed.append((item.step.id, at))
            continue
        now_due.append(item)
        if is_contact:
            contacts[item.case.party_id] = made + 1
    if postponed:
        await store.postpone(uow, postponed)
    await _contact(uow, [item for item in now_due if item.step.kind in CONTACTS], policy, local_day)
    await _restrict(uow, [item for item in now_due if item.step.kind not in CONTACTS], policy, local_day)
    return len(now_due)


async def _with_known_debtor(uow: UnitOfWork, due: Sequence[DueStep]) -> list[DueStep]:
    """Those whose debtor is on file; the others fail alone and keep nobody else waiting."""
    known = await parties.masked_people(uow, list({item.case.party_id for item in due}))
    unknown = [item.step.id for item in due if item.case.party_id not in known]
    if unknown:
        await store.mark_failed(uow, unknown, "party_unknown")
    return [item for item in due if item.case.party_id in known]


async def _contact(uow: UnitOfWork, items: Sequence[DueStep], policy: LadderPolicy, local_day: BusinessDate) -> None:
    """Send reminders, notices and demands to the debtor. A notice is evidence, and so is a demand."""
    if not items:
        return
    message_ids = await parties.send_messages(uow, [_draft(item, policy, uow.business_date) for item in items])
    await store.mark_done(
        uow,
        [(item.step.id, StepState.SENT, message_id) for item, message_id in zip(items, message_ids, strict=True)],
        local_day,
    )
    evidence.append(
        uow,
        [
            evidence.Leaf(
                EVIDENCE_KINDS[item.step.kind] + ".sent",
                item.case.agreement_id,
                {
                    "case_id": str(item.case.id),
                    "step_id": str(item.step.id),
                    "kind": item.step.kind.value,
                    **_announced(item, policy, uow.business_date),
                    "message_id": str(message_id),
                    "days_past_due": item.case.days_past_due,
                    "overdue_fen": item.case.overdue_fen,
                },
            )
            for item, message_id in zip(items, message_ids, strict=True)
            if item.step.kind in EVIDENCE_KINDS
        ],
    )


def _announced(item: DueStep, policy: LadderPolicy, today: BusinessDate) -> dict[str, str | int]:
    """What follows if nothing is paid: the level, or by when to pay a demand and under which law."""
    if item.step.kind is not StepKind.PAYMENT_DEMAND:
        return {"announced_level": ANNOUNCED[item.step.kind].value}
    return {
        "period_days": policy.demand_period_days,
        "pay_by": pay_by(policy, today).isoformat(),
        "legal_basis": DEMAND_BASIS[item.case.family],
    }


def _draft(item: DueStep, policy: LadderPolicy, today: BusinessDate) -> parties.MessageDraft:
    number = item.agreement_no or public_id(Prefix.AGREEMENT, item.case.agreement_id)
    if item.step.kind is StepKind.REMINDER:
        template = parties.MessageTemplate.PAYMENT_REMINDER
        due_on = item.case.aged_on - timedelta(days=item.case.days_past_due)
        variables: dict[str, str | int] = {"due_on": due_on.isoformat()}
    elif item.step.kind is StepKind.PAYMENT_DEMAND:
        template = parties.MessageTemplate.PAYMENT_DEMAND
        variables = {
            "family": item.case.family,
            "days_past_due": item.case.days_past_due,
            "pay_by": pay_by(policy, today).isoformat(),
        }
    else:
        template = parties.MessageTemplate.RESTRICTION_NOTICE
        variables = {
            "not_before": announced_for(item.step.kind, item.case.days_past_due, policy, today).isoformat(),
            "level": ANNOUNCED[item.step.kind].value,
        }
    return parties.MessageDraft(
        party_id=item.case.party_id,
        subject_id=item.case.agreement_id,
        template=template,
        variables={"agreement_no": number, "amount_fen": item.case.overdue_fen, **variables},
    )


async def _restrict(uow: UnitOfWork, items: Sequence[DueStep], policy: LadderPolicy, local_day: BusinessDate) -> None:
    """Ask for restrictions, with the notice that came before and the legal basis. Each request is evidence."""
    if not items:
        return
    steps = await store.steps_of(uow, [item.case.id for item in items])
    done: list[tuple[UUID, StepState, UUID | None]] = []
    for item in items:
        case, kind = item.case, item.step.kind
        if not may_restrict(kind, case.days_past_due, steps[case.id], policy, uow.now):
            # A policy made stricter since it was planned: the next close of business looks again.
            done.append((item.step.id, StepState.CANCELLED, None))
            continue
        notice = _delivered_notice(NOTICE_BEFORE[kind], steps[case.id])
        done.append((item.step.id, StepState.REQUESTED, None))
        uow.emit(
            RestrictionRequested(
                subject_id=case.agreement_id,
                case_id=case.id,
                level=kind.value,
                notice_message_id=notice.message_id,
                notice_delivered_at=notice.delivered_at,
                legal_basis=LEGAL_BASIS[kind],
            )
        )
        evidence.append(
            uow,
            [
                evidence.Leaf(
                    "collections.restriction.requested",
                    case.agreement_id,
                    {
                        "case_id": str(case.id),
                        "step_id": str(item.step.id),
                        "level": kind.value,
                        "legal_basis": LEGAL_BASIS[kind],
                        "notice_message_id": str(notice.message_id),
                        "notice_delivered_at": notice.delivered_at.isoformat() if notice.delivered_at else "",
                        "days_past_due": case.days_past_due,
                        "overdue_fen": case.overdue_fen,
                    },
                )
            ],
        )
    await store.mark_done(uow, done, local_day)


def _delivered_notice(kind: StepKind, steps: Sequence[Step]) -> Step:
    """The notice that proves the debtor knew: the first of its kind that was delivered."""
    delivered_at = notice_delivered_at(kind, steps)
    return next(step for step in steps if step.kind is kind and step.delivered_at == delivered_at)


async def note_deliveries(uow: UnitOfWork, delivered: Sequence[tuple[UUID, Instant]]) -> None:
    """Messages (id, instant) reached the debtor. Of a notice or demand that is evidence: from here the time to act on it runs."""
    news = await store.mark_delivered(uow, delivered)
    evidence.append(
        uow,
        [
            evidence.Leaf(
                EVIDENCE_KINDS[step.kind] + ".delivered",
                agreement_id,
                {
                    "case_id": str(step.case_id),
                    "step_id": str(step.id),
                    "kind": step.kind.value,
                    "message_id": str(step.message_id),
                    "delivered_at": step.delivered_at.isoformat() if step.delivered_at else "",
                },
            )
            for step, agreement_id in news
            if step.kind in EVIDENCE_KINDS
        ],
    )
