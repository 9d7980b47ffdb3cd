"""From the trial balance down to the fact, and the sums that must agree on the way."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from tests.integration.ledger.books import close, open_books, payment, post, sale

from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.paging import encode_cursor
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.errors import AccountUnknown, EntryUnknown

FEBRUARY, TODAY = date(2026, 2, 28), date(2026, 3, 2)


async def lived(runtime: Runtime, tenant_id: int, actor: Actor) -> list[UUID]:
    """Three subjects over two months; the first one paid, February is closed, and something came late."""
    subjects = [new_id() for _ in range(3)]
    await open_books(
        runtime,
        tenant_id,
        actor,
        *(sale(100 + n, subject, date(2026, 2, 3 + n)) for n, subject in enumerate(subjects)),
        payment(40, subjects[0], date(2026, 2, 20)),
    )
    await close(runtime, tenant_id, actor, FEBRUARY)
    await post(runtime, tenant_id, actor, payment(60, subjects[0], TODAY), sale(9, subjects[1], TODAY))
    await post(runtime, tenant_id, actor, sale(5, subjects[2], date(2026, 2, 5)), moves_late=True)
    return subjects


async def test_a_period_opens_where_the_one_before_closed(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await lived(runtime, tenant_id, actor)
    async with runtime.reading(tenant_id) as read:
        march = await ledger.trial_balance(read, TODAY, first=date(2026, 3, 1))
        february = await ledger.trial_balance(read, FEBRUARY, first=date(2026, 2, 1))
        everything = await ledger.trial_balance(read, TODAY)
    rows = {line.account.code: (line.opening_fen, line.debit_fen, line.credit_fen, line.balance_fen) for line in march.lines}
    assert rows == {"1001": (40, 60, 0, 100), "1122": (263, 14, 60, 217), "6001": (303, 0, 14, 317)}
    assert march.debit_fen == march.credit_fen == 74
    for month_before, month, whole in zip(february.lines, march.lines, everything.lines, strict=True):
        assert month_before.balance_fen == month.opening_fen
        assert month.balance_fen == whole.balance_fen
        assert month_before.debit_fen + month.debit_fen == whole.debit_fen


async def test_the_sub_ledger_sums_to_the_general_ledger(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    subjects = await lived(runtime, tenant_id, actor)
    for on in (date(2026, 2, 4), FEBRUARY, date(2026, 3, 1), TODAY):
        async with runtime.reading(tenant_id) as read:
            balance = await ledger.trial_balance(read, on)
            for line in balance.lines:
                code = line.account.code
                totals = await ledger.subject_totals(read, code, on)
                assert sum(total.balance_fen for total in totals) == line.balance_fen
                assert sum(total.debit_fen for total in totals) == line.debit_fen
                assert [total.subject_id for total in totals] == sorted(total.subject_id for total in totals)
                statement = await ledger.account_statement(read, code, date(2020, 1, 1), on)
                assert statement.closing_fen == line.balance_fen
                for subject in subjects:
                    of_one = await ledger.account_statement(read, code, date(2020, 1, 1), on, subject_id=subject)
                    assert of_one.closing_fen == sum(total.balance_fen for total in totals if total.subject_id == subject)
            by_subject = [await ledger.trial_balance(read, on, subject_id=subject) for subject in subjects]
            assert sum(each.debit_fen for each in by_subject) == balance.debit_fen
    async with runtime.reading(tenant_id) as read:
        with pytest.raises(AccountUnknown):
            await ledger.subject_totals(read, "9999", TODAY)
        with pytest.raises(EntryUnknown):
            await ledger.entry(read, new_id())


async def walked(api: AsyncClient, headers: dict[str, str], path: str, limit: int, **params: str) -> list[dict[str, Any]]:
    """All pages of a list, each opening where the one before closed."""
    pages: list[dict[str, Any]] = []
    cursor = None
    while cursor or not pages:
        asked: dict[str, str | int] = {**params, "limit": limit}
        if cursor:
            asked["cursor"] = cursor
        response = await api.get(path, params=asked, headers=headers)
        assert response.status_code == 200, response.text
        pages.append(response.json())
        cursor = pages[-1]["next_cursor"]
    return pages


async def test_from_the_trial_balance_down_to_the_fact(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    subjects = await lived(runtime, tenant_id, actor)
    dates = {"from": "2026-02-01", "to": "2026-03-02"}
    balance = (await api.get("/v1/ledger/trial-balance", params={"from": "2026-02-01"}, headers=api_key)).json()
    assert (balance["from_on"], balance["on"]) == ("2026-02-01", "2026-03-02")
    receivable = next(line for line in balance["lines"] if line["code"] == "1122")
    for limit in (1, 2, 7):
        pages = await walked(api, api_key, "/v1/ledger/lines", limit, account="1122", **dates)
        items = [item for page in pages for item in page["items"]]
        assert len(items) == 7
        assert items[-1]["balance_fen"] == pages[-1]["closing_fen"] == receivable["balance_fen"] == 217
        assert [page["opening_fen"] for page in pages[1:]] == [page["closing_fen"] for page in pages[:-1]]
        assert sum(item["debit_fen"] - item["credit_fen"] for item in items) == 217
    late = next(item for item in items if item["debit_fen"] == 5)
    assert (late["business_date"], late["effective_on"]) == ("2026-03-01", "2026-02-05")
    entry = (await api.get(f"/v1/ledger/entries/{late['entry_id']}", headers=api_key)).json()
    assert (entry["kind"], entry["source"], entry["effective_on"]) == ("test.sale", late["source"], "2026-02-05")
    assert entry["postings"] == [
        {"debit_account": "1122", "credit_account": "6001", "amount_fen": 5, "subject": str(subjects[2])}
    ]
    subject = public_id(Prefix.AGREEMENT, subjects[0])
    of_one = await walked(api, api_key, "/v1/ledger/lines", 2, account="1122", subject=subject, **dates)
    assert [item["balance_fen"] for page in of_one for item in page["items"]] == [100, 60, 0]
    journal = await walked(api, api_key, "/v1/ledger/journal", 2, **dates)
    assert [item["entry_no"] for page in journal for item in page["items"]] == [1, 2, 3, 4, 7, 5, 6]
    of_account = await walked(api, api_key, "/v1/ledger/subjects", 2, account="1122")
    assert [item["balance_fen"] for page in of_account for item in page["items"]] == [0, 110, 107]
    mine = (await api.get("/v1/ledger/trial-balance", params={"subject": subject}, headers=api_key)).json()
    assert {line["code"]: line["balance_fen"] for line in mine["lines"]} == {"1001": 100, "1122": 0, "6001": 100}


async def test_a_tenant_sees_nothing_of_another_s_books(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str]
) -> None:
    subjects = await lived(runtime, tenant_id, actor)
    entry_id = (await api.get("/v1/ledger/journal", params={"from": "2026-01-01"}, headers=api_key)).json()["items"][0]["id"]
    assert (await api.get(f"/v1/ledger/entries/{entry_id}", headers=other_api_key)).status_code == 404
    assert (await api.get("/v1/ledger/lines?account=1122", headers=other_api_key)).status_code == 404
    subject = public_id(Prefix.AGREEMENT, subjects[0])
    assert (await api.get("/v1/ledger/trial-balance", params={"subject": subject}, headers=other_api_key)).json()["lines"] == []
    assert (await api.get("/v1/ledger/journal", params={"from": "2020-01-01"}, headers=other_api_key)).json()["items"] == []
    file = await api.get("/v1/ledger/exports/journal", params={"from": "2020-01-01"}, headers=other_api_key)
    assert len(file.text.splitlines()) == 1
    assert parse_id(Prefix.ENTRY, entry_id) is not None


async def test_bad_dates_cursors_and_accounts_are_named(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await lived(runtime, tenant_id, actor)
    no_place = encode_cursor(UUID(int=2**128 - 1))
    for path in ("/v1/ledger/lines?account=1122", "/v1/ledger/journal?limit=5", "/v1/ledger/exports/lines?account=1122"):
        for wrong in ("from=soon", "to=2026-02-30", "from=2026-03-02&to=2026-03-01", "from=0000-01-01"):
            answer = await api.get(f"{path}&{wrong}", headers=api_key)
            assert answer.status_code == 422, f"{path}&{wrong}: {answer.text[:200]}"
            assert answer.json()["errors"]
    reversed_dates = (await api.get("/v1/ledger/journal?from=2026-03-02&to=2026-03-01", headers=api_key)).json()
    assert reversed_dates["errors"][0]["code"] == "ledger.dates_reversed"
    for path in ("/v1/ledger/lines?account=1122", "/v1/ledger/journal?limit=5"):
        for cursor in ("x", no_place, encode_cursor(UUID(int=0)), "A" * 64, "=%00"):
            assert (await api.get(f"{path}&cursor={cursor}", headers=api_key)).status_code in (400, 422), cursor
    for code, status in (("9999", 404), ("", 404), ("x" * 13, 422), ("%27", 404)):
        assert (await api.get(f"/v1/ledger/lines?account={code}", headers=api_key)).status_code == status
        assert (await api.get(f"/v1/ledger/exports/lines?account={code}", headers=api_key)).status_code == status
    for extreme in ("from=0001-01-01&to=9999-12-31", "from=9999-12-31&to=9999-12-31", "from=0001-01-01&to=0001-01-01"):
        assert (await api.get(f"/v1/ledger/lines?account=1122&{extreme}", headers=api_key)).status_code == 200, extreme
        assert (await api.get(f"/v1/ledger/journal?{extreme}", headers=api_key)).status_code == 200
    assert (await api.get("/v1/ledger/trial-balance?from=0001-01-01&on=9999-12-31", headers=api_key)).status_code == 200
    assert (await api.get("/v1/ledger/trial-balance?from=2026-03-03", headers=api_key)).status_code == 422
    foreign = encode_cursor(UUID(int=date(9999, 12, 31).toordinal() << 96 | (2**63 - 1) << 32 | 2**31 - 1))
    beyond = (await api.get(f"/v1/ledger/lines?account=1122&cursor={foreign}", headers=api_key)).json()
    assert beyond["items"] == []
    for path in ("/v1/ledger/journal", "/v1/ledger/lines?account=1122", "/v1/ledger/closures", "/v1/ledger/exports/journal"):
        assert (await api.get(path)).status_code == 401
