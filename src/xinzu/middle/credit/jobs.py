"""What credit does by itself: putting questions to score sources between transactions, erasing reports whose time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from xinzu.middle.credit import api
from xinzu.middle.credit.providers.chosen import chosen
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron, job
from xinzu.platform.providers import Ok

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime

ASKER = system_actor("credit.query_sources")
PARALLEL_ERRANDS_MAX = 8
INTERRUPTED_AFTER = timedelta(minutes=10)
INTERRUPTED_MAX = 200
ERASER = system_actor("credit.erase_expired_reports")


@cron("credit.erase_expired_reports", "30 3 * * *")
async def erase_expired_reports(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Erase what may no longer be kept, a bounded part per transaction."""
    erased = 1
    while erased:
        async with runtime.unit(tenant_id, ERASER) as uow:
            erased = await api.erase_expired_reports(uow)


@job("credit.query_sources")
async def query_sources(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Put questions to the tenant's sources, one after the other until one answers. What is settled is passed over."""
    await _ask(runtime, tenant_id, [UUID(text) for text in arguments["query_ids"]])


@cron("credit.query_interrupted", "*/5 * * * *")
async def query_interrupted(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Take up questions whose asking was interrupted, under the same numbers."""
    async with runtime.reading(tenant_id) as read:
        found = await api.unsettled_queries(read, read.now - INTERRUPTED_AFTER, INTERRUPTED_MAX)
    await _ask(runtime, tenant_id, found)


async def _ask(runtime: Runtime, tenant_id: int, query_ids: Sequence[UUID]) -> None:
    async with runtime.unit(tenant_id, ASKER) as uow:
        errands = await api.begin_queries(uow, query_ids)
    turns = asyncio.Semaphore(PARALLEL_ERRANDS_MAX)

    async def run(errand: api.Errand) -> tuple[api.Errand, list[api.Asked]]:
        async with turns:
            return errand, await _put(runtime, errand)

    for errand, answers in await asyncio.gather(*(run(errand) for errand in errands)):
        async with runtime.unit(tenant_id, ASKER) as uow:
            await api.record_answers(uow, errand, answers)


async def _put(runtime: Runtime, errand: api.Errand) -> list[api.Asked]:
    """Ask the sources in turn until one answers; outside any transaction."""
    answers: list[api.Asked] = []
    for source in errand.sources:
        started = time.monotonic()
        result = await chosen(source, runtime.outbound, runtime.clock).ask(errand.question)
        answers.append(api.Asked(source, result, round((time.monotonic() - started) * 1000)))
        if isinstance(result, Ok):
            break
    return answers
