"""Place and lift holds: while one stands, nothing is done in the case."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.collections import store
from xinzu.back.collections.errors import CaseIsClosed, CaseUnknown, HoldUnknown
from xinzu.back.collections.model import CaseState, HoldReason
from xinzu.back.collections.schemas import CaseView, HoldLifting, HoldPlacement, case_view
from xinzu.kernel.errors import Problem
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence


async def place_holds(uow: UnitOfWork, requests: Sequence[HoldPlacement]) -> list[Outcome[CaseView]]:
    """Hold cases. Refuses with CaseUnknown or CaseIsClosed; a reason that stands already changes nothing."""
    cases = await store.lock_cases(uow, [request.case_id for request in requests])
    refused: dict[int, Problem] = {}
    holds: dict[tuple[UUID, HoldReason], None] = {}
    for nth, request in enumerate(requests):
        case = cases.get(request.case_id)
        if case is None:
            refused[nth] = CaseUnknown()
        elif case.state is CaseState.CLOSED:
            refused[nth] = CaseIsClosed()
        else:
            holds[request.case_id, request.reason] = None
    if holds:
        await store.insert_holds(uow, list(holds))
        evidence.append(
            uow,
            [
                evidence.Leaf(
                    "collections.case.held", cases[case_id].agreement_id, {"case_id": str(case_id), "reason": reason.value}
                )
                for case_id, reason in holds
            ],
        )
    views = await _views(uow, [case_id for case_id, _ in holds])
    return [refused[nth] if nth in refused else views[request.case_id] for nth, request in enumerate(requests)]


async def lift_holds(uow: UnitOfWork, requests: Sequence[HoldLifting]) -> list[Outcome[CaseView]]:
    """Lift holds; the ladder goes on with the next close of business. Refuses with CaseUnknown or HoldUnknown."""
    cases = await store.lock_cases(uow, [request.case_id for request in requests])
    standing = {
        (case_id, hold.id)
        for case_id, holds in (await store.holds_of(uow, list(cases))).items()
        for hold in holds
        if hold.lifted_at is None
    }
    refused: dict[int, Problem] = {}
    lifted: list[HoldLifting] = []
    for nth, request in enumerate(requests):
        if request.case_id not in cases:
            refused[nth] = CaseUnknown()
        elif (request.case_id, request.hold_id) not in standing:
            refused[nth] = HoldUnknown()
        else:
            standing.discard((request.case_id, request.hold_id))
            lifted.append(request)
    if lifted:
        await store.lift_holds(uow, [request.hold_id for request in lifted])
    views = await _views(uow, [request.case_id for request in lifted])
    return [refused[nth] if nth in refused else views[request.case_id] for nth, request in enumerate(requests)]


async def case_of(read: ReadSession, case_id: UUID) -> CaseView:
    """A case with its steps and holds; raises CaseUnknown."""
    found = await _views(read, [case_id])
    if case_id not in found:
        raise CaseUnknown()
    return found[case_id]


async def _views(read: ReadSession, case_ids: Sequence[UUID]) -> dict[UUID, CaseView]:
    if not case_ids:
        return {}
    cases = await store.cases_by_id(read, case_ids)
    steps, holds = await store.steps_of(read, case_ids), await store.holds_of(read, case_ids)
    return {id_: case_view(case, steps[id_], holds[id_]) for id_, case in cases.items()}
