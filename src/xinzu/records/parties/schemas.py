"""Parties as they go over HTTP. Personal values are masked, always."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.platform.http.fields import ProviderText
from xinzu.records.parties.model import Consent, MaskedPerson, Message


class ConsentView(msgspec.Struct, kw_only=True):
    """A consent; in force while ``withdrawn_at`` is null."""

    id: str
    purpose: str
    text_version: str
    channel: str
    given_at: Instant
    withdrawn_at: Instant | None


class PersonView(msgspec.Struct, kw_only=True):
    """A person, masked."""

    id: str
    name: str
    identity_no: str
    phone: str
    address: str | None
    registered_at: Instant


class PartyView(msgspec.Struct, kw_only=True):
    """A person, masked, and what they consented to, oldest first."""

    id: str
    name: str
    identity_no: str
    phone: str
    address: str | None
    registered_at: Instant
    consents: list[ConsentView]


class PeopleFound(msgspec.Struct, kw_only=True):
    """People on file under the value that was asked for."""

    items: list[PersonView]


class PartySearch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of the two. In the body, because an address is written into logs on its way."""

    phone: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    identity_no: Annotated[str, Meta(min_length=1, max_length=32)] | None = None


class PhoneChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The new phone of a person whose identity the caller has verified."""

    phone: Annotated[str, Meta(min_length=1, max_length=32)]


class MessageView(msgspec.Struct, kw_only=True):
    """A message. ``text`` is null for a one-time code; ``not_before`` is set when it waits for the permitted hours."""

    id: str
    party_id: str
    template: str
    state: str
    to: str
    text: str | None
    created_at: Instant
    not_before: Instant | None
    sent_at: Instant | None
    delivered_at: Instant | None
    failure_reason: str | None


class MessagePage(msgspec.Struct, kw_only=True):
    """Messages about a subject, newest first."""

    items: list[MessageView]
    next_cursor: str | None


class SmsReport(msgspec.Struct, kw_only=True):
    """A carrier's callback under the signed contract. Members it adds later are ignored."""

    event_id: ProviderText
    message_id: ProviderText
    reference: Annotated[str, Meta(min_length=1, max_length=64)]
    status: Annotated[str, Meta(pattern=r"^(delivered|undelivered)$(?!\n)")]
    occurred_at: Annotated[Instant, Meta(tz=True)]
    code: ProviderText | None = None


class CallbackAccepted(msgspec.Struct, kw_only=True):
    """The report was recorded."""

    accepted: bool


def person_view(person: MaskedPerson) -> PersonView:
    return PersonView(
        id=public_id(Prefix.PARTY, person.id),
        name=person.name,
        identity_no=person.identity_no,
        phone=person.phone,
        address=person.address,
        registered_at=person.registered_at,
    )


def party_view(person: MaskedPerson, consents: list[Consent]) -> PartyView:
    return PartyView(
        **msgspec.structs.asdict(person_view(person)),
        consents=[
            ConsentView(
                id=public_id(Prefix.CONSENT, consent.id),
                purpose=consent.purpose,
                text_version=consent.text_version,
                channel=consent.channel,
                given_at=consent.given_at,
                withdrawn_at=consent.withdrawn_at,
            )
            for consent in consents
        ],
    )


def message_view(message: Message) -> MessageView:
    return MessageView(
        id=public_id(Prefix.MESSAGE, message.id),
        party_id=public_id(Prefix.PARTY, message.party_id),
        template=message.template,
        state=message.state,
        to=message.to,
        text=message.text,
        created_at=message.created_at,
        not_before=message.not_before,
        sent_at=message.sent_at,
        delivered_at=message.delivered_at,
        failure_reason=message.failure_reason,
    )
