"""Pre-authorisations and channel accounts in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from xinzu.back.payments.model import Mandate, MandateState, Provider
from xinzu.kernel.time import Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_COLUMNS = (
    "m.id, m.agreement_id, m.party_id, m.provider, m.title, m.out_order_no, m.out_request_no, m.order_round, m.auth_no,"
    " m.authorised_fen, m.first_rent_fen, m.collected_fen, m.released_fen, m.state, m.release_due_since"
)
OPEN = "state IN ('intended', 'calling', 'unknown')"

_RESERVED = f"""
SELECT r.mandate_id, cast(sum(r.amount_fen) AS bigint) AS reserved_fen FROM (
    SELECT mandate_id, amount_fen FROM payments_payment
    WHERE tenant_id = :tenant AND mandate_id = ANY(cast(:ids AS uuid[])) AND {OPEN}
    UNION ALL
    SELECT mandate_id, amount_fen FROM payments_release
    WHERE tenant_id = :tenant AND mandate_id = ANY(cast(:ids AS uuid[])) AND {OPEN}
) AS r GROUP BY r.mandate_id
"""  # noqa: S608 (only our own constant is put in)

_INSERT = """
INSERT INTO payments_mandate (tenant_id, id, agreement_id, party_id, provider, title, out_order_no, out_request_no,
                              authorised_fen, first_rent_fen, collected_fen, released_fen, state, created_at)
SELECT :tenant, m.id, m.agreement_id, m.party_id, :provider, m.title, m.out_order_no, m.out_request_no,
       m.authorised_fen, m.first_rent_fen, 0, 0, 'intended', :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:parties AS uuid[]), cast(:titles AS text[]),
            cast(:order_nos AS text[]), cast(:request_nos AS text[]), cast(:authorised AS bigint[]), cast(:first_rents AS bigint[]))
     AS m(id, agreement_id, party_id, title, out_order_no, out_request_no, authorised_fen, first_rent_fen)
ON CONFLICT (tenant_id, agreement_id) DO NOTHING
"""

_AUTHORISE = """
UPDATE payments_mandate m
SET state = 'authorised', auth_no = a.auth_no, payer_id_sealed = a.payer, authorised_at = a.at, ended_at = NULL
FROM unnest(cast(:ids AS uuid[]), cast(:auth_nos AS text[]), cast(:payers AS bytea[]), cast(:instants AS timestamptz[]))
     AS a(id, auth_no, payer, at)
WHERE m.tenant_id = :tenant AND m.id = a.id
"""

_END = """
UPDATE payments_mandate m
SET state = e.state, ended_at = :now, released_fen = m.released_fen + e.released_fen, auth_no = coalesce(m.auth_no, e.auth_no)
FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:released AS bigint[]), cast(:auth_nos AS text[]))
     AS e(id, state, released_fen, auth_no)
WHERE m.tenant_id = :tenant AND m.id = e.id
"""

_RENUMBER = """
UPDATE payments_mandate m
SET out_order_no = n.order_no, out_request_no = n.request_no, order_round = m.order_round + 1, checked_at = NULL
FROM unnest(cast(:ids AS uuid[]), cast(:order_nos AS text[]), cast(:request_nos AS text[])) AS n(id, order_no, request_no)
WHERE m.tenant_id = :tenant AND m.id = n.id
"""


@dataclass(frozen=True, slots=True)
class ChannelAccount:
    """The merchant's account at a provider, its key opened. Never logged."""

    app_id: str
    gateway_url: str
    seller_id: str
    private_key_pem: str = field(repr=False)
    provider_public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMandate:
    """A pre-authorisation to be asked for."""

    id: UUID
    agreement_id: UUID
    party_id: UUID
    title: str
    out_order_no: str
    out_request_no: str
    authorised_fen: int
    first_rent_fen: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a mandate ends: its last state, what is released with it and, where we learn it only now, its number."""

    mandate_id: UUID
    state: MandateState
    released_fen: int = 0
    auth_no: str | None = None


async def save_account(uow: UnitOfWork, provider: Provider, account: ChannelAccount) -> None:
    """Insert or replace; the key is sealed in the row."""
    await uow.execute(
        "INSERT INTO payments_channel_account (tenant_id, provider, app_id, gateway_url, seller_id, private_key_sealed,"
        " provider_public_key, configured_at) VALUES (:tenant, :provider, :app_id, :gateway_url, :seller_id, :sealed, :public, :now)"
        " ON CONFLICT (tenant_id, provider) DO UPDATE SET app_id = excluded.app_id, gateway_url = excluded.gateway_url,"
        " seller_id = excluded.seller_id, private_key_sealed = excluded.private_key_sealed,"
        " provider_public_key = excluded.provider_public_key, configured_at = excluded.configured_at",
        provider=provider.value,
        app_id=account.app_id,
        gateway_url=account.gateway_url,
        seller_id=account.seller_id,
        sealed=uow.vault.seal_text(f"payments_channel_account.private_key:{provider}", account.private_key_pem),
        public=account.provider_public_key,
        now=uow.now,
    )


async def account_of(read: ReadSession, provider: Provider) -> tuple[str, ChannelAccount] | None:
    """The tenant's short name, which stands in the callback address, and its account at the provider."""
    row = await read.row(
        "SELECT t.slug, a.app_id, a.gateway_url, a.seller_id, a.private_key_sealed, a.provider_public_key"
        " FROM payments_channel_account a JOIN platform_tenant t ON t.id = a.tenant_id"
        " WHERE a.tenant_id = :tenant AND a.provider = :provider",
        provider=provider.value,
    )
    if row is None:
        return None
    private_pem = read.vault.open_text(f"payments_channel_account.private_key:{provider}", bytes(row.private_key_sealed))
    return row.slug, ChannelAccount(row.app_id, row.gateway_url, row.seller_id, private_pem, row.provider_public_key)


