"""When and how often a debtor may be contacted, and when a restriction may be asked for. A hard block, not a warning.

GB/T 45251-2025: without agreement no collection between 22:00 and 8:00, and at most three effective calls per debtor and day; the
product's hours are stricter by one. Only the debtor is addressed: no step has room for anyone else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from xinzu.back.collections.model import LadderPolicy
from xinzu.kernel.time import Instant

RESTRICT_UNTIL_HOUR = 20  # the guard of devices refuses later requests, so none is made that could only fail


def next_contact_at(now: Instant, zone: ZoneInfo, contacts_today: int, policy: LadderPolicy) -> Instant:
    """The instant itself when the debtor may be contacted now, else the next opening of the hours.

    ``contacts_today`` counts what was already sent on the debtor's local day; once it is used up, tomorrow is next.

    >>> from xinzu.kernel.time import SHANGHAI
    >>> next_contact_at(datetime(2026, 3, 2, 13, tzinfo=UTC), SHANGHAI, 0, LadderPolicy()).isoformat()
    '2026-03-03T00:00:00+00:00'
    """
    local = now.astimezone(zone)
    opens, closes = time(policy.contact_from_hour), time(policy.contact_until_hour)
    used_up = contacts_today >= policy.contacts_per_day_max
    if opens <= local.time() < closes and not used_up:
        return now
    day = local.date()
    if used_up or local.time() >= closes:
        day += timedelta(days=1)
    return datetime.combine(day, opens, zone).astimezone(UTC)


def next_restriction_at(now: Instant, zone: ZoneInfo, policy: LadderPolicy) -> Instant:
    """The instant itself when a device may be restricted now, else the next opening. A tenant's narrower contact hours hold here too.

    >>> from xinzu.kernel.time import SHANGHAI
    >>> next_restriction_at(datetime(2026, 3, 2, 12, tzinfo=UTC), SHANGHAI, LadderPolicy()).isoformat()
    '2026-03-03T00:00:00+00:00'
    """
    until_hour = min(policy.contact_until_hour, RESTRICT_UNTIL_HOUR)
    return next_contact_at(now, zone, 0, replace(policy, contact_until_hour=until_hour))
