"""Alerts: opened by rules, given to somebody, decided by that person, with what was reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.screening.errors import AlertUnknown, NotAssignee
from xinzu.middle.screening.events import AlertDecided, AlertRaised
from xinzu.middle.screening.model import ALERT_MOVES, AlertState, Finding
from xinzu.middle.screening.store import money as store
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence


@dataclass(frozen=True, slots=True)
class AssignAlert:
    """``assignee`` is a login; None: whoever asks takes it."""

    alert_id: UUID
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class DecideAlert:
    """Reported under the reference of the report, or dismissed; either with why."""

    alert_id: UUID
    state: AlertState
    reason: str
    report_ref: str | None = None


class AlertMoved(msgspec.Struct, kw_only=True):
    """An alert and its state now."""

    id: str
    state: str
    assignee: str | None


async def open_alerts(uow: UnitOfWork, findings: Sequence[Finding]) -> None:
    """Open an alert for each finding, one at a time per rule, party and date; what was decided on the same money or the same entry is not asked
    again. Kept as evidence without the person."""
    if not findings:
        return
    for alert in await store.raise_alerts(uow, findings):
        uow.emit(AlertRaised(subject_id=alert.id, report_due_on=alert.report_due_on))
        facts = {"rule": str(alert.rule), "raised_on": alert.raised_on.isoformat(), "amount_fen": alert.amount_fen}
        evidence.append(uow, [evidence.Leaf("screening.alert.raised", alert.id, facts)])


async def assign_alerts(uow: UnitOfWork, requests: Sequence[AssignAlert]) -> list[Outcome[AlertMoved]]:
    """Give alerts to somebody. Refuses with AlertUnknown, and IllegalMove once one is decided."""
    outcomes: list[Outcome[AlertMoved]] = []
    for request in requests:
        try:
            alert = await store.alert(uow, request.alert_id, lock=True)
            if alert is None:
                raise AlertUnknown()
            ALERT_MOVES.move(alert.state, AlertState.ASSIGNED)
        except Problem as problem:
            outcomes.append(problem)
            continue
        assignee = request.assignee or uow.actor.name
        await store.assign(uow, alert.id, assignee)
        evidence.append(uow, [evidence.Leaf("screening.alert.assigned", alert.id, {"assignee": assignee, "by": str(uow.actor)})])
        outcomes.append(AlertMoved(id=public_id(Prefix.ALERT, alert.id), state=AlertState.ASSIGNED, assignee=assignee))
    return outcomes


async def decide_alerts(uow: UnitOfWork, requests: Sequence[DecideAlert]) -> list[Outcome[AlertMoved]]:
    """Report or dismiss (反洗钱法 art. 35). Refuses with AlertUnknown, IllegalMove for one that nobody has taken or that is decided, and
    NotAssignee. Kept as evidence."""
    outcomes: list[Outcome[AlertMoved]] = []
    for request in requests:
        try:
            alert = await store.alert(uow, request.alert_id, lock=True)
            if alert is None:
                raise AlertUnknown()
            ALERT_MOVES.move(alert.state, request.state)
            if alert.assignee != uow.actor.name:
                raise NotAssignee()
        except Problem as problem:
            outcomes.append(problem)
            continue
        await store.decide(uow, alert.id, request.state, request.reason, request.report_ref)
        uow.emit(AlertDecided(subject_id=alert.id, state=request.state))
        facts = {"state": str(request.state), "by": str(uow.actor), "report_ref": request.report_ref or ""}
        evidence.append(uow, [evidence.Leaf("screening.alert.decided", alert.id, facts)])
        outcomes.append(AlertMoved(id=public_id(Prefix.ALERT, alert.id), state=request.state, assignee=alert.assignee))
    return outcomes
