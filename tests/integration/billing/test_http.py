"""Billing over HTTP: balances, schedule, whys; closing by hand; nothing for strangers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from httpx import AsyncClient

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import issue_api_key

Rental = Any


def path(rental: Rental, tail: str) -> str:
    return f"/v1/agreements/{public_id(Prefix.AGREEMENT, rental.agreement_id)}/{tail}"


async def test_an_agreement_shows_what_it_owes_and_why(rental: Rental, api: AsyncClient, api_key: dict[str, str]) -> None:
    await rental.begin()
    await rental.pass_days(31 + 10)
    account = (await api.get(path(rental, "account"), headers=api_key)).json()
    assert (account["state"], account["days_past_due"], account["next_due"]["number"]) == ("open", 9, 3)
    assert account["balance_due_fen"] == account["overdue_fen"] == 29_900 + account["charges"][0]["amount_fen"]
    instalments = (await api.get(path(rental, "instalments"), headers=api_key)).json()["items"]
    assert [item["state"] for item in instalments[:3]] == ["paid", "overdue", "scheduled"]
    why = (await api.get(path(rental, f"amounts/{instalments[1]['id']}/why"), headers=api_key)).json()
    assert (why["formula"], why["amount_fen"], why["segments"][0]["base_fen"]) == ("equal_rent_in_advance", 29_900, 29_900)
    why = (await api.get(path(rental, f"amounts/{account['charges'][0]['id']}/why"), headers=api_key)).json()
    assert (why["kind"], why["segments"][0]["days"], why["inputs"]["late_fee_fen"]) == ("late_fee", 6, why["amount_fen"])
    receipts = (await api.get(path(rental, "receipts"), headers=api_key)).json()
    assert [(item["amount_fen"], item["allocated_fen"], item["purpose"]) for item in receipts["items"]] == [
        (29_900, 29_900, "first_rent")
    ]
    await rental.give_back(damage_fen=700)
    charges = (await api.get(path(rental, "account"), headers=api_key)).json()["charges"]
    formulas = {
        charge["kind"]: (await api.get(path(rental, f"amounts/{charge['id']}/why"), headers=api_key)).json()["formula"]
        for charge in charges
    }
    assert formulas == {"late_fee": "late_fee_daily", "early_return": "early_return_fee", "damage": "inspected_damage"}


async def test_receipts_are_paged(rental: Rental, api: AsyncClient, api_key: dict[str, str]) -> None:
    await rental.sign()
    for amount_fen in range(1, 6):
        await rental.pay(amount_fen)
    first = (await api.get(path(rental, "receipts"), params={"limit": 3}, headers=api_key)).json()
    rest = (await api.get(path(rental, "receipts"), params={"limit": 3, "cursor": first["next_cursor"]}, headers=api_key)).json()
    assert [item["amount_fen"] for item in first["items"] + rest["items"]] == [5, 4, 3, 2, 1]
    assert rest["next_cursor"] is None


async def test_an_operator_closes_a_day(rental: Rental, api: AsyncClient, api_key: dict[str, str]) -> None:
    await rental.begin()
    rental.clock.advance(timedelta(days=1))
    asked = {"business_date": "2026-03-02", "dry_run": True}
    dry = (await api.post("/v1/billing/closes", json=asked, headers=api_key)).json()
    assert (dry["dry_run"], dry["was_closed"]) == (True, False)
    done = (await api.post("/v1/billing/closes", json=asked | {"dry_run": False}, headers=api_key)).json()
    assert (done["dry_run"], done["was_closed"]) == (False, False)
    again = (await api.post("/v1/billing/closes", json=asked | {"dry_run": False}, headers=api_key)).json()
    assert again["was_closed"] is True
    refused = await api.post("/v1/billing/closes", json={"business_date": "2026-03-03"}, headers=api_key)
    assert (refused.status_code, refused.json()["code"]) == (409, "billing.day_not_over")
    refused = await api.post("/v1/billing/closes", json={"business_date": "0001-01-01"}, headers=api_key)
    assert (refused.status_code, refused.json()["code"]) == (409, "billing.day_skipped")
    refused = await api.post("/v1/billing/closes", json={"business_date": "yesterday", "force": 1}, headers=api_key)
    assert refused.status_code == 422


async def test_what_is_not_there_is_not_found(rental: Rental, api: AsyncClient, api_key: dict[str, str]) -> None:
    for tail in ("account", "instalments", "receipts", f"amounts/{public_id(Prefix.CHARGE, new_id())}/why"):
        response = await api.get(path(rental, tail), headers=api_key)
        assert (response.status_code, response.json()["code"]) == (404, "billing.account_missing")
    await rental.sign()
    for item_id in (public_id(Prefix.CHARGE, new_id()), public_id(Prefix.INSTALMENT, new_id()), "agr_1", "x"):
        response = await api.get(path(rental, f"amounts/{item_id}/why"), headers=api_key)
        assert (response.status_code, response.json()["code"]) == (404, "billing.item_unknown")


async def test_strangers_see_nothing(rental: Rental, api: AsyncClient, other_api_key: dict[str, str]) -> None:
    await rental.begin()
    for tail in ("account", "instalments", "receipts"):
        assert (await api.get(path(rental, tail), headers=other_api_key)).status_code == 404
    assert (await api.get(path(rental, "account"))).status_code == 401


async def test_whoever_may_only_read_closes_nothing(rental: Rental, runtime: Runtime, api: AsyncClient) -> None:
    async with runtime.reading(rental.tenant_id) as read:
        slug = await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
    async with runtime.unit(rental.tenant_id, rental.actor) as uow:
        viewer = await issue_api_key(uow, slug, "viewer", ["viewer"])
    rental.clock.advance(timedelta(days=1))
    headers = {"Authorization": f"Bearer {viewer.secret}"}
    assert (await api.post("/v1/billing/closes", json={"business_date": "2026-03-02"}, headers=headers)).status_code == 403
