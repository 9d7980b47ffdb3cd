"""SQL of what is read from the books: totals, lines of an account, entries, subjects. All of it is per tenant and by business date."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from uuid import UUID

from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession
from xinzu.records.ledger.model import (
    Account,
    AccountType,
    BookedEntry,
    Entry,
    Place,
    Posting,
    Side,
    StatementLine,
    SubjectTotal,
    TrialBalanceLine,
)

# Where a statement has this mark, it is narrowed to one subject when one is asked for. Written out rather than as "or none is given", so
# that the plan goes by the subject's index.
_NARROWED = "/* of one subject */"

# Counted from the newest closure before the first date, because nothing before it can change; of a subject from the beginning, because
# closures keep no balances of subjects (there the subject's index is used). Summed by pair of accounts first: few pairs, many postings.
# Without a first date everything is "before".
_TOTALS = """
WITH base AS (
    SELECT id, through_on FROM ledger_closure
    WHERE tenant_id = :tenant AND reopened_at IS NULL AND cast(:from_closure AS boolean)
      AND through_on < coalesce(cast(:first AS date), cast(:last AS date) + 1)
    ORDER BY through_on DESC LIMIT 1
), moved AS (
    SELECT p.debit_account, p.credit_account,
           sum(p.amount_fen) FILTER (WHERE cast(:first AS date) IS NULL OR e.business_date < :first) AS before_fen,
           sum(p.amount_fen) FILTER (WHERE e.business_date >= :first) AS within_fen
    FROM ledger_entry e JOIN ledger_posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
    WHERE e.tenant_id = :tenant AND e.business_date <= :last
      AND e.business_date > coalesce((SELECT through_on FROM base), '-infinity')
      /* of one subject */
      AND (cast(:code AS text) IS NULL OR p.debit_account = :code OR p.credit_account = :code)
    GROUP BY p.debit_account, p.credit_account
), sides AS (
    SELECT s.code, sum(s.debit_before) AS debit_before, sum(s.credit_before) AS credit_before, sum(s.debit) AS debit,
           sum(s.credit) AS credit
    FROM (
        SELECT debit_account AS code, before_fen AS debit_before, 0 AS credit_before, within_fen AS debit, 0 AS credit FROM moved
        UNION ALL SELECT credit_account, 0, before_fen, 0, within_fen FROM moved
        UNION ALL SELECT b.code, b.debit_fen, b.credit_fen, 0, 0
                  FROM ledger_closure_balance b JOIN base ON base.id = b.closure_id WHERE b.tenant_id = :tenant
    ) AS s GROUP BY s.code
)
SELECT a.code, a.name_zh, a.name_en, a.type, a.normal_side,
       cast(coalesce(s.debit_before, 0) AS bigint) AS debit_before_fen, cast(coalesce(s.credit_before, 0) AS bigint) AS credit_before_fen,
       cast(coalesce(s.debit, 0) AS bigint) AS debit_fen, cast(coalesce(s.credit, 0) AS bigint) AS credit_fen
FROM ledger_account a LEFT JOIN sides s ON s.code = a.code
WHERE a.tenant_id = :tenant AND (cast(:code AS text) IS NULL OR a.code = :code)
ORDER BY a.code
"""

_LINES = """
SELECT e.id, e.entry_no, p.line, e.business_date, e.effective_on, e.kind, e.source_id, e.memo, p.debit_account, p.credit_account,
       p.amount_fen, p.subject_id
FROM ledger_entry e JOIN ledger_posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
WHERE e.tenant_id = :tenant AND e.business_date BETWEEN :first AND :last
  AND (e.business_date, e.entry_no) >= (cast(:after_on AS date), cast(:after_no AS bigint))
  AND (e.business_date, e.entry_no, p.line) > (cast(:after_on AS date), cast(:after_no AS bigint), cast(:after_line AS integer))
  AND (p.debit_account = :code OR p.credit_account = :code)
  /* of one subject */
ORDER BY e.business_date, e.entry_no, p.line
LIMIT :limit
"""

# Debits less credits of an account between a date and a place, both included.
_MOVED_UP_TO = """
SELECT cast(coalesce(sum(CASE WHEN p.debit_account = :code THEN p.amount_fen ELSE -p.amount_fen END), 0) AS bigint)
FROM ledger_entry e JOIN ledger_posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
WHERE e.tenant_id = :tenant AND e.business_date BETWEEN :first AND :up_to_on
  AND (e.business_date, e.entry_no, p.line) <= (cast(:up_to_on AS date), cast(:up_to_no AS bigint), cast(:up_to_line AS integer))
  AND (p.debit_account = :code OR p.credit_account = :code)
  /* of one subject */
