"""What the stories about applications start from: an offer, an applicant with valid numbers, a request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from xinzu.front.applications import api as applications
from xinzu.front.catalogue import api as catalogue
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.outcomes import Outcome, accepted
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.identifiers import identity_no_check
from xinzu.platform.runtime import Runtime

CLERK = system_actor("test")
ADDRESS = "浙江省杭州市西湖区文三路90号3单元"


def identity_no(number: int) -> str:
    """A valid identity number, another for each number below 13,440,000."""
    first_17 = f"330106{1960 + number % 40}{1 + number // 40 % 12:02d}{1 + number // 480 % 28:02d}{number // 13_440 % 1000:03d}"
    return first_17 + identity_no_check(first_17)


def phone(number: int) -> str:
    return f"138{number % 100_000_000:08d}"


async def offer(runtime: Runtime, tenant_id: int) -> str:
    """A published plan; its public id."""
    async with runtime.unit(tenant_id, CLERK) as uow:
        product = accepted((await catalogue.create_products(uow, [catalogue.NewProduct(name="手机 256G", category="phone")]))[0])
        plan = accepted(
            (
                await catalogue.create_plans(
                    uow,
                    [
                        catalogue.NewPlan(
                            product_id=product.id,
                            period_count=12,
                            rent_fen=39_900,
                            deposit_fen=300_000,
                            device_value_fen=599_900,
                            residual_value_fen=170_000,
                            late_fee_daily_rate="0.0003",
                            restriction_clause_version="restriction-2026-01",
                        )
                    ],
                )
            )[0]
        )
        accepted((await catalogue.publish_plans(uow, [parse_id(Prefix.PLAN, plan.id)]))[0])
    return plan.id


def body(plan_id: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """The JSON of an application."""
    return {
        "channel": "alipay",
        "plan_id": plan_id,
        "applicant": {"name": "张小凡", "identity_no": identity_no(number), "phone": phone(number)},
        "delivery_address": ADDRESS,
        "consents": {"application": "v3", "identity_check": "v2", "decision": "v1"},
        "signals": {"sesame_band": "A", "device_age_days": 300, "shared_wifi": False},
        **changes,
    }


def request(plan_id: str, number: int = 1, **changes: Any) -> applications.SubmitApplication:
    return msgspec.convert(body(plan_id, number, **changes), applications.SubmitApplication)


async def submitted(
    runtime: Runtime, tenant_id: int, requests: list[applications.SubmitApplication]
) -> list[Outcome[applications.ApplicationView]]:
    """Submit a batch in one transaction."""
    async with runtime.unit(tenant_id, CLERK) as uow:
        return await applications.submit(uow, requests)


async def application(runtime: Runtime, tenant_id: int, plan_id: str, number: int = 1) -> UUID:
    """One application taken in; its id."""
    return parse_id(Prefix.APPLICATION, accepted((await submitted(runtime, tenant_id, [request(plan_id, number)]))[0]).id)


async def state_of(runtime: Runtime, tenant_id: int, application_id: UUID) -> str:
    async with runtime.reading(tenant_id) as read:
        return (await applications.application(read, application_id)).state
