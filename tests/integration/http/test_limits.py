"""Too much at once is refused with a time to come back, and what was refused was not done."""

from __future__ import annotations

import asyncio

import httpx
from pydantic import SecretStr
from tests.conftest import key_headers
from tests.integration.http.edges import api_over, runtime_with

from xinzu.kernel.time import FixedClock
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.ports import free_port
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings


def _told_to_wait(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["code"] == code
    assert response.json()["status"] == status


async def test_a_key_beyond_its_rate_is_429(
    database_urls: DatabaseUrls, settings: Settings, clock: FixedClock, runtime: Runtime, tenant_id: int, other_tenant_id: int
) -> None:
    headers, others = await key_headers(runtime, tenant_id, "owner"), await key_headers(runtime, other_tenant_id, "owner")
    changed = settings.model_copy(update={"rate_limit_per_key_per_s": 1})
    async with runtime_with(database_urls, changed, clock) as limited, api_over(limited) as api:
        answers = await asyncio.gather(*(api.get("/v1/products", headers=headers) for _ in range(12)))
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused
        for answer in refused:
            _told_to_wait(answer, 429, "request.too_many")
        # The limit is the key's own: somebody else is served.
        assert (await api.get("/v1/products", headers=others)).status_code == 200


async def test_an_address_beyond_its_rate_is_429(database_urls: DatabaseUrls, settings: Settings, clock: FixedClock) -> None:
    changed = settings.model_copy(update={"rate_limit_per_address_per_s": 1})
    async with runtime_with(database_urls, changed, clock) as limited, api_over(limited) as api:
        wrong = {"tenant": "nobody", "login": "x", "password": "y"}
        answers = await asyncio.gather(*(api.post("/v1/sessions", json=wrong) for _ in range(8)))
        assert {answer.status_code for answer in answers} <= {401, 429}
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        for answer in refused:
            _told_to_wait(answer, 429, "request.too_many")
        guessed = [await api.get("/v1/products", headers={"Authorization": "Bearer xzk_nobody_" + "a" * 43}) for _ in range(3)]
        assert {answer.status_code for answer in guessed} <= {401, 429}


async def test_without_a_database_everybody_is_told_to_come_back(settings: Settings, clock: FixedClock) -> None:
    nowhere = f"postgresql+asyncpg://xinzu_app:x@127.0.0.1:{free_port(0)}/xinzu"
    urls = DatabaseUrls(owner=SecretStr(nowhere), app=SecretStr(nowhere), admin=SecretStr(nowhere))
    async with runtime_with(urls, settings, clock) as runtime, api_over(runtime) as api:
        key = {"Authorization": "Bearer xzk_shanhu_" + "a" * 43}
        for answer in (
            await api.get("/v1/products", headers=key),
            await api.post("/v1/sessions", json={"tenant": "shanhu", "login": "x", "password": "y"}),
            await api.post("/v1/callbacks/alipay/shanhu", content="a=1"),
            await api.get("/readyz"),
        ):
            _told_to_wait(answer, 503, "request.unavailable")
        assert (await api.get("/livez")).status_code == 200


async def test_a_full_line_is_503_and_exactly_the_accepted_is_done(
    database_urls: DatabaseUrls, settings: Settings, clock: FixedClock, runtime: Runtime, tenant_id: int
) -> None:
    headers = await key_headers(runtime, tenant_id, "owner")
    changed = settings.model_copy(update={"batch_queue_max": 1, "batch_window_ms": 100})
    async with runtime_with(database_urls, changed, clock) as narrow, api_over(narrow) as api:
        bodies = [{"name": f"星河 {number}", "category": "phone"} for number in range(12)]
        answers = await asyncio.gather(*(api.post("/v1/products", json=body, headers=headers) for body in bodies))
        done = [answer for answer in answers if answer.status_code == 201]
        refused = [answer for answer in answers if answer.status_code != 201]
        assert done
        assert refused
        for answer in refused:
            _told_to_wait(answer, 503, "request.busy")
        listed = (await api.get("/v1/products", headers=headers)).json()["items"]
        assert sorted(item["id"] for item in listed) == sorted(answer.json()["id"] for answer in done)
