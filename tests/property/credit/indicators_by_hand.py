"""The indicators once more, the slow and plain way: a list of facts and loops. What the two SQL forms are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from xinzu.middle.credit.model import SHARED, Aggregate, Definition, EntityKind, FactKind, Measure


@dataclass(frozen=True)
class Said:
    """A fact in memory, with everything that decides whether it counts."""

    number: int
    kind: FactKind
    subject_id: UUID
    keys: Mapping[EntityKind, str]
    occurred_at: datetime
    known_at: datetime
    attributes: Mapping[str, str | int]


def value_by_hand(
    definition: Definition, log: Sequence[Said], keys: Mapping[EntityKind, str], party: str, as_of: datetime
) -> float | int | None:
    """What a definition says of an applicant with these keys at an instant."""
    assert definition.of is not None
    of = _aggregate(definition.of, log, keys, party, as_of)
    if of is None:
        return None
    if definition.less is not None:
        return of - (_aggregate(definition.less, log, keys, party, as_of) or 0)
    if definition.over is None:
        return of
    under = max((_aggregate(definition.over, log, keys, party, as_of) or 0) / definition.per, definition.over_min)
    if under == 0:
        return None
    return round(1 - of / under if definition.complement else of / under, 6)


def _aggregate(
    aggregate: Aggregate, log: Sequence[Said], keys: Mapping[EntityKind, str], party: str, as_of: datetime
) -> int | None:
    facts = [fact for fact in log if _counts(fact, aggregate, keys, party, as_of)]
    attribute = aggregate.attribute or ""
    match aggregate.measure:
        case Measure.COUNT:
            return len(facts)
        case Measure.DISTINCT:
            return len({fact.attributes[attribute] for fact in facts if attribute in fact.attributes})
        case Measure.SUM:
            return sum(int(fact.attributes.get(attribute, 0)) for fact in facts)
        case Measure.MAX:
            return max((int(fact.attributes.get(attribute, 0)) for fact in facts), default=0)
        case Measure.DAYS_SINCE_FIRST | Measure.DAYS_SINCE_LAST:
            if not facts:
                return None
            times = [fact.occurred_at for fact in facts]
            return (as_of - (min(times) if aggregate.measure is Measure.DAYS_SINCE_FIRST else max(times))) // timedelta(days=1)
        case _:
            last: dict[UUID, Said] = {}
            for fact in sorted(facts, key=lambda fact: (fact.occurred_at, fact.known_at, fact.number)):
                last[fact.subject_id] = fact
            told = [int(fact.attributes.get(attribute, 0)) for fact in last.values()]
            return sum(told) if aggregate.measure is Measure.LATEST_SUM else max(told, default=0)


def _counts(fact: Said, aggregate: Aggregate, keys: Mapping[EntityKind, str], party: str, as_of: datetime) -> bool:
    if fact.kind not in aggregate.facts or not any(
        entity in keys and fact.keys.get(entity) == keys[entity] for entity in aggregate.entities
    ):
        return False
    if not (fact.occurred_at < as_of and fact.known_at < as_of):
        return False
    hours = (aggregate.window_hours or 0) + aggregate.until_hours
    unit = "" if aggregate.entities[0] not in SHARED or hours <= 1 else "hour" if hours <= 25 else "day"
    if aggregate.window_hours is not None and fact.occurred_at < _full(as_of - timedelta(hours=hours), unit):
        return False
    if aggregate.until_hours and fact.occurred_at >= _full(as_of - timedelta(hours=aggregate.until_hours), unit):
        return False
    if any(str(fact.attributes.get(name)) not in values for name, values in aggregate.where.items()):
        return False
    return not aggregate.others or fact.attributes.get("party") != party


def _full(at: datetime, unit: str) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return {"": at, "hour": hour, "day": hour.replace(hour=0)}[unit]
