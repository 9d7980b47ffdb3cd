"""Sending messages, outside any transaction: the intent is committed, the carrier called, the outcome recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron, job
from xinzu.platform.providers import Failed, Ok, ProviderResult
from xinzu.platform.servers.ports import recorded
from xinzu.platform.settings import base_url
from xinzu.records.parties import api
from xinzu.records.parties.model import MessageState
from xinzu.records.parties.providers.base import Accepted, SmsCarrier
from xinzu.records.parties.providers.signed_sms import SignedSmsCarrier, sms_peer

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime

log = structlog.get_logger(__name__)

ACTOR = system_actor("parties.send_messages")
PARALLEL_MAX = 8
DUE_MAX = 500
AGAIN_AFTER = tuple(timedelta(seconds=seconds) for seconds in (2, 4, 8, 16))
_STATES = {"accepted": MessageState.SENT, "delivered": MessageState.DELIVERED, "undelivered": MessageState.FAILED}


@job("parties.send_messages")
async def send_messages(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Send the named messages. Without a configured carrier they stay queued, and the log says so.

    What did not get out is tried again soon: somebody may be looking at the phone for a code. After the last try it is left to
    ``send_due_messages``.
    """
    await _send(runtime, tenant_id, [UUID(text) for text in arguments["message_ids"]], int(arguments.get("tries", 0)))


@cron("parties.send_due_messages", "* * * * *")
async def send_due_messages(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Send what was held back until the hours allow it or did not get out, and settle what is unknown by asking again."""
    async with runtime.reading(tenant_id) as read:
        due = await api.due_messages(read, DUE_MAX)
    for start in range(0, len(due), api.JOB_MESSAGES_MAX):
        await _send(runtime, tenant_id, due[start : start + api.JOB_MESSAGES_MAX], len(AGAIN_AFTER))


async def _send(runtime: Runtime, tenant_id: int, message_ids: Sequence[UUID], tries: int) -> None:
    peer = sms_peer(runtime.settings)
    if peer is None:
        if message_ids:
            log.warning(
                "messages stay queued: XINZU_SMS_URL and XINZU_SMS_KEY are not set", tenant_id=tenant_id, count=len(message_ids)
            )
        return
    async with runtime.unit(tenant_id, ACTOR) as uow:
        outgoing = await api.begin_sending(uow, message_ids)
        slug = await api.tenant_slug(uow)
    if not outgoing:
        return
    callback_url = f"{base_url(runtime.settings, recorded(runtime.settings.home, 'api'))}/v1/callbacks/sms/{slug}"
    carrier: SmsCarrier = SignedSmsCarrier(runtime.outbound, peer)
    turns = asyncio.Semaphore(PARALLEL_MAX)

    async def hand_over(message: api.Outgoing) -> ProviderResult[Accepted]:
        async with turns:
            return await carrier.send(message, callback_url)

    results = await asyncio.gather(*(hand_over(message) for message in outgoing))
    async with runtime.unit(tenant_id, ACTOR) as uow:
        settlements = [
            settled
            for message, result in zip(outgoing, results, strict=True)
            if (settled := _settlement(message, result)) is not None
        ]
        await api.settle_messages(uow, settlements)
        settled_ids = {each.id for each in settlements if each.state is not MessageState.QUEUED}
        open_ids = [str(message.id) for message in outgoing if message.id not in settled_ids]
        if open_ids and tries < len(AGAIN_AFTER):
            uow.enqueue("parties.send_messages", {"message_ids": open_ids, "tries": tries + 1}, after=AGAIN_AFTER[tries])


def _settlement(message: api.Outgoing, result: ProviderResult[Accepted]) -> api.Settlement | None:
    """What a carrier's answer means; None when it stays unknown and is asked about again."""
    if isinstance(result, Ok):
        state = _STATES[result.value.status]
        return api.Settlement(
            message.id,
            state,
            provider_message_id=result.value.message_id or None,
            reason="undelivered" if state is MessageState.FAILED else None,
            delivered_at=message.requested_at if state is MessageState.DELIVERED else None,
        )
    if isinstance(result, Failed):
        return api.Settlement(message.id, MessageState.FAILED, reason=result.code[:100])
    if not result.may_have_happened:
        return api.Settlement(message.id, MessageState.QUEUED, reason=result.reason)
    return None
