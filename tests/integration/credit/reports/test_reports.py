"""A merchant takes in credit reports: only with the person's written consent, for the purpose agreed, opened on record, used while fresh."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.applications.orders import identity_no

from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock
from xinzu.middle.credit import api as credit
from xinzu.middle.credit.errors import (
    InquiryConsentMissing,
    InquiryPurposeRefused,
    InstitutionDiffers,
    ReportErased,
    ReportInvalid,
    ReportKnown,
    ReportOfAnother,
    SyntheticReportRefused,
)
from xinzu.middle.credit.jobs import erase_expired_reports
from xinzu.middle.credit.rules.pboc.indicators import indicators_of
from xinzu.middle.credit.rules.pboc.reports import local_time, to_json, to_xml
from xinzu.middle.credit.rules.pboc.synthetic import Profile, Subject, synthetic_report
from xinzu.middle.credit.rules.report_use import REPORT_AGE_DAYS_MAX
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

VERSION = "credit-2026-01"
BANK = "B10211000H0001"
NAME = "王小明"
INQUIRY = parties.ConsentPurpose.CREDIT_INQUIRY


@dataclass
class Merchant:
    """A tenant and its clerk."""

    runtime: Runtime
    tenant_id: int
    actor: Actor
    clock: FixedClock

    async def person(self, number: int = 1, *, consents: bool = True) -> UUID:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            draft = parties.PersonDraft(name=NAME, identity_no=identity_no(number), phone=f"1380000{number:04d}")
            party_id = accepted((await parties.register_people(uow, [draft]))[0]).id
            if consents:
                given = credit.GiveConsent(party_id=party_id, purpose=INQUIRY, text_version=VERSION, channel="alipay")
                accepted((await credit.give_consents(uow, [given]))[0])
        return party_id

    def report(self, number: int = 1, *, seed: int = 1, profile: Profile = Profile.OVERDUE, at: datetime | None = None) -> Any:
        subject = Subject(
            name=NAME, id_no=identity_no(number), reported_at=at or local_time(self.clock.now()), institution_code=BANK
        )
        return synthetic_report(profile, subject, seed)

    async def imported(self, party_id: UUID, report: Any, **changes: Any) -> Any:
        """The outcome of importing a report."""
        asked: dict[str, Any] = {
            "party_id": party_id,
            "purpose": "02",
            "consent_version": VERSION,
            "institution_code": BANK,
            "xml": to_xml(report).decode(),
            "synthetic_allowed": True,
        }
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            return (await credit.import_reports(uow, [credit.ImportReport(**(asked | changes))]))[0]

    async def heads(self, party_id: UUID) -> list[credit.ReportHead]:
        async with self.runtime.reading(self.tenant_id) as read:
            return await credit.report_heads(read, party_id, None, 10)

    async def latest(self, party_id: UUID, as_of: datetime | None = None) -> credit.ReportFacts | None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            return (await credit.latest_reports(uow, [party_id], as_of or uow.now)).get(party_id)

    async def accesses(self, report_id: UUID) -> list[credit.ReportAccess]:
        async with self.runtime.reading(self.tenant_id) as read:
            return await credit.report_accesses(read, report_id, None, 10)


@pytest.fixture
def merchant(runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock) -> Merchant:
    return Merchant(runtime, tenant_id, actor, clock)


async def test_a_report_with_written_consent_is_taken_in_and_says_what_it_says(merchant: Merchant) -> None:
    party_id = await merchant.person()
    merchant.clock.advance(timedelta(hours=1))
    report = merchant.report()
    taken = accepted(await merchant.imported(party_id, report))
    assert taken.doubts == []
    assert taken.unknown_nodes == []
    merchant.clock.advance(timedelta(minutes=1))
    found = await merchant.latest(party_id)
    assert found is not None
    assert found.not_used is None
    assert found.values == {name: None if value is None else float(value) for name, value in indicators_of(report).items()}
    assert found.report.reported_at == merchant.clock.now() - timedelta(minutes=1)
    assert found.report.is_synthetic


async def test_json_gives_the_same_report_and_the_same_number_again_the_same_answer(merchant: Merchant) -> None:
    party_id = await merchant.person()
    report = merchant.report()
    first = accepted(await merchant.imported(party_id, report))
    again = accepted(await merchant.imported(party_id, report, xml=None, document=json.loads(to_json(report))))
    assert again == first
    assert len(await merchant.heads(party_id)) == 1


async def refused(merchant: Merchant, party_id: UUID, problem: type[Problem], pointer: str | None = None, **changes: Any) -> None:
    """An import is refused with a problem that names the field and the remedy, and nothing is stored."""
    report = changes.pop("report", None) or merchant.report()
    outcome = await merchant.imported(party_id, report, **changes)
    assert isinstance(outcome, problem), outcome
    if pointer:
        assert [error.pointer for error in outcome.errors] == [pointer]
        assert outcome.errors[0].detail_zh
        assert outcome.errors[0].detail_en
    assert await merchant.heads(party_id) == []
    assert await merchant.latest(party_id, merchant.clock.now() + timedelta(days=1)) is None


async def test_no_report_without_written_consent_regulation_on_credit_reporting_art_18(merchant: Merchant) -> None:
    """征信业管理条例 art. 18: written consent of the person, and a purpose agreed."""
    party_id = await merchant.person(consents=False)
    await refused(merchant, party_id, InquiryConsentMissing, "/consent_version")


async def test_consent_to_another_purpose_is_not_consent_to_an_inquiry_pipl_arts_13_and_29(merchant: Merchant) -> None:
    party_id = await merchant.person(consents=False)
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        others = [purpose for purpose in parties.ConsentPurpose if purpose is not INQUIRY]
        drafts = [
            parties.ConsentDraft(party_id=party_id, purpose=purpose, text_version=VERSION, channel="alipay") for purpose in others
        ]
        await parties.record_consents(uow, drafts)
    await refused(merchant, party_id, InquiryConsentMissing)


async def test_consent_to_another_text_is_no_consent_pipl_art_14(merchant: Merchant) -> None:
    party_id = await merchant.person()
    await refused(merchant, party_id, InquiryConsentMissing, consent_version="credit-2025-01")


async def test_a_consent_given_after_the_inquiry_does_not_heal_it_regulation_on_credit_reporting_art_18(
    merchant: Merchant,
) -> None:
    party_id = await merchant.person()
    before = merchant.report(at=local_time(merchant.clock.now() - timedelta(hours=2)))
    await refused(merchant, party_id, InquiryConsentMissing, report=before)


async def test_a_withdrawn_or_outlived_consent_is_none_pipl_art_15(merchant: Merchant) -> None:
    party_id = await merchant.person()
    merchant.clock.advance(timedelta(days=366))
    await refused(merchant, party_id, InquiryConsentMissing)
    merchant.clock.advance(timedelta(days=-300))
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        accepted((await parties.withdraw_consents(uow, [(party_id, INQUIRY)]))[0])
    await refused(merchant, party_id, InquiryConsentMissing)


async def test_a_purpose_that_is_not_ours_or_not_the_reports_is_refused_regulation_on_credit_reporting_art_20(
    merchant: Merchant,
) -> None:
    party_id = await merchant.person()
    await refused(merchant, party_id, InquiryPurposeRefused, "/purpose", purpose="09")
    await refused(merchant, party_id, InquiryPurposeRefused, "/purpose", purpose="24")


async def test_another_institution_than_the_one_that_inquired_is_refused(merchant: Merchant) -> None:
    party_id = await merchant.person()
    await refused(merchant, party_id, InstitutionDiffers, "/institution_code", institution_code="B99999")


async def test_somebody_elses_report_is_refused_and_not_named(merchant: Merchant) -> None:
    party_id = await merchant.person(1)
    report = merchant.report(2)
    outcome = await merchant.imported(party_id, report)
    assert isinstance(outcome, ReportOfAnother)
    assert report.header.inquiry.id_no not in outcome.detail_zh + outcome.detail_en
    assert await merchant.heads(party_id) == []


async def test_a_synthetic_report_is_refused_outside_a_demo(merchant: Merchant) -> None:
    party_id = await merchant.person()
    await refused(merchant, party_id, SyntheticReportRefused, synthetic_allowed=False)


async def test_a_report_from_the_future_or_broken_is_refused(merchant: Merchant) -> None:
    party_id = await merchant.person()
    future = merchant.report(at=local_time(merchant.clock.now() + timedelta(days=1)))
    await refused(merchant, party_id, ReportInvalid, "/Document/PRH/PA01/PA01A/PA01AR01", report=future)
    broken = to_xml(merchant.report()).decode().replace("<PD01AD01>D1", "<PD01AD01>D9")
    await refused(merchant, party_id, ReportInvalid, xml=broken)


async def test_a_number_that_is_on_file_with_another_content_is_refused(merchant: Merchant) -> None:
    party_id = await merchant.person()
    report = merchant.report()
    accepted(await merchant.imported(party_id, report))
    changed = to_xml(report).decode().replace("演示有限公司", "另一有限公司")
    assert isinstance(await merchant.imported(party_id, report, xml=changed), ReportKnown)


async def test_one_refused_report_does_not_disturb_its_neighbours(merchant: Merchant) -> None:
    good, bad = await merchant.person(1), await merchant.person(2, consents=False)
    asked = [
        credit.ImportReport(
            party_id=party_id,
            purpose="02",
            consent_version=VERSION,
            institution_code=BANK,
            xml=to_xml(merchant.report(number)).decode(),
            synthetic_allowed=True,
        )
        for number, party_id in ((1, good), (2, bad))
    ]
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        first, second = await credit.import_reports(uow, asked)
    assert not isinstance(first, Problem)
    assert isinstance(second, InquiryConsentMissing)
    assert len(await merchant.heads(good)) == 1
    assert await merchant.heads(bad) == []


async def test_every_opening_is_recorded_with_who_when_and_why(merchant: Merchant) -> None:
    party_id = await merchant.person()
    report_id = parse_id(Prefix.CREDIT_REPORT, accepted(await merchant.imported(party_id, merchant.report())).id)
    merchant.clock.advance(timedelta(minutes=1))
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        opened = await credit.open_report(uow, report_id, credit.AccessPurpose.REVIEW)
    assert opened.values["pboc_acct_total_cnt"] == 4
    await merchant.latest(party_id)
    found = await merchant.accesses(report_id)
    assert [access.purpose for access in found] == [credit.AccessPurpose.DECISION, credit.AccessPurpose.REVIEW]
    assert {access.actor for access in found} == {str(merchant.actor)}
    assert all(access.accessed_at == merchant.clock.now() for access in found)


async def test_a_report_lies_sealed_and_its_import_is_evidence_without_its_words(merchant: Merchant) -> None:
    party_id = await merchant.person()
    report_id = parse_id(Prefix.CREDIT_REPORT, accepted(await merchant.imported(party_id, merchant.report())).id)
    async with merchant.runtime.reading(merchant.tenant_id) as read:
        row = await read.row(
            "SELECT row_to_json(r)::text AS row, content_sealed FROM credit_report r WHERE id = :id", id=report_id
        )
        facts = await evidence.facts_of(read, report_id)
    assert row is not None
    assert identity_no(1) not in row.row
    assert NAME not in row.row
    assert identity_no(1).encode() not in bytes(row.content_sealed)
    (fact,) = facts
    assert fact.kind == "credit.report.imported"
    assert NAME not in fact.body
    assert identity_no(1) not in fact.body


async def test_a_stale_report_says_nothing_and_says_so(merchant: Merchant) -> None:
    party_id = await merchant.person()
    report_id = parse_id(Prefix.CREDIT_REPORT, accepted(await merchant.imported(party_id, merchant.report())).id)
    merchant.clock.advance(timedelta(days=REPORT_AGE_DAYS_MAX, hours=1))
    fresh = await merchant.latest(party_id)
    assert fresh is not None
    assert fresh.not_used is None
    merchant.clock.advance(timedelta(days=1))
    stale = await merchant.latest(party_id)
    assert stale is not None
    assert (stale.not_used, stale.values, stale.age_days) == (credit.NotUsed.STALE, {}, REPORT_AGE_DAYS_MAX + 1)
    assert len(await merchant.accesses(report_id)) == 1  # what says nothing was not opened


async def test_after_the_consent_is_taken_back_no_decision_rests_on_the_report_pipl_art_15(merchant: Merchant) -> None:
    party_id = await merchant.person()
    accepted(await merchant.imported(party_id, merchant.report()))
    merchant.clock.advance(timedelta(minutes=1))
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        accepted((await parties.withdraw_consents(uow, [(party_id, INQUIRY)]))[0])
    found = await merchant.latest(party_id)
    assert found is not None
    assert (found.not_used, found.values) == (credit.NotUsed.CONSENT_WITHDRAWN, {})


async def test_a_decision_sees_what_was_made_before_and_known_by_its_instant(merchant: Merchant) -> None:
    party_id = await merchant.person()
    start = merchant.clock.now()
    old = merchant.report(seed=1)
    accepted(await merchant.imported(party_id, old))
    merchant.clock.advance(timedelta(days=2))
    made = merchant.report(seed=2)
    merchant.clock.advance(timedelta(days=1))  # it reaches us a day after it was made
    accepted(await merchant.imported(party_id, made))
    assert await merchant.latest(party_id, start) is None  # made at that very instant: not before it
    two_days = await merchant.latest(party_id, start + timedelta(days=2, hours=12))
    three_days = await merchant.latest(party_id, start + timedelta(days=3))
    assert two_days is not None
    assert three_days is not None
    assert two_days.report.report_no == old.header.identity.report_no
    assert three_days.report.report_no == made.header.identity.report_no


async def test_after_five_years_what_a_report_says_is_erased_regulation_on_credit_reporting_art_16(merchant: Merchant) -> None:
    """What was adverse in the report had happened by its day: five years later none of it may be kept."""
    party_id = await merchant.person()
    report_id = parse_id(Prefix.CREDIT_REPORT, accepted(await merchant.imported(party_id, merchant.report())).id)
    merchant.clock.advance(timedelta(days=5 * 365 + 1))
    await erase_expired_reports(merchant.runtime, merchant.tenant_id, {})
    assert (await merchant.heads(party_id))[0].erased_at is None
    merchant.clock.advance(timedelta(days=2))
    await erase_expired_reports(merchant.runtime, merchant.tenant_id, {})
    (head,) = await merchant.heads(party_id)
    assert head.erased_at == merchant.clock.now()
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        with pytest.raises(ReportErased):
            await credit.open_report(uow, report_id, credit.AccessPurpose.OBJECTION)
    found = await merchant.latest(party_id)
    assert found is not None
    assert found.not_used is credit.NotUsed.ERASED
    async with merchant.runtime.reading(merchant.tenant_id) as read:
        assert [fact.kind for fact in await evidence.facts_of(read, report_id)] == [
            "credit.report.imported",
            "credit.report.erased",
        ]


async def test_another_tenant_sees_nothing(merchant: Merchant, other_tenant_id: int) -> None:
    party_id = await merchant.person()
    accepted(await merchant.imported(party_id, merchant.report()))
    stranger = Merchant(merchant.runtime, other_tenant_id, merchant.actor, merchant.clock)
    assert await stranger.heads(party_id) == []
    assert await stranger.latest(party_id, merchant.clock.now() + timedelta(days=1)) is None
    assert isinstance(await stranger.imported(party_id, merchant.report()), parties.PartyUnknown)


async def test_over_http_consent_import_and_opening(
    merchant: Merchant, api: httpx.AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str], runtime: Runtime
) -> None:
    party_id = await merchant.person(consents=False)
    party = public_id(Prefix.PARTY, party_id)
    body = {
        "party_id": party,
        "purpose": "02",
        "consent_version": VERSION,
        "institution_code": BANK,
        "document": json.loads(to_json(merchant.report())),
    }
    without = await api.post("/v1/credit/reports", json=body, headers=api_key)
    assert (without.status_code, without.json()["type"]) == (403, "urn:xinzu:problem:credit.inquiry_consent_missing")
    consent = {"party_id": party, "purpose": "credit_inquiry", "text_version": VERSION, "channel": "alipay"}
    assert (await api.post("/v1/credit/consents", json=consent, headers=api_key)).status_code == 200
    real = await api.post("/v1/credit/reports", json=body, headers=api_key)
    assert (real.status_code, real.json()["type"]) == (403, "urn:xinzu:problem:credit.synthetic_report_refused")
    runtime.settings = runtime.settings.model_copy(update={"demo": True})
    taken = await api.post("/v1/credit/reports", json=body, headers=api_key)
    assert taken.status_code == 201, taken.text
    report_id = taken.json()["id"]
    listed = (await api.get(f"/v1/credit/reports?party_id={party}", headers=api_key)).json()
    assert [item["id"] for item in listed["items"]] == [report_id]
    viewer = await key_headers(runtime, merchant.tenant_id, "viewer")
    assert (await api.get(f"/v1/credit/reports/{report_id}?purpose=review", headers=viewer)).status_code == 403
    assert (await api.get(f"/v1/credit/reports/{report_id}", headers=api_key)).status_code == 422  # why?
    opened = await api.get(f"/v1/credit/reports/{report_id}?purpose=review", headers=api_key)
    assert opened.status_code == 200, opened.text
    assert opened.headers["cache-control"] == "private, no-store"
    assert opened.json()["indicators"]["pboc_acct_total_cnt"] == 4
    assert opened.json()["document"]["Document"]["PRH"]["PA01"]["PA01B"]["PA01BQ01"] == NAME
    for path in (f"/v1/credit/reports/{report_id}?purpose=review", f"/v1/credit/reports/{report_id}/accesses"):
        assert (await api.get(path, headers=other_api_key)).status_code == 404
    accesses = (await api.get(f"/v1/credit/reports/{report_id}/accesses", headers=viewer)).json()
    assert [(item["purpose"], item["actor"].split(":")[0]) for item in accesses["items"]] == [("review", "api_key")]
    neither = await api.post("/v1/credit/reports", json={**body, "xml": "<a/>"}, headers=api_key)
    assert neither.status_code == 422


ENTERPRISE: dict[str, Any] = {
    "header": {"report_no": "ENT-1", "reported_at": "2026-03-02T09:00:00", "institution_code": BANK, "reason": "24"},
    "basics": {
        "name": "珊瑚数码科技有限公司",
        "credit_code": "91350100M000100Y43",
        "legal_representative": NAME,
        "status": "active",
    },
    "loans": [{"lender": "演示银行", "opened_on": "2024-01-05", "lent_fen": 300, "balance_fen": 200, "status": "open"}],
}


async def test_an_enterprises_report_is_taken_in_under_the_same_authority(merchant: Merchant) -> None:
    without, acting = await merchant.person(1, consents=False), await merchant.person(2)

    async def imported(party_id: UUID, document: object) -> Any:
        request = credit.ImportReport(
            party_id=party_id, purpose="24", consent_version=VERSION, institution_code=BANK, document=document
        )
        async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
            return (await credit.import_enterprise_reports(uow, [request]))[0]

    assert isinstance(await imported(without, ENTERPRISE), InquiryConsentMissing)
    wrong = {**ENTERPRISE, "basics": {**ENTERPRISE["basics"], "credit_code": "91350100M000100Y44"}}
    outcome = await imported(acting, wrong)
    assert isinstance(outcome, Problem)
    assert outcome.errors[0].pointer == "/document/basics/credit_code"
    taken = accepted(await imported(acting, ENTERPRISE))
    (head,) = await merchant.heads(acting)
    assert (head.kind, head.subject_key, head.is_synthetic) == ("enterprise", "91350100M000100Y43", False)
    async with merchant.runtime.unit(merchant.tenant_id, merchant.actor) as uow:
        opened = await credit.open_report(uow, parse_id(Prefix.CREDIT_REPORT, taken.id), credit.AccessPurpose.REVIEW)
    assert opened.values["ent_loan_balance"] == 200
    assert len(await merchant.accesses(head.id)) == 1
    merchant.clock.advance(timedelta(minutes=1))
    assert await merchant.latest(acting) is None  # a person's decision does not rest on a company's report
