"""Opening the two demo merchants: logins, keys, products, plans, stock, warehouse, Alipay account at the twin."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from xinzu.app.sandbox.merchants import AlipayMerchant, alipay_keys, register
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.back.payments import api as payments
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.signing import new_rsa_keys
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_operator, create_tenant, issue_api_key

DEMO_FILE = "demo.json"
PASSWORD = "xinzu-demo"  # noqa: S105 (the demo prints it; there is nothing behind it but play money)
RESTRICTION_CLAUSE = "2026-01"
BY = system_actor("demo")


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """A product and its plan as the demo's merchants offer it. With ``financing`` it is paid off, and none of it is in stock."""

    product: str
    category: str
    period_count: int
    rent_fen: int = 0
    deposit_fen: int = 0
    device_value_fen: int = 0
    residual_value_fen: int = 0
    early_return_fee_fen: int = 0
    stock: int = 0
    financing: Mapping[str, object] | None = None


# 28,000 of the van's 128,000 yuan are paid down; the residual value falls due with the last instalment.
VAN = PlanOffer(
    "远途 V5 新能源厢式货车",
    "truck",
    24,
    device_value_fen=12_800_000,
    financing={
        "family": "finance_lease",
        "principal_fen": 10_000_000,
        "annual_rate_pct": "8.5",
        "method": "balloon",
        "balloon_fen": 3_000_000,
        "day_count": "actual/365",
    },
)
LOAN = PlanOffer("现金分期", "cash_loan", 12, financing={"family": "loan", "principal_fen": 1_200_000, "annual_rate_pct": "11.4"})


OFFERS: Mapping[str, Sequence[PlanOffer]] = {
    "shanhu": (
        PlanOffer("星河 17 手机 256G", "phone", 12, 32_900, 200_000, 459_900, 115_000, 32_900, 80),
        PlanOffer("星河 17 Pro 手机 512G", "phone", 12, 49_900, 300_000, 739_900, 215_000, 49_900, 80),
    ),
    "kaoya": (
        PlanOffer("远山 R6 微单相机", "camera", 3, 76_900, 400_000, 1_099_900, 900_000, 76_900, 45),
        PlanOffer("星河 17 手机 256G", "phone", 6, 44_900, 200_000, 459_900, 215_000, 44_900, 45),
        VAN,
        LOAN,
    ),
}
NAMES = {"shanhu": "珊瑚数码租赁（演示）", "kaoya": "考亚影像租赁与金融（演示）"}


def rented(slug: str) -> list[int]:
    """The numbers of a merchant's offers that are rented out and not financed."""
    return [number for number, offer in enumerate(OFFERS[slug]) if offer.financing is None]


@dataclass(frozen=True, slots=True)
class Shop:
    """One demo merchant: its number and what its people and servers log in with."""

    slug: str
    tenant_id: int
    name: str
    keys: Mapping[str, str]
    plan_ids: Sequence[str]
    product_ids: Sequence[str]

    def headers(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[role]}"}


