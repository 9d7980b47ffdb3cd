"""Messages wait for the hours and for a carrier; nothing is pretended."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
from tests.integration.applications.orders import CLERK
from tests.integration.parties.test_people import person

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.platform.jobs import drain_jobs
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties

REMINDER: dict[str, str | int] = {"agreement_no": "XZ-1", "amount_fen": 39_900, "due_on": "2026-03-01"}


async def asked(
    runtime: Runtime, tenant_id: int, template: parties.MessageTemplate, variables: dict[str, str | int], subject_id: UUID
) -> UUID:
    party_id = await person(runtime, tenant_id)
    async with runtime.unit(tenant_id, CLERK) as uow:
        draft = parties.MessageDraft(party_id=party_id, subject_id=subject_id, template=template, variables=variables)
        return (await parties.send_messages(uow, [draft]))[0]


async def test_without_a_carrier_a_message_stays_queued(
    api: httpx.AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    subject_id = new_id()
    await asked(runtime, tenant_id, parties.MessageTemplate.PAYMENT_REMINDER, REMINDER, subject_id)
    await drain_jobs(runtime)
    subject = {"subject": public_id(Prefix.AGREEMENT, subject_id)}
    (message,) = (await api.get("/v1/messages", params=subject, headers=api_key)).json()["items"]
    assert (message["state"], message["sent_at"], message["to"][:3]) == ("queued", None, "138")
    assert message["text"].startswith("【珊瑚数码租赁】")
    assert (await api.get("/v1/messages", params=subject, headers=other_api_key)).json()["items"] == []
    assert (await api.get("/v1/messages", params={"subject": "nobody"}, headers=api_key)).status_code == 422


async def test_a_reminder_of_the_night_waits_for_the_morning_and_a_code_does_not(
    runtime: Runtime, tenant_id: int, clock: FixedClock
) -> None:
    clock.advance(timedelta(hours=13))  # 22:00 in Shanghai
    subject_id = new_id()
    reminder = await asked(runtime, tenant_id, parties.MessageTemplate.PAYMENT_REMINDER, REMINDER, subject_id)
    code = await asked(
        runtime, tenant_id, parties.MessageTemplate.ONE_TIME_CODE, {"code": "204816", "valid_minutes": 5}, subject_id
    )
    async with runtime.reading(tenant_id) as read:
        assert await parties.due_messages(read, 10) == [code]
        shown = {message.id: message for message in await parties.messages_of(read, subject_id, limit=10)}
    assert shown[code].text is None
    assert shown[reminder].not_before is not None
    clock.advance(timedelta(hours=10))
    async with runtime.reading(tenant_id) as read:
        assert await parties.due_messages(read, 10) == [reminder, code]


async def test_a_reminder_that_did_not_get_out_in_the_evening_is_not_sent_at_night(
    runtime: Runtime, tenant_id: int, clock: FixedClock
) -> None:
    clock.advance(timedelta(hours=11, minutes=30))  # 20:30 in Shanghai
    message_id = await asked(runtime, tenant_id, parties.MessageTemplate.PAYMENT_REMINDER, REMINDER, new_id())
    clock.advance(timedelta(hours=1))
    async with runtime.unit(tenant_id, CLERK) as uow:
        assert await parties.begin_sending(uow, [message_id]) == []
    clock.advance(timedelta(hours=11))
    async with runtime.unit(tenant_id, CLERK) as uow:
        assert [message.id for message in await parties.begin_sending(uow, [message_id])] == [message_id]


async def test_an_unsigned_callback_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post("/v1/callbacks/sms/shop-1", json={"status": "delivered"})
    assert (answer.status_code, answer.json()["code"]) == (401, "parties.callback_refused")
