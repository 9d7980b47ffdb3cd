"""A person appeals against what a person declined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.decisions.commands.reviews_queue import ToReview, enter_queue
from xinzu.middle.decisions.errors import DecisionUnknown, NoAppeal
from xinzu.middle.decisions.events import DecisionMade, ReviewAppealed
from xinzu.middle.decisions.model import DecidedBy, DecisionOutcome, DecisionState
from xinzu.middle.decisions.rules.reviews import appeal_until, may_appeal
from xinzu.middle.decisions.schemas.reviews import Appealed
from xinzu.middle.decisions.store import decisions as decisions_store
from xinzu.middle.decisions.store import reviews as store
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal in the person's own words, which are sealed."""

    decision_id: UUID
    grounds: str | None = None


async def appeal_decisions(uow: UnitOfWork, requests: Sequence[Appeal]) -> list[Outcome[Appealed]]:
    """Put what a person declined before another person, once, within 30 days (PIPL arts. 24 and 50: a way to be heard, and an answer).

    Refused with DecisionUnknown or NoAppeal. The decision says refer until it is answered. Emits ReviewAppealed and DecisionMade; the
    appeal is kept as evidence without its words.
    """
    known = await decisions_store.lock_decisions(uow, [request.decision_id for request in requests])
    outcomes: list[Outcome[Appealed]] = []
    for request in requests:
        decision = known.get(request.decision_id)
        if decision is None:
            outcomes.append(DecisionUnknown())
            continue
        review = decision.review
        until = None if review is None else appeal_until(uow.calendar.business_date(review.reviewed_at))
        if review is None or until is None or not may_appeal(decision, until, uow.business_date):
            outcomes.append(NoAppeal(until=None if until is None else until.isoformat()))
            continue
        known[decision.id] = replace(decision, state=DecisionState.REFERRED)
        sealed = uow.vault.seal_text(f"decisions_appeal.grounds:{decision.id}", request.grounds) if request.grounds else None
        await store.insert_appeal(uow, decision.id, sealed)
        await enter_queue(uow, [ToReview(decision.id, decision.review_level, review.round + 1)])
        uow.emit(
            ReviewAppealed(subject_id=decision.application_id, decision_id=decision.id, party_id=decision.party_id),
            DecisionMade(
                subject_id=decision.application_id,
                decision_id=decision.id,
                outcome=DecisionOutcome.REFER,
                decided_by=DecidedBy.REVIEWER,
                reason_codes=[review.reason_code],
                strategy_key=decision.strategy_key,
                strategy_version=decision.strategy_version,
                arm=decision.arm,
            ),
        )
        facts = {
            "decision_id": public_id(Prefix.DECISION, decision.id),
            "declined_by": review.reviewer,
            "reason_code": review.reason_code,
            "asked_by": str(uow.actor),
        }
        evidence.append(uow, [evidence.Leaf("decisions.review.appealed", decision.application_id, facts)])
        outcomes.append(Appealed(id=public_id(Prefix.DECISION, decision.id), state=str(DecisionState.REFERRED)))
    return outcomes
