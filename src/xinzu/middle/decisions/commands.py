"""Use cases of decisions: publish a strategy, decide a batch of applications, let a person decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xinzu.kernel.errors import FieldError
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import AgreementTerms
from xinzu.middle.decisions import store
from xinzu.middle.decisions.errors import (
    DecisionUnknown,
    NotUnderReview,
    ReviewerNotAPerson,
    StrategyRejected,
    UnknownReason,
)
from xinzu.middle.decisions.events import DecisionMade
from xinzu.middle.decisions.model import (
    DECISION_MOVES,
    DecidedBy,
    DecisionOutcome,
    DecisionState,
    PartyHistory,
    Strategy,
)
from xinzu.middle.decisions.rules.consent import refer_without_consent
from xinzu.middle.decisions.rules.evaluation import ENGINE_VERSION, compiled
from xinzu.middle.decisions.rules.indicators import canonical_inputs, exposed_fen, history_after, indicators
from xinzu.middle.decisions.rules.reasons import review_use
from xinzu.middle.decisions.rules.strategy import findings, graph_digest, sanitised
from xinzu.middle.decisions.schemas import Reviewed
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue, shipped_graph
from xinzu.platform.actor import ActorKind
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

FINDINGS_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class PublishStrategy:
    """A graph that is to decide from now on under a key."""

    key: str
    graph: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApplicationToDecide:
    """What a decision needs to know of an application."""

    application_id: UUID
    party_id: UUID
    channel: str
    terms: AgreementTerms
    signals: Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """A person's word on a decision under review."""

    decision_id: UUID
    outcome: DecisionOutcome
    reason_code: str
    note: str | None = None


async def publish_strategy(uow: UnitOfWork, requests: Sequence[PublishStrategy]) -> list[Outcome[Strategy]]:
    """Check graphs and publish them as the next versions of their keys; a graph that is published already stays as it is.

    Refused with StrategyRejected, which lists the findings.
    """
    outcomes: list[Outcome[Strategy]] = []
    for request in requests:
        graph = sanitised(request.graph)
        found = findings(graph, reason_catalogue())
        if found:
            outcomes.append(_rejected(found))
            continue
        digest = graph_digest(graph)
        standing = await store.published_strategy(uow, request.key)
        if standing is not None and (standing.graph_sha256, standing.engine_version) == (digest, ENGINE_VERSION):
            outcomes.append(standing)
            continue
        strategy = await store.publish(uow, request.key, graph, digest, ENGINE_VERSION)
        evidence.append(
            uow,
            [
                evidence.Leaf(
                    "decisions.strategy.published",
                    new_id(),
                    {
                        "key": strategy.key,
                        "version": strategy.version,
                        "graph_sha256": digest,
                        "engine_version": ENGINE_VERSION,
                    },
                )
            ],
        )
        outcomes.append(strategy)
    return outcomes


async def standing_strategy(uow: UnitOfWork, key: str = PHONE_RENTAL) -> Strategy:
    """The strategy that decides now.

    A tenant without one gets the shipped one as version 1; one checked for another engine version is checked again and published
    anew, because the engine may read it differently. Raises StrategyRejected when that check fails.
    """
    standing = await store.published_strategy(uow, key)
    if standing is not None and standing.engine_version == ENGINE_VERSION:
        return standing
    graph = shipped_graph(key) if standing is None else standing.graph
    outcome = (await publish_strategy(uow, [PublishStrategy(key, graph)]))[0]
    if isinstance(outcome, StrategyRejected):
        raise outcome
    assert isinstance(outcome, Strategy)
    return outcome


