"""The front door of decisions for other modules and the demo.

await decisions.ensure_default_strategy(uow)
await decisions.review_decision(uow, [ReviewDecision(decision_id, DecisionOutcome.APPROVE, "REVIEW_CONFIRMED")])
saved = accepted((await decisions.save_strategies(uow, [SaveStrategy("phone_rental", graph)]))[0])  # one person
await decisions.submit_strategies(uow, [StepStrategy(strategy_id)])
await decisions.approve_strategies(other_uow, [StepStrategy(strategy_id)])  # another person
await decisions.publish_strategies(other_uow, [StepStrategy(strategy_id, share_pct=5)])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.paging import Page, page_of
from xinzu.middle.credit.api import verdict as drift_verdict
from xinzu.middle.decisions.cards import Card, RegisteredModel
from xinzu.middle.decisions.commands import (
    ApplicationToDecide,
    InForce,
    PutGoldenCase,
    RemoveGoldenCase,
    ReviewDecision,
    SaveStrategy,
    SetExperiment,
    StepStrategy,
    approve_strategies,
    decide_applications,
    publish_strategies,
    put_golden_cases,
    refer_to_person,
    reject_strategies,
    remove_golden_cases,
    retire_strategies,
    review_decision,
    roll_back_strategies,
    save_strategies,
    set_experiments,
    shadow_decisions,
    shadow_strategies,
    standing_strategies,
    submit_strategies,
    watch_candidates,
    withdraw,
)
from xinzu.middle.decisions.commands.backtest import (
    AskBacktest,
    ask_backtests,
    asked_for,
    do_backtest,
    keep_backtest,
    lay_down_history,
    replay_history,
)
from xinzu.middle.decisions.commands.credit_line import compute_credit_lines, credit_line_of
from xinzu.middle.decisions.commands.model_monitoring import ModelWatch, Watched, watch_model
from xinzu.middle.decisions.commands.models import (
    RegisterModel,
    publish_models,
    ready_models,
    register_models,
    retire_models,
    scorer,
)
from xinzu.middle.decisions.commands.reviews_appeals import Appeal, appeal_decisions
from xinzu.middle.decisions.commands.reviews_queue import (
    assign_reviews,
    claim_reviews,
    escalate_reviews,
    release_reviews,
    set_review_policies,
    set_reviewers,
)
from xinzu.middle.decisions.commands.reviews_statistics import review_statistics
from xinzu.middle.decisions.errors import AppealUnknown, BacktestUnknown, DecisionUnknown, ModelUnknown, StrategyUnknown
from xinzu.middle.decisions.model import (
    MATURITY_DAYS,
    Change,
    DecidedBy,
    Decision,
    DecisionOutcome,
    DecisionState,
    Experiment,
    GoldenCase,
    ModelState,
    ReasonUse,
    Referral,
    Report,
    Reviewer,
    ReviewLevel,
    ReviewPolicy,
    ShadowComparison,
    Strategy,
    StrategyState,
    StrategyVersion,
)
from xinzu.middle.decisions.rules.backtest import BAD_DAYS_PAST_DUE
from xinzu.middle.decisions.rules.backtest_figures import Approvals, Backtest, BacktestReport
from xinzu.middle.decisions.rules.diff import changes
from xinzu.middle.decisions.rules.evaluation import ENGINE_VERSION, compiled
from xinzu.middle.decisions.rules.indicators import SIGNAL_TYPES
from xinzu.middle.decisions.rules.models.monitoring import DEFAULT_DAYS
from xinzu.middle.decisions.rules.reasons import codes_of, told_to_customer
from xinzu.middle.decisions.rules.reviews import appeal_until, may_appeal
from xinzu.middle.decisions.rules.strategy import report, sanitised
from xinzu.middle.decisions.schemas.decisions import ExplanationView, Reviewed, explanation_view
from xinzu.middle.decisions.schemas.reviews import AppealView
from xinzu.middle.decisions.schemas.strategies import StrategySaved
from xinzu.middle.decisions.store import backtest as _backtests
from xinzu.middle.decisions.store import decisions as store
from xinzu.middle.decisions.store import experiments, strategies
from xinzu.middle.decisions.store import models as _models
from xinzu.middle.decisions.store import reviews as _reviews
from xinzu.middle.decisions.store.backtest import note_bad
from xinzu.middle.decisions.store.credit_line import parties_with_orders
from xinzu.middle.decisions.store.decisions import close_exposures, name_agreements, note_cleared, note_overdue
from xinzu.middle.decisions.store.models import note_defaulted
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue
from xinzu.platform.uow import ReadSession, UnitOfWork

__all__ = [
    "BAD_DAYS_PAST_DUE",
    "DEFAULT_DAYS",
    "MATURITY_DAYS",
    "PHONE_RENTAL",
    "SIGNAL_TYPES",
    "Appeal",
    "ApplicationToDecide",
    "Approvals",
    "AskBacktest",
    "Backtest",
    "BacktestReport",
    "Card",
    "Change",
    "DecidedBy",
    "Decision",
    "DecisionOutcome",
    "DecisionState",
    "Experiment",
    "GoldenCase",
    "InForce",
    "ModelState",
    "ModelWatch",
    "PutGoldenCase",
    "RegisterModel",
    "RegisteredModel",
    "RemoveGoldenCase",
    "ReviewDecision",
    "ReviewLevel",
    "ReviewPolicy",
    "Reviewed",
    "Reviewer",
    "SaveStrategy",
    "SetExperiment",
    "StepStrategy",
    "Strategy",
    "StrategySaved",
    "StrategyState",
    "StrategyVersion",
    "Watched",
    "appeal_decisions",
    "appeal_of",
    "approve_strategies",
    "ask_backtests",
    "asked_for",
    "assign_reviews",
    "backtest",
    "changes_between",
    "check_graph",
    "claim_reviews",
    "close_exposures",
    "compute_credit_lines",
    "credit_line_of",
    "decide_applications",
    "decision",
    "decision_of_application",
    "do_backtest",
    "drift_verdict",
    "ensure_default_strategy",
    "escalate_reviews",
    "experiment",
    "explanation",
    "golden_cases",
    "keep_backtest",
    "lay_down_history",
    "list_backtests",
    "list_decisions",
    "list_models",
    "list_referrals",
    "list_reviewers",
    "list_strategies",
    "model",
    "name_agreements",
    "note_bad",
    "note_cleared",
    "note_defaulted",
    "note_overdue",
    "parties_with_orders",
    "publish_models",
    "publish_strategies",
    "put_golden_cases",
    "ready_models",
    "reason_catalogue",
    "refer_to_person",
    "register_models",
    "reject_strategies",
    "release_reviews",
    "remove_golden_cases",
    "repeat_decision",
    "replay_history",
    "retire_models",
    "retire_strategies",
    "review_decision",
    "review_policy",
    "review_statistics",
    "roll_back_strategies",
    "save_strategies",
    "set_experiments",
    "set_review_policies",
    "set_reviewers",
    "shadow_comparison",
    "shadow_decisions",
    "shadow_strategies",
    "standing_strategies",
    "strategy",
    "strategy_numbered",
    "submit_strategies",
    "watch_candidates",
    "watch_model",
    "withdraw",
]


async def ensure_default_strategy(uow: UnitOfWork) -> Strategy:
    """The strategy of phone rentals; the shipped one becomes version 1 of a tenant that has none."""
    return (await standing_strategies(uow, PHONE_RENTAL)).champion


async def decision(read: ReadSession, decision_id: UUID) -> Decision:
    """One decision; raises DecisionUnknown."""
    found = await store.decision(read, decision_id)
    if found is None:
        raise DecisionUnknown()
    return found


async def explanation(read: ReadSession, decision_id: UUID) -> ExplanationView:
    """What the customer is told about a decision (PIPL arts. 24 and 48); raises DecisionUnknown."""
    found = await decision(read, decision_id)
    told = told_to_customer(reason_catalogue(), found.standing_reason_codes)
    if found.review is None:
        return explanation_view(found, told)
    until = appeal_until(read.calendar.business_date(found.review.reviewed_at))
    return explanation_view(found, told, until, may_appeal=may_appeal(found, until, read.business_date))


async def list_referrals(
    read: ReadSession, level: ReviewLevel | None, held_by: str | None, after_id: UUID | None, limit: int
) -> Page[Referral]:
    """What waits for a person, oldest first; ``held_by``: only what this actor holds now."""
    found = await _reviews.list_referrals(read, level, held_by, after_id, limit + 1)
    return page_of(found, limit, lambda each: each.decision_id)


async def appeal_of(read: ReadSession, decision_id: UUID) -> AppealView:
    """An appeal with the person's own words; raises DecisionUnknown or AppealUnknown."""
    await decision(read, decision_id)
    found = await _reviews.appeal_of(read, decision_id)
    if found is None:
        raise AppealUnknown()
    sealed = found.grounds_sealed
    return AppealView(
        decision_id=public_id(Prefix.DECISION, decision_id),
        asked_at=found.asked_at,
        asked_by=found.asked_by,
        grounds=None if sealed is None else read.vault.open_text(f"decisions_appeal.grounds:{decision_id}", bytes(sealed)),
    )


