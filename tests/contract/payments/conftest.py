"""The product's own API on a port, so that the twin's notifications come in by the door Alipay's would."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from tests.conftest import key_headers
from tests.contract.conftest import SELLER_ID, Sandbox
from tests.integration.payments.shop import ACTOR, Shop

from xinzu.app.sandbox.merchants import AlipayMerchant, alipay_keys, register
from xinzu.back.payments.api import configure_alipay
from xinzu.back.payments.http import routes
from xinzu.back.payments.jobs import sweep
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import FixedClock
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.crypto.signing import KeyPair, new_rsa_keys
from xinzu.platform.http.app import create_app
from xinzu.platform.jobs import drain_jobs
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.ports import free_port
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings

_numbers = count(1)


@pytest.fixture(scope="session")
def merchant_keys() -> KeyPair:
    return new_rsa_keys()


@pytest.fixture
async def runtime(database_urls: DatabaseUrls, home: Path, clock: FixedClock) -> AsyncIterator[Runtime]:
    """A runtime whose callbacks come back to a port, and that waits two seconds for a provider."""
    made = Runtime(
        Settings(home=home, database_url=None, public_base_url=f"http://127.0.0.1:{free_port(0)}"),
        Database(database_urls.app.get_secret_value(), pool_size=5),
        FileKeyring.open_or_create(home / "keyring.json"),
        Outbound(timeout_s=2, connect_attempts=1, breaker_failures=1000),
        clock,
    )
    yield made
    await made.close()


@pytest.fixture
async def address(runtime: Runtime) -> AsyncIterator[str]:
    """The product's API, really served."""
    base = str(runtime.settings.public_base_url)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Runtime]:
        yield runtime

    server = Server(
        create_app(runtime.settings, routes, opened),
        address="127.0.0.1",
        port=int(base.rpartition(":")[2]),
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        log_access=False,
    )
    serving = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
        for _ in range(400):
            try:
                await client.get("/livez")
                break
            except httpx.HTTPError:
                await asyncio.sleep(0.02)
    yield base
    server.stop()  # type: ignore[no-untyped-call]
    await serving


@dataclass
class Merchant(Shop):
    """A shop with an account at the twin and a customer with a wallet."""

    sandbox: Sandbox
    client: httpx.AsyncClient
    slug: str
    buyer_id: str

    async def order_string(self, agreement_id: UUID) -> str:
        """What the customer's app gets to hand to the wallet."""
        reply = await self.client.get(f"/v1/agreements/{public_id(Prefix.AGREEMENT, agreement_id)}/pre-authorisation")
        assert reply.status_code == 200, reply.text
        return str(reply.json()["order_string"])

    async def accept(self, agreement_id: UUID) -> None:
        """The customer confirms; the twin's notification comes in over HTTP."""
        confirmed = self.sandbox.confirm(await self.order_string(agreement_id), self.buyer_id)
        assert confirmed["result_code"] == "9000", confirmed
        await self.until(lambda mandate, _: mandate.auth_no is not None, agreement_id)

    async def until(self, holds: Callable[[Any, Any], bool], agreement_id: UUID) -> None:
        """Wait for notifications to come in."""
        for _ in range(500):
            if holds(await self.mandate(agreement_id), await self.payments(agreement_id)):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not happen")

    async def quiet(self) -> None:
        """Until the twin has nothing more to tell."""
        for _ in range(1000):
            if self.sandbox.control("GET", "/control/deliveries")["waiting"] == 0:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the twin still has something to tell")

    async def work(self) -> None:
        await drain_jobs(self.runtime)

    async def minutes_later(self, clock: FixedClock, minutes: int = 1) -> None:
        """Time passes, the sweep comes round, what it asks for is done."""
        clock.advance(timedelta(minutes=minutes))
        await sweep(self.runtime, self.tenant_id, {})
        await self.work()


@pytest.fixture
async def merchant(
    runtime: Runtime, tenant_id: int, address: str, sandbox: Sandbox, merchant_keys: KeyPair
) -> AsyncIterator[Merchant]:
    number = next(_numbers)
    app_id = f"2021{os.getpid():07d}{number:05d}"
    register(sandbox.folder, alipay=(AlipayMerchant(app_id, SELLER_ID, merchant_keys.public_pem),))
    async with runtime.unit(tenant_id, ACTOR) as uow:
        await configure_alipay(
            uow,
            app_id=app_id,
            gateway_url=f"{sandbox.url}/gateway.do",
            seller_id=SELLER_ID,
            private_key_pem=merchant_keys.private_pem,
            alipay_public_key=alipay_keys(sandbox.folder).public_pem,
        )
        slug = str(await uow.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant"))
    headers = await key_headers(runtime, tenant_id, "owner")
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
        yield Merchant(runtime, tenant_id, sandbox, client, slug, f"2088{os.getpid():07d}{number:05d}")
