"""What screening does by itself: comparing everybody on file with a watch list that was imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xinzu.middle.screening import api
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import job

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime

SCREENER = system_actor("screening.screen_parties")
PARTIES_MAX = 500


@job("screening.screen_parties")
async def screen_parties(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Compare everybody not compared since the last import, a bounded part per transaction."""
    screened = 1
    while screened:
        async with runtime.unit(tenant_id, SCREENER) as uow:
            screened = await api.screen_next_parties(uow, PARTIES_MAX)
