"""SQL of indicators: computed now, computed over history, and as they were kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.credit.definitions import computed
from xinzu.middle.credit.model import SHARED, EntityKind, IndicatorValue, Known, Snapshot, Status
from xinzu.middle.credit.rules import compile as compiled
from xinzu.middle.credit.rules.compile import Query
from xinzu.middle.credit.store.facts import json_text
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

# By indicator and role (of, over, less) what was counted.
Numbers: TypeAlias = dict[str, dict[str, int | None]]
EVER = timedelta(days=36_500)

_INSERT_SNAPSHOTS = """
INSERT INTO credit_snapshot (tenant_id, application_id, as_of, catalogue_sha256, indicators, sha256, duration_us)
SELECT :tenant, s.application_id, s.as_of, :catalogue, s.indicators, s.sha256, s.duration_us
FROM unnest(cast(:ids AS uuid[]), cast(:instants AS timestamptz[]), cast(:indicators AS jsonb[]), cast(:digests AS text[]),
            cast(:durations AS bigint[])) AS s(application_id, as_of, indicators, sha256, duration_us)
"""


@cache
def _queries() -> Mapping[str, Query]:
    """The shipped definitions as SQL, compiled once per process."""
    shipped = list(computed().values())
    kinds = (compiled.online, compiled.shared_online, compiled.history, compiled.shared_history)
    return {kind.__name__: kind(shipped) for kind in kinds}


@cache
def _reach() -> Mapping[EntityKind, int | None]:
    return compiled.reach_hours(computed().values())


async def online(read: ReadSession, applicants: Sequence[Known]) -> tuple[dict[UUID, Numbers], dict[UUID, dict[str, Instant]]]:
    """What the indicators of these applicants count now, and the time of the newest fact behind each: two statements for any number."""
    own = [
        (known.application_id, kind, known.keys[kind], read.now - (EVER if hours is None else timedelta(hours=hours)))
        for known in applicants
        for kind, hours in _reach().items()
        if kind in known.keys
    ]
    query = _queries()["online"]
    rows = await read.rows(
        query.sql,
        as_of=read.now,
        ids=[known.application_id for known in applicants],
        parties=[str(known.party_id) for known in applicants],
        key_ids=[each[0] for each in own],
        entity_kinds=[each[1] for each in own],
        entity_keys=[each[2] for each in own],
        since=[each[3] for each in own],
    )
    numbers: dict[UUID, Numbers] = {row.i: _numbers(query, row) for row in rows}
    times = {row.i: {key: at for key, name in query.times.items() if (at := getattr(row, name)) is not None} for row in rows}
    shared = await _shared(read, applicants)
    of_shared = _queries()["shared_online"]
    for known in applicants:
        for column in of_shared.columns:
            # A column tells of the entity of its aggregate: it is read from the row of the applicant's own channel, product, merchant.
            kind = column.aggregate.entities[0]
            row = shared[kind, known.keys[kind]]
            numbers[known.application_id].setdefault(column.key, {})[column.role] = getattr(row, column.name)
            if column.role == "of" and (at := getattr(row, of_shared.times[column.key])) is not None:
                times[known.application_id][column.key] = at
    return numbers, times


async def _shared(read: ReadSession, applicants: Iterable[Known]) -> dict[tuple[str, str], Row]:
    keys = sorted({(kind, known.keys[kind]) for known in applicants for kind in SHARED})
    rows = await read.rows(
        _queries()["shared_online"].sql,
        as_of=read.now,
        entity_kinds=[kind for kind, _ in keys],
        entity_keys=[key for _, key in keys],
    )
    return {(row.entity_kind, row.entity_key): row for row in rows}


async def over_history(read: ReadSession, begin: Instant, until: Instant) -> dict[UUID, Numbers]:
    """What the indicators counted for every application put to a decision in a stretch of time, from the facts alone."""
    found: dict[UUID, Numbers] = {}
    for name in ("history", "shared_history"):
        query = _queries()[name]
        for row in await read.rows(query.sql, begin=begin, until=until):
            numbers = found.setdefault(row.i, {})
            for key, by_role in _numbers(query, row).items():
                numbers.setdefault(key, {}).update(by_role)
    return found


def _numbers(query: Query, row: Row) -> Numbers:
    found: Numbers = {}
    for column in query.columns:
        found.setdefault(column.key, {})[column.role] = getattr(row, column.name)
    return found


async def insert_snapshots(uow: UnitOfWork, snapshots: Sequence[Snapshot], catalogue_sha256: str) -> None:
    await uow.execute(
        _INSERT_SNAPSHOTS,
        catalogue=catalogue_sha256,
        ids=[each.application_id for each in snapshots],
        instants=[each.as_of for each in snapshots],
        indicators=[json_text({key: _row(value) for key, value in each.values.items()}) for each in snapshots],
        digests=[each.sha256 for each in snapshots],
        durations=[each.duration_us for each in snapshots],
    )


async def snapshot(read: ReadSession, application_id: UUID) -> Snapshot | None:
    row = await read.row(
        "SELECT application_id, as_of, catalogue_sha256, indicators, sha256, duration_us FROM credit_snapshot"
        " WHERE tenant_id = :tenant AND application_id = :id",
        id=application_id,
    )
    if row is None:
        return None
    values = {key: _value(said) for key, said in row.indicators.items()}
    return Snapshot(row.application_id, row.as_of, row.catalogue_sha256, values, row.sha256, row.duration_us)


def _row(value: IndicatorValue) -> list[object]:
    return [value.value, value.status, value.observed_at]


def _value(said: Sequence[Any]) -> IndicatorValue:
    observed_at = None if said[2] is None else Instant.fromisoformat(said[2])
    return IndicatorValue(said[0], Status(said[1]), observed_at)
