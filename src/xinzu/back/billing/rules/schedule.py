"""The schedule of equal rents in advance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from xinzu.back.billing.model import ScheduleRow, Segment, Why
from xinzu.kernel.time import BusinessDate, add_months


def equal_rents_in_advance(
    rent_fen: int, period_months: int, period_count: int, commencement_on: BusinessDate
) -> tuple[ScheduleRow, ...]:
    """One row per rental period; each is due on its first day.

    Every date is counted from the commencement date, so that a rental begun on the 31st is due on each month's last day and not on
    the 28th for good. Raises ValueError unless rent, months and count are above zero.

    >>> from datetime import date
    >>> [(row.number, str(row.due_on), str(row.to_on)) for row in equal_rents_in_advance(29900, 1, 3, date(2026, 1, 31))]
    [(1, '2026-01-31', '2026-02-27'), (2, '2026-02-28', '2026-03-30'), (3, '2026-03-31', '2026-04-29')]
    """
    if min(rent_fen, period_months, period_count) < 1:
        raise ValueError("rent, months per period and number of periods must be above zero")
    return tuple(
        instalment_row(rent_fen, period_months, period_count, commencement_on, number) for number in range(1, period_count + 1)
    )


def instalment_row(
    rent_fen: int, period_months: int, period_count: int, commencement_on: BusinessDate, number: int
) -> ScheduleRow:
    """One row of the schedule: what the plan is made of and what explains an instalment later."""
    from_on = add_months(commencement_on, (number - 1) * period_months)
    to_on = add_months(commencement_on, number * period_months) - timedelta(days=1)
    why = Why(
        formula="equal_rent_in_advance",
        words_zh="每期租金固定，于每期首日支付；各期日期均自起租日起算",
        words_en="The rent is the same for every period and due on its first day; all dates are counted from the commencement date",
        inputs={
            "rent_fen": rent_fen,
            "number": number,
            "period_count": period_count,
            "period_months": period_months,
            "commencement_on": commencement_on.isoformat(),
        },
        segments=(Segment(from_on, to_on, rent_fen),),
    )
    return ScheduleRow(number, from_on, to_on, from_on, rent_fen, why)


def term_end(period_months: int, period_count: int, commencement_on: BusinessDate) -> BusinessDate:
    """The last day of the term.

    >>> from datetime import date
    >>> term_end(1, 12, date(2026, 3, 2))
    datetime.date(2027, 3, 1)
    """
    return add_months(commencement_on, period_months * period_count) - timedelta(days=1)


def fingerprint(rows: Sequence[ScheduleRow]) -> str:
    """SHA-256 over the rows, one line each of number, first day, last day, due date and fen: what the evidence log keeps.

    >>> from datetime import date
    >>> fingerprint(equal_rents_in_advance(29900, 1, 1, date(2026, 3, 2)))[:16]
    'fa782f011dfa00b6'
    """
    lines = (f"{row.number}|{row.from_on}|{row.to_on}|{row.due_on}|{row.amount_fen}\n" for row in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
