"""How much of a year lies between two dates."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal

from xinzu.back.billing.rules.schedules.terms import DayCount
from xinzu.kernel.time import BusinessDate

_ACTUAL = {DayCount.ACTUAL_360: 360, DayCount.ACTUAL_364: 364, DayCount.ACTUAL_365: 365}


def year_fraction(convention: DayCount, from_on: BusinessDate, to_on: BusinessDate) -> Decimal:
    """The part of a year from one date to a later one, unrounded beyond the context's precision. ISDA 2006 definitions § 4.16.

    ``actual/actual`` splits at 31 December: the days of each calendar year over the days of that year. Raises ValueError for
    ``period``, which dates alone do not tell.

    >>> year_fraction(DayCount.ACTUAL_365, date(2028, 2, 1), date(2028, 3, 1)) * 365
    Decimal('29.00000000000000000000000000')
    >>> [days_360(convention, date(2026, 2, 28), date(2026, 3, 31)) for convention in
    ...  (DayCount.THIRTY_360, DayCount.THIRTY_360_US, DayCount.THIRTY_360_EU)]
    [33, 30, 32]
    """
    days_in_year = _ACTUAL.get(convention)
    if days_in_year is not None:
        return Decimal((to_on - from_on).days) / days_in_year
    if convention is DayCount.ACTUAL_ACTUAL:
        return _actual_actual(from_on, to_on)
    return Decimal(days_360(convention, from_on, to_on)) / 360


def days_360(convention: DayCount, from_on: BusinessDate, to_on: BusinessDate) -> int:
    """Days between two dates when every month has thirty.

    ``30/360`` is ISDA's bond basis; ``-us`` also takes the last of February for a 30th (NASD); ``-eu`` is 30E/360.
    """
    first, last = from_on.day, to_on.day
    if convention is DayCount.THIRTY_360_EU:
        first, last = min(first, 30), min(last, 30)
    elif convention in (DayCount.THIRTY_360, DayCount.THIRTY_360_US):
        if convention is DayCount.THIRTY_360_US and _is_last_of_february(from_on):
            if _is_last_of_february(to_on):
                last = 30
            first = 30
        first = min(first, 30)
        if first == 30:
            last = min(last, 30)
    else:
        raise ValueError(f"{convention} is not counted in months of thirty days")
    return (to_on.year - from_on.year) * 360 + (to_on.month - from_on.month) * 30 + last - first


def _is_last_of_february(on: BusinessDate) -> bool:
    return on.month == 2 and on.day == calendar.monthrange(on.year, 2)[1]


def _actual_actual(from_on: BusinessDate, to_on: BusinessDate) -> Decimal:
    whole = Decimal(0)
    while from_on.year < to_on.year:
        new_year = date(from_on.year + 1, 1, 1)
        whole += Decimal((new_year - from_on).days) / _days_of(from_on.year)
        from_on = new_year
    return whole + Decimal((to_on - from_on).days) / _days_of(to_on.year)


def _days_of(year: int) -> int:
    return 366 if calendar.isleap(year) else 365
