"""The overview as a person meets it: log in, look at an order, ask why, verify a fact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.agreements.stories import Shop
from tests.integration.applications.orders import body

from xinzu.app.modules import routes
from xinzu.app.overview.http import routes as overview_routes
from xinzu.app.overview.words import EVENTS, FIELDS
from xinzu.kernel.events import event_types
from xinzu.kernel.ids import Prefix, public_id
from xinzu.middle.agreements import api as agreements
from xinzu.platform.actor import Actor
from xinzu.platform.http.app import attached, create_app
from xinzu.platform.runtime import Runtime
from xinzu.platform.settings import Settings
from xinzu.platform.tenants import create_operator


@pytest.fixture
async def pages(runtime: Runtime, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Runtime]:
        yield runtime

    app = create_app(settings, [*routes(), *overview_routes], opened)
    transport = httpx.ASGITransport(app=cast(Any, app), raise_app_exceptions=False)
    async with attached(app, runtime), httpx.AsyncClient(transport=transport, base_url="http://xinzu.test") as client:
        yield client


@pytest.fixture
async def login(runtime: Runtime, tenant_id: int, actor: Actor) -> dict[str, str]:
    async with runtime.unit(tenant_id, actor) as uow:
        await create_operator(uow, "boss", "open sesame", ["owner"])
        slug = await uow.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
    return {"tenant": str(slug), "login": "boss", "password": "open sesame"}


async def test_a_stranger_is_led_to_the_login(pages: httpx.AsyncClient) -> None:
    for path in ("/overview", "/overview/orders/app_00000000000000000000000001", "/overview/evidence/x"):
        response = await pages.get(path)
        assert (response.status_code, response.headers["location"]) == (302, "/overview/login")
    assert (await pages.get("/")).headers["location"] == "/overview"
    assert "登录" in (await pages.get("/overview/login")).text
    assert "Log in" in (await pages.get("/overview/login?lang=en")).text


async def test_a_wrong_password_is_a_sentence_and_a_right_one_opens_the_orders(
    pages: httpx.AsyncClient, login: dict[str, str]
) -> None:
    wrong = await pages.post("/overview/login", data={**login, "password": "<script>"})
    assert wrong.status_code == 401
    assert "商户、登录名或密码不正确" in wrong.text
    assert "<script>" not in wrong.text
    right = await pages.post("/overview/login", data=login)
    assert (right.status_code, right.headers["location"]) == (303, "/overview")
    orders = await pages.get("/overview")
    assert "还没有订单" in orders.text
    assert (await pages.get("/overview?lang=en")).text.count("No orders yet") == 1


async def test_what_is_not_there_is_a_page_and_logging_out_ends_the_session(
    pages: httpx.AsyncClient, login: dict[str, str]
) -> None:
    await pages.post("/overview/login", data=login)
    missing = await pages.get("/overview/orders/app_00000000000000000000000001")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")
    assert "没有找到" in missing.text
    out = await pages.post("/overview/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/overview/login")


async def test_an_order_names_its_family_and_a_running_loan_is_being_repaid(
    pages: httpx.AsyncClient, login: dict[str, str], runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    shop, owner = Shop(runtime, tenant_id, actor), await key_headers(runtime, tenant_id, "owner")
    product = (await pages.post("/v1/products", json={"name": "现金分期", "category": "cash_loan"}, headers=owner)).json()
    plan = {
        "product_id": product["id"],
        "period_count": 12,
        "deposit_fen": 0,
        "late_fee_daily_rate": "0.0003",
        "restriction_clause_version": "none",
        "financing": {"family": "loan", "principal_fen": 1_200_000, "annual_rate_pct": "9.6"},
    }
    plan_id = (await pages.post("/v1/plans", json=plan, headers=owner)).json()["id"]
    await pages.post(f"/v1/plans/{plan_id}/publication", headers=owner)
    for number, signals in enumerate(({"channel_admitted": True, "credit_score": 720}, {}), start=20):
        applied = await pages.post("/v1/applications", json=body(plan_id, number, signals=signals), headers=owner)
        assert applied.status_code == 202, applied.text
    await shop.say()
    async with runtime.reading(tenant_id) as read:
        (drafted,) = (await agreements.list_agreements(read, limit=2)).items
    agreement = await shop.signed(drafted)
    await shop.commence(agreement, runtime.clock.now().date(), disbursed_fen=1_200_000)
    await pages.post("/overview/login", data=login)
    orders = (await pages.get("/overview")).text
    assert orders.count("<td>借款</td>") == 2
    assert orders.count("还款中") == 1
    assert "在租" not in orders
    assert "<td>loan</td>" in (await pages.get("/overview?lang=en")).text
    order = (await pages.get(f"/overview/orders/{public_id(Prefix.APPLICATION, agreement.application_id)}?lang=zh")).text
    assert "借款" in order
    assert "起租（放款）" in order


def test_every_event_of_an_order_has_words_in_both_languages() -> None:
    silent = {"billing.day.closed"}  # the tenant's day, not an order's
    ours = {
        name.removeprefix("xinzu.").rsplit(".", 1)[0]
        for name, cls in event_types().items()
        if cls.__module__.startswith("xinzu.")
    }
    assert ours - silent - EVENTS.keys() == {"parties.consent.withdrawn"} - EVENTS.keys()
    shown = {field for _, _, money, other in EVENTS.values() for field in (*money, *other)}
    assert shown - FIELDS.keys() == set()
