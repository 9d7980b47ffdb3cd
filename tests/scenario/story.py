"""The words the stories are told in: a shop, its customers, their rentals, and days that pass.

Every verb is a call of the public HTTP API, or of a twin's own door where the customer, the wallet or the courier acts. After each
one everything it causes is done: events handed over, jobs run, callbacks arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from tests.scenario.adding_up import check_everything
from tests.scenario.rentals import Customer, Rental

from xinzu.app.business_day import close_finished_days, run_recurring_jobs
from xinzu.app.demo.world import World
from xinzu.app.sandbox.merchants import AlipayMerchant, alipay_keys, register
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.back.billing import api as billing
from xinzu.back.payments import api as payments
from xinzu.kernel.time import DEFAULT_CALENDAR, SHANGHAI
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.identifiers import identity_no_check
from xinzu.platform.crypto.signing import new_rsa_keys
from xinzu.platform.db import Row
from xinzu.platform.jobs import jobs
from xinzu.platform.tenants import create_operator, create_tenant, issue_api_key

OPENING = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)  # a Monday morning
PASSWORD = "a password of the stories"
PERIODS, RENT_FEN, DEPOSIT_FEN, EARLY_RETURN_FEE_FEN = 3, 40_000, 100_000, 20_000
AUTHORISED_FEN = DEPOSIT_FEN + PERIODS * RENT_FEN
PAY, REFUND = "alipay.trade.pay", "alipay.trade.refund"
_people = count(1)


@dataclass(slots=True)
class Shop:
    """A merchant who rents phones out for three months at a time."""

    world: World
    slug: str
    tenant_id: int
    keys: Mapping[str, str]
    plan_id: str
    product_id: str
    rentals: list[Rental] = field(default_factory=list)
    kept_checkpoint: dict[str, Any] = field(default_factory=dict)

    # --- the merchant's people and servers, over HTTP ---

    async def call(self, role: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request with a role's key; what it causes is done when this returns. (status, answer)"""
        headers = {"Authorization": f"Bearer {self.keys[role]}", "Idempotency-Key": str(uuid4())}
        response = await self.world.api.request(method, path, json=body, headers=headers)
        if method != "GET":
            await self.world.settle()
        return response.status_code, response.json() if response.content else None

    async def post(self, role: str, path: str, body: object = None) -> dict[str, Any]:
        status, answer = await self.call(role, "POST", path, body)
        assert status < 300, (path, answer)
        return dict(answer)

    async def get(self, role: str, path: str) -> dict[str, Any]:
        status, answer = await self.call(role, "GET", path)
        assert status == 200, (path, answer)
        return dict(answer)

    async def get_list(self, role: str, path: str) -> list[dict[str, Any]]:
        """An answer that is a plain list."""
        status, answer = await self.call(role, "GET", path)
        assert status == 200, (path, answer)
        return list(answer)

    async def get_all(self, path: str) -> list[dict[str, Any]]:
        """Every item of a list, through its pages."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            joiner = "&" if "?" in path else "?"
            page = await self.get("owner", f"{path}{joiner}limit=200{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def risk_officer(self, decision_id: str, outcome: str) -> None:
        """A person of the merchant decides: with a login, because an API key is no person."""
        session = await self.world.api.post("/v1/sessions", json={"tenant": self.slug, "login": "risk", "password": PASSWORD})
        session.raise_for_status()
        response = await self.world.api.post(
            f"/v1/decisions/{decision_id}/review",
            json={"outcome": outcome, "reason_code": "REVIEW_CONFIRMED" if outcome == "approve" else "REVIEW_RISK"},
            headers={"Cookie": session.headers["set-cookie"].partition(";")[0]},
        )
        assert response.status_code == 200, response.text
        await self.world.settle()

    # --- time ---

    @property
    def today(self) -> date:
        return DEFAULT_CALENDAR.business_date(self.world.clock.now())

    async def next_day(self, days: int = 1) -> None:
        """Nine in the morning so many days later; each day in between is lived, and the worker's clock has ticked on it."""
        for _ in range(days):
            self.world.clock.set(datetime.combine(self.today + timedelta(days=1), time(9), SHANGHAI))
            await close_finished_days(self.world.runtime)
            await self.world.settle()
            await run_recurring_jobs(self.world.runtime)
            await self.world.settle()

    async def is_back_after(self, on: date) -> None:
        """Nothing ran until a day; then the worker starts and its clock ticks, once a minute, until all days are made up for."""
        self.world.clock.set(datetime.combine(on, time(9), SHANGHAI))
        while (await self._days_to_close()) > 0:
            await jobs()["billing.close_days"].run(self.world.runtime, self.tenant_id, {})
            await self.world.settle()
            self.world.clock.advance(timedelta(minutes=1))

    async def _days_to_close(self) -> int:
        async with self.world.runtime.reading(self.tenant_id) as read:
            return len(await billing.days_to_close(read))

    async def quiet_days_until(self, on: date) -> None:
        """Days on which nothing is due or owed go by at once, up to the eve of a day; then its morning."""
        self.world.clock.set(datetime.combine(on - timedelta(days=1), time(9), SHANGHAI))
        await close_finished_days(self.world.runtime)
        await self.world.settle()
        await self.next_day()

    async def until(self, on: date) -> None:
        await self.next_day((on - self.today).days)

    # --- customers ---

    def customer(self, name: str = "王敏", *, identity_no: str | None = None) -> Customer:
        """Somebody nobody has met before."""
        number = next(_people)
        first_17 = f"44030519900{1 + number % 9}{10 + number % 18}{number % 1000:03d}"
        return Customer(
            shop=self,
            name=name,
            identity_no=identity_no or first_17 + identity_no_check(first_17),
            phone=f"1390013{number:03d}8",
            address=f"广东省深圳市南山区学府路{number}号2栋301室",
            buyer_id=f"2088{number:012d}",
        )

    async def rents_out_to(self, customer: Customer) -> Rental:
        """From the first click to the handover, when nothing goes wrong."""
        rental = await customer.applies()
        await rental.signs()
        await rental.pre_authorises()
        await rental.is_shipped()
        await rental.receives_it()
        return rental

    # --- looking behind the counter ---

    async def rows(self, sql: str, **parameters: object) -> Sequence[Row]:
        async with self.world.runtime.reading(self.tenant_id) as read:
            return await read.rows(sql, **parameters)

    async def everything_adds_up(self) -> None:
        """The invariants that hold after every story."""
        await self.world.settle()
        await check_everything(self)


