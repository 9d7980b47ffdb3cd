"""How the sources of indicators are: what they hit, how old, how empty, and whether their values drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.middle.credit.definitions import computed
from xinzu.middle.credit.errors import TooLittleHistory
from xinzu.middle.credit.rules.drift import VALUES_MIN, freeze, stability_index
from xinzu.middle.credit.schemas.indicators import BaseFrozen
from xinzu.middle.credit.store import health as store
from xinzu.platform.uow import ReadSession, UnitOfWork

HEALTH_DAYS = 28
WEEKS = 4
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FreezeBase:
    """The dates whose decisions make the base, both included."""

    first_on: BusinessDate
    last_on: BusinessDate


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source over a stretch of time. Rates are fractions; ``latency`` is of the whole computation its batch was part of.

    ``age_seconds_p50`` is how long before the decision its newest fact lay; None where a source has no facts with a time.
    """

    source: str
    indicators: int
    snapshots: int
    hit_rate: float | None
    null_rate: float | None
    age_seconds_p50: int | None
    latency_ms_p50: float | None
    latency_ms_p99: float | None


@dataclass(frozen=True, slots=True)
class Drift:
    """An indicator's stability index in one week; None with fewer than ``VALUES_MIN`` values."""

    indicator: str
    week_on: BusinessDate
    value_count: int
    psi: float | None


async def source_health(read: ReadSession) -> list[SourceHealth]:
    """Every source of the shipped indicators over the last four weeks; one nobody asked yet has no rates."""
    source_of = {key: definition.source_key for key, definition in computed().items()}
    rows = await store.sources(read, source_of, read.now - timedelta(days=HEALTH_DAYS), read.now + timedelta(microseconds=1))
    told = {row.source: row for row in rows}
    found = []
    for source in sorted(set(source_of.values())):
        row, size = told.get(source), list(source_of.values()).count(source)
        if row is None:
            found.append(SourceHealth(source, size, 0, None, None, None, None, None))
            continue
        is_counted = source.startswith("facts.")
        found.append(
            SourceHealth(
                source,
                size,
                row.snapshots,
                round(row.hits / row.snapshots, 4),
                round(row.nulls / row.said, 4),
                None if row.age_p50 is None else int(row.age_p50),
                row.duration_p50 / 1000 if is_counted else None,
                row.duration_p99 / 1000 if is_counted else None,
            )
        )
    return found


async def drift(read: ReadSession) -> list[Drift]:
    """The last four full weeks (from Monday, by the tenant's calendar) of every indicator that has a base."""
    bases = await store.bases(read)
    if not bases:
        return []
    monday = read.business_date - timedelta(days=read.business_date.weekday())
    found = []
    for week in range(WEEKS, 0, -1):
        begin, until = _between(read, monday - week * WEEK, monday - (week - 1) * WEEK - timedelta(days=1))
        seen = await store.values_seen(read, list(bases), begin, until)
        found += [
            Drift(key, monday - week * WEEK, sum(seen.get(key, {}).values()), stability_index(base, seen.get(key, {})))
            for key, base in bases.items()
        ]
    return found


async def freeze_bases(uow: UnitOfWork, requests: Sequence[FreezeBase]) -> list[Outcome[BaseFrozen]]:
    """Freeze the distribution of every indicator over these dates as what later weeks are held against, in place of the one before.

    Refused with TooLittleHistory below ``VALUES_MIN`` decisions with a snapshot.
    """
    outcomes: list[Outcome[BaseFrozen]] = []
    for request in requests:
        begin, until = _between(uow, request.first_on, request.last_on)
        seen = await store.values_seen(uow, list(computed()), begin, until)
        found = {key: (base, sum(values.values())) for key, values in seen.items() if (base := freeze(values)) is not None}
        if not found:
            outcomes.append(
                TooLittleHistory(
                    f"所选日期内少于 {VALUES_MIN} 笔有指标快照的决策，请选择更长的区间",
                    f"There are fewer than {VALUES_MIN} decisions with indicators on these dates: choose more of them",
                )
            )
            continue
        await store.set_bases(uow, found, begin, until)
        values = max(count for _, count in found.values())
        outcomes.append(BaseFrozen(first_on=request.first_on, last_on=request.last_on, indicators=len(found), decisions=values))
    return outcomes


def _between(read: ReadSession, first_on: BusinessDate, last_on: BusinessDate) -> tuple[Instant, Instant]:
    return read.calendar.opening(first_on), read.calendar.opening(last_on + timedelta(days=1))
