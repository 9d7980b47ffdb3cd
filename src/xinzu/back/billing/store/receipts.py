"""SQL of money in, what it was set against, and money back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from xinzu.back.billing.errors import ReceiptConflict
from xinzu.back.billing.model import AccountState, Funds
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

# Locked as accounts always are (store.accounts.lock): in the order of their ids, before anything else.
_LOCK_PAYERS = """
SELECT agreement_id, party_id, state, family, commencement_on, written_off_on, credit_balance_fen, overdue_fen, kept_on,
       has_shares
FROM billing_account
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))
ORDER BY agreement_id FOR NO KEY UPDATE
"""

# The function is in migration 0010. What many receipts have in common (where they came from, what for, by whom and when) is given once.
_RECORD = """
SELECT billing_record_receipts(:ids, :agreements, :refs, :trades, :amounts, :allocated, :sort_of, :sources, :purposes, :providers, :dates,
                               :part_ids, :part_of, :instalments, :charges, :parts, :today, :now)
"""

_BY_REFERENCE = """
SELECT r.source_ref, r.id, r.agreement_id, r.amount_fen, r.allocated_fen FROM billing_receipt r
WHERE r.tenant_id = :tenant AND r.source = :source AND r.source_ref = ANY(cast(:refs AS text[]))
"""

_AVAILABLE = """
SELECT agreement_id, id, amount_fen - allocated_fen - refunded_fen AS available_fen FROM billing_receipt
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND amount_fen > allocated_fen + refunded_fen
  AND reversed_on IS NULL
ORDER BY agreement_id, received_on, id
"""

_INSERT_ALLOCATIONS = """
INSERT INTO billing_allocation (tenant_id, id, agreement_id, receipt_id, instalment_id, charge_id, amount_fen, allocated_on, recorded_at)
SELECT :tenant, a.id, a.agreement_id, a.receipt_id, a.instalment_id, a.charge_id, a.amount_fen, a.allocated_on, :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:receipts AS uuid[]), cast(:instalments AS uuid[]),
            cast(:charges AS uuid[]), cast(:amounts AS bigint[]), cast(:dates AS date[]))
     AS a(id, agreement_id, receipt_id, instalment_id, charge_id, amount_fen, allocated_on)
"""

_ADD_ALLOCATED = """
UPDATE billing_receipt r SET allocated_fen = r.allocated_fen + p.amount_fen
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE r.tenant_id = :tenant AND r.id = p.id
"""

_ALLOCATED_TO = """
SELECT agreement_id, receipt_id, instalment_id, charge_id, cast(sum(amount_fen) AS bigint) AS amount_fen
FROM billing_allocation
WHERE tenant_id = :tenant
  AND (instalment_id = ANY(cast(:instalments AS uuid[])) OR charge_id = ANY(cast(:charges AS uuid[])))
GROUP BY agreement_id, receipt_id, instalment_id, charge_id
HAVING sum(amount_fen) > 0
"""

_SETTLED_BY = """
SELECT d.instalment_id, d.charge_id, coalesce(i.role, c.kind) AS kind, d.amount_fen
FROM (SELECT instalment_id, charge_id, cast(sum(amount_fen) AS bigint) AS amount_fen FROM billing_allocation
      WHERE tenant_id = :tenant AND receipt_id = :receipt
      GROUP BY instalment_id, charge_id HAVING sum(amount_fen) > 0) AS d
LEFT JOIN billing_instalment i ON i.tenant_id = :tenant AND i.id = d.instalment_id
LEFT JOIN billing_charge c ON c.tenant_id = :tenant AND c.id = d.charge_id
ORDER BY 1, 2
"""

_INSERT_REFUNDS = """
INSERT INTO billing_refund (tenant_id, id, agreement_id, amount_fen, refunded_on, recorded_at)
SELECT :tenant, r.id, r.agreement_id, r.amount_fen, :on, :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:amounts AS bigint[])) AS r(id, agreement_id, amount_fen)
"""

_ADD_REFUNDED = """
UPDATE billing_receipt r SET refunded_fen = r.refunded_fen + p.amount_fen
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE r.tenant_id = :tenant AND r.id = p.id
"""

_RECEIPT_COLUMNS = """
SELECT id, source, source_ref, purpose, provider, provider_trade_no, amount_fen, allocated_fen, refunded_fen, received_on, reversed_on,
       recorded_at
