"""Commands, what became of them, and the keys that sign them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.devices.model import (
    COMMAND_MOVES,
    Command,
    CommandRecord,
    CommandState,
    Level,
)
from xinzu.kernel.time import Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

CHANNEL = "xinzu_device_command"

_CLAIM = """
UPDATE devices_command c
SET state = CASE WHEN c.state = 'created' THEN 'sent' ELSE c.state END,
    send_count = c.send_count + 1,
    next_send_at = statement_timestamp() + least(interval '5 minutes', interval '2 seconds' * power(2, least(c.send_count, 10)))
FROM (
    SELECT id FROM devices_command
    WHERE tenant_id = :tenant AND state IN ('created', 'sent', 'accepted') AND next_send_at <= statement_timestamp() AND expires_at > :now
    ORDER BY next_send_at LIMIT :limit FOR UPDATE SKIP LOCKED
) due
WHERE c.tenant_id = :tenant AND c.id = due.id
RETURNING c.id, c.device_id, c.level, c.counter, c.body, c.key_number, c.signature, c.send_count
"""

_GAPS = """
SELECT s.device_id, s.desired_level, b.agreement_id,
       (SELECT c.legal_basis FROM devices_command c
        WHERE c.tenant_id = s.tenant_id AND c.device_id = s.device_id AND c.counter = s.desired_counter) AS legal_basis,
       EXISTS (SELECT FROM devices_hold h
               WHERE h.tenant_id = b.tenant_id AND h.agreement_id = b.agreement_id AND h.lifted_at IS NULL) AS is_held
FROM devices_shadow s
JOIN devices_device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id AND d.retired_at IS NULL
LEFT JOIN devices_binding b ON b.tenant_id = d.tenant_id AND b.asset_id = d.asset_id AND b.released_at IS NULL
WHERE s.tenant_id = :tenant AND s.desired_level <> coalesce(s.reported_level, 'free')
  AND (cast(:ids AS uuid[]) IS NULL OR s.device_id = ANY(cast(:ids AS uuid[])))
  AND NOT EXISTS (
      SELECT FROM devices_command c WHERE c.tenant_id = s.tenant_id AND c.device_id = s.device_id
      AND (c.state IN ('created', 'sent', 'accepted') OR (c.counter = s.desired_counter AND c.state = 'refused' AND c.issued_at > :quiet_since)))
ORDER BY s.device_id LIMIT :limit FOR UPDATE OF s SKIP LOCKED
"""

_SETTLE_WHERE = """
UPDATE devices_command c SET state = r.state, refusal = nullif(r.reason, '')
FROM unnest(cast(:ids AS uuid[]), cast(:devices AS uuid[]), cast(:states AS text[]), cast(:reasons AS text[]))
     AS r(id, device_id, state, reason)
