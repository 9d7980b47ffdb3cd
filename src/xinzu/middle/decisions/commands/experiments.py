"""Trying versions out: golden cases, experiment settings, shadow decisions, and the guard rails that take a candidate back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID, uuid5

from xinzu.kernel.errors import Invalid
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.decisions.commands.models import ready_models
from xinzu.middle.decisions.commands.strategies import take_back
from xinzu.middle.decisions.errors import GoldenCaseUnknown, StrategistNotAPerson
from xinzu.middle.decisions.model import ArmCounts, DecisionOutcome, Experiment, GoldenCase, ReasonUse
from xinzu.middle.decisions.rules.evaluation import ENGINE_VERSION, engine_of
from xinzu.middle.decisions.rules.experiments import breach
from xinzu.middle.decisions.rules.indicators import DECLARED
from xinzu.middle.decisions.rules.models.reading import models_of, with_scores
from xinzu.middle.decisions.rules.reasons import codes_of
from xinzu.middle.decisions.rules.strategy import CASES_MAX
from xinzu.middle.decisions.schemas.strategies import ExperimentSet, GoldenCaseSet
from xinzu.middle.decisions.store import experiments as store
from xinzu.middle.decisions.store import strategies
from xinzu.middle.decisions.strategies import reason_catalogue
from xinzu.platform.actor import ActorKind
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

_KEYS = UUID("0a4c7f5e-6d7b-5f0e-9b1e-3c5a7d1e2f40")  # names a strategy's key as a subject of evidence


@dataclass(frozen=True, slots=True)
class PutGoldenCase:
    """A golden case of a key, written over the one of the same name."""

    key: str
    case: GoldenCase


@dataclass(frozen=True, slots=True)
class RemoveGoldenCase:
    """A golden case that is right no more."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class SetExperiment:
    """How a key's versions are tried out from now on."""

    key: str
    settings: Experiment


async def put_golden_cases(uow: UnitOfWork, requests: Sequence[PutGoldenCase]) -> list[Outcome[GoldenCaseSet]]:
    """Keep cases every version must answer as they say. Drafts that answer otherwise cannot be submitted from now on; what is published
    stays. Refused with Invalid: an indicator or reason nobody knows, an approval with reasons, more than 500 cases."""
    outcomes: list[Outcome[GoldenCaseSet]] = []
    for request in requests:
        refusal = _wrong_case(request.case) or await _one_too_many(uow, request)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        await strategies.put_golden_case(uow, request.key, request.case)
        facts = {"name": request.case.name, "outcome": str(request.case.outcome), "reason_codes": list(request.case.reason_codes)}
        _attest(uow, "decisions.golden_case.set", request.key, facts)
        outcomes.append(GoldenCaseSet(key=request.key, name=request.case.name))
    return outcomes


async def remove_golden_cases(uow: UnitOfWork, requests: Sequence[RemoveGoldenCase]) -> list[Outcome[GoldenCaseSet]]:
    """Take cases away; who did so stays on record. Refused with GoldenCaseUnknown."""
    outcomes: list[Outcome[GoldenCaseSet]] = []
    for request in requests:
        if not await strategies.remove_golden_case(uow, request.key, request.name):
            outcomes.append(GoldenCaseUnknown())
            continue
        _attest(uow, "decisions.golden_case.removed", request.key, {"name": request.name})
        outcomes.append(GoldenCaseSet(key=request.key, name=request.name))
    return outcomes


async def set_experiments(uow: UnitOfWork, requests: Sequence[SetExperiment]) -> list[Outcome[ExperimentSet]]:
    """Set the random accept arm and the guard rails of keys. A person answers for what is risked: refused with StrategistNotAPerson."""
    if uow.actor.kind is not ActorKind.OPERATOR:
        return [StrategistNotAPerson()] * len(requests)
    for request in requests:
        await store.put_experiment(uow, request.key, request.settings)
        _attest(uow, "decisions.experiment.set", request.key, asdict(request.settings))
    return [ExperimentSet(key=request.key, **asdict(request.settings)) for request in requests]