async def insert_mandates(uow: UnitOfWork, provider: Provider, mandates: Sequence[NewMandate]) -> int:
    """Insert those whose agreement has none yet."""
    return await uow.execute(
        _INSERT,
        provider=provider.value,
        now=uow.now,
        ids=[mandate.id for mandate in mandates],
        agreements=[mandate.agreement_id for mandate in mandates],
        parties=[mandate.party_id for mandate in mandates],
        titles=[mandate.title for mandate in mandates],
        order_nos=[mandate.out_order_no for mandate in mandates],
        request_nos=[mandate.out_request_no for mandate in mandates],
        authorised=[mandate.authorised_fen for mandate in mandates],
        first_rents=[mandate.first_rent_fen for mandate in mandates],
    )


async def mandate_of(read: ReadSession, agreement_id: UUID) -> Mandate | None:
    """The mandate of an agreement, unlocked."""
    rows = await read.rows(
        f"SELECT {_COLUMNS} FROM payments_mandate m WHERE m.tenant_id = :tenant AND m.agreement_id = :agreement",  # noqa: S608
        agreement=agreement_id,
    )
    found = await _with_reserves(read, rows)
    return found[0] if found else None


async def lock_by_agreement(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> dict[UUID, Mandate]:
    """The mandates of these agreements by agreement, locked in the order of their ids until the transaction ends."""
    return {
        mandate.agreement_id: mandate
        for mandate in await _lock(uow, "m.agreement_id = ANY(cast(:keys AS uuid[]))", agreement_ids)
    }


async def lock_by_id(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, Mandate]:
    """These mandates by id, locked in the order of their ids."""
    return {mandate.id: mandate for mandate in await _lock(uow, "m.id = ANY(cast(:keys AS uuid[]))", ids)}


async def lock_by_order_no(uow: UnitOfWork, order_nos: Sequence[str]) -> dict[str, Mandate]:
    """The mandates whose present order has one of these numbers, by number, locked in the order of their ids."""
    return {
        mandate.out_order_no: mandate for mandate in await _lock(uow, "m.out_order_no = ANY(cast(:keys AS text[]))", order_nos)
    }


async def lock_owners(uow: UnitOfWork, table: str, ids: Sequence[UUID]) -> dict[UUID, Mandate]:
    """The mandates that own these payments, releases or refunds, by mandate id, locked in the order of their ids."""
    where = f"m.id IN (SELECT a.mandate_id FROM {table} a WHERE a.tenant_id = :tenant AND a.id = ANY(cast(:keys AS uuid[])))"  # noqa: S608
    return {mandate.id: mandate for mandate in await _lock(uow, where, ids)}


async def _lock(uow: UnitOfWork, where: str, keys: Sequence[object]) -> list[Mandate]:
    if not keys:
        return []
    # One order for everyone who locks several: no deadlocks.
    rows = await uow.rows(
        f"SELECT {_COLUMNS} FROM payments_mandate m WHERE m.tenant_id = :tenant AND {where} ORDER BY m.id FOR UPDATE",  # noqa: S608
        keys=list(keys),
    )
    return await _with_reserves(uow, rows)


async def _with_reserves(read: ReadSession, rows: Sequence[Row]) -> list[Mandate]:
    """Reserves are read after the lock was won, so that they hold."""
    if not rows:
        return []
    reserves = {row.mandate_id: row.reserved_fen for row in await read.rows(_RESERVED, ids=[row.id for row in rows])}
    return [_mandate(row, reserves.get(row.id, 0)) for row in rows]


async def authorise(uow: UnitOfWork, standing: Sequence[tuple[UUID, str, bytes | None, Instant]]) -> None:
    """Set (mandate, auth_no, sealed payer id, instant) of confirmed pre-authorisations."""
    await uow.execute(
        _AUTHORISE,
        ids=[item[0] for item in standing],
        auth_nos=[item[1] for item in standing],
        payers=[item[2] for item in standing],
        instants=[item[3] for item in standing],
    )


async def mark_release_due(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """From now on nothing is collected and the rest goes back."""
    await uow.execute(
        "UPDATE payments_mandate SET release_due_since = :now"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND release_due_since IS NULL",
        now=uow.now,
        ids=list(ids),
    )


async def add_collected(uow: UnitOfWork, collected_fen: Mapping[UUID, int]) -> None:
    """Book what was collected out of each mandate."""
    await uow.execute(
        "UPDATE payments_mandate m SET collected_fen = m.collected_fen + c.amount_fen"
        " FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS c(id, amount_fen)"
        " WHERE m.tenant_id = :tenant AND m.id = c.id",
        ids=list(collected_fen),
        amounts=list(collected_fen.values()),
    )


async def end(uow: UnitOfWork, endings: Sequence[Ending]) -> None:
    """Finish or close mandates."""
    await uow.execute(
        _END,
        now=uow.now,
        ids=[ending.mandate_id for ending in endings],
        states=[ending.state.value for ending in endings],
        released=[ending.released_fen for ending in endings],
        auth_nos=[ending.auth_no for ending in endings],
    )


async def renumber(uow: UnitOfWork, numbers: Sequence[tuple[UUID, str, str]]) -> None:
    """Give (mandate, order number, request number) to mandates whose order ended unconfirmed."""
    await uow.execute(
        _RENUMBER,
        ids=[item[0] for item in numbers],
        order_nos=[item[1] for item in numbers],
        request_nos=[item[2] for item in numbers],
    )


async def take_turn_to_check(uow: UnitOfWork, created_after: Instant, checked_before: Instant, limit: int) -> list[UUID]:
    """Mandates nobody confirmed for a while, marked as being looked up now."""
    rows = await uow.rows(
        "UPDATE payments_mandate SET checked_at = :now WHERE tenant_id = :tenant AND id IN ("
        " SELECT id FROM payments_mandate WHERE tenant_id = :tenant AND state = 'intended' AND release_due_since IS NULL"
        " AND created_at > :created_after AND coalesce(checked_at, created_at) <= :checked_before"
        " ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id",
        now=uow.now,
        created_after=created_after,
        checked_before=checked_before,
        limit=limit,
    )
    return [row.id for row in rows]


async def orders_of(read: ReadSession, ids: Sequence[UUID]) -> list[tuple[UUID, str, str]]:
    """(mandate, order number, request number) of mandates not confirmed yet."""
    rows = await read.rows(
        "SELECT id, out_order_no, out_request_no FROM payments_mandate"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND auth_no IS NULL",
        ids=list(ids),
    )
    return [(row.id, row.out_order_no, row.out_request_no) for row in rows]


async def to_withdraw(read: ReadSession, limit: int) -> list[UUID]:
    """Mandates that were called off before the customer confirmed them."""
    rows = await read.rows(
        "SELECT id FROM payments_mandate WHERE tenant_id = :tenant AND state = 'intended' AND release_due_since IS NOT NULL"
        " ORDER BY id LIMIT :limit",
        limit=limit,
    )
    return [row.id for row in rows]


async def to_release_again(read: ReadSession) -> list[UUID]:
    """Mandates whose rest should be with the customer and whose last release did not happen on an earlier day."""
    rows = await read.rows(
        f"SELECT m.id FROM payments_mandate m WHERE m.tenant_id = :tenant AND m.state = 'authorised'"  # noqa: S608
        " AND m.release_due_since IS NOT NULL AND m.ended_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM payments_release r WHERE r.tenant_id = :tenant AND r.mandate_id = m.id"
        f" AND (r.{OPEN} OR r.attempted_on >= :today)) ORDER BY m.id",
        today=read.business_date,
    )
    return [row.id for row in rows]


def _mandate(row: Row, reserved_fen: int) -> Mandate:
    return Mandate(
        id=row.id,
        agreement_id=row.agreement_id,
        party_id=row.party_id,
        provider=Provider(row.provider),
        title=row.title,
        out_order_no=row.out_order_no,
        out_request_no=row.out_request_no,
        order_round=row.order_round,
        auth_no=row.auth_no,
        authorised_fen=row.authorised_fen,
        first_rent_fen=row.first_rent_fen,
        collected_fen=row.collected_fen,
        released_fen=row.released_fen,
        reserved_fen=reserved_fen,
        state=MandateState(row.state),
        release_due_since=row.release_due_since,
    )
