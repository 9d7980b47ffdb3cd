"""The worker: hands events over, runs jobs and cron, answers its health port."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import structlog

from xinzu.app.health import serve_health
from xinzu.app.process import loop_factory, open_runtime
from xinzu.platform.db import CONNECTION_TROUBLE
from xinzu.platform.events.relay import Relay
from xinzu.platform.jobs import HEARTBEAT_TIMEOUT, POLL_EVERY, build_queuer
from xinzu.platform.observe.logs import configure_logs
from xinzu.platform.runtime import Runtime
from xinzu.platform.settings import Settings

log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    configure_logs(settings, "worker")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with open_runtime(settings, pool_size=20) as runtime, serve_health(settings, settings.worker_health_port, runtime):
        tasks = [
            asyncio.create_task(Relay(runtime).run(), name="relay"),
            asyncio.create_task(run_queue(runtime, stopping), name="queue"),
            asyncio.create_task(stopping.wait(), name="stop"),
        ]
        log.info("worker is ready")
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()


async def run_queue(runtime: Runtime, stopping: asyncio.Event) -> None:
    """Run pgqueuer for ever, on a new connection whenever the database went away."""
    while not stopping.is_set():
        try:
            async with runtime.database.raw_connection() as connection:
                queuer = build_queuer(runtime, connection)
                running = asyncio.create_task(queuer.run(dequeue_timeout=POLL_EVERY, heartbeat_timeout=HEARTBEAT_TIMEOUT))
                try:
                    while not running.done() and not connection.is_closed():
                        await asyncio.wait([running], timeout=1)
                    if running.done():
                        running.result()
                finally:
                    queuer.shutdown.set()
                    running.cancel()
                    with suppress(asyncio.CancelledError, *CONNECTION_TROUBLE):
                        await running
        except (*CONNECTION_TROUBLE, RuntimeError) as error:
            log.warning("job queue lost the database, reconnecting", reason=type(error).__name__)
            await asyncio.sleep(0.5)
