"""The words the stories are told in: a shop, its customers, their rentals, and days that pass.

Every verb is a call of the public HTTP API, or of a twin's own door where the customer, the wallet or the courier acts. After each
one everything it causes is done: events handed over, jobs run, callbacks arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row
from tests.scenario.adding_up import check_everything

from xinzu.app.demo.world import World
from xinzu.app.sandbox.merchants import AlipayMerchant, alipay_keys, register
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.back.payments import api as payments
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.time import DEFAULT_CALENDAR, SHANGHAI, add_months
from xinzu.middle.agreements.events import AgreementCancelled
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.identifiers import identity_no_check
from xinzu.platform.crypto.signing import new_rsa_keys
from xinzu.platform.tenants import create_operator, create_tenant, issue_api_key

OPENING = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)  # a Monday morning
PASSWORD = "a password of the stories"  # noqa: S105 (opens nothing but a test's shop)
PERIODS, RENT_FEN, DEPOSIT_FEN, EARLY_RETURN_FEE_FEN = 3, 40_000, 100_000, 20_000
AUTHORISED_FEN = DEPOSIT_FEN + PERIODS * RENT_FEN
CONSENTS = {"application": "2026-01", "identity_check": "2026-01", "decision": "2026-01"}
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

    # --- the merchant's people and servers, over HTTP ---

    async def call(self, role: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One request with a role's key; what it causes is done when this returns. (status, answer)"""
        headers = {"Authorization": f"Bearer {self.keys[role]}", "Idempotency-Key": str(uuid4())}
        response = await self.world.api.request(method, path, json=body, headers=headers)
        if method != "GET":
            await self.world.settle()
        return response.status_code, response.json() if response.content else None

    async def post(self, role: str, path: str, body: object = None) -> Any:
        status, answer = await self.call(role, "POST", path, body)
        assert status < 300, (path, answer)
        return answer

    async def get(self, role: str, path: str) -> Any:
        status, answer = await self.call(role, "GET", path)
        assert status == 200, (path, answer)
        return answer

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
        session = await self.world.api.post(
            "/v1/sessions", json={"tenant": self.slug, "login": "risk", "password": PASSWORD}
        )
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
        """Nine in the morning so many days later; each day in between is lived."""
        for _ in range(days):
            await self.world.begin_day(self.today + timedelta(days=1))

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

    async def rows(self, sql: str, **parameters: object) -> Sequence[Row[Any]]:
        async with self.world.runtime.reading(self.tenant_id) as read:
            return await read.rows(sql, **parameters)

    async def everything_adds_up(self) -> None:
        """The invariants that hold after every story."""
        await self.world.settle()
        await check_everything(self)


@dataclass(slots=True)
class Customer:
    """A person with a phone number, a wallet and a door the courier can ring at."""

    shop: Shop
    name: str
    identity_no: str
    phone: str
    address: str
    buyer_id: str

    async def applies(self, **signals: object) -> Rental:
        """Clicks “rent” in the channel's app; ``signals`` are what the channel says about the person."""
        body = {
            "channel": "alipay",
            "plan_id": self.shop.plan_id,
            "applicant": {"name": self.name, "identity_no": self.identity_no, "phone": self.phone},
            "delivery_address": self.address,
            "consents": CONSENTS,
            "signals": {"credit_score": 760, "channel_admitted": True, "rent_risk_rank": "low"} | signals,
        }
        answer = await self.shop.post("channel", "/v1/applications", body)
        rental = Rental(self, answer["id"], answer["party_id"])
        self.shop.rentals.append(rental)
        return rental

    async def messages(self, template: str) -> list[str]:
        """Texts of one kind on the phone, newest first."""
        inbox = (await self.shop.world.sandbox.get(f"/phone/{self.phone}/messages")).json()
        return [message["text"] for message in inbox if message["template"] == template]

    async def runs_into(self, kind: str, method: str = "", times: int = 1) -> None:
        """Something goes wrong at Alipay with this buyer, the next so many times."""
        fault = {"subject": self.buyer_id, "kind": kind, "method": method, "times": times}
        await self.shop.world.tell_sandbox("/control/faults", fault)

    async def has_money_again(self) -> None:
        (await self.shop.world.sandbox.delete(f"/control/faults/{self.buyer_id}")).raise_for_status()

    async def is_unknown_to_the_register(self) -> None:
        await self.shop.world.tell_sandbox("/control/identity/refused", {"identity_no": self.identity_no})