async def decide_applications(uow: UnitOfWork, applications: Sequence[ApplicationToDecide]) -> None:
    """Decide a batch by the standing strategy: indicators set by set, one evaluation each, rows, events and evidence together.

    An application that has a decision already is passed over. Several applications of one party in the batch are decided in order,
    each knowing those before it. Of a party without consent to automated decisions nothing is looked at: a person decides (PIPL
    arts. 13, 24).
    """
    decided = await store.already_decided(uow, [each.application_id for each in applications])
    fresh = {each.application_id: each for each in applications if each.application_id not in decided}
    if not fresh:
        return
    strategy = await standing_strategy(uow)
    engine = compiled(strategy)
    party_ids = [each.party_id for each in fresh.values()]
    without_consent = await parties.parties_without_consent(uow, party_ids, parties.ConsentPurpose.DECISION)
    ages = await parties.ages_on(uow, [party_id for party_id in party_ids if party_id not in without_consent], uow.business_date)
    histories = await store.histories(uow, party_ids)
    decisions: list[store.NewDecision] = []
    for each in fresh.values():
        if each.party_id in without_consent:
            history = PartyHistory()
            inputs = indicators(each.terms, each.channel, {}, None, history, uow.business_date)
            verdict = refer_without_consent()
        else:
            history = histories.get(each.party_id, PartyHistory())
            inputs = indicators(each.terms, each.channel, each.signals, ages.get(each.party_id), history, uow.business_date)
            verdict = engine.evaluate(inputs)
        value_fen = exposed_fen(each.terms)
        decisions.append(
            store.NewDecision(new_id(), each.application_id, each.party_id, value_fen, inputs, evidence.new_salt(), verdict)
        )
        histories[each.party_id] = history_after(history, verdict.outcome, value_fen)
    await store.insert_decisions(uow, strategy, decisions)
    await store.open_exposures(
        uow,
        [
            (decision.application_id, decision.party_id, decision.exposed_fen)
            for decision in decisions
            if decision.verdict.outcome is DecisionOutcome.APPROVE
        ],
    )
    uow.emit(*(_made(decision, strategy) for decision in decisions))
    evidence.append(uow, [_leaf(decision, strategy) for decision in decisions])


async def refer_to_person(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    """The applicants ask for a person after an automated decline (PIPL art. 24). A decision a person made already stays."""
    moved = await store.refer_declined(uow, application_ids)
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "decisions.review.requested",
                application_id,
                {"decision_id": public_id(Prefix.DECISION, decision_id), "requested_by": "applicant"},
            )
            for decision_id, application_id in moved
        ],
    )


