"""From a submitted application to a decision, and to a person where one is needed."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.agreements.stories import lease, loan
from tests.integration.decisions.people import terms
from tests.integration.decisions.shop import GOOD, Shop, submitted
from tests.integration.decisions.strategists import STRICTER, phone_rental, published

from xinzu.back.billing.events import ArrearsAged, ArrearsCleared
from xinzu.front.applications.events import ApplicationCancelled, ApplicationSubmitted, HumanReviewRequested
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.events import AgreementEnded, AgreementSigned
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.errors import NotUnderReview, ReviewerNotAPerson, UnknownReason
from xinzu.platform.actor import Actor, ActorKind
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> Shop:
    return Shop(runtime, tenant_id, actor)


async def test_an_ordinary_application_is_approved_on_record(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer()))
    assert (decision.outcome, decision.state, decision.reason_codes, decision.trace) == ("approve", "decided", [], None)
    assert decision.inputs["age_years"] == 29
    assert decision.inputs["exposure_after_fen"] == 599_900
    assert (decision.strategy_key, decision.strategy_version) == ("phone_rental", 1)
    [made] = await shop.made(decision.application_id)
    assert (made["outcome"], made["decided_by"], made["decision_id"]) == ("approve", "strategy", str(decision.id))
    assert await shop.leaves(decision.application_id) == ["decisions.decision.made"]


async def test_a_decline_keeps_its_reasons_and_trace_and_can_be_repeated_from_its_record(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(born=date(2010, 1, 1)), signals={**GOOD, "credit_score": 500}))
    assert (decision.outcome, decision.reason_codes) == ("decline", ["AGE_BELOW_MIN", "SCORE_TOO_LOW"])
    assert decision.trace is not None
    assert [row["row"] for row in decision.trace] == ["E02", "S01"]
    async with shop.runtime.reading(shop.tenant_id) as read:
        assert await decisions.repeat_decision(read, decision) == "decline"


async def test_a_signal_of_the_wrong_type_counts_as_missing(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(), signals={"credit_score": "720", "favourite_colour": "red"}))
    assert (decision.outcome, decision.reason_codes) == ("refer", ["CREDIT_SIGNAL_MISSING"])
    assert decision.inputs["credit_score"] is None
    assert "favourite_colour" not in decision.inputs


async def test_of_a_financing_the_principal_is_what_is_exposed(shop: Shop) -> None:
    party_id = await shop.customer()
    first = ApplicationSubmitted(subject_id=new_id(), party_id=party_id, channel="alipay", terms=loan(), signals=dict(GOOD))
    second = ApplicationSubmitted(subject_id=new_id(), party_id=party_id, channel="alipay", terms=lease(), signals=dict(GOOD))
    [small, car] = await shop.decide(first, second)
    assert (small.inputs["family"], small.inputs["principal_fen"]) == ("loan", 1_200_000)
    assert (small.inputs["device_value_fen"], small.inputs["exposure_after_fen"]) == (1_200_000, 1_200_000)
    assert (car.inputs["family"], car.inputs["device_value_fen"]) == ("finance_lease", 12_980_000)
    assert (car.inputs["exposure_fen"], car.inputs["exposure_after_fen"]) == (1_200_000, 11_584_000)
    # The shipped strategy knows phones: what is worth more is for a person, whose approval counts the principal as well.
    assert (small.outcome, car.outcome) == ("approve", "refer")
    approve = decisions.ReviewDecision(car.id, decisions.DecisionOutcome.APPROVE, "REVIEW_CONFIRMED")
    await shop.review(approve)
    later = submitted(party_id)
    [phone] = await shop.decide(later)
    assert phone.inputs["exposure_fen"] == 11_584_000


async def test_without_consent_nothing_is_looked_at_and_a_person_decides(shop: Shop) -> None:
    party_id = await shop.customer(consents=[parties.ConsentPurpose.APPLICATION])
    [decision] = await shop.decide(submitted(party_id))
    assert (decision.outcome, decision.state, decision.reason_codes) == ("refer", "referred", ["CONSENT_MISSING"])
    assert decision.inputs["age_years"] is None
    assert decision.inputs["credit_score"] is None


async def test_the_same_application_is_decided_once(shop: Shop) -> None:
    event = submitted(await shop.customer())
    await shop.say(event, event)
    await shop.say(event)
    assert len(await shop.made(event.subject_id)) == 1


async def test_orders_of_one_party_in_one_batch_know_each_other(shop: Shop) -> None:
    party_id = await shop.customer()
    made = await shop.decide(*(submitted(party_id, value_fen=300_000) for _ in range(4)))
    assert [decision.inputs["active_orders"] for decision in made] == [0, 1, 2, 2 + 1]
    assert [decision.outcome for decision in made] == ["approve", "approve", "approve", "decline"]
    assert made[3].reason_codes == ["ACTIVE_ORDERS_MAX"]


async def test_exposure_ends_with_the_order(shop: Shop) -> None:
    party_id = await shop.customer()
    made = await shop.decide(*(submitted(party_id, value_fen=300_000) for _ in range(3)))
    await shop.say(ApplicationCancelled(subject_id=made[0].application_id, reason="changed my mind"))
    await shop.say(
        AgreementEnded(
            subject_id=new_id(),
            application_id=made[1].application_id,
            party_id=party_id,
            ended_on=date(2026, 3, 2),
            reason="settled",
        )
    )
    shop.runtime.clock.advance(timedelta(days=2))  # type: ignore[attr-defined]
    [next_one] = await shop.decide(submitted(party_id))
    assert (next_one.outcome, next_one.inputs["active_orders"], next_one.inputs["applications_24h"]) == ("approve", 1, 0)


async def test_who_is_overdue_gets_no_second_phone_until_it_is_paid(shop: Shop, clock: FixedClock) -> None:
    party_id, agreement_id = await shop.customer(), new_id()
    [first] = await shop.decide(submitted(party_id))
    await shop.say(
        AgreementSigned(
            subject_id=agreement_id,
            application_id=first.application_id,
            party_id=party_id,
            agreement_no="XZ2026-000001",
            document_sha256="0" * 64,
            terms=terms(),
            signed_at=clock.now(),
        )
    )
    aged = ArrearsAged(
        subject_id=agreement_id, party_id=party_id, business_date=date(2026, 3, 2), days_past_due=3, overdue_fen=39_900
    )
    await shop.say(aged)
    [second] = await shop.decide(submitted(party_id))
    assert (second.outcome, second.reason_codes) == ("decline", ["ARREARS_OPEN"])
    await shop.say(ArrearsCleared(subject_id=agreement_id, party_id=party_id))
    await shop.say(aged)  # a late delivery of the past does not bring the arrears back
    [third] = await shop.decide(submitted(party_id))
    assert third.outcome == "approve"


async def test_a_fast_series_of_applications_is_stopped(shop: Shop) -> None:
    party_id = await shop.customer()
    made = await shop.decide(*(submitted(party_id, value_fen=100_000, signals={**GOOD, "list_match": True}) for _ in range(6)))
    assert made[5].reason_codes == ["LIST_MATCH", "VELOCITY_MAX"]


async def test_a_referred_application_is_approved_by_a_person(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "shared_address": True}))
    assert (decision.outcome, decision.state, decision.referred_by) == ("refer", "referred", "strategy")
    answer = await shop.review(
        decisions.ReviewDecision(decision.id, decisions.DecisionOutcome.APPROVE, "REVIEW_CONFIRMED", "致电核实为同住家人")
    )
    assert isinstance(answer, decisions.Reviewed)
    after = await shop.decision(decision.application_id)
    assert (after.state, after.outcome, after.standing_outcome) == ("reviewed", "refer", "approve")
    assert [(made["outcome"], made["decided_by"]) for made in await shop.made(decision.application_id)] == [
        ("refer", "strategy"),
        ("approve", "reviewer"),
    ]
    assert await shop.leaves(decision.application_id) == ["decisions.decision.made", "decisions.decision.reviewed"]
    again = await shop.review(decisions.ReviewDecision(decision.id, decisions.DecisionOutcome.DECLINE, "REVIEW_RISK"))
    assert isinstance(again, NotUnderReview)


async def test_the_reviewers_note_is_sealed(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "shared_address": True}))
    await shop.review(decisions.ReviewDecision(decision.id, decisions.DecisionOutcome.DECLINE, "REVIEW_RISK", "张三 13800138000"))
    async with shop.runtime.reading(shop.tenant_id) as read:
        sealed = bytes(await read.scalar("SELECT note_sealed FROM decisions_review WHERE tenant_id = :tenant"))
        assert b"13800138000" not in sealed
        assert read.vault.open_text(f"decisions_review.note:{decision.id}", sealed) == "张三 13800138000"


async def test_a_declined_applicant_asks_for_a_person(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "credit_score": 540}))
    request = decisions.ReviewDecision(decision.id, decisions.DecisionOutcome.APPROVE, "REVIEW_EXPLAINED")
    assert isinstance(await shop.review(request), NotUnderReview)
    await shop.say(HumanReviewRequested(subject_id=decision.application_id, decision_id=decision.id))
    waiting = await shop.decision(decision.application_id)
    assert (waiting.state, waiting.referred_by, waiting.outcome) == ("referred", "applicant", "decline")
    assert isinstance(await shop.review(request), decisions.Reviewed)
    # A person has spoken; asking once more does not reopen it.
    await shop.say(HumanReviewRequested(subject_id=decision.application_id, decision_id=decision.id))
    assert (await shop.decision(decision.application_id)).state == "reviewed"


async def test_an_approved_application_cannot_be_referred(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer()))
    await shop.say(HumanReviewRequested(subject_id=decision.application_id, decision_id=decision.id))
    assert (await shop.decision(decision.application_id)).state == "decided"


async def test_only_a_person_reviews_and_only_with_a_known_reason(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(), signals={}))
    request = decisions.ReviewDecision(decision.id, decisions.DecisionOutcome.APPROVE, "REVIEW_CONFIRMED")
    assert isinstance(await shop.review(request, by=Actor(ActorKind.API_KEY, "shop-server")), ReviewerNotAPerson)
    wrong = decisions.ReviewDecision(decision.id, decisions.DecisionOutcome.APPROVE, "REVIEW_RISK")
    assert isinstance(await shop.review(wrong), UnknownReason)


async def test_a_cancelled_application_leaves_the_queue(shop: Shop) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(), signals={}))
    await shop.say(ApplicationCancelled(subject_id=decision.application_id, reason="found another shop"))
    assert (await shop.decision(decision.application_id)).state == "withdrawn"


async def test_a_new_version_decides_from_then_on(shop: Shop) -> None:
    [before] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "credit_score": 560}, value_fen=200_000))
    assert before.outcome == "approve"
    await published(shop.runtime, shop.tenant_id, phone_rental(**STRICTER))
    [after] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "credit_score": 560}, value_fen=200_000))
    assert (after.outcome, after.strategy_version, after.arm) == ("decline", 2, "champion")


async def test_over_http_the_queue_the_decision_the_explanation_and_the_review(
    shop: Shop, api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, other_tenant_id: int
) -> None:
    [decision] = await shop.decide(submitted(await shop.customer(), signals={**GOOD, "list_match": True, "credit_score": 500}))
    await shop.say(HumanReviewRequested(subject_id=decision.application_id, decision_id=decision.id))
    staff, stranger = await key_headers(runtime, tenant_id, "risk"), await key_headers(runtime, other_tenant_id, "risk")
    path = f"/v1/decisions/{public_id(Prefix.DECISION, decision.id)}"

    queue = (await api.get("/v1/decisions?state=referred", headers=staff)).json()
    assert [item["id"] for item in queue["items"]] == [public_id(Prefix.DECISION, decision.id)]
    shown = (await api.get(path, headers=staff)).json()
    assert shown["outcome"] == "refer"
    assert shown["strategy_outcome"] == "decline"
    assert [reason["code"] for reason in shown["reasons"]] == ["LIST_MATCH", "SCORE_TOO_LOW"]
    assert shown["strategy"]["key"] == "phone_rental"
    told = (await api.get(f"{path}/explanation", headers=staff)).json()
    assert told["human_review"] == "waiting"
    assert [reason["text"]["zh"] for reason in told["reasons"]] == ["综合评估暂未通过。", "信用评分未达到本产品的要求。"]
    assert "LIST_MATCH" not in str(told)

    assert (await api.get(path, headers=stranger)).status_code == 404
    assert (await api.get("/v1/decisions", headers=stranger)).json()["items"] == []
    by_key = await api.post(f"{path}/review", json={"outcome": "decline", "reason_code": "REVIEW_RISK"}, headers=staff)
    assert (by_key.status_code, by_key.json()["code"]) == (403, "decisions.reviewer_not_a_person")
    wrong = await api.post(f"{path}/review", json={"outcome": "refer", "reason_code": "REVIEW_RISK"}, headers=staff)
    assert wrong.status_code == 422
    assert (await api.get("/v1/decisions?state=lost", headers=staff)).status_code in (400, 422)
