"""Recurring work of billing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from xinzu.back.billing import api
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime

ACTOR = system_actor("billing.close_days")
SHARES_ACTOR = system_actor("billing.follow_shares")


@cron("billing.close_days", "* * * * *")
async def close_days(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Close finished business dates of a tenant in order, each in a transaction of its own.

    Asked every minute because each tenant's day ends by its own zone and cut-off. Stopped anywhere, the next turn goes on from there.
    A date that makes something fall due is the last of its turn, so that it can be collected before the next close: after days on which
    nothing ran, nobody is late, charged or dunned for what we did not ask for (Civil Code art. 589).
    """
    async with runtime.reading(tenant_id) as read:
        finished = await api.days_to_close(read)
    for business_date in finished:
        async with runtime.unit(tenant_id, ACTOR) as uow:
            report = await api.close_day(uow, business_date)
        if report.fell_due_count > 0:
            return


@cron("billing.follow_shares", "17 19 * * *")
async def follow_shares(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Bring what is owed to partners in line once a day, at night in China, a batch of agreements at a time: a receipt does so by itself, but
    held money that is set against what falls due at a close does not."""
    last: UUID | None = None
    while True:
        async with runtime.unit(tenant_id, SHARES_ACTOR) as uow:
            last = await api.follow_all_shares(uow, last)
        if last is None:
            return
