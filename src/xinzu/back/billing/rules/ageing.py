"""Ageing of receivables (账龄): what is owed by how long it is past its due date.

Buckets are those risk officers and auditors read: 1–30, 31–60 and 61–90 days, then to half a year, a year and beyond. Each open item
stands in the bucket of its own due date, grace or not, so that the buckets sum to what is owed.
"""

from __future__ import annotations

from enum import StrEnum


class AgeingBucket(StrEnum):
    """Days past the due date; current is what falls due today or tomorrow."""

    CURRENT = "current"
    D1_30 = "1-30"
    D31_60 = "31-60"
    D61_90 = "61-90"
    D91_180 = "91-180"
    D181_360 = "181-360"
    OVER_360 = "over-360"


LAST_DAYS = (0, 30, 60, 90, 180, 360)
"""The last day of each bucket but the open one."""


def bucket_of(days: int) -> AgeingBucket:
    """The bucket of so many days past the due date (below zero: not yet due).

    >>> [bucket_of(days).value for days in (-1, 0, 1, 30, 31, 90, 91, 180, 181, 360, 361)]
    ['current', 'current', '1-30', '1-30', '31-60', '61-90', '91-180', '91-180', '181-360', '181-360', 'over-360']
    """
    return tuple(AgeingBucket)[sum(days > last for last in LAST_DAYS)]