WHERE c.tenant_id = :tenant AND c.id = r.id AND c.device_id = r.device_id AND ({allowed})
RETURNING c.id, c.device_id, c.agreement_id, c.level, c.counter, c.state, c.refusal
"""


def _settle_sql() -> str:
    """The transition table as a condition, so that a late or repeated report never moves a command back."""
    allowed = " OR ".join(
        f"(r.state = '{state}' AND c.state IN ({', '.join(repr(str(source)) for source in COMMAND_MOVES.sources(state))}))"
        for state in (CommandState.ACCEPTED, CommandState.APPLIED, CommandState.REFUSED)
    )
    return _SETTLE_WHERE.format(allowed=allowed)


_SETTLE = _settle_sql()


@dataclass(frozen=True, slots=True)
class NewCommand:
    """A command about to be written."""

    command: Command
    agreement_id: UUID | None
    legal_basis: str
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Signer:
    """A key of the tenant as it is stored."""

    number: int
    public_key: bytes
    private_key_sealed: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What a believed report changes on a shadow."""

    device_id: UUID
    level: Level
    counter: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What a device did with a command, in its own signed words."""

    command_id: UUID
    device_id: UUID
    state: CommandState
    reason: str
    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """A device whose reported level is not the desired one, with no command under way."""

    device_id: UUID
    level: Level
    agreement_id: UUID | None
    legal_basis: str
    is_held: bool


# --- commands ----------------------------------------------------------------------------------------------------------


async def supersede(uow: UnitOfWork, device_ids: Sequence[UUID]) -> None:
    """Whatever is under way to these devices counts no more."""
    rows = await uow.rows(
        "UPDATE devices_command SET state = 'superseded' WHERE tenant_id = :tenant"
        " AND device_id = ANY(cast(:ids AS uuid[])) AND state IN ('created', 'sent', 'accepted') RETURNING id",
        ids=list(device_ids),
    )
    await _insert_steps(uow, [row.id for row in rows], CommandState.SUPERSEDED)


async def insert_commands(uow: UnitOfWork, new: Sequence[NewCommand]) -> None:
    """Write commands, make them the desired state, and wake the gateway when this transaction commits."""
    await uow.execute(
        "INSERT INTO devices_command (tenant_id, id, device_id, agreement_id, level, counter, body, key_number, signature,"
        " legal_basis, state, issued_at, expires_at, next_send_at)"
        " SELECT :tenant, c.id, c.device_id, c.agreement_id, c.level, c.counter, c.body, c.key_number, c.signature,"
        " c.legal_basis, 'created', :now, c.expires_at, statement_timestamp()"
        " FROM unnest(cast(:ids AS uuid[]), cast(:devices AS uuid[]), cast(:agreements AS uuid[]), cast(:levels AS text[]),"
        " cast(:counters AS bigint[]), cast(:bodies AS bytea[]), cast(:keys AS smallint[]), cast(:signatures AS bytea[]),"
        " cast(:bases AS text[]), cast(:expiries AS timestamptz[]))"
        " AS c(id, device_id, agreement_id, level, counter, body, key_number, signature, legal_basis, expires_at)",
        now=uow.now,
        ids=[item.command.id for item in new],
        devices=[item.command.device_id for item in new],
        agreements=[item.agreement_id for item in new],
        levels=[str(item.command.level) for item in new],
        counters=[item.command.counter for item in new],
        bodies=[item.command.body for item in new],
        keys=[item.command.key_number for item in new],
        signatures=[item.command.signature for item in new],
        bases=[item.legal_basis for item in new],
        expiries=[item.expires_at for item in new],
    )
    await _insert_steps(uow, [item.command.id for item in new], CommandState.CREATED)
    await uow.execute(
        "UPDATE devices_shadow s SET desired_level = c.level, desired_counter = c.counter"
        " FROM unnest(cast(:devices AS uuid[]), cast(:levels AS text[]), cast(:counters AS bigint[]))"
        " AS c(device_id, level, counter) WHERE s.tenant_id = :tenant AND s.device_id = c.device_id",
        devices=[item.command.device_id for item in new],
        levels=[str(item.command.level) for item in new],
        counters=[item.command.counter for item in new],
    )
    await wake_gateway(uow)


async def wake_gateway(uow: UnitOfWork) -> None:
    """Tell the gateway, at the commit, that this tenant has something to send."""
    await uow.execute("SELECT pg_notify(:channel, :tenant_text)", channel=CHANNEL, tenant_text=str(uow.tenant_id))


async def claim_due(uow: UnitOfWork, limit: int) -> list[Command]:
    """Commands to send now. The next try is already noted, with growing waits, so a crash after this loses nothing."""
    rows = await uow.rows(_CLAIM, now=uow.now, limit=limit)
    await _insert_steps(uow, [row.id for row in rows if row.send_count == 1], CommandState.SENT)
    return [
        Command(
            id=row.id,
            device_id=row.device_id,
            level=Level(row.level),
            counter=row.counter,
            body=bytes(row.body),
            key_number=row.key_number,
            signature=bytes(row.signature),
        )
        for row in rows
    ]


async def expire(uow: UnitOfWork) -> int:
    """Close commands whose time ran out; returns how many."""
    rows = await uow.rows(
        "UPDATE devices_command SET state = 'expired'"
        " WHERE tenant_id = :tenant AND state IN ('created', 'sent', 'accepted') AND expires_at <= :now RETURNING id",
        now=uow.now,
    )
    await _insert_steps(uow, [row.id for row in rows], CommandState.EXPIRED)
    return len(rows)


async def gaps(uow: UnitOfWork, device_ids: Sequence[UUID] | None, quiet_since: Instant, limit: int) -> list[Gap]:
    """Devices that are not where they should be and to which nothing is under way; their shadows are locked.

    A device that refused its command after ``quiet_since`` is left alone for a while.
    """
    rows = await uow.rows(_GAPS, ids=None if device_ids is None else list(device_ids), quiet_since=quiet_since, limit=limit)
    return [
        Gap(row.device_id, Level(row.desired_level), row.agreement_id, row.legal_basis or "", bool(row.is_held)) for row in rows
    ]


async def send_again(uow: UnitOfWork, device_ids: Sequence[UUID]) -> int:
    """These devices just showed up: what is under way to them is due now. Returns how many commands that is."""
    return await uow.execute(
        "UPDATE devices_command SET next_send_at = statement_timestamp() WHERE tenant_id = :tenant"
        " AND device_id = ANY(cast(:ids AS uuid[])) AND state IN ('created', 'sent', 'accepted')",
        ids=list(device_ids),
    )


async def settle(uow: UnitOfWork, settled: Sequence[Settled]) -> Sequence[Row]:
    """Write what devices did, where the transition table allows it; returns the commands that moved."""
    rows = await uow.rows(
        _SETTLE,
        ids=[item.command_id for item in settled],
        devices=[item.device_id for item in settled],
        states=[str(item.state) for item in settled],
        reasons=[item.reason for item in settled],
    )
    moved = {(row.id, row.state) for row in rows}
    written = [item for item in settled if (item.command_id, str(item.state)) in moved]
    if written:
        await uow.execute(
            "INSERT INTO devices_command_step (tenant_id, command_id, state, at, report_body, report_signature)"
            " SELECT :tenant, s.id, s.state, :now, s.body, s.signature"
            " FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:bodies AS bytea[]), cast(:signatures AS bytea[]))"
            " AS s(id, state, body, signature) ON CONFLICT (tenant_id, command_id, state) DO NOTHING",
            now=uow.now,
            ids=[item.command_id for item in written],
            states=[str(item.state) for item in written],
            bodies=[item.body for item in written],
            signatures=[item.signature for item in written],
        )
    return rows


async def note_seen(uow: UnitOfWork, seen: Sequence[Seen]) -> None:
    """What devices say of themselves."""
    await uow.execute(
        "UPDATE devices_shadow s SET reported_level = r.level, reported_counter = r.counter, sequence = r.sequence,"
        " reported_at = :now, last_seen_at = :now"
        " FROM unnest(cast(:devices AS uuid[]), cast(:levels AS text[]), cast(:counters AS bigint[]), cast(:sequences AS bigint[]))"
        " AS r(device_id, level, counter, sequence) WHERE s.tenant_id = :tenant AND s.device_id = r.device_id",
        now=uow.now,
        devices=[item.device_id for item in seen],
        levels=[str(item.level) for item in seen],
        counters=[item.counter for item in seen],
        sequences=[item.sequence for item in seen],
    )


async def commands_of(read: ReadSession, device_id: UUID, limit: int) -> list[CommandRecord]:
    """A device's newest commands with every state they reached."""
    rows = await read.rows(
        "SELECT c.id, c.level, c.counter, c.state, c.legal_basis, c.issued_at, c.expires_at, c.send_count, c.refusal,"
        " (SELECT array_agg(s.state ORDER BY s.at, s.state) FROM devices_command_step s"
        "  WHERE s.tenant_id = c.tenant_id AND s.command_id = c.id) AS states,"
        " (SELECT array_agg(s.at ORDER BY s.at, s.state) FROM devices_command_step s"
        "  WHERE s.tenant_id = c.tenant_id AND s.command_id = c.id) AS ats"
        " FROM devices_command c WHERE c.tenant_id = :tenant AND c.device_id = :id ORDER BY c.counter DESC LIMIT :limit",
        id=device_id,
        limit=limit,
    )
    return [
        CommandRecord(
            id=row.id,
            level=Level(row.level),
            counter=row.counter,
            state=CommandState(row.state),
            legal_basis=row.legal_basis,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            send_count=row.send_count,
            refusal=row.refusal,
            steps=tuple(zip(row.states or (), row.ats or (), strict=True)),
        )
        for row in rows
    ]


