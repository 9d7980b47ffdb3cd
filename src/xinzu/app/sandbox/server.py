"""One ASGI application with all twins, and the process that serves it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from litestar import HttpMethod, Litestar, Request, get, post, route
from litestar.datastructures import State
from litestar.types import ASGIApp

from xinzu.app.sandbox import wire
from xinzu.app.sandbox.alipay import AlipayTwin, Silence
from xinzu.app.sandbox.control import control_routes
from xinzu.app.sandbox.courier import CourierTwin
from xinzu.app.sandbox.deliveries import RETRY_SCALE_DEFAULT, Deliveries
from xinzu.app.sandbox.faults import Faults
from xinzu.app.sandbox.identity import IdentityTwin
from xinzu.app.sandbox.merchants import Merchants
from xinzu.app.sandbox.phone import keep_phones
from xinzu.app.sandbox.scores import ScoresTwin
from xinzu.app.sandbox.signed import SignedDoor
from xinzu.app.sandbox.sms import SmsTwin
from xinzu.app.sandbox.store import Store
from xinzu.platform.observe.logs import configure_logs
from xinzu.platform.servers.ports import recorded
from xinzu.platform.settings import Settings

LOOPBACK = "127.0.0.1"
REQUEST_BYTES_MAX = 1024 * 1024
# The real gateway answers its JSON under this type.
_GATEWAY_HEADERS = {"content-type": "text/html;charset=utf-8"}

AnyRequest = Request[None, None, State]


def sandbox_folder(home: Path) -> Path:
    """Where the sandbox keeps its state under ``$XINZU_HOME``."""
    return home / "sandbox"


def create_app(folder: Path, *, retry_scale: float = RETRY_SCALE_DEFAULT) -> Litestar:
    """All twins over the state in ``folder``. ``retry_scale`` shortens the schedule of repeated notifications."""
    store = Store(folder)
    merchants = Merchants(folder)
    faults = Faults(store)
    deliveries = Deliveries(store, merchants, retry_scale)
    scores = ScoresTwin(store)
    alipay = AlipayTwin(store, merchants, faults, deliveries, scores)
    door = SignedDoor(store, merchants, faults)
    sms, courier, identity = SmsTwin(store, deliveries), CourierTwin(store, deliveries), IdentityTwin(store)

    @route("/gateway.do", http_method=[HttpMethod.GET, HttpMethod.POST])
    async def gateway(request: AnyRequest) -> ASGIApp:
        query = request.scope["query_string"].decode("latin-1")
        reply = alipay.gateway(query, (await request.body()).decode("utf-8", "replace"))
        if reply.silence is not None:
            return wire.dropped if reply.silence is Silence.DROP else wire.hanging
        return wire.RawReply(200, reply.text.encode(), _GATEWAY_HEADERS)

    @post("/sms/v1/messages")
    async def send_sms(request: AnyRequest) -> ASGIApp:
        return await door.answer(request, "sms", sms.send)

    @get("/sms/v1/messages/{message_id:str}")
    async def find_sms(request: AnyRequest, message_id: str) -> ASGIApp:
        return await door.answer(request, "sms", lambda key_id, _: sms.found(key_id, message_id))

    @post("/courier/v1/shipments")
    async def book_shipment(request: AnyRequest) -> ASGIApp:
        return await door.answer(request, "courier", courier.book)

    @get("/courier/v1/shipments/{shipment_id:str}")
    async def find_shipment(request: AnyRequest, shipment_id: str) -> ASGIApp:
        return await door.answer(request, "courier", lambda key_id, _: courier.found(key_id, shipment_id))

    @post("/identity/v1/checks")
    async def check_identity(request: AnyRequest) -> ASGIApp:
        return await door.answer(request, "identity", identity.check)

    @get("/identity/v1/checks/{check_id:str}")
    async def find_check(request: AnyRequest, check_id: str) -> ASGIApp:
        return await door.answer(request, "identity", lambda key_id, _: identity.found(key_id, check_id))

    @post("/scores/v1/scores/{capability:str}")
    async def ask_score(request: AnyRequest, capability: str) -> ASGIApp:
        return await door.answer(request, "scores", lambda key_id, body: scores.ask(key_id, capability, body))

    @post("/scores/v1/reports")
    async def make_report(request: AnyRequest) -> ASGIApp:
        return await door.answer(request, "scores", scores.report)

    @get(["/livez", "/readyz"], sync_to_thread=False)
    def live() -> dict[str, str]:
        return {"status": "ok"}

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        sending = asyncio.create_task(deliveries.run())
        try:
            yield
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            store.close()

    return Litestar(
        [
            gateway,
            send_sms,
            find_sms,
            book_shipment,
            find_shipment,
            check_identity,
            find_check,
            ask_score,
            make_report,
            live,
            *control_routes(merchants, faults, deliveries, alipay, sms, courier, identity, scores),
        ],
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=REQUEST_BYTES_MAX,
    )


def run(settings: Settings) -> None:
    """Serve the twins on loopback, in this one process, until SIGTERM or SIGINT. A recorded port goes before the set one."""
    configure_logs(settings, "sandbox")
    uvloop.run(_serve_with_phones(settings))


async def _serve_with_phones(settings: Settings) -> None:
    """The twins, and the rented phones' agents beside them."""
    phones = asyncio.create_task(keep_phones(settings))
    try:
        await serve(sandbox_folder(settings.home), recorded(settings.home, "sandbox") or settings.sandbox_port)
    finally:
        phones.cancel()
        with suppress(asyncio.CancelledError):
            await phones


async def serve(folder: Path, port: int, *, retry_scale: float = RETRY_SCALE_DEFAULT) -> None:
    """The server on the running loop. Embedded rather than spawned: one process to watch, to kill and to pay memory for."""
    server = Server(
        create_app(folder, retry_scale=retry_scale),
        address=LOOPBACK,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        log_access=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()
