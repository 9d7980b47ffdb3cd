"""All SQL of collections, over arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.collections.model import Aged, Case, CaseState, Hold, HoldReason, Step, StepKind, StepState
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_HELD = "EXISTS (SELECT 1 FROM collections_hold h WHERE h.tenant_id = c.tenant_id AND h.case_id = c.id AND h.lifted_at IS NULL)"
# An agreement whose signature was not heard climbs the rental's ladder; what has no device of ours is never restricted all the same.
_CASE = (
    "SELECT c.id, c.agreement_id, c.party_id, c.state, c.days_past_due, c.overdue_fen, c.aged_on, c.opened_at, c.closed_at,"  # noqa: S608 (only our own constant is put in)
    f" coalesce(g.family, 'rental') AS family, {_HELD} AS held FROM collections_case c"
    " LEFT JOIN collections_agreement g ON g.tenant_id = c.tenant_id AND g.agreement_id = c.agreement_id"
)
_STEP = "SELECT id, case_id, kind, state, message_id, due_at, done_at, delivered_at, reason FROM collections_step"

# Rows come in the order of agreements, for everyone who touches several: no deadlocks.
_FOLLOW = """
INSERT INTO collections_case AS c (tenant_id, id, agreement_id, party_id, state, days_past_due, overdue_fen, aged_on, opened_at)
SELECT :tenant, a.id, a.agreement_id, a.party_id, 'open', a.days_past_due, a.overdue_fen, a.aged_on, :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:parties AS uuid[]), cast(:days AS int[]),
            cast(:amounts AS bigint[]), cast(:dates AS date[])) AS a(id, agreement_id, party_id, days_past_due, overdue_fen, aged_on)
ON CONFLICT (tenant_id, agreement_id) WHERE state = 'open' DO UPDATE
SET days_past_due = CASE WHEN excluded.aged_on >= c.aged_on THEN excluded.days_past_due ELSE c.days_past_due END,
    overdue_fen = CASE WHEN excluded.aged_on >= c.aged_on THEN excluded.overdue_fen ELSE c.overdue_fen END,
    aged_on = greatest(excluded.aged_on, c.aged_on)
