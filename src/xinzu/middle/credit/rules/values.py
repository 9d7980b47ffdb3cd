"""From counted numbers and given facts to an indicator's value, and why it is so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from xinzu.middle.credit.model import Definition, IndicatorValue, Status, Value

RATIO_DIGITS = 6


def derived(definition: Definition, numbers: Mapping[str, int | None]) -> Value:
    """The value made of the aggregates by role (``of``, ``over``, ``less``); None where it has no meaning (nothing to divide by).

    >>> from xinzu.middle.credit.definitions import definitions
    >>> derived(definitions()["own_approve_ratio"], {"of": 1, "over": 3}), derived(definitions()["own_approve_ratio"], {"of": 0, "over": 0})
    (0.333333, None)
    """
    of = numbers["of"]
    if of is None:
        return None
    if definition.less is not None:
        return of - (numbers["less"] or 0)
    if definition.over is None:
        return of
    under = max((numbers["over"] or 0) / definition.per, definition.over_min)
    if not under:
        return None
    ratio = of / under
    return round(1 - ratio if definition.complement else ratio, RATIO_DIGITS)


def judged(definition: Definition, value: Value) -> tuple[Value, Status]:
    """A value held against its definition: what is of the wrong type counts as missing, what cannot be is not passed on."""
    if value is None or not _fits(definition, value):
        return None, Status.MISSING
    if isinstance(value, str):
        return (value, Status.OK) if value in definition.values else (None, Status.OUT_OF_RANGE)
    if not isinstance(value, bool) and (
        (definition.minimum is not None and value < definition.minimum)
        or (definition.maximum is not None and value > definition.maximum)
    ):
        return None, Status.OUT_OF_RANGE
    return value, Status.OK


def _fits(definition: Definition, value: Value) -> bool:
    match definition.type:
        case "bool":
            return isinstance(value, bool)
        case "enum":
            return isinstance(value, str)
        case "ratio" | "num":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, int) and not isinstance(value, bool)


def digest(values: Mapping[str, IndicatorValue]) -> str:
    """The hex SHA-256 of the values by key: what a decision keeps of its snapshot."""
    plain = {key: [each.value, each.status] for key, each in values.items()}
    return sha256(json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
