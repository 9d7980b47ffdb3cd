"""The books: balanced by construction, each fact once, numbers without a gap, closed to other tenants."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import pytest
from asyncpg import IntegrityConstraintViolationError
from httpx import AsyncClient

from xinzu.kernel.errors import InvariantBroken
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.api import Account, AccountType, Entry, Posting, Side
from xinzu.records.ledger.errors import AccountUnknown, BooksNotOpen, EntryDiffers

ON = date(2026, 3, 2)
CHART = [
    Account("1001", "库存现金", "Cash", AccountType.ASSET, Side.DEBIT),
    Account("1122", "应收账款", "Receivables", AccountType.ASSET, Side.DEBIT),
    Account("6001", "主营业务收入", "Income", AccountType.INCOME, Side.CREDIT),
]


def sale(amount_fen: int, subject_id: UUID, *, on: date = ON, source_id: UUID | None = None) -> Entry:
    return Entry("test.sale", source_id or new_id(), on, "销售", (Posting("1122", "6001", amount_fen, subject_id),))


async def open_books(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        await ledger.open_accounts(uow, CHART)


async def post(runtime: Runtime, tenant_id: int, actor: Actor, *entries: Entry) -> list[UUID]:
    async with runtime.unit(tenant_id, actor) as uow:
        return await ledger.post(uow, entries)


async def numbers(runtime: Runtime, tenant_id: int) -> list[int]:
    async with runtime.reading(tenant_id) as read:
        return [
            row[0] for row in await read.rows("SELECT entry_no FROM ledger_entry WHERE tenant_id = :tenant ORDER BY entry_no")
        ]


async def test_a_fact_is_booked_once_however_often_it_is_told(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await open_books(runtime, tenant_id, actor)
    await open_books(runtime, tenant_id, actor)
    first, second = sale(100, new_id()), sale(200, new_id())
    ids = await post(runtime, tenant_id, actor, first, second, first)
    again = await post(runtime, tenant_id, actor, second, sale(5, new_id()), first)
    assert ids[0] == ids[2] == again[2]
    assert again[0] == ids[1]
    assert await numbers(runtime, tenant_id) == [1, 2, 3]
    with pytest.raises(EntryDiffers):
        await post(runtime, tenant_id, actor, sale(101, new_id(), source_id=first.source_id))
    assert await post(runtime, tenant_id, actor) == []


async def test_before_the_books_are_open_nothing_can_be_posted(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    with pytest.raises(BooksNotOpen):
        await post(runtime, tenant_id, actor, sale(100, new_id()))


async def test_the_database_refuses_what_would_not_balance(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await open_books(runtime, tenant_id, actor)
    entry_id = (await post(runtime, tenant_id, actor, sale(100, new_id())))[0]
    wrong = {"debit": "1122", "credit": "6001", "amount": 100}
    for change in ({"credit": "1122"}, {"amount": 0}, {"amount": -5}, {"credit": "9999"}, {"debit": "9999"}):
        with pytest.raises(IntegrityConstraintViolationError):
            async with runtime.unit(tenant_id, actor) as uow:
                await uow.execute(
                    "INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)"
                    " VALUES (:tenant, :entry, 2, :debit, :credit, :amount, :entry)",
                    entry=entry_id,
                    **(wrong | change),
                )


async def test_an_entry_of_nothing_is_a_defect(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await open_books(runtime, tenant_id, actor)
    subject = new_id()
    for postings in ((), (Posting("1122", "6001", 0, subject),), (Posting("1122", "1122", 5, subject),)):
        with pytest.raises(InvariantBroken):
            await post(runtime, tenant_id, actor, Entry("test.sale", new_id(), ON, "", postings))


async def test_many_posters_at_once_leave_no_gap(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await open_books(runtime, tenant_id, actor)
    await asyncio.gather(*(post(runtime, tenant_id, actor, *(sale(n, new_id()) for n in range(1, 6))) for _ in range(12)))
    assert await numbers(runtime, tenant_id) == list(range(1, 61))


async def test_a_statement_runs_from_its_opening_balance(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await open_books(runtime, tenant_id, actor)
    subject = new_id()
    paid = Entry("test.payment", new_id(), date(2026, 3, 4), "收款", (Posting("1001", "1122", 30, subject),))
    await post(runtime, tenant_id, actor, sale(100, subject), sale(50, subject, on=date(2026, 3, 3)), paid)
    async with runtime.reading(tenant_id) as read:
        statement = await ledger.account_statement(read, "1122", date(2026, 3, 3), date(2026, 3, 31))
        assert statement.opening_fen == 100
        assert [(line.debit_fen, line.credit_fen, line.balance_fen, line.counter_account) for line in statement.lines] == [
            (50, 0, 150, "6001"),
            (0, 30, 120, "1001"),
        ]
        income = await ledger.account_statement(read, "6001", ON, date(2026, 3, 31))
        assert (income.opening_fen, income.closing_fen) == (0, 150)
        before = await ledger.account_statement(read, "6001", date(2020, 1, 1), date(2020, 1, 1))
        assert (before.closing_fen, before.lines) == (0, ())
        with pytest.raises(AccountUnknown):
            await ledger.account_statement(read, "9999", ON, ON)
        balance = await ledger.trial_balance(read, ON)
        assert {line.account.code: line.balance_fen for line in balance.lines} == {"1001": 0, "1122": 100, "6001": 100}


async def test_books_over_http(
    runtime: Runtime, tenant_id: int, other_tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await open_books(runtime, tenant_id, actor)
    await open_books(runtime, other_tenant_id, actor)
    subject = new_id()
    await post(runtime, tenant_id, actor, *(sale(n, subject) for n in range(1, 6)), sale(9, new_id()))
    await post(runtime, other_tenant_id, actor, sale(1_000_000, subject))
    accounts = (await api.get("/v1/ledger/accounts", headers=api_key)).json()
    assert [account["code"] for account in accounts["items"]] == ["1001", "1122", "6001"]
    balance = (await api.get("/v1/ledger/trial-balance", params={"on": "2026-03-02"}, headers=api_key)).json()
    assert balance["debit_fen"] == balance["credit_fen"] == 24
    earlier = (await api.get("/v1/ledger/trial-balance", params={"on": "2026-03-01"}, headers=api_key)).json()
    assert earlier["debit_fen"] == 0
    asked: dict[str, str | int] = {"subject": public_id(Prefix.AGREEMENT, subject), "limit": 3}
    first = (await api.get("/v1/ledger/entries", params=asked, headers=api_key)).json()
    rest = (await api.get("/v1/ledger/entries", params=asked | {"cursor": first["next_cursor"]}, headers=api_key)).json()
    assert [item["postings"][0]["amount_fen"] for item in first["items"] + rest["items"]] == [5, 4, 3, 2, 1]
    assert rest["next_cursor"] is None
    for params in ({"subject": "agr_1"}, {"subject": "x"}, {}):
        assert (await api.get("/v1/ledger/entries", params=params, headers=api_key)).status_code == 422
    assert (await api.get("/v1/ledger/trial-balance", params={"on": "soon"}, headers=api_key)).status_code == 422
    assert (await api.get("/v1/ledger/accounts")).status_code == 401
