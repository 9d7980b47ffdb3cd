"""What a carrier of short messages must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from xinzu.platform.providers import ProviderResult
from xinzu.records.parties.commands.messages import Outgoing


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier has the message. ``status`` is accepted, delivered or undelivered (a repetition tells the latest)."""

    message_id: str
    status: str


class SmsCarrier(Protocol):
    """Sends a message once per reference: repeating the same content under its reference is a query, never a second message."""

    async def send(self, message: Outgoing, callback_url: str) -> ProviderResult[Accepted]: ...
