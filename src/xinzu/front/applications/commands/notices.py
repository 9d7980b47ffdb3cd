"""Delivered messages as evidence: that a notice reached the customer, and what it said, by salted digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties


@dataclass(frozen=True, slots=True)
class DeliveredMessage:
    """A message the carrier reported as delivered, about a subject (an agreement or application)."""

    message_id: UUID
    subject_id: UUID
    party_id: UUID
    template: str
    delivered_at: Instant


async def record_deliveries(uow: UnitOfWork, delivered: Sequence[DeliveredMessage]) -> None:
    """Append one leaf per message. Here and not in parties, because the books of record do not know one another."""
    contents = await parties.message_contents(uow, [message.message_id for message in delivered])
    leaves = []
    for message in delivered:
        content = contents.get(message.message_id)
        if content is None:
            continue  # erased since: without content there is nothing to prove
        leaves.append(
            evidence.Leaf(
                "parties.message.delivered",
                message.subject_id,
                {
                    "message_id": public_id(Prefix.MESSAGE, message.message_id),
                    "party_id": public_id(Prefix.PARTY, message.party_id),
                    "template": message.template,
                    "delivered_at": message.delivered_at.isoformat(),
                    "text_digest": evidence.salted_digest(content.salt, content.text),
                    "to_digest": evidence.salted_digest(content.salt, content.to),
                },
            )
        )
    evidence.append(uow, leaves)
