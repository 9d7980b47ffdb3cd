"""Due dates that fall on days off: the working days of mainland China, with make-up days (调休), and what a product does about them.

The table is the package chinesecalendar's, which follows the State Council's yearly notices (国务院办公厅关于节假日安排的通知). The notice
for a year comes out in the November before it: ``is_announced`` tells whether a year is in the table. Other years know Saturdays and
Sundays only, so a schedule that reaches into them is shifted anew when the notice is out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib import import_module

from xinzu.back.billing.rules.schedules.amortise import Row
from xinzu.back.billing.rules.schedules.periods import periods_of
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms, Timing, refused
from xinzu.kernel.time import BusinessDate

_DAY = timedelta(days=1)
_FRIDAY = 4


class ShiftPolicy(StrEnum):
    """Where a due date on a day off goes. Modified following stays in its month: it goes back when the next working day lies in another."""

    NONE = "none"
    FOLLOWING = "following"
    PRECEDING = "preceding"
    MODIFIED_FOLLOWING = "modified_following"


@cache
def _table() -> tuple[frozenset[BusinessDate], frozenset[BusinessDate], range]:
    """Days off, make-up working days, and the years they are known for. Loaded by the first who asks."""
    constants = import_module("chinese_calendar.constants")
    days_off, worked = frozenset(constants.holidays), frozenset(constants.workdays)
    return days_off, worked, range(min(days_off).year, max(days_off).year + 1)


def is_announced(year: int) -> bool:
    """Whether the holidays of a year are in the table.

    >>> is_announced(2026), is_announced(2003)
    (True, False)
    """
    return year in _table()[2]


def is_working_day(on: BusinessDate) -> bool:
    """Whether people work on that day in mainland China; in a year that is not announced, whether it is Monday to Friday.

    National Day 2025 is off, and the Sunday before it is worked instead:

    >>> from datetime import date
    >>> [is_working_day(date(2025, *day)) for day in ((9, 28), (10, 1), (10, 9), (10, 11), (10, 12))]
    [True, False, True, True, False]
    """
    days_off, worked, _ = _table()
    return on in worked or (on.weekday() <= _FRIDAY and on not in days_off)


def shifted(on: BusinessDate, policy: ShiftPolicy) -> BusinessDate:
    """The date itself when it is a working day, or the working day the policy names.

    >>> from datetime import date
    >>> [str(shifted(date(2025, 10, 1), policy)) for policy in ShiftPolicy]
    ['2025-10-01', '2025-10-09', '2025-09-30', '2025-10-09']
    >>> str(shifted(date(2026, 1, 31), ShiftPolicy.FOLLOWING)), str(shifted(date(2026, 1, 31), ShiftPolicy.MODIFIED_FOLLOWING))
    ('2026-02-02', '2026-01-30')
    """
    if policy is ShiftPolicy.NONE:
        return on
    step = -_DAY if policy is ShiftPolicy.PRECEDING else _DAY
    found = _nearest(on, step)
    if policy is ShiftPolicy.MODIFIED_FOLLOWING and (found.year, found.month) != (on.year, on.month):
        return _nearest(on, -_DAY)
    return found


def _nearest(on: BusinessDate, step: timedelta) -> BusinessDate:
    while not is_working_day(on):
        on += step
    return on


def due_on_of(agreed_on: BusinessDate, policy: ShiftPolicy, commencement_on: BusinessDate) -> BusinessDate:
    """When what an agreement asks for on a day is due. What is due at the commencement is paid with the handover, whatever day that is.

    >>> from datetime import date
    >>> [str(due_on_of(date(2025, 10, 1), ShiftPolicy.FOLLOWING, began_on)) for began_on in (date(2025, 9, 1), date(2025, 10, 1))]
    ['2025-10-09', '2025-10-01']
    """
    return agreed_on if agreed_on == commencement_on else shifted(agreed_on, policy)


def with_shifted_dues(rows: Sequence[Row], policy: ShiftPolicy) -> tuple[Row, ...]:
    """The rows due on working days, every amount as it was: interest runs by the agreed periods, only the payment moves.

    Rows of periods shorter than a holiday may come to be due on one day.
    """
    return tuple(replace(row, due_on=shifted(row.due_on, policy)) for row in rows)


def with_shifted_periods(terms: ScheduleTerms, policy: ShiftPolicy) -> ScheduleTerms:
    """Terms whose periods end on working days, so that interest follows the shift. For terms in arrears.

    The next period begins on the shifted day; every date is still counted from the seed, so shifts do not add up. Raises Invalid for
    terms in advance, and when a period is so short that it would vanish.
    """
    if policy is ShiftPolicy.NONE:
        return terms
    if terms.timing is not Timing.ARREARS:
        raise refused("timing", "先付租金的计息期不随假日顺延", "must be arrears for interest periods to follow the shift")
    dates = []
    from_on = terms.start_on
    for period in periods_of(terms):
        due_on = shifted(period.due_on, policy)
        if due_on <= from_on:
            raise refused("every", "计息期短于假期，无法顺延", "makes periods shorter than a holiday: shift the due dates only")
        dates.append((from_on, due_on))
        from_on = due_on
    return replace(terms, period_dates=tuple(dates), periods=0, first_due_on=None)


def unannounced_years(dates: Iterable[BusinessDate]) -> tuple[int, ...]:
    """The years among the dates of which only the weekends are known yet, in order.

    >>> from datetime import date
    >>> unannounced_years([date(2026, 5, 1), date(2099, 5, 1)])
    (2099,)
    """
    return tuple(sorted({on.year for on in dates if not is_announced(on.year)}))
