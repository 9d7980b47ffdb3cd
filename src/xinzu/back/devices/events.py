"""What happened on devices. The subject is the agreement."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import Instant


@event("xinzu.devices.restriction.ordered.v1")
@dataclass(frozen=True, kw_only=True)
class RestrictionOrdered(Event):
    """A new desired level was set and a signed command made. ``level`` is free, remind, limit or lock."""

    device_id: UUID
    command_id: UUID
    level: str
    legal_basis: str


@event("xinzu.devices.restriction.applied.v1")
@dataclass(frozen=True, kw_only=True)
class RestrictionApplied(Event):
    """The device acknowledged the level under its own key."""

    device_id: UUID
    command_id: UUID
    level: str
    applied_at: Instant


@event("xinzu.devices.restriction.refused.v1")
@dataclass(frozen=True, kw_only=True)
class RestrictionRefused(Event):
    """Our own guard refused to restrict (no notice, no consent, outside hours …), or the device refused the command."""

    device_id: UUID | None
    level: str
    reason: str
