"""SQL of accounts, entries and postings being written."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger.model import Account, Entry, Fact, Posting

_INSERT_ACCOUNTS = """
INSERT INTO ledger_account (tenant_id, code, name_zh, name_en, type, normal_side)
SELECT :tenant, a.code, a.name_zh, a.name_en, a.type, a.normal_side
FROM unnest(cast(:codes AS text[]), cast(:names_zh AS text[]), cast(:names_en AS text[]), cast(:types AS text[]),
            cast(:sides AS text[])) AS a(code, name_zh, name_en, type, normal_side)
ON CONFLICT (tenant_id, code) DO NOTHING
"""

# Numbers are drawn for the entries that are new and only for them, and not at all when one of them would be booked in a closed period:
# then nothing is written. With ``moves_late`` such an entry goes to the first open day and keeps its date as the effective one. The row of
# the book is read as the last writer left it, so that a close cannot come in between. Two writers of the same fact at once: the second one's insert
# breaks the unique (kind, source_id), its transaction is rolled back, and its retry finds the entry booked.
_INSERT_ENTRIES = """
WITH given AS (
    SELECT * FROM unnest(cast(:ids AS uuid[]), cast(:dates AS date[]), cast(:effectives AS date[]), cast(:kinds AS text[]),
                         cast(:sources AS uuid[]), cast(:memos AS text[]))
         WITH ORDINALITY AS g(id, business_date, effective_on, kind, source_id, memo, nth)
), fresh AS (
    SELECT g.*, row_number() OVER (ORDER BY g.nth) AS place, count(*) OVER () AS total
    FROM given g
    WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e
                      WHERE e.tenant_id = :tenant AND e.kind = g.kind AND e.source_id = g.source_id)
), numbered AS (
    UPDATE ledger_book SET last_entry_no = last_entry_no + (SELECT count(*) FROM fresh)
    WHERE tenant_id = :tenant
      AND (cast(:moves_late AS boolean) OR closed_through IS NULL OR closed_through < (SELECT min(business_date) FROM fresh))
    RETURNING last_entry_no, closed_through + 1 AS open_from
)
INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, effective_on, kind, source_id, memo, recorded_at)
SELECT :tenant, f.id, n.last_entry_no - f.total + f.place, greatest(f.business_date, n.open_from),
       coalesce(f.effective_on, CASE WHEN f.business_date < n.open_from THEN f.business_date END), f.kind, f.source_id, f.memo, :now
FROM fresh f CROSS JOIN numbered n
RETURNING id
"""

_INSERT_POSTINGS = """
INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
SELECT :tenant, p.entry_id, p.line, p.debit_account, p.credit_account, p.amount_fen, p.subject_id
FROM unnest(cast(:entries AS uuid[]), cast(:lines AS integer[]), cast(:debits AS text[]), cast(:credits AS text[]),
            cast(:amounts AS bigint[]), cast(:subjects AS uuid[]))
     AS p(entry_id, line, debit_account, credit_account, amount_fen, subject_id)
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


async def insert_entries(uow: UnitOfWork, ids: Sequence[UUID], entries: Sequence[Entry], *, moves_late: bool) -> set[UUID]:
    """Write the entries that are new; returns their ids. None when the book is missing or one of them falls into a closed period."""
    rows = await uow.rows(
        _INSERT_ENTRIES,
        now=uow.now,
        moves_late=moves_late,
        ids=list(ids),
        dates=[entry.business_date for entry in entries],
        effectives=[entry.effective_on for entry in entries],
        kinds=[entry.kind for entry in entries],
        sources=[entry.source_id for entry in entries],
        memos=[entry.memo for entry in entries],
    )
    return {row.id for row in rows}


async def insert_postings(uow: UnitOfWork, lines: Sequence[tuple[UUID, int, Posting]]) -> None:
    """Write postings given with their entry and line number."""
    await uow.execute(
        _INSERT_POSTINGS,
        entries=[entry_id for entry_id, _, _ in lines],
        lines=[line for _, line, _ in lines],
        debits=[posting.debit_account for _, _, posting in lines],
        credits=[posting.credit_account for _, _, posting in lines],
        amounts=[posting.amount_fen for _, _, posting in lines],
        subjects=[posting.subject_id for _, _, posting in lines],
    )


async def booked_before(read: ReadSession, entries: Sequence[Entry | Fact]) -> dict[tuple[str, UUID], tuple[UUID, int]]:
    """Id and total of the entries that stand in the books for these facts."""
    rows = await read.rows(
        _BOOKED_BEFORE, kinds=[entry.kind for entry in entries], sources=[entry.source_id for entry in entries]
    )
    return {(row.kind, row.source_id): (row.id, int(row.total_fen)) for row in rows}
