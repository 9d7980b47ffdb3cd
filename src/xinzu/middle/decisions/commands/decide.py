"""Deciding a batch of applications, and what becomes of the decisions when an applicant objects or cancels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.terms import AgreementTerms
from xinzu.middle.credit import api as credit
from xinzu.middle.decisions.commands.models import ready_models
from xinzu.middle.decisions.commands.reviews_queue import ToReview, enter_queue
from xinzu.middle.decisions.commands.strategies import standing_strategies
from xinzu.middle.decisions.events import DecisionMade
from xinzu.middle.decisions.model import Arm, DecidedBy, DecisionOutcome, Experiment, Indicators, PartyHistory, Strategy, Verdict
from xinzu.middle.decisions.rules.consent import refer_without_consent
from xinzu.middle.decisions.rules.evaluation import STRATEGY_FAILED, engine_of, refer_on_failure
from xinzu.middle.decisions.rules.experiments import is_drawn, is_in_share, is_within_budget, may_accept_at_random
from xinzu.middle.decisions.rules.indicators import canonical_inputs, exposed_fen, history_after, indicators, with_snapshot
from xinzu.middle.decisions.rules.models.reading import models_of, with_scores
from xinzu.middle.decisions.store import decisions as store
from xinzu.middle.decisions.store import experiments, reviews
from xinzu.middle.decisions.strategies import reason_catalogue
from xinzu.middle.screening import api as screening
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties


@dataclass(frozen=True, slots=True)
class ApplicationToDecide:
    """What a decision needs to know of an application. ``address_key`` is a keyed digest of where the thing is to go."""

    application_id: UUID
    party_id: UUID
    channel: str
    terms: AgreementTerms
    signals: Mapping[str, str | int | bool | None]
    address_key: str | None = None


async def decide_applications(uow: UnitOfWork, applications: Sequence[ApplicationToDecide]) -> None:
    """Decide a batch by the standing strategy: indicators set by set, one evaluation each, rows, events and evidence together.

    An application that has a decision already is passed over. Several applications of one party in the batch are decided in order,
    each knowing those before it. A candidate under gray publication decides its share of the parties. Of a party without consent to
    automated decisions nothing is looked at: a person decides (PIPL arts. 13, 24). A strategy that fails approves nobody: a person decides.
    """
    decided = await store.already_decided(uow, [each.application_id for each in applications])
    fresh = {each.application_id: each for each in applications if each.application_id not in decided}
    if not fresh:
        return
    moved = await screening.addresses_of(uow, list(fresh))
    fresh = {key: replace(each, address_key=moved.get(key, each.address_key)) for key, each in fresh.items()}
    in_force = await standing_strategies(uow)
    engines = {each.version: engine_of(each) for each in (in_force.champion, in_force.candidate) if each is not None}
    models = await ready_models(uow, [each.graph for each in (in_force.champion, in_force.candidate) if each is not None])
    lottery = Lottery(await experiments.experiment(uow, in_force.champion.key))
    party_ids = [each.party_id for each in fresh.values()]
    without_consent = await parties.parties_without_consent(uow, party_ids, parties.ConsentPurpose.DECISION)
    ages = await parties.ages_on(uow, [party_id for party_id in party_ids if party_id not in without_consent], uow.business_date)
    histories = await store.histories(uow, party_ids)
    snapshots = await credit.take_snapshots(
        uow,
        [
            _applicant(each, ages.get(each.party_id), has_consented=each.party_id not in without_consent)
            for each in fresh.values()
        ],
    )
    screened = await screening.screen_applications(
        uow, [_screened(each, has_consented=each.party_id not in without_consent) for each in fresh.values()]
    )
    decisions: list[store.NewDecision] = []
    for each in fresh.values():
        strategy, arm = in_force.champion, Arm.CHAMPION
        value_fen = exposed_fen(each.terms)
        if each.party_id in without_consent:
            history = PartyHistory()
            inputs = indicators(each.terms, each.channel, {}, None, history, uow.business_date)
            verdict = refer_without_consent()
        else:
            if in_force.candidate is not None and is_in_share(
                uow.tenant_id, strategy.key, in_force.candidate.version, each.party_id, in_force.share_pct
            ):
                strategy, arm = in_force.candidate, Arm.CANDIDATE
            history = histories.get(each.party_id, PartyHistory())
            inputs = indicators(each.terms, each.channel, each.signals, ages.get(each.party_id), history, uow.business_date)
            inputs = _with_snapshot(inputs, snapshots.get(each.application_id)) | screened.get(each.application_id, {})
            inputs = with_scores(inputs, models_of(strategy.graph, models))
            engine = engines[strategy.version]
            verdict = refer_on_failure(STRATEGY_FAILED) if engine is None else engine.decide(inputs)
            if arm is Arm.CHAMPION and await lottery.accepts(uow, strategy, each.application_id, verdict, value_fen):
                arm = Arm.RANDOM_ACCEPT
        made = store.NewDecision(
            new_id(), strategy, arm, each.application_id, each.party_id, value_fen, inputs, evidence.new_salt(), verdict
        )
        decisions.append(made)
        histories[each.party_id] = history_after(history, made.standing_outcome, value_fen)
    await store.insert_decisions(uow, decisions)
    await enter_queue(
        uow,
        [ToReview(each.id, each.verdict.review_level) for each in decisions if each.verdict.outcome is DecisionOutcome.REFER],
    )
    await store.open_exposures(
        uow,
        [
            (decision.application_id, decision.party_id, decision.exposed_fen)
            for decision in decisions
            if decision.standing_outcome is DecisionOutcome.APPROVE
        ],
    )
    uow.emit(*(_made(decision) for decision in decisions))
    evidence.append(uow, [_leaf(decision) for decision in decisions])


class Lottery:
    """The random accept arm over one batch. The month's budget is asked for only when somebody is drawn."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._spent: tuple[int, int] | None = None  # count and fen

    async def accepts(self, uow: UnitOfWork, strategy: Strategy, application_id: UUID, verdict: Verdict, value_fen: int) -> bool:
        """Whether a declined application is accepted all the same; counts it against the budget of the tenant's calendar month."""
        settings = self._experiment
        if not (
            is_drawn(uow.tenant_id, strategy.key, application_id, settings.accept_bp)
            and may_accept_at_random(verdict, reason_catalogue())
        ):
            return False
        if self._spent is None:
            month_start = uow.calendar.opening(uow.business_date.replace(day=1))
            self._spent = await experiments.accepted_since(uow, strategy.key, month_start)
        count, spent_fen = self._spent
        if not is_within_budget(settings, count, spent_fen, value_fen):
            return False
        self._spent = (count + 1, spent_fen + value_fen)
        return True


