"""Ordering a courier: the intent stands before the call, its outcome is recorded after. And keeping the books, in turns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import structlog

from xinzu.back.assets import api, store
from xinzu.back.assets.commands.deliveries import BOOK_COURIER
from xinzu.back.assets.model import Contact, ShipmentState
from xinzu.back.assets.providers.courier import Courier, courier_peer
from xinzu.back.assets.rules.depreciation import last_ended_month
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import SystemClock
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron, job
from xinzu.platform.providers import Failed, Ok
from xinzu.platform.servers import ports
from xinzu.platform.settings import base_url
from xinzu.platform.uow import UnitOfWork
from xinzu.records.parties import api as parties

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime
    from xinzu.platform.settings import Settings

log = structlog.get_logger(__name__)

ACTOR = system_actor(BOOK_COURIER)
BOOKKEEPER = system_actor("assets.keep_books")
RETRY_FIRST = timedelta(seconds=2)
RETRY_MAX = timedelta(minutes=5)


@job(BOOK_COURIER)
async def book_courier(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Order the courier for a shipment; asked again with the same content until the answer is known.

    Nothing happens for a shipment that was booked, cancelled or handed over meanwhile, so running twice is harmless.
    """
    shipment_id = UUID(arguments["shipment_id"])
    peer = courier_peer(runtime.settings)
    async with runtime.unit(tenant_id, ACTOR) as uow:
        if peer is None:
            await api.record_refusal(uow, shipment_id, "courier_not_configured")
            return
        intent = await _intend(uow, shipment_id, runtime.settings)
    if intent is None:
        return
    request, attempt = intent
    result = await Courier(peer, runtime.outbound, SystemClock()).book(request)
    async with runtime.unit(tenant_id, ACTOR) as uow:
        if isinstance(result, Ok):
            await api.record_booking(uow, shipment_id, result.value)
        elif isinstance(result, Failed):
            await api.record_refusal(uow, shipment_id, result.code)
        else:
            log.warning("courier did not answer", shipment_id=str(shipment_id), reason=result.reason, attempt=attempt)
            delay = min(RETRY_FIRST * 2 ** min(attempt, 16), RETRY_MAX)
            uow.enqueue(BOOK_COURIER, {"shipment_id": str(shipment_id)}, after=delay)


async def _intend(uow: UnitOfWork, shipment_id: UUID, settings: Settings) -> tuple[bytes, int] | None:
    """The request to send and how often it was sent before; None when there is nothing to order any more."""
    shipment = await store.lock_shipment(uow, shipment_id)
    if shipment is None or shipment.state is not ShipmentState.BOOKING:
        return None
    request = await store.request_of(uow, shipment_id)
    if request is None:
        delivery = await api.delivery_of(uow, shipment.agreement_id)
        # The address fixed at the signature, and no other: one changed later would send the thing to somebody else.
        recipient = (await parties.open_recipients(uow, [shipment.agreement_id])).get(shipment.agreement_id)
        if recipient is None:
            await api.record_refusal(uow, shipment_id, "recipient_without_address")
            return None
        address = base_url(settings, ports.recorded(settings.home, "api"))
        request = msgspec.json.encode(
            {
                "reference": public_id(Prefix.SHIPMENT, shipment_id),
                "sender": await api.warehouse_of(uow),
                "recipient": Contact(name=recipient.name, phone=recipient.phone, address=recipient.address),
                "item": delivery.product_name or "",
                "requested_at": uow.now.isoformat(),
                "callback_url": f"{address}/v1/callbacks/courier/{await parties.tenant_slug(uow)}",
                "insured_fen": delivery.insured_fen or 0,
            }
        )
    await store.note_attempt(uow, shipment_id, request)
    return request, shipment.attempts


@cron("assets.keep_books", "7 * * * *")
async def keep_books(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Take in what was registered, depreciate what ended a month, let go what is gone: a transaction for each 5,000 things.

    Asked every hour because each tenant's month ends by its own zone. Stopped anywhere, the next turn goes on from there.
    """
    is_done = False
    while not is_done:
        async with runtime.unit(tenant_id, BOOKKEEPER) as uow:
            is_done = (await api.keep(uow, last_ended_month(uow.business_date))).is_last
