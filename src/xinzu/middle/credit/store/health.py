"""SQL over kept snapshots: how the sources behind indicators are, and how values are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import Value
from xinzu.middle.credit.rules.drift import Base
from xinzu.middle.credit.store.facts import json_text
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

SNAPSHOTS_READ_MAX = 5_000  # the newest of a stretch of time; more would not move a share

# A source of facts had something to say of an applicant when it had a fact at all; another one when it gave some value.
_SOURCES = """
WITH s AS (
    SELECT application_id, as_of, indicators, duration_us FROM credit_snapshot
    WHERE tenant_id = :tenant AND as_of >= :begin AND as_of < :until ORDER BY as_of DESC LIMIT :limit
), v AS (
    SELECT s.application_id, s.duration_us, m.source, e.value->>0 IS NULL AS is_null, e.value->>1 = 'ok' AS is_ok,
           extract(epoch FROM s.as_of - cast(e.value->>2 AS timestamptz)) AS age
    FROM s CROSS JOIN LATERAL jsonb_each(s.indicators) AS e(key, value)
    JOIN unnest(cast(:keys AS text[]), cast(:sources AS text[])) AS m(key, source) ON m.key = e.key
), p AS (
    SELECT source, application_id, min(duration_us) AS duration_us, count(*) AS said, count(*) FILTER (WHERE is_null) AS nulls,
           min(age) AS age, bool_or(CASE WHEN source LIKE 'facts.%' THEN age IS NOT NULL ELSE is_ok END) AS is_hit
    FROM v GROUP BY source, application_id
)
SELECT source, count(*) AS snapshots, count(*) FILTER (WHERE is_hit) AS hits, cast(sum(said) AS bigint) AS said,
       cast(sum(nulls) AS bigint) AS nulls, percentile_disc(0.5) WITHIN GROUP (ORDER BY age) AS age_p50,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_us) AS duration_p50,
       percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_us) AS duration_p99
FROM p GROUP BY source ORDER BY source
"""

_VALUES = """
SELECT e.key, e.value->0 AS value, count(*) AS seen
FROM (
    SELECT indicators FROM credit_snapshot
    WHERE tenant_id = :tenant AND as_of >= :begin AND as_of < :until ORDER BY as_of DESC LIMIT :limit
) s CROSS JOIN LATERAL jsonb_each(s.indicators) AS e(key, value)
WHERE e.key = ANY(cast(:keys AS text[])) GROUP BY 1, 2
"""


async def sources(read: ReadSession, source_of: Mapping[str, str], begin: Instant, until: Instant) -> Sequence[Row]:
    """A row for each source that some snapshot of the time tells of; ``source_of`` is by indicator."""
    return await read.rows(
        _SOURCES, begin=begin, until=until, limit=SNAPSHOTS_READ_MAX, keys=list(source_of), sources=list(source_of.values())
    )


async def values_seen(read: ReadSession, keys: Sequence[str], begin: Instant, until: Instant) -> dict[str, dict[Value, int]]:
    """By indicator how often each value was seen."""
    found: dict[str, dict[Value, int]] = {}
    for row in await read.rows(_VALUES, begin=begin, until=until, limit=SNAPSHOTS_READ_MAX, keys=list(keys)):
        # A flag and a number are different keys only if the flag is spelled: True == 1.
        value = str(row.value) if isinstance(row.value, bool) else row.value
        found.setdefault(row.key, {})[value] = row.seen
    return found


async def set_bases(uow: UnitOfWork, bases: Mapping[str, tuple[Base, int]], begin: Instant, until: Instant) -> None:
    """Put the bases in the place of those before."""
    await uow.execute(
        "INSERT INTO credit_drift_base (tenant_id, indicator, bins, value_count, begin_at, until_at, frozen_at)"
        " SELECT :tenant, b.indicator, b.bins, b.value_count, :begin, :until, :now"
        " FROM unnest(cast(:indicators AS text[]), cast(:bins AS jsonb[]), cast(:counts AS int[])) AS b(indicator, bins, value_count)"
        " ON CONFLICT (tenant_id, indicator) DO UPDATE SET bins = excluded.bins, value_count = excluded.value_count,"
        " begin_at = excluded.begin_at, until_at = excluded.until_at, frozen_at = excluded.frozen_at",
        begin=begin,
        until=until,
        now=uow.now,
        indicators=list(bases),
        bins=[json_text(base) for base, _ in bases.values()],
        counts=[count for _, count in bases.values()],
    )


async def bases(read: ReadSession) -> dict[str, Base]:
    rows = await read.rows("SELECT indicator, bins FROM credit_drift_base WHERE tenant_id = :tenant ORDER BY indicator")
    return {
        row.indicator: Base(None if row.bins["edges"] is None else tuple(row.bins["edges"]), row.bins["shares"]) for row in rows
    }