def _applicant(application: ApplicationToDecide, age_years: int | None, *, has_consented: bool) -> credit.Applicant:
    return credit.Applicant(
        application_id=application.application_id,
        party_id=application.party_id,
        channel=application.channel,
        terms=application.terms,
        signals=application.signals,
        address_key=application.address_key,
        age_years=age_years,
        has_consented=has_consented,
    )


def _screened(application: ApplicationToDecide, *, has_consented: bool) -> screening.Screened:
    return screening.Screened(
        application_id=application.application_id,
        party_id=application.party_id,
        channel=application.channel,
        signals=application.signals,
        address_key=application.address_key,
        has_consented=has_consented,
    )


def _with_snapshot(inputs: Indicators, snapshot: credit.Snapshot | None) -> Indicators:
    if snapshot is None:
        return with_snapshot(inputs, {}, None)
    return with_snapshot(inputs, {key: each.value for key, each in snapshot.values.items()}, snapshot.sha256)


async def refer_to_person(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    """The applicants ask for a person after an automated decline (PIPL art. 24). A decision a person made already stays."""
    moved = await store.refer_declined(uow, application_ids)
    await enter_queue(uow, [ToReview(decision_id) for decision_id, _ in moved])
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
    await reviews.close_of_applications(uow, application_ids)
    await store.close_exposures(uow, application_ids)


def _made(decision: store.NewDecision) -> DecisionMade:
    offer = decision.verdict.offer
    return DecisionMade(
        subject_id=decision.application_id,
        decision_id=decision.id,
        outcome=decision.standing_outcome,
        decided_by=DecidedBy.STRATEGY,
        reason_codes=[] if decision.arm is Arm.RANDOM_ACCEPT else list(decision.verdict.reason_codes),
        strategy_key=decision.strategy.key,
        strategy_version=decision.strategy.version,
        arm=decision.arm,
        review_level=decision.verdict.review_level,
        deposit_waiver_pct=offer.deposit_waiver_pct,
        credit_line_fen=offer.credit_line_fen,
        price_band=offer.price_band,
    )


def _leaf(decision: store.NewDecision) -> evidence.Leaf:
    """The indicators stand in the leaf as a salted digest: they tell of a person, and few values would be found by trying."""
    strategy = decision.strategy
    return evidence.Leaf(
        "decisions.decision.made",
        decision.application_id,
        {
            "decision_id": public_id(Prefix.DECISION, decision.id),
            "outcome": str(decision.standing_outcome),
            "strategy_outcome": str(decision.verdict.outcome),
            "arm": str(decision.arm),
            "reason_codes": list(decision.verdict.reason_codes),
            "strategy_key": strategy.key,
            "strategy_version": strategy.version,
            "graph_sha256": strategy.graph_sha256,
            "engine_version": strategy.engine_version,
            "inputs_digest": evidence.salted_digest(decision.inputs_salt, canonical_inputs(decision.inputs)),
        },
    )
