"""The embedded NATS: JetStream for events, MQTT for devices, each device held to its own topics."""

from __future__ import annotations

import gc
import http.client
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import psutil
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from tests.integration.servers.mqtt import ACCEPTED, BAD_CLIENT_ID, REFUSED, SUBSCRIPTION_FAILED, connect

from xinzu.kernel.time import SystemClock
from xinzu.platform.servers.device_logins import admit_by_password, answer_device_logins, device_password, until_heard
from xinzu.platform.servers.nats import EmbeddedNats, NatsPorts


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedNats]:
    home = Path(tempfile.mkdtemp(prefix="xinzu-"))
    with EmbeddedNats(home, client_port=0, mqtt_port=0, monitor_port=0) as server:
        yield server
    shutil.rmtree(home)


@pytest.fixture
async def platform(server: EmbeddedNats) -> AsyncIterator[Client]:
    connection = await nats.connect(server.url)
    yield connection
    await connection.close()


@pytest.fixture
async def answering(platform: Client, server: EmbeddedNats) -> AsyncIterator[None]:
    """What the gateway does: answer log-ins, and say so when it goes.

    Gateways share the questions: one that vanished without a word would still be asked until the server sees its connection close.
    """
    subscription = await answer_device_logins(platform, server.home, admit_by_password(server.home), SystemClock())
    yield
    await subscription.unsubscribe()
    await until_heard(platform)


def ports_of(server: EmbeddedNats) -> NatsPorts:
    assert server.ports is not None
    return server.ports


async def test_jetstream_keeps_each_event_once(platform: Client) -> None:
    stream = platform.jetstream()
    await stream.add_stream(name="events", subjects=["e.>"])
    first = await stream.publish("e.1.paid", b"{}", headers={"Nats-Msg-Id": "one"})
    second = await stream.publish("e.1.paid", b"{}", headers={"Nats-Msg-Id": "one"})
    assert not first.duplicate
    assert second.duplicate


def test_health_is_answered_on_loopback(server: EmbeddedNats) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ports_of(server).monitor, timeout=5)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="the account is changed by root only")
def test_root_runs_it_under_an_unprivileged_account(server: EmbeddedNats) -> None:
    assert psutil.Process(server.pid).uids().effective != 0


async def test_without_a_gateway_no_device_gets_in(server: EmbeddedNats) -> None:
    code, device = await connect(ports_of(server).mqtt, "1/dev", device_password(server.home, "1", "dev"), "1/dev")
    assert code == REFUSED
    await device.close()


@pytest.mark.usefixtures("answering")
async def test_a_device_gets_its_commands_and_reports(server: EmbeddedNats, platform: Client) -> None:
    code, device = await connect(ports_of(server).mqtt, "1/dev", device_password(server.home, "1", "dev"), "1/dev")
    assert code == ACCEPTED
    assert await device.subscribe("d/1/dev/cmd") == 0
    reports = await platform.subscribe("d.*.*.up")
    await platform.publish("d.1.dev.cmd", b"lock")
    assert await device.receive() == b"lock"
    device.publish("d/1/dev/up", b"done")
    message = await reports.next_msg(5)
    assert (message.subject, message.data) == ("d.1.dev.up", b"done")
    await device.close()


@pytest.mark.usefixtures("answering")
async def test_a_device_cannot_touch_another_device_nor_another_tenant(server: EmbeddedNats, platform: Client) -> None:
    code, device = await connect(ports_of(server).mqtt, "1/dev", device_password(server.home, "1", "dev"), "1/dev")
    assert code == ACCEPTED
    everything = await platform.subscribe(">")
    await until_heard(platform)
    for topic in ("d/1/other/cmd", "d/2/dev/cmd", "d/1/+/cmd", "#", "e/#"):
        assert await device.subscribe(topic) == SUBSCRIPTION_FAILED, topic
    for topic in ("d/1/other/up", "d/2/dev/up", "d/1/dev/cmd", "e/1/paid"):
        device.publish(topic, b"forged")
    device.publish("d/1/dev/up", b"honest")
    seen = [await everything.next_msg(5)]
    while seen[-1].data != b"honest":
        seen.append(await everything.next_msg(5))
    assert not [message.subject for message in seen if message.data == b"forged"]
    await device.close()


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    ("user", "password_of", "client_id"),
    [
        ("1/dev", "1/other", "1/dev"),  # another device's password
        ("1/dev", "2/dev", "1/dev"),  # another tenant's
        ("1/dev", "1/dev", "1/other"),  # its own, but posing as another client, whom the broker would then throw out
        ("platform", "1/dev", "platform"),
        ("*/>", "1/dev", "*/>"),
    ],
)
async def test_a_wrong_log_in_is_refused(server: EmbeddedNats, user: str, password_of: str, client_id: str) -> None:
    tenant, device_name = password_of.split("/")
    code, device = await connect(ports_of(server).mqtt, user, device_password(server.home, tenant, device_name), client_id)
    assert code in {REFUSED, BAD_CLIENT_ID}
    await device.close()


@pytest.mark.usefixtures("answering")
async def test_a_device_password_opens_mqtt_only(server: EmbeddedNats) -> None:
    async def ignore(error: Exception) -> None:
        assert error

    client = Client()
    with pytest.raises(NatsError, match="Authorization Violation"):
        await client.connect(
            f"nats://127.0.0.1:{ports_of(server).client}",
            user="1/dev",
            password=device_password(server.home, "1", "dev"),
            allow_reconnect=False,
            error_cb=ignore,
        )
    await client.close()
    gc.collect()
