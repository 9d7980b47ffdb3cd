"""Rental products over HTTP: drafted, guarded by what they cost a year, quoted with their cost table."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
from asyncpg.exceptions import PostgresError
from tests.integration.catalogue.test_catalogue import TERMS, drafted

from xinzu.kernel.ids import Prefix, parse_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime

Headers = dict[str, str]


async def published(api: httpx.AsyncClient, key: Headers, **changes: Any) -> httpx.Response:
    plan = await drafted(api, key, **changes)
    return await api.post(f"/v1/plans/{plan['id']}/publication", headers=key)


async def quoted(api: httpx.AsyncClient, key: Headers, **changes: Any) -> dict[str, Any]:
    plan = (await published(api, key, **changes)).json()
    quote = await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=key)
    assert quote.status_code == 201, quote.json()
    found: dict[str, Any] = quote.json()
    return found


def line(quote: dict[str, Any], code: str) -> dict[str, Any]:
    [found] = [each for each in quote["cost_table"] if each["code"] == code]
    return dict(found)


async def test_three_rents_at_the_start_are_quoted_as_they_fall_due_and_cost_more(
    api: httpx.AsyncClient, api_key: Headers
) -> None:
    quote = await quoted(api, api_key, first_rents=3)
    terms = quote["terms"]
    assert (terms["first_rents"], terms["first_payment_fen"]) == (3, 119_700)
    assert (terms["rent_total_fen"], terms["authorised_fen"]) == (478_800, 778_800)
    assert [(row["n"], row["due_on"], row["total_fen"]) for row in quote["instalments"][:2]] == [
        (1, "2026-03-02", 119_700),
        (2, "2026-04-02", 39_900),
    ]
    assert (len(quote["instalments"]), quote["instalments"][-1]["due_on"]) == (10, "2026-12-02")
    assert Decimal(quote["annual_cost_pct"]) > Decimal("14.141558")
    assert "首期与最后 2 期" in line(quote, "instalments")["when_zh"]


async def test_rents_at_the_start_bring_a_plan_above_the_cap(api: httpx.AsyncClient, api_key: Headers) -> None:
    refused = await published(api, api_key, first_rents=6)
    assert (refused.status_code, refused.json()["code"]) == (422, "catalogue.cost_above_cap")
    assert refused.json()["errors"][0]["pointer"] == "/rent_fen"


async def test_a_rental_to_own_is_warned_of_and_its_price_counts(api: httpx.AsyncClient, api_key: Headers) -> None:
    own = {"ends_in": "own", "residual_value_fen": None, "rent_fen": 52_000}
    free = await published(api, api_key, **own, buyout_fen=0)
    assert [warned["code"] for warned in free.json()["warnings"]] == ["catalogue.transfers_ownership"]
    quote = await quoted(api, api_key, **own, buyout_fen=10_000)
    assert Decimal(quote["annual_cost_pct"]) > Decimal(free.json()["annual_cost_pct"])
    assert "catalogue.transfers_ownership" in {warned["code"] for warned in quote["warnings"]}
    assert (line(quote, "transfer")["amount_fen"], quote["instalments"][-1]["due_on"]) == (10_000, "2027-03-02")
    assert quote["terms"]["authorised_fen"] == 300_000 + 12 * 52_000 + 10_000
    refused = await published(api, api_key, **own, buyout_fen=300_000)
    assert refused.json()["code"] == "catalogue.cost_above_cap"


async def test_no_month_s_price_may_cost_more_a_year_than_the_cap(api: httpx.AsyncClient, api_key: Headers) -> None:
    """A phone worth 5,999 that is bought after a month for 9,000 is lending in disguise, whatever the rents are."""
    table = [599_900 - 39_900 * month for month in range(1, 12)] + [170_000]
    quote = await quoted(api, api_key, buyout_prices_fen=table, buyout_fen=170_000)
    assert quote["terms"]["buyout_prices_fen"] == table
    assert quote["annual_cost_pct"] == "14.141558"
    assert line(quote, "early_buyout")["amount_fen"] is None
    refused = await published(api, api_key, buyout_prices_fen=[900_000, *table[1:]], buyout_fen=170_000)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/buyout_prices_fen")
    assert "第 1 个月" in refused.json()["errors"][0]["detail"]


async def test_a_cap_that_is_lowered_reaches_the_prices_of_published_plans(api: httpx.AsyncClient, api_key: Headers) -> None:
    table = [599_900 - 39_900 * month + 8_000 for month in range(1, 12)] + [160_000]
    plan = (await published(api, api_key, residual_value_fen=None, buyout_prices_fen=table, buyout_fen=160_000)).json()
    assert plan["state"] == "published", plan
    await api.put("/v1/pricing-policy", json={"annual_cost_max_pct": "14"}, headers=api_key)
    refused = await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=api_key)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/buyout_prices_fen")


async def test_due_dates_that_move_are_quoted_moved(api: httpx.AsyncClient, api_key: Headers) -> None:
    plain = await quoted(api, api_key)
    later, earlier = [await quoted(api, api_key, due_shift=policy) for policy in ("following", "preceding")]
    assert [quote["instalments"][2]["due_on"] for quote in (plain, later, earlier)] == ["2026-05-02", "2026-05-06", "2026-04-30"]
    assert later["annual_cost_pct"] == plain["annual_cost_pct"]
    assert Decimal(earlier["annual_cost_pct"]) > Decimal(plain["annual_cost_pct"])
    assert "顺延至下一工作日" in line(later, "instalments")["when_zh"]


async def test_a_financing_s_interest_follows_a_due_date_that_moves_back_and_not_one_that_moves_on(
    api: httpx.AsyncClient, api_key: Headers
) -> None:
    product = (await api.post("/v1/products", json={"name": "现金分期", "category": "cash_loan"}, headers=api_key)).json()
    loan = {
        "product_id": product["id"],
        "period_count": 12,
        "deposit_fen": 0,
        "restriction_clause_version": "none",
        "due_shift": "following",
        "financing": {"family": "loan", "principal_fen": 1_200_000, "annual_rate_pct": "12"},
    }
    plan = (await api.post("/v1/plans", json=loan, headers=api_key)).json()
    await api.post(f"/v1/plans/{plan['id']}/publication", headers=api_key)
    quote = (await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=api_key)).json()
    assert [row["due_on"] for row in quote["instalments"][:2]] == ["2026-04-02", "2026-05-06"]
    earlier = (await api.post("/v1/plans", json=loan | {"due_shift": "preceding"}, headers=api_key)).json()
    await api.post(f"/v1/plans/{earlier['id']}/publication", headers=api_key)
    back = (await api.post("/v1/quotes", json={"plan_id": earlier["id"]}, headers=api_key)).json()
    assert [row["due_on"] for row in back["instalments"][:2]] == ["2026-04-02", "2026-04-30"]
    assert back["instalments"][1]["interest_fen"] < quote["instalments"][1]["interest_fen"]


async def test_the_database_keeps_what_is_a_rental_s_from_a_financing(
    api: httpx.AsyncClient, api_key: Headers, runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    plan = await drafted(api, api_key, first_rents=12)
    assert plan["first_rents"] == TERMS["period_count"]
    for change, name in (("first_rents = 13", "ways"), ("ends_in = 'own'", "transfer_priced"), ("due_shift = 'x'", "due_shift")):
        with pytest.raises(PostgresError, match=name):
            async with runtime.unit(tenant_id, actor) as uow:
                await uow.execute(
                    f"UPDATE catalogue_plan SET {change} WHERE tenant_id = :tenant AND id = :id",
                    id=parse_id(Prefix.PLAN, plan["id"]),
                )
