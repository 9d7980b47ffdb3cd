"""When rows are due and over which days their interest accrues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from xinzu.back.billing.rules.schedules.terms import ScheduleTerms, Timing, Unit
from xinzu.kernel.time import BusinessDate, add_months

_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3}
_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}


@dataclass(frozen=True, slots=True)
class Period:
    """A row's dates. Interest that the row asks for accrued from ``accrues_from`` up to ``due_on``; ``is_regular`` when that is exactly
    ``nominal_count`` nominal periods. ``from_on`` is the first day of what the row pays for."""

    number: int
    from_on: BusinessDate
    due_on: BusinessDate
    accrues_from: BusinessDate
    is_regular: bool
    nominal_count: int = 1


def shift(unit: Unit, every: int, seed: BusinessDate, count: int) -> BusinessDate:
    """The seed so many periods on (or back). Months are counted from the seed, so that its day of month is kept.

    >>> from datetime import date
    >>> [str(shift(Unit.MONTH, 1, date(2026, 1, 31), n)) for n in (1, 2)]
    ['2026-02-28', '2026-03-31']
    """
    months = _MONTHS.get(unit)
    if months is not None:
        return add_months(seed, months * every * count)
    return seed + timedelta(days=_DAYS[unit] * every * count)


def periods_between(unit: Unit, every: int, from_on: BusinessDate, to_on: BusinessDate) -> Decimal:
    """Nominal periods between two dates: whole ones counted back from the later, and the days left as a share of one more.

    >>> from datetime import date
    >>> periods_between(Unit.MONTH, 1, date(2026, 1, 15), date(2026, 3, 15)), periods_between(Unit.MONTH, 1, date(2026, 2, 1), date(2026, 2, 15))
    (Decimal('2'), Decimal('0.4516129032258064516129032258'))
    """
    count = 0
    while (longer := shift(unit, every, to_on, -count - 1)) >= from_on:
        count += 1
    whole = shift(unit, every, to_on, -count)
    return count + Decimal((whole - from_on).days) / (whole - longer).days


def periods_of(terms: ScheduleTerms) -> list[Period]:
    """One period per row; advance terms have one more at the end of the term, for what falls due only there."""
    boundaries, regular = _boundaries(terms)
    if terms.timing is Timing.ARREARS:
        return [
            Period(number, boundaries[number - 1], boundaries[number], boundaries[number - 1], regular[number - 1])
            for number in range(1, len(boundaries))
        ]
    # In advance a row pays for the period it begins; the interest it asks for accrued in the period before.
    first = terms.first_due_on or terms.start_on
    dues = boundaries if boundaries[0] == first else boundaries[1:]
    before = terms.start_on
    rows = []
    for number, due_on in enumerate(dues, 1):
        index = boundaries.index(due_on)
        rows.append(Period(number, due_on, due_on, before, index == 0 or regular[index - 1]))
        before = due_on
    return rows


def _boundaries(terms: ScheduleTerms) -> tuple[list[BusinessDate], list[bool]]:
    """The dates between periods from the start to the end of the term, and for each gap whether it is exactly one nominal period."""
    unit, every = terms.unit, terms.every
    if terms.period_dates:
        dates = [terms.start_on, *(due_on for _, due_on in terms.period_dates)]
        return dates, [shift(unit, every, a, 1) == b for a, b in pairwise(dates)]
    count = terms.row_count
    first = terms.first_due_on
    if first is None or (first == terms.start_on) or first == shift(unit, every, terms.start_on, 1):
        # In advance a first due date one period after the start leaves that period without a row of its own.
        extra = 1 if terms.timing is Timing.ADVANCE and first is not None and first != terms.start_on else 0
        dates = [shift(unit, every, terms.start_on, n) for n in range(count + 1 + extra)]
        return dates, [True] * (len(dates) - 1)
    later = count if terms.timing is Timing.ADVANCE else count - 1
    dates = [terms.start_on, *(shift(unit, every, first, n) for n in range(later + 1))]
    return dates, [shift(unit, every, first, -1) == terms.start_on, *[True] * (len(dates) - 2)]
