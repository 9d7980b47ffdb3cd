"""Thirty kills -9 in the middle of business: nothing lost, nothing doubled, the books balance, the log proves."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from itertools import cycle

import httpx
import psutil
import pytest

from tests.e2e.books import check_books, held_jobs, unfinished
from tests.e2e.channel import Line, Order
from tests.e2e.installation import Installation, running, temporary_home
from xinzu.app.demo.people import customers
from xinzu.app.demo.shop import Shop, open_shop
from xinzu.app.process import open_runtime
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence

KILLS = 30
AT_ONCE = 6  # customers under way at any time
CUSTOMERS_MAX = 200
BACK_MAX_S = 45.0
REST_MAX_S = 75.0
# Nine of eleven kills hit the three that hold business in their hands. "api/" is the process that answers, below the one that
# watches it.
VICTIMS = ("worker", "api", "postgres", "worker", "api/", "postgres", "sandbox", "worker", "postgres", "api", "gateway")
PAUSES_S = (0.3, 0.9, 0.1, 0.6, 1.2, 0.0, 0.4)


@pytest.mark.timeout(480)
async def test_thirty_kills_lose_nothing_and_double_nothing(record_property: Callable[[str, object], None]) -> None:
    began = time.monotonic()
    with temporary_home() as home, running(home) as installation:
        async with (
            open_runtime(installation.settings, pool_size=8) as runtime,
            httpx.AsyncClient(base_url=installation.address, trust_env=False) as api,
            httpx.AsyncClient(base_url=installation.sandbox_address, trust_env=False) as sandbox,
        ):
            gateway_url = f"{installation.sandbox_address}/gateway.do"
            shops = [await open_shop(runtime, api, slug, gateway_url) for slug in ("shanhu", "kaoya")]
            line = Line(api, sandbox, runtime.clock)
            coming = _orders(line, shops)
            first = [next(coming) for _ in range(AT_ONCE)]
            await asyncio.gather(*(order.live() for order in first))
            notes = [await _note(runtime, shop) for shop in shops]
            started = time.monotonic()
            orders, kills = await _business_under_fire(installation, coming)
            fired = time.monotonic()
            waiting_for = await _at_rest(runtime)
            rested = time.monotonic()
            assert not waiting_for, f"not at rest: {waiting_for}"
            assert not line.defects, line.defects
            assert await held_jobs(runtime) == []
            counted: Counter[str] = Counter()
            for shop, note in zip(shops, notes, strict=True):
                own = [order for order in [*first, *orders] if order.shop is shop]
                counted.update(await check_books(runtime, shop.tenant_id, own, note))
        assert kills.total() >= KILLS
        figures = {
            "kills": dict(kills),
            "records": dict(counted),
            "the channel saw": dict(line.seen),
            "seconds": {
                "start": round(started - began),
                "under fire": round(fired - started),
                "to rest": round(rested - fired),
                "checks": round(time.monotonic() - rested),
            },
        }
        for name, value in figures.items():
            record_property(name, value)
            sys.stdout.write(f"{name}: {value}\n")


def _orders(line: Line, shops: Sequence[Shop]) -> Iterator[Order]:
    """Customers without end; every third one brings the device back at once."""
    for customer in customers(CUSTOMERS_MAX, 1, date(2026, 3, 2)):
        yield Order(line, shops[0 if customer.is_first_tenant else 1], customer, comes_back=customer.number % 3 == 1)


async def _note(runtime: Runtime, shop: Shop) -> str:
    """The signed head of a merchant's log, as an outsider would keep it."""
    async with runtime.reading(shop.tenant_id) as read:
        return (await evidence.checkpoint(read)).note


async def _business_under_fire(installation: Installation, coming: Iterator[Order]) -> tuple[list[Order], Counter[str]]:
    """New customers keep coming until the last kill is done; then the ones under way are served to their end."""
    orders: list[Order] = []
    kills: Counter[str] = Counter()
    firing = asyncio.create_task(_kill_in_turn(installation, kills))

    async def desk() -> None:
        while not firing.done():
            orders.append(order := next(coming))
            await order.live()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(desk())
    finally:
        firing.cancel()
        with suppress(asyncio.CancelledError):
            await firing
    return orders, kills


async def _kill_in_turn(installation: Installation, kills: Counter[str]) -> None:
    """SIGKILL one after the other, each soon after the one before serves again; now and then the next one without waiting."""
    for victim, pause_s in zip(cycle(VICTIMS), cycle(PAUSES_S), strict=False):
        await asyncio.sleep(pause_s)
        deadline = time.monotonic() + BACK_MAX_S
        while (killed := _kill(installation, victim)) is None:
            await _patience(installation, victim, deadline)
        kills[victim] += 1
        if kills.total() >= KILLS:
            return
        if pause_s or victim == "worker":  # or it would be killed the moment it is back, again and again
            while not await _is_back(installation, victim, killed):
                await _patience(installation, victim, deadline)


async def _patience(installation: Installation, victim: str, deadline: float) -> None:
    assert time.monotonic() < deadline, f"{victim} did not come back: {installation.output[-2000:]}"
    await asyncio.sleep(0.05)


def _pid(installation: Installation, victim: str) -> int | None:
    """Who would be hit now; None while it does not serve."""
    pid = installation.pid_if_ready(victim.rstrip("/"))
    if pid is None or not victim.endswith("/"):
        return pid
    with suppress(psutil.Error):
        return next((child.pid for child in psutil.Process(pid).children()), None)
    return None


def _kill(installation: Installation, victim: str) -> int | None:
    """Kill it if it serves; returns the pid it had."""
    pid = _pid(installation, victim)
    with suppress(psutil.Error, ProcessLookupError):
        if pid is not None and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            os.kill(pid, signal.SIGKILL)
            return pid
    return None


async def _is_back(installation: Installation, victim: str, killed: int) -> bool:
    if _pid(installation, victim) in (None, killed):
        return False
    if not victim.startswith("api"):
        return True
    with suppress(httpx.TransportError):
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            return (await client.get(f"{installation.address}/readyz")).is_success
    return False


async def _at_rest(runtime: Runtime) -> dict[str, int]:
    """Wait until nothing is left to do; what still is when the time is over."""
    deadline = time.monotonic() + REST_MAX_S
    while waiting_for := await unfinished(runtime):
        if time.monotonic() > deadline:
            return waiting_for
        await asyncio.sleep(0.25)
    return {}
