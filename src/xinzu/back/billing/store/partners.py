"""SQL of partners: who they are, what their shares are, what is owed and was paid to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing.model import ItemKind, ShareBasis
from xinzu.back.billing.rules.partner_shares import AgreedShare, Received
from xinzu.back.billing.rules.postings import RECOVERED_THING
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_SHARES = """
SELECT id, agreement_id, partner_id, basis, share_bp, fixed_fen, floor_fen, cap_fen, from_on, to_on, agreed_ref
FROM billing_share WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) ORDER BY id
"""

# What came in as money of each item in which there can be a share; by the receipts, which the agreement's index finds.
_RECEIVED = """
SELECT s.agreement_id, s.item_id, coalesce(i.role, c.kind) AS kind, coalesce(i.due_on, c.due_on) AS due_on,
       coalesce(i.amount_fen - i.cancelled_fen, c.amount_fen - c.cancelled_fen) AS asked_fen, s.received_fen
FROM (SELECT r.agreement_id, coalesce(a.instalment_id, a.charge_id) AS item_id,
             cast(coalesce(sum(a.amount_fen) FILTER (WHERE r.provider <> :in_kind), 0) AS bigint) AS received_fen
      FROM billing_receipt r JOIN billing_allocation a ON a.tenant_id = r.tenant_id AND a.receipt_id = r.id
      WHERE r.tenant_id = :tenant AND r.agreement_id = ANY(cast(:agreements AS uuid[]))
      GROUP BY 1, 2) AS s
LEFT JOIN billing_instalment i ON i.tenant_id = :tenant AND i.id = s.item_id AND i.role IN ('rent', 'interest')
LEFT JOIN billing_charge c ON c.tenant_id = :tenant AND c.id = s.item_id AND c.kind = 'buyout'
WHERE i.id IS NOT NULL OR c.id IS NOT NULL
"""

_STANDS = """
SELECT agreement_id, share_id, item_id, cast(sum(amount_fen) AS bigint) AS amount_fen FROM billing_share_due
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))
GROUP BY agreement_id, share_id, item_id HAVING sum(amount_fen) <> 0
"""

_INSERT_DUES = """
INSERT INTO billing_share_due (tenant_id, id, agreement_id, partner_id, share_id, item_id, received_fen, amount_fen, due_on, recorded_at)
SELECT :tenant, d.id, d.agreement_id, d.partner_id, d.share_id, d.item_id, d.received_fen, d.amount_fen, :on, :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:partners AS uuid[]), cast(:shares AS uuid[]),
            cast(:items AS uuid[]), cast(:received AS bigint[]), cast(:amounts AS bigint[]))
     AS d(id, agreement_id, partner_id, share_id, item_id, received_fen, amount_fen)
"""

_INSERT_SHARES = """
INSERT INTO billing_share (tenant_id, id, agreement_id, partner_id, basis, share_bp, fixed_fen, floor_fen, cap_fen, from_on, to_on,
    agreed_ref, made_by, recorded_at)
SELECT :tenant, s.id, :agreement, s.partner_id, s.basis, s.share_bp, s.fixed_fen, s.floor_fen, s.cap_fen, :from_on, NULL, :ref, :by, :now
FROM unnest(cast(:ids AS uuid[]), cast(:partners AS uuid[]), cast(:bases AS text[]), cast(:bps AS smallint[]), cast(:fixed AS bigint[]),
            cast(:floors AS bigint[]), cast(:caps AS bigint[]))
     AS s(id, partner_id, basis, share_bp, fixed_fen, floor_fen, cap_fen)
"""

_PARTNERS = """
SELECT p.id, p.name,
       cast(coalesce((SELECT sum(amount_fen) FROM billing_share_due d WHERE d.tenant_id = :tenant AND d.partner_id = p.id), 0)
          - coalesce((SELECT sum(amount_fen) FROM billing_payout o WHERE o.tenant_id = :tenant AND o.partner_id = p.id), 0) AS bigint)
           AS owed_fen
FROM billing_partner p WHERE p.tenant_id = :tenant
"""

_TOTALS = """
SELECT cast(coalesce(sum(m.amount_fen) FILTER (WHERE m.on_date < :first), 0) AS bigint) AS opening_fen,
       cast(coalesce(sum(m.amount_fen) FILTER (WHERE m.on_date >= :first AND m.is_share), 0) AS bigint) AS shares_fen,
       cast(coalesce(-sum(m.amount_fen) FILTER (WHERE m.on_date >= :first AND NOT m.is_share), 0) AS bigint) AS paid_fen
