"""SQL of closing and reopening."""

from __future__ import annotations

from uuid import UUID

from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger.model import Closure, TrialBalanceLine

_CLOSURE = "SELECT id, through_on, closed_by, closed_at, reopened_by, reopened_at, reopen_reason FROM ledger_closure"

_INSERT_BALANCES = """
INSERT INTO ledger_closure_balance (tenant_id, closure_id, code, debit_fen, credit_fen)
SELECT :tenant, :closure, b.code, b.debit_fen, b.credit_fen
FROM unnest(cast(:codes AS text[]), cast(:debits AS bigint[]), cast(:credits AS bigint[])) AS b(code, debit_fen, credit_fen)
"""


async def lock_book(uow: UnitOfWork) -> Row | None:
    """The tenant's book, held until the commit: posters wait. None before the books are open."""
    return await uow.row("SELECT closed_through FROM ledger_book WHERE tenant_id = :tenant FOR UPDATE")


async def book(read: ReadSession) -> Row | None:
    """The tenant's book as it stands. None before the books are open."""
    return await read.row("SELECT closed_through FROM ledger_book WHERE tenant_id = :tenant")


async def set_closed_through(uow: UnitOfWork, through_on: BusinessDate | None) -> None:
    await uow.execute("UPDATE ledger_book SET closed_through = :through WHERE tenant_id = :tenant", through=through_on)


async def newest_standing(read: ReadSession) -> Closure | None:
    """The closure that says through when the books are closed."""
    row = await read.row(f"{_CLOSURE} WHERE tenant_id = :tenant AND reopened_at IS NULL ORDER BY through_on DESC LIMIT 1")
    return None if row is None else Closure(*tuple(row))


async def find(read: ReadSession, closure_id: UUID) -> Closure | None:
    row = await read.row(f"{_CLOSURE} WHERE tenant_id = :tenant AND id = :id", id=closure_id)
    return None if row is None else Closure(*tuple(row))


async def closures(read: ReadSession, before: UUID | None, limit: int) -> list[Closure]:
    """Closures, newest first, reopened ones among them."""
    rows = await read.rows(
        f"{_CLOSURE} WHERE tenant_id = :tenant AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        before=before,
        limit=limit,
    )
    return [Closure(*tuple(row)) for row in rows]


async def insert(uow: UnitOfWork, closure: Closure, balances: list[TrialBalanceLine]) -> None:
    """Write a closure with what had moved on each account by then."""
    await uow.execute(
        "INSERT INTO ledger_closure (tenant_id, id, through_on, closed_by, closed_at) VALUES (:tenant, :id, :through, :by, :at)",
        id=closure.id,
        through=closure.through_on,
        by=closure.closed_by,
        at=closure.closed_at,
    )
    await uow.execute(
        _INSERT_BALANCES,
        closure=closure.id,
        codes=[line.account.code for line in balances],
        debits=[line.debit_fen for line in balances],
        credits=[line.credit_fen for line in balances],
    )


async def mark_reopened(uow: UnitOfWork, closure: Closure) -> None:
    await uow.execute(
        "UPDATE ledger_closure SET reopened_by = :by, reopened_at = :at, reopen_reason = :reason WHERE tenant_id = :tenant AND id = :id",
        id=closure.id,
        by=closure.reopened_by,
        at=closure.reopened_at,
        reason=closure.reopen_reason,
    )
