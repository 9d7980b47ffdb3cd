"""What happened to people and to the messages sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import Instant


@event("xinzu.parties.consent.withdrawn.v1")
@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawn(Event):
    """A person took back a consent (PIPL art. 15). Subject: the party."""

    purpose: str


@event("xinzu.parties.message.delivered.v1")
@dataclass(frozen=True, kw_only=True)
class MessageDelivered(Event):
    """The carrier reported a message as delivered to the handset. Subject: the agreement or application it concerns."""

    message_id: UUID
    party_id: UUID
    template: str
    delivered_at: Instant


@event("xinzu.parties.message.failed.v1")
@dataclass(frozen=True, kw_only=True)
class MessageFailed(Event):
    """The message could not be delivered. Subject: the agreement or application it concerns."""

    message_id: UUID
    party_id: UUID
    template: str
    reason: str
