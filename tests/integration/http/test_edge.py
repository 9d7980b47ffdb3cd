"""The edge of the API: who may come in, and what a wrong request is told."""

from __future__ import annotations

import httpx
import pytest
from tests.conftest import key_headers

from xinzu.back.billing.events import ArrearsCleared
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_operator


async def test_health_needs_no_credential(api: httpx.AsyncClient) -> None:
    assert (await api.get("/livez")).text == "ok"
    assert (await api.get("/readyz")).json()["status"] == "ready"
    assert "xinzu" in (await api.get("/metrics")).text or (await api.get("/metrics")).status_code == 200


async def test_no_credential_is_401_in_chinese_first(api: httpx.AsyncClient) -> None:
    response = await api.get("/v1/applications")
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "未登录或凭证无效"
    english = await api.get("/v1/applications", headers={"Accept-Language": "en"})
    assert english.json()["title"] == "No valid credential was given"


@pytest.mark.parametrize("credential", ["Bearer nonsense", "Basic eDp5", "Bearer xzk_nobody_" + "a" * 43, "Bearer "])
async def test_a_wrong_credential_is_401(api: httpx.AsyncClient, credential: str) -> None:
    assert (await api.get("/v1/applications", headers={"Authorization": credential})).status_code == 401


async def test_a_role_without_the_permission_is_403(api: httpx.AsyncClient, runtime: Runtime, tenant_id: int) -> None:
    viewer = await key_headers(runtime, tenant_id, "viewer")
    response = await api.post("/v1/products", json={}, headers=viewer)
    assert response.status_code == 403
    assert response.json()["code"] == "request.forbidden"


async def test_an_unknown_address_and_method_are_problems(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    assert (await api.get("/v1/nothing", headers=api_key)).json()["code"] == "request.no_such_route"
    assert (await api.request("PATCH", "/livez")).json()["code"] == "request.method_not_allowed"


async def test_a_huge_body_is_413_and_broken_json_400(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    huge = await api.post(
        "/v1/sessions", content=b'{"tenant":"' + b"x" * 2_000_000 + b'"}', headers={"Content-Type": "application/json"}
    )
    assert huge.status_code == 413
    assert huge.json()["code"] == "request.too_large"
    broken = await api.post("/v1/sessions", content=b'{"tenant":', headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    assert broken.json()["code"] == "request.malformed"


async def test_a_wrong_field_is_named_without_its_value(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/sessions", json={"tenant": 7, "login": "a", "password": "secret-value"})
    assert response.status_code == 422
    body = response.json()
    assert body["errors"][0]["pointer"] == "/tenant"
    assert "secret-value" not in response.text
    unknown = await api.post("/v1/sessions", json={"tenant": "a", "login": "b", "password": "c", "extra": 1})
    assert unknown.status_code == 422


async def test_an_operator_logs_in_works_and_logs_out(
    api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        await create_operator(uow, "boss", "correct horse", ["owner"])
        slug = await uow.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
    wrong = await api.post("/v1/sessions", json={"tenant": slug, "login": "boss", "password": "wrong"})
    assert wrong.status_code == 401
    assert wrong.json()["code"] == "session.wrong_login"
    right = await api.post("/v1/sessions", json={"tenant": slug, "login": "boss", "password": "correct horse"})
    assert right.status_code == 201
    assert "HttpOnly" in right.headers["set-cookie"]
    assert (await api.delete("/v1/sessions/current")).status_code == 204


async def test_text_is_not_taken_for_a_number(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    body = {"product_id": "prd_00000000000000000000000001", "serial": "A-1234", "purchase_cost_fen": "100"}
    response = await api.post("/v1/assets", json=body, headers=api_key)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/purchase_cost_fen"


async def test_an_expired_cookie_does_not_lock_a_person_out(api: httpx.AsyncClient) -> None:
    stale = {"Cookie": "xinzu_session=nobody.gone"}
    assert (await api.get("/livez", headers=stale)).status_code == 200
    assert (await api.get("/v1/applications", headers=stale)).status_code == 401


async def test_events_are_cloud_events_and_found_by_their_subject(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    agreement_id = new_id()
    async with runtime.unit(tenant_id, actor) as uow:
        uow.emit(ArrearsCleared(subject_id=agreement_id, party_id=new_id()))
        uow.emit(ArrearsCleared(subject_id=new_id(), party_id=new_id()))
    page = (await api.get(f"/v1/events?subject={public_id(Prefix.AGREEMENT, agreement_id)}", headers=api_key)).json()
    assert [(e["specversion"], e["type"], e["subject"]) for e in page["items"]] == [
        ("1.0", "xinzu.billing.arrears.cleared.v1", str(agreement_id))
    ]
    assert page["items"][0]["time"].startswith("2026-03-02T01:00")
    assert len((await api.get("/v1/events?limit=1", headers=api_key)).json()["items"]) == 1
    assert (await api.get("/v1/events?subject=nonsense", headers=api_key)).status_code == 422