RETURNING c.id
"""


@dataclass(frozen=True, slots=True)
class DueStep:
    """A planned step whose time has come, with its case and what messages call the agreement by."""

    step: Step
    case: Case
    agreement_no: str


async def remember_agreements(uow: UnitOfWork, agreements: Sequence[tuple[UUID, str, Family]]) -> None:
    """Keep number and family of agreements."""
    await uow.execute(
        "INSERT INTO collections_agreement (tenant_id, agreement_id, agreement_no, family)"
        " SELECT :tenant, a.id, a.number, a.family"
        " FROM unnest(cast(:ids AS uuid[]), cast(:numbers AS text[]), cast(:families AS text[])) AS a(id, number, family)"
        " ON CONFLICT (tenant_id, agreement_id) DO NOTHING",
        ids=[id_ for id_, _, _ in agreements],
        numbers=[number for _, number, _ in agreements],
        families=[family.value for _, _, family in agreements],
    )


async def cleared_on(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, BusinessDate]:
    rows = await read.rows(
        "SELECT agreement_id, cleared_on FROM collections_clearance"
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[]))",
        ids=list(agreement_ids),
    )
    return {row.agreement_id: row.cleared_on for row in rows}


async def remember_clearances(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "INSERT INTO collections_clearance (tenant_id, agreement_id, cleared_on)"
        " SELECT :tenant, a.id, :today FROM unnest(cast(:ids AS uuid[])) AS a(id)"
        " ON CONFLICT (tenant_id, agreement_id) DO UPDATE SET cleared_on = excluded.cleared_on",
        today=uow.business_date,
        ids=sorted(set(agreement_ids)),
    )


async def follow(uow: UnitOfWork, aged: Sequence[Aged]) -> tuple[list[UUID], set[UUID]]:
    """Open a case per agreement or bring the open one up to date (locking it); returns all case ids and those newly opened."""
    ordered = sorted(aged, key=lambda item: item.agreement_id)
    ids = [new_id() for _ in ordered]
    rows = await uow.rows(
        _FOLLOW,
        now=uow.now,
        ids=ids,
        agreements=[item.agreement_id for item in ordered],
        parties=[item.party_id for item in ordered],
        days=[item.days_past_due for item in ordered],
        amounts=[item.overdue_fen for item in ordered],
        dates=[item.business_date for item in ordered],
    )
    found = [row.id for row in rows]
    return found, set(found) & set(ids)


async def close(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> list[Case]:
    """Close the open cases of these agreements and cancel what was planned in them; returns the cases closed."""
    open_ids = [
        row.id
        for row in await uow.rows(
            "SELECT c.id FROM collections_case c WHERE c.tenant_id = :tenant AND c.state = 'open'"
            " AND c.agreement_id = ANY(cast(:ids AS uuid[])) ORDER BY c.agreement_id FOR UPDATE",
            ids=list(agreement_ids),
        )
    ]
    if not open_ids:
        return []
    await uow.execute(
        "UPDATE collections_case SET state = 'closed', closed_at = :now"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        now=uow.now,
        ids=open_ids,
    )
    await uow.execute(
        "UPDATE collections_step SET state = 'cancelled', reason = 'arrears_cleared'"
        " WHERE tenant_id = :tenant AND case_id = ANY(cast(:ids AS uuid[])) AND state = 'planned'",
        ids=open_ids,
    )
    return list((await cases_by_id(uow, open_ids)).values())


async def cases_by_id(read: ReadSession, ids: Sequence[UUID]) -> dict[UUID, Case]:
    rows = await read.rows(
        f"{_CASE} WHERE c.tenant_id = :tenant AND c.id = ANY(cast(:ids AS uuid[])) ORDER BY c.id", ids=list(ids)
    )
    return {row.id: _case(row) for row in rows}


async def lock_cases(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, Case]:
    """These cases, locked in the order of their agreements, then read."""
    await uow.rows(
        "SELECT 1 FROM collections_case c WHERE c.tenant_id = :tenant AND c.id = ANY(cast(:ids AS uuid[]))"
        " ORDER BY c.agreement_id FOR UPDATE",
        ids=list(ids),
    )
    return await cases_by_id(uow, ids)


async def list_cases(read: ReadSession, state: CaseState | None, before: UUID | None, limit: int) -> list[Case]:
    """Cases, newest first."""
    rows = await read.rows(
        f"{_CASE} WHERE c.tenant_id = :tenant AND (cast(:state AS text) IS NULL OR c.state = cast(:state AS text))"
        " AND (cast(:before AS uuid) IS NULL OR c.id < cast(:before AS uuid)) ORDER BY c.id DESC LIMIT :limit",
        state=None if state is None else state.value,
        before=before,
        limit=limit,
    )
    return [_case(row) for row in rows]


async def steps_of(read: ReadSession, case_ids: Sequence[UUID]) -> dict[UUID, list[Step]]:
    """Steps by case, oldest first; every case asked for is a key."""
    rows = await read.rows(
        f"{_STEP} WHERE tenant_id = :tenant AND case_id = ANY(cast(:ids AS uuid[])) ORDER BY id",
        ids=list(case_ids),
    )
    found: dict[UUID, list[Step]] = {case_id: [] for case_id in case_ids}
    for row in rows:
        found[row.case_id].append(_step(row))
    return found


async def plan_steps(uow: UnitOfWork, planned: Sequence[tuple[Case, StepKind]]) -> None:
    """Write steps due at once; the limits of contact move them when it is not the time."""
    await uow.execute(
        "INSERT INTO collections_step (tenant_id, id, case_id, agreement_id, party_id, kind, state, planned_at, due_at)"
        " SELECT :tenant, s.id, s.case_id, s.agreement_id, s.party_id, s.kind, 'planned', :now, :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:cases AS uuid[]), cast(:agreements AS uuid[]), cast(:parties AS uuid[]),"
        " cast(:kinds AS text[])) AS s(id, case_id, agreement_id, party_id, kind)",
        now=uow.now,
        ids=[new_id() for _ in planned],
        cases=[case.id for case, _ in planned],
        agreements=[case.agreement_id for case, _ in planned],
        parties=[case.party_id for case, _ in planned],
        kinds=[kind.value for _, kind in planned],
    )


async def due_steps(uow: UnitOfWork, limit: int) -> list[DueStep]:
    """Planned steps whose time has come in cases that are open and not held; the cases are locked.

    A case somebody else is working on is left for the next time.
    """
    case_ids = [
        row.id
        for row in await uow.rows(
            "SELECT c.id FROM collections_case c WHERE c.tenant_id = :tenant AND c.id IN ("  # noqa: S608
            " SELECT s.case_id FROM collections_step s JOIN collections_case c ON c.tenant_id = s.tenant_id AND c.id = s.case_id"
            " WHERE s.tenant_id = :tenant AND s.state = 'planned' AND s.due_at <= :now AND c.state = 'open'"
            f" AND NOT {_HELD} ORDER BY s.due_at LIMIT :limit) AND c.state = 'open' ORDER BY c.agreement_id FOR UPDATE SKIP LOCKED",
            now=uow.now,
            limit=limit,
        )
    ]
    if not case_ids:
        return []
    cases = await cases_by_id(uow, case_ids)
    numbers = {
        row.agreement_id: row.agreement_no
        for row in await uow.rows(
            "SELECT agreement_id, agreement_no FROM collections_agreement"
            " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[]))",
            ids=[case.agreement_id for case in cases.values()],
        )
    }
    rows = await uow.rows(
        f"{_STEP} WHERE tenant_id = :tenant AND case_id = ANY(cast(:ids AS uuid[])) AND state = 'planned' AND due_at <= :now"
        " ORDER BY id",
        now=uow.now,
        ids=case_ids,
    )
    return [
        DueStep(_step(row), cases[row.case_id], numbers.get(cases[row.case_id].agreement_id, ""))
        for row in rows
        if not cases[row.case_id].held
    ]


async def contacts_on(read: ReadSession, party_ids: Sequence[UUID], on: BusinessDate) -> dict[UUID, int]:
    """How often each debtor was contacted on a local day, over all cases."""
    rows = await read.rows(
        "SELECT party_id, count(*) AS contacts FROM collections_step WHERE tenant_id = :tenant AND message_id IS NOT NULL"
        " AND party_id = ANY(cast(:parties AS uuid[])) AND done_on = :day GROUP BY party_id",
        parties=list(party_ids),
        day=on,
    )
    return {row.party_id: row.contacts for row in rows}


async def postpone(uow: UnitOfWork, postponed: Sequence[tuple[UUID, Instant]]) -> None:
    await uow.execute(
        "UPDATE collections_step s SET due_at = p.due_at"
        " FROM unnest(cast(:ids AS uuid[]), cast(:instants AS timestamptz[])) AS p(id, due_at)"
        " WHERE s.tenant_id = :tenant AND s.id = p.id",
        ids=[id_ for id_, _ in postponed],
        instants=[at for _, at in postponed],
    )


async def mark_done(uow: UnitOfWork, done: Sequence[tuple[UUID, StepState, UUID | None]], local_day: BusinessDate) -> None:
    """Record (step, state, message) of steps carried out now."""
    await uow.execute(
        "UPDATE collections_step s SET state = d.state, message_id = d.message_id, done_at = :now, done_on = :day"
        " FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:messages AS uuid[])) AS d(id, state, message_id)"
        " WHERE s.tenant_id = :tenant AND s.id = d.id",
        now=uow.now,
        day=local_day,
        ids=[item[0] for item in done],
        states=[item[1].value for item in done],
        messages=[item[2] for item in done],
    )


async def mark_failed(uow: UnitOfWork, ids: Sequence[UUID], reason: str) -> None:
    """Steps that cannot be carried out at all."""
    await uow.execute(
        "UPDATE collections_step SET state = 'failed', reason = :reason"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND state = 'planned'",
        ids=list(ids),
        reason=reason,
    )


async def mark_delivered(uow: UnitOfWork, delivered: Sequence[tuple[UUID, Instant]]) -> list[tuple[Step, UUID]]:
    """Record (message, instant) deliveries; returns the steps that were news, with their agreements."""
    rows = await uow.rows(
        "UPDATE collections_step s SET state = 'delivered', delivered_at = d.at, reason = NULL"
        " FROM unnest(cast(:messages AS uuid[]), cast(:instants AS timestamptz[])) AS d(message_id, at)"
        " WHERE s.tenant_id = :tenant AND s.message_id = d.message_id AND s.state IN ('sent', 'failed')"
        " RETURNING s.id, s.case_id, s.kind, s.state, s.message_id, s.due_at, s.done_at, s.delivered_at, s.reason, s.agreement_id",
        messages=[message_id for message_id, _ in delivered],
        instants=[at for _, at in delivered],
    )
    return [(_step(row), row.agreement_id) for row in rows]


async def mark_undelivered(uow: UnitOfWork, failed: Sequence[tuple[UUID, str]]) -> None:
    """Record (message, reason) of messages that did not get through."""
    await uow.execute(
        "UPDATE collections_step s SET state = 'failed', reason = f.reason"
        " FROM unnest(cast(:messages AS uuid[]), cast(:reasons AS text[])) AS f(message_id, reason)"
        " WHERE s.tenant_id = :tenant AND s.message_id = f.message_id AND s.state = 'sent'",
        messages=[message_id for message_id, _ in failed],
        reasons=[reason for _, reason in failed],
    )


async def mark_refused(uow: UnitOfWork, refused: Sequence[tuple[UUID, str, str]]) -> None:
    """Record (agreement, level, reason) of restrictions that were asked for and refused."""
    await uow.execute(
        "UPDATE collections_step s SET state = 'failed', reason = r.reason"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:levels AS text[]), cast(:reasons AS text[])) AS r(agreement_id, level, reason)"
        " WHERE s.tenant_id = :tenant AND s.agreement_id = r.agreement_id AND s.kind = r.level AND s.state = 'requested'",
        agreements=[item[0] for item in refused],
        levels=[item[1] for item in refused],
        reasons=[item[2] for item in refused],
    )


async def holds_of(read: ReadSession, case_ids: Sequence[UUID]) -> dict[UUID, list[Hold]]:
    """Holds by case, oldest first, lifted ones too; every case asked for is a key."""
    rows = await read.rows(
        "SELECT id, case_id, reason, placed_by, placed_at, lifted_at FROM collections_hold"
        " WHERE tenant_id = :tenant AND case_id = ANY(cast(:ids AS uuid[])) ORDER BY id",
        ids=list(case_ids),
    )
    found: dict[UUID, list[Hold]] = {case_id: [] for case_id in case_ids}
    for row in rows:
        found[row.case_id].append(
            Hold(
                id=row.id,
                case_id=row.case_id,
                reason=HoldReason(row.reason),
                placed_by=row.placed_by,
                placed_at=row.placed_at,
                lifted_at=row.lifted_at,
            )
        )
    return found


async def insert_holds(uow: UnitOfWork, holds: Sequence[tuple[UUID, HoldReason]]) -> None:
    """Place (case, reason) holds; one that stands already stays as it is."""
    await uow.execute(
        "INSERT INTO collections_hold (tenant_id, id, case_id, reason, placed_by, placed_at)"
        " SELECT :tenant, h.id, h.case_id, h.reason, :actor, :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:cases AS uuid[]), cast(:reasons AS text[])) AS h(id, case_id, reason)"
        " ON CONFLICT (tenant_id, case_id, reason) WHERE lifted_at IS NULL DO NOTHING",
        actor=str(uow.actor),
        now=uow.now,
        ids=[new_id() for _ in holds],
        cases=[case_id for case_id, _ in holds],
        reasons=[reason.value for _, reason in holds],
    )


async def lift_holds(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE collections_hold SET lifted_at = :now, lifted_by = :actor"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND lifted_at IS NULL",
        now=uow.now,
        actor=str(uow.actor),
        ids=list(ids),
    )


async def overrides(read: ReadSession) -> Mapping[str, int]:
    """The tenant's stricter values; empty where it has none."""
    found: Mapping[str, int] | None = await read.scalar("SELECT overrides FROM collections_policy WHERE tenant_id = :tenant")
    return found or {}


async def save_overrides(uow: UnitOfWork, values: Mapping[str, int]) -> None:
    await uow.execute(
        "INSERT INTO collections_policy (tenant_id, overrides, changed_by, changed_at)"
        " VALUES (:tenant, cast(:overrides AS jsonb), :actor, :now) ON CONFLICT (tenant_id) DO UPDATE"
        " SET overrides = excluded.overrides, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        overrides=json.dumps(dict(values)),
        actor=str(uow.actor),
        now=uow.now,
    )


def _case(row: Row) -> Case:
    return Case(
        id=row.id,
        agreement_id=row.agreement_id,
        family=Family(row.family),
        party_id=row.party_id,
        state=CaseState(row.state),
        days_past_due=row.days_past_due,
        overdue_fen=row.overdue_fen,
        aged_on=row.aged_on,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        held=row.held,
    )


def _step(row: Row) -> Step:
    return Step(
        id=row.id,
        case_id=row.case_id,
        kind=StepKind(row.kind),
        state=StepState(row.state),
        message_id=row.message_id,
        due_at=row.due_at,
        done_at=row.done_at,
        delivered_at=row.delivered_at,
        reason=row.reason,
    )
