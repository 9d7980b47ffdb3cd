"""A real NATS with its MQTT listener, a gateway over it, and phones that log in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from xinzu.app.gateway import DeviceHub
from xinzu.app.sandbox.phone import PhoneFleet
from xinzu.kernel.time import FixedClock
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.nats import EmbeddedNats


@pytest.fixture(scope="session")
def broker(home: Path) -> Iterator[EmbeddedNats]:
    with EmbeddedNats(home, client_port=0, mqtt_port=0, monitor_port=0) as server:
        yield server


@pytest.fixture
async def hub(runtime: Runtime, broker: EmbeddedNats) -> AsyncIterator[DeviceHub]:
    """A gateway that serves."""
    made = DeviceHub(runtime, lambda: broker.url)
    running = asyncio.create_task(made.run())
    await asyncio.wait_for(made.ready.wait(), 20)
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def fleet(runtime: Runtime, broker: EmbeddedNats, home: Path, clock: FixedClock) -> AsyncIterator[PhoneFleet]:
    """The phones; ``look`` switches on those that were enrolled."""
    made = PhoneFleet(home, clock, "127.0.0.1", lambda: mqtt_port(broker))
    yield made
    await made.close()


def mqtt_port(broker: EmbeddedNats) -> int:
    """Where devices log in now."""
    assert broker.ports is not None
    return broker.ports.mqtt


async def eventually(holds: Callable[[], Awaitable[bool]], tries: int = 600) -> None:
    """Wait until something holds."""
    for _ in range(tries):
        if await holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")
