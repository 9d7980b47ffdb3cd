"""Operations on arrays, item by item for all rows at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinzu.middle.decisions.rules.replay.arithmetic import added, divided
from xinzu.middle.decisions.rules.replay.columns import (
    ARR,
    ASK,
    FAIL,
    NUM,
    STR,
    Column,
    Mask,
    Strings,
    arrays,
    choose,
    integers,
    tagged,
)
from xinzu.middle.decisions.rules.replay.comparing import FAILED, NOTHING, after_trouble, compared, guarded, is_number
from xinzu.middle.decisions.rules.replay.texts import per_text


def of_arrays(result: Column, a: Column) -> Column:
    """A result about arrays: anything else fails."""
    return result if a.is_only(ARR) else guarded(result, np.asarray(a.has(ARR)), a)


def length(a: Column, strings: Strings) -> Column:
    """``len``: of an array its items, of a text its bytes."""
    result = FAILED
    if a.may_be(ARR):
        count = np.zeros(1, dtype=np.int64)
        for mask, _ in a.items:
            count = count + mask
        result = choose(np.asarray(a.has(ARR)), integers(count), result)
    if a.may_be(STR):
        sizes, places = per_text(a, strings, lambda text: len(text.encode()))
        sized = integers(np.array([size or 0 for size in sizes], dtype=np.int64)[places])
        result = choose(np.asarray(a.has(STR)), sized, result)
    return after_trouble(result, a)


def summed(a: Column) -> Column:
    """``sum`` of an array of numbers; zero when it is empty."""
    total = integers(np.zeros(1, dtype=np.int64))
    for mask, item in a.items:
        if item.is_only(NUM) and total.is_only(NUM):
            total = added(total, replace(item, data=np.where(mask, item.data, 0)))
        else:
            total = choose(np.asarray(mask), added(total, item), total)
    return of_arrays(replace(total, plain=total.plain and total.scale == 0), a)


def averaged(a: Column) -> Column:
    """``avg``; of an empty array it fails."""
    count = np.zeros(1, dtype=np.int64)
    for mask, _ in a.items:
        count = count + mask
    mean = divided(summed(a), integers(count))
    return guarded(mean, np.asarray(count > 0), a)


def extreme(a: Column, operator: str) -> Column:
    """``min`` (<) or ``max`` (>) of an array of numbers; of an empty array it fails."""
    best, started = FAILED, np.zeros(1, dtype=np.bool_)
    failed, asked = np.zeros(1, dtype=np.bool_), np.zeros(1, dtype=np.bool_)
    for mask, item in a.items:
        better = compared(operator, item, best)
        failed = failed | (mask & ~is_number(item) & ~item.has(ASK))
        asked = asked | (mask & (item.has(ASK) | (started & better.has(ASK))))
        best = choose(np.asarray(mask & (~started | better.truth())), item, best)
        started = started | mask
    result = of_arrays(best, a)
    if asked.any():
        result = tagged(result, asked, ASK)
    return tagged(result, failed, FAIL) if failed.any() else result


def at_place(a: Column, place: int) -> Column:
    """An array's item by its place; null beyond the end and of anything that is no array."""
    result, seen = NOTHING, np.zeros(1, dtype=np.int64)
    for mask, item in a.items:
        result = choose(np.asarray(mask & (seen == place)), item, result)
        seen = seen + mask
    if not a.is_only(ARR):
        result = choose(np.asarray(a.has(ARR)), result, NOTHING)
        if a.may_be(STR):
            result = tagged(result, np.asarray(a.has(STR)), ASK)
    return after_trouble(result, a)


def flattened(a: Column) -> Column:
    """``flatten``: items that are arrays are replaced by their items."""
    items: list[tuple[Mask, Column]] = []
    for mask, item in a.items:
        inner = item.has(ARR)
        items += [(mask & inner & each_mask, each) for each_mask, each in item.items]
        if not item.is_only(ARR):
            items.append((mask & ~inner, item))
    return of_arrays(arrays(items), a)
