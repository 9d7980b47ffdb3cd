"""SQL of changes of the schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from xinzu.back.billing.model import Instalment, Why
from xinzu.back.billing.rules.servicing.position import InForce
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_INSERT = """
INSERT INTO billing_amendment (tenant_id, id, agreement_id, version, kind, effective_on, request, terms, why, reason, made_by, recorded_at)
VALUES (:tenant, :id, :agreement, :version, :kind, :on, cast(:request AS jsonb), cast(:terms AS jsonb), cast(:why AS jsonb), :reason,
        :actor, :now)
"""

_COLUMNS = "SELECT id, version, kind, effective_on, request, terms, why, reason, made_by, recorded_at FROM billing_amendment"

# What was paid on a leg beyond what it still asks for is credit again, so that less is paid of it than before.
_CUT = """
UPDATE billing_instalment i
SET cancelled_fen = c.cancelled_fen, paid_fen = c.paid_fen, earned_fen = c.earned_fen, suspended_fen = c.suspended_fen,
    suspended_vat_fen = c.suspended_vat_fen, state = c.state
FROM unnest(cast(:ids AS uuid[]), cast(:cancelled AS bigint[]), cast(:paid AS bigint[]), cast(:earned AS bigint[]),
            cast(:suspended AS bigint[]), cast(:suspended_vat AS bigint[]), cast(:states AS text[]))
     AS c(id, cancelled_fen, paid_fen, earned_fen, suspended_fen, suspended_vat_fen, state)
WHERE i.tenant_id = :tenant AND i.id = c.id
"""


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change as recorded. ``version`` is that of the schedule from then on; ``in_force`` its terms, None when they stay."""

    id: UUID
    version: int
    kind: str
    effective_on: BusinessDate
    request: Mapping[str, Any]
    in_force: InForce | None
    why: Why
    reason: str
    made_by: str
    recorded_at: Instant


async def insert(uow: UnitOfWork, agreement_id: UUID, made: Amendment) -> None:
    await uow.execute(
        _INSERT,
        id=made.id,
        agreement=agreement_id,
        version=made.version,
        kind=made.kind,
        on=made.effective_on,
        request=msgspec.json.encode(made.request).decode(),
        terms=None if made.in_force is None else msgspec.json.encode(made.in_force).decode(),
        why=msgspec.json.encode(made.why).decode(),
        reason=made.reason,
        actor=made.made_by,
        now=made.recorded_at,
    )


async def of_agreement(read: ReadSession, agreement_id: UUID) -> list[Amendment]:
    """What was changed on an agreement, newest first."""
    rows = await read.rows(
        f"{_COLUMNS} WHERE tenant_id = :tenant AND agreement_id = :agreement ORDER BY id DESC", agreement=agreement_id
    )
    return [_amendment(row) for row in rows]


async def in_force(read: ReadSession, agreement_id: UUID) -> InForce | None:
    """The schedule's terms as last amended, or None when those signed are in force."""
    terms = await read.scalar(
        "SELECT terms FROM billing_amendment WHERE tenant_id = :tenant AND agreement_id = :agreement AND terms IS NOT NULL"
        " ORDER BY version DESC LIMIT 1",
        agreement=agreement_id,
    )
    return None if terms is None else msgspec.convert(terms, InForce)


async def of_version(read: ReadSession, agreement_id: UUID, version: int) -> Amendment | None:
    """The change that brought a version of the schedule."""
    row = await read.row(
        f"{_COLUMNS} WHERE tenant_id = :tenant AND agreement_id = :agreement AND version = :version ORDER BY id LIMIT 1",
        agreement=agreement_id,
        version=version,
    )
    return None if row is None else _amendment(row)


async def cut(uow: UnitOfWork, legs: Sequence[Instalment]) -> None:
    """Write what is left of legs that fall away in whole or part."""
    if legs:
        await uow.execute(
            _CUT,
            ids=[leg.id for leg in legs],
            cancelled=[leg.cancelled_fen for leg in legs],
            paid=[leg.paid_fen for leg in legs],
            earned=[leg.earned_fen for leg in legs],
            suspended=[leg.suspended_fen for leg in legs],
            suspended_vat=[leg.suspended_vat_fen for leg in legs],
            states=[leg.state.value for leg in legs],
        )


def _amendment(row: Row) -> Amendment:
    return Amendment(
        id=row.id,
        version=row.version,
        kind=row.kind,
        effective_on=row.effective_on,
        request=row.request,
        in_force=None if row.terms is None else msgspec.convert(row.terms, InForce),
        why=msgspec.convert(row.why, Why),
        reason=row.reason,
        made_by=row.made_by,
        recorded_at=row.recorded_at,
    )