FROM billing_receipt
"""

_RECEIPTS_OF = f"""{_RECEIPT_COLUMNS}
WHERE tenant_id = :tenant AND agreement_id = :agreement AND (cast(:before AS uuid) IS NULL OR id < :before)
ORDER BY id DESC LIMIT :limit
"""


class Payer(NamedTuple):
    """A locked account, as far as recording money asks about it. A tuple, as are the two below: very many are made."""

    agreement_id: UUID
    party_id: UUID
    state: AccountState
    family: Family
    commencement_on: BusinessDate | None
    written_off_on: BusinessDate | None
    credit_balance_fen: int
    overdue_fen: int
    kept_on: BusinessDate | None
    has_shares: bool = False


class NewReceipt(NamedTuple):
    """Money that came in. ``(source, source_ref)`` names it: the same money is recorded once."""

    id: UUID
    agreement_id: UUID
    source: str
    source_ref: str
    purpose: str
    provider: str
    provider_trade_no: str
    amount_fen: int
    received_on: BusinessDate


@dataclass(frozen=True, slots=True)
class KnownReceipt:
    """A receipt recorded before."""

    id: UUID
    agreement_id: UUID
    amount_fen: int
    allocated_fen: int


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """A receipt as it stands."""

    id: UUID
    source: str
    source_ref: str
    purpose: str
    provider: str
    provider_trade_no: str
    amount_fen: int
    allocated_fen: int
    refunded_fen: int
    received_on: BusinessDate
    reversed_on: BusinessDate | None
    recorded_at: Instant


class AllocationRow(NamedTuple):
    """A row of billing_allocation; negative when it takes an earlier one back. Exactly one of the two items is given. ``allocated_on`` is
    the day it counts from, None for today."""

    id: UUID
    agreement_id: UUID
    receipt_id: UUID
    instalment_id: UUID | None
    charge_id: UUID | None
    amount_fen: int
    allocated_on: BusinessDate | None = None


async def lock_payers(uow: UnitOfWork, agreement_ids: Collection[UUID]) -> dict[UUID, Payer]:
    """The accounts of these agreements, locked until the end of the transaction; agreements without one are left out."""
    return {
        agreement_id: Payer(agreement_id, party_id, AccountState(state), Family(family), *others)
        for agreement_id, party_id, state, family, *others in await uow.rows(_LOCK_PAYERS, agreements=list(agreement_ids))
    }


async def insert_receipts(uow: UnitOfWork, receipts: Sequence[NewReceipt], rows: Sequence[AllocationRow] = ()) -> None:
    """Record receipts with the allocations of them that count from today. Raises ReceiptConflict when a reference was given to money of
    another agreement since it was looked up: who has locked an account knows all of its own. The transaction must then be given up."""
    nth_of = {receipt.id: nth for nth, receipt in enumerate(receipts)}
    part_of = [nth_of[row.receipt_id] for row in rows]
    allocated_fen = [0] * len(receipts)
    for nth, row in zip(part_of, rows, strict=True):
        allocated_fen[nth] += row.amount_fen
    sorts: dict[tuple[str, str, str, BusinessDate], int] = {}
    sort_of = [
        sorts.setdefault((receipt.source, receipt.purpose, receipt.provider, receipt.received_on), len(sorts) + 1)
        for receipt in receipts
    ]
    sources, purposes, providers, dates = map(list, zip(*sorts, strict=True))
    written = await uow.scalar(
        _RECORD,
        now=uow.now,
        today=uow.business_date,
        ids=[receipt.id for receipt in receipts],
        agreements=[receipt.agreement_id for receipt in receipts],
        refs=[receipt.source_ref for receipt in receipts],
        trades=[receipt.provider_trade_no for receipt in receipts],
        amounts=[receipt.amount_fen for receipt in receipts],
        allocated=allocated_fen,
        sort_of=sort_of,
        sources=sources,
        purposes=purposes,
        providers=providers,
        dates=dates,
        part_ids=[row.id for row in rows],
        part_of=[nth + 1 for nth in part_of],
        instalments=[row.instalment_id for row in rows],
        charges=[row.charge_id for row in rows],
        parts=[row.amount_fen for row in rows],
    )
    if written < len(receipts):
        raise ReceiptConflict


async def by_reference(read: ReadSession, references: Iterable[tuple[str, str]]) -> dict[tuple[str, str], KnownReceipt]:
    """Receipts by (source, source_ref)."""
    refs_of: dict[str, list[str]] = {}
    for source, source_ref in references:
        refs_of.setdefault(source, []).append(source_ref)
    return {
        (source, source_ref): KnownReceipt(*known)
        for source, refs in refs_of.items()
        for source_ref, *known in await read.rows(_BY_REFERENCE, source=source, refs=refs)
    }


async def available(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, list[Funds]]:
    """What is left of receipts, by agreement, oldest first."""
    funds: dict[UUID, list[Funds]] = {}
    for row in await read.rows(_AVAILABLE, agreements=list(agreement_ids)):
        funds.setdefault(row.agreement_id, []).append(Funds(row.id, row.available_fen))
    return funds


async def insert_allocations(uow: UnitOfWork, rows: Sequence[AllocationRow]) -> None:
    """Write allocations and add them up on their receipts. Two statements."""
    today = uow.business_date
    await uow.execute(
        _INSERT_ALLOCATIONS,
        now=uow.now,
        dates=[row.allocated_on or today for row in rows],
        ids=[row.id for row in rows],
        agreements=[row.agreement_id for row in rows],
        receipts=[row.receipt_id for row in rows],
        instalments=[row.instalment_id for row in rows],
        charges=[row.charge_id for row in rows],
        amounts=[row.amount_fen for row in rows],
    )
    per_receipt: dict[UUID, int] = {}
    for row in rows:
        per_receipt[row.receipt_id] = per_receipt.get(row.receipt_id, 0) + row.amount_fen
    await uow.execute(_ADD_ALLOCATED, ids=list(per_receipt), amounts=list(per_receipt.values()))


async def allocated_to(read: ReadSession, instalment_ids: Sequence[UUID], charge_ids: Sequence[UUID]) -> list[AllocationRow]:
    """What stands allocated to items, per receipt (the id of each row is the receipt's)."""
    rows = await read.rows(_ALLOCATED_TO, instalments=list(instalment_ids), charges=list(charge_ids))
    return [
        AllocationRow(row.receipt_id, row.agreement_id, row.receipt_id, row.instalment_id, row.charge_id, row.amount_fen)
        for row in rows
    ]


async def find(read: ReadSession, agreement_id: UUID, receipt_id: UUID) -> ReceiptRecord | None:
    row = await read.row(
        f"{_RECEIPT_COLUMNS} WHERE tenant_id = :tenant AND agreement_id = :agreement AND id = :id",
        agreement=agreement_id,
        id=receipt_id,
    )
    return None if row is None else ReceiptRecord(*tuple(row))


async def settled_by(read: ReadSession, receipt_id: UUID) -> Sequence[Row]:
    """What a receipt stands against: instalment_id or charge_id, kind of item, amount_fen."""
    return await read.rows(_SETTLED_BY, receipt=receipt_id)


async def mark_reversed(uow: UnitOfWork, receipt_id: UUID) -> None:
    await uow.execute(
        "UPDATE billing_receipt SET reversed_on = :on WHERE tenant_id = :tenant AND id = :id", on=uow.business_date, id=receipt_id
    )


async def known_refunds(read: ReadSession, refund_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """Refunds recorded before: agreement and amount by id."""
    rows = await read.rows(
        "SELECT id, agreement_id, amount_fen FROM billing_refund WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(refund_ids),
    )
    return {row.id: (row.agreement_id, row.amount_fen) for row in rows}


async def insert_refunds(uow: UnitOfWork, refunds: Sequence[tuple[UUID, UUID, int]], drawn: Mapping[UUID, int]) -> None:
    """Record refunds (id, agreement, amount) and what they took out of which receipt."""
    await uow.execute(
        _INSERT_REFUNDS,
        now=uow.now,
        on=uow.business_date,
        ids=[refund_id for refund_id, _, _ in refunds],
        agreements=[agreement_id for _, agreement_id, _ in refunds],
        amounts=[amount_fen for _, _, amount_fen in refunds],
    )
    await uow.execute(_ADD_REFUNDED, ids=list(drawn), amounts=list(drawn.values()))


async def receipts_of(read: ReadSession, agreement_id: UUID, before: UUID | None, limit: int) -> list[ReceiptRecord]:
    """Receipts of an agreement, newest first."""
    rows = await read.rows(_RECEIPTS_OF, agreement=agreement_id, before=before, limit=limit)
    return [ReceiptRecord(*tuple(row)) for row in rows]