@dataclass(slots=True)
class Rental:
    """One order, as the customer, the shop and its back office see it."""

    customer: Customer
    application_id: str
    party_id: str
    asset_id: str = ""
    serial: str = ""
    commencement_on: date = date.max

    @property
    def shop(self) -> Shop:
        return self.customer.shop

    def due_on(self, number: int) -> date:
        return add_months(self.commencement_on, number - 1)

    # --- before the rental ---

    async def application(self) -> dict[str, Any]:
        return await self.shop.get("channel", f"/v1/applications/{self.application_id}")

    async def state(self) -> str:
        return str((await self.application())["state"])

    async def agreement_id(self) -> str:
        found = (await self.application())["agreement_id"]
        assert found is not None, "there is no agreement"
        return str(found)

    async def path(self, rest: str = "") -> str:
        return f"/v1/agreements/{await self.agreement_id()}{rest}"

    async def agreement(self) -> dict[str, Any]:
        return await self.shop.get("channel", await self.path())

    async def signs(self) -> None:
        """Reads the contract, asks for the one-time code, reads it on the phone and accepts that very document."""
        document = (await self.agreement())["document"]
        await self.shop.post("channel", await self.path("/acceptance-codes"))
        code = "".join(filter(str.isdigit, (await self.customer.messages("one_time_code"))[0]))[:6]
        body = {"code": code, "document_sha256": document["sha256"], "restriction_clause_accepted": True}
        await self.shop.post("channel", await self.path("/acceptance"), body)

    async def mandate(self) -> dict[str, Any]:
        return await self.shop.get("channel", await self.path("/pre-authorisation"))

    async def pre_authorises(self) -> None:
        """Confirms in the wallet; the first rent is collected out of it."""
        order = (await self.mandate())["order_string"]
        world = self.shop.world
        body = {"order_str": order, "buyer_id": self.customer.buyer_id, "at": world.beijing_time}
        await world.tell_sandbox("/wallet/confirm", body)
        await world.settle()

    async def is_shipped(self, serial: str | None = None) -> None:
        """The warehouse picks a phone in stock, the oldest unless one is named, and the courier takes it."""
        stock = await self.shop.get_all(f"/v1/assets?state=in_stock&product_id={self.shop.product_id}")
        picked = next(asset for asset in reversed(stock) if serial in (None, asset["serial"]))
        self.asset_id, self.serial = picked["id"], picked["serial"]
        await self.shop.post("warehouse", f"/v1/deliveries/{await self.agreement_id()}/shipments", {"serial": self.serial})

    async def receives_it(self) -> None:
        """The courier rings; the rental begins."""
        await self.parcel_is("picked_up", "in_transit", "signed_for")
        self.commencement_on = self.shop.today
        assert (await self.agreement())["state"] == "active"

    async def parcel_is(self, *statuses: str) -> None:
        """The courier moves this rental's newest parcel and tells of it."""
        delivery = await self.shop.get("warehouse", f"/v1/deliveries/{await self.agreement_id()}")
        parcel = delivery["shipments"][-1]["courier_shipment_id"]
        for status in statuses:
            occurred_at = self.shop.world.clock.now().isoformat()
            await self.shop.world.tell_sandbox(f"/control/courier/{parcel}", {"status": status, "occurred_at": occurred_at})
            await self.shop.world.settle()

    # --- money ---

    async def account(self) -> dict[str, Any]:
        return await self.shop.get("finance", await self.path("/account"))

    async def instalments(self) -> list[str]:
        found = await self.shop.get("finance", await self.path("/instalments"))
        return [row["state"] for row in found["items"]]

    async def payments(self) -> list[dict[str, Any]]:
        """Attempts to collect, oldest first."""
        return list(reversed(await self.shop.get_all(await self.path("/payments"))))

    async def receipts_fen(self) -> list[int]:
        """What came in, oldest first."""
        return [row["amount_fen"] for row in reversed(await self.shop.get_all(await self.path("/receipts")))]

    async def pays(self, amount_fen: int | None = None) -> dict[str, Any]:
        """The customer pays in the app: this much, or all that is owed."""
        if amount_fen is None:
            amount_fen = (await self.account())["balance_due_fen"]
        answer: dict[str, Any] = await self.shop.post("channel", await self.path("/payments"), {"amount_fen": amount_fen})
        return answer

    # --- the end ---

    async def comes_back(self, damage_fen: int = 0) -> None:
        """The phone is received and inspected."""
        await self.shop.post("warehouse", f"/v1/assets/{self.asset_id}/returns")
        item = {"description": "屏幕左下角碎裂" if damage_fen else "正常使用痕迹", "charge_fen": damage_fen}
        await self.shop.post("warehouse", "/v1/inspections", {"asset_id": self.asset_id, "items": [item]})

    async def is_called_off(self) -> None:
        """The signed agreement ends before the handover. No route leads there yet; its neighbours must be ready for the news."""
        agreement_id, (party_id, application_id) = await self.agreement_id(), map(_uuid, (self.party_id, self.application_id))
        async with self.shop.world.runtime.unit(self.shop.tenant_id, system_actor("story")) as uow:
            uow.emit(
                AgreementCancelled(
                    subject_id=_uuid(agreement_id), application_id=application_id, party_id=party_id, reason="out_of_stock"
                )
            )
        await self.shop.world.settle()

    # --- what stands written ---

    async def told(self, *types: str) -> list[dict[str, Any]]:
        """Events of these types about the application or the agreement, in order."""
        subjects = [self.application_id, (await self.application())["agreement_id"]]
        return [
            row.data
            for row in await self.shop.rows(
                "SELECT data FROM platform_event WHERE tenant_id = :tenant AND type = ANY(cast(:types AS text[]))"
                " AND subject_id = ANY(cast(:subjects AS uuid[])) ORDER BY id",
                types=[f"xinzu.{name}.v1" for name in types],
                subjects=[_uuid(text) for text in subjects if text is not None],
            )
        ]

    async def facts(self) -> list[str]:
        """Kinds of the evidence about the agreement, in order."""
        return [leaf["kind"] for leaf in await self.shop.get_all(f"/v1/evidence?subject={await self.agreement_id()}")]


def _uuid(public: str) -> UUID:
    return parse_id(Prefix(public.partition("_")[0]), public)


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
