"""The life of a strategy: draft, checked, submitted, approved, published, retired; and the way back.

Saving sanitises, checks and runs the golden cases. The author submits; somebody else approves and publishes, at first to a share
of the parties. The graph of a version that was submitted never changes again. Each step is a leaf of evidence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xinzu.kernel.errors import FieldError, Invalid, Problem, invariant
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.decisions.commands.models import scorer
from xinzu.middle.decisions.errors import (
    CandidateStanding,
    NothingToRollBackTo,
    SecondPersonNeeded,
    StrategistNotAPerson,
    StrategyChanged,
    StrategyRejected,
    StrategyUnknown,
    WrongStep,
)
from xinzu.middle.decisions.events import StrategyRolledBack
from xinzu.middle.decisions.model import (
    EDITABLE,
    SHARES_PCT,
    STRATEGY_MOVES,
    Report,
    Severity,
    Strategy,
    StrategyState,
    StrategyVersion,
)
from xinzu.middle.decisions.rules.evaluation import ENGINE_VERSION
from xinzu.middle.decisions.rules.strategy import graph_digest, report, sanitised
from xinzu.middle.decisions.schemas.strategies import StrategySaved, strategy_saved
from xinzu.middle.decisions.store import strategies as store
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue, shipped_graph
from xinzu.platform.actor import ActorKind, system_actor
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

FINDINGS_SHOWN_MAX = 20
SYSTEM = str(system_actor("strategies"))


@dataclass(frozen=True, slots=True)
class SaveStrategy:
    """A graph to be saved as the next version of a key, or, with ``strategy_id``, over a draft whose ``revision`` the author has seen."""

    key: str
    graph: Mapping[str, Any]
    note: str = ""
    strategy_id: UUID | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class StepStrategy:
    """A step in the life of a version: why, and for publishing the share in percent."""

    strategy_id: UUID
    reason: str = ""
    share_pct: int = 100


@dataclass(frozen=True, slots=True)
class InForce:
    """Who decides under a key now: the champion, and a candidate for a share of the parties."""

    champion: Strategy
    candidate: Strategy | None
    share_pct: int


async def save_strategies(uow: UnitOfWork, requests: Sequence[SaveStrategy]) -> list[Outcome[StrategySaved]]:
    """Save drafts and say what the checks found: a version without errors and failing golden cases is checked, any other a draft.

    Refused with StrategyRejected what is no graph at all; StrategyUnknown, IllegalMove once it was submitted, StrategyChanged when
    somebody saved in between.
    """
    return [await _refusable(_save(uow, request)) for request in requests]


async def submit_strategies(uow: UnitOfWork, requests: Sequence[StepStrategy]) -> list[Outcome[StrategySaved]]:
    """An author asks for approval. The checks and golden cases run once more: cases may have been added since.

    Refused with StrategistNotAPerson, StrategyUnknown, StrategyRejected or IllegalMove.
    """
    return [await _refusable(_submit(uow, request)) for request in requests]


async def approve_strategies(uow: UnitOfWork, requests: Sequence[StepStrategy]) -> list[Outcome[StrategySaved]]:
    """A second person approves. Approved versions decide nothing yet: they may be published or shadow the champion.

    Refused with StrategistNotAPerson, SecondPersonNeeded, StrategyUnknown, StrategyRejected or IllegalMove.
    """
    return [await _refusable(_approve(uow, request)) for request in requests]


async def reject_strategies(uow: UnitOfWork, requests: Sequence[StepStrategy]) -> list[Outcome[StrategySaved]]:
    """Give a submitted version back to its authors with a reason. Refused with StrategistNotAPerson, StrategyUnknown or WrongStep."""
    return [await _refusable(_reject(uow, request)) for request in requests]


async def publish_strategies(uow: UnitOfWork, requests: Sequence[StepStrategy]) -> list[Outcome[StrategySaved]]:
    """Let an approved version decide: 1, 5, 20 or 50 percent of the parties beside the champion, or 100 in its place.

    Refused with StrategistNotAPerson, SecondPersonNeeded, StrategyUnknown, StrategyRejected, Invalid for another share, WrongStep
    or CandidateStanding.
    """
    return [await _refusable(_publish(uow, request)) for request in requests]


async def roll_back_strategies(uow: UnitOfWork, requests: Sequence[StepStrategy]) -> list[Outcome[StrategySaved]]:
    """Take a version back: a candidate decides no more; of a champion the version before it decides again. One person is enough,
    because what comes back was approved by two. Answers with the version that decides now.

    Refused with StrategistNotAPerson, StrategyUnknown, WrongStep when it decides nothing, or NothingToRollBackTo.
    """
    return [await _refusable(_roll_back(uow, request)) for request in requests]


async def retire_strategies(uow: UnitOfWork, requests: Sequence[StepStrategy]) -> list[Outcome[StrategySaved]]:
    """Put away a version that decides nothing. Refused with StrategyUnknown, IllegalMove, or WrongStep when it decides (roll it
    back instead)."""
    return [await _refusable(_retire(uow, request)) for request in requests]


async def shadow_strategies(uow: UnitOfWork, requests: Sequence[tuple[UUID, bool]]) -> list[Outcome[StrategySaved]]:
    """Let an approved version be asked after each decision without deciding anything, or no more.

    Refused with StrategistNotAPerson, StrategyUnknown or WrongStep.
    """
    return [await _refusable(_shadow(uow, strategy_id, is_shadowed)) for strategy_id, is_shadowed in requests]


async def standing_strategies(uow: UnitOfWork, key: str = PHONE_RENTAL) -> InForce:
    """Who decides under a key now.

    A tenant without a strategy gets the shipped one as version 1, published by the system. A champion checked for another engine is
    checked again with its golden cases and published anew by the system, because the engine may read it differently; when that
    fails it stays, and no engine is found for it: everything is referred. A candidate of another engine decides nothing meanwhile.
    """
    champion, candidate = await store.in_force(uow, key)
    if champion is None or champion.engine_version != ENGINE_VERSION:
        await store.lock_key(uow, key)
        champion, candidate = await store.in_force(uow, key)  # somebody may have done it while we waited
    if champion is None:
        champion = await _publish_by_system(uow, key, shipped_graph(key), None)
        invariant(champion is not None, "the shipped strategy passes its own checks")
        assert champion is not None
    elif champion.engine_version != ENGINE_VERSION:
        champion = await _publish_by_system(uow, key, champion.graph, champion) or champion
    usable = candidate is not None and candidate.engine_version == ENGINE_VERSION
    return InForce(
        champion.strategy,
        candidate.strategy if usable and candidate is not None else None,
        candidate.share_pct if candidate is not None else 0,
    )


async def take_back(uow: UnitOfWork, version: StrategyVersion, reason: str, guard_rail: str | None) -> StrategyVersion:
    """Take back a candidate or a champion; raises WrongStep or NothingToRollBackTo. Returns the version that decides now."""
    champion, _ = await store.in_force(uow, version.key)
    if not decides(version):
        raise WrongStep(
            "该版本当前不参与决策，无需回滚",
            "The version decides nothing, there is nothing to roll back",
            state=str(version.state),
        )
    restored = champion
    if version.state is StrategyState.PUBLISHED:
        restored = None if version.replaced is None else await store.numbered(uow, version.key, version.replaced)
        if restored is None or restored.engine_version != ENGINE_VERSION or restored.state is not StrategyState.RETIRED:
            raise NothingToRollBackTo()
    if restored is None:
        raise NothingToRollBackTo()
    await store.retire(uow, version.id)
    if version.state is StrategyState.PUBLISHED:
        await store.publish(uow, restored.id, restored.replaced, str(uow.actor))
    uow.emit(
        StrategyRolledBack(
            subject_id=version.id,
            strategy_key=version.key,
            strategy_version=version.version,
            restored_version=restored.version,
            reason=reason,
            guard_rail=guard_rail,
        )
    )
    _attest(uow, "rolled_back", version, restored_version=restored.version, reason=reason, guard_rail=guard_rail or "")
    return restored


async def _save(uow: UnitOfWork, request: SaveStrategy) -> StrategyVersion:
    graph = sanitised(request.graph)
    found = report(graph, reason_catalogue(), await store.golden_cases(uow, request.key), await scorer(uow, graph))
    if any(each.code == "shape" for each in found.findings):
        raise rejected(found)
    state = StrategyState.CHECKED if found.passed else StrategyState.DRAFT
    digest = graph_digest(graph)
    if request.strategy_id is None:
        if request.key == PHONE_RENTAL:
            await standing_strategies(uow)  # the shipped one is version 1 of every tenant
        await store.lock_key(uow, request.key)
        strategy_id = await store.insert_version(
            uow, request.key, graph, digest, ENGINE_VERSION, request.note, found, state, str(uow.actor)
        )
    else:
        known = await _locked(uow, request.strategy_id)
        strategy_id = known.id
        if known.state not in EDITABLE:
            STRATEGY_MOVES.move(known.state, state)
        if known.revision != request.revision:
            raise StrategyChanged(revision=known.revision)
        await store.edit_version(uow, strategy_id, graph, digest, ENGINE_VERSION, request.note, found, state)
    saved = await _known(uow, strategy_id)
    _attest(uow, "saved", saved, revision=saved.revision)
    return saved


async def _submit(uow: UnitOfWork, request: StepStrategy) -> StrategyVersion:
    _person(uow)
    version = await _locked(uow, request.strategy_id)
    if version.state not in EDITABLE:
        STRATEGY_MOVES.move(version.state, StrategyState.SUBMITTED)
    await _check_again(uow, version)
    await store.submit(uow, version.id)
    return await _stepped(uow, version, "submitted")


async def _approve(uow: UnitOfWork, request: StepStrategy) -> StrategyVersion:
    _person(uow)
    version = await _locked(uow, request.strategy_id)
    _second(uow, version)
    STRATEGY_MOVES.move(version.state, StrategyState.APPROVED)
    await _check_again(uow, version)
    await store.approve(uow, version.id)
    return await _stepped(uow, version, "approved")


async def _reject(uow: UnitOfWork, request: StepStrategy) -> StrategyVersion:
    _person(uow)
    version = await _locked(uow, request.strategy_id)
    _at_step(version, StrategyState.SUBMITTED)
    await store.reject(uow, version.id, request.reason)
    return await _stepped(uow, version, "rejected", reason=request.reason)


async def _publish(uow: UnitOfWork, request: StepStrategy) -> StrategyVersion:
    _person(uow)
    if request.share_pct not in SHARES_PCT:
        listed = ", ".join(map(str, SHARES_PCT))
        raise Invalid.field("/share_pct", "decisions.unknown_share", f"发布比例为：{listed}", f"The share is one of {listed}")
    version = await _locked(uow, request.strategy_id)
    _second(uow, version)
    _at_step(version, StrategyState.APPROVED)
    champion, candidate = await store.in_force(uow, version.key)
    if candidate is not None and candidate.id != version.id:
        raise CandidateStanding(version=candidate.version)
    if request.share_pct < 100 and champion is None:
        raise Invalid.field(
            "/share_pct",
            "decisions.no_champion",
            "该策略还没有全量版本，首次发布须为 100",
            "The strategy has no champion yet: its first publication is 100",
        )
    await _check_again(uow, version)
    if request.share_pct < 100:
        await store.set_share(uow, version.id, request.share_pct)
    else:
        if champion is not None:
            await store.retire(uow, champion.id)
        await store.publish(uow, version.id, None if champion is None else champion.version, str(uow.actor))
    return await _stepped(uow, version, "published", share_pct=request.share_pct)


async def _roll_back(uow: UnitOfWork, request: StepStrategy) -> StrategyVersion:
    _person(uow)
    restored = await take_back(uow, await _locked(uow, request.strategy_id), request.reason, None)
    return await _known(uow, restored.id)


async def _retire(uow: UnitOfWork, request: StepStrategy) -> StrategyVersion:
    version = await _locked(uow, request.strategy_id)
    if decides(version):
        raise WrongStep("该版本正在参与决策，请用回滚", "The version decides: roll it back instead", state=str(version.state))
    STRATEGY_MOVES.move(version.state, StrategyState.RETIRED)
    await store.retire(uow, version.id)
    return await _stepped(uow, version, "retired")


async def _shadow(uow: UnitOfWork, strategy_id: UUID, is_shadowed: bool) -> StrategyVersion:
    _person(uow)
    version = await _locked(uow, strategy_id)
    _at_step(version, StrategyState.APPROVED)
    await store.set_shadowed(uow, version.id, is_shadowed)
    return await _stepped(uow, version, "shadowed", is_shadowed=is_shadowed)


async def _publish_by_system(
    uow: UnitOfWork, key: str, shipped: Mapping[str, Any], before: StrategyVersion | None
) -> StrategyVersion | None:
    """Publish the shipped graph, or a champion's own graph for the engine at hand; None when the checks or golden cases forbid it."""
    graph = sanitised(shipped)
    cases = [] if before is None else await store.golden_cases(uow, key)
    found = report(graph, reason_catalogue(), cases, await scorer(uow, graph))
    if not found.passed:
        return None
    digest = graph_digest(graph)
    strategy_id = await store.insert_version(uow, key, graph, digest, ENGINE_VERSION, "", found, StrategyState.APPROVED, SYSTEM)
    if before is not None:
        await store.retire(uow, before.id)
    await store.publish(uow, strategy_id, None if before is None else before.version, SYSTEM)
    published = await _known(uow, strategy_id)
    _attest(uow, "published", published, by=SYSTEM, share_pct=100)
    return published


