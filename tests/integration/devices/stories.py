"""Steps shared by the stories of devices: a rental that runs on a phone, and the events that come from around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from tests.integration.assets.stories import serial, terms

from xinzu.app.modules import load_modules
from xinzu.app.sandbox.phone import phones_folder, set_up, switch_on
from xinzu.back.assets.events import AssetInspected
from xinzu.back.billing.events import ArrearsCleared
from xinzu.back.collections.events import CaseClosed, RestrictionRequested
from xinzu.back.devices import api as devices
from xinzu.kernel.events import Event
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.middle.agreements.events import AgreementCommenced
from xinzu.platform.actor import system_actor
from xinzu.platform.events.subscribers import subscribers_of
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.device_logins import device_password
from xinzu.records.parties.events import MessageDelivered

load_modules()

CLERK = system_actor("clerk")
BASIS = "第八条第三款"


@dataclass(frozen=True)
class Rental:
    """An agreement that runs on an enrolled phone."""

    tenant_id: int
    agreement_id: UUID
    asset_id: UUID
    device_id: UUID
    serial: str
    case_id: UUID


async def hear(runtime: Runtime, tenant_id: int, *events: Event) -> None:
    """Hand events to the handlers of devices alone, as the relay would."""
    for event in events:
        for subscriber in subscribers_of(event.type):
            if subscriber.name.startswith("devices."):
                async with runtime.unit(tenant_id, CLERK) as uow:
                    await subscriber.handler(uow, [event])


async def enrolled(runtime: Runtime, tenant_id: int, home: Path, asset_id: UUID, text: str) -> UUID:
    """A phone that made its key, was enrolled and set up."""
    public_key = switch_on(phones_folder(home), text)
    async with runtime.unit(tenant_id, CLERK) as uow:
        made = accepted((await devices.enrol_devices(uow, [devices.DeviceDraft(asset_id=asset_id, public_key=public_key)]))[0])
    set_up(
        phones_folder(home),
        text,
        tenant=str(tenant_id),
        device=made.id,
        password=device_password(home, str(tenant_id), made.id),
        pinned={key.number: key.public_key for key in made.pinned_keys},
    )
    return parse_id(Prefix.DEVICE, made.id)


async def rental(runtime: Runtime, tenant_id: int, home: Path) -> Rental:
    """A commenced agreement on an enrolled phone."""
    agreement_id, asset_id, text = new_id(), new_id(), serial()
    device_id = await enrolled(runtime, tenant_id, home, asset_id, text)
    await hear(runtime, tenant_id, commenced(agreement_id, asset_id, runtime))
    return Rental(tenant_id, agreement_id, asset_id, device_id, text, new_id())


def commenced(agreement_id: UUID, asset_id: UUID | None, runtime: Runtime) -> AgreementCommenced:
    return AgreementCommenced(
        subject_id=agreement_id,
        application_id=new_id(),
        party_id=new_id(),
        asset_id=asset_id,
        commencement_on=runtime.clock.now().date(),
        terms=terms(),
    )


async def notice(runtime: Runtime, of: Rental, *, hours_ago: float = 0) -> UUID:
    """A restriction notice that reached the lessee's phone."""
    message_id = new_id()
    await hear(
        runtime,
        of.tenant_id,
        MessageDelivered(
            subject_id=of.agreement_id,
            message_id=message_id,
            party_id=new_id(),
            template="restriction_notice",
            delivered_at=runtime.clock.now() - timedelta(hours=hours_ago),
        ),
    )
    return message_id


async def request(runtime: Runtime, of: Rental, level: str, message_id: UUID | None = None) -> None:
    """The ladder asks for a level."""
    await hear(
        runtime,
        of.tenant_id,
        RestrictionRequested(
            subject_id=of.agreement_id,
            case_id=of.case_id,
            level=level,
            notice_message_id=message_id,
            notice_delivered_at=runtime.clock.now() - timedelta(days=30),  # what the asker claims proves nothing
            legal_basis=BASIS,
        ),
    )


async def pay(runtime: Runtime, of: Rental) -> None:
    """Nothing is overdue any more."""
    await hear(runtime, of.tenant_id, ArrearsCleared(subject_id=of.agreement_id, party_id=new_id()))


async def close_case(runtime: Runtime, of: Rental) -> None:
    await hear(runtime, of.tenant_id, CaseClosed(subject_id=of.agreement_id, case_id=of.case_id, party_id=new_id()))


async def inspect(runtime: Runtime, of: Rental) -> None:
    """The phone came back and was looked at."""
    await hear(
        runtime,
        of.tenant_id,
        AssetInspected(
            subject_id=of.agreement_id,
            asset_id=of.asset_id,
            inspection_id=new_id(),
            returned_on=runtime.clock.now().date(),
            damage_fen=0,
        ),
    )


async def device_of(runtime: Runtime, of: Rental) -> devices.Device:
    async with runtime.reading(of.tenant_id) as read:
        return await devices.device_of(read, of.device_id)


async def commands_of(runtime: Runtime, of: Rental) -> list[tuple[str, str]]:
    """Level and state of every command, oldest first."""
    async with runtime.reading(of.tenant_id) as read:
        found = await devices.commands_of(read, of.device_id, limit=100)
    return [(record.level, record.state) for record in reversed(found)]


async def told(runtime: Runtime, of: Rental) -> list[str]:
    """What devices told the others about the agreement, with the level and, of a refusal, the reason."""
    async with runtime.reading(of.tenant_id) as read:
        rows = await read.rows(
            "SELECT type, data FROM platform_event WHERE tenant_id = :tenant AND subject_id = :id"
            " AND type LIKE 'xinzu.devices.%' ORDER BY id",
            id=of.agreement_id,
        )
    return [" ".join(filter(None, (row.type.split(".")[3], row.data["level"], row.data.get("reason", "")))) for row in rows]


def name_of(of: Rental) -> str:
    return public_id(Prefix.DEVICE, of.device_id)
