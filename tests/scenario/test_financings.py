"""A van lease and a loan from the click to the last instalment, over month ends and a 29 February."""

from __future__ import annotations

from datetime import date

from tests.scenario.financings import (
    LENT_FEN,
    LOAN,
    LOAN_MONTHS,
    VAN,
    VAN_FINANCED_FEN,
    VAN_MONTHS,
    VAN_RESIDUAL_FEN,
    Financed,
    applies,
    offer,
)
from tests.scenario.story import Shop

from xinzu.kernel.time import add_months

LEAP_DAY = date(2028, 2, 29)


async def test_a_van_lease_runs_from_the_first_click_to_its_residual_over_month_ends_and_29_february(shop: Shop) -> None:
    van = await offer(shop, "远途 V5 厢式货车", "truck", VAN)
    await shop.quiet_days_until(date(2026, 3, 31))
    lease = await applies(shop.customer("赵磊"), van)
    assert await lease.state() == "referred"  # above 20,000 yuan a person decides
    await shop.risk_officer((await lease.application())["decision"]["id"], "approve")
    assert await lease.state() == "approved"
    await lease.signs()
    assert (await shop.call("finance", "GET", await lease.path("/pre-authorisation")))[0] == 404  # paid by transfer
    assert await lease.legs() == []

    await lease.begins("交接单 2026-0331 / LSVAA4187E2123456")
    due_dates = await lease.due_dates()
    assert due_dates == [add_months(date(2026, 3, 31), n) for n in range(1, VAN_MONTHS + 1)]
    assert {date(2027, 2, 28), LEAP_DAY} < set(due_dates)
    assert await lease.customer.messages("agreement_commenced") != []

    paid_fen = 0
    for number, due_on in enumerate(due_dates, start=1):
        await shop.quiet_days_until(due_on)
        assert {leg["state"] for leg in await lease.legs(number)} == {"due"}
        if due_on == LEAP_DAY:
            interest = next(leg for leg in await lease.legs(number) if leg["role"] == "interest")
            [segment] = (await lease.why(interest["id"]))["segments"]
            assert (segment["days"], segment["rate_pct"]) == (29, "8.5")
            assert segment["amount_fen"] == round(segment["base_fen"] * 29 * 8.5 / 36_500) == interest["amount_fen"]
        paid_fen += (await lease.transfers(f"T-{number}"))["amount_fen"]
        assert (await lease.account())["days_past_due"] == 0

    legs = await lease.legs()
    assert sum(leg["amount_fen"] for leg in legs if leg["role"] == "principal") == VAN_FINANCED_FEN
    assert sum(leg["amount_fen"] for leg in legs) == paid_fen == sum(await lease.receipts_fen())
    last = {leg["role"]: leg["amount_fen"] for leg in await lease.legs(VAN_MONTHS)}
    assert last["principal"] > VAN_RESIDUAL_FEN
    account = await lease.account()
    assert (account["state"], account["principal_fen"], account["credit_balance_fen"]) == ("settled", 0, 0)
    assert ((await lease.agreement())["state"], await lease.state()) == ("ended", "closed")
    assert await lease.customer.messages("agreement_repaid") != []
    assert set(await lease.facts()) >= {
        "agreements.document.rendered",
        "agreements.agreement.accepted",
        "agreements.agreement.commenced",
        "billing.schedule.issued",
        "billing.receipt.allocated",
        "agreements.agreement.ended",
    }
    await shop.next_day(2)  # the month is closed with nothing left to earn


async def test_a_loan_is_late_once_bounces_once_is_overpaid_at_the_end_and_never_asks_for_a_device(shop: Shop) -> None:
    small = await offer(shop, "现金分期", "cash_loan", LOAN)
    await shop.quiet_days_until(date(2027, 5, 31))
    loan = await applies(shop.customer("刘秀英"), small)
    assert await loan.state() == "approved"
    await loan.signs()
    await loan.begins("CMB20270531-7788", LENT_FEN)
    due_dates = await loan.due_dates()
    assert due_dates == [add_months(date(2027, 5, 31), n) for n in range(1, LOAN_MONTHS + 1)]
    assert LEAP_DAY in due_dates

    for number, due_on in enumerate(due_dates[:-1], start=1):
        await shop.quiet_days_until(due_on)
        if number == 5:
            await _is_late(shop, loan)
        if number == 7:
            bounced = await loan.transfers("T-7")
            await shop.post("finance", await loan.path(f"/receipts/{bounced['id']}/reversal"), {"reason": "银行退票"})
            assert {leg["state"] for leg in await loan.legs(number)} == {"due"}
        await loan.transfers(f"T-{number}-2")
        assert {leg["state"] for leg in await loan.legs(number)} == {"paid"}

    await shop.quiet_days_until(due_dates[-1])
    owed_fen = (await loan.account())["balance_due_fen"]
    await loan.transfers("T-12", owed_fen + 5_000)
    account = await loan.account()
    assert (account["state"], account["balance_due_fen"], account["credit_balance_fen"]) == ("settling", 0, 5_000)
    assert (await loan.agreement())["state"] == "active"
    refund = {"reference": "R-1", "amount_fen": 5_000}
    assert (await shop.post("finance", await loan.path("/refunds"), refund))["credit_balance_fen"] == 0
    assert (await loan.account())["state"] == "settled"
    assert ((await loan.agreement())["state"], await loan.state()) == ("ended", "closed")
    assert await loan.told("devices.restriction.ordered", "collections.restriction.requested") == []
    assert await loan.customer.messages("restriction_notice") == []
    interest_fen = sum(leg["amount_fen"] for leg in await loan.legs() if leg["role"] == "interest")
    late_fee_fen = sum(charge["amount_fen"] for charge in (await loan.account())["charges"])
    trial = {line["code"]: line["balance_fen"] for line in (await shop.get("owner", "/v1/ledger/trial-balance"))["lines"]}
    assert trial["1002"] == interest_fen + late_fee_fen
    await shop.next_day(2)


async def _is_late(shop: Shop, loan: Financed) -> None:
    """Twelve days: reminded, then demanded, with a late fee on the principal; nothing else happens to the borrower."""
    await shop.next_day(13)
    account = await loan.account()
    assert (account["days_past_due"], len(account["charges"])) == (12, 1)
    [case] = await shop.get_all("/v1/collections/cases?state=open")
    assert case["family"] == "loan"
    steps = (await shop.get("owner", f"/v1/collections/cases/{case['id']}"))["steps"]
    assert [(step["kind"], step["state"]) for step in steps] == [("reminder", "delivered"), ("payment_demand", "delivered")]
    [demand] = await loan.customer.messages("payment_demand")
    assert "催告函" in demand
    assert {"collections.demand.sent", "collections.demand.delivered"} <= set(await loan.facts())
