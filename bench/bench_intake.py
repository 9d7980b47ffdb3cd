"""Order intake: HTTP to durable rows, event and evidence; beside it one row per transaction and the bare SQL limit, as ratios.

The API is started as the product starts it (granian, one worker). The load generator and PostgreSQL share the machine's cores
with it, so CPU per order says more than orders per second when something else is running: ``ceiling`` is what two idle cores
allow at that cost, without the load generator. A closed loop of n connections waits n / (orders/s) on average, whatever the server
does: the latency to look at is that of the smaller number of connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

import psutil
from sqlalchemy.engine import make_url

from bench.bare import Copied, copy_orders, insert_orders, order_count
from bench.load import run_load
from bench.orders import Shop, open_shop, orders
from bench.servers import Installation, cpu_seconds, database_only, product_process
from xinzu.kernel.ids import new_id
from xinzu.platform.runtime import connect_raw
from xinzu.platform.servers import ports
from xinzu.platform.servers.postgres import embedded_admin_url
from xinzu.platform.tenants import create_tenant

ROUNDS = 3
CORES = 2
CONNECTIONS = (64, 256)
WARM_UP = 3_072
BATCHED, SINGLE, BARE = "group commit", "one row per transaction", "bare SQL, batches of 256"
ORDERS = {BATCHED: 5_000, SINGLE: 512}


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: orders per second, latencies in milliseconds, CPU in microseconds per order."""

    per_second: float
    p50_ms: float | None
    p99_ms: float | None
    app_us: float
    postgres_us: float


@dataclass(frozen=True, slots=True)
class Intake:
    """One API process and the merchant that orders through it."""

    process: psutil.Process
    port: int
    shop: Shop


async def main() -> None:
    async with database_only() as installation, AsyncExitStack() as stack:
        intakes = {
            BATCHED: await _intake(stack, installation),
            SINGLE: await _intake(stack, installation, XINZU_BATCH_ITEMS_MAX="1", XINZU_BATCH_WINDOW_MS="0"),
        }
        for name, intake in intakes.items():
            await _load(installation, intake, WARM_UP if name == BATCHED else WARM_UP // 8, CONNECTIONS[0])
        await _analyse(installation)
        copied = await copy_orders(installation.runtime.database.url, intakes[BATCHED].shop.tenant_id)
        measured: dict[tuple[str, int], list[Figures]] = {}
        for _ in range(ROUNDS):
            for connections in CONNECTIONS:
                for name, intake in intakes.items():
                    figures = await _load(installation, intake, ORDERS[name], connections)
                    measured.setdefault((name, connections), []).append(figures)
                measured.setdefault((BARE, connections), []).append(await _bare(installation, *copied))
    _print(measured)


async def _intake(stack: AsyncExitStack, installation: Installation, **environment: str) -> Intake:
    port = ports.free_port(0)
    url = f"http://127.0.0.1:{port}"
    process = await stack.enter_async_context(
        product_process(installation.settings, f"{url}/readyz", "api", XINZU_HTTP_PORT=str(port), **environment)
    )
    return Intake(process, port, await open_shop(installation.runtime, url))


async def _analyse(installation: Installation) -> None:
    """What autovacuum does within a database's first minute: until then connections keep plans made for empty tables."""
    settings = installation.settings
    url = make_url(embedded_admin_url(settings.home)).set(database=settings.database_name)
    connection = await connect_raw(url.render_as_string(hide_password=False))
    await connection.execute("ANALYZE")
    await connection.close()


async def _load(installation: Installation, intake: Intake, count: int, connections: int) -> Figures:
    requests = orders(intake.shop, count)
    postgres = installation.processes["postgres"]
    before = cpu_seconds(intake.process), cpu_seconds(postgres)
    result = await run_load("127.0.0.1", intake.port, requests, connections)
    after = cpu_seconds(intake.process), cpu_seconds(postgres)
    if result.statuses != {202: count}:
        raise RuntimeError(f"not every order was accepted: {result.statuses}")
    return Figures(
        result.per_second,
        result.percentile_ms(0.5),
        result.percentile_ms(0.99),
        (after[0] - before[0]) / count * 1e6,
        (after[1] - before[1]) / count * 1e6,
    )


async def _bare(installation: Installation, foundation: Sequence[Copied], copied: Sequence[Copied]) -> Figures:
    tenant_id = await create_tenant(installation.runtime, f"bare-{new_id().hex[-12:]}", "bare")
    postgres, own = installation.processes["postgres"], psutil.Process()
    before = cpu_seconds(own), cpu_seconds(postgres)
    seconds = await insert_orders(installation.runtime.database.url, tenant_id, foundation, copied)
    after = cpu_seconds(own), cpu_seconds(postgres)
    count = order_count(copied)
    return Figures(count / seconds, None, None, (after[0] - before[0]) / count * 1e6, (after[1] - before[1]) / count * 1e6)


def _print(measured: dict[tuple[str, int], list[Figures]]) -> None:
    print(f"medians of {ROUNDS} rounds; ratio: orders/s to the group commit's beside it")
    print("connections  way                         orders/s  ratio   p50 ms   p99 ms  app µs  postgres µs  ceiling/s")
    for connections in CONNECTIONS:
        reference = median(each.per_second for each in measured[(BATCHED, connections)])
        for name in (BATCHED, SINGLE, BARE):
            runs = measured[(name, connections)]
            per_second = median(each.per_second for each in runs)
            p50 = _cell([each.p50_ms for each in runs if each.p50_ms is not None])
            p99 = _cell([each.p99_ms for each in runs if each.p99_ms is not None])
            app_us, postgres_us = median(each.app_us for each in runs), median(each.postgres_us for each in runs)
            print(
                f"{connections:>11}  {name:<26} {per_second:>9,.0f} {per_second / reference:>6.2f} {p50:>8} {p99:>8}"
                f" {app_us:>7,.0f} {postgres_us:>12,.0f} {CORES * 1e6 / (app_us + postgres_us):>10,.0f}"
            )


def _cell(values: Sequence[float]) -> str:
    return f"{median(values):,.1f}" if values else "-"
