"""The gateway: the device hub between the database and NATS.

Commands go out on ``d.<tenant>.<device>.cmd`` (MQTT ``d/<tenant>/<device>/cmd``) at once when their transaction commits (LISTEN), and
again with growing waits until the device answered or their time ran out. What devices say on ``d.*.*.up`` is taken in batches. NATS
carries with QoS 0 and keeps nothing: everything that counts stands in the database, so a lost message is only a later one.
"""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter, Gauge

from xinzu.app.health import serve_health
from xinzu.app.process import open_runtime
from xinzu.back.devices import api as devices
from xinzu.back.devices.api import CHANNEL
from xinzu.back.devices.errors import DeviceUnknown
from xinzu.kernel.errors import Unavailable
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.time import SystemClock
from xinzu.platform.actor import system_actor
from xinzu.platform.db import DATABASE_TROUBLE
from xinzu.platform.observe.logs import configure_logs
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.device_logins import admit_by_password, answer_device_logins
from xinzu.platform.servers.home import CannotStart
from xinzu.platform.servers.nats import nats_url
from xinzu.platform.settings import Settings

log = structlog.get_logger(__name__)

ACTOR = system_actor("gateway")
REPORTS_SUBJECT = "d.*.*.up"
REPORTS_WAITING_MAX = 20_000
REPORTS_BATCH_MAX = 512
REPORTS_WINDOW_S = 0.005
REPORT_BYTES_MAX = 8 * 1024
COMMANDS_BATCH_MAX = 500
SWEEP_S = 1.0
RECONCILE_S = 5.0
TROUBLE = (Unavailable, NatsError, *DATABASE_TROUBLE)

COMMANDS_SENT = Counter("xinzu_device_commands_sent_total", "Commands published to devices, repetitions included")
REPORTS = Counter("xinzu_device_reports_total", "What devices said, by what became of it", ["outcome"])
LEVELS_APPLIED = Counter("xinzu_device_levels_applied_total", "Commands devices said they applied")
REPORTS_WAITING = Gauge("xinzu_device_reports_waiting", "Reports received and not yet written")