"""

_SUBJECTS = """
SELECT p.subject_id, min(e.kind) AS kind,
       cast(coalesce(sum(p.amount_fen) FILTER (WHERE p.debit_account = :code), 0) AS bigint) AS debit_fen,
       cast(coalesce(sum(p.amount_fen) FILTER (WHERE p.credit_account = :code), 0) AS bigint) AS credit_fen
FROM ledger_posting p JOIN ledger_entry e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
WHERE p.tenant_id = :tenant AND e.business_date <= :last AND (p.debit_account = :code OR p.credit_account = :code)
  AND (cast(:after AS uuid) IS NULL OR p.subject_id > :after)
GROUP BY p.subject_id
ORDER BY p.subject_id
LIMIT :limit
"""

_ENTRY = """
SELECT e.id, e.entry_no, e.business_date, e.effective_on, e.kind, e.source_id, e.memo, e.recorded_at,
       p.line, p.debit_account, p.credit_account, p.amount_fen, p.subject_id
"""

_ENTRIES_OF = f"""
{_ENTRY} FROM (
    SELECT DISTINCT p.entry_id FROM ledger_posting p
    WHERE p.tenant_id = :tenant AND p.subject_id = :subject AND (cast(:before AS uuid) IS NULL OR p.entry_id < :before)
    ORDER BY p.entry_id DESC LIMIT :limit
) AS wanted
JOIN ledger_entry e ON e.tenant_id = :tenant AND e.id = wanted.entry_id
JOIN ledger_posting p ON p.tenant_id = :tenant AND p.entry_id = e.id AND p.subject_id = :subject
ORDER BY e.id DESC, p.line
"""  # noqa: S608 (constants only)

_JOURNAL = f"""
{_ENTRY} FROM (
    SELECT * FROM ledger_entry
    WHERE tenant_id = :tenant AND business_date BETWEEN :first AND :last
      AND (business_date, entry_no) > (cast(:after_on AS date), cast(:after_no AS bigint))
    ORDER BY business_date, entry_no LIMIT :limit
) AS e
JOIN ledger_posting p ON p.tenant_id = :tenant AND p.entry_id = e.id
ORDER BY e.business_date, e.entry_no, p.line
"""  # noqa: S608 (constants only)


async def accounts(read: ReadSession) -> list[Account]:
    """The chart in order of codes."""
    rows = await read.rows(
        "SELECT code, name_zh, name_en, type, normal_side FROM ledger_account WHERE tenant_id = :tenant ORDER BY code"
    )
    return [_account(row) for row in rows]


async def totals(
    read: ReadSession,
    last: BusinessDate,
    *,
    first: BusinessDate | None = None,
    code: str | None = None,
    subject_id: UUID | None = None,
) -> list[TrialBalanceLine]:
    """Debits and credits of every account (or of one) between two dates, both included, with what stood there before.

    Without ``first`` from the beginning of the books.
    """
    lines = []
    query, about = _about(_TOTALS, subject_id)
    for row in await read.rows(query, first=first, last=last, code=code, from_closure=subject_id is None, **about):
        account = _account(row)
        if first is None:
            lines.append(TrialBalanceLine(account, row.debit_before_fen, row.credit_before_fen))
        else:
            opening_fen = account.on_normal_side(row.debit_before_fen - row.credit_before_fen)
            lines.append(TrialBalanceLine(account, row.debit_fen, row.credit_fen, opening_fen))
    return lines


async def moved_up_to(read: ReadSession, account: Account, first: BusinessDate, up_to: Place, subject_id: UUID | None) -> int:
    """What moved on an account from a date up to and including a place, on the account's normal side."""
    query, about = _about(_MOVED_UP_TO, subject_id)
    moved = await read.scalar(
        query,
        code=account.code,
        first=first,
        up_to_on=up_to.business_date,
        up_to_no=up_to.entry_no,
        up_to_line=up_to.line,
        **about,
    )
    return account.on_normal_side(int(moved))


async def statement_lines(
    read: ReadSession, account: Account, opening_fen: int, last: BusinessDate, after: Place, subject_id: UUID | None, limit: int
) -> list[StatementLine]:
    """An account's postings behind a place, in order, with the balance running on from ``opening_fen``."""
    query, about = _about(_LINES, subject_id)
    rows = await read.rows(query, **_place(after), last=last, code=account.code, limit=limit, **about)
    return list(_running(account, opening_fen, rows))


