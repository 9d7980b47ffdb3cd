"""Credit lines through their routes: with consent only, from what was heard of a party, for agreements to come."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.decisions.people import terms
from tests.integration.decisions.reviewers import operator
from tests.integration.decisions.shop import Shop, submitted
from tests.integration.devices.stories import rental

from xinzu.back.billing.events import AccountSettled, ArrearsAged, ArrearsCleared
from xinzu.back.payments.events import PaymentSucceeded
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.events import AgreementEnded, AgreementSigned
from xinzu.middle.decisions.jobs import compute_credit_lines
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> Shop:
    return Shop(runtime, tenant_id, actor)


@pytest.fixture
async def linda(api: httpx.AsyncClient, runtime: Runtime, tenant_id: int) -> dict[str, str]:
    return await operator(api, runtime, tenant_id, "linda", "risk")


def path_of(party_id: UUID) -> str:
    return f"/v1/parties/{public_id(Prefix.PARTY, party_id)}/credit-line"


async def an_order(shop: Shop, party_id: UUID, value_fen: int = 300_000, agreement_id: UUID | None = None) -> tuple[UUID, UUID]:
    """An approved order under a signed agreement: (application, agreement)."""
    [decision] = await shop.decide(submitted(party_id, value_fen=value_fen))
    assert decision.outcome == "approve"
    agreement_id = agreement_id or new_id()
    await shop.say(
        AgreementSigned(
            subject_id=agreement_id,
            application_id=decision.application_id,
            party_id=party_id,
            agreement_no=f"XZ2026-{agreement_id.int % 1_000_000:06d}",
            document_sha256="0" * 64,
            terms=terms(value_fen),
            signed_at=shop.runtime.clock.now(),
        )
    )
    return decision.application_id, agreement_id


async def pays(shop: Shop, party_id: UUID, agreement_id: UUID, amount_fen: int) -> None:
    await shop.say(
        PaymentSucceeded(
            subject_id=agreement_id,
            payment_id=new_id(),
            party_id=party_id,
            amount_fen=amount_fen,
            purpose="instalment",
            provider="alipay",
            provider_trade_no="1",
            paid_at=shop.runtime.clock.now(),
        )
    )


async def ends(shop: Shop, party_id: UUID, application_id: UUID, agreement_id: UUID) -> None:
    await shop.say(
        AccountSettled(subject_id=agreement_id, party_id=party_id, settled_on=date(2026, 3, 2)),
        AgreementEnded(
            subject_id=agreement_id, application_id=application_id, party_id=party_id, ended_on=date(2026, 3, 2), reason="settled"
        ),
    )


async def test_who_paid_and_settled_gets_more_for_the_next_agreement(
    shop: Shop, api: httpx.AsyncClient, linda: dict[str, str], clock: FixedClock
) -> None:
    party_id = await shop.customer()
    unknown = await api.get(path_of(party_id), headers=linda)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "decisions.credit_line_unknown")
    first = (await api.post(path_of(party_id), headers=linda)).json()
    assert (first["line_fen"], [part["code"] for part in first["contributions"]]) == (500_000, ["base"])

    application_id, agreement_id = await an_order(shop, party_id)
    await pays(shop, party_id, agreement_id, 240_000)
    await ends(shop, party_id, application_id, agreement_id)
    clock.advance(timedelta(hours=1))
    line = (await api.post(path_of(party_id), headers=linda)).json()
    assert {part["code"]: part["fen"] for part in line["contributions"]} == {"base": 500_000, "settled": 100_000, "paid": 120_000}
    assert (line["line_fen"], line["available_fen"], line["exposure_fen"]) == (720_000, 720_000, 0)
    assert line["contributions"][1]["text"]["zh"] == "已结清的合同数"
    assert (await api.get(path_of(party_id), headers=linda)).json() == line
    # The strategy sees it at the next application.
    [decision] = await shop.decide(submitted(party_id))
    assert decision.inputs["own_credit_line_fen"] == 720_000


async def test_a_line_is_never_lowered_on_a_running_agreement(shop: Shop, api: httpx.AsyncClient, linda: dict[str, str]) -> None:
    party_id = await shop.customer()
    await an_order(shop, party_id, 599_900)
    line = (await api.post(path_of(party_id), headers=linda)).json()
    assert (line["line_fen"], line["available_fen"]) == (599_900, 0)
    assert line["contributions"][-1]["code"] == "running"


async def test_arrears_freeze_a_line_at_once_and_paying_frees_it(
    shop: Shop, api: httpx.AsyncClient, linda: dict[str, str], clock: FixedClock
) -> None:
    party_id = await shop.customer()
    _, agreement_id = await an_order(shop, party_id)
    before = (await api.post(path_of(party_id), headers=linda)).json()
    assert (before["line_fen"], before["available_fen"]) == (500_000, 200_000)
    await shop.say(
        ArrearsAged(
            subject_id=agreement_id, party_id=party_id, business_date=date(2026, 3, 2), days_past_due=3, overdue_fen=39_900
        )
    )
    assert (await api.get(path_of(party_id), headers=linda)).json()["available_fen"] == 0
    frozen = (await api.post(path_of(party_id), headers=linda)).json()
    assert (frozen["is_frozen"], frozen["line_fen"], frozen["available_fen"]) == (True, 500_000, 0)
    await shop.say(ArrearsCleared(subject_id=agreement_id, party_id=party_id))
    after = (await api.post(path_of(party_id), headers=linda)).json()
    assert (after["is_frozen"], after["line_fen"], after["available_fen"]) == (False, 500_000, 200_000)
    assert await shop.leaves(party_id) == ["decisions.credit_line.changed"] * 3


async def test_a_device_nobody_hears_of_lowers_the_line(
    shop: Shop, api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock
) -> None:
    server, party_id = await key_headers(runtime, tenant_id, "risk"), await shop.customer()
    phone = await rental(runtime, tenant_id, home)
    await an_order(shop, party_id, agreement_id=phone.agreement_id)
    heard = (await api.post(path_of(party_id), headers=server)).json()
    assert [(part["code"], part["fen"], part["value"]) for part in heard["contributions"]][1:] == [("telemetry", 50_000, 0)]
    clock.advance(timedelta(days=14))
    silent = (await api.post(path_of(party_id), headers=server)).json()
    assert [(part["code"], part["fen"], part["value"]) for part in silent["contributions"]][1:] == [("telemetry", -200_000, 14)]
    assert (silent["line_fen"], silent["available_fen"]) == (300_000, 0)


async def test_every_month_all_lines_are_computed_and_no_change_is_said_twice(
    shop: Shop, api: httpx.AsyncClient, linda: dict[str, str]
) -> None:
    party_id, stranger = await shop.customer(), await shop.customer()
    await an_order(shop, party_id)
    for _ in range(2):
        await compute_credit_lines(shop.runtime, shop.tenant_id, {})
    assert (await api.get(path_of(party_id), headers=linda)).json()["line_fen"] == 500_000
    assert (await api.get(path_of(stranger), headers=linda)).status_code == 404
    assert await shop.leaves(party_id) == ["decisions.credit_line.changed"]


async def test_without_consent_to_automated_decisions_there_is_no_line(
    shop: Shop, api: httpx.AsyncClient, linda: dict[str, str]
) -> None:
    party_id = await shop.customer(consents=[parties.ConsentPurpose.APPLICATION])
    refused = await api.post(path_of(party_id), headers=linda)
    assert (refused.status_code, refused.json()["code"]) == (409, "decisions.credit_line_without_consent")


async def test_whose_consent_is_taken_back_loses_the_line(shop: Shop, api: httpx.AsyncClient, linda: dict[str, str]) -> None:
    party_id = await shop.customer()
    await api.post(path_of(party_id), headers=linda)
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        await parties.withdraw_consents(uow, [(party_id, parties.ConsentPurpose.DECISION)])
    assert (await api.post(path_of(party_id), headers=linda)).status_code == 409
    assert (await api.get(path_of(party_id), headers=linda)).status_code == 404


async def test_another_tenant_knows_nothing_of_a_line(
    shop: Shop, api: httpx.AsyncClient, linda: dict[str, str], runtime: Runtime, other_tenant_id: int
) -> None:
    party_id = await shop.customer()
    await api.post(path_of(party_id), headers=linda)
    rival = await key_headers(runtime, other_tenant_id, "risk")
    assert (await api.get(path_of(party_id), headers=rival)).status_code == 404
    assert (await api.post(path_of(party_id), headers=rival)).status_code == 404
