"""Messages: asked for in the transaction of what they tell, sent by a job, settled by the carrier's answer or callback."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from xinzu.kernel.ids import new_id
from xinzu.kernel.time import Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.parties.commands.people import PHONE
from xinzu.records.parties.errors import CallbackReplayed, MessageUnknown, PartyUnknown
from xinzu.records.parties.events import MessageDelivered, MessageFailed
from xinzu.records.parties.model import Message, MessageContent, MessageDraft, MessageState, MessageTemplate
from xinzu.records.parties.rules.send_hours import may_address_debtor, next_opening
from xinzu.records.parties.rules.templates import is_collection, render
from xinzu.records.parties.store import messages as store
from xinzu.records.parties.store import people
from xinzu.records.parties.store.messages import Settlement

BODY = "parties_message.body"
SEND_JOB = "parties.send_messages"
JOB_MESSAGES_MAX = 50
SALT_BYTES = 16


class _Body(msgspec.Struct):
    """What is sealed of a message. The salt is for the digest that stands as evidence: deleting the row erases both."""

    to: str
    text: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to hand to the carrier. The same content under the same id in every repetition."""

    id: UUID
    to: str = field(repr=False)
    template: str
    text: str = field(repr=False)
    requested_at: Instant


async def send_messages(uow: UnitOfWork, drafts: Sequence[MessageDraft]) -> list[UUID]:
    """Queue messages with the change they tell of; the job sends them after the commit. Returns their ids in order.

    One that asks for money or threatens a consequence waits for the hours in which a debtor may be addressed. Raises PartyUnknown
    for an unknown person and ValueError when the variables are not the template's (a defect of the caller).
    """
    if not drafts:
        return []
    sealed = {row.id: row for row in await people.sealed_people(uow, list({draft.party_id for draft in drafts}))}
    sender = await store.sender_name(uow)
    opening = next_opening(uow.now, uow.calendar.zone)
    rows = []
    for draft in drafts:
        person = sealed.get(draft.party_id)
        if person is None:
            raise PartyUnknown()
        message_id = new_id()
        to = uow.vault.open_text(f"{PHONE}:{person.id}", bytes(person.phone_sealed))
        body = _Body(to, render(draft.template, draft.variables, sender), os.urandom(SALT_BYTES))
        rows.append(
            store.NewMessage(
                id=message_id,
                party_id=draft.party_id,
                subject_id=draft.subject_id,
                template=draft.template,
                to_masked=person.phone_masked,
                body_sealed=uow.vault.seal(f"{BODY}:{message_id}", msgspec.json.encode(body)),
                not_before=opening if is_collection(draft.template) and opening > uow.now else None,
                expires_at=draft.expires_at,
            )
        )
    await store.insert_messages(uow, rows)
    ask_to_send(uow, [row.id for row in rows if row.not_before is None])
    return [row.id for row in rows]


def ask_to_send(uow: UnitOfWork, message_ids: Sequence[UUID]) -> None:
    """Enqueue the sending of messages, a bounded number per job."""
    for start in range(0, len(message_ids), JOB_MESSAGES_MAX):
        chunk = message_ids[start : start + JOB_MESSAGES_MAX]
        uow.enqueue(SEND_JOB, {"message_ids": [str(message_id) for message_id in chunk]})


async def begin_sending(uow: UnitOfWork, message_ids: Sequence[UUID]) -> list[Outgoing]:
    """Record the intent: expired ones fail, those due become ``unknown`` until ``settle_messages`` says more.

    The hours are looked at again here: a message of the evening whose carrier was away does not go out at night.
    """
    for row in await store.expire(uow, message_ids):
        _emit(uow, row, MessageState.FAILED, "expired", None)
    found = []
    held = [] if may_address_debtor(uow.now, uow.calendar.zone) else [one for one in MessageTemplate if is_collection(one)]
    for row in await store.claim(uow, message_ids, held):
        body = _opened(uow, row)
        found.append(Outgoing(row.id, body.to, row.template, body.text, row.attempted_at))
    return found


async def settle_messages(uow: UnitOfWork, settlements: Sequence[Settlement]) -> int:
    """Write what became of messages and say it; a report that comes too late to matter changes nothing. Returns how many moved."""
    moved = await store.settle(uow, settlements) if settlements else ()
    for row in moved:
        _emit(uow, row, MessageState(row.state), row.failure_reason, row.delivered_at)
    return len(moved)


async def record_callback(uow: UnitOfWork, key_id: str, nonce: str, settlement: Settlement) -> None:
    """A carrier's signed report. Raises CallbackReplayed for a nonce seen before, MessageUnknown for a message never sent."""
    if not await store.note_callback(uow, key_id, nonce):
        raise CallbackReplayed()
    row = await store.attempted_at(uow, settlement.id)
    if row is None or row.attempted_at is None:
        raise MessageUnknown()
    if settlement.delivered_at is not None:
        # The carrier's clock may be off: delivery is neither before the sending nor after now.
        bounded = min(max(settlement.delivered_at, row.attempted_at), max(uow.now, row.attempted_at))
        settlement = Settlement(settlement.id, settlement.state, settlement.provider_message_id, settlement.reason, bounded)
    await settle_messages(uow, [settlement])


def _emit(uow: UnitOfWork, row: Row, state: MessageState, reason: str | None, delivered_at: Instant | None) -> None:
    if state is MessageState.DELIVERED and delivered_at is not None:
        uow.emit(
            MessageDelivered(
                subject_id=row.subject_id,
                message_id=row.id,
                party_id=row.party_id,
                template=row.template,
                delivered_at=delivered_at,
            )
        )
    elif state is MessageState.FAILED:
        uow.emit(
            MessageFailed(
                subject_id=row.subject_id,
                message_id=row.id,
                party_id=row.party_id,
                template=row.template,
                reason=reason or "unspecified",
            )
        )


async def messages_of(read: ReadSession, subject_id: UUID, *, before: UUID | None = None, limit: int) -> list[Message]:
    """A subject's messages, newest first. The text of a one-time code is not shown."""
    return [_shown(read, row) for row in await store.messages_of(read, subject_id, before, limit)]


async def message_contents(read: ReadSession, message_ids: Sequence[UUID]) -> dict[UUID, MessageContent]:
    """What messages said and to which phone, in clear, with the salt of their digests: for evidence and court bundles."""
    contents = {}
    for row in await store.messages_by_id(read, message_ids):
        body = _opened(read, row)
        contents[row.id] = MessageContent(text=body.text, to=body.to, salt=body.salt)
    return contents


def _shown(read: ReadSession, row: Row) -> Message:
    hidden = row.template == MessageTemplate.ONE_TIME_CODE
    return Message(
        id=row.id,
        party_id=row.party_id,
        subject_id=row.subject_id,
        template=row.template,
        state=row.state,
        to=row.to_masked,
        text=None if hidden else _opened(read, row).text,
        created_at=row.created_at,
        not_before=row.not_before,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        failure_reason=row.failure_reason,
    )


def _opened(read: ReadSession, row: Row) -> _Body:
    return msgspec.json.decode(read.vault.open(f"{BODY}:{row.id}", bytes(row.body_sealed)), type=_Body)
