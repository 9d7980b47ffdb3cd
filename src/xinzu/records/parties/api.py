"""The front door of parties for other modules.

people = await parties.register_people(uow, [PersonDraft(...)])
await parties.require_consent(uow, [party_id], ConsentPurpose.DECISION)
await parties.send_messages(uow, [MessageDraft(party_id=…, subject_id=…, template=MessageTemplate.PAYMENT_REMINDER, variables={…})])
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.platform.uow import ReadSession
from xinzu.records.parties.commands.consents import (
    Withdrawn,
    parties_without_consent,
    record_consents,
    require_consent,
    withdraw_consents,
)
from xinzu.records.parties.commands.messages import (
    JOB_MESSAGES_MAX,
    Outgoing,
    begin_sending,
    message_contents,
    messages_of,
    record_callback,
    send_messages,
    settle_messages,
)
from xinzu.records.parties.commands.people import (
    PHONE,
    ages_on,
    change_phone,
    find_people,
    masked_person,
    open_people,
    open_recipients,
    register_people,
    set_delivery_addresses,
)
from xinzu.records.parties.errors import ConsentMissing, PartyUnknown
from xinzu.records.parties.model import (
    Consent,
    ConsentDraft,
    ConsentPurpose,
    DeliveryAddress,
    DisclosurePurpose,
    MaskedPerson,
    Message,
    MessageContent,
    MessageDraft,
    MessageState,
    MessageTemplate,
    OpenPerson,
    PersonDraft,
    Recipient,
)
from xinzu.records.parties.store import messages as _messages
from xinzu.records.parties.store import people as _people
from xinzu.records.parties.store.messages import Settlement

__all__ = [
    "JOB_MESSAGES_MAX",
    "Consent",
    "ConsentDraft",
    "ConsentMissing",
    "ConsentPurpose",
    "DeliveryAddress",
    "DisclosurePurpose",
    "MaskedPerson",
    "Message",
    "MessageContent",
    "MessageDraft",
    "MessageState",
    "MessageTemplate",
    "OpenPerson",
    "Outgoing",
    "PartyUnknown",
    "PersonDraft",
    "Recipient",
    "Settlement",
    "Withdrawn",
    "ages_on",
    "begin_sending",
    "blind_phone",
    "blind_phones",
    "change_phone",
    "consents_of",
    "due_messages",
    "find_people",
    "masked_people",
    "masked_person",
    "message_contents",
    "messages_of",
    "open_people",
    "open_recipients",
    "parties_without_consent",
    "record_callback",
    "record_consents",
    "register_people",
    "require_consent",
    "send_messages",
    "set_delivery_addresses",
    "settle_messages",
    "tenant_slug",
    "withdraw_consents",
]


async def masked_people(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, MaskedPerson]:
    """People as others may see them; unknown ids are left out."""
    return await _people.masked_people(read, party_ids)


async def blind_phones(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, tuple[str, Instant]]:
    """By party the keyed digest of the phone on file, by which equal phones of this tenant are found and nothing else, and when the person
    was registered. Unknown ids are left out."""
    return {party_id: (blind.hex(), at) for party_id, (blind, at) in (await _people.blind_phones(read, party_ids)).items()}


def blind_phone(read: ReadSession, phone: str) -> str:
    """What ``blind_phones`` gives for a person with this phone, which must be normalised."""
    return read.vault.blind(PHONE, phone).hex()


async def consents_of(read: ReadSession, party_id: UUID) -> list[Consent]:
    """A person's consents, oldest first, withdrawn ones too."""
    return await _people.consents_of(read, party_id)


async def due_messages(read: ReadSession, limit: int) -> list[UUID]:
    """Messages that could be sent now or whose outcome is unknown, oldest first."""
    return await _messages.due(read, limit)


async def tenant_slug(read: ReadSession) -> str:
    """The tenant's short name, as it stands in callback addresses."""
    return await _messages.tenant_slug(read)
