"""The life of a strategy: from a draft through a second person to deciding, in part or in full, and back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.decisions.shop import GOOD, Shop, submitted
from tests.integration.decisions.strategists import (
    AUTHOR,
    MANAGER,
    STRICTER,
    approved,
    phone_rental,
    publish,
    published,
    save,
)

from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import Outcome, accepted
from xinzu.kernel.states import IllegalMove
from xinzu.kernel.time import FixedClock
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.errors import (
    CandidateStanding,
    GoldenCaseUnknown,
    NothingToRollBackTo,
    SecondPersonNeeded,
    StrategistNotAPerson,
    StrategyChanged,
    StrategyRejected,
    WrongStep,
)
from xinzu.middle.decisions.rules.experiments import is_drawn, is_in_share
from xinzu.platform.actor import Actor, ActorKind
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_operator
from xinzu.records.evidence import api as evidence

KEY = decisions.PHONE_RENTAL
POOR: dict[str, str | int | bool | None] = {
    **GOOD,
    "credit_score": 560,
}  # v1 approves a cheap phone, the stricter version declines
PASSWORD = "correct horse battery staple"


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> Shop:
    return Shop(runtime, tenant_id, actor)


async def step(shop: Shop, what: str, strategy_id: UUID, by: Actor, **how: object) -> Outcome[decisions.StrategySaved]:
    """One step in the life of a version, by somebody."""
    command = getattr(decisions, f"{what}_strategies")
    async with shop.runtime.unit(shop.tenant_id, by) as uow:
        return (await command(uow, [decisions.StepStrategy(strategy_id, **how)]))[0]  # type: ignore[arg-type, no-any-return]


async def state(shop: Shop, strategy_id: UUID) -> str:
    async with shop.runtime.reading(shop.tenant_id) as read:
        return (await decisions.strategy(read, strategy_id)).state


async def kinds(shop: Shop, strategy_id: UUID) -> list[str]:
    async with shop.runtime.reading(shop.tenant_id) as read:
        return [fact.kind.rpartition(".")[2] for fact in await evidence.facts_of(read, strategy_id)]


async def test_a_draft_becomes_the_champion_by_two_people(shop: Shop) -> None:
    saved = await save(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))
    assert (saved.version, saved.state, saved.report.passed) == (2, "checked", True)
    assert [(each.code, each.counsel) for each in saved.report.findings] == [("age_beyond_floor", True)] * 2
    strategy_id = parse_id(Prefix.STRATEGY, saved.id)
    assert isinstance(await step(shop, "approve", strategy_id, MANAGER), IllegalMove)
    assert accepted(await step(shop, "submit", strategy_id, AUTHOR)).state == "submitted"
    assert isinstance(await step(shop, "approve", strategy_id, AUTHOR), SecondPersonNeeded)
    assert accepted(await step(shop, "approve", strategy_id, MANAGER)).state == "approved"
    assert isinstance(await step(shop, "publish", strategy_id, AUTHOR), SecondPersonNeeded)
    assert accepted(await step(shop, "publish", strategy_id, MANAGER)).state == "published"
    assert await kinds(shop, strategy_id) == ["saved", "submitted", "approved", "published"]
    [decision] = await shop.decide(submitted(await shop.customer(), signals=POOR, value_fen=200_000))
    assert (decision.outcome, decision.strategy_version) == ("decline", 2)


async def test_whoever_edited_a_draft_is_an_author_and_cannot_approve_it(shop: Shop) -> None:
    saved = await save(shop.runtime, shop.tenant_id, phone_rental())
    strategy_id = parse_id(Prefix.STRATEGY, saved.id)
    edit = decisions.SaveStrategy(KEY, phone_rental(**STRICTER), "", strategy_id, 1)
    async with shop.runtime.unit(shop.tenant_id, MANAGER) as uow:
        assert accepted((await decisions.save_strategies(uow, [edit]))[0]).revision == 2
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        assert isinstance((await decisions.save_strategies(uow, [edit]))[0], StrategyChanged)
    accepted(await step(shop, "submit", strategy_id, AUTHOR))
    assert isinstance(await step(shop, "approve", strategy_id, MANAGER), SecondPersonNeeded)
    assert accepted(await step(shop, "approve", strategy_id, Actor(ActorKind.OPERATOR, "third"))).state == "approved"


async def test_no_key_and_no_job_submits_approves_publishes_or_rolls_back(shop: Shop) -> None:
    strategy_id = await approved(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))
    for by in (Actor(ActorKind.API_KEY, "shop-server"), shop.actor):
        for what in ("submit", "approve", "reject", "publish", "roll_back"):
            assert isinstance(await step(shop, what, strategy_id, by), StrategistNotAPerson), what


async def test_what_was_submitted_changes_no_more_until_it_is_rejected(shop: Shop) -> None:
    saved = await save(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))
    strategy_id = parse_id(Prefix.STRATEGY, saved.id)
    accepted(await step(shop, "submit", strategy_id, AUTHOR))
    edit = decisions.SaveStrategy(KEY, phone_rental(), "", strategy_id, 1)
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        assert isinstance((await decisions.save_strategies(uow, [edit]))[0], IllegalMove)
    accepted(await step(shop, "reject", strategy_id, MANAGER, reason="598 分的老客户怎么办"))
    async with shop.runtime.reading(shop.tenant_id) as read:
        found = await decisions.strategy(read, strategy_id)
    assert (found.state, found.rejection, found.submitted_by) == ("draft", "598 分的老客户怎么办", None)
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        assert accepted((await decisions.save_strategies(uow, [edit]))[0]).state == "checked"


async def test_a_draft_with_errors_is_kept_and_cannot_be_submitted(shop: Shop) -> None:
    saved = await save(shop.runtime, shop.tenant_id, phone_rental(velocity__V01__day="> d().year()"))
    assert saved.state == "draft"
    [error] = [each for each in saved.report.findings if each.severity == "error"]
    assert (error.code, error.node, error.row, error.column) == ("impure", "velocity", "V01", "day")
    refused = await step(shop, "submit", parse_id(Prefix.STRATEGY, saved.id), AUTHOR)
    assert isinstance(refused, StrategyRejected)
    assert [each.code for each in refused.errors] == ["decisions.strategy_finding.impure"]
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        nonsense = decisions.SaveStrategy(KEY, {"nodes": 1, "edges": []})
        assert isinstance((await decisions.save_strategies(uow, [nonsense]))[0], StrategyRejected)


async def test_a_golden_case_that_fails_forbids_submission_and_approval(shop: Shop) -> None:
    case = decisions.GoldenCase(
        "560 分可租 2,000 元",
        {"age_years": 30, "channel_admitted": True, "credit_score": 560, "device_value_fen": 200_000},
        decisions.DecisionOutcome.APPROVE,
        [],
    )
    strict_id = parse_id(Prefix.STRATEGY, (await save(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))).id)
    accepted(await step(shop, "submit", strict_id, AUTHOR))
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        accepted((await decisions.put_golden_cases(uow, [decisions.PutGoldenCase(KEY, case)]))[0])
    refused = await step(shop, "approve", strict_id, MANAGER)
    assert isinstance(refused, StrategyRejected)
    assert [each.code for each in refused.errors] == ["decisions.golden_case_failed"]
    assert "expected approve, found decline SCORE_TOO_LOW" in refused.errors[0].detail_en
    again = await save(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))
    assert (again.state, [each.name for each in again.report.failed_cases]) == ("draft", [case.name])
    kept = await save(shop.runtime, shop.tenant_id, phone_rental())
    assert (kept.state, kept.report.cases_run) == ("checked", 1)
    async with shop.runtime.unit(shop.tenant_id, AUTHOR) as uow:
        gone = decisions.RemoveGoldenCase(KEY, case.name)
        outcomes = await decisions.remove_golden_cases(uow, [gone, gone])
    assert isinstance(outcomes[1], GoldenCaseUnknown)
    assert accepted(await step(shop, "approve", strict_id, MANAGER)).state == "approved"


async def test_one_click_brings_back_the_version_before(shop: Shop) -> None:
    await shop.decide(submitted(await shop.customer()))
    strategy_id = await published(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))
    back = accepted(await step(shop, "roll_back", strategy_id, AUTHOR, reason="批准率异常"))
    assert (back.version, back.state) == (1, "published")
    assert await state(shop, strategy_id) == "retired"
    assert (await kinds(shop, strategy_id))[-1] == "rolled_back"
    [decision] = await shop.decide(submitted(await shop.customer(), signals=POOR, value_fen=200_000))
    assert (decision.outcome, decision.strategy_version) == ("approve", 1)
    assert isinstance(await step(shop, "roll_back", strategy_id, MANAGER, reason="x"), WrongStep)
    assert isinstance(await step(shop, "roll_back", parse_id(Prefix.STRATEGY, back.id), MANAGER, reason="x"), NothingToRollBackTo)


async def test_a_candidate_decides_its_share_of_the_parties_and_nobody_else(shop: Shop) -> None:
    await shop.decide(submitted(await shop.customer()))
    strategy_id = await published(shop.runtime, shop.tenant_id, phone_rental(**STRICTER), 20)
    people = [await shop.customer() for _ in range(40)]
    made = await shop.decide(*(submitted(party_id, signals=POOR, value_fen=200_000) for party_id in people))
    for party_id, decision in zip(people, made, strict=True):
        mine = is_in_share(shop.tenant_id, KEY, 2, party_id, 20)
        assert (decision.strategy_version, decision.arm, decision.outcome) == (
            (2, "candidate", "decline") if mine else (1, "champion", "approve")
        )
    other = await approved(shop.runtime, shop.tenant_id, phone_rental())
    assert isinstance(await step(shop, "publish", other, MANAGER, share_pct=5), CandidateStanding)
    assert isinstance(await step(shop, "publish", strategy_id, MANAGER, share_pct=7), Problem)
    await publish(shop.runtime, shop.tenant_id, strategy_id, 100)
    [decision] = await shop.decide(submitted(await shop.customer(), signals=POOR, value_fen=200_000))
    assert (decision.outcome, decision.strategy_version, decision.arm) == ("decline", 2, "champion")
    async with shop.runtime.reading(shop.tenant_id) as read:
        assert await decisions.repeat_decision(read, made[0]) == made[0].outcome


async def test_a_candidate_that_breaks_a_guard_rail_is_rolled_back_by_itself(shop: Shop) -> None:
    await shop.decide(submitted(await shop.customer()))
    rails = decisions.Experiment(count_min=5)
    async with shop.runtime.unit(shop.tenant_id, MANAGER) as uow:
        accepted((await decisions.set_experiments(uow, [decisions.SetExperiment(KEY, rails)]))[0])
    strategy_id = await published(shop.runtime, shop.tenant_id, phone_rental(**STRICTER), 50)
    people = [await shop.customer() for _ in range(24)]
    await shop.decide(*(submitted(party_id, signals=POOR, value_fen=200_000) for party_id in people))
    assert await state(shop, strategy_id) == "retired"
    async with shop.runtime.reading(shop.tenant_id) as read:
        [told] = await read.rows(
            "SELECT data FROM platform_event WHERE subject_id = :id AND type = 'xinzu.decisions.strategy.rolled_back.v1'",
            id=strategy_id,
        )
    assert (told.data["guard_rail"], told.data["strategy_version"], told.data["restored_version"]) == ("approval_rate", 2, 1)
    assert (await kinds(shop, strategy_id))[-1] == "rolled_back"


async def test_a_challenger_is_asked_after_the_commit_and_decides_nothing(shop: Shop) -> None:
    strategy_id = await approved(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))
    async with shop.runtime.unit(shop.tenant_id, MANAGER) as uow:
        accepted((await decisions.shadow_strategies(uow, [(strategy_id, True)]))[0])
    made = await shop.decide(submitted(await shop.customer(), signals=POOR, value_fen=200_000), submitted(await shop.customer()))
    assert [decision.outcome for decision in made] == ["approve", "approve"]
    # What the law keeps from automated decision is not shown to a challenger either.
    await shop.decide(submitted(await shop.customer(consents=[])))
    async with shop.runtime.reading(shop.tenant_id) as read:
        version, compared = await decisions.shadow_comparison(read, strategy_id)
    assert (version.version, compared.compared, compared.agreed, compared.failed) == (2, 2, 1, 0)
    assert compared.counts == [("approve", "approve", 1), ("approve", "decline", 1)]
    assert (await shop.decision(made[0].application_id)).standing_outcome == "approve"


async def test_the_random_arm_accepts_what_the_strategy_declines_within_its_budget(shop: Shop, clock: FixedClock) -> None:
    await shop.decide(submitted(await shop.customer()))
    settings = decisions.Experiment(accept_bp=100, accept_count_max=2, accept_max_fen=400_000)
    async with shop.runtime.unit(shop.tenant_id, MANAGER) as uow:
        accepted((await decisions.set_experiments(uow, [decisions.SetExperiment(KEY, settings)]))[0])
    drawn = [each for each in (new_id() for _ in range(3_000)) if is_drawn(shop.tenant_id, KEY, each, 100)]
    low = {**GOOD, "credit_score": 500}

    async def apply(signals: dict[str, str | int | bool | None], value_fen: int) -> decisions.Decision:
        event = submitted(await shop.customer(), application_id=drawn.pop(), signals=signals, value_fen=value_fen)
        return (await shop.decide(event))[0]

    listed = await apply({**low, "list_match": True}, 150_000)
    assert (listed.arm, listed.standing_outcome) == ("champion", "decline")  # a list is never overruled
    first = await apply(low, 150_000)
    assert (first.arm, first.outcome, first.standing_outcome, first.standing_reason_codes) == (
        "random_accept",
        "decline",
        "approve",
        [],
    )
    [told] = await shop.made(first.application_id)
    assert (told["outcome"], told["arm"], told["reason_codes"]) == ("approve", "random_accept", [])
    dear = await apply(low, 260_000)
    assert dear.arm == "champion"  # 150,000 + 260,000 fen would pass the month's amount
    second = await apply(low, 250_000)
    assert second.arm == "random_accept"
    assert (await apply(low, 1)).arm == "champion"  # the month's count is spent
    clock.advance(timedelta(days=31))
    assert (await apply(low, 150_000)).arm == "random_accept"
    async with shop.runtime.reading(shop.tenant_id) as read:
        assert await decisions.repeat_decision(read, first) == "decline"
        assert (await decisions.explanation(read, first.id)).human_review == "none"


async def test_a_broken_graph_or_a_foreign_engine_approves_nobody(shop: Shop) -> None:
    await shop.decide(submitted(await shop.customer()))
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        await uow.execute("""UPDATE decisions_strategy SET graph_sha256 = 'broken', graph = '{"nodes": [], "edges": []}'
            WHERE tenant_id = :tenant""")
    [decision] = await shop.decide(submitted(await shop.customer()))
    assert (decision.outcome, decision.state, decision.reason_codes) == ("refer", "referred", ["STRATEGY_FAILED"])
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        await uow.execute("UPDATE decisions_strategy SET engine_version = 'zen-engine 0.0.1' WHERE tenant_id = :tenant")
    [decision] = await shop.decide(submitted(await shop.customer()))
    assert (decision.outcome, decision.reason_codes) == ("refer", ["STRATEGY_FAILED"])


async def test_an_engine_upgrade_publishes_the_champion_anew_unless_a_golden_case_fails(shop: Shop) -> None:
    await shop.decide(submitted(await shop.customer()))
    upgrade = (
        "UPDATE decisions_strategy SET engine_version = 'zen-engine 0.0.1' WHERE tenant_id = :tenant AND state = 'published'"
    )
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        await uow.execute(upgrade)
    [decision] = await shop.decide(submitted(await shop.customer()))
    assert (decision.outcome, decision.strategy_version) == ("approve", 2)
    wrong = decisions.GoldenCase(
        "永不批准", {"age_years": 30, "credit_score": 720}, decisions.DecisionOutcome.REFER, ["AGE_UNKNOWN"]
    )
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        accepted((await decisions.put_golden_cases(uow, [decisions.PutGoldenCase(KEY, wrong)]))[0])
        await uow.execute(upgrade)
    [decision] = await shop.decide(submitted(await shop.customer()))
    assert (decision.outcome, decision.reason_codes, decision.strategy_version) == ("refer", ["STRATEGY_FAILED"], 2)


async def test_a_referral_goes_to_its_level_and_an_approval_carries_its_offer(shop: Shop) -> None:
    graph = phone_rental()
    verdict = next(node for node in graph["nodes"] if node["id"] == "verdict")
    verdict["content"]["expressions"] += [
        {"id": "level", "key": "review_level", "value": "device_value_fen > 2000000 ? 'committee' : 'senior'"},
        {"id": "waiver", "key": "deposit_waiver_pct", "value": "(credit_score ?? 0) >= 700 ? 100 : 50"},
        {"id": "line", "key": "credit_line_fen", "value": "1500000"},
        {"id": "band", "key": "price_band", "value": "'A'"},
    ]
    await published(shop.runtime, shop.tenant_id, graph)
    good, dear, shared = await shop.decide(
        submitted(await shop.customer()),
        submitted(await shop.customer(), value_fen=2_500_000),
        submitted(await shop.customer(), signals={**GOOD, "shared_address": True}),
    )
    [told] = await shop.made(good.application_id)
    assert [told[name] for name in ("deposit_waiver_pct", "credit_line_fen", "price_band")] == [100, 1_500_000, "A"]
    assert [each.review_level for each in (good, dear, shared)] == [None, "committee", "senior"]
    async with shop.runtime.reading(shop.tenant_id) as read:
        queue = await decisions.list_decisions(
            read, decisions.DecisionState.REFERRED, None, 10, level=decisions.ReviewLevel.COMMITTEE
        )
    assert [each.id for each in queue.items] == [dear.id]


async def test_over_http_two_people_and_every_step(shop: Shop, api: httpx.AsyncClient, runtime: Runtime, tenant_id: int) -> None:
    async with runtime.unit(tenant_id, shop.actor) as uow:
        slug = await uow.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
        await create_operator(uow, "wang", PASSWORD, ["risk"])
        await create_operator(uow, "li", PASSWORD, ["risk_manager"])

    async def session(login: str) -> dict[str, str]:
        api.cookies.clear()
        answer = await api.post("/v1/sessions", json={"tenant": slug, "login": login, "password": PASSWORD})
        api.cookies.clear()
        return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}

    wang, li, by_key = await session("wang"), await session("li"), await key_headers(runtime, tenant_id, "owner")
    body = {"key": KEY, "graph": phone_rental(**STRICTER), "note": "600 分以下不租"}
    checked = (await api.post("/v1/strategy-checks", json={"key": KEY, "graph": body["graph"]}, headers=wang)).json()
    assert checked["passed"] is True
    created = await api.post("/v1/strategies", json=body, headers=wang)
    assert (created.status_code, created.json()["version"], created.json()["state"]) == (201, 2, "checked")
    path = created.headers["Location"]
    edited = await api.put(path, json={"graph": body["graph"], "revision": 1, "note": "同前"}, headers=wang)
    assert edited.json()["revision"] == 2
    stale = await api.put(path, json={"graph": body["graph"], "revision": 1}, headers=wang)
    assert (stale.status_code, stale.json()["code"]) == (409, "decisions.strategy_changed")
    changed = (await api.get(f"{path}/changes", headers=wang)).json()["changes"]
    assert [(each["what"], each["row"], each["before"], each["after"]) for each in changed] == [
        ("cell", "S01", "< 550", "< 600"),
        ("cell", "S02", "[550..599]", "[600..601]"),
    ]
    case = {
        "key": KEY,
        "name": "未知年龄",
        "inputs": {"channel_admitted": True},
        "outcome": "refer",
        "reason_codes": ["AGE_UNKNOWN"],
    }
    assert (await api.put("/v1/golden-cases", json=case, headers=wang)).status_code == 200
    assert [each["name"] for each in (await api.get(f"/v1/golden-cases?key={KEY}", headers=wang)).json()["items"]] == ["未知年龄"]
    strange = await api.put("/v1/golden-cases", json={**case, "inputs": {"zodiac": "ox"}}, headers=wang)
    assert (strange.status_code, strange.json()["errors"][0]["pointer"]) == (422, "/inputs")
    assert (await api.post(f"{path}/submission", headers=wang)).json()["state"] == "submitted"
    assert [each["id"] for each in (await api.get("/v1/strategies?state=submitted", headers=li)).json()["items"]] == [
        created.json()["id"]
    ]
    assert (await api.post(f"{path}/approval", headers=wang)).status_code == 403  # no permission
    keyed = await api.post(f"{path}/approval", headers=by_key)
    assert (keyed.status_code, keyed.json()["code"]) == (403, "decisions.strategist_not_a_person")
    assert (await api.post(f"{path}/approval", headers=li)).json()["state"] == "approved"
    assert (await api.put(f"{path}/shadow", json={"is_shadowed": True}, headers=li)).json()["is_shadowed"] is True
    assert (await api.get(f"{path}/shadow", headers=wang)).json()["compared"] == 0
    assert (await api.post(f"{path}/publication", json={"share_pct": 7}, headers=li)).status_code == 422
    assert (await api.post(f"{path}/publication", json={"share_pct": 5}, headers=li)).json()["share_pct"] == 5
    rails = {"accept_bp": 50, "accept_count_max": 10, "accept_max_fen": 5_000_000}
    assert (await api.put(f"/v1/strategy-experiments?key={KEY}", json=rails, headers=li)).json()["window_hours"] == 24
    assert (await api.get(f"/v1/strategy-experiments?key={KEY}", headers=wang)).json()["accept_bp"] == 50
    back = await api.post(f"{path}/rollback", json={"reason": "先观察"}, headers=li)
    assert (back.status_code, back.json()["version"]) == (200, 1)
    shown = (await api.get(path, headers=wang)).json()
    assert (shown["state"], shown["authors"], shown["approved_by"]) == ("retired", ["operator:wang"], "operator:li")
    assert (await api.get(f"/v1/strategies/{public_id(Prefix.STRATEGY, new_id())}", headers=wang)).status_code == 404
    assert (await api.delete(f"/v1/golden-cases?key={KEY}&name=未知年龄", headers=wang)).status_code == 200
