"""What one person may not do alone: it waits, another approves, the same command runs with its checks made again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asyncpg import IntegrityConstraintViolationError
from httpx import AsyncClient, Response
from tests.conftest import key_headers
from tests.integration.billing.conftest import Rental
from tests.integration.billing.test_amendments import MakeRental, defaulted, live
from tests.integration.billing.test_three_families import transfer

from xinzu.back.billing import api as billing
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import system_actor
from xinzu.platform.tenants import create_operator, log_in
from xinzu.records.evidence import api as evidence

PASSWORD = "correct horse battery"


async def operator(rental: Rental, login: str, role: str = "finance") -> dict[str, str]:
    """A person of the merchant, logged in."""
    async with rental.runtime.unit(rental.tenant_id, system_actor("test")) as uow:
        await create_operator(uow, login, PASSWORD, [role])
    async with rental.runtime.reading(rental.tenant_id) as read:
        slug = await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
    session = await log_in(rental.runtime, str(slug), login, PASSWORD)
    return {"Cookie": f"xinzu_session={slug}.{session.token}"}


async def again(rental: Rental, login: str) -> dict[str, str]:
    """The same person logs in again: a session ends after twelve hours."""
    async with rental.runtime.reading(rental.tenant_id) as read:
        slug = await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
    return {"Cookie": f"xinzu_session={slug}.{(await log_in(rental.runtime, str(slug), login, PASSWORD)).token}"}


def path(rental: Rental, rest: str) -> str:
    return f"/v1/agreements/{public_id(Prefix.AGREEMENT, rental.agreement_id)}{rest}"


async def approve(api: AsyncClient, waiting: Response, who: dict[str, str], **fields: Any) -> Response:
    assert waiting.status_code == 202, waiting.text
    assert waiting.headers["location"] == f"/v1/approvals/{waiting.json()['id']}"
    return await api.post(f"{waiting.headers['location']}/approval", headers=who, json={"reason": "已核对凭证"} | fields)


@pytest.fixture
async def late(rental: Rental) -> Rental:
    """Three rents of ¥299 and more are due and not paid."""
    await rental.begin()
    await live(rental, rental.today + timedelta(days=125), pays=False)
    return rental


async def first_due(rental: Rental) -> str:
    return str(next(leg.id for leg in await rental.instalments() if leg.state == "overdue"))


async def test_two_clerks_waive_what_one_may_not(late: Rental, api: AsyncClient) -> None:
    zhang, li = await operator(late, "zhang"), await operator(late, "li")
    owed_fen = (await late.account()).balance_due_fen
    first, second, third = [leg.id for leg in await late.instalments() if leg.state == "overdue"][:3]
    small = await api.post(
        path(late, f"/amounts/{first}/waiver"), headers=zhang, json={"amount_fen": 20_000, "reason": "投诉补偿"}
    )
    assert small.status_code == 200, small.text
    asked = {"amount_fen": 29_900, "reason": "投诉补偿", "evidence_ref": "工单 12"}
    assert (await api.post(path(late, f"/amounts/{second}/waiver"), headers=zhang, json=asked)).status_code == 200
    # What was let off lately counts: with it, a third rent is more than the 50,000 fen one may let off alone.
    waiver = path(late, f"/amounts/{third}/waiver")
    waiting = await api.post(waiver, headers=zhang, json=asked)
    assert waiting.status_code == 202, waiting.text
    assert (waiting.json()["amount_fen"], waiting.json()["alone_max_fen"]) == (29_900, 50_000)
    assert (await late.account()).balance_due_fen == owed_fen - 49_900, "nothing is done before it is approved"
    again = await api.post(waiver, headers=zhang, json=asked)
    assert again.json()["id"] == waiting.json()["id"], "asked twice, it waits once"
    [shown] = (await api.get("/v1/approvals?state=waiting", headers=li)).json()["items"]
    assert (shown["requested_by"], shown["reason"], shown["evidence_ref"]) == ("operator:zhang", "投诉补偿", "工单 12")
    assert shown["subject"] == public_id(Prefix.AGREEMENT, late.agreement_id)

    himself = await approve(api, waiting, zhang)
    assert (himself.status_code, himself.json()["code"]) == (403, "approval.same_person")
    by_key = await approve(api, waiting, await key_headers(late.runtime, late.tenant_id, "owner"))
    assert (by_key.status_code, by_key.json()["code"]) == (403, "approval.not_a_person")
    risk = await approve(api, waiting, await operator(late, "risk", "risk"))
    assert risk.status_code == 403, "who may not waive may not approve a waiver"

    done = await approve(api, waiting, li)
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["decided_by"], done.json()["answer"]["amount_fen"]) == (
        "approved",
        "operator:li",
        29_900,
    )
    assert (await late.account()).balance_due_fen == owed_fen - 79_800
    await late.check_books()
    twice = await approve(api, waiting, li)
    assert (twice.status_code, twice.json()["code"]) == (409, "approval.done")
    async with late.runtime.reading(late.tenant_id) as read:
        kinds = [fact.kind for fact in await evidence.facts_of(read, late.agreement_id)]
    assert kinds[-3:] == ["platform.approval.requested", "billing.item.waived", "platform.approval.approved"]


async def test_checks_are_made_again_when_it_is_approved(late: Rental, api: AsyncClient) -> None:
    """Between request and approval the customer has paid: there is nothing left to let off."""
    zhang, li = await operator(late, "zhang"), await operator(late, "li")
    await api.put(
        "/v1/approval-limits",
        headers=await operator(late, "boss", "owner"),
        json={"command": "billing.waive_items", "alone_max_fen": 0},
    )
    waiting = await api.post(
        path(late, f"/amounts/{await first_due(late)}/waiver"), headers=zhang, json={"reason": "投诉补偿", "amount_fen": 100}
    )
    await transfer(late, "late but all", (await late.account()).balance_due_fen)
    refused = await approve(api, waiting, li)
    assert (refused.status_code, refused.json()["code"]) == (404, "billing.item_unknown")
    shown = (await api.get(waiting.headers["location"], headers=li)).json()
    assert shown["state"] == "waiting"
    taken_back = await api.post(f"{waiting.headers['location']}/refusal", headers=zhang, json={"reason": "客户已付清"})
    assert (taken_back.status_code, taken_back.json()["state"]) == (200, "refused")


async def test_a_write_off_always_takes_two_and_the_second_sees_what_it_has_grown_to(
    late: Rental, api: AsyncClient, clock: FixedClock
) -> None:
    zhang, li = await operator(late, "zhang"), await operator(late, "li")
    waiting = await api.post(
        path(late, "/write-off"), headers=zhang, json={"reason": "法院终结执行", "evidence_ref": "(2026) 执 7"}
    )
    before_fen = waiting.json()["amount_fen"]
    await live(late, late.today + timedelta(days=1), pays=False)  # late fees have grown
    li = await again(late, "li")
    refused = await approve(api, waiting, li)
    assert (refused.status_code, refused.json()["code"]) == (409, "approval.amount_grown")
    now_fen = refused.json()["amount_fen"]
    assert now_fen > before_fen
    done = await approve(api, waiting, li, amount_max_fen=now_fen)
    assert done.json()["answer"]["amount_fen"] == now_fen
    await late.check_books()
    assert (await late.account()).written_off_on == late.today


async def test_a_request_expires_after_a_week(late: Rental, api: AsyncClient, clock: FixedClock) -> None:
    zhang, li = await operator(late, "zhang"), await operator(late, "li")
    waiting = await api.post(path(late, "/write-off"), headers=zhang, json={"reason": "无法追回"})
    clock.advance(timedelta(days=7))
    li = await again(late, "li")
    expired = await approve(api, waiting, li)
    assert (expired.status_code, expired.json()["code"]) == (410, "approval.expired")
    shown = (await api.get(waiting.headers["location"], headers=li)).json()
    assert shown["state"] == "expired"
    assert (await api.get("/v1/approvals?state=waiting", headers=li)).json()["items"] == []
    assert (await late.account()).written_off_on is None


async def test_a_large_refund_by_hand_waits_and_one_in_parts_does_too(rental: Rental, api: AsyncClient) -> None:
    await rental.begin()
    await transfer(rental, "by mistake", 2_000_000)
    zhang, li = await operator(rental, "zhang"), await operator(rental, "li")
    refunds = path(rental, "/refunds")
    first = await api.post(refunds, headers=zhang, json={"reference": "R-1", "amount_fen": 400_000})
    assert first.status_code == 200, first.text
    waiting = await api.post(refunds, headers=zhang, json={"reference": "R-2", "amount_fen": 400_000, "reason": "客户误转"})
    held_fen = (await rental.account()).credit_balance_fen
    done = await approve(api, waiting, li)
    assert done.json()["answer"]["credit_balance_fen"] == held_fen - 400_000
    await rental.check_books()
    known = await api.post(refunds, headers=zhang, json={"reference": "R-2", "amount_fen": 400_000})
    assert (known.status_code, known.json()["is_new"]) == (200, False)


async def test_civil_code_art_565_a_termination_approved_the_next_day_takes_effect_that_day(
    another_rental: MakeRental, api: AsyncClient
) -> None:
    """Civil Code art. 565: a contract ends when the notice of termination arrives, which is not sent before it is approved."""
    lessee, demand = await defaulted(another_rental)
    zhang, li = await operator(lessee, "zhang"), await operator(lessee, "li")
    body = {"kind": "termination", "on": lessee.today.isoformat(), "reason": "欠租", "demand": demand, "costs_fen": 80_000}
    preview = (await api.post(path(lessee, "/amendments/preview"), headers=zhang, json=_plain(body))).json()
    waiting = await api.post(
        path(lessee, "/amendments"), headers=zhang, json=_plain(body | {"expected_sha256": preview["position_sha256"]})
    )
    assert waiting.json()["amount_fen"] == preview["arrears_fen"] + preview["falls_away_fen"]
    await live(lessee, lessee.today + timedelta(days=1), pays=False)
    zhang, li = await again(lessee, "zhang"), await again(lessee, "li")
    refused = await approve(api, waiting, li)
    assert refused.json()["code"] == "approval.amount_grown"
    done = await approve(api, waiting, li, amount_max_fen=refused.json()["amount_fen"])
    assert done.status_code == 200, done.text
    assert done.json()["answer"]["effective_on"] == lessee.today.isoformat()
    await lessee.check_books()
    other = _plain({"kind": "payoff", "on": lessee.today.isoformat(), "reason": "不需复核"})
    answered = await api.post(path(lessee, "/amendments"), headers=zhang, json=other)
    assert answered.status_code in {200, 409, 422}, "other changes take no second person"


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value) if isinstance(value, dict) else getattr(value, "isoformat", lambda v=value: v)()
        for name, value in body.items()
    }


async def test_a_tenant_may_only_be_stricter(late: Rental, api: AsyncClient) -> None:
    boss = await operator(late, "boss", "owner")
    listed = (await api.get("/v1/approval-limits", headers=boss)).json()["items"]
    assert {each["command"]: each["alone_max_fen"] for each in listed if each["command"].startswith("billing.")} == {
        "billing.waive_items": 50_000,
        "billing.record_bank_refunds": 500_000,
        "billing.write_off_accounts": 0,
        "billing.terminate": 2_000_000,
    }
    looser = {"command": "billing.waive_items", "alone_max_fen": 50_001}
    refused = await api.put("/v1/approval-limits", headers=boss, json=looser)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/alone_max_fen")
    stricter = await api.put("/v1/approval-limits", headers=boss, json=looser | {"alone_max_fen": 100})
    assert stricter.json()["alone_max_fen"] == 100
    waiver = path(late, f"/amounts/{await first_due(late)}/waiver")
    waiting = await api.post(waiver, headers=boss, json={"amount_fen": 101, "reason": "投诉补偿"})
    assert waiting.status_code == 202
    clerk = await operator(late, "zhang")
    assert (await api.put("/v1/approval-limits", headers=clerk, json=looser)).status_code == 403


async def test_the_database_itself_wants_two_people(late: Rental, api: AsyncClient) -> None:
    waiting = await api.post(path(late, "/write-off"), headers=await operator(late, "zhang"), json={"reason": "无法追回"})
    with pytest.raises(IntegrityConstraintViolationError, match="two_people"):
        async with late.runtime.unit(late.tenant_id, late.actor) as uow:
            await uow.execute(
                "UPDATE platform_approval SET state = 'approved', decided_by = requested_by, decided_by_id = requested_by_id,"
                " decided_at = :now WHERE tenant_id = :tenant AND id = :id",
                id=parse_id(Prefix.APPROVAL, waiting.json()["id"]),
                now=uow.now,
            )


async def test_what_the_system_does_by_itself_waits_for_nobody(late: Rental) -> None:
    async with late.runtime.unit(late.tenant_id, late.actor) as uow:
        [lost] = await billing.write_off_accounts(uow, [billing.WriteOff(late.agreement_id, "批量核销")])
    assert isinstance(lost, billing.Adjusted)
