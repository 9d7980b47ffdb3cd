"""Finance leases and loans over HTTP: drafted, guarded, published, quoted with everything they cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from asyncpg.exceptions import PostgresError

from xinzu.back.billing.api import schedule_of, schedule_terms
from xinzu.front.catalogue import api as catalogue
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.terms import AgreementTerms, Family
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime

COMMON: dict[str, Any] = {
    "late_fee_daily_rate": "0.0003",
    "grace_days": 3,
    "restriction_clause_version": "restriction-2026-01",
}
# A car of 150,000.00, 30,000.00 paid down, 36 months at 6.5 % down to a residual of 30,000.00.
CAR: dict[str, Any] = COMMON | {
    "period_count": 36,
    "deposit_fen": 1_000_000,
    "device_value_fen": 15_000_000,
    "financing": {
        "family": "finance_lease",
        "principal_fen": 12_000_000,
        "annual_rate_pct": "6.5",
        "method": "balloon",
        "balloon_fen": 3_000_000,
    },
}
LOAN: dict[str, Any] = COMMON | {
    "period_count": 12,
    "deposit_fen": 0,
    "financing": {"family": "loan", "principal_fen": 1_200_000, "annual_rate_pct": "12"},
}


async def product_of(api: httpx.AsyncClient, key: dict[str, str], category: str) -> str:
    product = await api.post("/v1/products", json={"name": "产品", "category": category}, headers=key)
    assert product.status_code == 201, product.json()
    return str(product.json()["id"])


async def drafting(
    api: httpx.AsyncClient, key: dict[str, str], terms: dict[str, Any], category: str = "car", **financing: Any
) -> httpx.Response:
    body = terms | {"financing": terms["financing"] | financing, "product_id": await product_of(api, key, category)}
    return await api.post("/v1/plans", json=body, headers=key)


async def published(api: httpx.AsyncClient, key: dict[str, str], drafted: httpx.Response) -> dict[str, Any]:
    assert drafted.status_code == 201, drafted.json()
    plan = await api.post(f"/v1/plans/{drafted.json()['id']}/publication", headers=key)
    assert plan.status_code == 200, plan.json()
    found: dict[str, Any] = plan.json()
    return found


async def quoted(api: httpx.AsyncClient, key: dict[str, str], plan: dict[str, Any]) -> dict[str, Any]:
    quote = await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=key)
    assert quote.status_code == 201, quote.json()
    found: dict[str, Any] = quote.json()
    return found


async def test_a_car_is_leased_down_to_its_residual_value(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    drafted = await drafting(api, api_key, CAR)
    assert (drafted.json()["family"], drafted.json()["rent_fen"]) == ("finance_lease", 292_091)
    assert drafted.json()["financing"]["rounding"] == {
        "mode": "half_up",
        "instalment_multiple_fen": 1,
        "residue": "last",
        "smooth_last": False,
    }
    plan = await published(api, api_key, drafted)
    quote = await quoted(api, api_key, plan)
    rows = quote["instalments"]
    assert (quote["commencement_on"], rows[0]["due_on"], rows[-1]["due_on"]) == ("2026-03-02", "2026-04-02", "2029-03-02")
    assert sum(row["principal_fen"] for row in rows) == 12_000_000
    assert rows[-1]["total_fen"] > 3_000_000
    assert rows[-1]["balance_fen"] == 0
    terms = quote["terms"]
    assert (terms["rent_fen"], terms["rent_total_fen"]) == (rows[0]["total_fen"], sum(row["total_fen"] for row in rows))
    assert terms["authorised_fen"] == terms["rent_total_fen"] + 1_000_000
    amounts = {line["code"]: line["amount_fen"] for line in quote["cost_table"]}
    assert (amounts["balloon"], amounts["down_payment"], amounts["deposit"]) == (3_000_000, 3_000_000, 1_000_000)
    assert quote["annual_cost_pct"] == plan["annual_cost_pct"] == terms["annual_cost_pct"]
    assert Decimal("6.5") < Decimal(quote["annual_cost_pct"]) < 12
    assert quote["annual_rate_pct"] == "6.5"
    assert quote["warnings"] == []


async def test_a_loan_of_twelve_months_is_what_the_manual_of_schedules_says(
    api: httpx.AsyncClient, api_key: dict[str, str]
) -> None:
    plan = await published(api, api_key, await drafting(api, api_key, LOAN, "cash_loan"))
    assert (plan["device_value_fen"], plan["rent_fen"]) == (0, 106_619)
    quote = await quoted(api, api_key, plan)
    assert [row["total_fen"] for row in quote["instalments"]] == [106_619] * 11 + [106_614]
    assert quote["terms"]["rent_total_fen"] == 1_279_423
    assert [warned["code"] for warned in quote["warnings"]] == ["catalogue.cost_above_four_times_lpr"]
    assert plan["warnings"] == quote["warnings"]
    assert (await api.get(f"/v1/plans/{plan['id']}", headers=api_key)).json() == plan
    assert (await api.get("/v1/plans", headers=api_key)).json()["items"] == [plan]


async def test_the_terms_of_a_quote_are_kept_and_taken_up_with_their_financing(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan = await published(api, api_key, await drafting(api, api_key, CAR, grace={"principal": 2}, upfront_fee_fen=50_000))
    quote = await quoted(api, api_key, plan)
    async with runtime.reading(tenant_id) as read:
        plan_id, quote_id = parse_id(Prefix.PLAN, plan["id"]), parse_id(Prefix.QUOTE, quote["id"])
        kept = (await catalogue.terms_of_quotes(read, [quote_id]))[quote_id]
        offered = (await catalogue.quote(read, [plan_id]))[plan_id]
        again = (await catalogue.quote(read, [plan_id]))[plan_id]
        assert isinstance(kept, AgreementTerms)
        assert kept == offered
        assert again is offered, "terms are computed once a day and version"
        assert kept.family is Family.FINANCE_LEASE
        assert kept.financing is not None
        schedule = schedule_of(schedule_terms(kept.financing, kept.period_months, kept.period_count, read.business_date))
    assert [row.total_fen for row in schedule.rows] == [row["total_fen"] for row in quote["instalments"]]
    assert quote["instalments"][0]["fee_fen"] == 50_000
    assert quote["instalments"][0]["principal_fen"] == 0


async def test_an_instalment_that_is_given_brings_its_rate(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    wanted = LOAN | {"rent_fen": 106_600, "financing": {"family": "loan", "principal_fen": 1_200_000}}
    plan = await published(api, api_key, await drafting(api, api_key, wanted, "cash_loan"))
    assert plan["financing"]["annual_rate_pct"] == "11.967"
    quote = await quoted(api, api_key, plan)
    assert {row["total_fen"] for row in quote["instalments"][:-1]} == {106_600}


async def test_small_loan_guidance_2025_no_financing_above_24_pct_all_in_is_published(
    api: httpx.AsyncClient, api_key: dict[str, str]
) -> None:
    """Flat interest of 12 % costs 23.8 % a year; a fee of 30.00 on top is too much, and so is a deposit on a lease."""
    flat = await published(api, api_key, await drafting(api, api_key, LOAN, "cash_loan", method="flat"))
    assert Decimal("23.5") < Decimal(flat["annual_cost_pct"]) <= 24
    with_fee = await drafting(api, api_key, LOAN, "cash_loan", method="flat", upfront_fee_fen=6_000)
    refused = await api.post(f"/v1/plans/{with_fee.json()['id']}/publication", headers=api_key)
    assert (refused.status_code, refused.json()["code"]) == (422, "catalogue.cost_above_cap")
    assert refused.json()["errors"][0]["pointer"] == "/financing/annual_rate_pct"
    held = await drafting(api, api_key, CAR | {"deposit_fen": 11_000_000})
    assert (await api.post(f"/v1/plans/{held.json()['id']}/publication", headers=api_key)).status_code == 422
    endless = await drafting(api, api_key, CAR | {"deposit_fen": 12_000_000})
    unbounded = await api.post(f"/v1/plans/{endless.json()['id']}/publication", headers=api_key)
    assert "no bound" in unbounded.json()["detail"] or "无上限" in unbounded.json()["detail"]


async def test_the_cap_is_asked_again_for_a_commencement_on_the_day_of_the_quote(
    api: httpx.AsyncClient, api_key: dict[str, str], clock: FixedClock
) -> None:
    """The same loan costs more when its short month comes first; a tenant's cap between the two refuses one day and not the other."""
    plan = await published(api, api_key, await drafting(api, api_key, LOAN, "cash_loan"))
    in_march = Decimal(plan["annual_cost_pct"])
    await api.put("/v1/pricing-policy", json={"annual_cost_max_pct": f"{in_march:.2f}"}, headers=api_key)
    costs = []
    for _ in range(40):
        quote = await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=api_key)
        costs.append(quote.status_code)
        if quote.status_code == 201:
            assert Decimal(quote.json()["annual_cost_pct"]) <= Decimal(f"{in_march:.2f}")
        else:
            assert quote.json()["code"] == "catalogue.cost_above_cap"
        clock.advance(timedelta(days=10))
    assert set(costs) == {201, 422}


