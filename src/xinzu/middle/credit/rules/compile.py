"""From definitions to SQL: online for a few applicants now, and in one sweep for any stretch of history, out of the same definitions.

Both look at facts that occurred and were known strictly before the instant of the application: one written at that very instant may have
come after the decision, and nobody could tell later. Online, what an applicant has to
itself (party, phone, address, device …) is read from the facts under its keys, one index range per key, whatever the number of
indicators; what very many share (channel, merchant) is read from the counters of full days, of the hours since, and from the facts of
the open hour. In history no counter is read, so that each checks the other.

Windows over what is shared are exact up to one hour, begin on the full hour up to a day, and on the full day (UTC) beyond.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xinzu.middle.credit.model import SHARED, Aggregate, Definition, EntityKind, Measure

EXACT_HOURS_MAX = 1
BY_HOUR_MAX = 25  # longer windows are made of days
_LATEST = {Measure.LATEST_SUM: "sum", Measure.LATEST_MAX: "max"}
_ROLES = ("of", "over", "less")
COUNTED_AMOUNT = "value_fen"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer: one aggregate of one indicator."""

    key: str
    role: str
    name: str
    aggregate: Aggregate


@dataclass(frozen=True, slots=True)
class Query:
    """SQL and what its columns mean. ``times`` are the columns that hold the time of the newest fact behind an indicator,
    of counters to the hour."""

    sql: str
    columns: Sequence[Column]
    times: Mapping[str, str]


def columns_of(definitions: Iterable[Definition], *, shared: bool) -> list[Column]:
    """The aggregates of these definitions, in order: those over shared entities or the others."""
    parts = [
        (definition.key, role, aggregate)
        for definition in definitions
        for role in _ROLES
        if (aggregate := getattr(definition, role)) is not None and aggregate.is_shared is shared
    ]
    return [Column(key, role, f"c{number}", aggregate) for number, (key, role, aggregate) in enumerate(parts)]


def reach_hours(definitions: Iterable[Definition]) -> dict[EntityKind, int | None]:
    """How far back the facts of each entity are asked for; None is without end. Shared entities: only what counters do not hold."""
    found: dict[EntityKind, int | None] = {}
    for column in columns_of(definitions, shared=False):
        for entity in column.aggregate.entities:
            hours = column.aggregate.window_hours
            known = found.get(entity, 0)
            found[entity] = None if hours is None or known is None else max(known, hours)
    return found


# What an applicant has to itself, for applications given as arrays. ``since`` keeps each range of the index as short as it may be.
_ONLINE = """
WITH a AS MATERIALIZED (
    SELECT i, party, cast(:as_of AS timestamptz) AS as_of
    FROM unnest(cast(:ids AS uuid[]), cast(:parties AS text[])) AS a(i, party)
), f AS MATERIALIZED (
    SELECT k.i, k.entity_kind, f.kind, f.subject_id, f.occurred_at, f.known_at, f.id, f.attributes
    FROM unnest(cast(:key_ids AS uuid[]), cast(:entity_kinds AS text[]), cast(:entity_keys AS text[]), cast(:since AS timestamptz[]))
         AS k(i, entity_kind, entity_key, since)
    JOIN LATERAL (
        SELECT kind, subject_id, occurred_at, known_at, id, attributes FROM credit_fact
        WHERE tenant_id = :tenant AND entity_kind = k.entity_kind AND entity_key = k.entity_key
          AND occurred_at >= k.since AND occurred_at < :as_of AND known_at < :as_of
        OFFSET 0
    ) f ON true
)"""

# The same of all applications put to a decision in a stretch of time, each as of its own instant: a join instead of ranges.
_HISTORY = """
WITH a AS MATERIALIZED (
    SELECT application_id AS i, cast(party_id AS text) AS party, as_of, keys FROM credit_applicant
    WHERE tenant_id = :tenant AND as_of >= :begin AND as_of < :until
), f AS MATERIALIZED (
    SELECT a.i, f.entity_kind, f.kind, f.subject_id, f.occurred_at, f.known_at, f.id, f.attributes
    FROM a CROSS JOIN LATERAL jsonb_each_text(a.keys) AS k(entity_kind, entity_key)
    JOIN credit_fact f ON f.tenant_id = :tenant AND f.entity_kind = k.entity_kind AND f.entity_key = k.entity_key
     AND f.occurred_at < a.as_of AND f.known_at < a.as_of
    WHERE k.entity_kind {which} ({shared})
)"""

