"""A camera for a weekend, a phone by the fortnight, a van on weekly rents, and financings whose terms move on known days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from tests.scenario.financings import LATE, Financed, applies, offer
from tests.scenario.rentals import CONSENTS, Rental
from tests.scenario.story import DEPOSIT_FEN, RENT_FEN, Shop

BY_DAY: dict[str, Any] = {
    "period_count": 60,
    "deposit_fen": DEPOSIT_FEN,
    "device_value_fen": 600_000,
    "residual_value_fen": 480_000,
    "late_fee_daily_rate": "0.0003",
    "restriction_clause_version": "2026-01",
    "daily": {
        "bands": [{"from_day": 1, "daily_fen": 3_000}, {"from_day": 8, "daily_fen": 2_000}],
        "month_days_max": 25,
    },
}


async def rented_for(shop: Shop, days: int) -> tuple[Rental, dict[str, Any]]:
    """A plan by the day, its quote for so many days, and the rental up to the handover."""
    plan = await shop.post("owner", "/v1/plans", BY_DAY | {"product_id": shop.product_id})
    await shop.post("owner", f"/v1/plans/{plan['id']}/publication")
    quote = await shop.post("owner", "/v1/quotes", {"plan_id": plan["id"], "days": days})
    customer = shop.customer()
    body = {
        "channel": "alipay",
        "quote_id": quote["id"],
        "applicant": {"name": customer.name, "identity_no": customer.identity_no, "phone": customer.phone},
        "delivery_address": customer.address,
        "consents": CONSENTS,
        "signals": {"credit_score": 760, "channel_admitted": True, "rent_risk_rank": "low"},
    }
    answer = await shop.post("channel", "/v1/applications", body)
    if not shop.kept_checkpoint:
        shop.kept_checkpoint = await shop.get("owner", "/v1/evidence/checkpoint")
    rental = Rental(customer, answer["id"], answer["party_id"])
    shop.rentals.append(rental)
    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await rental.receives_it()
    return rental, quote


async def legs(rental: Rental) -> list[dict[str, Any]]:
    found = (await rental.shop.get("finance", await rental.path("/instalments")))["items"]
    return [leg for leg in found if leg["state"] != "cancelled"]


async def refunded_fen(shop: Shop) -> int:
    rows = await shop.rows("SELECT coalesce(sum(amount_fen), 0) AS fen FROM billing_refund WHERE tenant_id = :tenant")
    return int(rows[0].fen)


async def test_a_phone_rented_for_ten_days_and_brought_back_on_the_last_costs_what_was_quoted(shop: Shop) -> None:
    rental, quote = await rented_for(shop, 10)
    agreed_fen = 7 * 3_000 + 3 * 2_000
    assert [row["total_fen"] for row in quote["instalments"]] == [agreed_fen]
    assert quote["terms"]["rent_total_fen"] == quote["terms"]["first_payment_fen"] == agreed_fen
    assert {line["code"] for line in quote["cost_table"]} >= {"instalments", "overtime", "late_fee"}
    assert (await rental.mandate())["collected_fen"] == agreed_fen
    await shop.next_day(9)
    await rental.comes_back()
    account = await rental.account()
    assert (account["state"], account["charges"]) == ("settled", [])
    assert [leg["amount_fen"] for leg in await legs(rental)] == [agreed_fen]
    assert await refunded_fen(shop) == 0
    assert (await rental.agreement())["state"] == "ended"


async def test_who_brings_it_back_early_pays_for_the_days_it_was_kept_and_gets_the_rest_back(shop: Shop) -> None:
    rental, quote = await rented_for(shop, 10)
    await shop.next_day(3)
    await rental.comes_back()
    kept_fen = 4 * 3_000
    [leg] = await legs(rental)
    assert (leg["amount_fen"], leg["state"]) == (kept_fen, "paid")
    why = await shop.get("finance", await rental.path(f"/amounts/{leg['id']}/why"))
    assert why["formula"] == "rent_by_the_day"
    assert sum(segment["amount_fen"] for segment in why["segments"]) == kept_fen
    assert await refunded_fen(shop) == quote["terms"]["rent_total_fen"] - kept_fen
    assert (await rental.account())["state"] == "settled"
    await shop.next_day(2)


async def test_days_beyond_those_agreed_are_rents_by_the_same_bands(shop: Shop) -> None:
    rental, quote = await rented_for(shop, 5)
    await shop.next_day(9)  # the tenth day
    await rental.comes_back()
    overtime = [leg for leg in await legs(rental) if leg["due_on"] == shop.today.isoformat()]
    assert [leg["amount_fen"] for leg in overtime] == [2 * 3_000 + 3 * 2_000]
    assert quote["terms"]["rent_total_fen"] == 5 * 3_000
    assert (await rental.mandate())["collected_fen"] == 7 * 3_000 + 3 * 2_000
    assert (await rental.account())["state"] == "settled"
    await shop.next_day(2)


async def test_a_long_rental_by_the_day_is_paid_by_the_month_and_no_month_costs_more_than_its_cap(shop: Shop) -> None:
    rental, quote = await rented_for(shop, 45)
    first_fen = 7 * 3_000 + 18 * 2_000  # 25 of the 31 days of March and April
    assert [row["total_fen"] for row in quote["instalments"]] == [first_fen, 14 * 2_000]
    assert [leg["amount_fen"] for leg in await legs(rental)] == [first_fen, 14 * 2_000]
    await shop.next_day(10)
    assert [leg["state"] for leg in await legs(rental)] == ["paid", "scheduled"]
    await shop.quiet_days_until(
        date.fromisoformat(quote["instalments"][1]["due_on"]) + (rental.commencement_on - shop_day(quote))
    )
    await shop.next_day(1)
    assert [leg["state"] for leg in await legs(rental)] == ["paid", "paid"]
    await rental.comes_back()
    assert (await rental.account())["state"] == "settled"


def shop_day(quote: dict[str, Any]) -> date:
    return date.fromisoformat(quote["commencement_on"])


async def test_a_phone_rented_by_the_fortnight_falls_due_every_fifteen_days(shop: Shop) -> None:
    plan = {
        "product_id": shop.product_id,
        "period_days": 15,
        "period_count": 4,
        "rent_fen": RENT_FEN // 2,
        "deposit_fen": DEPOSIT_FEN,
        "device_value_fen": 300_000,
        "residual_value_fen": 224_000,
        "late_fee_daily_rate": "0.0003",
        "restriction_clause_version": "2026-01",
    }
    drafted = await shop.post("owner", "/v1/plans", plan)
    await shop.post("owner", f"/v1/plans/{drafted['id']}/publication")
    rental = await shop.customer().applies(drafted["id"])
    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await rental.receives_it()
    dues = [date.fromisoformat(leg["due_on"]) for leg in await legs(rental)]
    assert dues == [rental.commencement_on + timedelta(days=15 * n) for n in range(4)]
    await shop.next_day(46)
    assert await rental.instalments() == ["paid"] * 4
    await rental.comes_back()
    assert (await rental.account())["state"] == "settled"


async def test_a_car_leased_by_the_week_runs_to_its_last_week(shop: Shop) -> None:
    plan = LATE | {
        "period_days": 7,
        "period_count": 12,
        "device_value_fen": 1_600_000,
        "restriction_clause_version": "none",
        "financing": {"family": "finance_lease", "principal_fen": 1_200_000, "annual_rate_pct": "9", "day_count": "actual/365"},
    }
    lease = await applies(shop.customer("赵磊"), await offer(shop, "二手轻型货车", "truck", plan))
    await is_approved(shop, lease)
    await lease.signs()
    await lease.begins("交接单 7")
    assert await lease.due_dates() == [lease.commencement_on + timedelta(days=7 * n) for n in range(1, 13)]
    await paid_through(shop, lease)
    assert ((await lease.account())["state"], (await lease.agreement())["state"]) == ("settled", "ended")


async def is_approved(shop: Shop, lease: Financed) -> None:
    """Above some amount a person decides."""
    assert await lease.state() == "referred"
    await shop.risk_officer((await lease.application())["decision"]["id"], "approve")


async def paid_through(shop: Shop, financed: Financed) -> None:
    """Every instalment is paid on its day; nothing is ever late."""
    for number, due_on in enumerate(await financed.due_dates(), start=1):
        await shop.quiet_days_until(due_on)
        await financed.transfers(f"T-{number}")
        assert (await financed.account())["days_past_due"] == 0


async def test_a_loan_whose_rate_falls_in_mid_term_asks_for_less_from_that_period_on(shop: Shop) -> None:
    plan = LATE | {
        "period_count": 6,
        "restriction_clause_version": "none",
        "financing": {
            "family": "loan",
            "principal_fen": 600_000,
            "annual_rate_pct": "12",
            "rate_steps": [{"from_period": 4, "annual_rate_pct": "6"}],
        },
    }
    loan = await applies(shop.customer("刘秀英"), await offer(shop, "现金分期", "cash_loan", plan))
    await loan.signs()
    await loan.begins("CMB-1", 600_000)
    totals = [sum(leg["amount_fen"] for leg in await loan.legs(number)) for number in range(1, 7)]
    assert totals[0] == totals[1] == totals[2] > totals[3] == totals[4]
    interest = {number: leg for number in (3, 4) for leg in await loan.legs(number) if leg["role"] == "interest"}
    assert (await loan.why(interest[3]["id"]))["segments"][0]["rate_pct"] == "12"
    assert (await loan.why(interest[4]["id"]))["segments"][0]["rate_pct"] == "6"
    # The reference rate falls once more: an amendment carries the agreed steps on and changes what is to come.
    await shop.quiet_days_until((await loan.due_dates())[0])
    await loan.transfers("T-1")
    body = {"kind": "rate_change", "on": shop.today.isoformat(), "annual_rate_pct": "9", "reason": "LPR 下调"}
    preview = await shop.post("finance", await loan.path("/amendments/preview"), body)
    assert {leg["role"] for leg in preview["new_legs"]} == {"principal", "interest"}
    await paid_through_rest(shop, loan)
    assert (await loan.account())["state"] == "settled"


async def paid_through_rest(shop: Shop, financed: Financed) -> None:
    for number, due_on in enumerate(await financed.due_dates(), start=1):
        if due_on > shop.today:
            await shop.quiet_days_until(due_on)
            await financed.transfers(f"T-{number}")


async def test_a_sale_and_leaseback_is_booked_and_taxed_as_lending(shop: Shop) -> None:
    plan = LATE | {
        "period_count": 3,
        "device_value_fen": 1_500_000,
        "restriction_clause_version": "none",
        "financing": {"family": "finance_lease", "principal_fen": 1_500_000, "annual_rate_pct": "8", "is_leaseback": True},
    }
    lease = await applies(shop.customer("赵磊"), await offer(shop, "数控机床", "equipment", plan))
    await is_approved(shop, lease)
    await lease.signs()
    await lease.begins("交接单 9")
    legs_now = await lease.legs()
    await paid_through(shop, lease)
    assert (await lease.account())["state"] == "settled"
    interest_fen = sum(leg["amount_fen"] for leg in legs_now if leg["role"] == "interest")
    trial = {line["code"]: line["balance_fen"] for line in (await shop.get("owner", "/v1/ledger/trial-balance"))["lines"]}
    lending, leasing = trial.get("222106", 0), trial.get("2221", 0)
    assert abs(lending) == sum(round(leg["amount_fen"] * 6 / 106) for leg in legs_now if leg["role"] == "interest")
    assert leasing == 0
    assert trial["1002"] == interest_fen


@pytest.mark.parametrize("policy", ["preceding", "modified_following"])
async def test_civil_code_art_670_a_due_date_that_moves_back_asks_for_interest_only_up_to_it(shop: Shop, policy: str) -> None:
    plan = LATE | {
        "period_count": 3,
        "restriction_clause_version": "none",
        "due_shift": policy,
        "financing": {"family": "loan", "principal_fen": 600_000, "annual_rate_pct": "12", "day_count": "actual/365"},
    }
    loan = await applies(shop.customer("刘秀英"), await offer(shop, "现金分期", "cash_loan", plan))
    await loan.signs()
    await shop.quiet_days_until(date(2026, 3, 31))
    await loan.begins("CMB-2", 600_000)
    dues = await loan.due_dates()
    assert dues == [date(2026, 4, 30), date(2026, 5, 29), date(2026, 6, 30)]  # 31 May 2026 is a Sunday
    second = next(leg for leg in await loan.legs(2) if leg["role"] == "interest")
    [segment] = (await loan.why(second["id"]))["segments"]
    assert (segment["to_on"], segment["days"]) == ("2026-05-28", 29)
    await paid_through(shop, loan)
    assert (await loan.account())["state"] == "settled"


def lent(**financing: Any) -> dict[str, Any]:
    return LATE | {
        "period_count": 4,
        "restriction_clause_version": "none",
        "financing": {
            "family": "loan",
            "principal_fen": 900_000,
            "annual_rate_pct": "12",
            "day_count": "actual/365",
            **financing,
        },
    }


async def books(shop: Shop, code: str) -> int:
    lines = (await shop.get("owner", "/v1/ledger/trial-balance"))["lines"]
    return int(next((line["balance_fen"] for line in lines if line["code"] == code), 0))


async def test_a_loan_paid_out_in_tranches_bears_interest_on_each_from_its_day(shop: Shop) -> None:
    tranches = [{"after_days": 0, "amount_fen": 600_000}, {"after_days": 40, "amount_fen": 300_000}]
    loan = await applies(shop.customer("刘秀英"), await offer(shop, "装修分期", "cash_loan", lent(tranches=tranches)))
    await loan.signs()
    body = {"commencement_on": shop.today.isoformat(), "reference": "CMB-1", "disbursed_fen": 900_000}
    status, refused = await shop.call("finance", "POST", await loan.path("/commencement"), body)
    assert (status, refused["errors"][0]["pointer"]) == (422, "/disbursed_fen")  # only what is paid out that day
    await loan.begins("CMB-1", 600_000)
    assert (await loan.account())["principal_fen"] == 600_000
    assert (await books(shop, "1303"), await books(shop, "1002")) == (900_000, -600_000)
    dues = await loan.due_dates()
    await shop.quiet_days_until(dues[0])
    await loan.transfers("T-1")
    drawn_on = loan.commencement_on + timedelta(days=40)
    second = {"reference": "CMB-2", "disbursed_on": drawn_on.isoformat(), "disbursed_fen": 300_000}
    path = await loan.path("/disbursements")
    for wrong, pointer in (({}, "/disbursed_on"), ({"disbursed_fen": 299_999}, "/disbursed_fen")):  # the day is still to come
        status, refused = await shop.call("finance", "POST", path, second | wrong)
        assert (status, refused["errors"][0]["pointer"]) == (422, pointer)
    await shop.quiet_days_until(drawn_on)
    for _ in range(2):  # told twice, booked once
        assert (await shop.post("finance", path, second))["disbursed_on"] == drawn_on.isoformat()
    assert [each["reference"] for each in (await shop.get("finance", path))["items"]] == [None, "CMB-2"]
    assert await books(shop, "130302") == 0
    assert (await shop.call("finance", "POST", path, second | {"reference": "CMB-3"}))[0] == 409
    interest = next(leg for leg in await loan.legs(2) if leg["role"] == "interest")
    bases = [segment["base_fen"] for segment in (await loan.why(interest["id"]))["segments"]]
    assert bases[1] - bases[0] == 300_000
    await paid_through_rest(shop, loan)
    legs_now = await loan.legs()
    assert sum(leg["amount_fen"] for leg in legs_now if leg["role"] == "principal") == 900_000
    assert (await loan.account())["state"] == "settled"
    assert await books(shop, "1002") == sum(leg["amount_fen"] for leg in legs_now if leg["role"] == "interest")
    assert "billing.tranche.paid_out" in await loan.facts()


async def test_a_loan_whose_first_disbursement_comes_later_bears_no_interest_before_it(shop: Shop) -> None:
    tranches = [{"after_days": 10, "amount_fen": 900_000}]
    loan = await applies(shop.customer("刘秀英"), await offer(shop, "装修分期", "cash_loan", lent(tranches=tranches)))
    await loan.signs()
    await loan.begins("合同 7")
    first = next(leg for leg in await loan.legs(1) if leg["role"] == "interest")
    days = (date.fromisoformat(first["due_on"]) - loan.commencement_on).days - 10
    assert first["amount_fen"] == round(900_000 * 0.12 * days / 365)
    assert (await books(shop, "1002"), (await loan.account())["principal_fen"]) == (0, 0)
    drawn_on = loan.commencement_on + timedelta(days=10)
    await shop.quiet_days_until(drawn_on)
    body = {"reference": "CMB-9", "disbursed_on": drawn_on.isoformat(), "disbursed_fen": 900_000}
    await shop.post("finance", await loan.path("/disbursements"), body)
    assert await books(shop, "1002") == -900_000
    await paid_through(shop, loan)
    assert (await loan.account())["state"] == "settled"