FROM (SELECT due_on AS on_date, amount_fen, true AS is_share FROM billing_share_due
      WHERE tenant_id = :tenant AND partner_id = :partner AND due_on <= :last
      UNION ALL SELECT paid_on, -amount_fen, false FROM billing_payout
      WHERE tenant_id = :tenant AND partner_id = :partner AND paid_on <= :last) AS m
"""

_LINES = """
SELECT * FROM (
    SELECT d.id, d.due_on AS on_date, d.agreement_id, d.item_id, coalesce(i.role, c.kind) AS kind, d.received_fen, d.amount_fen,
           NULL AS reference
    FROM billing_share_due d
    LEFT JOIN billing_instalment i ON i.tenant_id = :tenant AND i.id = d.item_id
    LEFT JOIN billing_charge c ON c.tenant_id = :tenant AND c.id = d.item_id
    WHERE d.tenant_id = :tenant AND d.partner_id = :partner AND d.due_on BETWEEN :first AND :last
    UNION ALL
    SELECT id, paid_on, NULL, NULL, 'payout', 0, -amount_fen, reference FROM billing_payout
    WHERE tenant_id = :tenant AND partner_id = :partner AND paid_on BETWEEN :first AND :last
) AS l
WHERE cast(:before AS uuid) IS NULL OR l.id < :before
ORDER BY l.id DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A movement of what is owed to a partner."""

    id: UUID
    agreement_id: UUID
    partner_id: UUID
    share_id: UUID
    item_id: UUID
    received_fen: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner and what is owed to him; below zero he owes it back."""

    id: UUID
    name: str
    owed_fen: int


async def shares_of(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, list[tuple[AgreedShare, str]]]:
    """Shares of agreements, with where each was agreed, oldest first; those that have ended among them."""
    found: dict[UUID, list[tuple[AgreedShare, str]]] = {}
    for row in await read.rows(_SHARES, agreements=list(agreement_ids)):
        share = AgreedShare(
            row.id,
            row.partner_id,
            ShareBasis(row.basis),
            row.share_bp,
            row.fixed_fen,
            row.floor_fen,
            row.cap_fen,
            row.from_on,
            row.to_on,
        )
        found.setdefault(row.agreement_id, []).append((share, row.agreed_ref))
    return found


async def received_of(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, list[Received]]:
    """What came in as money of rents, interest and buy-out prices, by agreement."""
    found: dict[UUID, list[Received]] = {}
    for row in await read.rows(_RECEIVED, agreements=list(agreement_ids), in_kind=RECOVERED_THING):
        received = Received(row.item_id, ItemKind(row.kind), row.due_on, row.asked_fen, row.received_fen)
        found.setdefault(row.agreement_id, []).append(received)
    return found


async def stands_of(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, dict[tuple[UUID, UUID], int]]:
    """What was owed of each share in each item by now, by agreement."""
    found: dict[UUID, dict[tuple[UUID, UUID], int]] = {}
    for row in await read.rows(_STANDS, agreements=list(agreement_ids)):
        found.setdefault(row.agreement_id, {})[row.share_id, row.item_id] = row.amount_fen
    return found


async def insert_dues(uow: UnitOfWork, dues: Sequence[Due]) -> None:
    await uow.execute(
        _INSERT_DUES,
        on=uow.business_date,
        now=uow.now,
        ids=[due.id for due in dues],
        agreements=[due.agreement_id for due in dues],
        partners=[due.partner_id for due in dues],
        shares=[due.share_id for due in dues],
        items=[due.item_id for due in dues],
        received=[due.received_fen for due in dues],
        amounts=[due.amount_fen for due in dues],
    )


async def replace_shares(
    uow: UnitOfWork, agreement_id: UUID, from_on: BusinessDate, shares: Sequence[AgreedShare], agreed_ref: str
) -> None:
    """End what stands with the items that fall due before a date, and set these from then on."""
    await uow.execute(
        "UPDATE billing_share SET to_on = least(to_on, cast(:from_on AS date))"
        " WHERE tenant_id = :tenant AND agreement_id = :agreement",
        agreement=agreement_id,
        from_on=from_on,
    )
    if shares:
        await uow.execute(
            _INSERT_SHARES,
            agreement=agreement_id,
            from_on=from_on,
            ref=agreed_ref,
            by=str(uow.actor),
            now=uow.now,
            ids=[share.id for share in shares],
            partners=[share.partner_id for share in shares],
            bases=[share.basis.value for share in shares],
            bps=[share.share_bp for share in shares],
            fixed=[share.fixed_fen for share in shares],
            floors=[share.floor_fen for share in shares],
            caps=[share.cap_fen for share in shares],
        )
        await uow.execute(
            "UPDATE billing_account SET has_shares = true WHERE tenant_id = :tenant AND agreement_id = :agreement",
            agreement=agreement_id,
        )


