"""Follow arrears: open cases, climb the ladder, close when nothing is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.collections import store
from xinzu.back.collections.commands.steps import carry_out_steps
from xinzu.back.collections.events import CaseClosed, CaseOpened
from xinzu.back.collections.model import Aged, Case, StepKind
from xinzu.back.collections.rules.ladder import next_steps
from xinzu.back.collections.rules.policy import in_force
from xinzu.platform.uow import UnitOfWork


async def follow_arrears(uow: UnitOfWork, aged: Sequence[Aged]) -> None:
    """Take in what a close of business said: open cases (CaseOpened), plan the next rungs and climb those whose time it is.

    An ageing older than the agreement's last clearance comes too late to matter.
    """
    cleared = await store.cleared_on(uow, [item.agreement_id for item in aged])
    newest: dict[UUID, Aged] = {}
    for item in aged:
        known = newest.get(item.agreement_id)
        if item.agreement_id in cleared and item.business_date <= cleared[item.agreement_id]:
            continue
        if known is None or item.business_date > known.business_date:
            newest[item.agreement_id] = item
    if not newest:
        return
    case_ids, opened = await store.follow(uow, list(newest.values()))
    cases = await store.cases_by_id(uow, case_ids)
    for id_ in opened:
        uow.emit(
            CaseOpened(
                subject_id=cases[id_].agreement_id,
                case_id=id_,
                party_id=cases[id_].party_id,
                days_past_due=cases[id_].days_past_due,
                overdue_fen=cases[id_].overdue_fen,
            )
        )
    await _plan(uow, list(cases.values()))
    await carry_out_steps(uow)


async def _plan(uow: UnitOfWork, cases: Sequence[Case]) -> None:
    policy = in_force(await store.overrides(uow))
    steps = await store.steps_of(uow, [case.id for case in cases])
    planned: list[tuple[Case, StepKind]] = [
        (case, kind)
        for case in cases
        for kind in next_steps(case.family, case.days_past_due, case.held, steps[case.id], policy, uow.now)
    ]
    if planned:
        await store.plan_steps(uow, planned)


async def close_cases(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    """Nothing of these agreements is overdue any more, or another owes it: close their cases (CaseClosed), cancel what was planned."""
    await store.remember_clearances(uow, agreement_ids)
    for case in await store.close(uow, agreement_ids):
        uow.emit(CaseClosed(subject_id=case.agreement_id, case_id=case.id, party_id=case.party_id))
