"""SQL of reports over all agreements: ageing of what is owed, and risk classes with their exposure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from xinzu.back.billing.rules.ageing import LAST_DAYS, AgeingBucket
from xinzu.back.billing.rules.late_fee import EXCESSIVE_PENALTY_PCT
from xinzu.back.billing.store.classes import EXPOSED
from xinzu.kernel.prime_rate import DAYS_IN_YEAR
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession

# What is open now stands on the items. Two small indexes hold it.
_OPEN_NOW = """
    SELECT i.agreement_id, i.due_on, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen
    FROM billing_instalment i WHERE i.tenant_id = :tenant AND i.state IN ('due', 'overdue')
    UNION ALL
    SELECT c.agreement_id, c.due_on, c.amount_fen - c.paid_fen - c.cancelled_fen
    FROM billing_charge c WHERE c.tenant_id = :tenant AND c.amount_fen > c.paid_fen + c.cancelled_fen
"""

# What was open at the close of an earlier date, as we know it today: money counts from the day it came in, what fell away since was never
# claimed. A late fee of that date is computed from its days (the rule is rules.late_fee).
_OPEN_THEN = f"""
    SELECT o.agreement_id, o.due_on,
           greatest(o.fen - coalesce(s.fen, 0) - coalesce(l.fen, 0) - (o.cancelled_fen - coalesce(l.all_fen, 0)), 0) AS open_fen
    FROM (
        SELECT i.agreement_id, i.id, i.due_on, i.amount_fen AS fen, i.cancelled_fen
        FROM billing_instalment i
        WHERE i.tenant_id = :tenant AND i.state IN ('due', 'overdue', 'paid') AND i.due_on <= :on
        UNION ALL
        SELECT c.agreement_id, c.id, c.due_on, c.amount_fen, c.cancelled_fen
        FROM billing_charge c WHERE c.tenant_id = :tenant AND c.kind <> 'late_fee' AND c.raised_on <= :on
        UNION ALL
        SELECT c.agreement_id, c.id, c.due_on,
               cast(least(trunc(d.fen_days * a.late_fee_daily_rate),
                          div(d.fen_days * a.late_fee_ceiling_annual_pct, {100 * DAYS_IN_YEAR}),
                          div(cast(i.amount_fen AS numeric) * {EXCESSIVE_PENALTY_PCT}, 100)) AS bigint),
               c.cancelled_fen - coalesce((SELECT cast(sum(cast(k ->> 'taken_back_fen' AS bigint)) AS bigint)
                                           FROM jsonb_array_elements(c.why -> 'corrections') AS k), 0)
        FROM billing_charge c
        JOIN billing_instalment i ON i.tenant_id = :tenant AND i.id = c.instalment_id AND i.state <> 'cancelled'
        JOIN billing_account a ON a.tenant_id = :tenant AND a.agreement_id = c.agreement_id
        CROSS JOIN LATERAL (
            SELECT sum(g.base_fen * (least(g.to_on, cast(:on AS date)) - g.from_on + 1)) AS fen_days
            FROM jsonb_to_recordset(c.why -> 'segments') AS g(from_on date, to_on date, base_fen bigint) WHERE g.from_on <= :on) AS d
        WHERE c.tenant_id = :tenant AND c.kind = 'late_fee' AND c.due_on < :on AND d.fen_days IS NOT NULL
    ) AS o
    LEFT JOIN (
        SELECT coalesce(a.instalment_id, a.charge_id) AS id, sum(a.amount_fen) AS fen
        FROM billing_allocation a JOIN billing_receipt r ON r.tenant_id = a.tenant_id AND r.id = a.receipt_id AND r.reversed_on IS NULL
        WHERE a.tenant_id = :tenant AND a.allocated_on <= :on GROUP BY 1
    ) AS s ON s.id = o.id
    LEFT JOIN (
        SELECT j.item_id AS id, sum(j.fen) FILTER (WHERE j.made_on <= :on) AS fen, sum(j.fen) AS all_fen
        FROM (SELECT item_id, made_on, CASE kind WHEN 'recovery' THEN -amount_fen ELSE amount_fen END AS fen FROM billing_adjustment
              WHERE tenant_id = :tenant AND kind IN ('waiver', 'write_off', 'recovery')) AS j
        GROUP BY 1
    ) AS l ON l.id = o.id
