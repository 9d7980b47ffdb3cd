"""Assets over HTTP: the register, a counter handover, a return with its inspection; closed to other tenants."""

from __future__ import annotations

from uuid import UUID

import pytest
from httpx import AsyncClient
from tests.integration.assets.stories import PRODUCT, agreement_to_deliver, serial

from xinzu.kernel.ids import Prefix, public_id
from xinzu.platform.runtime import Runtime

Headers = dict[str, str]


async def register(api: AsyncClient, api_key: Headers, text: str, **changed: object) -> dict[str, str]:
    body = {"serial": text, "product_id": public_id(Prefix.PRODUCT, PRODUCT), "purchase_cost_fen": 520_000, **changed}
    answer = await api.post("/v1/assets", json=body, headers=api_key)
    return {**answer.json(), "http_status": str(answer.status_code), "location": answer.headers.get("location", "")}


async def test_the_counter_gives_out_and_takes_back(
    runtime: Runtime, tenant_id: int, api: AsyncClient, api_key: Headers, other_api_key: Headers
) -> None:
    text, agreement_id = serial(), await agreement_to_deliver(runtime, tenant_id)
    asset = await register(api, api_key, text)
    assert asset["location"] == f"/v1/assets/{asset['id']}"
    agreement = public_id(Prefix.AGREEMENT, agreement_id)
    waiting = (await api.get("/v1/deliveries", params={"state": "awaiting"}, headers=api_key)).json()["items"]
    assert [item["agreement_id"] for item in waiting] == [agreement]

    path = f"/v1/deliveries/{agreement}/handovers"
    theirs = await api.post(path, json={"serial": text}, headers=other_api_key)
    assert (theirs.status_code, theirs.json()["code"]) == (404, "assets.delivery_unknown")
    key = {"Idempotency-Key": "handover-1"}
    first = await api.post(path, json={"serial": text}, headers=api_key | key)
    again = await api.post(path, json={"serial": text}, headers=api_key | key)
    assert (first.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first.json(), "true")

    assert (await api.post(f"/v1/assets/{asset['id']}/returns", headers=other_api_key)).status_code == 404
    assert (await api.post(f"/v1/assets/{asset['id']}/returns", headers=api_key)).status_code == 201
    report = {
        "asset_id": asset["id"],
        "items": [{"description": "后盖碎裂", "charge_fen": 35_000, "photo_sha256s": ["0f" * 32]}],
    }
    inspected = await api.post("/v1/inspections", json=report, headers=api_key)
    assert (inspected.status_code, inspected.json()["damage_fen"]) == (201, 35_000)
    assert (await api.get(inspected.headers["location"], headers=api_key)).json() == inspected.json()
    assert (await api.get(inspected.headers["location"], headers=other_api_key)).status_code == 404
    assert (await api.get("/v1/assets", params={"serial": text}, headers=api_key)).json()["items"][0]["state"] == "in_stock"
    assert (await api.get("/v1/assets", headers=other_api_key)).json()["items"] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"serial": "a"},
        {"serial": "空格 1234"},
        {"serial": "IMEI351756051523999\n"},  # the same device once more, were it taken
        {"purchase_cost_fen": -1},
        {"purchase_cost_fen": 10**30},
        {"purchase_cost_fen": 1.5},
        {"product_id": public_id(Prefix.PARTY, UUID(int=1))},
        {"colour": "black"},
    ],
)
async def test_a_wrong_registration_is_named_and_nothing_is_written(
    api: AsyncClient, api_key: Headers, changed: dict[str, object]
) -> None:
    answer = await register(api, api_key, serial(), **changed)
    assert answer["http_status"] in {"400", "422"}
    assert (await api.get("/v1/assets", headers=api_key)).json()["items"] == []


async def test_the_warehouse_is_kept_sealed_and_shown_masked(
    runtime: Runtime, tenant_id: int, api: AsyncClient, api_key: Headers
) -> None:
    contact = {"name": "珊瑚仓", "phone": "13900001234", "address": "上海市青浦区汇金路1号"}
    shown = (await api.put("/v1/assets/warehouse", json=contact, headers=api_key)).json()
    assert shown == (await api.get("/v1/assets/warehouse", headers=api_key)).json()
    assert shown["phone"] != contact["phone"]
    async with runtime.reading(tenant_id) as read:
        sealed = bytes(await read.scalar("SELECT contact_sealed FROM assets_warehouse WHERE tenant_id = :tenant"))
    assert b"13900001234" not in sealed