_SHARED_ONLINE = """
WITH a AS MATERIALIZED (
    SELECT entity_kind, entity_key, as_of, date_trunc('hour', as_of) AS hour, date_trunc('day', as_of) AS day
    FROM (SELECT cast(:as_of AS timestamptz) AS as_of) asked,
         unnest(cast(:entity_kinds AS text[]), cast(:entity_keys AS text[])) AS a(entity_kind, entity_key)
), f AS (
    SELECT a.entity_kind, a.entity_key, c.kind, c.bucket_at AS at, 24 AS hours, c.facts, c.amount
    FROM a JOIN LATERAL (
        SELECT kind, bucket_at, facts, amount FROM credit_counter
        WHERE tenant_id = :tenant AND entity_kind = a.entity_kind AND entity_key = a.entity_key AND bucket_hours = 24
          AND bucket_at >= a.day - interval '{days} days' AND bucket_at < a.day
        OFFSET 0
    ) c ON true
    UNION ALL
    SELECT a.entity_kind, a.entity_key, c.kind, c.bucket_at, 1, c.facts, c.amount
    FROM a JOIN LATERAL (
        SELECT kind, bucket_at, facts, amount FROM credit_counter
        WHERE tenant_id = :tenant AND entity_kind = a.entity_kind AND entity_key = a.entity_key AND bucket_hours = 1
          AND bucket_at >= a.hour - interval '{hours} hours' AND bucket_at < a.hour
        OFFSET 0
    ) c ON true
    UNION ALL
    SELECT a.entity_kind, a.entity_key, f.kind, f.occurred_at, 0, 1, coalesce(cast(f.attributes->>'{amount}' AS bigint), 0)
    FROM a JOIN LATERAL (
        SELECT kind, occurred_at, attributes FROM credit_fact
        WHERE tenant_id = :tenant AND entity_kind = a.entity_kind AND entity_key = a.entity_key
          AND occurred_at >= a.as_of - interval '{exact} hours' AND occurred_at < a.as_of AND known_at < a.as_of
        OFFSET 0
    ) f ON true
)"""


def online(definitions: Iterable[Definition]) -> Query:
    """One statement for every indicator over what applicants have to themselves."""
    return _query(_ONLINE, list(definitions))


def history(definitions: Iterable[Definition]) -> Query:
    """The same for all applications of a stretch of time."""
    return _query(_HISTORY.format(which="NOT IN", shared=_list(SHARED)), list(definitions))


def shared_online(definitions: Iterable[Definition]) -> Query:
    """One statement for every indicator over shared entities: a row per entity."""
    columns = columns_of(definitions, shared=True)
    days = max(_hours(column.aggregate) for column in columns) // 24 + 1
    head = _SHARED_ONLINE.format(days=days, hours=BY_HOUR_MAX, amount=COUNTED_AMOUNT, exact=EXACT_HOURS_MAX)
    listed = [f"{_counted(column.aggregate)} AS {column.name}" for column in columns]
    sources = {column.key: f"f.kind IN ({_list(column.aggregate.facts)})" for column in columns if column.role == "of"}
    listed += [f"max(f.at) FILTER (WHERE {source}) AS {name}" for source, name in _named(sources).items()]
    tail = " FROM a LEFT JOIN f USING (entity_kind, entity_key) GROUP BY a.entity_kind, a.entity_key"
    sql = f"{head}\nSELECT a.entity_kind, a.entity_key, {', '.join(listed)}{tail}"
    return Query(sql, columns, {key: _named(sources)[source] for key, source in sources.items()})


def shared_history(definitions: Iterable[Definition]) -> Query:
    """The indicators over shared entities for all applications of a stretch of time, from the facts alone.

    Its cost is applications times the facts of their windows: meant for samples and nights.
    """
    columns = columns_of(definitions, shared=True)
    chosen = ", ".join(f"{_measure(column.aggregate)} AS {column.name}" for column in columns)
    head = _HISTORY.format(which="IN", shared=_list(SHARED))
    return Query(f"{head}\nSELECT a.i, {chosen} FROM a LEFT JOIN f USING (i) GROUP BY a.i", columns, {})


def _query(head: str, definitions: Sequence[Definition]) -> Query:
    columns = columns_of(definitions, shared=False)
    latest = [column for column in columns if column.aggregate.measure in _LATEST]
    ctes = "".join(f", {column.name}_latest AS ({_latest(column.aggregate)})" for column in latest)
    joins = "".join(f" LEFT JOIN {column.name}_latest ON {column.name}_latest.i = a.i" for column in latest)
    chosen = [
        f"cast(coalesce(max({column.name}_latest.value), 0) AS bigint)" if column in latest else _measure(column.aggregate)
        for column in columns
    ]
    sources = {column.key: _source(column.aggregate) for column in columns if column.role == "of"}
    names = _named(sources)
    listed = [f"{expression} AS {column.name}" for expression, column in zip(chosen, columns, strict=True)]
    listed += [f"max(f.occurred_at) FILTER (WHERE {source}) AS {name}" for source, name in names.items()]
    sql = f"{head}{ctes}\nSELECT a.i, {', '.join(listed)} FROM a LEFT JOIN f ON f.i = a.i{joins} GROUP BY a.i"
    return Query(sql, columns, {key: names[source] for key, source in sources.items()})


