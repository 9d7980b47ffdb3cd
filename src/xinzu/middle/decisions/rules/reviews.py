"""Reviews by people: levels, whose turn it is, working time, conflicts of interest, and what overturned declines say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from math import sqrt
from uuid import UUID

from xinzu.kernel.time import BusinessCalendar, BusinessDate, Instant, as_utc
from xinzu.middle.decisions.model import (
    Decision,
    DecisionOutcome,
    DecisionState,
    Referral,
    Reviewer,
    ReviewLevel,
    ReviewPolicy,
)

LEVELS = tuple(ReviewLevel)
APPEAL_DAYS = 30  # after the review, for everybody: the law names no time, and a tenant must not make it short
ENOUGH = 30  # from so many on a share is said without a warning
Z_95 = 1.96  # the two-sided 95 % quantile of the normal distribution
_DAY = timedelta(days=1)


class Interest(StrEnum):
    """Why somebody may not decide."""

    ENTERED_IT = "entered_it"
    IS_APPLICANT = "is_applicant"
    DECIDED_IT_BEFORE = "decided_it_before"


def may_review(level: ReviewLevel, needed: ReviewLevel) -> bool:
    """Whether a reviewer of ``level`` may decide what is for ``needed``.

    >>> may_review(ReviewLevel.SENIOR, ReviewLevel.REVIEWER), may_review(ReviewLevel.SENIOR, ReviewLevel.COMMITTEE)
    (True, False)
    """
    return LEVELS.index(level) >= LEVELS.index(needed)


def next_level(level: ReviewLevel) -> ReviewLevel | None:
    """Who is asked when a level's clock has run out; None above the highest."""
    above = LEVELS[LEVELS.index(level) + 1 :]
    return above[0] if above else None


def conflict(referral: Referral, actor: str, party_id: UUID | None) -> Interest | None:
    """Which interest keeps an operator from deciding, or None: nobody decides on an order he took in, on himself, or twice."""
    if referral.entered_by == actor:
        return Interest.ENTERED_IT
    if party_id is not None and party_id == referral.party_id:
        return Interest.IS_APPLICANT
    if actor in referral.reviewed_by:
        return Interest.DECIDED_IT_BEFORE
    return None


def assigned(
    referrals: Sequence[Referral], reviewers: Sequence[Reviewer], held: Mapping[str, int], now: Instant
) -> list[tuple[UUID, str]]:
    """Who gets what, (decision, actor): the oldest first, each to whoever holds least among those who may decide it.

    ``held`` counts by actor what is held already. What was late goes to the level it was escalated to if anybody there can take it. Who let
    the same one lie before gets it only if nobody else can; of equals the lowest level, so that the high ones stay free for what only they
    may decide.
    """
    counts = {each.actor: held.get(each.actor, 0) for each in reviewers if each.is_available}
    given = []
    for referral in sorted(referrals, key=lambda each: (each.queued_at, each.decision_id)):
        able = [
            each
            for each in reviewers
            if each.is_available
            and counts[each.actor] < each.held_max
            and may_review(each.level, referral.level)
            and conflict(referral, each.actor, each.party_id) is None
        ]
        if referral.holder(now) is not None or not able:
            continue
        best = min(
            able,
            key=lambda each: (
                not may_review(each.level, referral.asked_level),
                each.actor == referral.held_by,
                counts[each.actor],
                LEVELS.index(each.level),
                each.login,
            ),
        )
        counts[best.actor] += 1
        given.append((referral.decision_id, best.actor))
    return given


def after_working_minutes(
    start: Instant,
    minutes: int,
    policy: ReviewPolicy,
    calendar: BusinessCalendar,
    is_working_day: Callable[[BusinessDate], bool],
) -> Instant:
    """The instant so many working minutes after ``start``. What comes in outside of hours begins at the next opening.

    Friday, 17:00 and two hours is Monday, 10:00:

    >>> from datetime import UTC
    >>> friday = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
    >>> monday = after_working_minutes(friday, 120, ReviewPolicy(), BusinessCalendar(), lambda on: on.weekday() < 5)
    >>> monday.astimezone(BusinessCalendar().zone).isoformat()
    '2026-03-09T10:00:00+08:00'
    """
    on = as_utc(start).astimezone(calendar.zone).date()
    left = timedelta(minutes=minutes)
    while True:
        if policy.is_open_daily or is_working_day(on):
            opens, closes = (
                as_utc(datetime.combine(on, time(0), calendar.zone)) + timedelta(minutes=minute)
                for minute in (policy.opens_minute, policy.closes_minute)
            )
            begins = max(opens, start)
            if begins + left <= closes:
                return begins + left
            left -= max(closes - begins, timedelta())
        on += _DAY


def appeal_until(reviewed_on: BusinessDate) -> BusinessDate:
    """The last day on which a person may appeal against what a person declined on ``reviewed_on``."""
    return reviewed_on + timedelta(days=APPEAL_DAYS)


def may_appeal(decision: Decision, until: BusinessDate, today: BusinessDate) -> bool:
    """Whether the first review declined, nobody appealed yet, and the time is not over."""
    return (
        decision.state is DecisionState.REVIEWED
        and decision.review is not None
        and decision.review.outcome is DecisionOutcome.DECLINE
        and decision.review.round == 1
        and today <= until
    )


@dataclass(frozen=True, slots=True)
class Share:
    """A share of ``count`` with its 95 % interval in percent; None when nothing was counted. ``is_small``: too few to act upon."""

    hits: int
    count: int
    rate_pct: float | None
    low_pct: float | None
    high_pct: float | None
    is_small: bool


def share_of(hits: int, count: int) -> Share:
    """A share with Wilson's score interval, which keeps within 0 and 100 % and says something of few and of none (E. B. Wilson,
    "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927).

    >>> share_of(3, 10)
    Share(hits=3, count=10, rate_pct=30.0, low_pct=10.8, high_pct=60.3, is_small=True)
    >>> share_of(0, 0).rate_pct is None
    True
    """
    if count == 0:
        return Share(0, 0, None, None, None, True)
    rate, squared = hits / count, Z_95**2
    middle = (rate + squared / (2 * count)) / (1 + squared / count)
    margin = Z_95 * sqrt(rate * (1 - rate) / count + squared / (4 * count**2)) / (1 + squared / count)
    low, high = max(0.0, middle - margin), min(1.0, middle + margin)
    return Share(hits, count, round(100 * rate, 1), round(100 * low, 1), round(100 * high, 1), count < ENOUGH)