async def stream_statement(
    read: ReadSession, account: Account, opening_fen: int, last: BusinessDate, after: Place, subject_id: UUID | None, size: int
) -> AsyncIterator[list[StatementLine]]:
    """The same without a limit, in batches."""
    query, about = _about(_LINES, subject_id)
    async for rows in read.batches(query, size, **_place(after), last=last, code=account.code, limit=None, **about):
        lines = list(_running(account, opening_fen, rows))
        opening_fen = lines[-1].balance_fen
        yield lines


async def stream_journal(read: ReadSession, first: BusinessDate, last: BusinessDate, size: int) -> AsyncIterator[Sequence[Row]]:
    """Postings between two dates with their entries, in the order of the books, in batches."""
    async for rows in read.batches(_JOURNAL, size, first=first, last=last, after_on=first, after_no=0, limit=None):
        yield rows


async def journal(read: ReadSession, first: BusinessDate, last: BusinessDate, after: Place, limit: int) -> list[BookedEntry]:
    """Entries between two dates behind a place, in the order of the books, with all their postings."""
    rows = await read.rows(_JOURNAL, first=first, last=last, after_on=after.business_date, after_no=after.entry_no, limit=limit)
    return [_booked(list(lines)) for _, lines in groupby(rows, key=lambda row: row.id)]


async def subject_totals(
    read: ReadSession, account: Account, last: BusinessDate, after: UUID | None, limit: int
) -> list[SubjectTotal]:
    """What moved on an account up to a date, by subject, in the order of their ids."""
    rows = await read.rows(_SUBJECTS, code=account.code, last=last, after=after, limit=limit)
    return [
        SubjectTotal(
            row.subject_id, row.kind, row.debit_fen, row.credit_fen, account.on_normal_side(row.debit_fen - row.credit_fen)
        )
        for row in rows
    ]


async def entries_of(read: ReadSession, subject_id: UUID, before: UUID | None, limit: int) -> list[BookedEntry]:
    """Entries with postings on a subject, newest first; of each only the postings on that subject."""
    rows = await read.rows(_ENTRIES_OF, subject=subject_id, before=before, limit=limit)
    return [_booked(list(lines)) for _, lines in groupby(rows, key=lambda row: row.id)]


async def entry(read: ReadSession, entry_id: UUID) -> BookedEntry | None:
    """An entry with all its postings."""
    rows = await read.rows(
        f"{_ENTRY} FROM ledger_entry e JOIN ledger_posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id"
        " WHERE e.tenant_id = :tenant AND e.id = :id ORDER BY p.line",
        id=entry_id,
    )
    return _booked(rows) if rows else None


def _about(query: str, subject_id: UUID | None) -> tuple[str, dict[str, object]]:
    """A statement about one subject or about all, and what it is asked with besides."""
    if subject_id is None:
        return query, {}
    return query.replace(_NARROWED, "AND p.subject_id = :subject"), {"subject": subject_id}


def _place(after: Place) -> dict[str, object]:
    return {"first": after.business_date, "after_on": after.business_date, "after_no": after.entry_no, "after_line": after.line}


def _account(row: Row) -> Account:
    return Account(row.code, row.name_zh, row.name_en, AccountType(row.type), Side(row.normal_side))


def _running(account: Account, balance_fen: int, rows: Sequence[Row]) -> list[StatementLine]:
    lines = []
    for row in rows:
        debited = row.debit_account == account.code
        balance_fen += account.on_normal_side(row.amount_fen if debited else -row.amount_fen)
        lines.append(
            StatementLine(
                entry_id=row.id,
                entry_no=row.entry_no,
                line=row.line,
                business_date=row.business_date,
                effective_on=row.effective_on,
                kind=row.kind,
                source_id=row.source_id,
                memo=row.memo,
                counter_account=row.credit_account if debited else row.debit_account,
                subject_id=row.subject_id,
                debit_fen=row.amount_fen if debited else 0,
                credit_fen=0 if debited else row.amount_fen,
                balance_fen=balance_fen,
            )
        )
    return lines


def _booked(lines: Sequence[Row]) -> BookedEntry:
    head = lines[0]
    postings = tuple(Posting(row.debit_account, row.credit_account, row.amount_fen, row.subject_id) for row in lines)
    entry = Entry(head.kind, head.source_id, head.business_date, head.memo, postings, head.effective_on)
    return BookedEntry(head.id, head.entry_no, head.recorded_at, entry)
