"""The reviewers' queue: what waits for whom and how long, who holds it, and what happens when nobody comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing import api as billing
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import Instant
from xinzu.middle.decisions.errors import (
    ConflictOfInterest,
    DecisionUnknown,
    HeldByAnother,
    NotHeld,
    NotUnderReview,
    ReviewerNotAPerson,
    ReviewLevelTooLow,
)
from xinzu.middle.decisions.events import ReviewEscalated
from xinzu.middle.decisions.model import Referral, Reviewer, ReviewLevel, ReviewPolicy
from xinzu.middle.decisions.rules.reviews import after_working_minutes, assigned, conflict, may_review, next_level
from xinzu.middle.decisions.schemas.reviews import Claimed, PolicyView, ReviewerView, policy_view, reviewer_view
from xinzu.middle.decisions.store import decisions as decisions_store
from xinzu.middle.decisions.store import reviews as store
from xinzu.platform.actor import ActorKind, Permission
from xinzu.platform.tenants import actor_of_login
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

BATCH = 200


@dataclass(frozen=True, slots=True)
class ToReview:
    """A decision that a person is to look at, at which level, and for which time (2 on appeal)."""

    decision_id: UUID
    level: ReviewLevel | None = None
    round: int = 1


async def enter_queue(uow: UnitOfWork, referred: Sequence[ToReview]) -> None:
    """Put decisions before people: the clock of their level starts."""
    if not referred:
        return
    policy = await store.policy(uow)
    await store.enter(
        uow,
        [
            (each.decision_id, level, each.round, _after(uow, policy, policy.minutes_of(level)))
            for each in referred
            for level in [each.level or ReviewLevel.REVIEWER]
        ],
    )


async def reviewer_acting(uow: UnitOfWork) -> Reviewer:
    """The acting operator as a reviewer: as his level was set, or by his role."""
    known = await store.reviewer(uow, uow.actor.name)
    if known is not None:
        return known
    is_manager = Permission.REVIEW_SET in uow.actor.permissions
    return Reviewer(uow.actor.name, ReviewLevel.COMMITTEE if is_manager else ReviewLevel.REVIEWER)


def check_reviewer(uow: UnitOfWork, referral: Referral, reviewer: Reviewer) -> None:
    """Whether this operator may decide this one now; raises ReviewLevelTooLow, ConflictOfInterest or HeldByAnother.

    The second person of an approval does not wait for the first one's claim.
    """
    if not may_review(reviewer.level, referral.level):
        raise ReviewLevelTooLow(
            f"该决策须由 {referral.level} 级审核，您的级别为 {reviewer.level}",
            f"This is for the level {referral.level}, yours is {reviewer.level}",
            needed=str(referral.level),
            level=str(reviewer.level),
        )
    interest = conflict(referral, str(uow.actor), reviewer.party_id)
    if interest is not None:
        raise ConflictOfInterest(interest=str(interest))
    holder = referral.holder(uow.now)
    if holder is not None and holder != str(uow.actor) and uow.approved is None:
        raise HeldByAnother(held_by=holder)


async def claim_reviews(uow: UnitOfWork, decision_ids: Sequence[UUID]) -> list[Outcome[Claimed]]:
    """Hold decisions so that nobody else decides them, for the tenant's claim time; claiming again begins it anew.

    Refused with ReviewerNotAPerson, DecisionUnknown, NotUnderReview, ReviewLevelTooLow, ConflictOfInterest or HeldByAnother.
    """
    if uow.actor.kind is not ActorKind.OPERATOR:
        return [ReviewerNotAPerson()] * len(decision_ids)
    waiting, reviewer, policy = await store.lock_referrals(uow, decision_ids), await reviewer_acting(uow), await store.policy(uow)
    until = _after(uow, policy, policy.claim_minutes)
    outcomes: list[Outcome[Claimed]] = []
    taken: set[UUID] = set()
    for decision_id in decision_ids:
        try:
            check_reviewer(uow, await _waiting(uow, waiting.get(decision_id), decision_id), reviewer)
        except Problem as refusal:
            outcomes.append(refusal)
            continue
        taken.add(decision_id)
        outcomes.append(Claimed(id=public_id(Prefix.DECISION, decision_id), held_by=str(uow.actor), held_until=until))
    if taken:
        await store.hold(uow, dict.fromkeys(taken, str(uow.actor)), until)
    return outcomes


async def release_reviews(uow: UnitOfWork, decision_ids: Sequence[UUID]) -> list[Outcome[Claimed]]:
    """Let go of what one holds. Refused with DecisionUnknown, NotUnderReview or NotHeld."""
    waiting = await store.lock_referrals(uow, decision_ids)
    outcomes: list[Outcome[Claimed]] = []
    released: set[UUID] = set()
    for decision_id in decision_ids:
        try:
            if (await _waiting(uow, waiting.get(decision_id), decision_id)).holder(uow.now) != str(uow.actor):
                raise NotHeld
        except Problem as refusal:
            outcomes.append(refusal)
            continue
        released.add(decision_id)
        outcomes.append(Claimed(id=public_id(Prefix.DECISION, decision_id), held_by=None, held_until=None))
    if released:
        await store.hold(uow, dict.fromkeys(released), None)
    return outcomes


async def assign_reviews(uow: UnitOfWork) -> int:
    """Give what nobody holds to the available reviewers, the oldest first, to whoever holds least; returns how many were given."""
    referrals = await store.lock_unheld(uow, BATCH)
    given = assigned(referrals, await store.reviewers(uow), await store.held_counts(uow), uow.now) if referrals else []
    if given:
        policy = await store.policy(uow)
        await store.hold(uow, dict(given), _after(uow, policy, policy.claim_minutes))
    return len(given)


async def escalate_reviews(uow: UnitOfWork) -> int:
    """Ask the next level about what was not decided in time, with that level's clock; returns how many.

    Whoever could decide it before still can: a late referral is no harder than it was. What is late with the highest level stays there, said
    once. Emits ReviewEscalated and keeps it as evidence.
    """
    late = await store.lock_due(uow, BATCH)
    if not late:
        return 0
    policy = await store.policy(uow)
    asked: dict[UUID, tuple[ReviewLevel, Instant | None]] = {}
    leaves = []
    for referral in late:
        above = next_level(referral.asked_level)
        level, due_at = above or referral.asked_level, None if above is None else _after(uow, policy, policy.minutes_of(above))
        asked[referral.decision_id] = (level, due_at)
        uow.emit(
            ReviewEscalated(
                subject_id=referral.application_id,
                decision_id=referral.decision_id,
                level_before=str(referral.asked_level),
                level=str(level),
                due_at=due_at,
            )
        )
        facts = {
            "decision_id": public_id(Prefix.DECISION, referral.decision_id),
            "level_before": str(referral.asked_level),
            "level": str(level),
        }
        leaves.append(evidence.Leaf("decisions.review.escalated", referral.application_id, facts))
    await store.escalate(uow, asked)
    evidence.append(uow, leaves)
    return len(late)


async def set_reviewers(uow: UnitOfWork, given: Sequence[Reviewer]) -> list[Outcome[ReviewerView]]:
    """Set operators' levels. Refused with Invalid for a login that reviews nothing here, or a party that is not on file."""
    outcomes: list[Outcome[ReviewerView]] = []
    for each in given:
        operator = await actor_of_login(uow, each.login)
        if operator is None or Permission.DECISION_REVIEW not in operator.permissions:
            outcomes.append(
                Invalid.field(
                    "/login",
                    "decisions.no_reviewer",
                    f"没有可审核的操作员 {each.login}；请先为其分配 risk 或 risk_manager 角色",
                    f"No operator {each.login} who may review: give the role risk or risk_manager first",
                )
            )
            continue
        if each.party_id is not None and not await parties.masked_people(uow, [each.party_id]):
            outcomes.append(Invalid.field("/party_id", "decisions.no_party", "没有这个客户", "There is no such party"))
            continue
        await store.put_reviewer(uow, each)
        outcomes.append(reviewer_view(each))
    return outcomes


async def set_review_policies(uow: UnitOfWork, given: Sequence[ReviewPolicy]) -> list[Outcome[PolicyView]]:
    """Set the tenant's clock; what waits already keeps the time it was given. Refused with Invalid for a day of less than an hour."""
    outcomes: list[Outcome[PolicyView]] = []
    for each in given:
        if each.closes_minute - each.opens_minute < 60:
            outcomes.append(
                Invalid.field(
                    "/closes_minute",
                    "decisions.day_too_short",
                    "营业时间至少一小时：closes_minute 须比 opens_minute 大 60 以上",
                    "A day has at least one hour: closes_minute is at least 60 above opens_minute",
                )
            )
            continue
        await store.put_policy(uow, each)
        outcomes.append(policy_view(each))
    return outcomes


def _after(uow: ReadSession, policy: ReviewPolicy, minutes: int) -> Instant:
    return after_working_minutes(uow.now, minutes, policy, uow.calendar, billing.is_working_day)


async def _waiting(uow: UnitOfWork, referral: Referral | None, decision_id: UUID) -> Referral:
    if referral is not None:
        return referral
    found = await decisions_store.decision(uow, decision_id)
    if found is None:
        raise DecisionUnknown
    raise NotUnderReview(state=str(found.state))
