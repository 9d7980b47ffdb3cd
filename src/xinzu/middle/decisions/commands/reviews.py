"""A person decides what was referred."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from xinzu.kernel.errors import FieldError, Problem
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.decisions.commands.reviews_queue import check_reviewer, reviewer_acting
from xinzu.middle.decisions.errors import DecisionUnknown, NotUnderReview, ReviewerNotAPerson, UnknownReason
from xinzu.middle.decisions.events import DecisionMade
from xinzu.middle.decisions.model import DECISION_MOVES, DecidedBy, Decision, DecisionOutcome, DecisionState, Referral
from xinzu.middle.decisions.rules.reasons import review_use
from xinzu.middle.decisions.schemas.decisions import Reviewed
from xinzu.middle.decisions.store import decisions as store
from xinzu.middle.decisions.store import reviews as queue
from xinzu.middle.decisions.strategies import reason_catalogue
from xinzu.platform.actor import ActorKind, Permission
from xinzu.platform.approvals import About, check, with_second_person
from xinzu.platform.controls import Control
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

# What a party would owe in all after the approval. No tenant lets one person approve more than a bank may lend a person by consumer credit
# over the internet (商业银行互联网贷款管理暂行办法 art. 6: 200,000 yuan).
APPROVAL = Control(
    "decisions.approve_referred",
    20_000_000,
    Permission.DECISION_REVIEW,
    Prefix.DECISION,
    "人工审核通过",
    "Approve what was referred",
)


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """A person's word on a decision under review. Doors seal the ``note`` into ``note_sealed``, so that it never waits in clear."""

    decision_id: UUID
    outcome: DecisionOutcome
    reason_code: str
    note: str | None = None
    note_sealed: bytes | None = None


async def decide_referred(uow: UnitOfWork, requests: Sequence[ReviewDecision]) -> list[Outcome[Reviewed]]:
    """A person approves or declines what was referred. The acting operator is the reviewer.

    Refused with ReviewerNotAPerson, DecisionUnknown, NotUnderReview (also for a second review), UnknownReason, ReviewLevelTooLow,
    ConflictOfInterest, HeldByAnother, and with SecondPersonNeeded when an approval exposes more than one person may approve alone (the
    exposure of the party after it, in fen). Whoever approves as second person needs the level himself and may not be in conflict either.
    """
    if uow.actor.kind is not ActorKind.OPERATOR:
        return [ReviewerNotAPerson()] * len(requests)
    ids = [request.decision_id for request in requests]
    known, waiting = await store.lock_decisions(uow, ids), await queue.lock_referrals(uow, ids)
    reviewer = await reviewer_acting(uow)
    outcomes: list[Outcome[Reviewed]] = []
    reviewed: list[tuple[Decision, Referral, ReviewDecision]] = []
    for request in requests:
        decision, referral = known.get(request.decision_id), waiting.get(request.decision_id)
        try:
            if decision is None:
                raise DecisionUnknown
            if referral is None or not DECISION_MOVES.allows(decision.state, DecisionState.REVIEWED):
                raise _not_under_review(decision)
            _check_reason(request)
            check_reviewer(uow, referral, reviewer)
            if request.outcome is DecisionOutcome.APPROVE:
                await check(uow, APPROVAL, int(decision.inputs["exposure_after_fen"] or 0))
        except Problem as refusal:
            outcomes.append(refusal)
            continue
        known[decision.id] = replace(decision, state=DecisionState.REVIEWED)
        reviewed.append((decision, referral, request))
        outcomes.append(
            Reviewed(
                id=public_id(Prefix.DECISION, decision.id),
                application_id=public_id(Prefix.APPLICATION, decision.application_id),
                outcome=request.outcome,
                reason_code=request.reason_code,
            )
        )
    if reviewed:
        await _write(uow, reviewed)
    return outcomes


