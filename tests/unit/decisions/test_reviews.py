"""Reviews: working time, whose turn it is, who may not decide, and what few overturned declines say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.kernel.time import DEFAULT_CALENDAR, SHANGHAI, Instant
from xinzu.middle.decisions.model import Referral, Reviewer, ReviewLevel, ReviewPolicy
from xinzu.middle.decisions.rules.reviews import (
    Interest,
    after_working_minutes,
    assigned,
    conflict,
    may_review,
    next_level,
    share_of,
)

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI).astimezone(UTC)
LEVELS = list(ReviewLevel)


def referral(number: int, *, level: ReviewLevel = ReviewLevel.REVIEWER, waits_minutes: int = 0, **what: object) -> Referral:
    return Referral(
        decision_id=UUID(int=number),
        application_id=UUID(int=1_000 + number),
        party_id=UUID(int=2_000 + number),
        level=level,
        round=1,
        queued_at=MONDAY - timedelta(minutes=waits_minutes),
        due_at=None,
        escalated_count=0,
        entered_by=what.get("entered_by"),  # type: ignore[arg-type]
        held_by=what.get("held_by"),  # type: ignore[arg-type]
        held_until=what.get("held_until"),  # type: ignore[arg-type]
        reviewed_by=what.get("reviewed_by", ()),  # type: ignore[arg-type]
    )


def weekdays(on: date) -> bool:
    return on.weekday() < 5


def local(at: Instant) -> str:
    return at.astimezone(SHANGHAI).strftime("%a %H:%M")


def test_the_clock_runs_in_working_hours_only() -> None:
    policy = ReviewPolicy()
    sunday_night = MONDAY - timedelta(hours=12)
    friday_evening = MONDAY + timedelta(days=4, hours=8, minutes=30)
    assert local(after_working_minutes(MONDAY, 120, policy, DEFAULT_CALENDAR, weekdays)) == "Mon 11:00"
    assert local(after_working_minutes(sunday_night, 120, policy, DEFAULT_CALENDAR, weekdays)) == "Mon 11:00"
    assert local(after_working_minutes(friday_evening, 120, policy, DEFAULT_CALENDAR, weekdays)) == "Mon 10:30"
    assert local(after_working_minutes(MONDAY, 540, policy, DEFAULT_CALENDAR, weekdays)) == "Mon 18:00"
    assert local(after_working_minutes(MONDAY, 541, policy, DEFAULT_CALENDAR, weekdays)) == "Tue 09:01"


def test_whoever_is_open_daily_counts_saturdays() -> None:
    friday_evening = MONDAY + timedelta(days=4, hours=8, minutes=30)
    assert (
        local(after_working_minutes(friday_evening, 120, ReviewPolicy(is_open_daily=True), DEFAULT_CALENDAR, weekdays))
        == "Sat 10:30"
    )


@given(st.integers(0, 14 * 1_440), st.integers(1, 3_000), st.integers(1, 3_000))
def test_working_minutes_add_up(begin: int, first: int, second: int) -> None:
    """Some minutes and then more end where the sum does; the end is never before the minutes themselves."""
    start, policy = MONDAY + timedelta(minutes=begin), ReviewPolicy()
    between = after_working_minutes(start, first, policy, DEFAULT_CALENDAR, weekdays)
    end = after_working_minutes(start, first + second, policy, DEFAULT_CALENDAR, weekdays)
    assert after_working_minutes(between, second, policy, DEFAULT_CALENDAR, weekdays) == end
    assert end - start >= timedelta(minutes=first + second)


def test_levels_go_up_and_include_those_below() -> None:
    assert [next_level(level) for level in LEVELS] == [ReviewLevel.SENIOR, ReviewLevel.COMMITTEE, None]
    assert [may_review(ReviewLevel.SENIOR, level) for level in LEVELS] == [True, True, False]


def test_nobody_decides_on_an_order_he_took_in_on_himself_or_twice() -> None:
    of_linda = referral(1, entered_by="operator:linda")
    assert conflict(of_linda, "operator:linda", None) is Interest.ENTERED_IT
    assert conflict(of_linda, "operator:wang", of_linda.party_id) is Interest.IS_APPLICANT
    assert conflict(referral(1, reviewed_by=["operator:linda"]), "operator:linda", None) is Interest.DECIDED_IT_BEFORE
    assert conflict(of_linda, "operator:wang", UUID(int=9)) is None


def test_the_oldest_goes_first_to_whoever_holds_least() -> None:
    linda, wang = Reviewer("linda", ReviewLevel.REVIEWER), Reviewer("wang", ReviewLevel.SENIOR)
    waiting = [referral(1), referral(2, waits_minutes=60), referral(3, level=ReviewLevel.SENIOR, waits_minutes=30)]
    assert assigned(waiting, [linda, wang], {}, MONDAY) == [
        (UUID(int=2), "operator:linda"),
        (UUID(int=3), "operator:wang"),
        (UUID(int=1), "operator:linda"),
    ]
    assert assigned(waiting[:1], [linda, wang], {"operator:linda": 1}, MONDAY) == [(UUID(int=1), "operator:wang")]


def test_nothing_is_assigned_to_the_absent_the_full_or_the_partial() -> None:
    absent = Reviewer("linda", ReviewLevel.COMMITTEE, is_available=False)
    full = Reviewer("wang", ReviewLevel.COMMITTEE, held_max=1)
    clerk = Reviewer("chen", ReviewLevel.COMMITTEE)
    waiting = [referral(1, entered_by="operator:chen")]
    assert assigned(waiting, [absent, full, clerk], {"operator:wang": 1}, MONDAY) == []


def test_who_let_it_lie_is_asked_last() -> None:
    linda, wang = Reviewer("linda", ReviewLevel.REVIEWER), Reviewer("wang", ReviewLevel.REVIEWER)
    lapsed = referral(1, held_by="operator:linda", held_until=MONDAY - timedelta(minutes=1))
    assert assigned([lapsed], [linda, wang], {"operator:wang": 7}, MONDAY) == [(UUID(int=1), "operator:wang")]
    assert assigned([lapsed], [linda], {}, MONDAY) == [(UUID(int=1), "operator:linda")]


levels = st.sampled_from(LEVELS)


@given(st.lists(levels, max_size=30), st.lists(st.tuples(levels, st.integers(1, 6), st.booleans()), max_size=6))
def test_an_assignment_breaks_no_rule(needed: list[ReviewLevel], people: list[tuple[ReviewLevel, int, bool]]) -> None:
    """Each goes to one who may decide it and has room; whatever is left over, nobody could have taken."""
    waiting = [referral(number, level=level, waits_minutes=number) for number, level in enumerate(needed)]
    reviewers = [Reviewer(f"r{number}", level, free, most) for number, (level, most, free) in enumerate(people)]
    given_to = dict(assigned(waiting, reviewers, {}, MONDAY))
    by_actor = {each.actor: each for each in reviewers}
    counts = {actor: list(given_to.values()).count(actor) for actor in by_actor}
    for each in waiting:
        if (actor := given_to.get(each.decision_id)) is not None:
            assert may_review(by_actor[actor].level, each.level)
            assert by_actor[actor].is_available
        else:
            assert not any(r.is_available and may_review(r.level, each.level) and counts[r.actor] < r.held_max for r in reviewers)
    assert all(counts[actor] <= by_actor[actor].held_max for actor in counts)


@given(st.integers(1, 5_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_an_interval_holds_its_share_and_stays_within_0_and_100(case: tuple[int, int]) -> None:
    share = share_of(*case)
    assert share.rate_pct is not None
    assert share.low_pct is not None
    assert share.high_pct is not None
    assert 0 <= share.low_pct <= share.rate_pct <= share.high_pct <= 100
    assert share.is_small == (case[1] < 30)


def test_one_overturned_of_one_says_little() -> None:
    share = share_of(1, 1)
    assert (share.rate_pct, share.low_pct, share.high_pct, share.is_small) == (100.0, 20.7, 100.0, True)
