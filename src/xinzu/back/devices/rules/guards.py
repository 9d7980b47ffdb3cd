"""The law as a guard: what must hold before a device is restricted. No tenant can lower it; freeing is never refused.

Sources: Civil Code arts. 496-497 (a clause that restricts must be pointed out and agreed), 509 (good faith, notice), 563-566 (a period
to perform before consequences); PIPL arts. 13-15 (consent that can be shown); the house rules of ``docs/modules/devices.md``. The legal
reading awaits counsel; the figures are the stricter end of practice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from xinzu.back.devices.model import Level, Reason, Situation
from xinzu.kernel.time import BusinessDate, Instant

NOTICE_LIMIT_HOURS_MIN = 24
NOTICE_LOCK_HOURS_MIN = 72
OPENS_MIN = time(8, 0)
CLOSES_MAX = time(20, 0)
FREE_COMMAND_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionPolicy:
    """When restricting is allowed. Raises ValueError when it is laxer than the law: a tenant may only be stricter."""

    notice_limit_hours: int = NOTICE_LIMIT_HOURS_MIN
    notice_lock_hours: int = NOTICE_LOCK_HOURS_MIN
    opens: time = OPENS_MIN
    closes: time = CLOSES_MAX

    def __post_init__(self) -> None:
        if (
            self.notice_limit_hours < NOTICE_LIMIT_HOURS_MIN
            or self.notice_lock_hours < NOTICE_LOCK_HOURS_MIN
            or not OPENS_MIN <= self.opens < self.closes <= CLOSES_MAX
        ):
            raise ValueError("a policy may be stricter than the law, never laxer")


LAW = RestrictionPolicy()


def refusal_of(
    target: Level,
    situation: Situation,
    *,
    now: Instant,
    zone: ZoneInfo,
    today: BusinessDate,
    notice_delivered_at: Instant | None,
    case_id: UUID | None = None,
    policy: RestrictionPolicy = LAW,
) -> Reason | None:
    """Why the level must not be ordered, or None when it may. A level that does not restrict further is always allowed.

    ``notice_delivered_at`` is when the notice was proven delivered, None without one. ``today`` is the tenant's business date, ``zone``
    its zone. Checked in the order of gravity, so that the reason given is the one to mend first.
    """
    if target.rank <= situation.current.rank:
        return None
    if not situation.consent_clause_version:
        return Reason.NO_CONSENT
    if case_id is not None and case_id == situation.closed_case_id:
        return Reason.ARREARS_CLEARED
    if situation.holds:
        return Reason.ON_HOLD
    if target is Level.LOCK and situation.current is not Level.LIMIT:
        return Reason.STEP_SKIPPED
    if situation.raised_on is not None and situation.raised_on >= today:
        return Reason.ONE_STEP_A_DAY
    if not is_within_hours(now, zone, policy):
        return Reason.OUTSIDE_HOURS
    return _notice_refusal(target, now, notice_delivered_at, situation.cleared_at, policy)


def _notice_refusal(
    target: Level, now: Instant, delivered_at: Instant | None, cleared_at: Instant | None, policy: RestrictionPolicy
) -> Reason | None:
    hours = {Level.LIMIT: policy.notice_limit_hours, Level.LOCK: policy.notice_lock_hours}.get(target)
    if hours is None:
        return None
    if delivered_at is None:
        return Reason.NOTICE_MISSING
    if cleared_at is not None and delivered_at <= cleared_at:
        return Reason.NOTICE_SPENT  # it spoke of arrears that were paid since
    if now - delivered_at < timedelta(hours=hours):
        return Reason.NOTICE_TOO_RECENT
    return None


def is_within_hours(now: Instant, zone: ZoneInfo, policy: RestrictionPolicy = LAW) -> bool:
    """Whether a device may be restricted at this moment of the lessee's day.

    >>> from datetime import UTC
    >>> is_within_hours(datetime(2026, 3, 2, 1, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    True
    >>> is_within_hours(datetime(2026, 3, 2, 12, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    False
    """
    return policy.opens <= now.astimezone(zone).time() < policy.closes


def expires_at(level: Level, now: Instant, zone: ZoneInfo, policy: RestrictionPolicy = LAW) -> Instant:
    """Until when a device may act on a command issued now.

    One that restricts ends with the hours of its day, so that a phone which comes back at night is not locked at night; the gateway
    issues it anew in the next day's hours. One that frees waits for thirty days.
    """
    if level is Level.FREE:
        return now + timedelta(days=FREE_COMMAND_DAYS)
    closes = datetime.combine(now.astimezone(zone).date(), policy.closes, zone).astimezone(now.tzinfo)
    return max(closes, now + timedelta(seconds=1))