async def list_reviewers(read: ReadSession) -> list[Reviewer]:
    """Operators whose level was set, by login."""
    return await _reviews.reviewers(read)


async def review_policy(read: ReadSession) -> ReviewPolicy:
    """The clock of reviews."""
    return await _reviews.policy(read)


async def decision_of_application(read: ReadSession, application_id: UUID) -> Decision | None:
    """The decision on an application, or None when it has not been made yet."""
    return await store.decision_of_application(read, application_id)


async def list_decisions(
    read: ReadSession, state: DecisionState | None, before_id: UUID | None, limit: int, *, level: ReviewLevel | None = None
) -> Page[Decision]:
    """Decisions of the tenant, newest first; the reviewers' queue is ``DecisionState.REFERRED``, by level of review if wanted."""
    found = await store.list_decisions(read, state, level, before_id, limit + 1)
    return page_of(found, limit, lambda each: each.id)


async def repeat_decision(read: ReadSession, made: Decision) -> DecisionOutcome | None:
    """What the stored strategy version says today of the stored inputs: equal to ``made.outcome``, or the record is not to be trusted.

    None when that version is not on file or was checked for another engine version.
    """
    found = await strategies.strategy_version(read, made.strategy_key, made.strategy_version)
    if found is None or not found.engine_version == made.engine_version == ENGINE_VERSION:
        return None
    return compiled(found).decide(made.inputs).outcome


