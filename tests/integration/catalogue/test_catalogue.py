"""Offers over HTTP: drafted, guarded, published, quoted, withdrawn."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from asyncpg.exceptions import PostgresError

from xinzu.front.catalogue import api as catalogue
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime

TERMS: dict[str, Any] = {
    "period_count": 12,
    "rent_fen": 39_900,
    "deposit_fen": 300_000,
    "device_value_fen": 599_900,
    "residual_value_fen": 170_000,
    "late_fee_daily_rate": "0.0003",
    "restriction_clause_version": "restriction-2026-01",
}


async def drafted(api: httpx.AsyncClient, key: dict[str, str], **changes: Any) -> dict[str, Any]:
    product = await api.post("/v1/products", json={"name": "手机 256G", "category": "phone"}, headers=key)
    assert product.status_code == 201
    plan = await api.post("/v1/plans", json={"product_id": product.json()["id"], **TERMS, **changes}, headers=key)
    found: dict[str, Any] = plan.json()
    assert plan.status_code == 201, found
    return found


async def test_a_plan_is_drafted_published_quoted_and_withdrawn(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    plan = await drafted(api, api_key)
    assert (plan["state"], plan["annual_cost_pct"]) == ("draft", None)
    early = await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=api_key)
    assert (early.status_code, early.json()["code"]) == (409, "catalogue.plan_not_offered")
    published = (await api.post(f"/v1/plans/{plan['id']}/publication", headers=api_key)).json()
    assert (published["state"], published["annual_cost_pct"]) == ("published", "14.141558")
    quote = await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=api_key)
    assert quote.status_code == 201
    assert quote.json()["terms"]["rent_total_fen"] == 478_800
    assert quote.json()["terms"]["authorised_fen"] == 778_800
    assert quote.json()["terms"]["late_fee_daily_rate"] == "0.0003"
    assert (await api.post(f"/v1/plans/{plan['id']}/withdrawal", headers=api_key)).json()["state"] == "withdrawn"
    again = await api.post(f"/v1/plans/{plan['id']}/publication", headers=api_key)
    assert (again.status_code, again.json()["code"]) == (409, "state.illegal_move")


async def test_the_shanghai_plan_can_be_drafted_and_never_published(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    """9,000 of phone for 18,000 in three months: 租机贷, judged 2025-03-12."""
    plan = await drafted(api, api_key, period_count=3, rent_fen=600_000, device_value_fen=900_000, residual_value_fen=0)
    refused = await api.post(f"/v1/plans/{plan['id']}/publication", headers=api_key)
    assert (refused.status_code, refused.json()["code"]) == (422, "catalogue.cost_above_cap")
    assert refused.json()["errors"][0]["pointer"] == "/rent_fen"
    endless = await drafted(api, api_key, period_count=3, rent_fen=600_000, device_value_fen=600_000, residual_value_fen=0)
    assert (await api.post(f"/v1/plans/{endless['id']}/publication", headers=api_key)).status_code == 422


async def test_not_even_the_database_takes_a_published_plan_above_the_cap(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    plan = await drafted(api, api_key)
    with pytest.raises(PostgresError, match="annual_cost_cap"):
        async with runtime.unit(tenant_id, actor) as uow:
            await uow.execute(
                "UPDATE catalogue_plan SET state = 'published', annual_cost_pct = 24.1 WHERE tenant_id = :tenant AND id = :id",
                id=parse_id(Prefix.PLAN, plan["id"]),
            )


async def test_a_tenant_may_be_stricter_and_not_looser(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan = await drafted(api, api_key)
    await api.post(f"/v1/plans/{plan['id']}/publication", headers=api_key)
    looser = await api.put("/v1/pricing-policy", json={"annual_cost_max_pct": "36"}, headers=api_key)
    assert (looser.status_code, looser.json()["errors"][0]["code"]) == (422, "catalogue.policy_too_loose")
    assert (await api.put("/v1/pricing-policy", json={"annual_cost_max_pct": "12"}, headers=api_key)).status_code == 200
    quoted = await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=api_key)
    assert (quoted.status_code, quoted.json()["code"]) == (422, "catalogue.cost_above_cap")
    async with runtime.reading(tenant_id) as read:
        plan_id = parse_id(Prefix.PLAN, plan["id"])
        assert isinstance((await catalogue.quote(read, [plan_id]))[plan_id], Problem)


async def test_an_excessive_late_fee_and_a_missing_end_value_are_named(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    product = (await api.post("/v1/products", json={"name": "相机", "category": "camera"}, headers=api_key)).json()
    fee = await api.post(
        "/v1/plans", json={"product_id": product["id"], **TERMS, "late_fee_daily_rate": "0.0005"}, headers=api_key
    )
    assert (fee.status_code, fee.json()["code"]) == (422, "catalogue.late_fee_above_cap")
    end = await api.post("/v1/plans", json={"product_id": product["id"], **TERMS, "residual_value_fen": None}, headers=api_key)
    assert end.json()["errors"][0] | {"detail": ""} == {
        "pointer": "/residual_value_fen",
        "code": "catalogue.end_value_missing",
        "detail": "",
    }
    nobody = await api.post("/v1/plans", json={"product_id": "prd_nothing", **TERMS}, headers=api_key)
    assert nobody.status_code == 404


async def test_lists_are_filtered_and_paged(
    api: httpx.AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str]
) -> None:
    plans = [await drafted(api, api_key) for _ in range(3)]
    await api.post(f"/v1/plans/{plans[1]['id']}/publication", headers=api_key)
    first = (await api.get("/v1/plans", params={"limit": 2}, headers=api_key)).json()
    second = (await api.get("/v1/plans", params={"limit": 2, "cursor": first["next_cursor"]}, headers=api_key)).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [plan["id"] for plan in plans[::-1]]
    published = (await api.get("/v1/plans", params={"state": "published"}, headers=api_key)).json()["items"]
    assert [item["id"] for item in published] == [plans[1]["id"]]
    of_product = (await api.get("/v1/plans", params={"product_id": plans[0]["product_id"]}, headers=api_key)).json()["items"]
    assert [item["id"] for item in of_product] == [plans[0]["id"]]
    assert len((await api.get("/v1/products", headers=api_key)).json()["items"]) == 3
    assert (await api.get(f"/v1/plans/{plans[0]['id']}", headers=other_api_key)).status_code == 404
    assert (await api.post(f"/v1/plans/{plans[0]['id']}/publication", headers=other_api_key)).status_code == 404
    assert (await api.get("/v1/products", headers=other_api_key)).json()["items"] == []
