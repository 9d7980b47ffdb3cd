"""The front door of devices for the gateway, the API and the demo."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.devices import store
from xinzu.back.devices.commands.orders import Ask, ask_levels, reconcile, request_levels, set_holds
from xinzu.back.devices.commands.reports import Heard, record_reports
from xinzu.back.devices.commands.terminals import enrol_devices
from xinzu.back.devices.errors import DeviceUnknown
from xinzu.back.devices.model import (
    Command,
    CommandRecord,
    Device,
    DeviceDraft,
    DeviceKind,
    HoldKind,
    HoldRequest,
    Level,
    LevelRequest,
)
from xinzu.back.devices.rules.commands import EMERGENCY_NUMBERS, envelope
from xinzu.back.devices.store import CHANNEL
from xinzu.kernel.time import Instant
from xinzu.platform.uow import ReadSession, UnitOfWork

__all__ = [
    "CHANNEL",
    "EMERGENCY_NUMBERS",
    "Ask",
    "Command",
    "CommandRecord",
    "Device",
    "DeviceDraft",
    "DeviceKind",
    "Heard",
    "HoldKind",
    "HoldRequest",
    "Level",
    "LevelRequest",
    "ask_levels",
    "commands_of",
    "commands_under_way",
    "device_of",
    "device_of_asset",
    "due_commands",
    "enrol_devices",
    "envelope",
    "holds_of",
    "last_seen",
    "reconcile",
    "record_reports",
    "request_levels",
    "set_holds",
]

SHOWN_COMMANDS = 20


async def device_of(read: ReadSession, device_id: UUID) -> Device:
    """One terminal in use; raises DeviceUnknown."""
    found = await store.find_device(read, device_id)
    if found is None:
        raise DeviceUnknown()
    return found


async def device_of_asset(read: ReadSession, asset_id: UUID) -> Device | None:
    """The terminal in use inside an asset, or None."""
    return await store.device_of_asset(read, asset_id)


async def last_seen(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, Instant]:
    """By agreement, when the device that serves it was last heard of; agreements without a device are left out."""
    return await store.last_seen(read, agreement_ids)


async def commands_of(read: ReadSession, device_id: UUID, *, limit: int = SHOWN_COMMANDS) -> list[CommandRecord]:
    """A device's newest commands with every state they reached."""
    return await store.commands_of(read, device_id, limit)


async def commands_under_way(read: ReadSession) -> int:
    """How many commands wait for a device's answer."""
    return await store.count_under_way(read)


async def holds_of(read: ReadSession, agreement_id: UUID) -> list[HoldKind]:
    """What stops escalation for an agreement now."""
    return await store.holds_of(read, agreement_id)


async def due_commands(uow: UnitOfWork, limit: int) -> list[Command]:
    """Commands to send once this transaction committed; when to try again is noted with them."""
    return await store.claim_due(uow, limit)
