"""Manual review through its routes, by operators with logins of their own: claims, levels, clocks, second approvals, appeals."""

from __future__ import annotations

from asyncio import gather
from copy import deepcopy
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.decisions.reviewers import operator
from tests.integration.decisions.shop import GOOD, Shop, submitted
from tests.integration.decisions.strategists import phone_rental, published

from xinzu.front.applications.events import ApplicationCancelled, HumanReviewRequested
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import FixedClock
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.jobs import keep_queue
from xinzu.platform.actor import Actor, ActorKind
from xinzu.platform.runtime import Runtime

APPROVE = {"outcome": "approve", "reason_code": "REVIEW_CONFIRMED"}
DECLINE = {"outcome": "decline", "reason_code": "REVIEW_RISK"}
SHARED = {**GOOD, "shared_address": True}


class Office:
    """A merchant's risk office: linda and wang review, the manager sets levels, the shop's server has a key."""

    def __init__(self, shop: Shop, api: httpx.AsyncClient, heads: dict[str, dict[str, str]]) -> None:
        self.shop, self.api, self.heads = shop, api, heads

    async def call(self, who: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        answer = await self.api.request(method, path, json=body, headers=self.heads[who])
        return answer.status_code, answer.json()

    async def ok(self, who: str, method: str, path: str, body: object = None) -> Any:
        status, answer = await self.call(who, method, path, body)
        assert status in (200, 202), answer
        return answer

    async def refused(self, who: str, method: str, path: str, body: object = None) -> tuple[int, str]:
        status, answer = await self.call(who, method, path, body)
        return status, answer.get("code", "")

    async def referral(self, **how: Any) -> tuple[str, decisions.Decision]:
        [decision] = await self.shop.decide(submitted(await self.shop.customer(), **{"signals": SHARED, **how}))
        assert decision.state == "referred"
        return f"/v1/decisions/{public_id(Prefix.DECISION, decision.id)}", decision

    async def declined_by(self, who: str) -> tuple[str, decisions.Decision]:
        path, decision = await self.referral()
        await self.ok(who, "POST", f"{path}/review", DECLINE)
        return path, decision

    async def queue(self, who: str = "linda", query: str = "") -> list[dict[str, Any]]:
        return list((await self.ok(who, "GET", f"/v1/reviews{query}"))["items"])

    async def set_level(self, login: str, level: str, **more: object) -> None:
        await self.ok("manager", "PUT", "/v1/reviewers", {"login": login, "level": level, **more})

    async def keep_queue(self) -> None:
        await keep_queue(self.shop.runtime, self.shop.tenant_id, {})


@pytest.fixture
async def office(runtime: Runtime, tenant_id: int, actor: Actor, api: httpx.AsyncClient) -> Office:
    heads = {
        "linda": await operator(api, runtime, tenant_id, "linda", "risk"),
        "wang": await operator(api, runtime, tenant_id, "wang", "risk"),
        "manager": await operator(api, runtime, tenant_id, "manager", "risk_manager"),
        "owner": await operator(api, runtime, tenant_id, "owner", "owner"),
        "channel": await key_headers(runtime, tenant_id, "channel"),
    }
    return Office(Shop(runtime, tenant_id, actor), api, heads)


# --- the queue and claims ---


async def test_two_people_cannot_hold_the_same_one(office: Office) -> None:
    path, _ = await office.referral()
    claimed = await office.ok("linda", "POST", f"{path}/claim")
    assert claimed["held_by"] == "operator:linda"
    assert await office.refused("wang", "POST", f"{path}/claim") == (409, "decisions.held_by_another")
    assert await office.refused("wang", "POST", f"{path}/review", APPROVE) == (409, "decisions.held_by_another")
    assert await office.refused("wang", "POST", f"{path}/release") == (409, "decisions.not_held")
    assert [each["held_by"] for each in await office.queue("wang")] == ["operator:linda"]
    assert len(await office.queue("linda", "?mine=true")) == 1
    assert await office.queue("wang", "?mine=true") == []

    await office.ok("linda", "POST", f"{path}/release")
    await office.ok("wang", "POST", f"{path}/claim")
    await office.ok("wang", "POST", f"{path}/review", APPROVE)
    assert await office.queue() == []
    assert await office.refused("wang", "POST", f"{path}/claim") == (409, "decisions.not_under_review")


async def test_of_two_who_claim_at_the_same_time_one_gets_it(office: Office) -> None:
    for _ in range(5):
        path, _ = await office.referral()
        answers = await gather(*(office.call(who, "POST", f"{path}/claim") for who in ("linda", "wang", "manager")))
        assert sorted(status for status, _ in answers) == [200, 409, 409]


async def test_a_claim_ends_by_itself(office: Office, clock: FixedClock) -> None:
    path, _ = await office.referral()
    await office.ok("linda", "POST", f"{path}/claim")
    clock.advance(timedelta(minutes=31))
    assert (await office.queue())[0]["held_by"] is None
    await office.ok("wang", "POST", f"{path}/claim")


async def test_an_api_key_claims_nothing(office: Office, runtime: Runtime, tenant_id: int) -> None:
    path, _ = await office.referral()
    office.heads["server"] = await key_headers(runtime, tenant_id, "risk")
    assert await office.refused("server", "POST", f"{path}/claim") == (403, "decisions.reviewer_not_a_person")


async def test_a_cancelled_application_leaves_the_queue(office: Office) -> None:
    path, decision = await office.referral()
    await office.ok("linda", "POST", f"{path}/claim")
    await office.shop.say(ApplicationCancelled(subject_id=decision.application_id, reason="customer_request"))
    assert await office.queue() == []
    assert await office.refused("linda", "POST", f"{path}/review", APPROVE) == (409, "decisions.not_under_review")


# --- levels, assignment, the clock ---


def referring_to(level: str) -> dict[str, Any]:
    """The shipped strategy with its last word on referrals: ``level`` is asked."""
    graph = deepcopy(phone_rental())
    return {**graph, "nodes": [_with_level(node, level) for node in graph["nodes"]]}


def _with_level(node: dict[str, Any], level: str) -> dict[str, Any]:
    content = node.get("content")
    if node.get("type") != "expressionNode" or not isinstance(content, dict):
        return node
    if not any(each["key"] == "outcome" for each in content["expressions"]):
        return node
    added = {"id": "level", "key": "review_level", "value": f"'{level}'"}
    return {**node, "content": {**content, "expressions": [*content["expressions"], added]}}


async def test_a_referral_for_seniors_is_not_decided_below(office: Office) -> None:
    await published(office.shop.runtime, office.shop.tenant_id, referring_to("senior"))
    path, decision = await office.referral()
    assert decision.review_level == "senior"
    assert [each["level"] for each in await office.queue(query="?level=senior")] == ["senior"]
    for step, body in (("claim", None), ("review", APPROVE)):
        assert await office.refused("linda", "POST", f"{path}/{step}", body) == (403, "decisions.review_level_too_low")
    await office.set_level("linda", "senior")
    await office.ok("linda", "POST", f"{path}/review", APPROVE)


async def test_whoever_sets_levels_reviews_at_the_highest(office: Office) -> None:
    await published(office.shop.runtime, office.shop.tenant_id, referring_to("committee"))
    path, _ = await office.referral()
    await office.ok("manager", "POST", f"{path}/review", APPROVE)


async def test_levels_are_set_by_the_manager_for_operators_who_review(office: Office) -> None:
    assert (await office.refused("linda", "PUT", "/v1/reviewers", {"login": "linda", "level": "committee"}))[0] == 403
    status, problem = await office.call("manager", "PUT", "/v1/reviewers", {"login": "nobody", "level": "senior"})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/login")
    await office.set_level("wang", "senior", is_available=False)
    listed = (await office.ok("linda", "GET", "/v1/reviewers"))["items"]
    assert [(each["login"], each["level"], each["is_available"]) for each in listed] == [("wang", "senior", False)]


async def test_referrals_are_assigned_to_whoever_holds_least(office: Office, clock: FixedClock) -> None:
    await office.set_level("linda", "reviewer")
    await office.set_level("wang", "reviewer")
    for _ in range(4):
        await office.referral()
        clock.advance(timedelta(minutes=1))
    await office.keep_queue()
    assert [each["held_by"] for each in await office.queue()] == ["operator:linda", "operator:wang"] * 2
    # Nobody came: what linda let lie goes to wang, and the other way round.
    clock.advance(timedelta(minutes=31))
    await office.keep_queue()
    assert [each["held_by"] for each in await office.queue()] == ["operator:wang", "operator:linda"] * 2


async def test_what_nobody_decides_in_time_goes_up_level_by_level(office: Office, clock: FixedClock) -> None:
    path, decision = await office.referral()  # Monday, 09:00
    [waiting] = await office.queue()
    assert (waiting["escalated_to"], waiting["due_at"]) == (None, "2026-03-02T03:00:00Z")
    clock.advance(timedelta(minutes=119))
    await office.keep_queue()
    assert (await office.queue())[0]["escalated_to"] is None
    clock.advance(timedelta(minutes=1))
    await office.keep_queue()
    [waiting] = await office.queue()
    assert (waiting["escalated_to"], waiting["due_at"], waiting["escalated_count"]) == ("senior", "2026-03-02T07:00:00Z", 1)
    assert len(await office.queue(query="?level=senior")) == 1
    clock.advance(timedelta(hours=4))
    await office.keep_queue()
    # 15:00 and eighteen working hours: three today, nine tomorrow, six on the day after.
    assert (await office.queue())[0]["due_at"] == "2026-03-04T07:00:00Z"
    clock.advance(timedelta(days=2))
    await office.keep_queue()
    await office.keep_queue()
    [waiting] = await office.queue()
    assert (waiting["level"], waiting["escalated_to"], waiting["due_at"], waiting["escalated_count"]) == (
        "reviewer",
        "committee",
        None,
        3,
    )
    leaves = await office.shop.leaves(decision.application_id)
    assert leaves.count("decisions.review.escalated") == 3
    # Late is not harder: whoever could decide it before still can.
    office.heads["wang"] = await operator(office.api, office.shop.runtime, office.shop.tenant_id, "chen", "risk")
    await office.ok("wang", "POST", f"{path}/review", APPROVE)


async def test_what_is_late_is_assigned_to_the_level_above(office: Office, clock: FixedClock) -> None:
    await office.set_level("linda", "reviewer")
    await office.set_level("wang", "senior")
    await office.referral()
    await office.keep_queue()
    assert (await office.queue())[0]["held_by"] == "operator:linda"
    clock.advance(timedelta(hours=2))
    await office.keep_queue()
    assert (await office.queue())[0]["held_by"] == "operator:wang"


async def test_the_clock_is_the_tenants_own(office: Office, clock: FixedClock) -> None:
    day = {"opens_minute": 600, "closes_minute": 630}
    status, problem = await office.call("manager", "PUT", "/v1/review-policy", day)
    assert (status, problem["errors"][0]["pointer"]) == (422, "/closes_minute")
    await office.ok("manager", "PUT", "/v1/review-policy", {"reviewer_minutes": 30, "opens_minute": 600, "closes_minute": 1200})
    assert (await office.ok("linda", "GET", "/v1/review-policy"))["reviewer_minutes"] == 30
    await office.referral()  # at nine, an hour before they open
    assert (await office.queue())[0]["due_at"] == "2026-03-02T02:30:00Z"


# --- who may not decide ---


async def test_nobody_decides_on_an_order_he_took_in(office: Office, runtime: Runtime, tenant_id: int) -> None:
    at_the_counter = Office(Shop(runtime, tenant_id, Actor(ActorKind.OPERATOR, "linda")), office.api, office.heads)
    path, _ = await at_the_counter.referral()
    for step, body in (("claim", None), ("review", APPROVE)):
        assert await office.refused("linda", "POST", f"{path}/{step}", body) == (403, "decisions.conflict_of_interest")
    await office.ok("wang", "POST", f"{path}/review", APPROVE)


async def test_nobody_decides_on_himself_where_it_is_known(office: Office) -> None:
    path, decision = await office.referral()
    await office.set_level("linda", "reviewer", party_id=public_id(Prefix.PARTY, decision.party_id))
    status, problem = await office.call("linda", "POST", f"{path}/review", APPROVE)
    assert (status, problem["code"], problem["interest"]) == (403, "decisions.conflict_of_interest", "is_applicant")


async def test_above_the_limit_a_second_person_approves(office: Office) -> None:
    limit = {"command": "decisions.approve_referred", "alone_max_fen": 500_000}
    status, problem = await office.call("owner", "PUT", "/v1/approval-limits", {**limit, "alone_max_fen": 20_000_001})
    assert (status, problem["errors"][0]["code"]) == (422, "approval.limit_too_high")
    await office.ok("owner", "PUT", "/v1/approval-limits", limit)
    path, decision = await office.referral(value_fen=599_900)
    await office.ok("linda", "POST", f"{path}/claim")
    status, waits = await office.call("linda", "POST", f"{path}/review", {**APPROVE, "note": "张三 13800138000"})
    assert (status, waits["amount_fen"], waits["alone_max_fen"]) == (202, 599_900, 500_000)
    assert (await office.shop.decision(decision.application_id)).state == "referred"
    approval = f"/v1/approvals/{waits['id']}"
    assert "13800138000" not in str(await office.ok("wang", "GET", approval))
    assert await office.refused("linda", "POST", f"{approval}/approval", {"reason": "好"}) == (403, "approval.same_person")
    await office.ok("wang", "POST", f"{approval}/approval", {"reason": "已复核"})
    after = await office.shop.decision(decision.application_id)
    assert (after.state, after.standing_outcome) == ("reviewed", "approve")
    async with office.shop.runtime.reading(office.shop.tenant_id) as read:
        sealed = bytes(await read.scalar("SELECT note_sealed FROM decisions_review WHERE tenant_id = :tenant"))
        assert read.vault.open_text(f"decisions_review.note:{decision.id}", sealed) == "张三 13800138000"


async def test_the_second_person_needs_the_level_and_no_interest_either(office: Office, runtime: Runtime, tenant_id: int) -> None:
    await office.ok("owner", "PUT", "/v1/approval-limits", {"command": "decisions.approve_referred", "alone_max_fen": 0})
    counter = Office(Shop(runtime, tenant_id, Actor(ActorKind.OPERATOR, "wang")), office.api, office.heads)
    path, _ = await counter.referral()
    _, waits = await office.call("linda", "POST", f"{path}/review", APPROVE)
    approval = f"/v1/approvals/{waits['id']}/approval"
    assert await office.refused("wang", "POST", approval, {"reason": "好"}) == (403, "decisions.conflict_of_interest")
    await office.ok("manager", "POST", approval, {"reason": "已复核"})


async def test_a_decline_takes_no_second_person(office: Office) -> None:
    await office.ok("owner", "PUT", "/v1/approval-limits", {"command": "decisions.approve_referred", "alone_max_fen": 0})
    path, _ = await office.referral()
    status, _ = await office.call("linda", "POST", f"{path}/review", DECLINE)
    assert status == 200


# --- appeals ---


async def test_an_appeal_goes_to_another_person_once_and_is_answered_with_reasons(office: Office) -> None:
    path, decision = await office.declined_by("linda")
    told = await office.ok("channel", "GET", f"{path}/explanation")
    assert (told["outcome"], told["appeal"], told["appeal_until"]) == ("decline", "available", "2026-04-01")
    await office.ok("channel", "POST", f"{path}/appeal", {"grounds": "同住的是我父母，有户口本"})
    told = await office.ok("channel", "GET", f"{path}/explanation")
    assert (told["outcome"], told["appeal"], told["appeal_until"]) == ("refer", "waiting", None)
    assert await office.refused("channel", "POST", f"{path}/appeal", {}) == (409, "decisions.no_appeal")

    assert await office.refused("linda", "POST", f"{path}/review", APPROVE) == (403, "decisions.conflict_of_interest")
    assert (await office.queue("wang"))[0]["round"] == 2
    assert (await office.ok("wang", "GET", f"{path}/appeal"))["grounds"] == "同住的是我父母，有户口本"
    await office.ok("wang", "POST", f"{path}/review", {"outcome": "decline", "reason_code": "REVIEW_APPEAL_UPHELD"})
    told = await office.ok("channel", "GET", f"{path}/explanation")
    assert (told["outcome"], told["decided_by"], told["appeal"]) == ("decline", "reviewer", "done")
    assert told["reasons"][0]["text"]["zh"] == "另一名工作人员复核后，维持原决定。"
    assert await office.refused("channel", "POST", f"{path}/appeal", {}) == (409, "decisions.no_appeal")
    assert await office.shop.leaves(decision.application_id) == [
        "decisions.decision.made",
        "decisions.decision.reviewed",
        "decisions.review.appealed",
        "decisions.appeal.answered",
    ]


async def test_an_appeal_may_win(office: Office) -> None:
    path, decision = await office.declined_by("linda")
    await office.ok("channel", "POST", f"{path}/appeal", {})
    await office.ok("wang", "POST", f"{path}/review", APPROVE)
    after = await office.shop.decision(decision.application_id)
    assert (after.state, after.standing_outcome, after.outcome) == ("reviewed", "approve", "refer")
    assert [(each["outcome"], each["decided_by"]) for each in await office.shop.made(decision.application_id)] == [
        ("refer", "strategy"),
        ("decline", "reviewer"),
        ("refer", "reviewer"),
        ("approve", "reviewer"),
    ]


async def test_the_words_of_an_appeal_are_sealed(office: Office) -> None:
    path, _ = await office.declined_by("linda")
    await office.ok("channel", "POST", f"{path}/appeal", {"grounds": "我叫张三 13800138000"})
    async with office.shop.runtime.reading(office.shop.tenant_id) as read:
        assert b"13800138000" not in bytes(
            await read.scalar("SELECT grounds_sealed FROM decisions_appeal WHERE tenant_id = :tenant")
        )


async def test_an_appeal_comes_within_thirty_days(office: Office, clock: FixedClock) -> None:
    path, _ = await office.declined_by("linda")
    late, _ = await office.declined_by("linda")
    clock.advance(timedelta(days=30))
    await office.ok("channel", "POST", f"{path}/appeal", {})
    clock.advance(timedelta(days=1))
    assert await office.refused("channel", "POST", f"{late}/appeal", {}) == (409, "decisions.no_appeal")
    assert (await office.ok("channel", "GET", f"{late}/explanation"))["appeal"] == "none"


async def test_what_the_machine_declined_is_first_reviewed_and_only_then_appealed(office: Office) -> None:
    [decision] = await office.shop.decide(submitted(await office.shop.customer(), signals={**GOOD, "credit_score": 500}))
    path = f"/v1/decisions/{public_id(Prefix.DECISION, decision.id)}"
    assert await office.refused("channel", "POST", f"{path}/appeal", {}) == (409, "decisions.no_appeal")
    await office.shop.say(HumanReviewRequested(subject_id=decision.application_id, decision_id=decision.id))
    await office.ok("linda", "POST", f"{path}/review", DECLINE)
    await office.ok("channel", "POST", f"{path}/appeal", {})
    assert await office.refused("wang", "GET", f"/v1/decisions/{public_id(Prefix.DECISION, decision.party_id)}/appeal") == (
        404,
        "decisions.decision_unknown",
    )


# --- statistics ---


async def test_overturned_declines_estimate_false_rejects(office: Office) -> None:
    for outcome in (APPROVE, DECLINE, DECLINE):
        [decision] = await office.shop.decide(submitted(await office.shop.customer(), signals={**GOOD, "credit_score": 500}))
        await office.shop.say(HumanReviewRequested(subject_id=decision.application_id, decision_id=decision.id))
        await office.ok("linda", "POST", f"/v1/decisions/{public_id(Prefix.DECISION, decision.id)}/review", outcome)
    await office.shop.decide(submitted(await office.shop.customer(), signals={**GOOD, "credit_score": 500}))
    path, _ = await office.declined_by("linda")
    await office.ok("channel", "POST", f"{path}/appeal", {})
    await office.ok("wang", "POST", f"{path}/review", APPROVE)

    found = await office.ok("linda", "GET", "/v1/reviews/statistics")
    by_code = {each["code"]: each for each in found["reasons"]}
    score = by_code["SCORE_TOO_LOW"]
    assert (score["declined_count"], score["referred_count"]) == (4, 0)
    assert score["overturned"] == {
        "hits": 1,
        "count": 3,
        "rate_pct": 33.3,
        "low_pct": 6.1,
        "high_pct": 79.2,
        "is_small": True,
    }
    assert by_code["SHARED_ADDRESS"]["approved"]["hits"] == 1
    assert by_code["SHARED_ADDRESS"]["overturned"]["rate_pct"] is None
    by_reviewer = {each["reviewer"]: each for each in found["reviewers"]}
    linda = by_reviewer["operator:linda"]
    assert (linda["reviewed_count"], linda["approved_count"], linda["with_strategy"]["hits"]) == (4, 1, 2)
    assert (linda["upheld"]["hits"], linda["upheld"]["count"]) == (0, 1)
    assert "30" in found["statement"]["zh"]
    status, problem = await office.call("linda", "GET", "/v1/reviews/statistics?begin_on=2026-03-02&until_on=2026-03-01")
    assert (status, problem["errors"][0]["code"]) == (422, "decisions.bad_window")
