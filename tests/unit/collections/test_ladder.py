"""The ladder: each rung on its day, each restriction after a delivered notice and time to act on it."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from xinzu.back.collections.errors import PolicyWeakerThanLaw
from xinzu.back.collections.model import FLOOR, STEP, LadderPolicy, Step, StepKind, StepState
from xinzu.back.collections.rules import contact_limits, ladder, policy
from xinzu.back.collections.rules.ladder import DEMAND_BASIS, announced_for, next_steps, pay_by
from xinzu.kernel.terms import Family

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)


def step(kind: StepKind, state: StepState, hours_ago: float = 0.0, delivered_hours_ago: float | None = None) -> Step:
    return Step(
        id=UUID(int=1),
        case_id=UUID(int=2),
        kind=kind,
        state=state,
        message_id=UUID(int=3),
        due_at=NOW - timedelta(hours=hours_ago),
        done_at=NOW - timedelta(hours=hours_ago),
        delivered_at=None if delivered_hours_ago is None else NOW - timedelta(hours=delivered_hours_ago),
        reason=None,
    )


REMINDED = step(StepKind.REMINDER, StepState.DELIVERED, 200, 200)


def noticed(hours: float) -> Step:
    return step(StepKind.FIRST_NOTICE, StepState.DELIVERED, hours, hours)


def noticed_again(hours: float) -> Step:
    return step(StepKind.SECOND_NOTICE, StepState.DELIVERED, hours, hours)


LIMITED = step(StepKind.LIMIT, StepState.REQUESTED, 100)


@pytest.mark.parametrize("module", [contact_limits, ladder, policy], ids=lambda module: module.__name__.split(".")[-1])
def test_every_example_in_the_rules_holds(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "steps", "expected"),
    [
        (1, [], ["reminder"]),
        (2, [REMINDED], []),
        (3, [REMINDED], ["first_notice"]),
        (3, [], ["reminder", "first_notice"]),
        (4, [REMINDED, noticed(30)], []),
        (5, [REMINDED, noticed(24)], ["limit"]),
        (5, [REMINDED, noticed(23.9)], []),
        (30, [REMINDED, step(StepKind.FIRST_NOTICE, StepState.SENT, 1)], []),
        (6, [REMINDED, noticed(48), LIMITED], []),
        (7, [REMINDED, noticed(80), LIMITED], ["second_notice"]),
        (10, [REMINDED, noticed(160), LIMITED, noticed_again(72)], ["lock"]),
        (10, [REMINDED, noticed(160), LIMITED, noticed_again(71)], []),
        (9, [REMINDED, noticed(160), LIMITED, noticed_again(80)], []),
        (30, [REMINDED, noticed(700), LIMITED, noticed_again(500), step(StepKind.LOCK, StepState.REQUESTED, 100)], []),
    ],
)
def test_the_next_rungs(days: int, steps: list[Step], expected: list[str]) -> None:
    assert [kind.value for kind in next_steps(Family.RENTAL, days, False, steps, FLOOR, NOW)] == expected


@pytest.mark.parametrize("family", [Family.FINANCE_LEASE, Family.LOAN])
@pytest.mark.parametrize(
    ("days", "steps", "expected"),
    [
        (1, [], ["reminder"]),
        (6, [REMINDED], []),
        (7, [REMINDED], ["payment_demand"]),
        (7, [], ["reminder", "payment_demand"]),
        (8, [REMINDED, step(StepKind.PAYMENT_DEMAND, StepState.SENT, 20)], []),
        (9, [REMINDED, step(StepKind.PAYMENT_DEMAND, StepState.SENT, 48)], ["payment_demand"]),
        (9, [REMINDED, step(StepKind.PAYMENT_DEMAND, StepState.FAILED, 20)], ["payment_demand"]),
        (90, [REMINDED, step(StepKind.PAYMENT_DEMAND, StepState.DELIVERED, 1_900, 1_900)], []),
    ],
)
def test_what_is_financed_is_reminded_of_and_demanded(family: Family, days: int, steps: list[Step], expected: list[str]) -> None:
    assert [kind.value for kind in next_steps(family, days, False, steps, FLOOR, NOW)] == expected


def test_art_752_a_demand_gives_its_whole_time_from_the_last_hour_at_which_it_can_arrive_and_names_its_law() -> None:
    arrives_by = date(2026, 3, 22)
    assert pay_by(FLOOR, date(2026, 3, 20)) == arrives_by + timedelta(days=15)
    assert pay_by(LadderPolicy(demand_period_days=30), date(2026, 3, 20)) == arrives_by + timedelta(days=30)
    assert "第七百五十二条" in DEMAND_BASIS[Family.FINANCE_LEASE]
    assert "第五百六十三条" in DEMAND_BASIS[Family.LOAN]


@pytest.mark.parametrize("days", [1, 3, 5, 10, 90])
def test_a_held_case_is_left_alone(days: int) -> None:
    assert next_steps(Family.RENTAL, days, True, [REMINDED, noticed(100), noticed_again(100)], FLOOR, NOW) == []


def test_a_notice_not_reported_as_delivered_is_sent_again_and_counts_for_nothing() -> None:
    lost = step(StepKind.FIRST_NOTICE, StepState.SENT, 48)
    assert next_steps(Family.RENTAL, 9, False, [REMINDED, lost], FLOOR, NOW) == [StepKind.FIRST_NOTICE]
    failed = step(StepKind.FIRST_NOTICE, StepState.FAILED, 1)
    assert next_steps(Family.RENTAL, 9, False, [REMINDED, failed], FLOOR, NOW) == [StepKind.FIRST_NOTICE]


def test_no_lock_without_a_limit_before_it() -> None:
    steps = [REMINDED, noticed(160), noticed_again(80), step(StepKind.LIMIT, StepState.FAILED, 5)]
    assert next_steps(Family.RENTAL, 12, False, steps, FLOOR, NOW) == [StepKind.LIMIT]


def test_a_restriction_refused_three_times_is_left_to_a_person() -> None:
    refused = [step(StepKind.LIMIT, StepState.FAILED, 24 * n) for n in range(3)]
    assert StepKind.LIMIT not in next_steps(
        Family.RENTAL, 9, False, [REMINDED, noticed(160), noticed_again(20), *refused], FLOOR, NOW
    )


def test_a_stricter_tenant_climbs_later() -> None:
    stricter = policy.merge({"limit_days_past_due": 8, "limit_after_notice_hours": 48})
    steps = [REMINDED, noticed(47)]
    assert next_steps(Family.RENTAL, 7, False, steps, stricter, NOW) == [StepKind.SECOND_NOTICE]
    assert StepKind.LIMIT not in next_steps(Family.RENTAL, 8, False, steps, stricter, NOW)
    assert StepKind.LIMIT in next_steps(Family.RENTAL, 8, False, [REMINDED, noticed(48)], stricter, NOW)


def test_a_notice_announces_a_day_it_can_keep() -> None:
    today = date(2026, 3, 20)
    assert announced_for(StepKind.FIRST_NOTICE, 3, FLOOR, today) == date(2026, 3, 22)
    assert announced_for(StepKind.FIRST_NOTICE, 40, FLOOR, today) == date(2026, 3, 21)
    assert announced_for(StepKind.SECOND_NOTICE, 7, FLOOR, today) == date(2026, 3, 23)


@pytest.mark.parametrize(
    "weaker",
    [
        {"reminder_days_past_due": 0},
        {"first_notice_days_past_due": 2},
        {"second_notice_days_past_due": 6},
        {"limit_days_past_due": 4},
        {"limit_after_notice_hours": 23},
        {"lock_days_past_due": 9},
        {"lock_after_notice_hours": 71},
        {"demand_days_past_due": 6},
        {"demand_period_days": 14},
        {"reminder_days_past_due": 8},
        {"lock_days_past_due": 12, "limit_days_past_due": 13},
        {"first_notice_days_past_due": 6},
        {"contact_from_hour": 20, "contact_until_hour": 20},
    ],
)
def test_a_weaker_or_disordered_policy_is_refused(weaker: dict[str, int]) -> None:
    with pytest.raises(PolicyWeakerThanLaw):
        policy.merge(weaker)


def test_a_floor_that_rose_since_a_policy_was_stored_holds() -> None:
    assert policy.in_force({"limit_days_past_due": 1, "lock_days_past_due": 15, "gone": 3}) == LadderPolicy(lock_days_past_due=15)


def test_delivery_is_believed_even_after_the_message_was_given_up() -> None:
    assert STEP.sources(StepState.DELIVERED) == [StepState.FAILED, StepState.SENT]
