"""Messages through the SMS twin: sent once whatever happens on the wire, settled by signed callbacks that are believed once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from tests.contract.conftest import SIGNED_KEY_ID, SIGNED_SECRET, Receiver, Sandbox, eventually
from tests.integration.applications.orders import CLERK, identity_no

from xinzu.front.applications.handlers import on_messages_delivered
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock, SystemClock
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.events.codec import decode
from xinzu.platform.jobs import drain_jobs
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings
from xinzu.platform.signed_http import signed_headers
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties
from xinzu.records.parties.jobs import send_due_messages

Callback = tuple[str, dict[str, str], bytes]


@pytest.fixture
async def runtime(
    database_urls: DatabaseUrls, home: Path, clock: FixedClock, sandbox: Sandbox, receiver: Receiver
) -> AsyncIterator[Runtime]:
    """A runtime whose carrier is the twin and whose public address is the receiver."""
    made = Runtime(
        Settings(
            home=home,
            database_url=None,
            sms_url=SecretStr(f"{sandbox.url}/sms"),
            sms_key=SecretStr(f"{SIGNED_KEY_ID}:{SIGNED_SECRET}"),
            public_base_url=receiver.url,
        ),
        Database(database_urls.app.get_secret_value(), pool_size=5),
        FileKeyring.open_or_create(home / "keyring.json"),
        Outbound(timeout_s=2, connect_attempts=1),
        clock,
    )
    yield made
    await made.close()


async def asked(
    runtime: Runtime, tenant_id: int, phone: str, *, number: int = 1, expires_in: timedelta | None = None
) -> tuple[UUID, UUID]:
    """A restriction notice asked for: (message, agreement)."""
    subject_id = new_id()
    async with runtime.unit(tenant_id, CLERK) as uow:
        draft = parties.PersonDraft(name="王小明", identity_no=identity_no(number), phone=phone)
        party_id = accepted((await parties.register_people(uow, [draft]))[0]).id
        message = parties.MessageDraft(
            party_id=party_id,
            subject_id=subject_id,
            template=parties.MessageTemplate.RESTRICTION_NOTICE,
            variables={"agreement_no": "XZ-1", "amount_fen": 39_900, "not_before": "3月5日9:00", "level": "limit"},
            expires_at=None if expires_in is None else uow.now + expires_in,
        )
        return (await parties.send_messages(uow, [message]))[0], subject_id


async def state_of(runtime: Runtime, tenant_id: int, subject_id: UUID) -> tuple[str, str | None]:
    async with runtime.reading(tenant_id) as read:
        (message,) = await parties.messages_of(read, subject_id, limit=10)
    return message.state, message.failure_reason


async def callback_about(receiver: Receiver, message_id: UUID) -> Callback:
    reference = public_id(Prefix.MESSAGE, message_id).encode()
    found: Callback = await eventually(
        lambda: next((callback for callback in list(receiver.received) if reference in callback[2]), None)
    )
    return found


async def hand_in(api: httpx.AsyncClient, callback: Callback) -> httpx.Response:
    path, headers, body = callback
    kept = {name: value for name, value in headers.items() if name.startswith("x-xinzu-") or name == "content-type"}
    return await api.post(path, content=body, headers=kept)


async def test_a_notice_is_delivered_once_and_becomes_evidence(
    api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, sandbox: Sandbox, receiver: Receiver
) -> None:
    message_id, subject_id = await asked(runtime, tenant_id, "13811110001")
    await drain_jobs(runtime)
    assert await state_of(runtime, tenant_id, subject_id) == ("sent", None)
    callback = await callback_about(receiver, message_id)
    assert (await hand_in(api, callback)).json() == {"accepted": True}
    assert await state_of(runtime, tenant_id, subject_id) == ("delivered", None)
    replayed = await hand_in(api, callback)
    assert (replayed.status_code, replayed.json()["code"]) == (409, "parties.callback_replayed")
    async with runtime.unit(tenant_id, CLERK) as uow:
        rows = await uow.rows("SELECT type, data FROM platform_event WHERE tenant_id = :tenant")
        assert [row.type for row in rows] == ["xinzu.parties.message.delivered.v1"]
        await on_messages_delivered(uow, [decode(rows[0].type, json.dumps(rows[0].data))])  # type: ignore[list-item]
    async with runtime.reading(tenant_id) as read:
        (fact,) = await evidence.facts_of(read, subject_id)
    assert fact.kind == "parties.message.delivered"
    assert "XZ-1" not in fact.body
    assert "13811110001" not in fact.body


async def test_a_dead_line_fails_with_its_event(
    api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, receiver: Receiver
) -> None:
    message_id, subject_id = await asked(runtime, tenant_id, "13811110000")
    await drain_jobs(runtime)
    await hand_in(api, await callback_about(receiver, message_id))
    assert await state_of(runtime, tenant_id, subject_id) == ("failed", "undelivered")
    async with runtime.reading(tenant_id) as read:
        assert await read.scalar("SELECT type FROM platform_event WHERE tenant_id = :tenant") == "xinzu.parties.message.failed.v1"


async def test_an_answer_that_never_came_is_asked_for_and_the_phone_rings_once(
    runtime: Runtime, tenant_id: int, sandbox: Sandbox
) -> None:
    await drain_jobs(runtime)  # what other tests left: the fault is for this message
    _, subject_id = await asked(runtime, tenant_id, "13811110002")
    sandbox.fault("sms", "no_reply")
    await drain_jobs(runtime)
    assert await state_of(runtime, tenant_id, subject_id) == ("unknown", None)
    await send_due_messages(runtime, tenant_id, {})
    assert (await state_of(runtime, tenant_id, subject_id))[0] == "delivered"
    assert len(sandbox.control("GET", "/phone/13811110002/messages")) == 1


async def test_a_carrier_that_is_away_leaves_the_message_queued(
    runtime: Runtime, tenant_id: int, sandbox: Sandbox, clock: FixedClock
) -> None:
    _, subject_id = await asked(runtime, tenant_id, "13811110003", expires_in=timedelta(minutes=5))
    sandbox.stop()
    try:
        await drain_jobs(runtime)
        assert (await state_of(runtime, tenant_id, subject_id))[0] == "queued"
    finally:
        sandbox.start()
    clock.advance(timedelta(minutes=6))
    await send_due_messages(runtime, tenant_id, {})
    assert await state_of(runtime, tenant_id, subject_id) == ("failed", "expired")


@pytest.mark.parametrize("wrong", ["signature", "body", "tenant", "reference"])
async def test_a_callback_that_is_not_the_carriers_changes_nothing(
    api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, receiver: Receiver, wrong: str
) -> None:
    message_id, subject_id = await asked(runtime, tenant_id, "13811110004")
    await drain_jobs(runtime)
    path, headers, body = await callback_about(receiver, message_id)
    report = json.loads(body)
    if wrong == "signature":
        headers = {**headers, "x-xinzu-signature": "0" * 64}
    elif wrong == "body":
        body = json.dumps({**report, "status": "undelivered"}).encode()
    else:
        if wrong == "tenant":
            path = "/v1/callbacks/sms/nobody"
        else:
            body = json.dumps({**report, "reference": public_id(Prefix.MESSAGE, new_id())}).encode()
        headers = signed_headers(SIGNED_KEY_ID, SIGNED_SECRET, "POST", path, body, SystemClock().now())
    assert (await hand_in(api, (path, headers, body))).status_code == (401 if wrong in {"signature", "body"} else 404)
    assert await state_of(runtime, tenant_id, subject_id) == ("sent", None)
    async with runtime.reading(tenant_id) as read:
        assert await read.scalar("SELECT count(*) FROM parties_callback WHERE tenant_id = :tenant") == 0