async def shadow_decisions(uow: UnitOfWork, keys: Sequence[str], decision_ids: Sequence[UUID]) -> None:
    """Ask the challengers of these keys about decisions that were made. Nothing follows from their answers for anybody.

    What the law kept from automated decision is not shown to challengers either (PIPL art. 13).
    """
    challengers = [
        (each, engine) for each in await strategies.challengers(uow, keys, ENGINE_VERSION) if (engine := engine_of(each.strategy))
    ]
    if not challengers:
        return
    made = await store.shadowable(uow, decision_ids, codes_of(reason_catalogue(), ReasonUse.LAW))
    models = await ready_models(uow, [challenger.graph for challenger, _ in challengers])
    await store.insert_shadows(
        uow,
        [
            (decision.id, challenger, engine.decide(with_scores(decision.inputs, models_of(challenger.graph, models))))
            for decision in made
            for challenger, engine in challengers
            if challenger.key == decision.strategy_key
        ],
    )


async def watch_candidates(uow: UnitOfWork, keys: Sequence[str]) -> None:
    """Compare each candidate with its champion since it was given a share, over the window at most, and roll it back when it breaks a
    guard rail."""
    catalogue = reason_catalogue()
    law, failed = codes_of(catalogue, ReasonUse.LAW), codes_of(catalogue, ReasonUse.TECHNICAL)
    for key in sorted(set(keys)):
        champion, candidate = await strategies.in_force(uow, key)
        if champion is None or candidate is None:
            continue
        rails = await store.experiment(uow, key)
        since = store.window_start(uow.now, rails.window_hours, candidate.published_at)
        counts = await store.arm_counts(uow, key, [champion.version, candidate.version], since, law, failed)
        nothing = ArmCounts(0, 0, 0, 0)
        broken = breach(counts.get(champion.version, nothing), counts.get(candidate.version, nothing), rails)
        if broken is None:
            continue
        await strategies.lock_key(uow, key)
        standing = await strategies.lock_version(uow, candidate.id)
        if standing is not None and standing.share_pct > 0:  # nobody took it back or published it while we counted
            await take_back(uow, standing, "guard rail", broken)


def _wrong_case(case: GoldenCase) -> Invalid | None:
    unknown = sorted(case.inputs.keys() - DECLARED)
    if unknown:
        listed = ", ".join(unknown)
        return Invalid.field(
            "/inputs", "decisions.unknown_indicator", f"没有这些指标：{listed}", f"There are no such indicators: {listed}"
        )
    strange = [code for code in case.reason_codes if code not in reason_catalogue()]
    if strange:
        listed = ", ".join(strange)
        return Invalid.field(
            "/reason_codes", "decisions.unknown_reason", f"目录中没有原因码：{listed}", f"The catalogue has no reasons {listed}"
        )
    if (case.outcome is DecisionOutcome.APPROVE) == bool(case.reason_codes):
        return Invalid.field(
            "/reason_codes",
            "decisions.reasons_do_not_fit",
            "批准不带原因码，拒绝与转人工至少一个",
            "An approval has no reasons, anything else at least one",
        )
    return None


async def _one_too_many(uow: UnitOfWork, request: PutGoldenCase) -> Invalid | None:
    known = [each.name for each in await strategies.golden_cases(uow, request.key)]
    if request.case.name in known or len(known) < CASES_MAX:
        return None
    return Invalid.field(
        "/name", "decisions.cases_max", f"每个策略最多 {CASES_MAX} 个黄金用例", f"A strategy has at most {CASES_MAX} golden cases"
    )


def _attest(uow: UnitOfWork, kind: str, key: str, facts: evidence.JSON) -> None:
    subject = uuid5(_KEYS, f"{uow.tenant_id}:{key}")
    assert isinstance(facts, dict)
    evidence.append(uow, [evidence.Leaf(kind, subject, {"key": key, "by": str(uow.actor), **facts})])
