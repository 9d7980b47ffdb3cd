"""The steps that had to wait for the hours in which a debtor may be contacted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xinzu.back.collections import api
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron
from xinzu.platform.runtime import Runtime


@cron("collections.carry_out_steps", "* * * * *")
async def carry_out_steps(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Carry out what is due, a bounded number per transaction, until nothing more is."""
    while True:
        async with runtime.unit(tenant_id, system_actor("collections.carry_out_steps")) as uow:
            if not await api.carry_out_steps(uow):
                return