async def count_under_way(read: ReadSession) -> int:
    """Commands made or sent that no device has answered and whose time has not run out."""
    return int(
        await read.scalar(
            "SELECT count(*) FROM devices_command WHERE tenant_id = :tenant AND state IN ('created', 'sent') AND expires_at > :now",
            now=read.now,
        )
    )


async def _insert_steps(uow: UnitOfWork, command_ids: Sequence[UUID], state: CommandState) -> None:
    if command_ids:
        await uow.execute(
            "INSERT INTO devices_command_step (tenant_id, command_id, state, at)"
            " SELECT :tenant, s.id, :state, :now FROM unnest(cast(:ids AS uuid[])) AS s(id)"
            " ON CONFLICT (tenant_id, command_id, state) DO NOTHING",
            ids=list(command_ids),
            state=str(state),
            now=uow.now,
        )


# --- keys --------------------------------------------------------------------------------------------------------------


async def signers(read: ReadSession) -> list[Signer]:
    """The tenant's keys, the one that signs first."""
    rows = await read.rows(
        "SELECT number, public_key, private_key_sealed FROM devices_signer WHERE tenant_id = :tenant ORDER BY number"
    )
    return [Signer(row.number, bytes(row.public_key), bytes(row.private_key_sealed)) for row in rows]


async def insert_signers(uow: UnitOfWork, made: Sequence[Signer]) -> None:
    """Keep the tenant's first keys; those another transaction made first stay."""
    await uow.execute(
        "INSERT INTO devices_signer (tenant_id, number, public_key, private_key_sealed, created_at)"
        " SELECT :tenant, k.number, k.public_key, k.sealed, :now"
        " FROM unnest(cast(:numbers AS smallint[]), cast(:publics AS bytea[]), cast(:sealed AS bytea[]))"
        " AS k(number, public_key, sealed) ON CONFLICT (tenant_id, number) DO NOTHING",
        now=uow.now,
        numbers=[item.number for item in made],
        publics=[item.public_key for item in made],
        sealed=[item.private_key_sealed for item in made],
    )
