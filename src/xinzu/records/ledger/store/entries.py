"""SQL of accounts being opened, and of what stands in the books already."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger.model import Account, Fact

_INSERT_ACCOUNTS = """
INSERT INTO ledger_account (tenant_id, code, name_zh, name_en, type, normal_side)
SELECT :tenant, a.code, a.name_zh, a.name_en, a.type, a.normal_side
FROM unnest(cast(:codes AS text[]), cast(:names_zh AS text[]), cast(:names_en AS text[]), cast(:types AS text[]),
            cast(:sides AS text[])) AS a(code, name_zh, name_en, type, normal_side)
ON CONFLICT (tenant_id, code) DO NOTHING
"""

_BOOKED_BEFORE = """
SELECT e.id, e.kind, e.source_id, sum(p.amount_fen) AS total_fen
FROM unnest(cast(:kinds AS text[]), cast(:sources AS uuid[])) AS g(kind, source_id)
JOIN ledger_entry e ON e.tenant_id = :tenant AND e.kind = g.kind AND e.source_id = g.source_id
JOIN ledger_posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
GROUP BY e.id, e.kind, e.source_id
"""


async def insert_accounts(uow: UnitOfWork, accounts: Sequence[Account]) -> None:
    """Add the accounts that are not there yet, and the book."""
    await uow.execute(
        _INSERT_ACCOUNTS,
        codes=[account.code for account in accounts],
        names_zh=[account.name_zh for account in accounts],
        names_en=[account.name_en for account in accounts],
        types=[account.type.value for account in accounts],
        sides=[account.normal_side.value for account in accounts],
    )
    await uow.execute("INSERT INTO ledger_book (tenant_id, last_entry_no) VALUES (:tenant, 0) ON CONFLICT (tenant_id) DO NOTHING")


async def booked_before(read: ReadSession, facts: Sequence[Fact]) -> dict[tuple[str, UUID], tuple[UUID, int]]:
    """Id and total of the entries that stand in the books for these facts."""
    rows = await read.rows(_BOOKED_BEFORE, kinds=[fact.kind for fact in facts], sources=[fact.source_id for fact in facts])
    return {(row.kind, row.source_id): (row.id, int(row.total_fen)) for row in rows}
