"""What decisions do by themselves: keeping the reviewers' queue moving, computing credit lines, replaying versions on history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from xinzu.middle.decisions import api
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron, job

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime

KEEPER = system_actor("decisions.keep_queue")
COUNTER = system_actor("decisions.compute_credit_lines")
PARTIES_AT_A_TIME = 200
REPLAYER = system_actor("decisions.replay_history")


@cron("decisions.keep_queue", "*/5 * * * *")
async def keep_queue(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Put what is late before the next level, then give what nobody holds to whoever is free; a bounded part per transaction."""
    for step in (api.escalate_reviews, api.assign_reviews):
        moved = 1
        while moved:
            async with runtime.unit(tenant_id, KEEPER) as uow:
                moved = await step(uow)


@cron("decisions.compute_credit_lines", "0 5 1 * *")
async def compute_credit_lines(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Compute the lines of all who hold or held something, on the first of the month; a bounded part per transaction."""
    last: UUID | None = None
    while True:
        async with runtime.unit(tenant_id, COUNTER) as uow:
            found = await api.parties_with_orders(uow, last, PARTIES_AT_A_TIME)
            if not found:
                return
            await api.compute_credit_lines(uow, found)
            last = found[-1]


@job("decisions.replay_history", at_a_time=1)
async def replay_history(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Do a replay that was asked for; begun again after an interruption it starts from the beginning, because it writes nothing else."""
    await api.do_backtest(
        lambda: runtime.reading(tenant_id), lambda: runtime.unit(tenant_id, REPLAYER), UUID(arguments["backtest_id"])
    )
