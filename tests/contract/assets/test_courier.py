"""Shipping through the courier's twin: booked once whatever happens on the wire, and told of by callbacks that can be believed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from httpx import AsyncClient
from pydantic import SecretStr
from tests.contract.conftest import SIGNED_KEY_ID, SIGNED_SECRET, Receiver, Sandbox, eventually
from tests.integration.assets.stories import CLERK, agreement_to_deliver, lessee, open_warehouse, serial, stock

from xinzu.back.assets import api as assets
from xinzu.back.assets.jobs import book_courier
from xinzu.back.assets.store import request_of
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock, SystemClock
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings
from xinzu.platform.signed_http import SIGNATURE_HEADER, signed_headers
from xinzu.records.parties import api as parties


@pytest.fixture
async def runtime(
    database_urls: DatabaseUrls, home: Path, clock: FixedClock, sandbox: Sandbox, receiver: Receiver
) -> AsyncIterator[Runtime]:
    """A runtime whose courier is the twin and whose public address is the receiver."""
    made = Runtime(
        Settings(
            home=home,
            courier_url=SecretStr(f"{sandbox.url}/courier"),
            courier_key=SecretStr(f"{SIGNED_KEY_ID}:{SIGNED_SECRET}"),
            public_base_url=receiver.url,
        ),
        Database(database_urls.app.get_secret_value(), pool_size=5),
        FileKeyring.open_or_create(home / "keyring.json"),
        Outbound(timeout_s=2, connect_attempts=1),
        clock,
    )
    yield made
    await made.close()


async def shipped(runtime: Runtime, tenant_id: int, address: str | None = "上海市浦东新区世纪大道100号") -> tuple[UUID, UUID]:
    """A picked phone and its shipment, the courier not yet asked: (agreement, shipment)."""
    await open_warehouse(runtime, tenant_id)
    # The address of the person's first order, which is not where this one goes.
    party_id = await lessee(runtime, tenant_id, "北京市朝阳区建国路1号")
    agreement_id, text = await agreement_to_deliver(runtime, tenant_id, party_id), serial()
    if address is not None:
        async with runtime.unit(tenant_id, CLERK) as uow:
            fixed = parties.DeliveryAddress(subject_id=agreement_id, party_id=party_id, address=address)
            await parties.set_delivery_addresses(uow, [fixed])
    await stock(runtime, tenant_id, text)
    async with runtime.unit(tenant_id, CLERK) as uow:
        made = accepted((await assets.ship(uow, [assets.Pick(agreement_id=agreement_id, serial=text)]))[0])
    return agreement_id, parse_id(Prefix.SHIPMENT, made.id)


async def book(runtime: Runtime, tenant_id: int, shipment_id: UUID) -> None:
    await book_courier(runtime, tenant_id, {"shipment_id": str(shipment_id)})


async def shipment_of(runtime: Runtime, tenant_id: int, agreement_id: UUID) -> assets.Shipment:
    async with runtime.reading(tenant_id) as read:
        return (await assets.shipments_of(read, agreement_id))[-1]


async def delivery_state(runtime: Runtime, tenant_id: int, agreement_id: UUID) -> str:
    async with runtime.reading(tenant_id) as read:
        return (await assets.delivery_of(read, agreement_id)).state


async def test_the_signed_for_callback_hands_over_and_nothing_else_does(
    runtime: Runtime, tenant_id: int, sandbox: Sandbox, receiver: Receiver, api: AsyncClient
) -> None:
    agreement_id, shipment_id = await shipped(runtime, tenant_id)
    await book(runtime, tenant_id, shipment_id)
    booked = await shipment_of(runtime, tenant_id, agreement_id)
    assert booked.state == "booked"
    for status in ("picked_up", "in_transit", "signed_for"):
        sandbox.control(
            "POST",
            f"/control/courier/{booked.courier_shipment_id}",
            {"status": status, "occurred_at": runtime.clock.now().isoformat()},
        )
    reference = public_id(Prefix.SHIPMENT, shipment_id)
    calls = await eventually(
        lambda: found if len(found := [call for call in list(receiver.received) if reference.encode() in call[2]]) == 3 else None
    )
    for path, headers, body in calls:
        forged = {**headers, SIGNATURE_HEADER: "0" * 64}
        refused = await api.post(path, content=body, headers=forged)
        assert (refused.status_code, refused.json()["code"]) == (401, "assets.callback_refused")
        changed = await api.post(path, content=body.replace(b"SX", b"SY"), headers=headers)
        assert changed.status_code == 401
    assert await delivery_state(runtime, tenant_id, agreement_id) == "shipping"
    answers = []
    for path, headers, body in [*calls, *calls]:
        answer = await api.post(path, content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        answers.append(answer.json()["repeated"])
    assert answers == [False] * 3 + [True] * 3
    assert await delivery_state(runtime, tenant_id, agreement_id) == "handed_over"
    async with runtime.reading(tenant_id) as read:
        sealed = await read.scalar(
            "SELECT count(*) FROM assets_shipment WHERE tenant_id = :tenant AND request_sealed IS NOT NULL"
        )
    assert sealed == 0


async def test_a_courier_that_does_not_answer_is_asked_again_and_booked_once(
    runtime: Runtime, tenant_id: int, sandbox: Sandbox
) -> None:
    agreement_id, shipment_id = await shipped(runtime, tenant_id)
    sandbox.fault("courier", "no_reply")
    await book(runtime, tenant_id, shipment_id)
    unknown = await shipment_of(runtime, tenant_id, agreement_id)
    assert (unknown.state, unknown.attempts) == ("booking", 1)
    async with runtime.reading(tenant_id) as read:
        sent = json.loads(await request_of(read, shipment_id) or b"{}")
    assert sent["recipient"]["address"] == "上海市浦东新区世纪大道100号"  # fixed at the signature; not the person's first address
    async with runtime.database.raw_connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'assets.book_courier'") >= 1
    await book(runtime, tenant_id, shipment_id)
    first = await shipment_of(runtime, tenant_id, agreement_id)
    await book(runtime, tenant_id, shipment_id)
    assert (first.state, first.attempts) == ("booked", 2)
    assert await shipment_of(runtime, tenant_id, agreement_id) == first


async def test_a_recipient_without_an_address_goes_back_to_the_shelf(runtime: Runtime, tenant_id: int) -> None:
    agreement_id, shipment_id = await shipped(runtime, tenant_id, None)
    await book(runtime, tenant_id, shipment_id)
    refused = await shipment_of(runtime, tenant_id, agreement_id)
    assert (refused.state, refused.refusal) == ("refused", "recipient_without_address")
    assert await delivery_state(runtime, tenant_id, agreement_id) == "awaiting"


async def test_a_callback_for_a_parcel_of_another_tenant_changes_nothing(
    runtime: Runtime, tenant_id: int, other_tenant_id: int, sandbox: Sandbox, receiver: Receiver, api: AsyncClient
) -> None:
    agreement_id, shipment_id = await shipped(runtime, tenant_id)
    await book(runtime, tenant_id, shipment_id)
    notice = {
        "event_id": "E1",
        "shipment_id": "SX1",
        "reference": public_id(Prefix.SHIPMENT, shipment_id),
        "status": "signed_for",
        "occurred_at": "2026-03-02T09:00:00+08:00",
    }
    async with runtime.reading(other_tenant_id) as read:
        slug = await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")

    body = json.dumps(notice).encode()
    path = f"/v1/callbacks/courier/{slug}"
    headers = signed_headers(SIGNED_KEY_ID, SIGNED_SECRET, "POST", path, body, SystemClock().now())
    answer = await api.post(path, content=body, headers={**headers, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "assets.shipment_unknown")
    assert await delivery_state(runtime, tenant_id, agreement_id) == "shipping"
