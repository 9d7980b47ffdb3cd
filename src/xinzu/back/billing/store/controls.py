"""SQL of what was let off and refunded lately, for the limits of one person."""

from __future__ import annotations

from uuid import UUID

from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession


async def waived_since_fen(read: ReadSession, agreement_id: UUID, since: BusinessDate) -> int:
    """What was waived on an agreement after a date."""
    waived = await read.scalar(
        "SELECT coalesce(sum(amount_fen), 0) FROM billing_adjustment"
        " WHERE tenant_id = :tenant AND agreement_id = :agreement AND kind = 'waiver' AND made_on > :since",
        agreement=agreement_id,
        since=since,
    )
    return int(waived)


async def refunded_since_fen(read: ReadSession, agreement_id: UUID, since: BusinessDate) -> int:
    """What was given back on an agreement after a date, by whatever way."""
    refunded = await read.scalar(
        "SELECT coalesce(sum(amount_fen), 0) FROM billing_refund"
        " WHERE tenant_id = :tenant AND agreement_id = :agreement AND refunded_on > :since",
        agreement=agreement_id,
        since=since,
    )
    return int(refunded)
