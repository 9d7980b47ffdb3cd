"""An application from the first click: taken in or refused item by item, decided, followed to its end."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import text
from tests.conftest import START
from tests.integration.applications.orders import (
    ADDRESS,
    CLERK,
    application,
    body,
    identity_no,
    offer,
    phone,
    request,
    state_of,
    submitted,
)

from xinzu.front.applications import api as applications
from xinzu.front.applications.handlers import (
    on_agreements_ended,
    on_agreements_signed,
    on_consents_withdrawn,
    on_decisions_made,
)
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.middle.agreements.events import AgreementEnded, AgreementSigned
from xinzu.middle.decisions.events import DecisionMade
from xinzu.platform.commands import Request, execute
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties
from xinzu.records.parties.events import ConsentWithdrawn


async def decide(
    runtime: Runtime, tenant_id: int, application_id: UUID, outcome: str, by: str = "strategy", decision_id: UUID | None = None
) -> UUID:
    decision_id = decision_id or new_id()
    made = DecisionMade(
        subject_id=application_id,
        decision_id=decision_id,
        outcome=outcome,
        decided_by=by,
        reason_codes=["R01"] if outcome == "decline" else [],
        strategy_key="phone_rental",
        strategy_version=1,
    )
    async with runtime.unit(tenant_id, CLERK) as uow:
        await on_decisions_made(uow, [made])
    return decision_id


async def events_of(runtime: Runtime, tenant_id: int, subject_id: UUID) -> list[str]:
    async with runtime.reading(tenant_id) as read:
        rows = await read.rows(
            "SELECT type FROM platform_event WHERE tenant_id = :tenant AND subject_id = :subject ORDER BY id", subject=subject_id
        )
    return [row.type.split(".")[2] + "." + row.type.split(".")[3] for row in rows]


async def count(runtime: Runtime, tenant_id: int, table: str) -> int:
    async with runtime.reading(tenant_id) as read:
        return int(await read.scalar(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant"))


async def test_a_batch_is_taken_in_and_bad_items_are_refused_by_name(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    wrong_check = identity_no(5)[:-1] + ("0" if identity_no(5)[-1] != "0" else "1")
    outcomes = await submitted(
        runtime,
        tenant_id,
        [
            request(plan_id, 1),
            request(plan_id, 2, consents={"application": "v3", "decision": "v1"}),
            request(plan_id, 3, applicant={"name": "李四", "identity_no": wrong_check, "phone": phone(3)}),
            request(plan_id, 4, applicant={"name": "李四", "identity_no": identity_no(4), "phone": "12345"}),
            request(public_id(Prefix.PLAN, new_id()), 5),
            request(plan_id, 6),
        ],
    )
    codes = [outcome.code if isinstance(outcome, Problem) else outcome.state for outcome in outcomes]
    assert codes == [
        "submitted",
        "applications.consents_incomplete",
        "request.invalid",
        "request.invalid",
        "catalogue.plan_unknown",
        "submitted",
    ]
    pointers = [[e.pointer for e in outcome.errors] for outcome in outcomes if isinstance(outcome, Problem)]
    assert pointers == [["/consents/identity_check"], ["/applicant/identity_no"], ["/applicant/phone"], []]
    assert await count(runtime, tenant_id, "applications_application") == 2
    assert await count(runtime, tenant_id, "parties_person") == 2
    assert await count(runtime, tenant_id, "parties_consent") == 6


async def test_nothing_personal_is_stored_or_said_in_clear(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    application_id = await application(runtime, tenant_id, plan_id)
    secrets = [b"\xe5\xb0\x8f\xe5\x87\xa1", identity_no(1).encode(), phone(1).encode(), "文三路".encode()]
    async with runtime.reading(tenant_id) as read:
        tables = ["parties_person", "applications_application", "platform_event", "parties_consent"]
        stored = [str(await read.scalar(f"SELECT json_agg(t)::text FROM {table} t")).encode() for table in tables]
        stored += [fact.body.encode() for fact in await evidence.facts_of(read, application_id)]
        view = await applications.application_view(read, application_id)
    assert not [secret for secret in secrets for row in stored if secret in row]
    assert (view.applicant.name, view.applicant.phone[:3], view.delivery_address) == ("张**", "138", "浙江省杭州市西湖区****")


async def test_the_taking_in_is_evidence_with_consents_and_terms(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    application_id = await application(runtime, tenant_id, plan_id)
    async with runtime.reading(tenant_id) as read:
        (fact,) = await evidence.facts_of(read, application_id)
    facts = json.loads(fact.body)["facts"]
    assert fact.kind == "applications.application.submitted"
    assert facts["consents"] == {"application": "v3", "identity_check": "v2", "decision": "v1"}
    assert facts["rent_fen"] == 39_900
    assert facts["delivery_address_digest"].startswith("sha256:")


async def test_one_person_applying_twice_is_one_party(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    first, second = await submitted(runtime, tenant_id, [request(plan_id), request(plan_id)])
    third = (await submitted(runtime, tenant_id, [request(plan_id)]))[0]
    assert accepted(first).party_id == accepted(second).party_id == accepted(third).party_id
    assert await count(runtime, tenant_id, "parties_consent") == 3


async def test_a_strangers_phone_does_not_replace_the_one_on_file(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    await application(runtime, tenant_id, plan_id)
    stranger = {"name": "张小凡", "identity_no": identity_no(1), "phone": phone(2)}
    misnamed = {"name": "王五", "identity_no": identity_no(1), "phone": phone(1)}
    outcomes = await submitted(runtime, tenant_id, [request(plan_id, applicant=stranger), request(plan_id, applicant=misnamed)])
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Problem)] == [
        "parties.phone_differs",
        "parties.name_differs",
    ]


async def test_two_batches_with_the_same_new_people_meet_without_doubling_them(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    numbers = list(range(40))
    await asyncio.gather(
        *(
            execute(runtime, tenant_id, CLERK, applications.submit, [Request(request(plan_id, n)) for n in order])
            for order in (numbers, numbers[::-1], numbers)
        )
    )
    assert await count(runtime, tenant_id, "parties_person") == 40
    assert await count(runtime, tenant_id, "applications_application") == 120


async def test_a_batch_costs_the_same_statements_whatever_its_size(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)

    async def statements(numbers: range) -> int:
        made: list[object] = []
        async with runtime.unit(tenant_id, CLERK) as uow:
            with uow.connection.query_logger(made.append):
                await applications.submit(uow, [request(plan_id, n) for n in numbers])
            return len(made)

    await statements(range(1000, 1001))
    assert 0 < await statements(range(1)) == await statements(range(1, 65)) <= 8


async def test_an_approval_leads_to_the_contract_and_its_end_closes(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    application_id = await application(runtime, tenant_id, plan_id)
    decision_id = await decide(runtime, tenant_id, application_id, "approve")
    await decide(runtime, tenant_id, application_id, "approve", decision_id=decision_id)
    assert await state_of(runtime, tenant_id, application_id) == "approved"
    assert await events_of(runtime, tenant_id, application_id) == ["application.submitted", "application.approved"]
    agreement_id = new_id()
    async with runtime.reading(tenant_id) as read:
        found = await applications.application(read, application_id)
    signed = AgreementSigned(
        subject_id=agreement_id,
        application_id=application_id,
        party_id=found.party_id,
        agreement_no="XZ-1",
        document_sha256="0" * 64,
        terms=found.terms,
        signed_at=START,
    )
    async with runtime.unit(tenant_id, CLERK) as uow:
        await on_agreements_signed(uow, [signed])
    assert await state_of(runtime, tenant_id, application_id) == "contracted"
    async with runtime.unit(tenant_id, CLERK) as uow:
        recipient = (await parties.open_recipients(uow, [agreement_id]))[agreement_id]
    assert (recipient.name, recipient.address) == ("张小凡", ADDRESS)
    ended = AgreementEnded(
        subject_id=agreement_id,
        application_id=application_id,
        party_id=found.party_id,
        ended_on=START.date(),
        reason="settled",
    )
    async with runtime.unit(tenant_id, CLERK) as uow:
        await on_agreements_ended(uow, [ended])
        await on_agreements_signed(uow, [signed])
    assert await state_of(runtime, tenant_id, application_id) == "closed"


async def test_after_approval_the_delivery_address_does_not_change(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan_id = await offer(runtime, tenant_id)
    application_id = await application(runtime, tenant_id, plan_id)
    path = f"/v1/applications/{public_id(Prefix.APPLICATION, application_id)}/delivery-address"
    before = await api.put(path, json={"delivery_address": "上海市静安区南京西路1号"}, headers=api_key)
    assert before.json()["delivery_address"] == "上海市静安区****"
    await decide(runtime, tenant_id, application_id, "approve")
    after = await api.put(path, json={"delivery_address": "广东省深圳市福田区华强北1号"}, headers=api_key)
    assert (after.status_code, after.json()["code"]) == (409, "applications.address_fixed")


async def test_a_declined_applicant_is_told_and_may_have_a_person_decide_once(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan_id = await offer(runtime, tenant_id)
    application_id = await application(runtime, tenant_id, plan_id)
    path = f"/v1/applications/{public_id(Prefix.APPLICATION, application_id)}"
    early = await api.post(f"{path}/human-review", headers=api_key)
    assert (early.status_code, early.json()["code"]) == (409, "applications.nothing_to_review")
    await decide(runtime, tenant_id, application_id, "decline")
    declined = (await api.get(path, headers=api_key)).json()
    assert (declined["state"], declined["decision"]["reason_codes"]) == ("declined", ["R01"])
    assert declined["may_request_human_review"] is True
    subject = public_id(Prefix.APPLICATION, application_id)
    (message,) = (await api.get("/v1/messages", params={"subject": subject}, headers=api_key)).json()["items"]
    assert message["template"] == "decision_declined"
    assert "人工复核" in message["text"]
    asked = await api.post(f"{path}/human-review", headers=api_key)
    assert (asked.status_code, asked.json()["state"]) == (202, "referred")
    await decide(runtime, tenant_id, application_id, "decline", by="reviewer")
    again = await api.post(f"{path}/human-review", headers=api_key)
    assert again.status_code == 409
    assert (await events_of(runtime, tenant_id, application_id))[-3:] == [
        "application.declined",
        "human_review.requested",
        "application.declined",
    ]


async def test_a_cancelled_application_is_not_revived_by_a_late_decision(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan_id = await offer(runtime, tenant_id)
    application_id = await application(runtime, tenant_id, plan_id)
    path = f"/v1/applications/{public_id(Prefix.APPLICATION, application_id)}/cancellation"
    assert (await api.post(path, json={"reason": "customer_request"}, headers=api_key)).json()["state"] == "cancelled"
    assert (await api.post(path, json={"reason": "customer_request"}, headers=api_key)).status_code == 409
    await decide(runtime, tenant_id, application_id, "approve")
    assert await state_of(runtime, tenant_id, application_id) == "cancelled"
    assert await events_of(runtime, tenant_id, application_id) == ["application.submitted", "application.cancelled"]


async def test_a_withdrawn_consent_stops_what_is_open_and_is_kept_as_evidence(runtime: Runtime, tenant_id: int) -> None:
    plan_id = await offer(runtime, tenant_id)
    application_id = await application(runtime, tenant_id, plan_id)
    async with runtime.reading(tenant_id) as read:
        party_id = (await applications.application(read, application_id)).party_id
    async with runtime.unit(tenant_id, CLERK) as uow:
        await on_consents_withdrawn(uow, [ConsentWithdrawn(subject_id=party_id, purpose="decision")])
    async with runtime.reading(tenant_id) as read:
        stopped = await applications.application(read, application_id)
        kinds = [fact.kind for fact in await evidence.facts_of(read, party_id)]
    assert (stopped.state, stopped.cancel_reason) == ("cancelled", "consent_withdrawn")
    assert kinds == ["parties.consent.withdrawn"]


async def test_intake_over_http_answers_202_and_waits_when_asked(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan_id = await offer(runtime, tenant_id)
    first = await api.post("/v1/applications", json=body(plan_id), headers={**api_key, "Idempotency-Key": "k1"})
    again = await api.post("/v1/applications", json=body(plan_id), headers={**api_key, "Idempotency-Key": "k1"})
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert first.headers["location"] == f"/v1/applications/{first.json()['id']}"
    await decide(runtime, tenant_id, parse_id(Prefix.APPLICATION, first.json()["id"]), "approve")
    waited = await api.post(
        "/v1/applications", json=body(plan_id), headers={**api_key, "Idempotency-Key": "k1", "Prefer": "wait=5"}
    )
    assert (waited.status_code, waited.json()["state"]) == (200, "approved")
    assert waited.headers["preference-applied"] == "wait=5"
    undecided = await api.post("/v1/applications", json=body(plan_id, 2), headers={**api_key, "Prefer": "wait=1"})
    assert (undecided.status_code, undecided.json()["state"]) == (202, "submitted")


async def test_a_quote_holds_after_its_plan_is_withdrawn_and_not_after_it_expired(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int, clock: object
) -> None:
    plan_id = await offer(runtime, tenant_id)
    quote = (await api.post("/v1/quotes", json={"plan_id": plan_id}, headers=api_key)).json()
    await api.post(f"/v1/plans/{plan_id}/withdrawal", headers=api_key)
    refused = await api.post("/v1/applications", json=body(plan_id), headers=api_key)
    assert (refused.status_code, refused.json()["code"]) == (409, "catalogue.plan_not_offered")
    quoted = {**body(plan_id), "quote_id": quote["id"]}
    del quoted["plan_id"]
    taken = await api.post("/v1/applications", json=quoted, headers=api_key)
    assert (taken.status_code, taken.json()["terms"]["rent_fen"]) == (202, 39_900)
    runtime.clock.advance(timedelta(hours=25))  # type: ignore[attr-defined]
    late = await api.post("/v1/applications", json={**quoted, "delivery_address": ADDRESS + "A"}, headers=api_key)
    assert (late.status_code, late.json()["code"]) == (410, "catalogue.quote_expired")


async def test_lists_are_paged_and_another_tenant_sees_nothing(
    api: httpx.AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan_id = await offer(runtime, tenant_id)
    outcomes = await submitted(runtime, tenant_id, [request(plan_id, n) for n in range(5)])
    ids = [accepted(outcome).id for outcome in outcomes]
    page = (await api.get("/v1/applications", params={"limit": 3, "state": "submitted"}, headers=api_key)).json()
    rest = (await api.get("/v1/applications", params={"limit": 3, "cursor": page["next_cursor"]}, headers=api_key)).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert (await api.get("/v1/applications", headers=other_api_key)).json()["items"] == []
    assert (await api.get(f"/v1/applications/{ids[0]}", headers=other_api_key)).status_code == 404
    stolen = await api.post("/v1/applications", json=body(plan_id, 9), headers=other_api_key)
    assert stolen.status_code == 404
    async with runtime.database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM applications_application"))).scalar() == 0


async def test_unknown_and_unfit_fields_are_named(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan_id = await offer(runtime, tenant_id)
    for wrong in (
        {"colour": "red"},
        {"channel": "fax"},
        {"delivery_address": "短"},
        {"delivery_address": "浙江省\u0000杭州市西湖区"},
        {"delivery_address": "浙江省杭州市西湖区\n"},
        {"delivery_address": "       "},
        {"consents": {"application": "v1\n", "identity_check": "v1", "decision": "v1"}},
        {"signals": {"Name": "x"}},
        {"signals": {"name": "张三"}},
        {"signals": {"n": 2**70}},
        {"quote_id": "quo_1"},
        {"plan_id": "pln_x"},
    ):
        answer = await api.post("/v1/applications", json={**body(plan_id), **wrong}, headers=api_key)
        assert answer.status_code in {400, 422}, wrong
    assert await count(runtime, tenant_id, "applications_application") == 0
