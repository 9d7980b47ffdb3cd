"""What the overview shows, read across modules in a few statements: a read model of the composition layer, it writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession

_ORDERS = """
SELECT a.id, a.submitted_at, a.state AS application_state, p.name_masked AS customer, a.terms ->> 'product_name' AS product,
       coalesce(a.terms -> 'financing' ->> 'family', 'rental') AS family,
       g.id AS agreement_id, g.agreement_no, g.state AS agreement_state, b.overdue_fen, b.days_past_due, i.paid, i.total,
       s.reported_level
FROM (
    SELECT * FROM applications_application
    WHERE tenant_id = :tenant AND (cast(:state AS text) IS NULL OR state = :state)
      AND (cast(:before AS uuid) IS NULL OR id < :before) AND (cast(:id AS uuid) IS NULL OR id = :id)
    ORDER BY id DESC LIMIT :limit
) a
JOIN parties_person p ON p.tenant_id = a.tenant_id AND p.id = a.party_id
LEFT JOIN agreements_agreement g ON g.tenant_id = a.tenant_id AND g.application_id = a.id
LEFT JOIN billing_account b ON b.tenant_id = a.tenant_id AND b.agreement_id = g.id
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE is_paid) AS paid, count(*) AS total
    FROM (SELECT bool_and(state = 'paid') FILTER (WHERE state <> 'cancelled') AS is_paid
          FROM billing_instalment WHERE tenant_id = :tenant AND agreement_id = g.id GROUP BY number) AS by_number
) i ON true
LEFT JOIN devices_binding n ON n.tenant_id = a.tenant_id AND n.agreement_id = g.id AND n.released_at IS NULL
LEFT JOIN devices_device d ON d.tenant_id = a.tenant_id AND d.asset_id = n.asset_id AND d.retired_at IS NULL
LEFT JOIN devices_shadow s ON s.tenant_id = a.tenant_id AND s.device_id = d.id
ORDER BY a.id DESC
"""

_TOTALS = """
SELECT (SELECT count(*) FROM applications_application WHERE tenant_id = :tenant) AS applications,
       (SELECT count(*) FROM agreements_agreement WHERE tenant_id = :tenant AND state = 'active') AS active,
       (SELECT count(*) FROM billing_account WHERE tenant_id = :tenant AND overdue_fen > 0) AS overdue_count,
       (SELECT coalesce(sum(overdue_fen), 0)::bigint FROM billing_account WHERE tenant_id = :tenant) AS overdue_fen,
       (SELECT coalesce(sum(amount_fen), 0)::bigint FROM billing_receipt WHERE tenant_id = :tenant) AS received_fen
"""

_TIMELINE = """
SELECT id, type, actor, occurred_at, data FROM platform_event
WHERE tenant_id = :tenant AND subject_id = ANY(cast(:subjects AS uuid[]))
ORDER BY occurred_at, id LIMIT :limit
"""


async def orders(
    read: ReadSession, *, state: str | None = None, before: UUID | None = None, order_id: UUID | None = None, limit: int
) -> Sequence[Row]:
    """Orders, newest first; one when ``order_id`` is given."""
    return await read.rows(_ORDERS, state=state, before=before, id=order_id, limit=limit)


async def totals(read: ReadSession) -> Row:
    """The tenant in five numbers."""
    return (await read.rows(_TOTALS))[0]


async def timeline(read: ReadSession, subject_ids: Sequence[UUID], limit: int = 1_000) -> Sequence[Row]:
    """Everything that happened to these subjects, oldest first."""
    return await read.rows(_TIMELINE, subjects=list(subject_ids), limit=limit)
