"""SQL that reads agreements as ``rules.value_dating`` lives them again: what was claimed, charged, received and settled, and when.

What fell away (cancelled legs and charges) and receipts that were reversed are left out with all that was set against them: it is as if
they had never been.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import msgspec

from xinzu.back.billing.model import Correction, ItemKind, LateFeeDays, Segment
from xinzu.back.billing.rules.value_dating import Claim, LateFee, Money, Settled
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork

_ITEMS = """
SELECT i.agreement_id, i.id, i.role AS kind, i.due_on, i.due_on AS claimed_on, i.amount_fen, i.cancelled_fen, NULL AS leg_id, NULL AS why
FROM billing_instalment i
WHERE i.tenant_id = :tenant AND i.agreement_id = ANY(cast(:agreements AS uuid[])) AND i.state IN ('due', 'overdue', 'paid')
UNION ALL
SELECT c.agreement_id, c.id, c.kind, c.due_on, c.raised_on, c.amount_fen, c.cancelled_fen, c.instalment_id, c.why
FROM billing_charge c LEFT JOIN billing_instalment i ON i.tenant_id = :tenant AND i.id = c.instalment_id
WHERE c.tenant_id = :tenant AND c.agreement_id = ANY(cast(:agreements AS uuid[]))
  AND (c.amount_fen > c.cancelled_fen OR c.kind = 'late_fee') AND i.state IS DISTINCT FROM 'cancelled'
"""

_LET_OFF = """
SELECT item_id, made_on, cast(sum(CASE kind WHEN 'recovery' THEN -amount_fen ELSE amount_fen END) AS bigint) AS fen
FROM billing_adjustment
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND kind IN ('waiver', 'write_off', 'recovery')
GROUP BY item_id, made_on ORDER BY made_on
"""

_RECEIPTS = """
SELECT agreement_id, id, received_on, amount_fen - refunded_fen AS fen FROM billing_receipt
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND reversed_on IS NULL
"""

_SETTLED = """
SELECT r.agreement_id, a.receipt_id, coalesce(a.instalment_id, a.charge_id) AS item_id, a.allocated_on,
       cast(sum(a.amount_fen) AS bigint) AS fen
FROM billing_receipt r JOIN billing_allocation a ON a.tenant_id = r.tenant_id AND a.receipt_id = r.id
WHERE r.tenant_id = :tenant AND r.agreement_id = ANY(cast(:agreements AS uuid[])) AND r.reversed_on IS NULL
GROUP BY 1, 2, 3, 4 HAVING sum(a.amount_fen) <> 0
"""

# What is taken back joins what is cancelled, and why says what stood before.
_REDUCE = """
UPDATE billing_charge c
SET cancelled_fen = c.cancelled_fen + p.taken_back_fen, fen_days = p.fen_days,
    why = jsonb_build_object('segments', p.segments,
                             'corrections', coalesce(c.why -> 'corrections', '[]') || jsonb_build_array(p.correction))
FROM unnest(cast(:ids AS uuid[]), cast(:taken AS bigint[]), cast(:days AS bigint[]), cast(:segments AS jsonb[]),
            cast(:corrections AS jsonb[])) AS p(id, taken_back_fen, fen_days, segments, correction)
WHERE c.tenant_id = :tenant AND c.id = p.id
"""

_ALWAYS = date.min


@dataclass(slots=True)
class History:
    """One agreement from ``from_on`` on; ``settled`` is what stands settled on and after that day."""

    claims: list[Claim] = field(default_factory=list)
    fees: list[LateFee] = field(default_factory=list)
    money: list[Money] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)


async def histories(read: ReadSession, from_on: Mapping[UUID, BusinessDate]) -> dict[UUID, History]:
    """The histories of agreements, each from its day on. Four reads, whatever their number."""
    agreements = list(from_on)
    found = {agreement_id: History() for agreement_id in agreements}
    items = {row.id: row for row in await read.rows(_ITEMS, agreements=agreements)}
    let_off: dict[UUID, list[tuple[BusinessDate, int]]] = defaultdict(list)
    for row in await read.rows(_LET_OFF, agreements=agreements):
        let_off[row.item_id].append((row.made_on, row.fen))
    paid: dict[UUID, int] = defaultdict(int)
    used: dict[UUID, int] = defaultdict(int)
    for row in await read.rows(_SETTLED, agreements=agreements):
        if row.item_id not in items:
            continue
        if row.allocated_on < from_on[row.agreement_id]:
            paid[row.item_id] += row.fen
            used[row.receipt_id] += row.fen
        else:
            found[row.agreement_id].settled.append(Settled(row.allocated_on, row.receipt_id, row.item_id, row.fen))
    for row in await read.rows(_RECEIPTS, agreements=agreements):
        found[row.agreement_id].money.append(Money(row.id, row.received_on, row.fen - used[row.id]))
    for row in items.values():
        history = found[row.agreement_id]
        if row.leg_id is None:
            dated = let_off[row.id]
            undated_fen = row.cancelled_fen - sum(fen for _, fen in dated)
            history.claims.append(
                Claim(
                    id=row.id,
                    kind=ItemKind(row.kind),
                    due_on=row.due_on,
                    claimed_on=row.claimed_on,
                    amount_fen=row.amount_fen,
                    paid_fen=paid[row.id],
                    let_off=(*dated, (_ALWAYS, undated_fen)) if undated_fen else tuple(dated),
                )
            )
        else:
            why = msgspec.convert(row.why, LateFeeDays)
            history.fees.append(
                LateFee(
                    id=row.id,
                    leg_id=row.leg_id,
                    stands_fen=row.amount_fen - why.taken_back_fen,
                    segments=why.segments,
                    paid_fen=paid[row.id],
                    let_off_fen=row.cancelled_fen - why.taken_back_fen,
                )
            )
    return found


async def reduce_late_fees(uow: UnitOfWork, reduced: Iterable[tuple[UUID, int, tuple[Segment, ...], Correction]]) -> None:
    """Take late fees back in part or whole: (charge, fen-days now, segments now, correction). One statement."""
    rows = list(reduced)
    await uow.execute(
        _REDUCE,
        ids=[charge_id for charge_id, _, _, _ in rows],
        taken=[correction.taken_back_fen for *_, correction in rows],
        days=[fen_days for _, fen_days, _, _ in rows],
        segments=[msgspec.json.encode(segments).decode() for _, _, segments, _ in rows],
        corrections=[msgspec.json.encode(correction).decode() for *_, correction in rows],
    )