async def open_shop(runtime: Runtime, api: httpx.AsyncClient, slug: str, gateway_url: str) -> Shop:
    """A merchant ready to rent out: created by the command line's functions, filled through the API."""
    tenant_id = await create_tenant(runtime, slug, NAMES[slug])
    keys: dict[str, str] = {}
    async with runtime.unit(tenant_id, BY) as uow:
        for role in ("owner", "risk", "warehouse", "finance"):
            await create_operator(uow, role, PASSWORD, [role])
        for role in ("owner", "channel", "risk", "warehouse", "finance"):
            keys[role] = (await issue_api_key(uow, slug, f"demo {role}", [role])).secret
    await _connect_alipay(runtime, tenant_id, slug, gateway_url)
    shop = Shop(slug, tenant_id, NAMES[slug], keys, [], [])
    plan_ids, product_ids = [], []
    for number, offer in enumerate(OFFERS[slug]):
        product = await post(api, "/v1/products", {"name": offer.product, "category": offer.category}, shop.headers("owner"))
        plan = await post(api, "/v1/plans", _plan(product["id"], offer), shop.headers("owner"))
        await post(api, f"/v1/plans/{plan['id']}/publication", None, shop.headers("owner"))
        plan_ids.append(plan["id"])
        product_ids.append(product["id"])
        for serial in range(offer.stock):
            body = {
                "serial": f"35{tenant_id:02d}{number:02d}{serial:09d}",
                "product_id": product["id"],
                "purchase_cost_fen": offer.device_value_fen * 9 // 10,
            }
            await post(api, "/v1/assets", body, shop.headers("warehouse"))
    warehouse = {"name": "仓库", "phone": "075512345678", "address": "广东省深圳市南山区科技园演示仓 1 号"}
    await request(api, "PUT", "/v1/assets/warehouse", warehouse, shop.headers("warehouse"))
    return Shop(slug, tenant_id, NAMES[slug], keys, plan_ids, product_ids)


def _plan(product_id: str, offer: PlanOffer) -> dict[str, object]:
    plan: dict[str, object] = {
        "product_id": product_id,
        "period_count": offer.period_count,
        "deposit_fen": offer.deposit_fen,
        "late_fee_daily_rate": "0.0003",
        "grace_days": 0,
    }
    if offer.financing is not None:
        value = {"device_value_fen": offer.device_value_fen} if offer.device_value_fen else {}
        return plan | value | {"restriction_clause_version": "none", "financing": offer.financing}
    return plan | {
        "rent_fen": offer.rent_fen,
        "device_value_fen": offer.device_value_fen,
        "residual_value_fen": offer.residual_value_fen,
        "early_return_fee_fen": offer.early_return_fee_fen,
        "restriction_clause_version": RESTRICTION_CLAUSE,
    }


async def _connect_alipay(runtime: Runtime, tenant_id: int, slug: str, gateway_url: str) -> None:
    """A merchant's app at the Alipay twin, with a key pair of its own."""
    app_id, seller_id = f"20210000{tenant_id:08d}", f"20881021{tenant_id:08d}"
    pair = new_rsa_keys()
    folder = sandbox_folder(runtime.settings.home)
    register(folder, alipay=(AlipayMerchant(app_id, seller_id, pair.public_pem),))
    async with runtime.unit(tenant_id, BY) as uow:
        await payments.configure_alipay(
            uow,
            app_id=app_id,
            gateway_url=gateway_url,
            seller_id=seller_id,
            private_key_pem=pair.private_pem,
            alipay_public_key=alipay_keys(folder).public_pem,
        )


async def request(api: httpx.AsyncClient, method: str, path: str, body: object, headers: Mapping[str, str]) -> dict[str, Any]:
    """One call of the API as a merchant's server makes it; raises RuntimeError with the problem's words when it is refused."""
    response = await api.request(method, path, json=body, headers=dict(headers))
    if response.is_error:
        raise RuntimeError(f"{method} {path} → {response.status_code} {response.text}")
    return response.json() if response.content else {}


async def post(api: httpx.AsyncClient, path: str, body: object, headers: Mapping[str, str]) -> dict[str, Any]:
    return await request(api, "POST", path, body, headers)


async def get(api: httpx.AsyncClient, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return await request(api, "GET", path, None, headers)


def save_shops(home: Path, shops: Sequence[Shop]) -> None:
    """Keep the demo's keys (mode 0600), so that ``xinzu demo story`` and a second start find them."""
    path = home / DEMO_FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump([asdict(shop) for shop in shops], file, ensure_ascii=False, indent=1)


def saved_shops(home: Path) -> list[Shop] | None:
    """The demo's merchants, or None when this home was never filled to the end."""
    path = home / DEMO_FILE
    if not path.exists():
        return None
    return [Shop(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
