"""All SQL of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger.model import (
    Account,
    AccountType,
    BookedEntry,
    Entry,
    Posting,
    Side,
    StatementLine,
    TrialBalanceLine,
)

_INSERT_ACCOUNTS = """
INSERT INTO ledger_account (tenant_id, code, name_zh, name_en, type, normal_side)
SELECT :tenant, a.code, a.name_zh, a.name_en, a.type, a.normal_side
FROM unnest(cast(:codes AS text[]), cast(:names_zh AS text[]), cast(:names_en AS text[]), cast(:types AS text[]),
            cast(:sides AS text[])) AS a(code, name_zh, name_en, type, normal_side)
ON CONFLICT (tenant_id, code) DO NOTHING
"""

# Numbers are drawn for the entries that are new and only for them. Two writers of the same fact at once: the second one's insert
# breaks the unique (kind, source_id), its transaction is rolled back, and its retry finds the entry booked.
_INSERT_ENTRIES = """
WITH given AS (
    SELECT * FROM unnest(cast(:ids AS uuid[]), cast(:dates AS date[]), cast(:kinds AS text[]), cast(:sources AS uuid[]),
                         cast(:memos AS text[])) WITH ORDINALITY AS g(id, business_date, kind, source_id, memo, nth)
), fresh AS (
    SELECT g.*, row_number() OVER (ORDER BY g.nth) AS place, count(*) OVER () AS total
    FROM given g
    WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e
                      WHERE e.tenant_id = :tenant AND e.kind = g.kind AND e.source_id = g.source_id)
), numbered AS (
    UPDATE ledger_book SET last_entry_no = last_entry_no + (SELECT count(*) FROM fresh)
    WHERE tenant_id = :tenant RETURNING last_entry_no
)
INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
SELECT :tenant, f.id, n.last_entry_no - f.total + f.place, f.business_date, f.kind, f.source_id, f.memo, :now
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

# Summed by pair of accounts first: few pairs, many postings.
_TOTALS = """
WITH moved AS (
    SELECT p.debit_account, p.credit_account, sum(p.amount_fen) AS amount_fen
    FROM ledger_posting p JOIN ledger_entry e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
    WHERE p.tenant_id = :tenant AND e.business_date <= :on
    GROUP BY p.debit_account, p.credit_account
)
SELECT a.code, a.name_zh, a.name_en, a.type, a.normal_side,
       cast(coalesce((SELECT sum(m.amount_fen) FROM moved m WHERE m.debit_account = a.code), 0) AS bigint) AS debit_fen,
       cast(coalesce((SELECT sum(m.amount_fen) FROM moved m WHERE m.credit_account = a.code), 0) AS bigint) AS credit_fen
FROM ledger_account a
WHERE a.tenant_id = :tenant AND (cast(:code AS text) IS NULL OR a.code = :code)
ORDER BY a.code
"""

_STATEMENT = """
SELECT e.id, e.entry_no, e.business_date, e.kind, e.memo, p.debit_account, p.credit_account, p.amount_fen, p.subject_id
FROM ledger_entry e
JOIN ledger_posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
WHERE e.tenant_id = :tenant AND e.business_date BETWEEN :first AND :last
  AND (p.debit_account = :code OR p.credit_account = :code)
ORDER BY e.business_date, e.entry_no, p.line
LIMIT :limit
"""

_ENTRIES_OF = """
SELECT e.id, e.entry_no, e.business_date, e.kind, e.source_id, e.memo, e.recorded_at,
       p.debit_account, p.credit_account, p.amount_fen, p.subject_id
FROM (
    SELECT DISTINCT p.entry_id FROM ledger_posting p
    WHERE p.tenant_id = :tenant AND p.subject_id = :subject AND (cast(:before AS uuid) IS NULL OR p.entry_id < :before)
    ORDER BY p.entry_id DESC LIMIT :limit
) AS wanted
JOIN ledger_entry e ON e.tenant_id = :tenant AND e.id = wanted.entry_id
JOIN ledger_posting p ON p.tenant_id = :tenant AND p.entry_id = e.id AND p.subject_id = :subject
ORDER BY e.id DESC, p.line
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


async def insert_entries(uow: UnitOfWork, ids: Sequence[UUID], entries: Sequence[Entry]) -> set[UUID]:
    """Write the entries that are new; returns their ids."""
    rows = await uow.rows(
        _INSERT_ENTRIES,
        now=uow.now,
        ids=list(ids),
        dates=[entry.business_date for entry in entries],
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


async def booked_before(read: ReadSession, entries: Sequence[Entry]) -> dict[tuple[str, UUID], tuple[UUID, int]]:
    """Id and total of the entries that stand in the books for these facts."""
    rows = await read.rows(
        _BOOKED_BEFORE, kinds=[entry.kind for entry in entries], sources=[entry.source_id for entry in entries]
    )
    return {(row.kind, row.source_id): (row.id, int(row.total_fen)) for row in rows}


async def accounts(read: ReadSession) -> list[Account]:
    """The chart in order of codes."""
    rows = await read.rows(
        "SELECT code, name_zh, name_en, type, normal_side FROM ledger_account WHERE tenant_id = :tenant ORDER BY code"
    )
    return [_account(row) for row in rows]


async def totals(read: ReadSession, on: BusinessDate, code: str | None = None) -> list[TrialBalanceLine]:
    """Debits and credits of every account (or of one) up to and including a date."""
    rows = await read.rows(_TOTALS, on=on, code=code)
    return [TrialBalanceLine(_account(row), row.debit_fen, row.credit_fen) for row in rows]


async def statement_lines(
    read: ReadSession, account: Account, opening_fen: int, first: BusinessDate, last: BusinessDate, limit: int
) -> list[StatementLine]:
    """An account's postings in order of date and number, with the running balance."""
    lines = []
    balance_fen = opening_fen
    for row in await read.rows(_STATEMENT, code=account.code, first=first, last=last, limit=limit):
        debited = row.debit_account == account.code
        balance_fen += row.amount_fen if debited == (account.normal_side is Side.DEBIT) else -row.amount_fen
        lines.append(
            StatementLine(
                entry_id=row.id,
                entry_no=row.entry_no,
                business_date=row.business_date,
                kind=row.kind,
                memo=row.memo,
                counter_account=row.credit_account if debited else row.debit_account,
                subject_id=row.subject_id,
                debit_fen=row.amount_fen if debited else 0,
                credit_fen=0 if debited else row.amount_fen,
                balance_fen=balance_fen,
            )
        )
    return lines


async def entries_of(read: ReadSession, subject_id: UUID, before: UUID | None, limit: int) -> list[BookedEntry]:
    """Entries with postings on a subject, newest first; of each only the postings on that subject."""
    rows = await read.rows(_ENTRIES_OF, subject=subject_id, before=before, limit=limit)
    return [_booked(list(lines)) for _, lines in groupby(rows, key=lambda row: row.id)]


def _account(row: Row[Any]) -> Account:
    return Account(row.code, row.name_zh, row.name_en, AccountType(row.type), Side(row.normal_side))


def _booked(lines: Sequence[Row[Any]]) -> BookedEntry:
    head = lines[0]
    postings = tuple(Posting(row.debit_account, row.credit_account, row.amount_fen, row.subject_id) for row in lines)
    entry = Entry(head.kind, head.source_id, head.business_date, head.memo, postings)
    return BookedEntry(head.id, head.entry_no, head.recorded_at, entry)
