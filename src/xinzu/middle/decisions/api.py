"""The front door of decisions for other modules and the demo.

await decisions.ensure_default_strategy(uow)
await decisions.review_decision(uow, [ReviewDecision(decision_id, DecisionOutcome.APPROVE, "REVIEW_CONFIRMED")])
"""

from __future__ import annotations

from uuid import UUID

from xinzu.kernel.paging import Page, page_of
from xinzu.middle.decisions import store
from xinzu.middle.decisions.commands import (
    ApplicationToDecide,
    PublishStrategy,
    ReviewDecision,
    decide_applications,
    publish_strategy,
    refer_to_person,
    review_decision,
    standing_strategy,
    withdraw,
)
from xinzu.middle.decisions.errors import DecisionUnknown
from xinzu.middle.decisions.model import Decision, DecisionOutcome, DecisionState, Strategy
from xinzu.middle.decisions.rules.evaluation import compiled
from xinzu.middle.decisions.rules.indicators import SIGNAL_TYPES
from xinzu.middle.decisions.rules.reasons import told_to_customer
from xinzu.middle.decisions.schemas import ExplanationView, Reviewed, explanation_view
from xinzu.middle.decisions.store import close_exposures, name_agreements, note_cleared, note_overdue
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue
from xinzu.platform.uow import ReadSession, UnitOfWork

__all__ = [
    "PHONE_RENTAL",
    "SIGNAL_TYPES",
    "ApplicationToDecide",
    "Decision",
    "DecisionOutcome",
    "DecisionState",
    "PublishStrategy",
    "ReviewDecision",
    "Reviewed",
    "Strategy",
    "close_exposures",
    "decide_applications",
    "decision",
    "decision_of_application",
    "ensure_default_strategy",
    "explanation",
    "list_decisions",
    "name_agreements",
    "note_cleared",
    "note_overdue",
    "publish_strategy",
    "reason_catalogue",
    "refer_to_person",
    "repeat_decision",
    "review_decision",
    "withdraw",
]


async def ensure_default_strategy(uow: UnitOfWork) -> Strategy:
    """The strategy of phone rentals; the shipped one becomes version 1 of a tenant that has none."""
    return await standing_strategy(uow, PHONE_RENTAL)


async def decision(read: ReadSession, decision_id: UUID) -> Decision:
    """One decision; raises DecisionUnknown."""
    found = await store.decision(read, decision_id)
    if found is None:
        raise DecisionUnknown()
    return found


async def explanation(read: ReadSession, decision_id: UUID) -> ExplanationView:
    """What the customer is told about a decision (PIPL arts. 24 and 48); raises DecisionUnknown."""
    found = await decision(read, decision_id)
    return explanation_view(found, told_to_customer(reason_catalogue(), found.standing_reason_codes))


async def decision_of_application(read: ReadSession, application_id: UUID) -> Decision | None:
    """The decision on an application, or None when it has not been made yet."""
    return await store.decision_of_application(read, application_id)


async def list_decisions(read: ReadSession, state: DecisionState | None, before_id: UUID | None, limit: int) -> Page[Decision]:
    """Decisions of the tenant, newest first; the reviewers' queue is ``DecisionState.REFERRED``."""
    found = await store.list_decisions(read, state, before_id, limit + 1)
    return page_of(found, limit, lambda each: each.id)


async def repeat_decision(read: ReadSession, made: Decision) -> DecisionOutcome | None:
    """What the stored strategy version says today of the stored inputs: equal to ``made.outcome``, or the record is not to be trusted.

    None when that version is not on file or was checked for another engine version.
    """
    strategy = await store.strategy_version(read, made.strategy_key, made.strategy_version)
    if strategy is None or strategy.engine_version != made.engine_version:
        return None
    return compiled(strategy).evaluate(made.inputs).outcome
