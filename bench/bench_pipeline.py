"""From an order over HTTP through decision to the draft agreement, with every process of the product running, and their memory.

Measured is the time from the first order until the last draft's row stands. Contracts are rendered by a job of lower priority that
goes on long after; how many were ready by then is printed beside it.
"""

from __future__ import annotations

import asyncio
import time

from bench.load import run_load
from bench.orders import open_shop, orders
from bench.servers import Installation, cpu_seconds, memory_mb, whole_product
from xinzu.platform.runtime import Runtime

ORDERS = 10_000
CONNECTIONS = 256
WARM_UP = 1_000
POLL_S = 0.1
LIMIT_S = 120
SETTLE_S = 5


async def main() -> None:
    async with whole_product() as installation:
        shop = await open_shop(installation.runtime, installation.base_url)
        await asyncio.sleep(SETTLE_S)
        idle_mb = _memory(installation)
        host, _, port = installation.base_url.removeprefix("http://").partition(":")
        await run_load(host, int(port), orders(shop, WARM_UP), CONNECTIONS)
        await _drafted(installation.runtime, shop.tenant_id, WARM_UP)
        requests = orders(shop, ORDERS)
        cpu_before = _cpu(installation)
        started = time.perf_counter()
        loading = asyncio.create_task(run_load(host, int(port), requests, CONNECTIONS))
        await _drafted(installation.runtime, shop.tenant_id, WARM_UP + ORDERS)
        seconds = time.perf_counter() - started
        cpu_after = _cpu(installation)
        result = await loading
        rendered = await _count(installation.runtime, shop.tenant_id, "agreements_document")
        loaded_mb = _memory(installation)
        print(f"{ORDERS:,} orders over {CONNECTIONS} connections, answers: {result.statuses}")
        print(
            f"accepted         {result.per_second:>7,.0f}/s  p50 {result.percentile_ms(0.5):,.0f} ms  p99 {result.percentile_ms(0.99):,.0f} ms"
        )
        print(f"decided, drafted {ORDERS / seconds:>7,.0f}/s  last draft {seconds - result.seconds:.1f} s after the last answer")
        print(f"contracts rendered meanwhile: {rendered:,}")
        print("process      CPU µs/order  memory idle MB  after load MB")
        for name in installation.processes:
            spent_us = (cpu_after[name] - cpu_before[name]) / ORDERS * 1e6
            print(f"{name:<12} {spent_us:>12,.0f} {idle_mb[name]:>15,.0f} {loaded_mb[name]:>14,.0f}")
        print(f"{'all':<12} {'':>12} {sum(idle_mb.values()):>15,.0f} {sum(loaded_mb.values()):>14,.0f}")


async def _drafted(runtime: Runtime, tenant_id: int, count: int) -> None:
    until = time.perf_counter() + LIMIT_S
    while (found := await _count(runtime, tenant_id, "agreements_agreement")) < count:
        if time.perf_counter() > until:
            raise RuntimeError(f"only {found} of {count} agreements were drafted within {LIMIT_S} s")
        await asyncio.sleep(POLL_S)


async def _count(runtime: Runtime, tenant_id: int, table: str) -> int:
    async with runtime.reading(tenant_id) as read:
        return int(await read.scalar(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant"))


def _cpu(installation: Installation) -> dict[str, float]:
    return {name: cpu_seconds(process) for name, process in installation.processes.items()}


def _memory(installation: Installation) -> dict[str, float]:
    return {name: memory_mb(process) for name, process in installation.processes.items()}
