"""SQL of messages and of the callbacks that tell what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.parties.model import MESSAGE_MOVES, MessageState

_INSERT = """
INSERT INTO parties_message (
    tenant_id, id, party_id, subject_id, template, state, to_masked, body_sealed, created_at, not_before, expires_at)
SELECT :tenant, m.id, m.party_id, m.subject_id, m.template, 'queued', m.to_masked, m.body_sealed, :now, m.not_before, m.expires_at
FROM unnest(cast(:ids AS uuid[]), cast(:parties AS uuid[]), cast(:subjects AS uuid[]), cast(:templates AS text[]),
            cast(:tos AS text[]), cast(:bodies AS bytea[]), cast(:not_befores AS timestamptz[]), cast(:expiries AS timestamptz[]))
     AS m(id, party_id, subject_id, template, to_masked, body_sealed, not_before, expires_at)
"""

_EXPIRE = """
UPDATE parties_message SET state = 'failed', failure_reason = 'expired'
WHERE tenant_id = :tenant AND state = 'queued' AND expires_at <= :now AND id = ANY(cast(:ids AS uuid[]))
RETURNING id, party_id, subject_id, template
"""

# The intent: from here on the message may have been sent. The first attempt's instant is the sender's time in every repetition.
_CLAIM = """
WITH due AS (
    SELECT tenant_id, id FROM parties_message
    WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND (not_before IS NULL OR not_before <= :now)
      AND state IN ('queued', 'unknown') AND template <> ALL(cast(:held AS text[]))
    ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE parties_message m
SET state = 'unknown', attempts = m.attempts + 1, attempted_at = coalesce(m.attempted_at, :now)
FROM due WHERE m.tenant_id = due.tenant_id AND m.id = due.id
RETURNING m.id, m.template, m.body_sealed, m.attempted_at
"""

_DUE = """
SELECT id FROM parties_message
WHERE tenant_id = :tenant AND state IN ('queued', 'unknown') AND (not_before IS NULL OR not_before <= :now)
ORDER BY id LIMIT :limit
"""

_SETTLE = """
UPDATE parties_message m
SET state = s.state,
    provider_message_id = coalesce(s.provider_message_id, m.provider_message_id),
    failure_reason = s.reason,
    sent_at = CASE WHEN s.state IN ('sent', 'delivered') THEN coalesce(m.sent_at, m.attempted_at) ELSE m.sent_at END,
    delivered_at = s.delivered_at
FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:provider_ids AS text[]), cast(:reasons AS text[]),
            cast(:delivered_ats AS timestamptz[])) AS s(id, state, provider_message_id, reason, delivered_at)
WHERE m.tenant_id = :tenant AND m.id = s.id AND {allowed}
RETURNING m.id, m.party_id, m.subject_id, m.template, m.state, m.failure_reason, m.delivered_at
"""

_SHOWN = """
SELECT id, party_id, subject_id, template, state, to_masked, body_sealed, created_at, not_before, sent_at, delivered_at, failure_reason
FROM parties_message WHERE tenant_id = :tenant
"""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message's row before it is written."""

    id: UUID
    party_id: UUID
    subject_id: UUID
    template: str
    to_masked: str
    body_sealed: bytes
    not_before: Instant | None
    expires_at: Instant | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a message: its next state and what is known with it."""

    id: UUID
    state: MessageState
    provider_message_id: str | None = None
    reason: str | None = None
    delivered_at: Instant | None = None


def _allowed() -> str:
    """The transition table as a condition, so that a late report never moves a message back."""
    pairs = (
        f"(s.state = '{target}' AND m.state IN ({', '.join(repr(str(source)) for source in MESSAGE_MOVES.sources(target))}))"
        for target in MessageState
        if target is not MessageState.UNKNOWN
    )
    return f"({' OR '.join(pairs)})"


_SETTLE_SQL = _SETTLE.format(allowed=_allowed())


async def sender_name(read: ReadSession) -> str:
    """The merchant's name, with which messages are signed."""
    return str(await read.scalar("SELECT name FROM platform_tenant WHERE id = :tenant"))


async def tenant_slug(read: ReadSession) -> str:
    return str(await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant"))


async def insert_messages(uow: UnitOfWork, messages: Sequence[NewMessage]) -> None:
    await uow.execute(
        _INSERT,
        now=uow.now,
        ids=[m.id for m in messages],
        parties=[m.party_id for m in messages],
        subjects=[m.subject_id for m in messages],
        templates=[m.template for m in messages],
        tos=[m.to_masked for m in messages],
        bodies=[m.body_sealed for m in messages],
        not_befores=[m.not_before for m in messages],
        expiries=[m.expires_at for m in messages],
    )


async def expire(uow: UnitOfWork, ids: Sequence[UUID]) -> Sequence[Row]:
    return await uow.rows(_EXPIRE, ids=list(ids), now=uow.now)


async def claim(uow: UnitOfWork, ids: Sequence[UUID], held: Sequence[str]) -> Sequence[Row]:
    """Take messages that are due, not settled and not of the held templates; another sender's are skipped."""
    return await uow.rows(_CLAIM, ids=list(ids), now=uow.now, held=list(held))


async def due(read: ReadSession, limit: int) -> list[UUID]:
    return [row.id for row in await read.rows(_DUE, now=read.now, limit=limit)]


async def settle(uow: UnitOfWork, settlements: Sequence[Settlement]) -> Sequence[Row]:
    """Write outcomes; one that the transition table does not allow from the present state is left out."""
    return await uow.rows(
        _SETTLE_SQL,
        ids=[s.id for s in settlements],
        states=[s.state for s in settlements],
        provider_ids=[s.provider_message_id for s in settlements],
        reasons=[s.reason for s in settlements],
        delivered_ats=[s.delivered_at for s in settlements],
    )


async def messages_by_id(read: ReadSession, ids: Sequence[UUID]) -> Sequence[Row]:
    return await read.rows(f"{_SHOWN} AND id = ANY(cast(:ids AS uuid[]))", ids=list(ids))


async def messages_of(read: ReadSession, subject_id: UUID, before: UUID | None, limit: int) -> Sequence[Row]:
    """A subject's messages, newest first."""
    return await read.rows(
        f"{_SHOWN} AND subject_id = :subject AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        subject=subject_id,
        before=before,
        limit=limit,
    )


async def attempted_at(read: ReadSession, message_id: UUID) -> Row | None:
    return await read.row("SELECT state, attempted_at FROM parties_message WHERE tenant_id = :tenant AND id = :id", id=message_id)


async def note_callback(uow: UnitOfWork, key_id: str, nonce: str) -> bool:
    """Remember a nonce; False when it was seen before. Those no signature can be fresh under any more are dropped.

    The wall clock's statement_timestamp() on purpose: freshness of signatures is not business time.
    """
    await uow.execute(
        "DELETE FROM parties_callback WHERE tenant_id = :tenant AND received_at < statement_timestamp() - interval '15 minutes'"
    )
    return (
        await uow.execute(
            "INSERT INTO parties_callback (tenant_id, key_id, nonce, received_at)"
            " VALUES (:tenant, :key_id, :nonce, statement_timestamp()) ON CONFLICT (tenant_id, key_id, nonce) DO NOTHING",
            key_id=key_id,
            nonce=nonce,
        )
        == 1
    )
