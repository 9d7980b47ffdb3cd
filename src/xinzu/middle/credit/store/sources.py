"""SQL of score sources, of what they are asked and of what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import Capability, QueryState, ScoreOutcome, ScoreResult, Source, SourceStyle, Value
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

SECRET = "credit_source.secret"  # noqa: S105 (the place of a sealed field)
VALUES = "credit_score_result.values"
BANK_CARD = "credit_score_query.bank_card"

_RESULT = (
    "SELECT id, query_id, party_id, capability, provider, outcome, reason, reference, observed_at, known_at, latency_ms, is_cached,"
    " cost_fen, values_sealed FROM credit_score_result"
)
_NEWEST = _RESULT.replace("SELECT ", "SELECT DISTINCT ON (party_id, capability) ")


@dataclass(frozen=True, slots=True)
class OpenQuery:
    """A question that is not settled. ``attempts`` counts this one too."""

    id: UUID
    party_id: UUID
    capability: Capability
    attempts: int
    asked_at: Instant
    bank_card: str | None


async def put_source(uow: UnitOfWork, source: Source) -> None:
    """Write a tenant's line for a source, or replace it."""
    place = f"{SECRET}:{source.capability}:{source.provider}"
    await uow.execute(
        "INSERT INTO credit_source (tenant_id, capability, provider, style, is_enabled, rank, timeout_ms, cache_days, cost_fen, base_url,"
        " account_id, secret_sealed, peer_key, options, configured_at)"
        " VALUES (:tenant, :capability, :provider, :style, :is_enabled, :rank, :timeout_ms, :cache_days, :cost_fen, :base_url,"
        " :account_id, :secret, :peer_key, cast(:options AS jsonb), :now)"
        " ON CONFLICT (tenant_id, capability, provider) DO UPDATE SET style = excluded.style, is_enabled = excluded.is_enabled,"
        " rank = excluded.rank, timeout_ms = excluded.timeout_ms, cache_days = excluded.cache_days, cost_fen = excluded.cost_fen,"
        " base_url = excluded.base_url, account_id = excluded.account_id, secret_sealed = excluded.secret_sealed,"
        " peer_key = excluded.peer_key, options = excluded.options, configured_at = excluded.configured_at",
        capability=source.capability,
        provider=source.provider,
        style=source.style,
        is_enabled=source.is_enabled,
        rank=source.rank,
        timeout_ms=source.timeout_ms,
        cache_days=source.cache_days,
        cost_fen=source.cost_fen,
        base_url=source.base_url,
        account_id=source.account_id,
        secret=uow.vault.seal_text(place, source.secret),
        peer_key=source.peer_key,
        options=msgspec.json.encode(source.options).decode(),
        now=uow.now,
    )


async def sources(read: ReadSession) -> list[Source]:
    """All lines of the tenant, by capability in the order they are asked in."""
    rows = await read.rows(
        "SELECT capability, provider, style, is_enabled, rank, timeout_ms, cache_days, cost_fen, base_url, account_id, secret_sealed,"
        " peer_key, options FROM credit_source WHERE tenant_id = :tenant ORDER BY capability, rank, provider"
    )
    return [
        Source(
            capability=Capability(row.capability),
            provider=row.provider,
            style=SourceStyle(row.style),
            is_enabled=row.is_enabled,
            rank=row.rank,
            timeout_ms=row.timeout_ms,
            cache_days=row.cache_days,
            cost_fen=row.cost_fen,
            base_url=row.base_url,
            account_id=row.account_id,
            secret=read.vault.open_text(f"{SECRET}:{row.capability}:{row.provider}", bytes(row.secret_sealed)),
            peer_key=row.peer_key,
            options=row.options,
        )
        for row in rows
    ]


async def open_query_of(read: ReadSession, party_id: UUID, capability: Capability) -> UUID | None:
    """The question that is still being asked about a person, if any."""
    found: UUID | None = await read.scalar(
        "SELECT id FROM credit_score_query WHERE tenant_id = :tenant AND party_id = :party AND capability = :capability"
        " AND state = 'asked' ORDER BY id LIMIT 1",
        party=party_id,
        capability=capability,
    )
    return found


async def insert_query(uow: UnitOfWork, query_id: UUID, party_id: UUID, capability: Capability, bank_card: str | None) -> None:
    await uow.execute(
        "INSERT INTO credit_score_query (tenant_id, id, party_id, capability, state, bank_card_sealed, asked_by, asked_at)"
        " VALUES (:tenant, :id, :party, :capability, 'asked', :bank_card, :actor, :now)",
        id=query_id,
        party=party_id,
        capability=capability,
        bank_card=None if bank_card is None else uow.vault.seal_text(f"{BANK_CARD}:{query_id}", bank_card),
        actor=str(uow.actor),
        now=uow.now,
    )


async def begin_queries(uow: UnitOfWork, query_ids: Sequence[UUID]) -> list[OpenQuery]:
    """Take up questions that are not settled, counting the attempt."""
    rows = await uow.rows(
        "UPDATE credit_score_query SET attempts = attempts + 1 WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))"
        " AND state = 'asked' RETURNING id, party_id, capability, attempts, asked_at, bank_card_sealed",
        ids=list(query_ids),
    )
    return [
        OpenQuery(
            row.id,
            row.party_id,
            Capability(row.capability),
            row.attempts,
            row.asked_at,
            None if row.bank_card_sealed is None else uow.vault.open_text(f"{BANK_CARD}:{row.id}", bytes(row.bank_card_sealed)),
        )
        for row in sorted(rows, key=lambda row: row.id.int)
    ]