async def open_shop(world: World, slug: str) -> Shop:
    """A merchant with logins, keys, one plan on offer, five phones in stock and an account at Alipay."""
    runtime, by = world.runtime, system_actor("story")
    tenant_id = await create_tenant(runtime, slug, "珊瑚数码租赁")
    keys: dict[str, str] = {}
    async with runtime.unit(tenant_id, by) as uow:
        await create_operator(uow, "risk", PASSWORD, ["risk"])
        for role in ("owner", "channel", "warehouse", "finance"):
            keys[role] = (await issue_api_key(uow, slug, role, [role])).secret
        app_id, pair, folder = f"2021{slug.rpartition('-')[2]:0>12}", new_rsa_keys(), sandbox_folder(runtime.settings.home)
        register(folder, alipay=(AlipayMerchant(app_id, "2088000000000001", pair.public_pem),))
        await payments.configure_alipay(
            uow,
            app_id=app_id,
            gateway_url=world.gateway_url,
            seller_id="2088000000000001",
            private_key_pem=pair.private_pem,
            alipay_public_key=alipay_keys(folder).public_pem,
        )
    shop = Shop(world, slug, tenant_id, keys, "", "")
    shop.product_id = (await shop.post("owner", "/v1/products", {"name": "星河 15 手机 128G", "category": "phone"}))["id"]
    plan = {
        "product_id": shop.product_id,
        "period_count": PERIODS,
        "rent_fen": RENT_FEN,
        "deposit_fen": DEPOSIT_FEN,
        "device_value_fen": 300_000,
        "residual_value_fen": 184_000,
        "early_return_fee_fen": EARLY_RETURN_FEE_FEN,
        "late_fee_daily_rate": "0.0003",
        "grace_days": 0,
        "restriction_clause_version": "2026-01",
    }
    shop.plan_id = (await shop.post("owner", "/v1/plans", plan))["id"]
    await shop.post("owner", f"/v1/plans/{shop.plan_id}/publication")
    for number in range(5):
        asset = {
            "serial": f"3560{slug.rpartition('-')[2]:0>8}{number:03d}",
            "product_id": shop.product_id,
            "purchase_cost_fen": 270_000,
        }
        await shop.post("warehouse", "/v1/assets", asset)
    warehouse = {"name": "珊瑚仓", "phone": "075512345678", "address": "广东省深圳市南山区科技园 1 号"}
    assert (await shop.call("warehouse", "PUT", "/v1/assets/warehouse", warehouse))[0] == 200
    return shop