"""  # noqa: S608 (constants only)

_BUCKET = " + ".join(f"(cast(:on AS date) - o.due_on > {last})::integer" for last in LAST_DAYS)

_AGEING = """
SELECT a.family, b.bucket, count(*) AS agreement_count, cast(sum(b.fen) AS bigint) AS amount_fen
FROM (SELECT o.agreement_id, {bucket} AS bucket, sum(o.open_fen) AS fen FROM ({items}) AS o WHERE o.open_fen > 0 GROUP BY 1, 2) AS b
JOIN billing_account a ON a.tenant_id = :tenant AND a.agreement_id = b.agreement_id
GROUP BY a.family, b.bucket
"""

_PER_BUCKET = ", ".join(
    f"cast(coalesce(sum(o.open_fen) FILTER (WHERE {_BUCKET} = {n}), 0) AS bigint) AS bucket_{n}" for n in range(len(AgeingBucket))
)
_AGED = """
SELECT a.agreement_id, a.agreement_no, a.party_id, a.family, a.asset_class, l.oldest_due_on,
       greatest(cast(:on AS date) - l.oldest_due_on, 0) AS days_past_due, l.open_fen, {buckets}
FROM (SELECT o.agreement_id, min(o.due_on) AS oldest_due_on, cast(sum(o.open_fen) AS bigint) AS open_fen, {sums}
      FROM ({items}) AS o WHERE o.open_fen > 0 GROUP BY o.agreement_id) AS l
JOIN billing_account a ON a.tenant_id = :tenant AND a.agreement_id = l.agreement_id
WHERE (cast(:family AS text) IS NULL OR a.family = :family) AND (cast(:after AS uuid) IS NULL OR a.agreement_id > :after) {where}
ORDER BY a.agreement_id
"""
_NAMED = ", ".join(f"l.bucket_{n}" for n in range(len(AgeingBucket)))

_CLASSES = f"""
WITH {EXPOSED}
SELECT a.family, a.asset_class, count(*) AS agreement_count,
       cast(coalesce(sum(e.exposure_fen), 0) AS bigint) AS exposure_fen, cast(sum(a.provision_fen) AS bigint) AS provision_fen
FROM billing_account a LEFT JOIN exposed e ON e.agreement_id = a.agreement_id
WHERE a.tenant_id = :tenant AND (e.exposure_fen > 0 OR a.provision_fen > 0)
GROUP BY a.family, a.asset_class
"""  # noqa: S608 (constants only)


def _items(read: ReadSession, on: BusinessDate) -> str:
    return _OPEN_NOW if on == read.business_date else _OPEN_THEN


async def ageing(read: ReadSession, on: BusinessDate) -> Sequence[Row]:
    """What is open by family and bucket (its place in ``AgeingBucket``): agreements and fen. One statement."""
    return await read.rows(_AGEING.format(bucket=_BUCKET, items=_items(read, on)), on=on)


async def aged(
    read: ReadSession, on: BusinessDate, bucket: AgeingBucket, family: str | None, after: UUID | None, limit: int
) -> Sequence[Row]:
    """Agreements that have something in a bucket, by their ids, with what they have in each (``bucket_n``)."""
    where = f"AND l.bucket_{tuple(AgeingBucket).index(bucket)} > 0 "
    query = _AGED.format(buckets=_NAMED, sums=_PER_BUCKET, items=_items(read, on), where=where)
    return await read.rows(f"{query} LIMIT :limit", on=on, family=family, after=after, limit=limit)


def stream_aged(read: ReadSession, on: BusinessDate, size: int) -> AsyncIterator[Sequence[Row]]:
    """The same of every agreement that owes something, in batches."""
    query = _AGED.format(buckets=_NAMED, sums=_PER_BUCKET, items=_items(read, on), where="")
    return read.batches(query, size, on=on, family=None, after=None)


async def by_class(read: ReadSession, on: BusinessDate) -> Sequence[Row]:
    """Agreements that owe something by family and risk class: count, exposure at the close of a date, provision. One statement."""
    return await read.rows(_CLASSES, on=on)
