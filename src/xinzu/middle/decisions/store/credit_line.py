"""SQL of credit lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import Contribution, CreditLine
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_PUT = """
INSERT INTO decisions_credit_line (tenant_id, party_id, line_fen, is_frozen, contributions, computed_at, computed_by)
SELECT :tenant, l.party_id, l.line_fen, l.is_frozen, l.contributions, :now, :actor
FROM unnest(cast(:parties AS uuid[]), cast(:lines AS bigint[]), cast(:frozen AS boolean[]), cast(:contributions AS jsonb[]))
     AS l(party_id, line_fen, is_frozen, contributions)
ON CONFLICT (tenant_id, party_id) DO UPDATE SET line_fen = excluded.line_fen, is_frozen = excluded.is_frozen,
    contributions = excluded.contributions, computed_at = excluded.computed_at, computed_by = excluded.computed_by
"""


async def lock_lines(uow: UnitOfWork, party_ids: Sequence[UUID]) -> dict[UUID, CreditLine]:
    """The lines of those who have one, locked in the order of the parties until the end of the transaction."""
    rows = await uow.rows(
        "SELECT party_id, line_fen, is_frozen, contributions FROM decisions_credit_line"
        " WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[])) ORDER BY party_id FOR UPDATE",
        ids=list(party_ids),
    )
    return {row.party_id: _line(row) for row in rows}


async def line_of(read: ReadSession, party_id: UUID) -> tuple[CreditLine, Instant] | None:
    """A party's line and when it was computed, or None."""
    row = await read.row(
        "SELECT line_fen, is_frozen, contributions, computed_at FROM decisions_credit_line"
        " WHERE tenant_id = :tenant AND party_id = :id",
        id=party_id,
    )
    return None if row is None else (_line(row), row.computed_at)


async def put_lines(uow: UnitOfWork, lines: Mapping[UUID, CreditLine]) -> None:
    await uow.execute(
        _PUT,
        now=uow.now,
        actor=str(uow.actor),
        parties=list(lines),
        lines=[line.line_fen for line in lines.values()],
        frozen=[line.is_frozen for line in lines.values()],
        contributions=[msgspec.json.encode(list(line.contributions)).decode() for line in lines.values()],
    )


async def drop_lines(uow: UnitOfWork, party_ids: Sequence[UUID]) -> None:
    """Nobody who took back the consent to automated decisions keeps a line."""
    await uow.execute(
        "DELETE FROM decisions_credit_line WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[]))",
        ids=list(party_ids),
    )


async def parties_with_orders(read: ReadSession, after: UUID | None, limit: int) -> list[UUID]:
    """Whoever holds or held something, in the order of their ids."""
    rows = await read.rows(
        "SELECT DISTINCT party_id FROM decisions_exposure WHERE tenant_id = :tenant"
        " AND (cast(:after AS uuid) IS NULL OR party_id > :after) ORDER BY party_id LIMIT :limit",
        after=after,
        limit=limit,
    )
    return [row.party_id for row in rows]


async def running_agreements(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Agreement → party of what these parties hold now."""
    rows = await read.rows(
        "SELECT agreement_id, party_id FROM decisions_exposure WHERE tenant_id = :tenant AND closed_at IS NULL"
        " AND agreement_id IS NOT NULL AND party_id = ANY(cast(:ids AS uuid[]))",
        ids=list(party_ids),
    )
    return {row.agreement_id: row.party_id for row in rows}


def _line(row: Row) -> CreditLine:
    parts = [Contribution(each["code"], each["fen"], each["value"]) for each in row.contributions]
    return CreditLine(row.line_fen, row.is_frozen, parts)
