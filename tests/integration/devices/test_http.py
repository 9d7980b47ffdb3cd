"""Devices over HTTP: enrolled, looked at, ordered under the same guards; closed to other tenants."""

from __future__ import annotations

from pathlib import Path

import pytest
from httpx import AsyncClient
from tests.integration.devices.stories import Rental, commands_of, name_of, notice, rental

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.device_logins import device_password

Headers = dict[str, str]


@pytest.fixture
async def of(runtime: Runtime, tenant_id: int, home: Path) -> Rental:
    return await rental(runtime, tenant_id, home)


async def test_a_phone_is_enrolled_and_told_whom_to_obey_and_how_to_log_in(
    tenant_id: int, home: Path, api: AsyncClient, api_key: Headers, other_api_key: Headers
) -> None:
    body = {"asset_id": public_id(Prefix.ASSET, new_id()), "public_key": "ab" * 32}
    answer = await api.post("/v1/devices", json=body, headers=api_key)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert [key["number"] for key in made["pinned_keys"]] == [1, 2]
    assert (await api.get(answer.headers["location"], headers=api_key)).json()["desired_level"] == "free"
    login = (await api.get(f"/v1/devices/{made['id']}/login", headers=api_key)).json()
    assert login["password"] == device_password(home, str(tenant_id), made["id"])
    assert login["report_topic"] == f"d/{tenant_id}/{made['id']}/up"
    for path in (answer.headers["location"], f"/v1/devices/{made['id']}/login"):
        assert (await api.get(path, headers=other_api_key)).status_code == 404


async def test_an_operator_meets_the_same_guards(
    runtime: Runtime, of: Rental, api: AsyncClient, api_key: Headers, other_api_key: Headers
) -> None:
    path = f"/v1/devices/{name_of(of)}/levels"
    order = {"level": "limit", "legal_basis": "第八条第三款"}
    refused = await api.post(path, json=order, headers=api_key)
    assert (refused.status_code, refused.json()["reason"]) == (409, "notice_missing")
    order["notice_message_id"] = public_id(Prefix.MESSAGE, await notice(runtime, of, hours_ago=30))
    assert (await api.post(path, json=order, headers=other_api_key)).status_code == 404
    accepted = await api.post(path, json=order, headers=api_key | {"Idempotency-Key": "limit-1"})
    again = await api.post(path, json=order, headers=api_key | {"Idempotency-Key": "limit-1"})
    assert (accepted.status_code, again.json()) == (202, accepted.json())
    again = await api.post(path, json={**order, "level": "lock"}, headers=api_key)
    assert again.json()["reason"] == "one_step_a_day"
    assert (await api.post(path, json={"level": "free", "legal_basis": "更正"}, headers=api_key)).status_code == 202
    assert await commands_of(runtime, of) == [("limit", "superseded"), ("free", "created")]
    shown = (await api.get(f"/v1/devices/{name_of(of)}", headers=api_key)).json()
    assert [step["state"] for step in shown["commands"][1]["steps"]] == ["created", "superseded"]


async def test_a_hold_is_shown_and_lifted(of: Rental, api: AsyncClient, api_key: Headers) -> None:
    path = f"/v1/devices/{name_of(of)}/holds"
    placed = await api.post(path, json={"kind": "hardship", "is_placed": True}, headers=api_key)
    assert placed.json()["holds"] == ["hardship"]
    order = {"level": "remind", "legal_basis": "第八条第三款"}
    refused = await api.post(f"/v1/devices/{name_of(of)}/levels", json=order, headers=api_key)
    assert refused.json()["reason"] == "on_hold"
    assert (await api.post(path, json={"kind": "hardship", "is_placed": False}, headers=api_key)).json()["holds"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/devices", {"asset_id": "ast_x", "public_key": "ab" * 32}),
        ("/v1/devices", {"asset_id": public_id(Prefix.PARTY, new_id()), "public_key": "ab" * 32}),
        ("/v1/devices", {"asset_id": public_id(Prefix.ASSET, new_id()), "public_key": "zz" * 32}),
        ("/v1/devices/{device}/levels", {"level": "melt", "legal_basis": "第八条"}),
        ("/v1/devices/{device}/levels", {"level": "lock", "legal_basis": "第八条", "when": "now"}),
        ("/v1/devices/{device}/holds", {"kind": "dispute", "is_placed": "yes"}),
    ],
)
async def test_a_wrong_request_is_named_and_nothing_is_written(
    runtime: Runtime, of: Rental, api: AsyncClient, api_key: Headers, path: str, body: dict[str, object]
) -> None:
    answer = await api.post(path.replace("{device}", name_of(of)), json=body, headers=api_key)
    assert answer.status_code in {400, 422}
    assert await commands_of(runtime, of) == []
