"""A small shop's books, written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import accepted
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.api import Account, AccountType, Closure, Entry, Posting, Side

CHART = [
    Account("1001", "库存现金", "Cash", AccountType.ASSET, Side.DEBIT),
    Account("1122", "应收账款", "Receivables", AccountType.ASSET, Side.DEBIT),
    Account("6001", "主营业务收入", "Income", AccountType.INCOME, Side.CREDIT),
]


def sale(amount_fen: int, subject_id: UUID, on: date, *, memo: str = "销售", source_id: UUID | None = None) -> Entry:
    return Entry("test.sale", source_id or new_id(), on, memo, (Posting("1122", "6001", amount_fen, subject_id),))


def payment(amount_fen: int, subject_id: UUID, on: date) -> Entry:
    return Entry("test.payment", new_id(), on, "收款", (Posting("1001", "1122", amount_fen, subject_id),))


async def open_books(runtime: Runtime, tenant_id: int, actor: Actor, *entries: Entry) -> list[UUID]:
    """The chart, and the first entries."""
    async with runtime.unit(tenant_id, actor) as uow:
        await ledger.open_accounts(uow, CHART)
        return await ledger.post(uow, entries)


async def post(runtime: Runtime, tenant_id: int, actor: Actor, *entries: Entry, moves_late: bool = False) -> list[UUID]:
    async with runtime.unit(tenant_id, actor) as uow:
        return await ledger.post(uow, entries, moves_late=moves_late)


async def close(runtime: Runtime, tenant_id: int, actor: Actor, through_on: date) -> Closure:
    async with runtime.unit(tenant_id, actor) as uow:
        return accepted((await ledger.close_periods(uow, [ledger.ClosePeriod(through_on)]))[0])


async def reopen(runtime: Runtime, tenant_id: int, actor: Actor, closure_id: UUID, reason: str = "漏记一笔") -> Closure:
    async with runtime.unit(tenant_id, actor) as uow:
        return accepted((await ledger.reopen_closures(uow, [ledger.ReopenClosure(closure_id, reason)]))[0])


async def booked(runtime: Runtime, tenant_id: int, entry_id: UUID) -> Entry:
    async with runtime.reading(tenant_id) as read:
        return (await ledger.entry(read, entry_id)).entry


async def numbers(runtime: Runtime, tenant_id: int) -> Sequence[int]:
    async with runtime.reading(tenant_id) as read:
        rows = await read.rows("SELECT entry_no FROM ledger_entry WHERE tenant_id = :tenant ORDER BY entry_no")
        return [row.entry_no for row in rows]