def _named(sources: Mapping[str, str]) -> dict[str, str]:
    """A column for the time of the newest fact of each source: by the source's condition its name."""
    return {source: f"t{number}" for number, source in enumerate(dict.fromkeys(sources.values()))}


def _latest(aggregate: Aggregate) -> str:
    """The last fact of each subject, and their sum or maximum; a fact without the attribute counts as zero (a clearing has no arrears)."""
    order = "f.i, f.subject_id, f.occurred_at DESC, f.known_at DESC, f.id DESC"
    value = f"coalesce({_number(aggregate)}, 0) AS value"
    last = f"SELECT DISTINCT ON (f.i, f.subject_id) f.i, {value} FROM f JOIN a ON a.i = f.i WHERE {_condition(aggregate)}"  # noqa: S608
    return f"SELECT i, {_LATEST[aggregate.measure]}(value) AS value FROM ({last} ORDER BY {order}) each GROUP BY i"  # noqa: S608


def _measure(aggregate: Aggregate) -> str:
    condition = f"FILTER (WHERE {_condition(aggregate)})"
    match aggregate.measure:
        case Measure.COUNT:
            return f"count(*) {condition}"
        case Measure.DISTINCT:
            return f"count(DISTINCT f.attributes->>'{aggregate.attribute}') {condition}"
        case Measure.SUM:
            return f"cast(coalesce(sum({_number(aggregate)}) {condition}, 0) AS bigint)"
        case Measure.MAX:
            return f"coalesce(max({_number(aggregate)}) {condition}, 0)"
        case Measure.DAYS_SINCE_FIRST:
            return _days(f"min(f.occurred_at) {condition}")
        case Measure.DAYS_SINCE_LAST:
            return _days(f"max(f.occurred_at) {condition}")
        case _:
            raise ValueError(f"{aggregate.measure} looks at the last fact of each subject and cannot be asked of a shared entity")


def _counted(aggregate: Aggregate) -> str:
    """A count or sum over the counters of full days, of the hours since, and the facts of the open hour, as the window asks for."""
    if aggregate.measure not in (Measure.COUNT, Measure.SUM) or aggregate.where or aggregate.window_hours is None:
        raise ValueError("counters hold counts and sums of whole kinds of facts within a window, nothing else")
    amount = "facts" if aggregate.measure is Measure.COUNT else "amount"
    rows = {
        "": "f.hours = 0",
        "hour": "(f.hours = 1 OR f.hours = 0 AND f.at >= a.hour)",
        "day": "(f.hours = 24 OR f.hours = 1 AND f.at >= a.day OR f.hours = 0 AND f.at >= a.hour)",
    }[_begins_on(aggregate)]
    parts = [f"f.kind IN ({_list(aggregate.facts)})", rows, *_window(aggregate, "f.at")]
    return f"cast(coalesce(sum(f.{amount}) FILTER (WHERE {' AND '.join(parts)}), 0) AS bigint)"


def _condition(aggregate: Aggregate) -> str:
    return " AND ".join([_source(aggregate), *_window(aggregate, "f.occurred_at"), *_kept(aggregate)])


def _source(aggregate: Aggregate) -> str:
    return f"f.entity_kind IN ({_list(aggregate.entities)}) AND f.kind IN ({_list(aggregate.facts)})"


def _kept(aggregate: Aggregate) -> Iterator[str]:
    for attribute, values in aggregate.where.items():
        yield f"f.attributes->>'{attribute}' IN ({_list(values)})"
    if aggregate.others:
        yield "f.attributes->>'party' <> a.party"


def _window(aggregate: Aggregate, at: str) -> Iterator[str]:
    """The bounds of the window."""
    unit = _begins_on(aggregate)
    if aggregate.window_hours is not None:
        yield f"{at} >= {_on(unit, _hours(aggregate))}"
    if aggregate.until_hours:
        yield f"{at} < {_on(unit, aggregate.until_hours)}"


def _on(unit: str, hours_ago: int) -> str:
    before = f"a.as_of - interval '{hours_ago} hours'"
    return f"date_trunc('{unit}', {before})" if unit else before


def _begins_on(aggregate: Aggregate) -> str:
    """The unit of time whose full ones the window is made of; none where it is exact."""
    hours = _hours(aggregate)
    if not aggregate.is_shared or hours <= EXACT_HOURS_MAX:
        return ""
    return "hour" if hours <= BY_HOUR_MAX else "day"


def _hours(aggregate: Aggregate) -> int:
    return (aggregate.window_hours or 0) + aggregate.until_hours


def _number(aggregate: Aggregate) -> str:
    return f"cast(f.attributes->>'{aggregate.attribute}' AS bigint)"


def _days(at: str) -> str:
    return f"cast(floor(extract(epoch FROM min(a.as_of) - {at}) / 86400) AS bigint)"


def _list(values: Iterable[str]) -> str:
    """Names of the shipped definitions as SQL text: they are ours, and hold no quotes (a test holds them to that)."""
    return ", ".join(f"'{value}'" for value in sorted(values))
