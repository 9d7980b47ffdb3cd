"""The sandbox as a process of its own on a free loopback port, a receiver for what it sends, and clients of both contracts."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from xinzu.app.sandbox.merchants import AlipayMerchant, SignedClient, alipay_keys, register
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.back.payments.providers.alipay import AlipayAccount, AlipayChannel
from xinzu.back.payments.providers.base import FreezeOrder, Operation, OperationType
from xinzu.kernel.time import FixedClock, SystemClock, as_utc
from xinzu.platform.crypto.signing import new_rsa_keys
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Ok
from xinzu.platform.servers.ports import free_port
from xinzu.platform.signed_http import SignedPeer

_PROGRAM = (
    "import sys, asyncio; from pathlib import Path; from xinzu.app.sandbox.server import serve; "
    "asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), retry_scale=0.0002))"
)
SELLER_ID = "2088000000000001"
SIGNED_KEY_ID = "shanhu"
SIGNED_SECRET = "a shared secret of this test"
_numbers = count(1)


@dataclass
class Sandbox:
    """The process; ``kill`` and ``start`` it again as a crash would."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(self.folder), str(self.port)], env=dict(os.environ))
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/livez", trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise RuntimeError("the sandbox did not start")

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(30)

    def control(self, method: str, path: str, content: object = None) -> Any:
        """Use the sandbox's own door."""
        reply = httpx.request(method, f"{self.url}{path}", json=content, trust_env=False)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    def fault(self, subject: str, kind: str, **more: object) -> None:
        self.control("POST", "/control/faults", {"subject": subject, "kind": kind, **more})

    def confirm(self, order_str: str, buyer_id: str, at: str = "") -> dict[str, Any]:
        """The customer accepts an order in the wallet."""
        found: dict[str, Any] = self.control("POST", "/wallet/confirm", {"order_str": order_str, "buyer_id": buyer_id, "at": at})
        return found


@dataclass
class Receiver:
    """What a product's public address would be: keeps what it is sent, answers what the test says."""

    url: str = ""
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    def forms(self, order_no: str) -> list[dict[str, str]]:
        """Notifications about one of our numbers, in the order they came."""
        forms = [dict(parse_qsl(body.decode())) for _, _, body in list(self.received)]
        return [form for form in forms if order_no in (form.get("out_order_no"), form.get("out_trade_no"))]


async def eventually(found: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """What ``found`` gives once it gives anything."""
    for _ in range(int(timeout_s / 0.02)):
        if value := found():
            return value
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = sandbox_folder(tmp_path_factory.mktemp("sandbox-home"))
    register(folder, signed=(SignedClient(SIGNED_KEY_ID, SIGNED_SECRET),))
    made = Sandbox(folder, free_port(0))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, answer = kept.answers.pop(0) if kept.answers else (200, b"success")
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    async with Outbound(timeout_s=20, connect_attempts=2) as made:
        yield made


@pytest.fixture(scope="session")
def account(sandbox: Sandbox, receiver: Receiver) -> AlipayAccount:
    """A merchant app registered at the twin."""
    keys = new_rsa_keys()
    register(sandbox.folder, alipay=(AlipayMerchant("2021000000000001", SELLER_ID, keys.public_pem),))
    return AlipayAccount(
        app_id="2021000000000001",
        gateway_url=f"{sandbox.url}/gateway.do",
        private_key_pem=keys.private_pem,
        alipay_public_key_pem=alipay_keys(sandbox.folder).public_pem,
        notify_url=f"{receiver.url}/alipay/notify",
        seller_id=SELLER_ID,
    )


@pytest.fixture
def clock() -> FixedClock:
    """A business clock, a year away from the wall clock."""
    return FixedClock(as_utc(SystemClock().now()).replace(year=2025, month=6, day=3, hour=2, minute=0, second=0, microsecond=0))


@pytest.fixture
def alipay(account: AlipayAccount, outbound: Outbound, clock: FixedClock) -> AlipayChannel:
    return AlipayChannel(account, outbound, clock)


@pytest.fixture
def peer(sandbox: Sandbox) -> SignedPeer:
    return SignedPeer("courier", sandbox.url, SIGNED_KEY_ID, SIGNED_SECRET)


def fresh(what: str) -> str:
    """A number nobody used."""
    return f"{what}_{os.getpid()}_{next(_numbers)}"


@dataclass
class Deposit:
    """A customer's accepted pre-authorisation."""

    buyer_id: str
    order_no: str
    request_no: str
    auth_no: str
    operation: Operation


async def accepted_deposit(
    alipay: AlipayChannel, sandbox: Sandbox, amount_fen: int = 600_000, buyer_id: str | None = None
) -> Deposit:
    """Freeze a deposit the way a customer does."""
    buyer_id = buyer_id or fresh("2088")
    order = FreezeOrder(fresh("dep"), fresh("req"), "手机租赁押金", amount_fen, service_id="2020000000")
    assert sandbox.confirm(alipay.freeze_order(order), buyer_id)["result_code"] == "9000"
    found = await alipay.query_operation(order.order_no, order.request_no, OperationType.FREEZE)
    assert isinstance(found, Ok)
    return Deposit(buyer_id, order.order_no, order.request_no, found.value.auth_no, found.value)
