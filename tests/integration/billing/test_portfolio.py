"""Reports over all agreements: ageing and risk classes agree with the books and with each agreement."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from httpx import AsyncClient
from openpyxl import load_workbook
from tests.integration.billing.conftest import Rental

from xinzu.back.billing import api as billing
from xinzu.back.billing.rules.ageing import AgeingBucket, bucket_of
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import Family, Financing

MakeRental = Callable[..., Rental]
LOAN = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12")
LEASE = Financing(family=Family.FINANCE_LEASE, principal_fen=1_200_000, annual_rate_pct="9")


async def portfolio(another_rental: MakeRental) -> list[Rental]:
    """A rental, a lease and a loan that nobody pays, and a loan that is paid now and then; three and a half months old."""
    ours = [
        another_rental(rent_fen=29_900, deposit_fen=0),
        another_rental(rent_fen=104_941, deposit_fen=0, grace_days=0, financing=LEASE),
        another_rental(rent_fen=106_619, deposit_fen=0, financing=LOAN),
        another_rental(rent_fen=106_619, deposit_fen=0, financing=LOAN),
    ]
    for each in ours:
        await each.sign()
        await each.commence()
    clock, payer = ours[0], ours[3]
    for day in range(1, 107):
        await clock.pass_days(1)
        if day in {40, 80}:
            async with payer.runtime.unit(payer.tenant_id, payer.actor) as uow:
                given = billing.Transfer(payer.agreement_id, f"T-{day}", 120_000, payer.today - timedelta(days=day % 3))
                accepted((await billing.record_transfers(uow, [given]))[0])
    return ours


async def test_ageing_is_what_every_agreement_owes_by_its_due_dates(another_rental: MakeRental) -> None:
    ours = await portfolio(another_rental)
    clock = ours[0]
    expected: dict[tuple[str, str], int] = {}
    for each in ours:
        async with each.runtime.reading(each.tenant_id) as read:
            legs = await billing.instalments_of(read, each.agreement_id)
            charges = await billing.charges_of(read, each.agreement_id)
        owed: list[Any] = [*(leg for leg in legs if leg.state in {"due", "overdue"}), *charges]
        for item in owed:
            key = each.terms.family.value, bucket_of((clock.today - item.due_on).days).value
            expected[key] = expected.get(key, 0) + item.amount_fen - item.paid_fen - item.cancelled_fen
    async with clock.runtime.reading(clock.tenant_id) as read:
        report = await billing.ageing_of(read)
        aged = [each for bucket in AgeingBucket for _, each in await billing.aged_agreements(read, bucket, limit=50)]
        owed_fen = sum([(await billing.account_of(read, each.agreement_id)).balance_due_fen for each in ours])
    assert {(line.family, line.bucket): line.amount_fen for line in report.lines if line.amount_fen} == {
        key: fen for key, fen in expected.items() if fen
    }
    assert report.total_fen == owed_fen
    assert len(report.lines) == 3 * 7
    assert {each.agreement_id for each in aged} == {public_id(Prefix.AGREEMENT, each.agreement_id) for each in ours}
    assert all(sum(amount.amount_fen for amount in each.buckets) == each.open_fen for each in aged)


async def test_ageing_of_an_earlier_date_is_what_was_said_on_it(another_rental: MakeRental) -> None:
    """Receipts of their own day, so that what is known today is what was known then."""
    ours = [another_rental(rent_fen=106_619, deposit_fen=0, financing=LOAN), another_rental(rent_fen=29_900, grace_days=0)]
    for each in ours:
        await each.sign()
        await each.commence()
    clock = ours[0]
    said: dict[date, Any] = {}
    for day in range(1, 100):
        # The evening before: the day is closed tomorrow morning, so that late fees of the day before stand.
        await clock.pass_days(1)
        if day in {33, 64, 70}:
            async with clock.runtime.unit(clock.tenant_id, clock.actor) as uow:
                given = billing.Transfer(ours[day % 2].agreement_id, f"T-{day}", 90_000, clock.today)
                accepted((await billing.record_transfers(uow, [given]))[0])
        if day in {30, 31, 33, 50, 63, 64, 75}:
            said[clock.today] = clock
            async with clock.runtime.reading(clock.tenant_id) as read:
                said[clock.today] = await billing.ageing_of(read)
    async with clock.runtime.reading(clock.tenant_id) as read:
        for on, report in said.items():
            again = await billing.ageing_of(read, on)
            legs_then, legs_now = report.total_fen, again.total_fen
            # At the close of the day, one more day of late fees stands than while it ran.
            fees_of_a_day = await read.scalar(
                "SELECT coalesce(sum(g.base_fen), 0) FROM billing_charge c,"
                " jsonb_to_recordset(c.why -> 'segments') AS g(from_on date, to_on date, base_fen bigint)"
                " WHERE c.tenant_id = :tenant AND :on BETWEEN g.from_on AND g.to_on",
                on=on,
            )
            assert 0 <= legs_now - legs_then <= fees_of_a_day * 3 // 10_000 + 4
            assert {(line.family, line.bucket) for line in again.lines if line.amount_fen} == {
                (line.family, line.bucket) for line in report.lines if line.amount_fen
            }


async def test_classes_show_exposure_and_provision_as_they_stand_in_the_books(another_rental: MakeRental) -> None:
    ours = await portfolio(another_rental)
    clock = ours[0]
    while clock.today != date(2026, 8, 1):
        await clock.pass_days(1)
    async with clock.runtime.reading(clock.tenant_id) as read:
        report = await billing.asset_classes(read)
    balances = await clock.balances(date(2026, 7, 31))  # with the interest accrued, as the report has it
    assert report.provision_fen == balances["1231"] + balances["1304"]
    bad = [line for line in report.lines if line.asset_class == "substandard" and line.agreement_count]
    assert {line.family for line in bad} == {"rental", "finance_lease", "loan"}
    assert {line.coverage_pct for line in bad} == {"25.00"}
    assert report.non_performing_fen == sum(line.exposure_fen for line in bad)
    loans_fen = sum(line.exposure_fen for line in report.lines if line.family == "loan")
    accounts = [await each.account() for each in ours[2:]]
    fees_fen = sum(fee.amount_fen - fee.paid_fen - fee.cancelled_fen for account in accounts for fee in account.charges)
    in_books_fen = sum(balances.get(code, 0) for code in ("1303", "1132", "113201")) - balances["113202"]
    # The VAT of suspended interest is not owed to the state before it is paid, and is no exposure.
    assert 0 <= in_books_fen + fees_fen - loans_fen <= balances["222110"]


async def test_reports_are_routes_and_files(another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str]) -> None:
    ours = await portfolio(another_rental)
    report = (await api.get("/v1/billing/receivables-ageing", headers=api_key)).json()
    [line] = [each for each in report["lines"] if (each["family"], each["bucket"]) == ("loan", "31-60")]
    path = "/v1/billing/receivables-ageing/agreements"
    asked: dict[str, str | int] = {"bucket": "31-60", "family": "loan", "limit": 1}
    first = (await api.get(path, params=asked, headers=api_key)).json()
    items = first["items"]
    while first["next_cursor"]:
        first = (await api.get(path, params=asked | {"cursor": first["next_cursor"]}, headers=api_key)).json()
        items += first["items"]
    assert len(items) == line["agreement_count"]
    in_bucket = [amount["amount_fen"] for item in items for amount in item["buckets"] if amount["bucket"] == "31-60"]
    assert sum(in_bucket) == line["amount_fen"]
    wrong = await api.get("/v1/billing/receivables-ageing", params={"on": "2099-01-01"}, headers=api_key)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "billing.date_to_come")
    assert (await api.get(path, params={"bucket": "45-60"}, headers=api_key)).status_code == 422

    file = await api.get("/v1/billing/exports/receivables-ageing", headers=api_key)
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == len(ours)
    assert sum(int(row["open_fen"]) for row in rows) == report["total_fen"]
    workbook = await api.get("/v1/billing/exports/asset-classes", params={"format": "xlsx"}, headers=api_key)
    sheet = load_workbook(io.BytesIO(workbook.content)).active
    classes = (await api.get("/v1/billing/asset-classes", headers=api_key)).json()
    assert sheet is not None
    assert sum(int(str(row[6])) for row in sheet.iter_rows(min_row=2, values_only=True)) == classes["exposure_fen"]