async def insert_partner(uow: UnitOfWork, partner_id: UUID, name: str) -> None:
    """Nothing happens when there is one of the name."""
    await uow.execute(
        "INSERT INTO billing_partner (tenant_id, id, name, made_by, recorded_at) VALUES (:tenant, :id, :name, :by, :now)"
        " ON CONFLICT (tenant_id, name) DO NOTHING",
        id=partner_id,
        name=name,
        by=str(uow.actor),
        now=uow.now,
    )


async def partners(read: ReadSession, after: UUID | None = None, limit: int = 1_000) -> list[Partner]:
    """All partners by id."""
    rows = await read.rows(
        f"{_PARTNERS} AND (cast(:after AS uuid) IS NULL OR p.id > :after) ORDER BY p.id LIMIT :limit", after=after, limit=limit
    )
    return [Partner(*tuple(row)) for row in rows]


async def partner(read: ReadSession, partner_id: UUID) -> Partner | None:
    row = await read.row(f"{_PARTNERS} AND p.id = :id", id=partner_id)
    return None if row is None else Partner(*tuple(row))


async def partner_called(read: ReadSession, name: str) -> Partner | None:
    row = await read.row(f"{_PARTNERS} AND p.name = :name", name=name)
    return None if row is None else Partner(*tuple(row))


async def lock_partner(uow: UnitOfWork, partner_id: UUID) -> None:
    """Payouts to one partner take turns."""
    await uow.execute("SELECT 1 FROM billing_partner WHERE tenant_id = :tenant AND id = :id FOR NO KEY UPDATE", id=partner_id)


async def payout_of(read: ReadSession, reference: str) -> Row | None:
    """The payout of a reference: id, partner_id, amount_fen."""
    return await read.row(
        "SELECT id, partner_id, amount_fen FROM billing_payout WHERE tenant_id = :tenant AND reference = :reference",
        reference=reference,
    )


async def insert_payout(uow: UnitOfWork, payout_id: UUID, partner_id: UUID, reference: str, amount_fen: int) -> None:
    await uow.execute(
        "INSERT INTO billing_payout (tenant_id, id, partner_id, reference, amount_fen, paid_on, made_by, recorded_at)"
        " VALUES (:tenant, :id, :partner, :reference, :amount_fen, :on, :by, :now)",
        id=payout_id,
        partner=partner_id,
        reference=reference,
        amount_fen=amount_fen,
        on=uow.business_date,
        by=str(uow.actor),
        now=uow.now,
    )


async def totals(read: ReadSession, partner_id: UUID, first: BusinessDate, last: BusinessDate) -> tuple[int, int, int]:
    """What was owed before the first date, and what of shares came and was paid out between the two, in fen."""
    row = await read.row(_TOTALS, partner=partner_id, first=first, last=last)
    return (0, 0, 0) if row is None else (row.opening_fen, row.shares_fen, row.paid_fen)


async def lines(
    read: ReadSession, partner_id: UUID, first: BusinessDate, last: BusinessDate, before: UUID | None, limit: int
) -> Sequence[Row]:
    """Shares and payouts between two dates, newest first."""
    return await read.rows(_LINES, partner=partner_id, first=first, last=last, before=before, limit=limit)


async def sharing_agreements(read: ReadSession, after: UUID | None, limit: int) -> list[UUID]:
    """Agreements in which partners have shares, by id."""
    rows = await read.rows(
        "SELECT agreement_id FROM billing_account WHERE tenant_id = :tenant AND has_shares"
        " AND (cast(:after AS uuid) IS NULL OR agreement_id > :after) ORDER BY agreement_id LIMIT :limit",
        after=after,
        limit=limit,
    )
    return [row.agreement_id for row in rows]


async def due_on_agreement_fen(read: ReadSession, agreement_id: UUID) -> dict[UUID, int]:
    """What partners' shares have come to on an agreement, by partner."""
    rows = await read.rows(
        "SELECT partner_id, cast(sum(amount_fen) AS bigint) AS amount_fen FROM billing_share_due"
        " WHERE tenant_id = :tenant AND agreement_id = :agreement GROUP BY partner_id ORDER BY partner_id",
        agreement=agreement_id,
    )
    return {row.partner_id: row.amount_fen for row in rows}