def run(settings: Settings) -> None:
    """Serve devices until SIGTERM or SIGINT."""
    configure_logs(settings, "gateway")
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with open_runtime(settings) as runtime, serve_health(settings, settings.gateway_health_port, runtime):
        hub = asyncio.create_task(DeviceHub(runtime, lambda: nats_url(settings)).run())
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait([hub, stop], return_when=asyncio.FIRST_COMPLETED)
        for task in (hub, stop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


class DeviceHub:
    """One per gateway process; several may run side by side and share tenants, devices and log-ins.

    ``url`` gives the platform user's NATS address anew for each connection, because an embedded server may have moved to another port.
    """

    def __init__(self, runtime: Runtime, url: Callable[[], str]) -> None:
        self._runtime = runtime
        self._url = url
        self._home: Path = runtime.settings.home
        self._woken: set[int] = set()
        self._wake = asyncio.Event()
        self._reports: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(REPORTS_WAITING_MAX)
        self._nats: Client | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled; a lost database or NATS is waited for."""
        loops = (self._keep_connected, self._listen, self._send, self._take_reports, self._reconcile)
        async with asyncio.TaskGroup() as group:
            for each in loops:
                group.create_task(self._for_ever(each))

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (*TROUBLE, CannotStart) as error:
                log.warning("gateway waits for a server", loop=work.__name__, reason=f"{type(error).__name__}: {error}"[:200])
                await asyncio.sleep(0.5)

    # --- NATS --------------------------------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        closed = asyncio.Event()

        async def on_error(error: Exception) -> None:
            log.warning("nats", reason=f"{type(error).__name__}: {error}"[:200])

        async def on_closed() -> None:
            closed.set()

        client = await nats.connect(
            self._url(),
            name="xinzu-gateway",
            connect_timeout=5,
            allow_reconnect=False,  # we reconnect ourselves, to an address asked for anew
            error_cb=on_error,
            closed_cb=on_closed,
        )
        try:
            # The wall clock, because it dates tokens for NATS, which knows no business time.
            await answer_device_logins(client, self._home, self._admit, SystemClock())
            await client.subscribe(REPORTS_SUBJECT, queue="xinzu-gateway", cb=self._on_report)
            await client.flush(timeout=5)
            self._nats = client
            self.ready.set()
            self._woken.update(await self._runtime.tenant_ids())
            self._wake.set()
            log.info("gateway is ready")
            await closed.wait()
        finally:
            self._nats = None
            self.ready.clear()
            await client.close()

    async def _admit(self, tenant: str, device: str, password: str) -> bool:
        """A device may come in with its own password while it is in use; without a database nobody comes in."""
        if not await admit_by_password(self._home)(tenant, device, password):
            return False
        try:
            async with self._runtime.reading(int(tenant)) as read:
                await devices.device_of(read, parse_id(Prefix.DEVICE, device))
        except (ValueError, DeviceUnknown, *TROUBLE):
            return False
        return True

    async def _on_report(self, message: Msg) -> None:
        if len(message.data) > REPORT_BYTES_MAX or self._reports.full():
            REPORTS.labels("dropped").inc()
            return  # the device says it again when its command is sent again
        self._reports.put_nowait((message.subject, message.data))

    # --- commands out ------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Wake for tenants whose transactions ordered something, on a connection of its own."""
        async with self._runtime.database.raw_connection() as connection:
            await connection.add_listener(CHANNEL, self._on_notify)
            self._woken.update(await self._runtime.tenant_ids())
            self._wake.set()
            while not connection.is_closed():
                await asyncio.sleep(SWEEP_S)
                await connection.execute("SELECT 1")

    def _on_notify(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._woken.add(int(str(payload)))
        self._wake.set()

    async def _send(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), SWEEP_S)
            except TimeoutError:
                self._woken.update(await self._runtime.tenant_ids())
            self._wake.clear()
            woken, self._woken = self._woken, set()
            for tenant_id in sorted(woken):
                while await self._send_due(tenant_id):
                    pass

    async def _send_due(self, tenant_id: int) -> bool:
        """Publish what is due for a tenant; whether there may be more. Nothing is claimed while NATS is away."""
        client = self._nats
        if client is None:
            return False
        async with self._runtime.unit(tenant_id, ACTOR) as uow:
            due = await devices.due_commands(uow, COMMANDS_BATCH_MAX)
        for command in due:
            subject = f"d.{tenant_id}.{public_id(Prefix.DEVICE, command.device_id)}.cmd"
            await client.publish(subject, devices.envelope(command.body, command.signature, command.key_number))
        if due:
            await client.flush(timeout=5)
            COMMANDS_SENT.inc(len(due))
        return len(due) == COMMANDS_BATCH_MAX

    # --- reports in --------------------------------------------------------------------------------------------------

    async def _take_reports(self) -> None:
        while True:
            batch = [await self._reports.get()]
            if self._reports.qsize() < REPORTS_BATCH_MAX:
                await asyncio.sleep(REPORTS_WINDOW_S)
            while len(batch) < REPORTS_BATCH_MAX and not self._reports.empty():
                batch.append(self._reports.get_nowait())
            REPORTS_WAITING.set(self._reports.qsize())
            by_tenant: dict[int, list[tuple[UUID, bytes]]] = defaultdict(list)
            for subject, payload in batch:
                _, tenant, device, _ = subject.split(".")
                try:
                    by_tenant[int(tenant)].append((parse_id(Prefix.DEVICE, device), payload))
                except ValueError:
                    REPORTS.labels("unknown_device").inc()
            for tenant_id, reports in by_tenant.items():
                await self._record(tenant_id, reports)

    async def _record(self, tenant_id: int, reports: list[tuple[UUID, bytes]]) -> None:
        """Write a batch. When the database is away the batch is dropped: its commands go out again and are answered again."""
        try:
            async with self._runtime.unit(tenant_id, ACTOR) as uow:
                heard = await devices.record_reports(uow, reports)
        except TROUBLE as error:
            REPORTS.labels("dropped").inc(len(reports))
            log.warning("reports were not written", tenant_id=tenant_id, count=len(reports), reason=type(error).__name__)
            return
        REPORTS.labels("believed").inc(heard.believed)
        LEVELS_APPLIED.inc(heard.applied)
        for reason, count in heard.refused.items():
            REPORTS.labels(reason).inc(count)
            log.warning("device reports refused", tenant_id=tenant_id, reason=reason, count=count)

    # --- the gap between desired and reported ------------------------------------------------------------------------

    async def _reconcile(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_S)
            for tenant_id in await self._runtime.tenant_ids():
                async with self._runtime.unit(tenant_id, ACTOR) as uow:
                    await devices.reconcile(uow)
