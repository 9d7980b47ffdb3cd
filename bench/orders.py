"""A merchant with one plan, and as many different orders for it as a measurement needs."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import msgspec

from bench.load import post
from xinzu.app.demo.fill import CONSENTS
from xinzu.kernel.ids import new_id
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.identifiers import identity_no_check
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_tenant, issue_api_key

PLAN = {
    "period_count": 12,
    "rent_fen": 32_900,
    "deposit_fen": 200_000,
    "device_value_fen": 459_900,
    "residual_value_fen": 115_000,
    "early_return_fee_fen": 32_900,
    "late_fee_daily_rate": "0.0003",
    "grace_days": 0,
    "restriction_clause_version": "2026-01",
}
# The strategy approves these, so that every order goes all the way to a draft.
SIGNALS = {"credit_score": 745, "channel_admitted": True, "rent_risk_rank": "low", "list_match": False, "shared_device": False}

_numbers = itertools.count()  # no person orders twice


@dataclass(frozen=True, slots=True)
class Shop:
    """One merchant: its number, its key and the plan that is ordered."""

    tenant_id: int
    key: str
    plan_id: str


async def open_shop(runtime: Runtime, base_url: str) -> Shop:
    """A new merchant, its product and plan published through the API."""
    slug = f"bench-{new_id().hex[-12:]}"
    tenant_id = await create_tenant(runtime, slug, "bench")
    async with runtime.unit(tenant_id, system_actor("bench")) as uow:
        key = (await issue_api_key(uow, slug, "bench", ["owner"])).secret
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30) as api:

        async def ask(path: str, body: object = None) -> str:
            response = await api.post(path, json=body)
            response.raise_for_status()
            return str(response.json()["id"])

        product_id = await ask("/v1/products", {"name": "星河 17 手机 256G", "category": "phone"})
        plan_id = await ask("/v1/plans", {"product_id": product_id, **PLAN})
        await ask(f"/v1/plans/{plan_id}/publication")
    return Shop(tenant_id, key, plan_id)


def orders(shop: Shop, count: int) -> Sequence[bytes]:
    """Requests of as many different people, each under its own idempotency key."""
    return [_order(shop, next(_numbers)) for _ in range(count)]


def _order(shop: Shop, number: int) -> bytes:
    first_17 = (
        f"440305{1970 + number // 336_000:04d}{number // 28_000 % 12 + 1:02d}{number // 1_000 % 28 + 1:02d}{number % 1_000:03d}"
    )
    body = {
        "channel": "alipay",
        "plan_id": shop.plan_id,
        "applicant": {
            "name": "欧阳晓明",
            "identity_no": first_17 + identity_no_check(first_17),
            "phone": f"139{number:08d}",
        },
        "delivery_address": f"广东省深圳市南山区科技园路{number % 300}号{number % 30}栋{number % 2000}室",
        "consents": CONSENTS,
        "signals": SIGNALS,
    }
    headers = {"Authorization": f"Bearer {shop.key}", "Idempotency-Key": str(uuid.uuid4())}
    return post("/v1/applications", msgspec.json.encode(body), headers)
