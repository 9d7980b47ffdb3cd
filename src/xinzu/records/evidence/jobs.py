"""Recurring work of the evidence log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron
from xinzu.records.evidence import api

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime

ACTOR = system_actor("evidence.sign_checkpoint")


@cron("evidence.sign_checkpoint", "* * * * * */5")
async def sign_checkpoint(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Sign the head of a tenant's log every five seconds when it grew: the checkpoint others can witness and anchor."""
    async with runtime.unit(tenant_id, ACTOR) as uow:
        await api.sign_checkpoint(uow)