@pytest.mark.parametrize(
    ("terms", "financing", "pointer"),
    [
        (LOAN, {"annual_rate_pct": "NaN"}, "/financing/annual_rate_pct"),
        (LOAN, {"annual_rate_pct": "-1"}, "/financing/annual_rate_pct"),
        (LOAN, {"annual_rate_pct": 12}, "/financing/annual_rate_pct"),
        (LOAN, {"annual_rate_pct": None}, "/financing/annual_rate_pct"),
        (LOAN, {"principal_fen": 0}, "/financing/principal_fen"),
        (LOAN, {"principal_fen": 1.5}, "/financing/principal_fen"),
        (LOAN, {"family": "rental"}, "/financing/family"),
        (LOAN, {"method": "guess"}, "/financing/method"),
        (LOAN, {"balloon_fen": 1_200_001}, "/financing/balloon_fen"),
        (LOAN, {"method": "flat", "balloon_fen": 1}, "/financing/balloon_fen"),
        (LOAN, {"method": "stepped", "weights": ["1"] * 11}, "/financing/weights"),
        (LOAN, {"method": "stepped", "weights": ["0"] * 12}, "/financing/weights"),
        (LOAN, {"method": "stepped", "weights": ["NaN"] * 12}, "/financing/weights/0"),
        (LOAN, {"weights": ["1"] * 12}, "/financing/weights"),
        (LOAN, {"grace": {"principal": 12}}, "/financing/grace/principal"),
        (LOAN, {"grace": {"interest": 61}}, "/financing/grace/interest"),
        (LOAN, {"grace": {"principal": 2}, "interest_free": 2}, "/financing/grace"),
        (LOAN, {"interest_free": 13}, "/financing/interest_free"),
        (LOAN, {"rounding": {"instalment_multiple_fen": 0}}, "/financing/rounding/instalment_multiple_fen"),
        (LOAN, {"subsidy_fen": 1_200_000}, "/financing/subsidy_fen"),
        (LOAN, {"unheard_of": 1}, "/financing"),
        (LOAN | {"period_count": 0}, {}, "/period_count"),
        (LOAN | {"rent_fen": 100_000}, {}, "/rent_fen"),
        (LOAN | {"rent_fen": 99_999}, {"annual_rate_pct": None}, "/rent_fen"),
        (LOAN | {"rent_fen": 110_000}, {"annual_rate_pct": None, "method": "flat"}, "/financing/method"),
        (CAR, {"principal_fen": 15_000_001}, "/financing/principal_fen"),
        (CAR | {"residual_value_fen": 1}, {}, "/residual_value_fen"),
    ],
)
async def test_what_cannot_be_is_named_by_its_field(
    api: httpx.AsyncClient, api_key: dict[str, str], terms: dict[str, Any], financing: dict[str, Any], pointer: str
) -> None:
    refused = await drafting(api, api_key, terms, "car", **financing)
    assert refused.status_code in (400, 422), refused.json()
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_civil_code_art_735_money_is_not_leased(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    refused = await drafting(api, api_key, CAR, "cash_loan")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "catalogue.cash_is_only_lent")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("""financing = '{"family": "gift"}', device_value_fen = 1""", "family_known"),
        ("device_value_fen = 1", "device_value_of_family"),
        ("financing = NULL, device_value_fen = 1", "end_value"),
        ("state = 'published', annual_cost_pct = 24.1", "annual_cost_cap"),
    ],
)
async def test_the_database_knows_what_a_family_has(
    api: httpx.AsyncClient,
    api_key: dict[str, str],
    runtime: Runtime,
    tenant_id: int,
    actor: Actor,
    change: str,
    constraint: str,
) -> None:
    plan = (await drafting(api, api_key, LOAN, "cash_loan")).json()
    with pytest.raises(PostgresError, match=constraint):
        async with runtime.unit(tenant_id, actor) as uow:
            await uow.execute(
                f"UPDATE catalogue_plan SET {change} WHERE tenant_id = :tenant AND id = :id", id=parse_id(Prefix.PLAN, plan["id"])
            )


async def test_a_stricter_tenant_s_cap_holds_for_orders_too(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    plan = await published(api, api_key, await drafting(api, api_key, CAR))
    await api.put("/v1/pricing-policy", json={"annual_cost_max_pct": "5"}, headers=api_key)
    async with runtime.reading(tenant_id) as read:
        plan_id = parse_id(Prefix.PLAN, plan["id"])
        assert isinstance((await catalogue.quote(read, [plan_id]))[plan_id], Problem)