async def _check_again(uow: UnitOfWork, version: StrategyVersion) -> None:
    """Run checks and golden cases with the engine at hand; raises StrategyRejected."""
    cases = await store.golden_cases(uow, version.key)
    found = report(version.graph, reason_catalogue(), cases, await scorer(uow, version.graph))
    if not found.passed:
        raise rejected(found)
    await store.checked_anew(uow, version.id, ENGINE_VERSION, found)


def rejected(found: Report) -> StrategyRejected:
    """The findings and failing cases as one problem."""
    errors = [
        FieldError(
            "/graph",
            f"decisions.strategy_finding.{each.code}",
            "；".join(filter(None, (each.where, each.text_zh, each.remedy_zh))),
            ": ".join(filter(None, (each.where, f"{each.text_en}; {each.remedy_en}"))),
        )
        for each in found.findings
        if each.severity is Severity.ERROR
    ]
    for case in found.failed_cases:
        said = case.broken or f"{case.outcome} {', '.join(case.reason_codes)}".strip()
        wanted = f"{case.expected_outcome} {', '.join(case.expected_reason_codes)}".strip()
        errors.append(
            FieldError(
                f"/golden_cases/{case.name}",
                "decisions.golden_case_failed",
                f"黄金用例「{case.name}」应为 {wanted}，实际 {said}；请修正策略，或确认后修改用例",
                f"golden case {case.name}: expected {wanted}, found {said}; correct the strategy, or change the case when it is wrong",
            )
        )
    return StrategyRejected(
        f"策略有 {len(errors)} 处需要修改，见 errors",
        f"The strategy has {len(errors)} findings, see errors",
        errors=tuple(errors[:FINDINGS_SHOWN_MAX]),
    )


