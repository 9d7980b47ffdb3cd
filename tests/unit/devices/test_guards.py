"""The guards, each named after what it protects. Sources: docs page of devices, section on the ladder; Civil Code, PIPL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest

from xinzu.back.devices.model import HoldKind, Level, Reason, Situation
from xinzu.back.devices.rules.guards import RestrictionPolicy, expires_at, is_within_hours, refusal_of
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import DEFAULT_CALENDAR, SHANGHAI, Instant

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
CASE = new_id()
LIMITED = Situation(
    agreement_id=new_id(),
    device_id=new_id(),
    current=Level.LIMIT,
    consent_clause_version="2026-01",
    cleared_at=None,
    closed_case_id=None,
    raised_on=None,
    holds=frozenset(),
)
FREE = replace(LIMITED, current=Level.FREE)


def judge(
    target: Level, situation: Situation, *, now: Instant = NOON, notice_hours_ago: float | None = 100, case_id: object = CASE
) -> Reason | None:
    return refusal_of(
        target,
        situation,
        now=now,
        zone=SHANGHAI,
        today=DEFAULT_CALENDAR.business_date(now),
        notice_delivered_at=None if notice_hours_ago is None else now - timedelta(hours=notice_hours_ago),
        case_id=case_id,  # type: ignore[arg-type]
    )


def test_with_consent_notice_and_daylight_each_rung_may_be_taken() -> None:
    assert judge(Level.REMIND, FREE, notice_hours_ago=None) is None
    assert judge(Level.LIMIT, FREE) is None
    assert judge(Level.LIMIT, replace(FREE, current=Level.REMIND)) is None
    assert judge(Level.LOCK, LIMITED) is None


def test_without_the_clause_nothing_is_restricted_civil_code_496_pipl_13() -> None:
    assert judge(Level.REMIND, replace(FREE, consent_clause_version="")) is Reason.NO_CONSENT


@pytest.mark.parametrize(
    ("target", "situation", "hours", "reason"),
    [
        (Level.LIMIT, FREE, None, Reason.NOTICE_MISSING),
        (Level.LIMIT, FREE, 23.99, Reason.NOTICE_TOO_RECENT),
        (Level.LIMIT, FREE, 24, None),
        (Level.LOCK, LIMITED, 71.99, Reason.NOTICE_TOO_RECENT),
        (Level.LOCK, LIMITED, 72, None),
        (Level.LIMIT, FREE, -1, Reason.NOTICE_TOO_RECENT),
    ],
)
def test_notice_comes_a_day_before_a_limit_and_three_before_a_lock_civil_code_563(
    target: Level, situation: Situation, hours: float | None, reason: Reason | None
) -> None:
    assert judge(target, situation, notice_hours_ago=hours) is reason


def test_a_notice_of_arrears_paid_since_is_spent() -> None:
    assert judge(Level.LIMIT, replace(FREE, cleared_at=NOON - timedelta(hours=50))) is Reason.NOTICE_SPENT
    assert judge(Level.LIMIT, replace(FREE, cleared_at=NOON - timedelta(hours=150))) is None


@pytest.mark.parametrize("local_hour", [0, 6, 7, 20, 23])
def test_nobody_is_restricted_at_night(local_hour: int) -> None:
    at = NOON + timedelta(hours=local_hour - 12)
    assert judge(Level.LIMIT, FREE, now=at) is Reason.OUTSIDE_HOURS


@pytest.mark.parametrize("hold", list(HoldKind))
def test_dispute_hardship_death_and_disaster_stop_escalation(hold: HoldKind) -> None:
    assert judge(Level.LOCK, replace(LIMITED, holds=frozenset({hold}))) is Reason.ON_HOLD


def test_one_step_a_day_and_no_lock_without_a_limit() -> None:
    today = DEFAULT_CALENDAR.business_date(NOON)
    assert judge(Level.LOCK, replace(LIMITED, raised_on=today)) is Reason.ONE_STEP_A_DAY
    assert judge(Level.LOCK, replace(LIMITED, raised_on=today - timedelta(days=1))) is None
    assert judge(Level.LOCK, FREE) is Reason.STEP_SKIPPED
    assert judge(Level.LOCK, replace(FREE, current=Level.REMIND)) is Reason.STEP_SKIPPED


def test_a_closed_case_asks_for_nothing_any_more() -> None:
    assert judge(Level.REMIND, replace(FREE, closed_case_id=CASE)) is Reason.ARREARS_CLEARED
    assert judge(Level.REMIND, replace(FREE, closed_case_id=CASE), case_id=new_id()) is None


@pytest.mark.parametrize("current", list(Level))
def test_freeing_is_never_refused_at_any_hour_under_any_hold(current: Level) -> None:
    worst = replace(
        LIMITED,
        current=current,
        consent_clause_version="",
        holds=frozenset(HoldKind),
        raised_on=DEFAULT_CALENDAR.business_date(NOON),
    )
    for target, hour in product(Level, range(24)):
        reason = judge(target, worst, now=NOON + timedelta(hours=hour), notice_hours_ago=None)
        assert (reason is None) == (target.rank <= current.rank)


def test_a_tenant_may_be_stricter_and_never_laxer() -> None:
    RestrictionPolicy(notice_limit_hours=48, notice_lock_hours=96, opens=time(9), closes=time(18))
    for laxer in ({"notice_limit_hours": 23}, {"notice_lock_hours": 71}, {"opens": time(7)}, {"closes": time(21)}):
        with pytest.raises(ValueError, match="never laxer"):
            RestrictionPolicy(**laxer)


def test_a_command_that_restricts_dies_with_its_day_and_one_that_frees_lives_on() -> None:
    assert expires_at(Level.LOCK, NOON, SHANGHAI) == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert not is_within_hours(expires_at(Level.LOCK, NOON, SHANGHAI), SHANGHAI)
    assert expires_at(Level.FREE, NOON, SHANGHAI) == NOON + timedelta(days=30)