async def _write(uow: UnitOfWork, reviewed: Sequence[tuple[Decision, Referral, ReviewDecision]]) -> None:
    await store.record_reviews(
        uow,
        [
            store.NewReview(
                decision.id,
                referral.round,
                request.outcome,
                request.reason_code,
                request.note_sealed or _sealed_note(uow, decision.id, request.note),
            )
            for decision, referral, request in reviewed
        ],
    )
    await queue.close(uow, [decision.id for decision, _, _ in reviewed])
    await store.open_exposures(
        uow,
        [
            (
                decision.application_id,
                decision.party_id,
                int(decision.inputs["exposure_after_fen"] or 0) - int(decision.inputs["exposure_fen"] or 0),
            )
            for decision, _, request in reviewed
            if request.outcome is DecisionOutcome.APPROVE
        ],
    )
    for decision, referral, request in reviewed:
        uow.emit(
            DecisionMade(
                subject_id=decision.application_id,
                decision_id=decision.id,
                outcome=request.outcome,
                decided_by=DecidedBy.REVIEWER,
                reason_codes=[request.reason_code],
                strategy_key=decision.strategy_key,
                strategy_version=decision.strategy_version,
                arm=decision.arm,
            )
        )
        facts = {
            "decision_id": public_id(Prefix.DECISION, decision.id),
            "outcome": str(request.outcome),
            "reason_code": request.reason_code,
            "referred_by": str(decision.referred_by),
            "strategy_outcome": str(decision.outcome),
            "by": str(uow.actor),
            "level": str(referral.level),
        }
        kind = "decisions.decision.reviewed" if referral.round == 1 else "decisions.appeal.answered"
        evidence.append(uow, [evidence.Leaf(kind, decision.application_id, facts)])


def _not_under_review(decision: Decision) -> NotUnderReview:
    return NotUnderReview(
        f"该决策当前为 {decision.state}，只有 referred 的决策可以审核",
        f"The decision is {decision.state}; only a referred one can be reviewed",
        state=str(decision.state),
    )


def _check_reason(request: ReviewDecision) -> None:
    catalogue, use = reason_catalogue(), review_use(request.outcome)
    if request.reason_code in catalogue and catalogue[request.reason_code].use is use:
        return
    choices = ", ".join(code for code, reason in catalogue.items() if reason.use is use)
    detail_zh, detail_en = f"reason_code 请从以下选择：{choices}", f"reason_code is one of: {choices}"
    error = FieldError("/reason_code", UnknownReason.code, detail_zh, detail_en)
    raise UnknownReason(detail_zh, detail_en, errors=(error,))


def _sealed_note(uow: UnitOfWork, decision_id: UUID, note: str | None) -> bytes | None:
    """Reviewers write names and phones into notes, whatever the manual says."""
    return uow.vault.seal_text(f"decisions_review.note:{decision_id}", note) if note else None


def _about(request: ReviewDecision) -> About:
    return About(request.decision_id, request.reason_code, "")


def _encode(request: ReviewDecision) -> Mapping[str, Any]:
    note = {} if request.note_sealed is None else {"note_sealed": b64encode(request.note_sealed).decode()}
    return {"decision_id": str(request.decision_id), "outcome": str(request.outcome), "reason_code": request.reason_code, **note}


def _decode(_: UnitOfWork, kept: Any) -> ReviewDecision:  # noqa: ANN401 (JSON)
    sealed = kept.get("note_sealed")
    return ReviewDecision(
        UUID(kept["decision_id"]),
        DecisionOutcome(kept["outcome"]),
        kept["reason_code"],
        note_sealed=None if sealed is None else b64decode(sealed),
    )


_held = with_second_person(APPROVAL, decide_referred, about=_about, encode=_encode, decode=_decode)


async def review_decision(uow: UnitOfWork, requests: Sequence[ReviewDecision]) -> list[Outcome[Any]]:
    """``decide_referred`` as its doors call it: what needs a second person waits for one, its note sealed."""
    return await _held(
        uow,
        [replace(each, note=None, note_sealed=_sealed_note(uow, each.decision_id, each.note)) for each in requests],
    )
