"""Closures over arrays: ``all some none one filter map flatMap count``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from xinzu.middle.decisions.rules.replay.columns import (
    ASK,
    BOOL,
    FAIL,
    NUM,
    Column,
    Mask,
    Strings,
    arrays,
    bit,
    booleans,
    choose,
    tagged,
)
from xinzu.middle.decisions.rules.replay.comparing import FALSE, TRUE, guarded
from xinzu.middle.decisions.rules.replay.lists import flattened, length
from xinzu.middle.decisions.rules.replay.scope import with_trouble

_Values: TypeAlias = list[tuple[Mask, Column, Column]]


def _mapped(values: _Values) -> Column:
    result = arrays([(mask, value) for mask, _, value in values])
    for mask, _, value in values:
        result = with_trouble(result, (value,), mask)
    return result


def _filtered(values: _Values) -> Column:
    result = arrays([(np.asarray(mask & value.truth()), item) for mask, item, value in values])
    return _after_conditions(result, values)


def _counted(values: _Values) -> Column:
    return length(_filtered(values), Strings())


def _once(values: _Values) -> Column:
    count = _counted(values)
    return replace(
        booleans(count.data == 1),
        tags=np.where(count.tags == NUM, np.uint8(BOOL), count.tags),
        kinds=count.kinds & ~bit(NUM) | bit(BOOL),
    )


def _after_conditions(result: Column, values: _Values) -> Column:
    for tag in (FAIL, ASK):
        for mask, _, value in values:
            if not value.is_only(BOOL):
                bad = ~value.has(BOOL) & ~value.has(ASK) if tag == FAIL else value.has(ASK)
                result = tagged(result, np.asarray(mask & bad), tag)
    return result


def _until(stop: bool, at_stop: Column, at_end: Column) -> Callable[[_Values], Column]:
    """The items are looked at in turn and no further than the first that decides."""

    def run(values: _Values) -> Column:
        if all(value.is_only(BOOL) for _, _, value in values):
            decided = np.zeros(1, dtype=np.bool_)
            for mask, _, value in values:
                decided = decided | (mask & (value.truth() if stop else ~value.truth()))
            return choose(np.asarray(decided), at_stop, at_end)
        result = at_end
        for mask, _, value in reversed(values):
            decides = value.truth() if stop else value.has(BOOL) & ~value.truth()
            here = choose(np.asarray(decides), at_stop, result)
            here = guarded(here, np.asarray(value.has(BOOL)), value)
            result = choose(np.asarray(mask), here, result)
        return result

    return run


CLOSED: dict[str, Callable[[_Values], Column]] = {
    "map": _mapped,
    "flatMap": lambda values: flattened(_mapped(values)),
    "filter": _filtered,
    "count": _counted,
    "one": _once,
    "some": _until(True, TRUE, FALSE),
    "none": _until(True, FALSE, TRUE),
    "all": _until(False, FALSE, TRUE),
}
