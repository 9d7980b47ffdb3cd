"""Columns from JSON values and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinzu.middle.decisions.rules.replay.columns import (
    ABSENT,
    ARR,
    ASK,
    BOOL,
    EXACT_FLOAT_MAX,
    FAIL,
    ITEMS_MAX,
    MANTISSA_MAX,
    NULL,
    NUM,
    OBJ,
    ONE_TAG,
    REAL,
    STR,
    Column,
    Data,
    Mask,
    Rows,
    Strings,
    bit,
    booleans,
    choose,
    integers,
    objects,
    tagged,
    take,
)


def column_of(values: Sequence[Any], strings: Strings) -> Column:
    """A column of JSON values (None, bool, int, float, str, list, dict); a number the engine would round is ASK."""
    count = len(values)
    types = {type(value) for value in values}
    tags = np.full(count, NULL, dtype=np.uint8)
    data = np.zeros(count, dtype=np.int64)
    if types <= {bool}:
        return booleans(np.array(values, dtype=np.bool_))
    if types <= {str}:
        return Column(np.full(count, STR, dtype=np.uint8), np.array(strings.codes(values), dtype=np.int64), bit(STR))
    if types <= {float} and count:
        return _floats(np.array(values, dtype=np.float64))
    if types <= {int} and count:
        try:
            return integers_checked(np.array(values, dtype=np.int64))
        except OverflowError:
            pass
    result = Column(tags, data, bit(NULL))
    for kind in types - {type(None)}:
        rows = np.array([row for row, value in enumerate(values) if type(value) is kind], dtype=np.intp)
        chosen = [values[row] for row in rows]
        result = _scattered(result, rows, _of_one_type(kind, chosen, strings), count)
    if type(None) not in types:
        result = replace(result, kinds=result.kinds & ~bit(NULL))
    return result


def _scattered(base: Column, rows: Rows, part: Column, count: int) -> Column:
    where = np.zeros(count, dtype=np.bool_)
    where[rows] = True
    places = np.zeros(count, dtype=np.intp)
    places[rows] = np.arange(len(rows))
    return choose(where, take(part, places), base)


def integers_checked(values: Data) -> Column:
    """Whole numbers; ASK where they are too large to compute with."""
    column = integers(values)
    too_large = (values >= MANTISSA_MAX) | (values <= -MANTISSA_MAX)
    return tagged(column, too_large, ASK) if too_large.any() else column


def _of_one_type(kind: type, values: list[Any], strings: Strings) -> Column:
    if kind is int:
        fits = [abs(value) < MANTISSA_MAX for value in values]
        column = integers(np.array([value if fit else 0 for value, fit in zip(values, fits, strict=True)], dtype=np.int64))
        return tagged(column, ~np.array(fits, dtype=np.bool_), ASK)
    if kind is list:
        return _lists(values, strings)
    if kind is dict:
        return _dicts(values, strings)
    if kind in (bool, str, float):
        return column_of(values, strings)
    return tagged(integers(np.zeros(len(values), dtype=np.int64)), np.ones(len(values), dtype=np.bool_), ASK)


def _floats(values: NDArray[np.float64]) -> Column:
    """Floats of at most 15 digits as decimals of one scale; the rest is ASK."""
    tags = ONE_TAG[NUM]
    whole = np.rint(values)
    if (whole == values).all() and whole.min(initial=0) > -EXACT_FLOAT_MAX and whole.max(initial=0) < EXACT_FLOAT_MAX:
        return Column(tags, whole.astype(np.int64), bit(NUM))
    small = np.abs(values) < EXACT_FLOAT_MAX
    left = np.where(small, values, 0.0)
    mantissas, fits, scale = np.rint(left), left == np.rint(left), 0
    while not fits.all() and scale < 12:
        scale += 1
        shifted = left * 10.0**scale
        mantissas = np.rint(shifted)
        fits = (mantissas / 10.0**scale == left) & (np.abs(shifted) < EXACT_FLOAT_MAX)
    column = Column(tags, np.where(fits, mantissas, 0.0).astype(np.int64), bit(NUM), scale)
    lost = ~(small & fits)
    if not lost.any():
        return column
    if (large := lost & (np.abs(values) >= EXACT_FLOAT_MAX / 10.0**scale) & (left == np.rint(left)) & small).any():
        wholes = Column(tags, np.rint(np.where(large, left, 0.0)).astype(np.int64), bit(NUM))
        return tagged(choose(large, wholes, column), lost & ~large, ASK)
    return tagged(column, lost, ASK)


KINDS_MAX = 12


def _texts(values: NDArray[np.str_], strings: Strings) -> Column:
    """Text of few kinds by comparing whole columns; of many, one by one."""
    tags = ONE_TAG[STR]
    width = values.dtype.itemsize // 4
    if len(values) and width:
        even = np.ascontiguousarray(values if width % 2 == 0 else values.astype(f"<U{width + 1}"))
        pairs = even.view(np.int64).reshape(len(values), -1)  # of letters
        words = [np.ascontiguousarray(pairs[:, place]) for place in range(pairs.shape[1])]
        codes, unknown = np.zeros(len(values), dtype=np.int64), np.ones(len(values), dtype=np.bool_)
        for _ in range(KINDS_MAX):
            first = int(unknown.argmax())
            if not unknown[first]:
                return Column(tags, codes, bit(STR))
            same = words[0] == words[0][first]
            for word in words[1:]:
                same &= word == word[first]
            np.putmask(codes, same, strings.code(str(values[first])))
            unknown &= ~same
    return Column(tags, np.array(strings.codes(values.tolist()), dtype=np.int64), bit(STR))


def _lists(values: list[list[Any]], strings: Strings) -> Column:
    lengths = np.array([len(value) for value in values])
    longest = min(int(lengths.max(initial=0)), ITEMS_MAX)
    items: list[tuple[Mask, Column]] = []
    for place in range(longest):
        mask = lengths > place
        items.append((mask, column_of([value[place] if len(value) > place else None for value in values], strings)))
    column = Column(np.full(len(values), ARR, dtype=np.uint8), np.zeros(len(values), dtype=np.int64), bit(ARR), items=items)
    return tagged(column, lengths > ITEMS_MAX, ASK)


_MISSING = object()


def _dicts(values: Sequence[Mapping[str, Any]], strings: Strings) -> Column:
    names = list(dict.fromkeys(chain.from_iterable(values)))
    turned = _turned(names, values)
    members: dict[str, Column] = {}
    for place, name in enumerate(names):
        if turned is not None:
            members[name] = column_of(turned[place], strings)
            continue
        cells = [value.get(name, _MISSING) for value in values]
        absent = np.array([cell is _MISSING for cell in cells], dtype=np.bool_)
        column = column_of([None if cell is _MISSING else cell for cell in cells], strings)
        members[name] = tagged(column, absent, ABSENT)
    return replace(objects(members), tags=np.full(len(values), OBJ, dtype=np.uint8), data=np.zeros(len(values), dtype=np.int64))


def _turned(names: Sequence[str], values: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]] | None:
    """Objects that all have the same members, as most do, as a column for each; None for any others."""
    try:
        return list(zip(*map(itemgetter(*names), values), strict=True)) if len(names) > 1 else None
    except KeyError:
        return None


def column_of_array(values: NDArray[Any], strings: Strings) -> Column:
    """A column of a NumPy array: whole numbers, floats (not a number is null), booleans, text, or objects; what is masked is null."""
    if isinstance(values, np.ma.MaskedArray):
        return tagged(column_of_array(values.data, strings), np.ma.getmaskarray(values), NULL)
    if values.dtype.kind == "b":
        return booleans(values)
    if values.dtype.kind in "iu":
        return integers_checked(values.astype(np.int64))
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        return tagged(_floats(np.where(missing, 0.0, values)), missing, NULL)
    if values.dtype.kind == "U":
        return _texts(values, strings)
    return column_of(values.tolist(), strings)


def python_values(column: Column, count: int, strings: Strings, ask: Mask) -> list[Any]:
    """The values as JSON; rows the engine must decide are marked in ``ask``."""
    tags = np.broadcast_to(column.tags, count)
    data = np.broadcast_to(column.data, count)
    if column.kinds == bit(NUM) and not column.scale:
        return list(data.tolist())
    if column.kinds == bit(BOOL):
        return list((data != 0).tolist())
    if column.kinds == bit(STR):
        texts = strings.texts
        return [texts[code] for code in data.tolist()]
    out = np.empty(count, dtype=object)
    if column.may_be(BOOL):
        rows = np.flatnonzero(tags == BOOL)
        out[rows] = (data[rows] != 0).tolist()
    if column.may_be(STR):
        rows = np.flatnonzero(tags == STR)
        texts = strings.texts
        out[rows] = [texts[code] for code in data[rows].tolist()]
    if column.may_be(NUM):
        rows = np.flatnonzero(tags == NUM)
        out[rows] = _numbers(data[rows], column.scale, rows, ask)
    if column.may_be(REAL):
        rows = np.flatnonzero(tags == REAL)
        if column.nearest:
            reals = data[rows].view(np.float64)
            out[rows] = reals.tolist()
            ask[rows[reals == np.rint(reals)]] = True  # only the engine's digits tell 4 from what is nearest to 4.0
        else:
            ask[rows] = True
    for tag in (FAIL, ASK):
        if column.may_be(tag):
            ask |= tags == tag
    if column.may_be(ARR):
        mine = tags == ARR
        lists: list[list[Any] | None] = [[] if each else None for each in mine.tolist()]
        for mask, item in column.items:
            here = np.broadcast_to(mask, count) & mine
            rows = np.flatnonzero(here)
            inner_ask = np.zeros(len(rows), dtype=np.bool_)
            values = python_values(take(item, rows), len(rows), strings, inner_ask)
            for row, value in zip(rows.tolist(), values, strict=True):
                lists[row].append(value)  # type: ignore[union-attr]
            ask[rows[inner_ask]] = True
        for row in np.flatnonzero(mine).tolist():
            out[row] = lists[row]
    if column.may_be(OBJ):
        _put_objects(column, tags == OBJ, out, strings, ask)
    return out.tolist()


def _put_objects(column: Column, mine: Mask, out: NDArray[Any], strings: Strings, ask: Mask) -> None:
    rows = np.flatnonzero(mine)
    whole = len(rows) == len(out)
    names, cells, complete = tuple(column.members), [], True
    for each in column.members.values():
        inner = each if whole else take(each, rows)
        inner_ask = np.zeros(len(rows), dtype=np.bool_)
        values = python_values(inner, len(rows), strings, inner_ask)
        if inner.may_be(ABSENT):
            for row in np.flatnonzero(np.broadcast_to(inner.tags == ABSENT, len(rows))).tolist():
                values[row], complete = _MISSING, False
        ask[rows[inner_ask]] = True
        cells.append(values)
    by_row = zip(*cells, strict=True) if cells else ((),) * len(rows)
    if complete:
        made = [dict(zip(names, row, strict=True)) for row in by_row]
    else:
        made = [{name: cell for name, cell in zip(names, row, strict=True) if cell is not _MISSING} for row in by_row]
    out[rows] = _objects(made)


def _objects(made: list[dict[str, Any]]) -> NDArray[Any]:
    array = np.empty(len(made), dtype=object)
    array[:] = made
    return array


def _numbers(mantissas: Data, scale: int, rows: Rows, ask: Mask) -> list[int | float]:
    if scale == 0:
        return list(mantissas.tolist())
    power = 10**scale
    whole, rest = np.divmod(mantissas, power)
    broken = rest != 0
    long = broken & (np.abs(mantissas) >= EXACT_FLOAT_MAX)
    if long.any():
        ask[rows[long]] = True
    floats = (mantissas / float(power)).tolist()
    return [
        value if is_broken else integer for value, integer, is_broken in zip(floats, whole.tolist(), broken.tolist(), strict=True)
    ]
