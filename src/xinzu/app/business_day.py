"""Turning business days: closing what has ended and doing everything it causes, before the next day begins.

The worker closes days by itself as real time passes. This is for time that is moved: the demo's filling and ``xinzu clock advance``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from xinzu.back.billing import api as billing
from xinzu.kernel.errors import Forbidden
from xinzu.kernel.time import DEFAULT_CALENDAR, Instant, SystemClock
from xinzu.platform.actor import system_actor
from xinzu.platform.business_clock import read_offset, set_offset
from xinzu.platform.events.relay import Relay
from xinzu.platform.jobs import drain_jobs, jobs
from xinzu.platform.runtime import Runtime

_DAY = timedelta(days=1)


class ClockIsReal(Forbidden):
    code = "clock.is_real"
    title_zh = "只有演示环境可以拨动业务时钟"
    title_en = "Only a demo's business clock can be moved"


async def settle(runtime: Runtime, relay: Relay) -> int:
    """Deliver events and run jobs until neither has anything to do; returns how many were done."""
    done = 0
    while moved := sum(
        await asyncio.gather(drain_jobs(runtime), *(relay.drain([tenant_id]) for tenant_id in await runtime.tenant_ids()))
    ):
        done += moved
    return done


@dataclass(slots=True)
class Settled:
    """What was moved: how many jobs ran, and which subscribers heard something."""

    jobs: int = 0
    heard: set[str] = field(default_factory=set)


async def settle_own(runtime: Runtime, relay: Relay) -> Settled:
    """The same, looking only where this process itself has written: all there can be when it is the only one that works.

    A delivery that failed and waits for its next attempt is left to ``settle``.
    """
    settled = Settled()
    while runtime.stirred or runtime.jobs_asked:
        stirred, jobs_asked = dict(runtime.stirred), runtime.jobs_asked
        runtime.stirred.clear()
        runtime.jobs_asked = False
        settled.heard.update(*stirred.values())
        work = [relay.deliver_to(tenant_id, names) for tenant_id, names in stirred.items()]
        settled.jobs += (await asyncio.gather(drain_jobs(runtime) if jobs_asked else _nothing(), *work))[0]
    return settled


async def _nothing() -> int:
    return 0


async def close_finished_days(runtime: Runtime) -> int:
    """Close every tenant's finished business days, oldest first; returns how many days were closed."""

    async def of_tenant(tenant_id: int) -> int:
        closed = 0
        while True:
            async with runtime.unit(tenant_id, system_actor("business_day")) as uow:
                days = await billing.days_to_close(uow)
                if days:
                    await billing.close_day(uow, days[0])
                    closed += 1
            if len(days) <= 1:
                return closed

    return sum(await asyncio.gather(*(of_tenant(tenant_id) for tenant_id in await runtime.tenant_ids())))


# These have their own place in a day that is driven: the close above, and proofs sign on demand.
_NOT_DAILY = {"billing.close_days", "evidence.sign_checkpoint"}


async def run_recurring_jobs(runtime: Runtime) -> None:
    """What the worker's clock would have started in the meantime, once per tenant."""
    daily = [declared for declared in jobs().values() if declared.schedule is not None and declared.name not in _NOT_DAILY]

    async def of_tenant(tenant_id: int) -> None:
        for declared in daily:
            await declared.run(runtime, tenant_id, {})

    await asyncio.gather(*(of_tenant(tenant_id) for tenant_id in await runtime.tenant_ids()))


async def advance(runtime: Runtime, by: timedelta) -> Instant:
    """Move a demo's business time forward, at most to each day's end at a time, closing the day and settling what follows from it.

    Raises ClockIsReal outside a demo. Returns the business time reached.
    """
    if not runtime.settings.demo or not isinstance(runtime.clock, SystemClock):
        raise ClockIsReal()
    relay = Relay(runtime)
    target = await read_offset(runtime.database) + by
    while (offset := await read_offset(runtime.database)) < target:
        offset = min(target, offset + _until_next_opening(runtime.clock.now()))
        await set_offset(runtime.database, offset)
        runtime.clock.offset = offset
        await close_finished_days(runtime)
        await settle(runtime, relay)
        await run_recurring_jobs(runtime)
        await settle(runtime, relay)
    return runtime.clock.now()


def _until_next_opening(now: Instant) -> timedelta:
    """How long until nine in the morning of the next business day: inside the hours in which people may be contacted."""
    nine = timedelta(hours=9)
    today = DEFAULT_CALENDAR.business_date(now)
    opening = DEFAULT_CALENDAR.opening(today) + nine
    return (opening if now < opening else opening + _DAY) - now
