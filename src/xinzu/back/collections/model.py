"""Collections in types: cases, steps, holds, and the policy the ladder is climbed by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate, Instant


class CaseState(StrEnum):
    """An agreement is worked, or not any more."""

    OPEN = "open"
    CLOSED = "closed"


CASE = Transitions("催收案件", {CaseState.OPEN: {CaseState.CLOSED}, CaseState.CLOSED: set()})


class StepKind(StrEnum):
    """The rungs of the ladders, mildest first."""

    REMINDER = "reminder"
    PAYMENT_DEMAND = "payment_demand"
    FIRST_NOTICE = "first_notice"
    SECOND_NOTICE = "second_notice"
    LIMIT = "limit"
    LOCK = "lock"


# What is financed has no device of ours: its ladder ends with the demand (催告函) that acceleration and termination must name.
_FINANCED = frozenset({StepKind.REMINDER, StepKind.PAYMENT_DEMAND})
LADDERS: Mapping[Family, frozenset[StepKind]] = {
    Family.RENTAL: frozenset(StepKind) - {StepKind.PAYMENT_DEMAND},
    Family.FINANCE_LEASE: _FINANCED,
    Family.LOAN: _FINANCED,
}
CONTACTS = frozenset({StepKind.REMINDER, StepKind.PAYMENT_DEMAND, StepKind.FIRST_NOTICE, StepKind.SECOND_NOTICE})
NOTICE_BEFORE = {StepKind.LIMIT: StepKind.FIRST_NOTICE, StepKind.LOCK: StepKind.SECOND_NOTICE}
# What a notice announces.
ANNOUNCED = {StepKind.FIRST_NOTICE: StepKind.LIMIT, StepKind.SECOND_NOTICE: StepKind.LOCK}


class StepState(StrEnum):
    """A contact is planned, sent, delivered; a restriction is planned and requested. Failed ones may be planned again."""

    PLANNED = "planned"
    SENT = "sent"
    DELIVERED = "delivered"
    REQUESTED = "requested"
    FAILED = "failed"
    CANCELLED = "cancelled"


STEP = Transitions(
    "催收步骤",
    {
        StepState.PLANNED: {StepState.SENT, StepState.REQUESTED, StepState.CANCELLED, StepState.FAILED},
        # A message given up as failed may still be reported as delivered later: the report is believed.
        StepState.SENT: {StepState.DELIVERED, StepState.FAILED},
        StepState.REQUESTED: {StepState.FAILED},
        StepState.FAILED: {StepState.DELIVERED},
        StepState.DELIVERED: set(),
        StepState.CANCELLED: set(),
    },
)


class HoldReason(StrEnum):
    """Why nothing may be done in a case for now."""

    DISPUTE = "dispute"
    HARDSHIP = "hardship"
    DEATH = "death"
    DISASTER = "disaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPolicy:
    """When which rung may be climbed and when a debtor may be contacted. The defaults are the floor no tenant can go below.

    Days count past the due date of the oldest overdue item, those of ``demand_period_days`` from the day a demand reaches the debtor: the
    reasonable time of Civil Code art. 752. Contact hours: 8:00-21:00 local, inside the bound of GB/T 45251-2025 (no collection between
    22:00 and 8:00); at most three contacts per debtor and day, as the standard allows for voice calls.
    """

    reminder_days_past_due: int = 1
    first_notice_days_past_due: int = 3
    second_notice_days_past_due: int = 7
    limit_days_past_due: int = 5
    limit_after_notice_hours: int = 24
    lock_days_past_due: int = 10
    lock_after_notice_hours: int = 72
    demand_days_past_due: int = 7
    demand_period_days: int = 15
    contact_from_hour: int = 8
    contact_until_hour: int = 21
    contacts_per_day_max: int = 3


FLOOR = LadderPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung climbed or about to be."""

    id: UUID
    case_id: UUID
    kind: StepKind
    state: StepState
    message_id: UUID | None
    due_at: Instant
    done_at: Instant | None
    delivered_at: Instant | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An agreement worked for its arrears, as of the newest close of business."""

    id: UUID
    agreement_id: UUID
    family: Family
    party_id: UUID
    state: CaseState
    days_past_due: int
    overdue_fen: int
    aged_on: BusinessDate
    opened_at: Instant
    closed_at: Instant | None
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reason to do nothing, until it is lifted."""

    id: UUID
    case_id: UUID
    reason: HoldReason
    placed_by: str
    placed_at: Instant
    lifted_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """What a close of business said about one agreement's arrears."""

    agreement_id: UUID
    party_id: UUID
    business_date: BusinessDate
    days_past_due: int
    overdue_fen: int
