"""SQL of what has moved since an entry: balances that are counted on instead of anew."""

from __future__ import annotations

from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger.model import Movements

# Entry numbers are drawn one after another and have no gap, so that everything booked later has a greater one, whatever its date.
_MOVED_SINCE = """
WITH moved AS (
    SELECT p.debit_account, p.credit_account, sum(p.amount_fen) AS fen
    FROM ledger_entry e JOIN ledger_posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
    WHERE e.tenant_id = :tenant AND e.entry_no > :after_no GROUP BY 1, 2
)
SELECT NULL AS code, last_entry_no AS number FROM ledger_book WHERE tenant_id = :tenant
UNION ALL
SELECT s.code, cast(sum(s.fen) AS bigint)
FROM (SELECT debit_account AS code, fen FROM moved UNION ALL SELECT credit_account, -fen FROM moved) AS s GROUP BY s.code
"""


async def hold(uow: UnitOfWork) -> None:
    """Take the turn of posting without posting."""
    await uow.execute("SELECT FROM ledger_book WHERE tenant_id = :tenant FOR NO KEY UPDATE")


async def moved_since(read: ReadSession, entry_no: int | None) -> Movements:
    """What has moved on each account since an entry; with None only how far the books are. One statement."""
    last_entry_no, net_debit_fen = 0, {}
    for row in await read.rows(_MOVED_SINCE, after_no=2**62 if entry_no is None else entry_no):
        if row.code is None:
            last_entry_no = row.number
        else:
            net_debit_fen[row.code] = row.number
    return Movements(last_entry_no, net_debit_fen)
