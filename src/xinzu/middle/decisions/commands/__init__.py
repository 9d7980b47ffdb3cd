"""Use cases of decisions: decide a batch of applications, let a person decide, the life of a strategy, trying versions out."""

from __future__ import annotations

from xinzu.middle.decisions.commands.decide import ApplicationToDecide, decide_applications, refer_to_person, withdraw
from xinzu.middle.decisions.commands.experiments import (
    PutGoldenCase,
    RemoveGoldenCase,
    SetExperiment,
    put_golden_cases,
    remove_golden_cases,
    set_experiments,
    shadow_decisions,
    watch_candidates,
)
from xinzu.middle.decisions.commands.reviews import ReviewDecision, review_decision
from xinzu.middle.decisions.commands.strategies import (
    InForce,
    SaveStrategy,
    StepStrategy,
    approve_strategies,
    publish_strategies,
    reject_strategies,
    retire_strategies,
    roll_back_strategies,
    save_strategies,
    shadow_strategies,
    standing_strategies,
    submit_strategies,
)

__all__ = [
    "ApplicationToDecide",
    "InForce",
    "PutGoldenCase",
    "RemoveGoldenCase",
    "ReviewDecision",
    "SaveStrategy",
    "SetExperiment",
    "StepStrategy",
    "approve_strategies",
    "decide_applications",
    "publish_strategies",
    "put_golden_cases",
    "refer_to_person",
    "reject_strategies",
    "remove_golden_cases",
    "retire_strategies",
    "review_decision",
    "roll_back_strategies",
    "save_strategies",
    "set_experiments",
    "shadow_decisions",
    "shadow_strategies",
    "standing_strategies",
    "submit_strategies",
    "watch_candidates",
    "withdraw",
]
