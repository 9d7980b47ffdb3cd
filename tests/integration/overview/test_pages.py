"""The overview as a person meets it: log in, look at an order, ask why, verify a fact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any, cast

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.agreements.stories import Shop
from tests.integration.applications.orders import body

from xinzu.app.modules import routes
from xinzu.app.overview.agreements import instalment_lines
from xinzu.app.overview.http import routes as overview_routes
from xinzu.app.overview.words import EVENTS, FIELDS
from xinzu.back.billing import api as billing
from xinzu.back.billing.schemas import InstalmentView
from xinzu.kernel.events import event_types
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import FixedClock
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


async def lent(pages: httpx.AsyncClient, shop: Shop, owner: dict[str, str]) -> agreements.Agreement:
    """A small loan that was applied for, signed and paid out; and a second application nobody decided yet."""
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
    async with shop.runtime.reading(shop.tenant_id) as read:
        (drafted,) = (await agreements.list_agreements(read, limit=2)).items
    agreement = await shop.signed(drafted)
    await shop.say()
    await shop.commence(agreement, shop.runtime.clock.now().date(), disbursed_fen=1_200_000)
    await shop.say()
    return agreement


async def test_an_order_names_its_family_and_a_running_loan_is_being_repaid(
    pages: httpx.AsyncClient, login: dict[str, str], runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    agreement = await lent(pages, Shop(runtime, tenant_id, actor), await key_headers(runtime, tenant_id, "owner"))
    await pages.post("/overview/login", data=login)
    orders = (await pages.get("/overview")).text
    assert orders.count("<td>借款</td>") == 2
    assert orders.count("还款中") == 1
    assert "在租" not in orders
    assert "<td>loan</td>" in (await pages.get("/overview?lang=en")).text
    order = (await pages.get(f"/overview/orders/{public_id(Prefix.APPLICATION, agreement.application_id)}?lang=zh")).text
    assert "借款" in order
    assert "起租（放款）" in order
    assert order.count("/amounts/ins_") == 24  # principal and interest of each
    for word in ("本金", "利息", "合计", "剩余本金", "综合年化成本", "全部费用明示"):
        assert word in order
    assert "设备" not in order
    assert "¥12,000.00" in order


async def test_an_agreement_shows_what_was_done_by_hand_and_why_interest_is_what_it_is(
    pages: httpx.AsyncClient, login: dict[str, str], runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock
) -> None:
    owner = await key_headers(runtime, tenant_id, "owner")
    agreement = await lent(pages, Shop(runtime, tenant_id, actor), owner)
    account = f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement.id)}"
    clock.advance(timedelta(days=31))
    async with runtime.unit(tenant_id, actor) as uow:
        for day in await billing.days_to_close(uow):
            await billing.close_day(uow, day)
    first = (await pages.get(f"{account}/instalments", headers=owner)).json()["items"][1]
    assert (first["role"], first["state"]) == ("interest", "due")
    waiver = {"amount_fen": 100, "reason": "客户投诉和解"}
    waived = await pages.post(f"{account}/amounts/{first['id']}/waiver", json=waiver, headers=owner)
    assert waived.status_code == 200, waived.text

    await pages.post("/overview/login", data=login)
    path = f"/overview/orders/{public_id(Prefix.APPLICATION, agreement.application_id)}"
    shown = (await pages.get(path)).text
    for word in ("人工调整", "减免", "客户投诉和解", "¥1.00"):
        assert word in shown
    why = (await pages.get(f"{path}/amounts/{first['id']}?lang=en")).text
    for word in ("Year fraction", "9.6", "Interest", "2026-03-02"):
        assert word in why
    assert "row_interest_fen" not in why  # every input has a word


def test_instalments_are_one_line_each_with_the_state_of_what_still_stands() -> None:
    legs = [
        _leg(1, "principal", "overdue"),
        _leg(1, "interest", "paid"),
        _leg(2, "principal", "due"),
        _leg(2, "interest", "paid"),
    ]
    legs += [_leg(3, "principal", "cancelled"), _leg(3, "interest", "cancelled"), _leg(3, "principal", "scheduled", version=2)]
    lines = instalment_lines(legs, ["principal", "interest"], english=True)
    assert [(line["number"], line["version"], line["state"]) for line in lines] == [
        (1, 1, "overdue"),
        (2, 1, "part paid"),
        (3, 1, "cancelled"),
        (3, 2, "scheduled"),
    ]
    assert [[leg is not None for leg in cast(list[object], line["legs"])] for line in lines][-1] == [True, False]


def _leg(number: int, role: str, state: str, version: int = 1) -> InstalmentView:
    on = date(2026, number, 2)
    return InstalmentView(
        id=f"ins_{number}{role}{version}",
        version=version,
        number=number,
        role=role,
        from_on=on,
        to_on=on,
        due_on=on,
        amount_fen=100,
        paid_fen=100 if state == "paid" else 0,
        cancelled_fen=100 if state == "cancelled" else 0,
        suspended_fen=0,
        state=state,
    )


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
