"""Two clocks: instants are aware UTC, business dates belong to the tenant's calendar and cut-off.

Nothing else in the product reads the wall clock, so that a demo, a test and a replay can live a year in a minute.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Instant = datetime  # aware, UTC
BusinessDate = date  # under a BusinessCalendar


class Clock(Protocol):
    """The only source of the current instant."""

    def now(self) -> Instant: ...


class SystemClock:
    """The wall clock, moved by a fixed offset (zero outside demos and tests)."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> Instant:
        return datetime.now(UTC) + self.offset


class FixedClock:
    """A clock that stands still until it is moved: for tests, demo filling and replays."""

    def __init__(self, at: Instant) -> None:
        self._at = as_utc(at)

    def now(self) -> Instant:
        return self._at

    def set(self, at: Instant) -> None:
        self._at = as_utc(at)

    def advance(self, by: timedelta) -> None:
        self._at += by


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """A tenant's day: its zone and the local time at which the next business date begins."""

    zone: ZoneInfo = SHANGHAI
    cut_off: time = time(0, 0)

    def business_date(self, at: Instant) -> BusinessDate:
        """The business date an instant falls on."""
        local = as_utc(at).astimezone(self.zone)
        return (local - timedelta(hours=self.cut_off.hour, minutes=self.cut_off.minute)).date()

    def opening(self, on: BusinessDate) -> Instant:
        """The first instant of a business date."""
        return datetime.combine(on, self.cut_off, self.zone).astimezone(UTC)


DEFAULT_CALENDAR = BusinessCalendar()


def as_utc(at: datetime) -> Instant:
    """An aware datetime in UTC; raises ValueError on a naive one."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime is not an instant: give it an offset")
    return at.astimezone(UTC)


def add_months(anchor: BusinessDate, months: int) -> BusinessDate:
    """The anchor's day of month that many months later, or that month's last day when it is shorter.

    Always count from the first anchor, never from the previous result, or 31 January drifts to the 28th for good.

    >>> add_months(date(2026, 1, 31), 1), add_months(date(2026, 1, 31), 2)
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 31))
    """
    years, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(years, month0 + 1)[1])
    return date(years, month0 + 1, day)