async def withdraw(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    """The applications were cancelled: nobody needs to look at them, and what was approved no longer counts as exposure."""
    await store.withdraw_referred(uow, application_ids)
    await store.close_exposures(uow, application_ids)


async def review_decision(uow: UnitOfWork, requests: Sequence[ReviewDecision]) -> list[Outcome[Reviewed]]:
    """A person approves or declines what was referred. The acting operator is the reviewer.

    Refused with ReviewerNotAPerson, DecisionUnknown, NotUnderReview (also for a second review) or UnknownReason.
    """
    if uow.actor.kind is not ActorKind.OPERATOR:
        return [ReviewerNotAPerson()] * len(requests)
    known = await store.lock_decisions(uow, [request.decision_id for request in requests])
    outcomes: list[Outcome[Reviewed]] = []
    reviews: list[store.NewReview] = []
    taken: set[UUID] = set()
    for request in requests:
        decision = known.get(request.decision_id)
        if decision is None:
            outcomes.append(DecisionUnknown())
        elif request.decision_id in taken or not DECISION_MOVES.allows(decision.state, DecisionState.REVIEWED):
            outcomes.append(
                NotUnderReview(
                    f"该决策当前为 {decision.state}，只有 referred 的决策可以审核",
                    f"The decision is {decision.state}; only a referred one can be reviewed",
                    state=str(decision.state),
                )
            )
        elif (refusal := _unknown_reason(request)) is not None:
            outcomes.append(refusal)
        else:
            taken.add(decision.id)
            reviews.append(
                store.NewReview(decision.id, request.outcome, request.reason_code, _sealed_note(uow, decision.id, request.note))
            )
            outcomes.append(
                Reviewed(
                    id=public_id(Prefix.DECISION, decision.id),
                    application_id=public_id(Prefix.APPLICATION, decision.application_id),
                    outcome=request.outcome,
                    reason_code=request.reason_code,
                )
            )
    if reviews:
        await store.record_reviews(uow, reviews)
    for review in reviews:
        decision = known[review.decision_id]
        if review.outcome is DecisionOutcome.APPROVE:
            inputs = decision.inputs
            value_fen = int(inputs["exposure_after_fen"] or 0) - int(inputs["exposure_fen"] or 0)
            await store.open_exposures(uow, [(decision.application_id, decision.party_id, value_fen)])
        uow.emit(
            DecisionMade(
                subject_id=decision.application_id,
                decision_id=decision.id,
                outcome=review.outcome,
                decided_by=DecidedBy.REVIEWER,
                reason_codes=[review.reason_code],
                strategy_key=decision.strategy_key,
                strategy_version=decision.strategy_version,
            )
        )
        evidence.append(
            uow,
            [
                evidence.Leaf(
                    "decisions.decision.reviewed",
                    decision.application_id,
                    {
                        "decision_id": public_id(Prefix.DECISION, decision.id),
                        "outcome": str(review.outcome),
                        "reason_code": review.reason_code,
                        "referred_by": str(decision.referred_by),
                        "strategy_outcome": str(decision.outcome),
                    },
                )
            ],
        )
    return outcomes


def _rejected(found: Sequence[str]) -> StrategyRejected:
    shown = found[:FINDINGS_SHOWN_MAX]
    return StrategyRejected(
        f"策略有 {len(found)} 处需要修改，见 errors",
        f"The strategy has {len(found)} findings, see errors",
        errors=tuple(FieldError("/graph", "decisions.strategy_finding", each, each) for each in shown),
    )


def _unknown_reason(request: ReviewDecision) -> UnknownReason | None:
    catalogue, use = reason_catalogue(), review_use(request.outcome)
    if request.reason_code in catalogue and catalogue[request.reason_code].use is use:
        return None
    choices = ", ".join(code for code, reason in catalogue.items() if reason.use is use)
    detail_zh, detail_en = f"reason_code 请从以下选择：{choices}", f"reason_code is one of: {choices}"
    error = FieldError("/reason_code", UnknownReason.code, detail_zh, detail_en)
    return UnknownReason(detail_zh, detail_en, errors=(error,))


def _sealed_note(uow: UnitOfWork, decision_id: UUID, note: str | None) -> bytes | None:
    """Reviewers write names and phones into notes, whatever the manual says."""
    return uow.vault.seal_text(f"decisions_review.note:{decision_id}", note) if note else None


def _made(decision: store.NewDecision, strategy: Strategy) -> DecisionMade:
    return DecisionMade(
        subject_id=decision.application_id,
        decision_id=decision.id,
        outcome=decision.verdict.outcome,
        decided_by=DecidedBy.STRATEGY,
        reason_codes=list(decision.verdict.reason_codes),
        strategy_key=strategy.key,
        strategy_version=strategy.version,
    )


def _leaf(decision: store.NewDecision, strategy: Strategy) -> evidence.Leaf:
    """The indicators stand in the leaf as a salted digest: they tell of a person, and few values would be found by trying."""
    return evidence.Leaf(
        "decisions.decision.made",
        decision.application_id,
        {
            "decision_id": public_id(Prefix.DECISION, decision.id),
            "outcome": str(decision.verdict.outcome),
            "reason_codes": list(decision.verdict.reason_codes),
            "strategy_key": strategy.key,
            "strategy_version": strategy.version,
            "graph_sha256": strategy.graph_sha256,
            "engine_version": strategy.engine_version,
            "inputs_digest": evidence.salted_digest(decision.inputs_salt, canonical_inputs(decision.inputs)),
        },
    )