async def settle_query(uow: UnitOfWork, query_id: UUID, state: QueryState) -> bool:
    """End a question, and forget the card it was asked with; False when it was ended before."""
    return (
        await uow.execute(
            "UPDATE credit_score_query SET state = :state, settled_at = :now, bank_card_sealed = NULL"
            " WHERE tenant_id = :tenant AND id = :id AND state = 'asked'",
            id=query_id,
            state=state,
            now=uow.now,
        )
        == 1
    )


async def unsettled_queries(read: ReadSession, asked_before: Instant, limit: int) -> list[UUID]:
    """Questions whose asking was interrupted."""
    rows = await read.rows(
        "SELECT id FROM credit_score_query WHERE tenant_id = :tenant AND state = 'asked' AND asked_at < :before ORDER BY asked_at LIMIT :limit",
        before=asked_before,
        limit=limit,
    )
    return [row.id for row in rows]


async def query_state(read: ReadSession, query_id: UUID) -> QueryState | None:
    found = await read.scalar("SELECT state FROM credit_score_query WHERE tenant_id = :tenant AND id = :id", id=query_id)
    return None if found is None else QueryState(found)


async def insert_result(uow: UnitOfWork, result: ScoreResult) -> None:
    sealed = None
    if result.outcome is ScoreOutcome.OK:
        sealed = uow.vault.seal(f"{VALUES}:{result.id}", msgspec.json.encode(result.values))
    await uow.execute(
        "INSERT INTO credit_score_result (tenant_id, id, query_id, party_id, capability, provider, outcome, reason, reference, observed_at,"
        " known_at, latency_ms, is_cached, cost_fen, values_sealed)"
        " VALUES (:tenant, :id, :query, :party, :capability, :provider, :outcome, :reason, :reference, :observed_at,"
        " :known_at, :latency_ms, :is_cached, :cost_fen, :values)",
        id=result.id,
        query=result.query_id,
        party=result.party_id,
        capability=result.capability,
        provider=result.provider,
        outcome=result.outcome,
        reason=result.reason,
        reference=result.reference,
        observed_at=result.observed_at,
        known_at=result.known_at,
        latency_ms=result.latency_ms,
        is_cached=result.is_cached,
        cost_fen=result.cost_fen,
        values=sealed,
    )


async def newest_results(
    read: ReadSession, party_ids: Sequence[UUID], observed_before: Instant, known_by: Instant
) -> list[ScoreResult]:
    """By party and capability what was last said, of what was observed before the one instant and known by the other."""
    rows = await read.rows(
        f"{_NEWEST} WHERE tenant_id = :tenant AND party_id = ANY(cast(:parties AS uuid[])) AND outcome = 'ok'"
        " AND observed_at < :observed_before AND known_at <= :known_by"
        " ORDER BY party_id, capability, observed_at DESC, known_at DESC, id DESC",
        parties=list(party_ids),
        observed_before=observed_before,
        known_by=known_by,
    )
    return [_result(read, row) for row in rows]


async def reusable_result(
    read: ReadSession, party_id: UUID, capability: Capability, provider: str, observed_since: Instant
) -> ScoreResult | None:
    """What a source said itself about a person not before an instant."""
    row = await read.row(
        f"{_RESULT} WHERE tenant_id = :tenant AND party_id = :party AND capability = :capability AND provider = :provider"
        " AND outcome = 'ok' AND NOT is_cached AND observed_at >= :since ORDER BY observed_at DESC, id DESC LIMIT 1",
        party=party_id,
        capability=capability,
        provider=provider,
        since=observed_since,
    )
    return None if row is None else _result(read, row)


async def results_of(read: ReadSession, party_id: UUID, before_id: UUID | None, limit: int) -> list[ScoreResult]:
    """Everything sources said or did not say about a person, last first."""
    rows = await read.rows(
        f"{_RESULT} WHERE tenant_id = :tenant AND party_id = :party AND (cast(:before AS uuid) IS NULL OR id < :before)"
        " ORDER BY id DESC LIMIT :limit",
        party=party_id,
        before=before_id,
        limit=limit,
    )
    return [_result(read, row) for row in rows]


def _result(read: ReadSession, row: Row) -> ScoreResult:
    values: Mapping[str, Value] = {}
    if row.values_sealed is not None:
        values = msgspec.json.decode(read.vault.open(f"{VALUES}:{row.id}", bytes(row.values_sealed)))
    return ScoreResult(
        id=row.id,
        query_id=row.query_id,
        party_id=row.party_id,
        capability=Capability(row.capability),
        provider=row.provider,
        outcome=ScoreOutcome(row.outcome),
        reason=row.reason,
        reference=row.reference,
        observed_at=row.observed_at,
        known_at=row.known_at,
        latency_ms=row.latency_ms,
        is_cached=row.is_cached,
        cost_fen=row.cost_fen,
        values=values,
    )
