"""What is known of an applicant, as a merchant would tell it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.decisions.people import register, terms

from xinzu.back.billing.events import ArrearsAged, ArrearsCleared, InstalmentBecameOverdue, InstalmentFellDue
from xinzu.back.payments.events import PaymentFailed, PaymentSucceeded
from xinzu.front.applications.events import ApplicationCancelled, ApplicationSubmitted
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.events import AgreementCommenced, AgreementEnded, AgreementSigned
from xinzu.middle.credit import api as credit
from xinzu.middle.decisions import api as decisions
from xinzu.platform.actor import Actor
from xinzu.platform.events.relay import Relay
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties

GOOD: dict[str, str | int | bool | None] = {"channel_admitted": True, "credit_score": 720}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Shop:
    """One tenant, its customers and its clock."""

    def __init__(self, runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock) -> None:
        self.runtime, self.tenant_id, self.actor, self.clock = runtime, tenant_id, actor, clock

    async def customer(self, **how: object) -> UUID:
        return (await register(self.runtime, self.tenant_id, self.actor, **how))[0]  # type: ignore[arg-type]

    async def say(self, *events: object) -> None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            uow.emit(*events)  # type: ignore[arg-type]
        await Relay(self.runtime).drain([self.tenant_id])

    async def apply(
        self,
        party_id: UUID,
        *,
        address: str | None = None,
        channel: str = "alipay",
        what: AgreementTerms | None = None,
        **signals: str | int | bool | None,
    ) -> UUID:
        application_id = new_id()
        await self.say(
            ApplicationSubmitted(
                subject_id=application_id,
                party_id=party_id,
                channel=channel,
                terms=what or terms(),
                signals=GOOD | signals,
                address_key=address,
            )
        )
        return application_id

    async def rent(self, party_id: UUID) -> tuple[UUID, UUID]:
        """An application that became a running agreement."""
        application_id, agreement_id = await self.apply(party_id), new_id()
        await self.say(
            AgreementSigned(
                subject_id=agreement_id,
                application_id=application_id,
                party_id=party_id,
                agreement_no="A1",
                document_sha256="0" * 64,
                terms=terms(),
                signed_at=self.clock.now(),
            )
        )
        await self.say(
            AgreementCommenced(
                subject_id=agreement_id,
                application_id=application_id,
                party_id=party_id,
                asset_id=None,
                commencement_on=self.clock.now().date(),
                terms=terms(),
            )
        )
        return application_id, agreement_id

    async def seen(self, application_id: UUID) -> dict[str, credit.Value]:
        async with self.runtime.reading(self.tenant_id) as read:
            return {key: each.value for key, each in (await credit.snapshot(read, application_id)).values.items()}


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock) -> Shop:
    return Shop(runtime, tenant_id, actor, clock)


async def test_an_application_never_counts_itself_and_the_next_counts_it(shop: Shop) -> None:
    customer = await shop.customer()
    first = await shop.seen(await shop.apply(customer))
    shop.clock.advance(HOUR)
    second = await shop.seen(await shop.apply(customer))
    assert (first["apply_cnt_24h"], first["own_apply_cnt_all"], first["own_apply_value_30d"]) == (0, 0, 0)
    assert (second["apply_cnt_24h"], second["own_apply_cnt_all"], second["own_apply_value_30d"]) == (1, 1, 599_900)
    shop.clock.advance(DAY)
    assert (await shop.seen(await shop.apply(customer)))["apply_cnt_24h"] == 1  # the first is more than a day ago


async def test_what_the_terms_and_the_person_say_is_known_without_history(shop: Shop) -> None:
    seen = await shop.seen(await shop.apply(await shop.customer(), form_fill_secs=42, is_emulator=False, rent_risk_rank="medium"))
    assert (seen["age_years"], seen["item_value"], seen["term_months"], seen["night_apply"]) == (29, 599_900, 12, False)
    assert (seen["deposit_free_amt"], seen["deposit_free_ratio"], seen["order_irr"]) == (0, 0.0, 0.1586)
    assert seen["rent_premium"] == round((39_900 * 12 + 180_000) / 599_900 - 1, 6)
    assert (seen["zhima_score"], seen["form_fill_secs"], seen["is_emulator"], seen["rentrisk_rank"]) == (720, 42, False, "medium")


async def test_what_nobody_said_is_missing_and_what_cannot_be_is_not_passed_on(shop: Shop) -> None:
    application = await shop.apply(await shop.customer(), channel="wechat", credit_score=9_999, form_fill_secs=-5)
    async with shop.runtime.reading(shop.tenant_id) as read:
        values = (await credit.snapshot(read, application)).values
    assert (values["zhima_score"].value, values["zhima_score"].status) == (None, "missing")  # a score of another channel is none
    assert (values["form_fill_secs"].value, values["form_fill_secs"].status) == (None, "out_of_range")
    assert (values["is_rooted"].value, values["is_rooted"].status) == (None, "missing")
    assert (values["days_since_last_reject"].value, values["own_ontime_ratio"].value) == (None, None)
    assert values["wx_payscore_admit"].value is True


async def test_three_people_at_one_address_are_seen_together(shop: Shop) -> None:
    for _ in range(3):
        await shop.apply(await shop.customer(), address="a" * 32, device_key="phone-1")
        shop.clock.advance(HOUR)
    seen = await shop.seen(await shop.apply(await shop.customer(), address="a" * 32, device_key="phone-1"))
    assert (seen["addr_order_cnt"], seen["addr_user_distinct"], seen["device_account_distinct"], seen["g_deg1"]) == (3, 3, 3, 3)
    other = await shop.seen(await shop.apply(await shop.customer(), address="b" * 32))
    assert (other["addr_order_cnt"], other["g_deg1"], other["device_apply_cnt"]) == (0, 0, 0)


async def test_device_keys_of_a_channel_do_not_stand_on_file_as_they_came(shop: Shop) -> None:
    await shop.apply(await shop.customer(), device_key="phone-1", ip_key="10.0.0.9")
    async with shop.runtime.reading(shop.tenant_id) as read:
        keys = await read.rows("SELECT entity_key, cast(attributes AS text) AS said FROM credit_fact WHERE tenant_id = :tenant")
    assert not [row for row in keys if "phone-1" in row.entity_key + row.said or "10.0.0.9" in row.entity_key + row.said]


async def test_a_customer_in_arrears_is_known_as_one_until_it_is_cleared(shop: Shop) -> None:
    customer = await shop.customer()
    _, agreement = await shop.rent(customer)
    due = shop.clock.now().date() + timedelta(days=31)
    shop.clock.advance(timedelta(days=34))
    said = {"subject_id": agreement, "party_id": customer}
    instalment: dict[str, Any] = {**said, "instalment_id": new_id(), "number": 2, "due_on": due, "outstanding_fen": 39_900}
    await shop.say(InstalmentFellDue(**instalment), InstalmentBecameOverdue(**instalment, days_past_due=2))
    await shop.say(ArrearsAged(**said, business_date=due + timedelta(days=2), days_past_due=2, overdue_fen=39_900))
    shop.clock.advance(DAY)
    late = await shop.seen(await shop.apply(customer))
    assert (late["dpd"], late["own_max_dpd"], late["own_cur_overdue_amt"], late["own_overdue_terms_365d"]) == (2, 2, 39_900, 1)
    assert (late["channel_fpd_30"], late["merchant_fpd"], late["active_order_cnt"]) == (1.0, 1.0, 1)
    await shop.say(ArrearsCleared(subject_id=agreement, party_id=customer))
    shop.clock.advance(DAY)
    cleared = await shop.seen(await shop.apply(customer))
    assert (cleared["dpd"], cleared["own_max_dpd"], cleared["own_cur_overdue_amt"]) == (0, 2, 0)
    await shop.say(
        AgreementEnded(subject_id=agreement, application_id=new_id(), party_id=customer, ended_on=due, reason="returned")
    )
    shop.clock.advance(DAY)
    ended = await shop.seen(await shop.apply(customer))
    assert (ended["active_order_cnt"], ended["active_order_value"]) == (0, 0)


async def test_refused_collections_and_cancelled_applications_are_remembered(shop: Shop) -> None:
    customer = await shop.customer()
    application, agreement = await shop.rent(customer)
    said: dict[str, Any] = {"subject_id": agreement, "party_id": customer, "payment_id": new_id(), "amount_fen": 39_900}
    await shop.say(
        PaymentFailed(**said, purpose="first_rent", attempt=1, reason="ACQ.BUYER_BALANCE_NOT_ENOUGH"),
        PaymentFailed(**said, purpose="instalment", attempt=1, reason="ACQ.SYSTEM_ERROR"),
        PaymentSucceeded(**said, purpose="instalment", provider="alipay", provider_trade_no="1", paid_at=shop.clock.now()),
        ApplicationCancelled(subject_id=application, reason="customer_request"),
    )
    shop.clock.advance(HOUR)
    seen = await shop.seen(await shop.apply(customer))
    assert (seen["first_deduct_fail_cnt"], seen["deduct_insufficient_ratio"]) == (1, 0.5)
    assert (seen["own_pay_fail_ratio_90d"], seen["own_paid_amt_180d"], seen["apply_cancel_cnt"]) == (0.666667, 39_900, 1)


async def test_what_is_known_ahead_counts_only_after_its_instant(shop: Shop) -> None:
    customer = await shop.customer()
    application = await shop.apply(customer)
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        ahead = credit.Happening(kind=credit.FactKind.SETTLED, subject_id=application, occurred_at=uow.now + HOUR)
        await credit.note(uow, [ahead])
    seen = []
    for step in (HOUR - timedelta(microseconds=1), timedelta(microseconds=1), timedelta(microseconds=1)):
        shop.clock.advance(step)
        seen.append((await shop.seen(await shop.apply(customer)))["own_settled_cnt"])
    assert seen == [0, 0, 1]


async def test_the_decision_keeps_what_it_saw_and_the_same_comes_out_of_the_facts_later(shop: Shop) -> None:
    customer = await shop.customer()
    began = shop.clock.now()
    for _ in range(3):
        application = await shop.apply(customer)
        shop.clock.advance(HOUR)
    async with shop.runtime.reading(shop.tenant_id) as read:
        decision = await decisions.decision_of_application(read, application)
        snapshot = await credit.snapshot(read, application)
        again = await credit.computed_again(read, began, shop.clock.now())
    assert decision is not None
    assert decision.inputs["snapshot_sha256"] == snapshot.sha256
    assert decision.inputs["apply_cnt_24h"] == snapshot.values["apply_cnt_24h"].value == again[application]["apply_cnt_24h"] == 2
    assert {key: each.value for key, each in snapshot.values.items()} == again[application]
    assert snapshot.values["apply_cnt_24h"].observed_at == shop.clock.now() - 2 * HOUR


async def test_of_a_person_without_consent_nothing_is_computed_or_linked(shop: Shop) -> None:
    customer = await shop.customer(consents=[parties.ConsentPurpose.APPLICATION])
    application = await shop.apply(customer, address="a" * 32, device_key="phone-1")
    async with shop.runtime.reading(shop.tenant_id) as read:
        kinds = {row.entity_kind for row in await read.rows("SELECT entity_kind FROM credit_fact WHERE tenant_id = :tenant")}
        with pytest.raises(credit.SnapshotUnknown):
            await credit.snapshot(read, application)
    assert kinds == {"party", "channel", "product_channel"}


async def test_a_merchant_does_not_see_another_merchants_facts(shop: Shop, other_tenant_id: int) -> None:
    await shop.apply(await shop.customer(), address="a" * 32)
    shop.clock.advance(HOUR)
    rival = Shop(shop.runtime, other_tenant_id, shop.actor, shop.clock)
    seen = await rival.seen(await rival.apply(await rival.customer(), address="a" * 32))
    assert (seen["addr_order_cnt"], seen["channel_apply_cnt_24h"]) == (0, 0)


async def test_the_catalogue_says_what_is_computed_and_why_the_rest_is_not(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    items = (await api.get("/v1/credit/indicators", headers=api_key)).json()["items"]
    assert len(items) == len(credit.definitions())
    by_key = {item["key"]: item for item in items}
    assert (by_key["apply_cnt_24h"]["state"], by_key["apply_cnt_24h"]["reason"]) == ("computed", None)
    assert by_key["liveness_pass"]["state"] == "unavailable"
    assert by_key["liveness_pass"]["reason"]["en"]
    assert (await api.get("/v1/credit/indicators", headers=await key_headers(runtime, tenant_id, "viewer"))).status_code == 200


async def test_a_snapshot_is_read_with_source_status_and_age(shop: Shop, api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    customer = await shop.customer()
    await shop.apply(customer)
    shop.clock.advance(HOUR)
    application = await shop.apply(customer)
    body = (await api.get(f"/v1/credit/snapshots/{public_id(Prefix.APPLICATION, application)}", headers=api_key)).json()
    by_key = {item["key"]: item for item in body["indicators"]}
    assert len(by_key) == len(credit.definitions())
    assert (by_key["apply_cnt_24h"]["value"], by_key["apply_cnt_24h"]["status"], by_key["apply_cnt_24h"]["age_seconds"]) == (
        1,
        "ok",
        3600,
    )
    assert (by_key["liveness_pass"]["value"], by_key["liveness_pass"]["status"]) == (None, "unavailable")
    missing = await api.get(f"/v1/credit/snapshots/{public_id(Prefix.APPLICATION, new_id())}", headers=api_key)
    assert (missing.status_code, missing.json()["type"].endswith("credit.snapshot_unknown")) == (404, True)


async def _many_decisions(shop: Shop, count: int, scores: range) -> None:
    """Applications of people nobody knows yet, in one batch."""
    people = await register(shop.runtime, shop.tenant_id, shop.actor, count=count)
    await shop.say(
        *(
            ApplicationSubmitted(
                subject_id=new_id(),
                party_id=party_id,
                channel="alipay",
                terms=terms(),
                signals={**GOOD, "credit_score": scores[at % len(scores)]},
            )
            for at, party_id in enumerate(people)
        )
    )


async def test_sources_say_how_they_are_and_drift_needs_a_base_and_enough_data(
    shop: Shop, api: httpx.AsyncClient, api_key: dict[str, str]
) -> None:
    async def health() -> dict[str, Any]:
        return (await api.get("/v1/credit/sources/health", headers=api_key)).json()  # type: ignore[no-any-return]

    untouched = await health()
    assert untouched["drift_state"] == "no_base"
    assert {source["hit_rate"] for source in untouched["sources"]} == {None}
    first_on = shop.clock.now().date()
    base = {"first_on": str(first_on), "last_on": str(first_on)}
    refused = await api.post("/v1/credit/sources/drift-base", json=base, headers=api_key)
    assert (refused.status_code, refused.json()["type"].endswith("credit.too_little_history")) == (409, True)
    backwards = {"first_on": "2026-02-02", "last_on": "2026-02-01"}
    assert (await api.post("/v1/credit/sources/drift-base", json=backwards, headers=api_key)).status_code == 422

    await _many_decisions(shop, 200, range(650, 750))
    frozen = await api.post("/v1/credit/sources/drift-base", json=base, headers=api_key)
    assert frozen.json() == {**base, "indicators": len(credit.computed()), "decisions": 200}
    shop.clock.advance(7 * DAY)
    await _many_decisions(shop, 200, range(400, 420))  # another kind of customers altogether
    shop.clock.advance(7 * DAY)
    await _many_decisions(shop, 3, range(650, 750))
    shop.clock.advance(7 * DAY)

    told = await health()
    assert told["drift_state"] == "measured"
    scores = [week for week in told["drift"] if week["indicator"] == "zhima_score"]
    assert [week["verdict"] for week in scores] == ["not_enough_data", "stable", "shifted", "not_enough_data"]
    by_source = {source["source"]: source for source in told["sources"]}
    assert (by_source["given.signal"]["snapshots"], by_source["given.signal"]["hit_rate"]) == (403, 1.0)
    assert (by_source["given.report"]["hit_rate"], by_source["given.report"]["null_rate"]) == (0.0, 1.0)
    assert by_source["facts.party"]["hit_rate"] == 0.0  # nobody came twice
    assert 0 < by_source["facts.channel"]["hit_rate"] < 1  # the first batch met an empty channel
    assert by_source["facts.party"]["latency_ms_p99"] > 0
