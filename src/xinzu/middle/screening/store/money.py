"""SQL of movements and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from xinzu.kernel.ids import new_ids
from xinzu.kernel.time import BusinessDate
from xinzu.middle.screening.model import Alert, AlertRule, AlertState, Direction, Finding, Method, Movement
from xinzu.middle.screening.rules.money import keep_until, report_due_on
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_MOVEMENT = "source, source_ref, party_id, agreement_id, direction, method, purpose, amount_fen, payer_key, moved_on"
_ALERT = (
    'id, rule, party_id, raised_on, amount_fen, "references", score, state, assignee, report_due_on, keep_until_on, raised_at,'
    " decided_by, decided_at, decision_reason, report_ref"
)


async def insert_movements(uow: UnitOfWork, movements: Sequence[Movement]) -> None:
    """Record movements, each once."""
    await uow.execute(
        f"INSERT INTO screening_movement (tenant_id, id, {_MOVEMENT}, keep_until_on, recorded_at, recorded_by)"  # noqa: S608 (constants only)
        " SELECT :tenant, m.*, :now, :by FROM unnest(cast(:ids AS uuid[]), cast(:sources AS text[]), cast(:refs AS text[]),"
        " cast(:parties AS uuid[]), cast(:agreements AS uuid[]), cast(:directions AS text[]), cast(:methods AS text[]),"
        " cast(:purposes AS text[]), cast(:amounts AS bigint[]), cast(:payers AS text[]), cast(:dates AS date[]), cast(:kept AS date[])) AS m"
        " ON CONFLICT (tenant_id, source, source_ref) DO NOTHING",
        now=uow.now,
        by=str(uow.actor),
        ids=new_ids(len(movements)),
        sources=[each.source for each in movements],
        refs=[each.source_ref for each in movements],
        parties=[each.party_id for each in movements],
        agreements=[each.agreement_id for each in movements],
        directions=[each.direction for each in movements],
        methods=[each.method for each in movements],
        purposes=[each.purpose for each in movements],
        amounts=[each.amount_fen for each in movements],
        payers=[each.payer_key for each in movements],
        dates=[each.moved_on for each in movements],
        kept=[keep_until(each.moved_on) for each in movements],
    )


async def movements_since(read: ReadSession, party_ids: Sequence[UUID], since: date) -> dict[UUID, list[Movement]]:
    """By party, oldest first."""
    rows = await read.rows(
        f"SELECT {_MOVEMENT} FROM screening_movement WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[]))"  # noqa: S608 (constants only)
        " AND moved_on >= :since ORDER BY moved_on, id",
        ids=list(party_ids),
        since=since,
    )
    found: dict[UUID, list[Movement]] = {}
    for row in rows:
        found.setdefault(row.party_id, []).append(_movement(row))
    return found


async def raise_alerts(uow: UnitOfWork, findings: Sequence[Finding]) -> list[Alert]:
    """Open an alert for each finding; one of the same rule, party and date that is not decided grows instead. What a person has decided on
    the same references is not asked again. Gives the new ones."""
    rows = await uow.rows(
        'INSERT INTO screening_alert AS a (tenant_id, id, rule, party_id, raised_on, amount_fen, "references", score, state,'  # noqa: S608 (constants only)
        " report_due_on, keep_until_on, raised_at)"
        " SELECT :tenant, f.id, f.rule, f.party_id, f.raised_on, f.amount_fen, ARRAY(SELECT jsonb_array_elements_text(f.refs)), f.score,"
        " 'open', f.due_on, f.kept, :now FROM unnest(cast(:ids AS uuid[]), cast(:rules AS text[]), cast(:parties AS uuid[]),"
        " cast(:dates AS date[]), cast(:amounts AS bigint[]), cast(:refs AS jsonb[]), cast(:scores AS numeric[]), cast(:due AS date[]),"
        " cast(:kept AS date[])) AS f(id, rule, party_id, raised_on, amount_fen, refs, score, due_on, kept)"
        " WHERE NOT EXISTS (SELECT 1 FROM screening_alert d WHERE d.tenant_id = :tenant AND d.rule = f.rule AND d.party_id = f.party_id"
        " AND d.state IN ('reported', 'dismissed') AND d.\"references\" = ARRAY(SELECT jsonb_array_elements_text(f.refs)))"
        " ON CONFLICT (tenant_id, rule, party_id, raised_on) WHERE state IN ('open', 'assigned') DO UPDATE"
        ' SET amount_fen = excluded.amount_fen, "references" = excluded."references"'
        f" RETURNING {_ALERT}, (xmax = 0) AS is_new",
        now=uow.now,
        ids=new_ids(len(findings)),
        rules=[each.rule for each in findings],
        parties=[each.party_id for each in findings],
        dates=[each.on for each in findings],
        amounts=[each.amount_fen for each in findings],
        refs=[msgspec.json.encode(list(each.references)).decode() for each in findings],
        scores=[each.score for each in findings],
        due=[report_due_on(each.rule, each.on) for each in findings],
        kept=[keep_until(each.on) for each in findings],
    )
    return [_alert(row) for row in rows if row.is_new]


async def alert(read: ReadSession, alert_id: UUID, *, lock: bool = False) -> Alert | None:
    row = await read.row(
        f"SELECT {_ALERT} FROM screening_alert WHERE tenant_id = :tenant AND id = :id{' FOR UPDATE' if lock else ''}",  # noqa: S608 (constants only)
        id=alert_id,
    )
    return None if row is None else _alert(row)


async def alerts(read: ReadSession, state: AlertState | None, before: UUID | None, limit: int) -> list[Alert]:
    rows = await read.rows(
        f"SELECT {_ALERT} FROM screening_alert WHERE tenant_id = :tenant AND (cast(:state AS text) IS NULL OR state = :state)"  # noqa: S608 (constants only)
        " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        state=state,
        before=before,
        limit=limit,
    )
    return [_alert(row) for row in rows]


async def watch_hits(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Party → how many likenesses to somebody on a watch list no person has dismissed."""
    rows = await read.rows(
        "SELECT party_id, count(*) AS hits FROM screening_alert WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[]))"  # noqa: S608 (constants only)
        f" AND rule = '{AlertRule.WATCH_LIST}' AND state <> '{AlertState.DISMISSED}' GROUP BY party_id",
        ids=list(party_ids),
    )
    return {row.party_id: row.hits for row in rows}


