"""When a debtor may be addressed: 8:00 to 21:00 of the debtor's local time.

GB/T 45251-2025 forbids contact from 22:00 to 8:00; the product is stricter by an hour, and a tenant may only be stricter still.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from xinzu.kernel.time import Instant

OPENS = time(8, 0)
CLOSES = time(21, 0)


def may_address_debtor(at: Instant, zone: ZoneInfo) -> bool:
    """Whether the instant lies in the hours, 21:00 itself excluded.

    >>> from xinzu.kernel.time import SHANGHAI
    >>> [may_address_debtor(datetime(2026, 3, 2, hour, tzinfo=SHANGHAI), SHANGHAI) for hour in (7, 8, 20, 21)]
    [False, True, True, False]
    """
    return OPENS <= at.astimezone(zone).time() < CLOSES


def next_opening(at: Instant, zone: ZoneInfo) -> Instant:
    """The instant itself when it lies in the hours, else the next 8:00.

    >>> from xinzu.kernel.time import SHANGHAI
    >>> next_opening(datetime(2026, 3, 2, 22, tzinfo=SHANGHAI), SHANGHAI).isoformat()
    '2026-03-03T00:00:00+00:00'
    """
    if may_address_debtor(at, zone):
        return at
    local = at.astimezone(zone)
    day = local.date() if local.time() < OPENS else local.date() + timedelta(days=1)
    return datetime.combine(day, OPENS, zone).astimezone(UTC)
