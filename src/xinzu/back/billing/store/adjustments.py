"""SQL of what was done to items and receipts by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing.model import AdjustmentKind
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_INSERT = """
INSERT INTO billing_adjustment (tenant_id, id, agreement_id, kind, item_id, amount_fen, reason, made_by, made_on, recorded_at)
SELECT :tenant, a.id, a.agreement_id, a.kind, a.item_id, a.amount_fen, a.reason, :actor, :on, :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:kinds AS text[]), cast(:items AS uuid[]),
            cast(:amounts AS bigint[]), cast(:reasons AS text[]))
     AS a(id, agreement_id, kind, item_id, amount_fen, reason)
"""

_OF = """
SELECT id, kind, item_id, amount_fen, reason, made_by, made_on, recorded_at FROM billing_adjustment
WHERE tenant_id = :tenant AND agreement_id = :agreement ORDER BY id DESC LIMIT 1000
"""

# What was written off of items and has not come in since.
_LOST = """
SELECT l.agreement_id, l.item_id, coalesce(i.role, c.kind) AS kind, coalesce(i.due_on, c.due_on) AS due_on, l.lost_fen
FROM (SELECT agreement_id, item_id,
             cast(sum(CASE kind WHEN 'write_off' THEN amount_fen ELSE -amount_fen END) AS bigint) AS lost_fen
      FROM billing_adjustment
      WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND kind IN ('write_off', 'recovery')
      GROUP BY agreement_id, item_id) AS l
LEFT JOIN billing_instalment i ON i.tenant_id = :tenant AND i.id = l.item_id
LEFT JOIN billing_charge c ON c.tenant_id = :tenant AND c.id = l.item_id
WHERE l.lost_fen > 0
"""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One thing done by hand to an item or a receipt (``item_id``)."""

    id: UUID
    kind: AdjustmentKind
    item_id: UUID
    amount_fen: int
    reason: str
    made_by: str
    made_on: BusinessDate
    recorded_at: Instant


async def insert(uow: UnitOfWork, made: Sequence[tuple[UUID, AdjustmentKind, UUID, int, str]]) -> list[UUID]:
    """Record adjustments (agreement, kind, item, fen, reason) as the actor's; returns their ids in order."""
    ids = [new_id() for _ in made]
    if made:
        await uow.execute(
            _INSERT,
            actor=str(uow.actor),
            on=uow.business_date,
            now=uow.now,
            ids=ids,
            agreements=[agreement_id for agreement_id, _, _, _, _ in made],
            kinds=[kind.value for _, kind, _, _, _ in made],
            items=[item_id for _, _, item_id, _, _ in made],
            amounts=[amount_fen for _, _, _, amount_fen, _ in made],
            reasons=[reason for _, _, _, _, reason in made],
        )
    return ids


async def of_agreement(read: ReadSession, agreement_id: UUID) -> list[Adjustment]:
    """What was adjusted on an agreement, newest first."""
    return [
        Adjustment(
            row.id,
            AdjustmentKind(row.kind),
            row.item_id,
            row.amount_fen,
            row.reason,
            row.made_by,
            row.made_on,
            row.recorded_at,
        )
        for row in await read.rows(_OF, agreement=agreement_id)
    ]


async def lost(read: ReadSession, agreement_ids: Sequence[UUID]) -> Sequence[Row]:
    """What was written off and not recovered: agreement_id, item_id, kind, due_on, lost_fen."""
    return await read.rows(_LOST, agreements=list(agreement_ids))
