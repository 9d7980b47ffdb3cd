"""Collections as they go over HTTP. Amounts are integers of fen; people and agreements go by their ids only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from xinzu.back.collections.model import Case, CaseState, Hold, HoldReason, LadderPolicy, Step, StepKind, StepState
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate, Instant

Days = Annotated[int, msgspec.Meta(ge=0, le=365, description="Days past the due date of the oldest overdue item")]
Hours = Annotated[int, msgspec.Meta(ge=0, le=720, description="Hours after the delivery of the notice")]
PeriodDays = Annotated[int, msgspec.Meta(ge=0, le=365, description="Days from the delivery of the demand")]
HourOfDay = Annotated[int, msgspec.Meta(ge=0, le=23, description="Hour of the debtor's local day")]
Contacts = Annotated[int, msgspec.Meta(ge=0, le=100, description="Contacts per debtor and local day")]


class PlaceHold(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why nothing more may be done in the case for now."""

    reason: HoldReason


class HoldPlacement(msgspec.Struct, frozen=True, kw_only=True):
    """A hold to be placed on a case."""

    case_id: UUID
    reason: HoldReason


class HoldLifting(msgspec.Struct, frozen=True, kw_only=True):
    """A hold to be lifted."""

    case_id: UUID
    hold_id: UUID


class StepView(msgspec.Struct, kw_only=True):
    """A reminder, a notice, a demand, or a requested restriction."""

    id: str
    kind: StepKind
    state: StepState
    message_id: str | None
    due_at: Instant
    done_at: Instant | None
    delivered_at: Instant | None
    reason: str | None


class HoldView(msgspec.Struct, kw_only=True):
    """A reason to do nothing, until it is lifted."""

    id: str
    reason: HoldReason
    placed_by: str
    placed_at: Instant
    lifted_at: Instant | None


class CaseSummary(msgspec.Struct, kw_only=True):
    """An agreement worked for its arrears, as of the close of ``aged_on``."""

    id: str
    agreement_id: str
    family: Family
    party_id: str
    state: CaseState
    held: bool
    days_past_due: int
    overdue_fen: int
    aged_on: BusinessDate
    opened_at: Instant
    closed_at: Instant | None

    @classmethod
    def of(cls, case: Case) -> CaseSummary:
        return cls(
            id=public_id(Prefix.CASE, case.id),
            agreement_id=public_id(Prefix.AGREEMENT, case.agreement_id),
            family=case.family,
            party_id=public_id(Prefix.PARTY, case.party_id),
            state=case.state,
            held=case.held,
            days_past_due=case.days_past_due,
            overdue_fen=case.overdue_fen,
            aged_on=case.aged_on,
            opened_at=case.opened_at,
            closed_at=case.closed_at,
        )


class CaseView(msgspec.Struct, kw_only=True):
    """A case with everything done in it."""

    id: str
    case: CaseSummary
    steps: list[StepView]
    holds: list[HoldView]


class CasePage(msgspec.Struct, kw_only=True):
    """Cases, newest first."""

    items: list[CaseSummary]
    next_cursor: str | None


class PolicyChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The tenant's values. What is left out stays at the floor; a value weaker than the floor is refused."""

    reminder_days_past_due: Days | None = None
    first_notice_days_past_due: Days | None = None
    second_notice_days_past_due: Days | None = None
    limit_days_past_due: Days | None = None
    limit_after_notice_hours: Hours | None = None
    lock_days_past_due: Days | None = None
    lock_after_notice_hours: Hours | None = None
    demand_days_past_due: Days | None = None
    demand_period_days: PeriodDays | None = None
    contact_from_hour: HourOfDay | None = None
    contact_until_hour: HourOfDay | None = None
    contacts_per_day_max: Contacts | None = None


class PolicyView(msgspec.Struct, kw_only=True):
    """The policy in force."""

    reminder_days_past_due: int
    first_notice_days_past_due: int
    second_notice_days_past_due: int
    limit_days_past_due: int
    limit_after_notice_hours: int
    lock_days_past_due: int
    lock_after_notice_hours: int
    demand_days_past_due: int
    demand_period_days: int
    contact_from_hour: int
    contact_until_hour: int
    contacts_per_day_max: int


def case_view(case: Case, steps: Sequence[Step], holds: Sequence[Hold]) -> CaseView:
    return CaseView(
        id=public_id(Prefix.CASE, case.id),
        case=CaseSummary.of(case),
        steps=[
            StepView(
                id=public_id(Prefix.NOTICE, step.id),
                kind=step.kind,
                state=step.state,
                message_id=None if step.message_id is None else public_id(Prefix.MESSAGE, step.message_id),
                due_at=step.due_at,
                done_at=step.done_at,
                delivered_at=step.delivered_at,
                reason=step.reason,
            )
            for step in steps
        ],
        holds=[
            HoldView(
                id=public_id(Prefix.HOLD, hold.id),
                reason=hold.reason,
                placed_by=hold.placed_by,
                placed_at=hold.placed_at,
                lifted_at=hold.lifted_at,
            )
            for hold in holds
        ],
    )


def policy_view(policy: LadderPolicy) -> PolicyView:
    return msgspec.convert(policy, PolicyView, from_attributes=True)
