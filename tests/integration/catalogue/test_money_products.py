"""Products by the day, by the week, in tranches, with rates in steps and leased back: drafted, guarded and quoted over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

Headers = dict[str, str]
PLAN: dict[str, Any] = {
    "deposit_fen": 0,
    "late_fee_daily_rate": "0.0003",
    "grace_days": 3,
    "restriction_clause_version": "restriction-2026-01",
}
BY_DAY = PLAN | {
    "period_count": 60,
    "device_value_fen": 600_000,
    "residual_value_fen": 480_000,
    "daily": {"bands": [{"from_day": 1, "daily_fen": 3_000}, {"from_day": 8, "daily_fen": 2_000}], "month_days_max": 25},
}
LOAN = PLAN | {"period_count": 6, "financing": {"family": "loan", "principal_fen": 600_000, "annual_rate_pct": "12"}}
LEASE = PLAN | {
    "period_count": 6,
    "device_value_fen": 600_000,
    "financing": {"family": "finance_lease", "principal_fen": 600_000, "annual_rate_pct": "8"},
}


def financed(plan: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return plan | {"financing": plan["financing"] | changes}


async def drafted(api: httpx.AsyncClient, key: Headers, plan: dict[str, Any], category: str = "equipment") -> httpx.Response:
    product = await api.post("/v1/products", json={"name": "样品", "category": category}, headers=key)
    return await api.post("/v1/plans", json=plan | {"product_id": product.json()["id"]}, headers=key)


async def published(api: httpx.AsyncClient, key: Headers, plan: dict[str, Any], category: str = "equipment") -> httpx.Response:
    made = await drafted(api, key, plan, category)
    assert made.status_code == 201, made.json()
    return await api.post(f"/v1/plans/{made.json()['id']}/publication", headers=key)


@pytest.mark.parametrize(
    ("plan", "category", "pointer", "code"),
    [
        (BY_DAY | {"rent_fen": 1}, "camera", "/rent_fen", "catalogue.rent_is_by_day"),
        (BY_DAY | {"residual_value_fen": None}, "camera", "/residual_value_fen", "catalogue.end_value_missing"),
        (BY_DAY | {"buyout_fen": 1}, "camera", "/buyout_fen", "catalogue.daily_comes_back"),
        (BY_DAY | {"ends_in": "own"}, "camera", "/ends_in", "catalogue.daily_comes_back"),
        (BY_DAY | {"first_rents": 2}, "camera", "/first_rents", "catalogue.first_rents_of_periods"),
        (BY_DAY | {"period_days": 7}, "camera", "/period_days", "catalogue.daily_has_no_periods"),
        (BY_DAY | {"period_months": 1}, "camera", "/period_months", "catalogue.daily_has_no_periods"),
        (
            BY_DAY | {"daily": {"bands": [{"from_day": 2, "daily_fen": 1}]}},
            "camera",
            "/daily/bands",
            "billing.terms_refused",
        ),
        (
            BY_DAY | {"daily": {"bands": [{"from_day": 1, "daily_fen": 0}]}},
            "camera",
            "/daily/bands",
            "catalogue.first_day_is_free",
        ),
        (LOAN | {"daily": BY_DAY["daily"]}, "cash_loan", "/daily", "catalogue.daily_of_rentals"),
        (LOAN | {"period_days": 7, "period_months": 1}, "cash_loan", "/period_days", "catalogue.period_said_twice"),
        (LOAN | {"period_count": 61}, "cash_loan", "/period_count", "catalogue.too_many_periods"),
        (LOAN | {"period_days": 7, "period_count": 105}, "cash_loan", "/period_count", "catalogue.too_many_periods"),
        (
            financed(LOAN, tranches=[{"after_days": 0, "amount_fen": 1}]),
            "cash_loan",
            "/financing/tranches",
            "billing.terms_refused",
        ),
        (
            financed(LOAN, tranches=[{"after_days": 900, "amount_fen": 600_000}]),
            "cash_loan",
            "/financing/tranches",
            "billing.terms_refused",
        ),
        (
            financed(LEASE, tranches=[{"after_days": 0, "amount_fen": 600_000}]),
            "truck",
            "/financing/tranches",
            "catalogue.tranches_of_loans",
        ),
        (
            financed(LOAN, rate_steps=[{"from_period": 7, "annual_rate_pct": "6"}]),
            "cash_loan",
            "/financing/rate_steps",
            "billing.terms_refused",
        ),
        (
            financed(LOAN, annual_rate_pct=None, rate_steps=[{"from_period": 3, "annual_rate_pct": "6"}]) | {"rent_fen": 103_530},
            "cash_loan",
            "/rent_fen",
            "catalogue.rate_not_solvable",
        ),
        (financed(LOAN, is_leaseback=True), "cash_loan", "/financing/is_leaseback", "catalogue.leaseback_of_leases"),
        (financed(LEASE, is_leaseback=True), "phone", "/financing/is_leaseback", "catalogue.not_leased_back"),
        (
            financed(LOAN, timing="advance") | {"due_shift": "preceding"},
            "cash_loan",
            "/financing/timing",
            "billing.terms_refused",
        ),
    ],
)
async def test_what_cannot_be_is_named(
    api: httpx.AsyncClient, api_key: Headers, plan: dict[str, Any], category: str, pointer: str, code: str
) -> None:
    refused = await drafted(api, api_key, {name: value for name, value in plan.items() if value is not None}, category)
    assert refused.status_code == 422, refused.json()
    [error] = refused.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


async def test_a_plan_by_the_day_is_quoted_for_the_days_it_offers_and_no_others(api: httpx.AsyncClient, api_key: Headers) -> None:
    plan = (await published(api, api_key, BY_DAY, "camera")).json()
    assert (plan["rent_fen"], plan["period_days"], plan["period_months"], plan["period_count"]) == (3_000, 1, 0, 60)
    for days in (None, 61):
        refused = await api.post("/v1/quotes", json={"plan_id": plan["id"], "days": days}, headers=api_key)
        assert (refused.status_code, refused.json()["code"]) == (422, "catalogue.days_refused")
    quotes = [
        (await api.post("/v1/quotes", json={"plan_id": plan["id"], "days": days}, headers=api_key)).json() for days in (3, 10, 60)
    ]
    assert [quote["terms"]["rent_total_fen"] for quote in quotes] == [9_000, 27_000, 57_000 + 50_000]
    assert [quote["terms"]["period_count"] for quote in quotes] == [3, 10, 60]
    assert all(Decimal(quote["annual_cost_pct"]) <= Decimal(plan["annual_cost_pct"]) for quote in quotes)
    assert quotes[0]["annual_cost_pct"] == "0.000000"
    other = (await published(api, api_key, LOAN, "cash_loan")).json()
    refused = await api.post("/v1/quotes", json={"plan_id": other["id"], "days": 3}, headers=api_key)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/days")


async def test_the_cap_counts_for_as_many_days_as_cost_most(api: httpx.AsyncClient, api_key: Headers) -> None:
    refused = await published(api, api_key, BY_DAY | {"residual_value_fen": 560_000}, "camera")
    assert (refused.status_code, refused.json()["code"]) == (422, "catalogue.cost_above_cap")
    assert refused.json()["errors"][0]["pointer"] == "/daily/bands"


async def test_a_cost_above_four_times_lpr_is_warned_of_whatever_the_period(api: httpx.AsyncClient, api_key: Headers) -> None:
    weekly = (
        await published(api, api_key, financed(LOAN | {"period_days": 7, "period_count": 12}, annual_rate_pct="14"), "cash_loan")
    ).json()
    quote = (await api.post("/v1/quotes", json={"plan_id": weekly["id"]}, headers=api_key)).json()
    assert [each["code"] for each in quote["warnings"]] == ["catalogue.cost_above_four_times_lpr"]
    [row] = [line for line in quote["cost_table"] if line["code"] == "instalments"]
    assert "每周期末" in row["when_zh"]
    dear = financed(LOAN | {"period_days": 15}, annual_rate_pct="23")
    refused = await published(api, api_key, dear, "cash_loan")
    assert refused.json()["errors"][0]["pointer"] == "/financing/annual_rate_pct"


async def test_tranches_and_steps_come_back_as_they_were_given_and_count_into_the_cost(
    api: httpx.AsyncClient, api_key: Headers
) -> None:
    given = {
        "tranches": [{"after_days": 0, "amount_fen": 400_000}, {"after_days": 45, "amount_fen": 200_000}],
        "rate_steps": [{"from_period": 4, "annual_rate_pct": "6"}],
    }
    plan = (await published(api, api_key, financed(LOAN, **given), "cash_loan")).json()
    assert {name: plan["financing"][name] for name in given} == given
    quote = (await api.post("/v1/quotes", json={"plan_id": plan["id"]}, headers=api_key)).json()
    assert sum(row["principal_fen"] for row in quote["instalments"]) == 600_000
    [row] = [line for line in quote["cost_table"] if line["code"] == "interest"]
    assert "自第 4 期起 6%" in row["how_much_zh"]
    plain = (await published(api, api_key, LOAN, "cash_loan")).json()
    assert Decimal(plan["annual_cost_pct"]) < Decimal(plain["annual_cost_pct"])
