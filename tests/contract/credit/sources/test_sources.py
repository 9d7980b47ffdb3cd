"""Score sources against their twins: ticked and ordered per tenant, asked between transactions, one after the other until one answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from tests.contract.conftest import SIGNED_KEY_ID, SIGNED_SECRET, Sandbox
from tests.integration.applications.orders import identity_no

from xinzu.back.payments.providers.alipay import AlipayAccount
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock, SystemClock
from xinzu.middle.credit import api as credit
from xinzu.middle.credit.errors import SourceConsentMissing, SourcesNotConfigured
from xinzu.middle.credit.jobs import query_interrupted, query_sources
from xinzu.middle.credit.providers.base import ANSWERS
from xinzu.middle.credit.rules.pboc.reports import read_json
from xinzu.middle.credit.rules.pboc.synthetic import is_synthetic
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.crypto.signing import new_rsa_keys
from xinzu.platform.jobs import drain_jobs
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.ports import free_port
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings
from xinzu.platform.signed_http import SignedPeer, call_signed
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

QUERY = parties.ConsentPurpose.SCORE_QUERY
COURT, MULTI = credit.Capability.COURT_LISTS, credit.Capability.MULTI_LENDING
ZHIMA = credit.Capability.ZHIMA_ADMITTANCE
CARD = "6222021234567894"
KEYS = new_rsa_keys()
_people = count(50_000)


@pytest.fixture
async def runtime(database_urls: DatabaseUrls, home: Path, clock: FixedClock) -> AsyncIterator[Runtime]:
    """A runtime with a short patience."""
    made = Runtime(
        Settings(home=home, database_url=None),
        Database(database_urls.app.get_secret_value(), pool_size=5),
        FileKeyring.open_or_create(home / "keyring.json"),
        Outbound(timeout_s=3, connect_attempts=1, breaker_failures=1_000),
        clock,
    )
    yield made
    await made.close()


@dataclass
class Merchant:
    """A tenant, its clerk, and the sandbox its sources point to."""

    runtime: Runtime
    tenant_id: int
    actor: Actor
    clock: FixedClock
    sandbox: Sandbox

    def line(self, capability: credit.Capability, provider: str = "first", **changes: Any) -> credit.Source:
        """A ticked source of the signed contract."""
        source = credit.Source(
            capability=capability,
            provider=provider,
            style=credit.SourceStyle.SIGNED_JSON,
            is_enabled=True,
            rank=1,
            timeout_ms=2_000,
            cache_days=0,
            cost_fen=30,
            base_url=f"{self.sandbox.url}/scores",
            account_id=SIGNED_KEY_ID,
            secret=SIGNED_SECRET,
            peer_key=None,
            options={},
        )
        return replace(source, **changes)

    async def tick(self, *sources: credit.Source) -> None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            for outcome in await credit.configure_sources(uow, sources):
                accepted(outcome)

    async def person(self, profile: str = "prime", *, consents: bool = True) -> UUID:
        number = next(_people)
        self.sandbox.control("POST", "/control/scores/people", {"identity_no": identity_no(number), "profile": profile})
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            draft = parties.PersonDraft(name="王小明", identity_no=identity_no(number), phone=f"137{number:08d}")
            party_id = accepted((await parties.register_people(uow, [draft]))[0]).id
            if consents:
                given = credit.GiveConsent(party_id=party_id, purpose=QUERY, text_version="score-2026-01", channel="alipay")
                accepted((await credit.give_consents(uow, [given]))[0])
        return party_id

    async def asked(self, party_id: UUID, capability: credit.Capability, bank_card: str | None = None) -> Any:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            question = credit.AskScore(party_id=party_id, capability=capability, bank_card=bank_card)
            return (await credit.ask_scores(uow, [question]))[0]

    async def ask(self, party_id: UUID, capability: credit.Capability, bank_card: str | None = None) -> UUID:
        """Ask and let the job run."""
        query_id = parse_id(Prefix.SCORE_QUERY, accepted(await self.asked(party_id, capability, bank_card)).id)
        await query_sources(self.runtime, self.tenant_id, {"query_ids": [str(query_id)]})
        return query_id

    async def results(self, party_id: UUID) -> list[credit.ScoreResult]:
        """Last first."""
        async with self.runtime.reading(self.tenant_id) as read:
            return await credit.results_about(read, party_id, None, 50)

    async def known(self, party_id: UUID, as_of: Any = None) -> dict[credit.Capability, credit.ScoreResult]:
        async with self.runtime.reading(self.tenant_id) as read:
            moment = as_of or self.clock.now() + timedelta(seconds=1)
            return (await credit.score_results(read, [party_id], moment)).get(party_id, {})

    async def state(self, query_id: UUID) -> str:
        async with self.runtime.reading(self.tenant_id) as read:
            return str(
                await read.scalar("SELECT state FROM credit_score_query WHERE tenant_id = :tenant AND id = :id", id=query_id)
            )


@pytest.fixture
async def merchant(
    runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock, sandbox: Sandbox
) -> AsyncIterator[Merchant]:
    yield Merchant(runtime, tenant_id, actor, clock, sandbox)
    sandbox.control("DELETE", "/control/faults/scores")
    sandbox.control("DELETE", "/control/faults/*")


@pytest.mark.parametrize("capability", list(credit.Capability))
async def test_each_capability_is_answered_in_its_form_with_where_it_comes_from(
    merchant: Merchant, capability: credit.Capability
) -> None:
    await merchant.tick(merchant.line(capability))
    party_id = await merchant.person()
    query_id = await merchant.ask(party_id, capability, CARD)
    (result,) = await merchant.results(party_id)
    assert (result.outcome, result.provider, result.is_cached, result.cost_fen) == (credit.ScoreOutcome.OK, "first", False, 30)
    assert result.query_id == query_id
    assert result.reference is not None
    assert result.reference.startswith("sco")
    assert result.observed_at == result.known_at == merchant.clock.now()
    assert set(result.values) == set(ANSWERS[capability].__struct_fields__)
    assert await merchant.state(query_id) == "answered"
    assert (await merchant.known(party_id))[capability].values == result.values


async def test_all_sources_agree_about_a_person(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT), merchant.line(MULTI))
    bad, good = await merchant.person("special_bad"), await merchant.person("prime")
    for party_id in (bad, good):
        await merchant.ask(party_id, COURT)
        await merchant.ask(party_id, MULTI)
    assert (await merchant.known(bad))[COURT].values["court_dishonest_cnt"] == 1
    assert (await merchant.known(bad))[MULTI].values["ml_overdue_org_180d"] == 6
    assert (await merchant.known(good))[COURT].values["court_dishonest_cnt"] == 0
    assert (await merchant.known(good))[MULTI].values["ml_overdue_org_180d"] == 0


@pytest.mark.parametrize(("profile", "admitted"), [("prime", True), ("overdue", False), ("no_record", None)])
async def test_zhima_admits_over_the_gateway(
    merchant: Merchant, account: AlipayAccount, profile: str, admitted: bool | None
) -> None:
    zhima = credit.Capability.ZHIMA_ADMITTANCE
    await merchant.tick(_zhima(merchant, account))
    party_id = await merchant.person(profile)
    await merchant.ask(party_id, zhima)
    (result,) = await merchant.results(party_id)
    assert result.outcome is credit.ScoreOutcome.OK
    assert result.values == {"is_admittance": admitted, "admittance_score": 600}
    assert result.reference is not None
    assert result.reference.startswith("ZM")


def _zhima(merchant: Merchant, account: AlipayAccount, **changes: Any) -> credit.Source:
    wanted: dict[str, Any] = {
        "style": credit.SourceStyle.ALIPAY_GATEWAY,
        "base_url": account.gateway_url,
        "account_id": account.app_id,
        "secret": account.private_key_pem,
        "peer_key": account.alipay_public_key_pem,
        "options": {"admittance_score": 600},
    }
    return merchant.line(credit.Capability.ZHIMA_ADMITTANCE, "zhima", **(wanted | changes))


async def test_zhima_refuses_what_was_not_signed_for_and_the_next_source_is_asked(
    merchant: Merchant, account: AlipayAccount
) -> None:
    zhima = credit.Capability.ZHIMA_ADMITTANCE
    not_bought = _zhima(merchant, account, options={"admittance_score": 600, "product_code": "w1"})
    await merchant.tick(not_bought, merchant.line(zhima, "reseller", rank=2))
    party_id = await merchant.person()
    await merchant.ask(party_id, zhima)
    second, first = await merchant.results(party_id)
    assert (first.provider, first.outcome, first.reason) == ("zhima", "refused", "isv.insufficient-isv-permissions")
    assert (second.provider, second.outcome) == ("reseller", "ok")


async def test_a_source_that_is_down_makes_room_for_the_next_in_the_tenants_order(merchant: Merchant) -> None:
    down = merchant.line(COURT, "down", rank=1, base_url=f"http://127.0.0.1:{free_port(0)}/scores")
    off = merchant.line(COURT, "off", rank=2, is_enabled=False)
    await merchant.tick(merchant.line(COURT, "spare", rank=3, cost_fen=45), down, off)
    party_id = await merchant.person()
    query_id = await merchant.ask(party_id, COURT)
    spare, first = await merchant.results(party_id)
    assert (first.provider, first.outcome, first.reason, first.cost_fen) == ("down", "unknown", "not_sent", 0)
    assert (spare.provider, spare.outcome, spare.cost_fen) == ("spare", "ok", 45)
    assert await merchant.state(query_id) == "answered"


async def test_a_refusal_is_not_an_unknown_outcome(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT))
    party_id = await merchant.person("no_record")
    query_id = await merchant.ask(party_id, COURT)
    (result,) = await merchant.results(party_id)
    assert (result.outcome, result.reason, result.values) == ("refused", "no_record", {})
    assert await merchant.state(query_id) == "unanswered"
    assert await merchant.known(party_id) == {}


@pytest.mark.parametrize(("fault", "reason"), [("no_reply", "no_reply"), ("busy", "http_503"), ("forged_reply", "bad_signature")])
async def test_what_is_no_signed_answer_is_unknown_and_asked_again_under_the_same_number(
    merchant: Merchant, fault: str, reason: str
) -> None:
    await merchant.tick(merchant.line(COURT))
    party_id = await merchant.person()
    merchant.sandbox.fault("scores", fault, times=1)
    query_id = await merchant.ask(party_id, COURT)
    (first,) = await merchant.results(party_id)
    assert (first.outcome, first.reason, first.values) == ("unknown", reason, {})
    assert await merchant.state(query_id) == "asked"
    assert await merchant.known(party_id) == {}
    await query_sources(merchant.runtime, merchant.tenant_id, {"query_ids": [str(query_id)]})
    second, _ = await merchant.results(party_id)
    assert second.outcome is credit.ScoreOutcome.OK
    assert await merchant.state(query_id) == "answered"


async def test_after_three_unknown_outcomes_a_question_is_unanswered_and_says_so(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT))
    party_id = await merchant.person()
    merchant.sandbox.fault("scores", "busy", times=0)
    query_id = await merchant.ask(party_id, COURT)
    for _ in range(2):
        await query_sources(merchant.runtime, merchant.tenant_id, {"query_ids": [str(query_id)]})
    assert [result.outcome for result in await merchant.results(party_id)] == ["unknown"] * 3
    assert await merchant.state(query_id) == "unanswered"


async def test_a_source_with_another_secret_is_not_believed(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT, secret="not the shared secret"))
    party_id = await merchant.person()
    await merchant.ask(party_id, COURT)
    (result,) = await merchant.results(party_id)
    assert (result.outcome, result.reason) == ("unknown", "bad_signature")


async def test_no_transaction_is_open_while_a_source_is_waited_for(merchant: Merchant, database_urls: DatabaseUrls) -> None:
    await merchant.tick(merchant.line(COURT, timeout_ms=1_500))
    party_id = await merchant.person()
    merchant.sandbox.fault("scores", "hang", times=1)
    asking = asyncio.create_task(merchant.ask(party_id, COURT))
    open_ones = 0
    for _ in range(8):
        await asyncio.sleep(0.12)
        async with merchant.runtime.database.engine.connect() as connection:
            statement = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '100 milliseconds'"
            )
            open_ones += int((await connection.execute(text(statement))).scalar() or 0)
    await asking
    assert open_ones == 0
    (result,) = await merchant.results(party_id)
    assert (result.outcome, result.reason) == ("unknown", "no_reply")
    assert result.latency_ms >= 1_400


async def test_a_fresh_answer_is_used_again_without_asking_or_paying(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT, cache_days=7))
    party_id = await merchant.person()
    await merchant.ask(party_id, COURT)
    said_at = merchant.clock.now()
    merchant.clock.advance(timedelta(days=6))
    await merchant.ask(party_id, COURT)
    repeated, first = await merchant.results(party_id)
    assert (repeated.is_cached, repeated.cost_fen, repeated.latency_ms) == (True, 0, 0)
    assert (repeated.values, repeated.reference) == (first.values, first.reference)
    assert (repeated.observed_at, repeated.known_at) == (said_at, merchant.clock.now())
    merchant.clock.advance(timedelta(days=2))
    await merchant.ask(party_id, COURT)
    assert not (await merchant.results(party_id))[0].is_cached  # a repeat does not make the first answer younger


async def test_no_question_without_separate_consent_pipl_arts_13_23_and_29(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT))
    party_id = await merchant.person(consents=False)
    assert isinstance(await merchant.asked(party_id, COURT), SourceConsentMissing)
    assert await merchant.results(party_id) == []


async def test_who_takes_the_consent_back_is_neither_asked_about_nor_decided_on_pipl_art_15(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT), merchant.line(MULTI))
    party_id = await merchant.person()
    await merchant.ask(party_id, COURT)
    waiting = parse_id(Prefix.SCORE_QUERY, accepted(await merchant.asked(party_id, MULTI)).id)
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        accepted((await parties.withdraw_consents(uow, [(party_id, QUERY)]))[0])
    await query_sources(merchant.runtime, merchant.tenant_id, {"query_ids": [str(waiting)]})
    assert await merchant.state(waiting) == "unanswered"
    assert [result.capability for result in await merchant.results(party_id)] == [COURT]
    assert await merchant.known(party_id) == {}


async def test_without_a_ticked_source_nothing_is_asked(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(MULTI, is_enabled=False))
    party_id = await merchant.person()
    assert isinstance(await merchant.asked(party_id, MULTI), SourcesNotConfigured)


async def test_a_question_that_is_still_asked_is_not_asked_twice(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT))
    party_id = await merchant.person()
    first, second = accepted(await merchant.asked(party_id, COURT)), accepted(await merchant.asked(party_id, COURT))
    assert first == second
    await drain_jobs(merchant.runtime)
    assert len(await merchant.results(party_id)) == 1


async def test_a_question_whose_worker_died_is_taken_up_again(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT))
    party_id = await merchant.person()
    query_id = parse_id(Prefix.SCORE_QUERY, accepted(await merchant.asked(party_id, COURT)).id)
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        assert len(await credit.begin_queries(uow, [query_id])) == 1  # and then it died
    merchant.clock.advance(timedelta(minutes=11))
    await query_interrupted(merchant.runtime, merchant.tenant_id, {})
    assert await merchant.state(query_id) == "answered"


async def test_what_was_not_known_by_an_instant_is_not_seen_at_it(merchant: Merchant) -> None:
    await merchant.tick(merchant.line(COURT))
    party_id = await merchant.person()
    before = merchant.clock.now()
    query_id = parse_id(Prefix.SCORE_QUERY, accepted(await merchant.asked(party_id, COURT)).id)
    merchant.clock.advance(timedelta(minutes=5))  # the source looked at once; its answer reached us later
    await query_sources(merchant.runtime, merchant.tenant_id, {"query_ids": [str(query_id)]})
    (result,) = await merchant.results(party_id)
    assert (result.observed_at, result.known_at) == (before, merchant.clock.now())
    assert await merchant.known(party_id, before + timedelta(minutes=1)) == {}
    assert COURT in await merchant.known(party_id, merchant.clock.now())


async def test_secrets_answers_and_cards_lie_sealed_and_every_asking_is_evidence(merchant: Merchant) -> None:
    bank = credit.Capability.BANK_FACTORS
    await merchant.tick(merchant.line(bank))
    party_id = await merchant.person()
    query_id = await merchant.ask(party_id, bank, CARD)
    async with merchant.runtime.reading(merchant.tenant_id) as read:
        rows = ""
        for table in ("credit_source", "credit_score_query", "credit_score_result"):
            rows += str(await read.scalar(f"SELECT json_agg(t)::text FROM {table} t WHERE tenant_id = :tenant"))
        card = await read.scalar(
            "SELECT bank_card_sealed FROM credit_score_query WHERE tenant_id = :tenant AND id = :id", id=query_id
        )
        kinds = [fact.kind for fact in await evidence.facts_of(read, party_id)]
        views = await credit.source_views(read)
    assert SIGNED_SECRET not in rows
    assert "four_factor" not in rows
    assert CARD not in rows
    assert card is None  # forgotten once the question is settled
    assert kinds == ["credit.consent.given", "credit.source.asked"]
    assert not hasattr(views[0], "secret")


@pytest.mark.parametrize(
    ("capability", "changes", "code"),
    [
        (COURT, {"base_url": "http://scores.example.com"}, "credit.source_not_https"),
        (COURT, {"base_url": "http://["}, "credit.source_not_https"),
        (COURT, {"style": credit.SourceStyle.ALIPAY_GATEWAY}, "credit.style_not_for_capability"),
        (ZHIMA, {"style": credit.SourceStyle.ALIPAY_GATEWAY}, "credit.private_key_unreadable"),
        (ZHIMA, {"style": credit.SourceStyle.ALIPAY_GATEWAY, "secret": KEYS.private_pem}, "credit.peer_key_unreadable"),
    ],
)
async def test_a_line_that_would_leak_or_cannot_work_is_refused(
    merchant: Merchant, capability: credit.Capability, changes: dict[str, Any], code: str
) -> None:
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        (outcome,) = await credit.configure_sources(uow, [merchant.line(capability, **changes)])
    assert isinstance(outcome, Problem)
    assert outcome.errors[0].code == code


async def test_a_bank_card_is_asked_for_and_checked(merchant: Merchant) -> None:
    bank = credit.Capability.BANK_FACTORS
    await merchant.tick(merchant.line(bank))
    party_id = await merchant.person()
    for card in (None, "6222021234567890"):
        outcome = await merchant.asked(party_id, bank, card)
        assert isinstance(outcome, Problem)
        assert outcome.errors[0].pointer == "/bank_card"


async def test_the_twin_refuses_what_a_source_refuses(sandbox: Sandbox, outbound: Outbound) -> None:
    peer = SignedPeer("scores", f"{sandbox.url}/scores", SIGNED_KEY_ID, SIGNED_SECRET)
    asked_at = "2026-03-02T01:00:00+00:00"

    async def said(capability: str, reference: str, person: dict[str, str]) -> Any:
        content: dict[str, object] = {"reference": reference, "asked_at": asked_at, "person": person}
        return await call_signed(outbound, peer, SystemClock(), "POST", f"/v1/scores/{capability}", content, operation="probe")

    person = {"name": "王小明", "identity_no": identity_no(7)}
    assert (await said("hobbies", "t-1", person)).code == "capability_not_bought"
    assert (await said("court_lists", "t-2", {"name": "王小明"})).code == "member_missing"
    assert (await said("court_lists", "t-3", {**person, "identity_no": "123"})).code == "invalid_identity"
    first = await said("court_lists", "t-4", person)
    assert isinstance(first, Ok)
    assert (await said("court_lists", "t-4", person)).value == first.value
    assert (await said("court_lists", "t-4", {**person, "identity_no": identity_no(8)})).code == "reference_conflict"
    unsigned = httpx.post(f"{sandbox.url}/scores/v1/scores/court_lists", json={}, trust_env=False)
    assert unsigned.status_code == 401


async def test_the_bureaus_twin_makes_a_synthetic_report_that_can_be_read(sandbox: Sandbox, outbound: Outbound) -> None:
    peer = SignedPeer("scores", f"{sandbox.url}/scores", SIGNED_KEY_ID, SIGNED_SECRET)
    sandbox.control("POST", "/control/scores/people", {"identity_no": identity_no(9), "profile": "overdue"})
    content: dict[str, object] = {
        "reference": "r-1",
        "asked_at": "2026-03-02T01:00:00+00:00",
        "name": "王小明",
        "identity_no": identity_no(9),
        "purpose": "02",
        "institution_code": "B10211000H0001",
        "consent_version": "credit-2026-01",
    }
    result = await call_signed(outbound, peer, SystemClock(), "POST", "/v1/reports", content, operation="probe")
    assert isinstance(result, Ok)
    report = read_json(result.value["document"]).report
    assert is_synthetic(report)
    assert report.header.identity.reported_at.isoformat() == "2026-03-02T09:00:00"
    assert report.header.inquiry.id_no == identity_no(9)
    without = await call_signed(
        outbound,
        peer,
        SystemClock(),
        "POST",
        "/v1/reports",
        {**content, "reference": "r-2", "consent_version": ""},
        operation="probe",
    )
    assert isinstance(without, Failed)
    assert without.code == "consent_missing"


async def test_over_http_a_source_is_ticked_asked_and_read(
    merchant: Merchant, api: httpx.AsyncClient, api_key: dict[str, str]
) -> None:
    party_id = await merchant.person()
    line = {
        "capability": "court_lists",
        "provider": "first",
        "style": "signed_json",
        "is_enabled": True,
        "rank": 1,
        "base_url": f"{merchant.sandbox.url}/scores",
        "account_id": SIGNED_KEY_ID,
        "secret": SIGNED_SECRET,
    }
    ticked = await api.put("/v1/credit/sources", json=line, headers=api_key)
    assert ticked.status_code == 200, ticked.text
    assert SIGNED_SECRET not in ticked.text
    assert (await api.put("/v1/credit/sources", json={**line, "capability": "hobbies"}, headers=api_key)).status_code == 422
    listed = (await api.get("/v1/credit/sources", headers=api_key)).json()["items"]
    assert [(item["capability"], item["provider"]) for item in listed] == [("court_lists", "first")]
    party = public_id(Prefix.PARTY, party_id)
    asked = await api.post("/v1/credit/score-queries", json={"party_id": party, "capability": "court_lists"}, headers=api_key)
    assert asked.status_code == 202, asked.text
    await drain_jobs(merchant.runtime)
    results = (await api.get(f"/v1/credit/score-results?party_id={party}", headers=api_key)).json()["items"]
    assert [(item["query_id"], item["outcome"]) for item in results] == [(asked.json()["id"], "ok")]
    assert results[0]["values"]["court_dishonest_cnt"] == 0