async def assign(uow: UnitOfWork, alert_id: UUID, assignee: str) -> None:
    await uow.execute(
        "UPDATE screening_alert SET state = 'assigned', assignee = :assignee WHERE tenant_id = :tenant AND id = :id",
        assignee=assignee,
        id=alert_id,
    )


async def decide(uow: UnitOfWork, alert_id: UUID, state: AlertState, reason: str, report_ref: str | None) -> None:
    await uow.execute(
        "UPDATE screening_alert SET state = :state, decided_by = :by, decided_at = :now, decision_reason = :reason, report_ref = :ref"
        " WHERE tenant_id = :tenant AND id = :id",
        state=state,
        by=str(uow.actor),
        now=uow.now,
        reason=reason,
        ref=report_ref,
        id=alert_id,
    )


def _movement(row: Row) -> Movement:
    moved_on: BusinessDate = row.moved_on
    return Movement(
        source=row.source,
        source_ref=row.source_ref,
        party_id=row.party_id,
        agreement_id=row.agreement_id,
        direction=Direction(row.direction),
        method=Method(row.method),
        purpose=row.purpose,
        amount_fen=row.amount_fen,
        payer_key=row.payer_key,
        moved_on=moved_on,
    )


def _alert(row: Row) -> Alert:
    return Alert(
        id=row.id,
        rule=AlertRule(row.rule),
        party_id=row.party_id,
        raised_on=row.raised_on,
        amount_fen=row.amount_fen,
        references=tuple(row.references),
        score=None if row.score is None else float(row.score),
        state=AlertState(row.state),
        assignee=row.assignee,
        report_due_on=row.report_due_on,
        keep_until_on=row.keep_until_on,
        raised_at=row.raised_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        report_ref=row.report_ref,
    )


async def known(uow: UnitOfWork, references: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Movement]:
    """Movements on file by (source, reference), held against change."""
    rows = await uow.rows(
        f"SELECT {_MOVEMENT} FROM screening_movement WHERE tenant_id = :tenant AND (source, source_ref) IN"  # noqa: S608 (constants only)
        " (SELECT * FROM unnest(cast(:sources AS text[]), cast(:refs AS text[]))) FOR UPDATE",
        sources=[source for source, _ in references],
        refs=[reference for _, reference in references],
    )
    return {(row.source, row.source_ref): _movement(row) for row in rows}


async def say_more(uow: UnitOfWork, movements: Sequence[Movement]) -> None:
    """How movements on file were made, for what, and by whom if not the party."""
    await uow.execute(
        "UPDATE screening_movement m SET method = n.method, purpose = n.purpose, payer_key = n.payer_key"
        " FROM unnest(cast(:sources AS text[]), cast(:refs AS text[]), cast(:methods AS text[]), cast(:purposes AS text[]),"
        " cast(:payers AS text[])) AS n(source, source_ref, method, purpose, payer_key)"
        " WHERE m.tenant_id = :tenant AND m.source = n.source AND m.source_ref = n.source_ref",
        sources=[each.source for each in movements],
        refs=[each.source_ref for each in movements],
        methods=[each.method for each in movements],
        purposes=[each.purpose for each in movements],
        payers=[each.payer_key for each in movements],
    )
