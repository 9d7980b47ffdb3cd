"""Days past due: how late an agreement is at the close of a business date.

The close ages every agreement at once, in SQL (``store.items.become_overdue``, ``store.accounts.age``); a test holds the two together.
What can be overdue are rents and the late fees on them, no other charge.
"""

from __future__ import annotations

from collections.abc import Iterable

from xinzu.back.billing.model import Arrears, OpenItem
from xinzu.kernel.time import BusinessDate


def is_overdue(due_on: BusinessDate, grace_days: int, on: BusinessDate) -> bool:
    """Whether an open item is overdue at the close of ``on``: its due date lies more than the grace days back.

    >>> from datetime import date
    >>> [is_overdue(date(2026, 3, 2), 3, date(2026, 3, day)) for day in (5, 6)]
    [False, True]
    """
    return (on - due_on).days > grace_days


def arrears(open_items: Iterable[OpenItem], grace_days: int, on: BusinessDate) -> Arrears:
    """Days past due of the oldest overdue item, counted from its due date, and the sum of all overdue items.

    Within the grace days nothing is overdue; once they are over, the days count from the due date. While nothing is paid, the days grow
    by one each day and the sum never falls.
    """
    late = [item for item in open_items if item.open_fen > 0 and is_overdue(item.due_on, grace_days, on)]
    if not late:
        return Arrears(0, 0)
    return Arrears((on - min(item.due_on for item in late)).days, sum(item.open_fen for item in late))
