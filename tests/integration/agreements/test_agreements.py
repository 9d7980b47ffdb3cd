"""From an approved application to a signed, running and ended agreement."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from hashlib import sha256

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.agreements.stories import Shop, approved

from xinzu.back.assets.events import AssetHandedOver
from xinzu.back.billing.events import AccountSettled
from xinzu.front.applications.events import ApplicationCancelled
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements import api as agreements
from xinzu.middle.agreements.errors import (
    CodeExpired,
    CodeSentTooOften,
    CodeWrong,
    DocumentNotReady,
    NotOpenForSigning,
    OtherDocument,
    RestrictionClauseNotAccepted,
)
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> Shop:
    return Shop(runtime, tenant_id, actor)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def test_approved_applications_are_drafted_under_numbers_without_a_gap(shop: Shop, other_tenant_id: int) -> None:
    people = await shop.customers(3)
    events = [approved(party_id) for party_id in people]
    await shop.say(*events)
    await shop.say(events[0])  # told again: nothing new
    await shop.say(approved(people[0]))
    drafted = [await shop.of_application(event.subject_id) for event in events]
    assert [each.agreement_no for each in drafted] == ["XZ2026-000001", "XZ2026-000002", "XZ2026-000003"]
    assert drafted[0].terms == events[0].terms
    async with shop.runtime.reading(shop.tenant_id) as read:
        page = await agreements.list_agreements(read, limit=2)
        assert [each.agreement_no for each in page.items] == ["XZ2026-000004", "XZ2026-000003"]
    rival = Shop(shop.runtime, other_tenant_id, shop.actor)
    assert (await rival.drafted()).agreement_no == "XZ2026-000001"
    assert (await shop.facts(drafted[0].id))["agreement.drafted"]["agreement_no"] == "XZ2026-000001"


async def test_drafting_at_the_same_time_still_leaves_no_gap(shop: Shop) -> None:
    people = await shop.customers(20)

    async def draft(party_id: object) -> None:
        async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
            event = approved(party_id)  # type: ignore[arg-type]
            await agreements.draft_agreements(uow, [agreements.Draft(event.subject_id, event.party_id, "h5", event.terms)])

    await asyncio.gather(*(draft(party_id) for party_id in people))
    async with shop.runtime.reading(shop.tenant_id) as read:
        rows = await read.rows("SELECT agreement_no FROM agreements_agreement WHERE tenant_id = :tenant ORDER BY agreement_no")
    assert [row.agreement_no for row in rows] == [f"XZ2026-{nth:06d}" for nth in range(1, 21)]


async def test_numbers_begin_anew_each_year(shop: Shop, clock: FixedClock) -> None:
    await shop.drafted()
    clock.advance(timedelta(days=365))
    assert (await shop.drafted()).agreement_no == "XZ2027-000001"


async def test_a_verified_signer_gets_a_document_that_is_sealed_at_rest(shop: Shop) -> None:
    agreement = await shop.ready()
    facts = await shop.facts(agreement.id)
    assert facts["identity.checked"]["result"] == "passed"
    assert facts["document.rendered"]["document_sha256"] == agreement.document_sha256
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        opened = await agreements.open_document(uow, agreement.id)
        sealed = bytes(await uow.scalar("SELECT content_sealed FROM agreements_document WHERE tenant_id = :tenant"))
    assert sha256(opened.pdf).hexdigest() == agreement.document_sha256
    assert opened.pdf.startswith(b"%PDF-1.7")
    assert b"%PDF" not in sealed
    assert "document.read" in await shop.facts(agreement.id)
    # Prepared again by a second run of the job: the document stays as it is.
    assert await shop.answered([agreement.id]) == []
    await shop.rendered([agreement.id])
    assert (await shop.agreement(agreement.id)).document_id == agreement.document_id


async def test_opening_personal_data_is_on_record(shop: Shop) -> None:
    await shop.ready()
    async with shop.runtime.reading(shop.tenant_id) as read:
        rows = await read.rows("SELECT purpose FROM parties_disclosure WHERE tenant_id = :tenant ORDER BY id")
    assert [row.purpose for row in rows] == ["identity_check", "contract"]


async def test_a_signer_the_register_does_not_confirm_is_cancelled(shop: Shop) -> None:
    agreement = await shop.drafted()
    await shop.answered([agreement.id], agreements.IdentityState.FAILED)
    await shop.rendered([agreement.id])
    after = await shop.agreement(agreement.id)
    assert (after.state, after.end_reason, after.document_id) == ("cancelled", "identity_failed", None)
    assert await shop.events(agreement.id) == ["agreement.drafted", "agreement.cancelled"]


async def test_an_unknown_answer_is_asked_again_and_holds_the_document_back(shop: Shop) -> None:
    agreement = await shop.drafted()
    await shop.answered([agreement.id], agreements.IdentityState.UNKNOWN)
    await shop.rendered([agreement.id])
    assert (await shop.agreement(agreement.id)).document_id is None
    async with shop.runtime.reading(shop.tenant_id) as read:
        waiting = await read.scalar(
            "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'agreements.prepare_documents' AND execute_after > now()"
            " AND convert_from(payload, 'UTF8') LIKE :id",
            id=f"%{agreement.id}%",
        )
    assert waiting == 1
    assert len(await shop.answered([agreement.id])) == 1
    await shop.rendered([agreement.id])
    assert (await shop.agreement(agreement.id)).document_id is not None


async def test_without_consent_the_register_is_not_asked(shop: Shop) -> None:
    [party_id] = await shop.customers(consents=[parties.ConsentPurpose.APPLICATION])
    agreement = await shop.drafted(party_id)
    assert await shop.answered([agreement.id]) == []
    after = await shop.agreement(agreement.id)
    assert (after.state, after.end_reason) == ("cancelled", "identity_consent_missing")


async def test_the_lessee_signs_the_very_document_by_code(shop: Shop) -> None:
    agreement = await shop.ready()
    sent = await shop.send_code(agreement.id)
    assert isinstance(sent, agreements.CodeSent)
    signed = await shop.accept(agreement, await shop.code_on_phone(agreement.id))
    assert isinstance(signed, agreements.Signed)
    assert (await shop.agreement(agreement.id)).state == "signed"
    fact = (await shop.facts(agreement.id))["agreement.accepted"]
    assert fact["document_sha256"] == agreement.document_sha256
    assert fact["restriction_clause_version"] == "2026-01"
    assert (fact["code_tries"], fact["channel"]) == (1, "alipay")
    assert str(fact["address_digest"]).startswith("sha256:")
    assert "192.0.2.7" not in str(fact)
    assert await shop.events(agreement.id) == ["agreement.drafted", "document.rendered", "agreement.signed"]
    again = await shop.accept(agreement, await shop.code_on_phone(agreement.id))
    assert isinstance(again, NotOpenForSigning)


async def test_the_code_itself_is_stored_nowhere_in_clear(shop: Shop) -> None:
    agreement = await shop.ready()
    await shop.send_code(agreement.id)
    code = await shop.code_on_phone(agreement.id)
    async with shop.runtime.reading(shop.tenant_id) as read:
        for table in ("agreements_code", "parties_message", "platform_event", "evidence_leaf", "pgqueuer"):
            rows = await read.rows(
                f"SELECT row_to_json(t)::text AS line FROM {table} t WHERE row_to_json(t)::text LIKE :c", c=f'%"{code}"%'
            )
            assert not rows


async def test_a_wrong_code_is_counted_and_the_fifth_ends_it(shop: Shop) -> None:
    agreement = await shop.ready()
    await shop.send_code(agreement.id)
    code = await shop.code_on_phone(agreement.id)
    for left in (4, 3, 2, 1):
        refused = await shop.accept(agreement, wrong(code))
        assert isinstance(refused, CodeWrong)
        assert refused.extras["tries_left"] == left
    assert isinstance(await shop.accept(agreement, wrong(code)), CodeExpired)
    assert isinstance(await shop.accept(agreement, code), CodeExpired)
    assert (await shop.agreement(agreement.id)).state == "drafted"


async def test_a_code_ends_after_five_minutes_and_a_new_one_replaces_the_old(shop: Shop, clock: FixedClock) -> None:
    agreement = await shop.ready()
    assert isinstance(await shop.accept(agreement, "000000"), CodeExpired)
    await shop.send_code(agreement.id)
    old = await shop.code_on_phone(agreement.id)
    too_soon = await shop.send_code(agreement.id)
    assert isinstance(too_soon, CodeSentTooOften)
    assert too_soon.retry_after_s == 60
    clock.advance(timedelta(minutes=5))
    assert isinstance(await shop.accept(agreement, old), CodeExpired)
    await shop.send_code(agreement.id)
    new = await shop.code_on_phone(agreement.id)
    if old != new:
        assert isinstance(await shop.accept(agreement, old), CodeWrong)
    assert isinstance(await shop.accept(agreement, new), agreements.Signed)


async def test_at_most_five_codes_an_hour(shop: Shop, clock: FixedClock) -> None:
    agreement = await shop.ready()
    for _ in range(5):
        assert isinstance(await shop.send_code(agreement.id), agreements.CodeSent)
        clock.advance(timedelta(minutes=1))
    assert isinstance(await shop.send_code(agreement.id), CodeSentTooOften)
    clock.advance(timedelta(hours=1))
    assert isinstance(await shop.send_code(agreement.id), agreements.CodeSent)


async def test_another_document_or_an_unticked_clause_is_not_an_acceptance(shop: Shop) -> None:
    agreement = await shop.ready()
    await shop.send_code(agreement.id)
    code = await shop.code_on_phone(agreement.id)
    assert isinstance(await shop.accept(agreement, code, document_sha256="0" * 64), OtherDocument)
    assert isinstance(await shop.accept(agreement, code, restriction_clause_accepted=False), RestrictionClauseNotAccepted)
    assert isinstance(await shop.accept(agreement, code), agreements.Signed)


async def test_before_the_document_stands_there_is_nothing_to_sign(shop: Shop) -> None:
    agreement = await shop.drafted()
    assert isinstance(await shop.send_code(agreement.id), DocumentNotReady)


async def test_two_acceptances_at_once_sign_once(shop: Shop) -> None:
    agreement = await shop.ready()
    await shop.send_code(agreement.id)
    code = await shop.code_on_phone(agreement.id)
    outcomes = await asyncio.gather(*(shop.accept(agreement, code) for _ in range(4)))
    assert sum(isinstance(outcome, agreements.Signed) for outcome in outcomes) == 1
    assert all(isinstance(outcome, agreements.Signed | NotOpenForSigning) for outcome in outcomes)
    assert (await shop.events(agreement.id)).count("agreement.signed") == 1


async def test_a_cancelled_application_drops_the_draft_but_not_a_signed_agreement(shop: Shop) -> None:
    draft, signed = await shop.drafted(), await shop.signed()
    await shop.say(
        ApplicationCancelled(subject_id=draft.application_id, reason="too slow"),
        ApplicationCancelled(subject_id=signed.application_id, reason="too late"),
    )
    assert (await shop.agreement(draft.id)).state == "cancelled"
    assert (await shop.agreement(signed.id)).state == "signed"


async def test_it_commences_with_the_handover_and_ends_with_the_settlement(shop: Shop, clock: FixedClock) -> None:
    agreement, draft, asset_id = await shop.signed(), await shop.drafted(), new_id()
    handed_over = AssetHandedOver(
        subject_id=agreement.id, asset_id=asset_id, handed_over_at=clock.now(), handed_over_on=date(2026, 3, 4)
    )
    settled = AccountSettled(subject_id=agreement.id, party_id=agreement.party_id, settled_on=date(2027, 3, 4))
    await shop.say(settled)  # too early: nothing to end yet
    await shop.say(handed_over, AssetHandedOver(**{**vars(handed_over), "subject_id": draft.id}))
    active = await shop.agreement(agreement.id)
    assert (active.state, active.asset_id, active.commencement_on) == ("active", asset_id, date(2026, 3, 4))
    assert (await shop.agreement(draft.id)).state == "drafted"
    await shop.say(handed_over)
    await shop.say(settled)
    ended = await shop.agreement(agreement.id)
    assert (ended.state, ended.ended_on, ended.end_reason) == ("ended", date(2027, 3, 4), "settled")
    assert (await shop.events(agreement.id))[-2:] == ["agreement.commenced", "agreement.ended"]
    assert (await shop.events(agreement.id)).count("agreement.commenced") == 1


async def test_over_http_from_reading_to_signing(
    shop: Shop, api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, other_tenant_id: int
) -> None:
    agreement = await shop.ready()
    channel, viewer = await key_headers(runtime, tenant_id, "channel"), await key_headers(runtime, tenant_id, "viewer")
    stranger = await key_headers(runtime, other_tenant_id, "owner")
    path = f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement.id)}"

    listed = (await api.get("/v1/agreements?state=drafted", headers=channel)).json()
    assert [item["agreement_no"] for item in listed["items"]] == ["XZ2026-000001"]
    assert (await api.get(f"{path}/terms", headers=channel)).json()["rent_total_fen"] == 478_800
    pdf = await api.get(f"{path}/document", headers=channel)
    assert pdf.headers["content-type"] == "application/pdf"
    digest = sha256(pdf.content).hexdigest()
    assert digest == (await api.get(path, headers=channel)).json()["document"]["sha256"] == pdf.headers["etag"].strip('"')

    assert (await api.post(f"{path}/acceptance-codes", headers=viewer)).status_code == 403
    for stolen in (path, f"{path}/terms", f"{path}/document"):
        assert (await api.get(stolen, headers=stranger)).status_code == 404
    assert (await api.post(f"{path}/acceptance-codes", headers=stranger)).status_code == 404

    assert (await api.post(f"{path}/acceptance-codes", headers=channel)).status_code == 202
    again = await api.post(f"{path}/acceptance-codes", headers=channel)
    assert (again.status_code, again.headers["retry-after"]) == (429, "60")
    body = {"code": await shop.code_on_phone(agreement.id), "document_sha256": digest, "restriction_clause_accepted": True}
    assert (await api.post(f"{path}/acceptance", json={**body, "code": "12345x"}, headers=channel)).status_code == 422
    assert (await api.post(f"{path}/acceptance", json={**body, "network_address": "::::"}, headers=channel)).status_code == 422
    assert (await api.post(f"{path}/acceptance", json={**body, "extra": 1}, headers=channel)).status_code == 422
    unticked = await api.post(f"{path}/acceptance", json={**body, "restriction_clause_accepted": False}, headers=channel)
    assert unticked.json()["code"] == "agreements.restriction_clause_not_accepted"
    keyed = {**channel, "Idempotency-Key": "sign-1"}
    first = await api.post(f"{path}/acceptance", json=body, headers=keyed)
    assert first.status_code == 200
    assert first.json()["agreement_no"] == "XZ2026-000001"
    assert (await api.post(f"{path}/acceptance", json=body, headers=keyed)).json() == first.json()
    assert (await api.get(path, headers=channel)).json()["state"] == "signed"


async def test_one_bad_item_does_not_hold_up_the_batch(shop: Shop) -> None:
    ready, draft = await shop.ready(), await shop.drafted()
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        outcomes = await agreements.send_acceptance_codes(uow, [draft.id, ready.id, new_id(), ready.id])
    assert [type(outcome) for outcome in outcomes if not isinstance(outcome, Problem)] == [agreements.CodeSent]
    assert isinstance(outcomes[1], agreements.CodeSent)
    assert isinstance(outcomes[3], CodeSentTooOften)