async def _locked(uow: UnitOfWork, strategy_id: UUID) -> StrategyVersion:
    """The version, its key locked first, so that whoever changes what decides takes turns; raises StrategyUnknown."""
    known = await _known(uow, strategy_id)
    await store.lock_key(uow, known.key)
    locked = await store.lock_version(uow, strategy_id)
    if locked is None:
        raise StrategyUnknown()
    return locked


async def _known(uow: UnitOfWork, strategy_id: UUID) -> StrategyVersion:
    known = await store.version(uow, strategy_id)
    if known is None:
        raise StrategyUnknown()
    return known


async def _stepped(uow: UnitOfWork, version: StrategyVersion, step: str, **facts: str | int | bool) -> StrategyVersion:
    _attest(uow, step, version, **facts)
    return await _known(uow, version.id)


async def _refusable(step: Awaitable[StrategyVersion]) -> Outcome[StrategySaved]:
    """A step's answer, or the problem it was refused with before anything was written."""
    try:
        return strategy_saved(await step)
    except Problem as refusal:
        return refusal


def decides(version: StrategyVersion) -> bool:
    """Whether a version decides any application now."""
    return version.state is StrategyState.PUBLISHED or version.share_pct > 0


def _at_step(version: StrategyVersion, state: StrategyState) -> None:
    if version.state is not state:
        raise WrongStep(
            f"该版本当前为 {version.state}，此操作只用于 {state} 的版本",
            f"The version is {version.state}; this is for one that is {state}",
            state=str(version.state),
        )


def _person(uow: UnitOfWork) -> None:
    if uow.actor.kind is not ActorKind.OPERATOR:
        raise StrategistNotAPerson()


def _second(uow: UnitOfWork, version: StrategyVersion) -> None:
    if str(uow.actor) in {*version.authors, version.submitted_by}:
        raise SecondPersonNeeded()


def _attest(uow: UnitOfWork, step: str, version: StrategyVersion, **facts: str | int | bool) -> None:
    known = {
        "key": version.key,
        "version": version.version,
        "graph_sha256": version.graph_sha256,
        "engine_version": ENGINE_VERSION,
        "by": str(uow.actor),
    }
    evidence.append(uow, [evidence.Leaf(f"decisions.strategy.{step}", version.id, {**known, **facts})])
