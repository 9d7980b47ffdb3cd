"""A model's life: registered by one, published by another, read by a strategy, watched in use."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from asyncpg.exceptions import CheckViolationError
from tests.conftest import START
from tests.integration.decisions.shop import GOOD, Shop, submitted
from tests.integration.decisions.strategists import AUTHOR, MANAGER, approved, phone_rental, published, save
from tests.unit.decisions.models_made import FEATURES, card, lightgbm_text, scorecard_text

from xinzu.back.billing.events import ArrearsAged
from xinzu.front.applications.events import ApplicationSubmitted
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import Outcome, accepted
from xinzu.kernel.states import IllegalMove
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.events import AgreementSigned
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.cards import Feature
from xinzu.middle.decisions.errors import (
    ModelInUse,
    ModelRejected,
    ModelSecondPersonNeeded,
    StrategistNotAPerson,
    StrategyRejected,
)
from xinzu.middle.decisions.rules.models.scoring import ready_model
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence

KEY = "shop_risk"
SCORE = "model.shop_risk.v1.score"


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> Shop:
    return Shop(runtime, tenant_id, actor)


def artefact_of(kind: str) -> str:
    return lightgbm_text() if kind == "lightgbm" else scorecard_text()


async def register(shop: Shop, kind: str = "lightgbm", *, by: Actor = AUTHOR, **changes: Any) -> Outcome[Any]:
    async with shop.runtime.unit(shop.tenant_id, by) as uow:
        return (await decisions.register_models(uow, [decisions.RegisterModel(card(kind, **changes), artefact_of(kind))]))[0]


async def step(shop: Shop, what: str, model_id: UUID, by: Actor) -> Outcome[Any]:
    async with shop.runtime.unit(shop.tenant_id, by) as uow:
        return (await getattr(decisions, f"{what}_models")(uow, [model_id]))[0]


async def published_model(shop: Shop, kind: str = "lightgbm") -> UUID:
    model_id = parse_id(Prefix.MODEL, accepted(await register(shop, kind)).id)
    accepted(await step(shop, "publish", model_id, MANAGER))
    return model_id


def reading_model(cut: int = 300) -> dict[str, Any]:
    """The shipped strategy, and before it a model: whoever has fewer points than ``cut`` is decided on by a person."""
    graph = phone_rental()
    ask = {
        "id": "ask_model",
        "name": "ask model",
        "type": "customNode",
        "position": {"x": 0, "y": 0},
        "content": {"kind": "model", "config": {"output": f"model.{KEY}", "model": KEY, "version": 1}},
    }
    table = {
        "id": "model_cut",
        "name": "model cut",
        "type": "decisionTableNode",
        "position": {"x": 0, "y": 0},
        "content": {
            "hitPolicy": "collect",
            "passThrough": True,
            "outputPath": "hits.model_cut",
            "inputs": [{"id": "score", "name": "score", "field": f"model.{KEY}.score"}],
            "outputs": [
                {"id": "outcome", "name": "outcome", "field": "outcome"},
                {"id": "code", "name": "code", "field": "code"},
            ],
            "rules": [{"_id": "M1", "score": f"< {cut}", "outcome": "'refer'", "code": "'MODEL_REPAYMENT_HISTORY'"}],
        },
    }
    graph["nodes"] += [ask, table]
    [entry] = [each["id"] for each in graph["nodes"] if each["type"] == "inputNode"]
    for edge in graph["edges"]:
        if edge["sourceId"] == entry:
            edge["sourceId"] = table["id"]
    graph["edges"] += [
        {"id": "to_model", "type": "edge", "sourceId": entry, "targetId": ask["id"]},
        {"id": "to_cut", "type": "edge", "sourceId": ask["id"], "targetId": table["id"]},
    ]
    verdict = next(each for each in graph["nodes"] if each["id"] == "verdict")["content"]["expressions"][0]
    verdict["value"] = verdict["value"].replace("flatten([", "flatten([hits.model_cut, ")
    return graph


def signed(agreement_id: UUID, event: ApplicationSubmitted) -> AgreementSigned:
    return AgreementSigned(
        subject_id=agreement_id,
        application_id=event.subject_id,
        party_id=event.party_id,
        agreement_no="A-1",
        document_sha256="0" * 64,
        terms=event.terms,
        signed_at=START,
    )


def aged(agreement_id: UUID, party_id: UUID, on: date, days_past_due: int) -> ArrearsAged:
    return ArrearsAged(
        subject_id=agreement_id, party_id=party_id, business_date=on, days_past_due=days_past_due, overdue_fen=39_900
    )


async def test_a_model_is_published_by_somebody_else(shop: Shop) -> None:
    saved = accepted(await register(shop))
    assert (saved.version, saved.state) == (1, "registered")
    model_id = parse_id(Prefix.MODEL, saved.id)
    assert isinstance(await step(shop, "publish", model_id, shop.actor), StrategistNotAPerson)
    assert isinstance(await step(shop, "publish", model_id, AUTHOR), ModelSecondPersonNeeded)
    assert accepted(await step(shop, "publish", model_id, MANAGER)).state == "published"
    assert isinstance(await step(shop, "publish", model_id, MANAGER), IllegalMove)
    assert accepted(await register(shop)).version == 2
    assert accepted(await step(shop, "retire", model_id, MANAGER)).state == "retired"
    async with shop.runtime.reading(shop.tenant_id) as read:
        facts = await evidence.facts_of(read, model_id)
    assert [fact.kind for fact in facts] == [f"decisions.model.{step}" for step in ("registered", "published", "retired")]


async def test_the_database_wants_two_people_too(shop: Shop) -> None:
    model_id = parse_id(Prefix.MODEL, accepted(await register(shop)).id)
    with pytest.raises(CheckViolationError, match="four_eyes"):
        async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
            await uow.execute(
                "UPDATE decisions_model SET state = 'published', published_by = registered_by WHERE tenant_id = :tenant AND id = :id",
                id=model_id,
            )


async def test_a_card_that_does_not_tell_of_its_artefact_is_refused(shop: Shop) -> None:
    refused = await register(shop, features=FEATURES[:3])
    assert isinstance(refused, ModelRejected)
    assert {each.code for each in refused.errors} == {"decisions.model_finding.order", "decisions.model_finding.baseline"}


async def test_a_model_of_what_nobody_delivers_waits_for_ever(shop: Shop) -> None:
    """It may be registered, to be looked at: a public data set has features of its own."""
    strange = msgspec.json.decode(scorecard_text())
    strange["characteristics"][1]["indicator"] = "shoe_size"
    shown = card("scorecard")
    features = (shown.features[0], Feature("shoe_size", "number", shown.features[1].code, monotone=1), shown.features[2])
    parts = {("shoe_size" if name == "applications_24h" else name): each for name, each in shown.baseline.features.items()}
    body = decisions.RegisterModel(
        card("scorecard", features=features, baseline=type(shown.baseline)(shown.baseline.score, parts)),
        msgspec.json.encode(strange).decode(),
    )
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        saved = accepted((await decisions.register_models(uow, [body]))[0])
    refused = await step(shop, "publish", parse_id(Prefix.MODEL, saved.id), MANAGER)
    assert isinstance(refused, ModelRejected)
    assert [each.pointer for each in refused.errors] == ["/card/features/1"]


@pytest.mark.parametrize("kind", ["lightgbm", "scorecard"])
async def test_a_strategy_reads_the_score_and_the_decision_keeps_it(shop: Shop, kind: str) -> None:
    model_id = await published_model(shop, kind)
    await published(shop.runtime, shop.tenant_id, reading_model())
    event = submitted(await shop.customer(), signals={**GOOD, "credit_score": 720, "rent_risk_rank": "low"})
    [decision] = await shop.decide(event)
    model = ready_model(card(kind).kind, artefact_of(kind), card(kind).features, card(kind).calibration)
    assert decision.inputs[SCORE] == model(decision.inputs).score
    assert decision.outcome is decisions.DecisionOutcome.APPROVE
    assert isinstance(await step(shop, "retire", model_id, MANAGER), ModelInUse)
    async with shop.runtime.reading(shop.tenant_id) as read:
        assert await decisions.repeat_decision(read, decision) is decision.outcome


async def test_too_few_points_go_to_a_person_and_the_customer_reads_why(shop: Shop) -> None:
    await published_model(shop)
    await published(shop.runtime, shop.tenant_id, reading_model(cut=5_000))
    [decision] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "rent_risk_rank": "low"}))
    assert (decision.outcome, decision.reason_codes) == (decisions.DecisionOutcome.REFER, ["MODEL_REPAYMENT_HISTORY"])
    async with shop.runtime.reading(shop.tenant_id) as read:
        [told] = (await decisions.explanation(read, decision.id)).reasons
    assert "履约记录" in told.text.zh


async def test_a_model_that_is_gone_refers_and_approves_nobody(shop: Shop) -> None:
    """The command does not retire a model in use; whoever does it in the database all the same gets referrals."""
    await published_model(shop)
    await published(shop.runtime, shop.tenant_id, reading_model())
    async with shop.runtime.unit(shop.tenant_id, MANAGER) as uow:
        await uow.execute("UPDATE decisions_model SET state = 'retired' WHERE tenant_id = :tenant")
    [decision] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "rent_risk_rank": "low"}))
    assert (decision.outcome, decision.reason_codes) == (decisions.DecisionOutcome.REFER, ["STRATEGY_FAILED"])


async def test_a_challenger_is_asked_with_the_scores_of_its_own_model(shop: Shop) -> None:
    await published_model(shop)
    challenger = await approved(shop.runtime, shop.tenant_id, reading_model(cut=5_000))
    async with shop.runtime.unit(shop.tenant_id, MANAGER) as uow:
        accepted((await decisions.shadow_strategies(uow, [(challenger, True)]))[0])
    [decision] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "rent_risk_rank": "low"}))
    assert SCORE not in decision.inputs  # the champion reads no model
    async with shop.runtime.reading(shop.tenant_id) as read:
        _, told = await decisions.shadow_comparison(read, challenger)
    assert (told.failed, list(told.counts)) == (0, [("approve", "refer", 1)])


async def test_a_strategy_that_reads_an_unpublished_model_is_not_submitted(shop: Shop) -> None:
    accepted(await register(shop))
    saved = await save(shop.runtime, shop.tenant_id, reading_model())
    assert saved.state == "draft"
    assert [each.code for each in saved.report.findings if each.severity == "error"] == ["unknown_model"]
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        request = decisions.StepStrategy(parse_id(Prefix.STRATEGY, saved.id))
        assert isinstance((await decisions.submit_strategies(uow, [request]))[0], StrategyRejected)


async def test_a_model_in_use_is_watched(shop: Shop, clock: FixedClock) -> None:
    """Seventy orders: those with a poor score go ninety days past due, one of them after a year and thus too late to count."""
    model_id = await published_model(shop)
    await published(shop.runtime, shop.tenant_id, reading_model())
    events = []
    for place in range(70):
        score = 620 if place < 35 else 790
        signals = {**GOOD, "credit_score": score, "rent_risk_rank": "low", "shared_device": False}
        events.append(submitted(await shop.customer(), signals=signals, value_fen=100_000))
    await shop.say(*events)
    async with shop.runtime.reading(shop.tenant_id) as read:
        young = await decisions.watch_model(read, model_id, None, None, 365)
    assert young.performance.decisions == 70
    assert young.performance.separation.auc is None  # nobody is mature yet: not enough data
    assert (young.score.count, young.score.psi) == (70, None)
    agreements = {event.subject_id: new_id() for event in events}
    await shop.say(*[signed(agreement_id, event) for event, agreement_id in zip(events, agreements.values(), strict=True)])
    today = young.to_on
    late = [aged(agreements[event.subject_id], event.party_id, today + timedelta(days=120), 91) for event in events[:35]]
    late[0] = aged(agreements[events[0].subject_id], events[0].party_id, today + timedelta(days=400), 91)
    mild = aged(agreements[events[60].subject_id], events[60].party_id, today + timedelta(days=50), 30)
    await shop.say(*late, mild)
    clock.advance(timedelta(days=420))
    async with shop.runtime.reading(shop.tenant_id) as read:
        watch = await decisions.watch_model(read, model_id, None, None, 365)
    told = watch.performance.separation
    assert (told.mature, told.bad) == (70, 34)
    assert told.auc is not None
    assert told.auc > 0.95
    ages = {each.group: each for each in watch.performance.fairness_by_age}
    assert sum(each.count for each in ages.values()) == 70
    missing = {each.name: each for each in watch.features}
    assert missing["shared_device"].missing == 0.0
    assert missing["shared_device"].missing_then > 0.1


async def test_models_over_http(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    client, headers = api, api_key
    body = {"card": msgspec.to_builtins(card("scorecard")), "artefact": scorecard_text()}
    made = await client.post("/v1/models", json=body, headers=headers)
    assert made.status_code == 201, made.text
    model_id = made.json()["id"]
    shown = (await client.get(f"/v1/models/{model_id}", headers=headers)).json()
    assert shown["card"]["key"] == KEY
    assert shown["artefact"] == scorecard_text()
    assert [each["id"] for each in (await client.get("/v1/models", headers=headers)).json()["items"]] == [model_id]
    refused = await client.post(f"/v1/models/{model_id}/publication", headers=headers)
    assert refused.status_code == 403  # an API key is no person
    watch = (await client.get(f"/v1/models/{model_id}/watch", headers=headers)).json()
    assert watch["separation"]["verdict"] == watch["score"]["verdict"] == "not_enough_data"
    wrong = await client.get(f"/v1/models/{model_id}/watch?from=2026-03-02&to=2026-03-01", headers=headers)
    assert wrong.status_code == 422
    pickled = await client.post("/v1/models", json={**body, "artefact": "gASVCwAAAAAAAAB9lIwBYZRLAXMu"}, headers=headers)
    assert pickled.status_code == 422
    assert pickled.json()["errors"][0]["code"] == "decisions.model_finding.pickle"
    other = await client.post("/v1/models", json={**body, "card": {**body["card"], "kind": "pickle"}}, headers=headers)
    assert other.status_code == 422
    unknown = await client.get(f"/v1/models/{public_id(Prefix.MODEL, new_id())}", headers=headers)
    assert unknown.status_code == 404
