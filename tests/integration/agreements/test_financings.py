"""A finance lease and a loan from the approved application to the commencement, beside the rental."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.agreements.stories import Shop, lease, loan
from tests.integration.applications.orders import body

from xinzu.back.billing.events import AccountSettled, LesseeTransferred
from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements import api as agreements
from xinzu.middle.agreements.errors import (
    AgreementUnknown,
    CommencesByHandover,
    CostTableNotAccepted,
    DisbursedDiffers,
    NotOpenForCommencement,
    RestrictionClauseNotAccepted,
)
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime

PRINCIPAL_FEN = 1_200_000


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> Shop:
    return Shop(runtime, tenant_id, actor)


def today(shop: Shop) -> date:
    return shop.runtime.clock.now().date()


async def test_a_loan_commences_with_the_banks_reference_and_the_borrower_is_told(shop: Shop) -> None:
    agreement = await shop.signed(loan())
    begun = await shop.commence(agreement, today(shop), "CMB20260302-7788", PRINCIPAL_FEN)
    assert isinstance(begun, agreements.AgreementView)
    assert (begun.state, begun.family, begun.reference, begun.asset_id) == ("active", "loan", "CMB20260302-7788", None)
    assert await shop.events(agreement.id) == [
        "agreement.drafted",
        "document.rendered",
        "agreement.signed",
        "agreement.commenced",
    ]
    assert (await shop.facts(agreement.id))["agreement.commenced"] == {
        "family": "loan",
        "reference": "CMB20260302-7788",
        "disbursed_fen": PRINCIPAL_FEN,
        "commencement_on": today(shop).isoformat(),
    }
    template, text = (await shop.messages(agreement.id))[-1]
    assert template == "agreement_commenced"
    assert f"借款合同{agreement.agreement_no}" in text
    assert "首期1052.76元" in text.replace(",", "")


async def test_a_finance_lease_commences_with_its_handover_protocol_and_ends_paid(shop: Shop, clock: FixedClock) -> None:
    agreement = await shop.signed(lease())
    clock.advance(timedelta(days=3))
    begun = await shop.commence(agreement, today(shop) - timedelta(days=1), "交接单 2026-0031 / LSVAA4187E2123456")
    assert isinstance(begun, agreements.AgreementView)
    assert (begun.state, begun.family, begun.commencement_on) == ("active", "finance_lease", today(shop) - timedelta(days=1))
    assert "disbursed_fen" not in (await shop.facts(agreement.id))["agreement.commenced"]
    await shop.say(AccountSettled(subject_id=agreement.id, party_id=agreement.party_id, settled_on=today(shop)))
    assert (await shop.agreement(agreement.id)).state == "ended"
    assert (await shop.messages(agreement.id))[-1][0] == "agreement_repaid"
    assert "押金" not in (await shop.messages(agreement.id))[-1][1]


async def test_said_twice_it_is_answered_the_same_and_happens_once(shop: Shop) -> None:
    agreement = await shop.signed(loan())
    first = await shop.commence(agreement, today(shop), "BANK-1", PRINCIPAL_FEN)
    assert await shop.commence(agreement, today(shop), "BANK-1", PRINCIPAL_FEN) == first
    assert (await shop.events(agreement.id)).count("agreement.commenced") == 1
    assert [template for template, _ in await shop.messages(agreement.id)].count("agreement_commenced") == 1
    other = await shop.commence(agreement, today(shop), "BANK-2", PRINCIPAL_FEN)
    assert isinstance(other, NotOpenForCommencement)
    assert "BANK-1" in other.detail_en


async def test_one_batch_commences_an_agreement_once(shop: Shop) -> None:
    agreement = await shop.signed(loan())
    same = agreements.CommenceFinancing(agreement.id, today(shop), "BANK-1", PRINCIPAL_FEN)
    other = agreements.CommenceFinancing(agreement.id, today(shop), "BANK-2", PRINCIPAL_FEN)
    unknown = agreements.CommenceFinancing(new_id(), today(shop), "BANK-3", PRINCIPAL_FEN)
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        first, again, refused, missing = await agreements.commence_financings(uow, [same, same, other, unknown])
    assert first == again
    assert isinstance(first, agreements.AgreementView)
    assert isinstance(refused, NotOpenForCommencement)
    assert isinstance(missing, AgreementUnknown)
    assert (await shop.events(agreement.id)).count("agreement.commenced") == 1


async def test_art_670_the_disbursement_is_the_principal_to_the_fen(shop: Shop) -> None:
    agreement = await shop.signed(loan())
    for disbursed_fen in (None, PRINCIPAL_FEN - 1, PRINCIPAL_FEN + 1):
        refused = await shop.commence(agreement, today(shop), disbursed_fen=disbursed_fen)
        assert isinstance(refused, DisbursedDiffers)
        assert refused.errors[0].pointer == "/disbursed_fen"
    assert (await shop.agreement(agreement.id)).state == "signed"


async def test_a_finance_lease_disburses_nothing_to_the_lessee(shop: Shop) -> None:
    refused = await shop.commence(await shop.signed(lease()), today(shop), disbursed_fen=1)
    assert isinstance(refused, Invalid)
    assert refused.errors[0].pointer == "/disbursed_fen"


async def test_the_commencement_lies_between_the_signature_and_today(shop: Shop, clock: FixedClock) -> None:
    agreement = await shop.signed(loan())
    clock.advance(timedelta(days=2))
    for on in (today(shop) + timedelta(days=1), today(shop) - timedelta(days=3)):
        refused = await shop.commence(agreement, on, disbursed_fen=PRINCIPAL_FEN)
        assert isinstance(refused, Invalid)
        assert refused.errors[0].pointer == "/commencement_on"
    assert isinstance(
        await shop.commence(agreement, today(shop) - timedelta(days=2), disbursed_fen=PRINCIPAL_FEN), agreements.AgreementView
    )


async def test_a_rental_commences_by_handover_only(shop: Shop) -> None:
    refused = await shop.commence(await shop.signed(), today(shop))
    assert isinstance(refused, CommencesByHandover)
    assert "交付" in refused.detail_zh


async def test_what_is_not_signed_cannot_commence(shop: Shop) -> None:
    ready = await shop.ready(loan())
    assert isinstance(await shop.commence(ready, today(shop), disbursed_fen=PRINCIPAL_FEN), NotOpenForCommencement)
    assert (await shop.agreement(ready.id)).state == "drafted"


@pytest.mark.parametrize("agreed", [lease(), loan()], ids=["lease", "loan"])
async def test_a_financing_is_accepted_with_its_cost_table_and_without_a_restriction_clause(
    shop: Shop, agreed: AgreementTerms
) -> None:
    agreement = await shop.ready(agreed)
    await shop.send_code(agreement.id)
    code = await shop.code_on_phone(agreement.id)
    unticked = await shop.accept(agreement, code, cost_table_accepted=False, restriction_clause_accepted=True)
    assert isinstance(unticked, CostTableNotAccepted)
    assert isinstance(await shop.accept(agreement, code), agreements.Signed)
    fact = (await shop.facts(agreement.id))["agreement.accepted"]
    assert (fact["cost_table_accepted"], fact["annual_cost_pct"]) == (True, agreed.annual_cost_pct)
    assert "restriction_clause_version" not in fact
    async with shop.runtime.reading(shop.tenant_id) as read:
        assert await read.scalar("SELECT restriction_clause_version FROM agreements_acceptance WHERE tenant_id = :tenant") is None


async def test_the_cost_table_does_not_stand_in_for_the_restriction_clause(shop: Shop) -> None:
    agreement = await shop.ready()
    await shop.send_code(agreement.id)
    code = await shop.code_on_phone(agreement.id)
    unticked = await shop.accept(agreement, code, restriction_clause_accepted=False, cost_table_accepted=True)
    assert isinstance(unticked, RestrictionClauseNotAccepted)


async def test_over_http_finance_commences_and_no_channel_does(
    shop: Shop, api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, other_tenant_id: int
) -> None:
    agreement = await shop.signed(loan())
    finance, channel = await key_headers(runtime, tenant_id, "finance"), await key_headers(runtime, tenant_id, "channel")
    stranger = await key_headers(runtime, other_tenant_id, "owner")
    path = f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement.id)}"
    given = {"commencement_on": today(shop).isoformat(), "reference": "BANK-1", "disbursed_fen": PRINCIPAL_FEN}

    assert (await api.post(f"{path}/commencement", json=given, headers=channel)).status_code == 403
    assert (await api.post(f"{path}/commencement", json=given, headers=stranger)).status_code == 404
    for wrong in ({"reference": " "}, {"reference": "x" * 65}, {"disbursed_fen": 0}, {"commencement_on": "soon"}, {"extra": 1}):
        assert (await api.post(f"{path}/commencement", json=given | wrong, headers=finance)).status_code == 422
    short = await api.post(f"{path}/commencement", json=given | {"disbursed_fen": PRINCIPAL_FEN - 1}, headers=finance)
    assert (short.status_code, short.json()["code"]) == (422, "agreements.disbursed_differs")

    keyed = {**finance, "Idempotency-Key": "begin-1"}
    first = await api.post(f"{path}/commencement", json=given, headers=keyed)
    assert first.status_code == 200, first.text
    assert (await api.post(f"{path}/commencement", json=given, headers=keyed)).json() == first.json()
    assert (await api.post(f"{path}/commencement", json=given, headers=finance)).json() == first.json()
    assert (await api.get(path, headers=channel)).json() == first.json()
    terms = (await api.get(f"{path}/terms", headers=channel)).json()
    assert (terms["family"], terms["financing"]["principal_fen"], terms["rent_total_fen"]) == ("loan", PRINCIPAL_FEN, 1_263_312)


PLANS: dict[str, tuple[str, dict[str, object]]] = {
    "loan": (
        "cash_loan",
        {"financing": {"family": "loan", "principal_fen": PRINCIPAL_FEN, "annual_rate_pct": "9.6"}, "period_count": 12},
    ),
    "finance_lease": (
        "electric_bicycle",
        {
            "financing": {"family": "finance_lease", "principal_fen": 400_000, "annual_rate_pct": "7.2", "balloon_fen": 100_000},
            "device_value_fen": 500_000,
            "period_count": 24,
        },
    ),
}


@pytest.mark.parametrize("family", PLANS)
async def test_from_a_plan_over_http_to_the_commencement(
    shop: Shop, api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, family: str
) -> None:
    owner = await key_headers(runtime, tenant_id, "owner")
    category, plan = PLANS[family]

    async def post(path: str, sent: dict[str, object] | None = None) -> dict[str, Any]:
        answer = await api.post(path, json=sent, headers=owner)
        assert answer.status_code < 300, answer.text
        return answer.json()  # type: ignore[no-any-return]

    product = await post("/v1/products", {"name": "分期", "category": category})
    given = {"product_id": product["id"], "late_fee_daily_rate": "0.0003", "restriction_clause_version": "none", "deposit_fen": 0}
    plan_id = (await post("/v1/plans", given | plan))["id"]
    await post(f"/v1/plans/{plan_id}/publication")
    application = body(plan_id, signals={"channel_admitted": True, "credit_score": 720})
    application_id = parse_id(Prefix.APPLICATION, (await post("/v1/applications", application))["id"])
    await shop.say()
    agreement = await shop.of_application(application_id)
    assert agreement.terms.family == family
    path = f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement.id)}"
    await shop.answered([agreement.id])
    await shop.rendered([agreement.id])
    document = (await api.get(path, headers=owner)).json()["document"]
    await post(f"{path}/acceptance-codes")
    code = await shop.code_on_phone(agreement.id)
    await post(f"{path}/acceptance", {"code": code, "document_sha256": document["sha256"], "cost_table_accepted": True})
    await shop.say()
    disbursed = {"disbursed_fen": PRINCIPAL_FEN} if family == "loan" else {}
    begun = await post(f"{path}/commencement", {"commencement_on": today(shop).isoformat(), "reference": "R-1", **disbursed})
    assert (begun["state"], begun["family"], begun["reference"]) == ("active", family, "R-1")
    await shop.say()
    # What belongs to rentals has heard of it and kept nothing: no pre-authorisation, no delivery, no address, no device.
    async with runtime.reading(tenant_id) as read:
        for table in ("payments_mandate", "assets_delivery", "parties_delivery_address", "devices_binding"):
            assert await read.scalar(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant") == 0, table
        unheard = await read.rows("SELECT subscriber, last_error FROM platform_delivery WHERE tenant_id = :tenant")
        instalments = await read.scalar("SELECT count(DISTINCT number) FROM billing_instalment WHERE tenant_id = :tenant")
    assert [tuple(row) for row in unheard] == []
    assert instalments == agreement.terms.period_count


async def test_another_borrower_takes_over_and_the_agreement_is_theirs(shop: Shop) -> None:
    agreement = await shop.signed(loan())
    [heir_id] = await shop.customers()
    await shop.say(
        LesseeTransferred(subject_id=agreement.id, party_before_id=agreement.party_id, party_id=heir_id, effective_on=today(shop))
    )
    assert (await shop.agreement(agreement.id)).party_id == heir_id
    assert (await shop.facts(agreement.id))["agreement.passed"]["party_id"] == public_id(Prefix.PARTY, heir_id)
