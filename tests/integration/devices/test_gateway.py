"""Through a real broker: a phone that logs in over MQTT, is locked, and is freed by a payment."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import gmqtt
import nats
import pytest
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError
from tests.integration.devices.conftest import eventually, mqtt_port
from tests.integration.devices.stories import (
    Rental,
    commands_of,
    device_of,
    name_of,
    notice,
    pay,
    rental,
    request,
    told,
)

from xinzu.app.gateway import DeviceHub
from xinzu.app.sandbox.phone import Phone, PhoneFleet, phones_folder, recall
from xinzu.back.devices import api as devices
from xinzu.kernel.time import FixedClock
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.nats import EmbeddedNats


async def online(fleet: PhoneFleet, runtime: Runtime, of: Rental) -> Phone:
    """The phone, logged in, its hello heard."""
    fleet.look()
    await eventually(lambda: _seen(fleet, runtime, of))
    phone = fleet.phone(of.serial)
    assert phone is not None
    return phone


async def _seen(fleet: PhoneFleet, runtime: Runtime, of: Rental) -> bool:
    return fleet.is_online(of.serial) and (await device_of(runtime, of)).last_seen_at is not None


async def reported(runtime: Runtime, of: Rental, level: str) -> None:
    async def is_so() -> bool:
        return (await device_of(runtime, of)).reported_level == level

    await eventually(is_so)


async def test_locked_after_notice_and_freed_by_the_payment(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock, hub: DeviceHub, fleet: PhoneFleet
) -> None:
    of = await rental(runtime, tenant_id, home)
    phone = await online(fleet, runtime, of)
    message_id = await notice(runtime, of, hours_ago=80)
    await request(runtime, of, "limit", message_id)
    await reported(runtime, of, "limit")
    clock.advance(timedelta(days=1))
    await request(runtime, of, "lock", message_id)
    await reported(runtime, of, "lock")
    assert (phone.level, phone.can_call("13800138000"), phone.can_call("120")) == ("lock", False, True)
    await pay(runtime, of)
    await reported(runtime, of, "free")
    assert phone.level == "free"
    assert await commands_of(runtime, of) == [("limit", "applied"), ("lock", "applied"), ("free", "applied")]
    assert await told(runtime, of) == [
        f"{what} {level}" for level in ("limit", "lock", "free") for what in ("ordered", "applied")
    ]
    async with runtime.reading(tenant_id) as read:
        last = (await devices.commands_of(read, of.device_id))[0]
    assert {state for state, _ in last.steps} == {"created", "sent", "applied"}


async def test_a_phone_that_was_away_gets_only_the_newest_level(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock, hub: DeviceHub, fleet: PhoneFleet
) -> None:
    of = await rental(runtime, tenant_id, home)
    message_id = await notice(runtime, of, hours_ago=100)
    await request(runtime, of, "remind")
    clock.advance(timedelta(days=1))
    await request(runtime, of, "limit", message_id)
    clock.advance(timedelta(days=1))
    await request(runtime, of, "lock", message_id)
    await pay(runtime, of)
    clock.advance(timedelta(days=1))
    await request(runtime, of, "remind")
    phone = await online(fleet, runtime, of)
    await reported(runtime, of, "remind")
    assert phone.memory.counter == 5
    assert (await commands_of(runtime, of))[-1] == ("remind", "applied")
    assert {state for _, state in (await commands_of(runtime, of))[:-1]} == {"superseded"}


async def test_a_phone_set_back_is_brought_forward_again_at_its_hello(
    runtime: Runtime, tenant_id: int, home: Path, hub: DeviceHub, fleet: PhoneFleet, broker: EmbeddedNats
) -> None:
    of = await rental(runtime, tenant_id, home)
    phone = await online(fleet, runtime, of)
    await request(runtime, of, "remind")
    await reported(runtime, of, "remind")
    await fleet.close()
    phone.memory.level = "free"  # somebody tampered with the agent
    phone.hello()
    again = PhoneFleet(home, runtime.clock, "127.0.0.1", lambda: mqtt_port(broker))
    try:
        again.look()
        await eventually(lambda: _commands(runtime, of, [("remind", "applied")] * 2))
    finally:
        await again.close()


async def _commands(runtime: Runtime, of: Rental, expected: list[tuple[str, str]]) -> bool:
    return await commands_of(runtime, of) == expected


async def test_the_gateway_comes_back_when_the_broker_does(
    runtime: Runtime, tenant_id: int, home: Path, hub: DeviceHub, fleet: PhoneFleet, broker: EmbeddedNats
) -> None:
    of = await rental(runtime, tenant_id, home)
    await online(fleet, runtime, of)
    broker.stop()
    await request(runtime, of, "remind")
    broker.start()
    await reported(runtime, of, "remind")


async def test_a_phone_with_a_wrong_password_or_another_ones_name_stays_out(
    runtime: Runtime, tenant_id: int, home: Path, hub: DeviceHub, broker: EmbeddedNats
) -> None:
    of, other = await rental(runtime, tenant_id, home), await rental(runtime, tenant_id, home)
    memory = recall(phones_folder(home), of.serial)
    assert memory is not None
    assert broker.ports is not None
    for name in (f"{tenant_id}/{name_of(of)}x", f"{tenant_id}/{name_of(other)}", f"{tenant_id + 1}/{name_of(of)}"):
        client = gmqtt.Client(name)  # type: ignore[no-untyped-call]
        client.set_config({"reconnect_retries": 0})
        client.set_auth_credentials(name, memory.password)  # type: ignore[no-untyped-call]
        with pytest.raises(MQTTConnectError):
            await client.connect("127.0.0.1", broker.ports.mqtt, version=MQTTv311)  # type: ignore[no-untyped-call]


async def test_a_command_published_by_somebody_else_on_the_bus_is_ignored(
    runtime: Runtime, tenant_id: int, home: Path, hub: DeviceHub, fleet: PhoneFleet, broker: EmbeddedNats
) -> None:
    of = await rental(runtime, tenant_id, home)
    phone = await online(fleet, runtime, of)
    intruder = await nats.connect(broker.url)
    await intruder.publish(f"d.{tenant_id}.{name_of(of)}.cmd", devices.envelope(b'{"level":"lock"}', bytes(64), 1))
    await intruder.drain()
    for _ in range(200):
        if phone.forged:
            break
        await asyncio.sleep(0.02)
    assert (phone.forged, phone.level) == (1, "free")