async def strategy(read: ReadSession, strategy_id: UUID) -> StrategyVersion:
    """One version of a strategy; raises StrategyUnknown."""
    found = await strategies.version(read, strategy_id)
    if found is None:
        raise StrategyUnknown()
    return found


async def list_strategies(
    read: ReadSession, key: str | None, state: StrategyState | None, before_id: UUID | None, limit: int
) -> Page[StrategyVersion]:
    """Versions, newest first; what waits for a second person is ``StrategyState.SUBMITTED``."""
    found = await strategies.list_versions(read, key, state, before_id, limit + 1)
    return page_of(found, limit, lambda each: each.id)


async def changes_between(
    read: ReadSession, strategy_id: UUID, against_id: UUID | None
) -> tuple[StrategyVersion, StrategyVersion, list[Change]]:
    """A version, the one it is compared with (the champion of its key when none is named) and what changed; raises StrategyUnknown."""
    version = await strategy(read, strategy_id)
    if against_id is None:
        champion, _ = await strategies.in_force(read, version.key)
        if champion is None:
            raise StrategyUnknown()
        return version, champion, changes(champion.graph, version.graph)
    against = await strategy(read, against_id)
    return version, against, changes(against.graph, version.graph)


async def check_graph(read: ReadSession, key: str, graph: Mapping[str, Any]) -> Report:
    """What a save would find, without saving: findings and golden cases of the key."""
    checked = sanitised(graph)
    return report(checked, reason_catalogue(), await strategies.golden_cases(read, key), await scorer(read, checked))


async def golden_cases(read: ReadSession, key: str) -> list[GoldenCase]:
    """The golden cases of a key, by name."""
    return await strategies.golden_cases(read, key)


async def experiment(read: ReadSession, key: str) -> Experiment:
    """How the versions of a key are tried out."""
    return await experiments.experiment(read, key)


async def shadow_comparison(read: ReadSession, strategy_id: UUID) -> tuple[StrategyVersion, ShadowComparison]:
    """What a challenger would have decided beside what was decided; raises StrategyUnknown."""
    version = await strategy(read, strategy_id)
    failed = codes_of(reason_catalogue(), ReasonUse.TECHNICAL)
    return version, await experiments.shadow_comparison(read, version, failed)


async def model(read: ReadSession, model_id: UUID) -> tuple[RegisteredModel, str]:
    """One version of a model with its artefact; raises ModelUnknown."""
    known, artefact = await _models.model(read, model_id), await _models.artefact(read, model_id)
    if known is None or artefact is None:
        raise ModelUnknown()
    return known, artefact


async def list_models(
    read: ReadSession, key: str | None, state: ModelState | None, before_id: UUID | None, limit: int
) -> Page[RegisteredModel]:
    """Versions of models, newest first; what waits for a second person is ``ModelState.REGISTERED``."""
    found = await _models.list_models(read, key, state, before_id, limit + 1)
    return page_of(found, limit, lambda each: each.id)


async def backtest(read: ReadSession, backtest_id: UUID) -> Backtest:
    """A replay on history with what it found; raises BacktestUnknown."""
    found = await _backtests.backtest(read, backtest_id)
    if found is None:
        raise BacktestUnknown()
    return found


async def list_backtests(read: ReadSession, strategy_id: UUID, before_id: UUID | None, limit: int) -> Page[Backtest]:
    """The replays of a version, newest first; raises StrategyUnknown."""
    await strategy(read, strategy_id)
    found = await _backtests.list_backtests(read, strategy_id, before_id, limit + 1)
    return page_of(found, limit, lambda each: each.id)


async def strategy_numbered(read: ReadSession, key: str, number: int) -> StrategyVersion:
    """A version by its key and number; raises StrategyUnknown."""
    found = await strategies.numbered(read, key, number)
    if found is None:
        raise StrategyUnknown()
    return found
