"""Columns of JSON values: what a row holds is told by its tag, so null, absent, failed and mixed types stay apart without Python objects.

Numbers are decimals, as in the engine: an integer mantissa with one scale per column, so ``0.1 + 0.2`` is ``0.3`` and a threshold is met
exactly. A quotient that does not terminate is REAL: a float near the engine's 28 digits, good for comparing unless it is close to the other
side. Whatever cannot be told with certainty is tagged ASK; the row is then decided by the engine.

A column of objects holds a column per member; a column of arrays holds a list of (mask, column): row r's array is the items whose mask is set,
in order. Columns of length one stand for constants and broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count as counter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
Tags: TypeAlias = NDArray[np.uint8]
Data: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.intp]
Json: TypeAlias = Any  # a value as JSON decodes to: None, bool, int, float, str, list or dict

NULL, BOOL, NUM, STR, ARR, OBJ, REAL, ABSENT, FAIL, ASK = range(10)
MANTISSA_MAX = 4 * 10**18
EXACT_FLOAT_MAX = 10**15  # a mantissa below it is told exactly by a float's 15 digits
SCALE_MAX = 18
ITEMS_MAX = 64  # longer arrays go to the engine


def bit(*tags: int) -> int:
    """The set of tags as bits."""
    bits = 0
    for tag in tags:
        bits |= 1 << tag
    return bits


SCALARS = bit(NULL, BOOL, NUM, STR)
MISSING = bit(NULL, ABSENT)
TROUBLE = bit(FAIL, ASK)


_NO_IDENTITY = np.zeros(1, dtype=np.int64)
_identities = counter(1)


def new_identity() -> Data:
    """A number no other object has."""
    return np.array([next(_identities)], dtype=np.int64)


class Strings:
    """Text by number: equal text has equal numbers, so columns of text compare as integers."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self.texts: list[str] = []

    def code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return code

    def codes(self, texts: Sequence[str]) -> list[int]:
        try:
            return list(map(self._codes.__getitem__, texts))
        except KeyError:
            for text in dict.fromkeys(texts):
                self.code(text)
            return list(map(self._codes.__getitem__, texts))


@dataclass(slots=True)
class Column:
    """One value per row. ``kinds`` holds at least every tag that occurs; ``data`` a truth, mantissa, text number or float's bits."""

    tags: Tags
    data: Any  # of truths alone they may be booleans
    kinds: int
    scale: int = 0
    plain: bool = True  # whether a number's text is its shortest: trailing zeros of a computed number show in string()
    members: dict[str, Column] = field(default_factory=dict)
    items: list[tuple[Mask, Column]] = field(default_factory=list)
    nearest: bool = True  # whether a REAL row's float is the one nearest to the engine's digits, so that it may be handed out
    identity: Data = field(
        default_factory=lambda: _NO_IDENTITY
    )  # objects of one number are one object in the engine, see merged()
    present: Column | None = field(
        init=False, default=None
    )  # the column as a new member: nulls absent; kept, so that it is made once

    def is_only(self, *tags: int) -> bool:
        return not self.kinds & ~bit(*tags)

    def may_be(self, *tags: int) -> bool:
        return any(self.kinds >> tag & 1 for tag in tags) if len(tags) > 1 else bool(self.kinds >> tags[0] & 1)

    def has(self, tag: int) -> Mask:
        """Where the value is of a type."""
        if not self.kinds >> tag & 1:
            return np.zeros(1, dtype=np.bool_)
        if self.kinds == 1 << tag:
            return np.ones(1, dtype=np.bool_)
        return np.equal(self.tags, tag)

    def floats(self) -> NDArray[np.float64]:
        """Numbers as floats; of other rows nothing sensible."""
        numbers: NDArray[np.float64] = self.data / float(10**self.scale) if self.scale else self.data.astype(np.float64)
        return np.where(self.tags == REAL, self.data.view(np.float64), numbers) if self.may_be(REAL) else numbers

    def truth(self) -> Mask:
        """Where the value is true."""
        if self.kinds == 1 << BOOL and self.data.dtype == np.bool_:
            truths: Mask = self.data
            return truths
        found: Mask = np.logical_and(self.has(BOOL), self.data)
        return found


ONE_TAG = {tag: np.full(1, tag, dtype=np.uint8) for tag in range(10)}
_ZERO = np.zeros(1, dtype=np.int64)


def constant_of(tag: int) -> Column:
    """A column of length one without data: null, absent, failed, ask, an empty object or array."""
    return Column(ONE_TAG[tag], _ZERO, bit(tag))


def booleans(truth: Mask) -> Column:
    return Column(ONE_TAG[BOOL], truth, 1 << BOOL)


def integers(values: Data) -> Column:
    return Column(ONE_TAG[NUM], values, 1 << NUM)


def text(value: str, strings: Strings) -> Column:
    return Column(ONE_TAG[STR], np.array([strings.code(value)], dtype=np.int64), bit(STR))


def number(value: Decimal) -> Column:
    """A literal; ASK when it has more digits than a mantissa holds."""
    _, digits, exponent = value.as_tuple()
    scale = max(0, -int(exponent))
    mantissa = int(value.scaleb(scale)) if len(digits) + max(0, int(exponent)) <= 28 else MANTISSA_MAX
    if abs(mantissa) >= MANTISSA_MAX or scale > SCALE_MAX:
        return constant_of(ASK)
    plain = scale == 0 or mantissa % 10 != 0
    return Column(ONE_TAG[NUM], np.array([mantissa], dtype=np.int64), bit(NUM), scale, plain)


def objects(members: dict[str, Column]) -> Column:
    return Column(ONE_TAG[OBJ], _ZERO, bit(OBJ), members=members, identity=new_identity())


def arrays(items: list[tuple[Mask, Column]]) -> Column:
    return Column(ONE_TAG[ARR], _ZERO, bit(ARR), items=items)


def with_scale(column: Column, scale: int) -> tuple[Data, Mask | None]:
    """The mantissas at a larger scale, and where they would not fit (None: nowhere)."""
    if scale == column.scale or not column.may_be(NUM):
        return column.data, None
    power = scale - column.scale
    if power > SCALE_MAX:
        return _ZERO, column.has(NUM)
    factor = 10**power
    limit = MANTISSA_MAX // factor
    if column.is_only(NUM):
        too_large = np.abs(column.data) > limit
        if not too_large.any():
            return column.data * factor, None
        return np.where(too_large, 0, column.data) * factor, too_large
    numbers = column.tags == NUM
    too_large = numbers & (np.abs(column.data) > limit)
    scaled = np.where(numbers, np.where(too_large, 0, column.data) * factor, column.data)
    return scaled, too_large if too_large.any() else None


def tagged(column: Column, where: Mask, tag: int) -> Column:
    """The column with some rows replaced by a tag."""
    if not where.any():
        return column
    return replace(column, tags=np.where(where, np.uint8(tag), column.tags), kinds=column.kinds | bit(tag))


def choose(where: Mask, chosen: Column, other: Column) -> Column:
    """Row by row one column or the other."""
    if chosen is other:
        return chosen
    if where.all():
        return chosen
    if not where.any():
        return other
    scale, lost = max(chosen.scale, other.scale), None
    if chosen.may_be(NUM) and other.may_be(NUM):
        first, first_lost = with_scale(chosen, scale)
        second, second_lost = with_scale(other, scale)
        for at, found in ((where, first_lost), (~where, second_lost)):
            if found is not None:
                lost = (at & found) if lost is None else lost | (at & found)
    else:
        first, second = chosen.data, other.data
        scale = chosen.scale if chosen.may_be(NUM) else other.scale
    members: dict[str, Column] = {}
    if chosen.members or other.members:
        for name in (*chosen.members, *(n for n in other.members if n not in chosen.members)):
            members[name] = choose(where, chosen.members.get(name, NO_VALUE), other.members.get(name, NO_VALUE))
    items = [(where & mask, item) for mask, item in chosen.items] + [(~where & mask, item) for mask, item in other.items]
    if chosen.identity is other.identity or not other.may_be(OBJ):
        identity = chosen.identity
    else:
        identity = np.where(where, chosen.identity, other.identity) if chosen.may_be(OBJ) else other.identity
    result = Column(
        np.where(where, chosen.tags, other.tags),
        np.where(where, first, second),
        chosen.kinds | other.kinds,
        scale,
        chosen.plain and other.plain,
        members,
        items,
        (chosen.nearest or not chosen.may_be(REAL)) and (other.nearest or not other.may_be(REAL)),
        identity,
    )
    return result if lost is None else tagged(result, lost, ASK)


NOWHERE = np.zeros(1, dtype=np.bool_)
NO_VALUE = constant_of(ABSENT)


def member(column: Column, name: str) -> Column:
    """A member of objects; null where there is none and of anything that is no object."""
    if not column.may_be(OBJ):
        return _through(column, constant_of(NULL))
    found = column.members.get(name)
    if found is None:
        return _through(column, constant_of(NULL))
    if found.may_be(ABSENT):
        absent = found.tags == ABSENT
        found = replace(found, tags=np.where(absent, np.uint8(NULL), found.tags), kinds=found.kinds & ~bit(ABSENT) | bit(NULL))
    if column.is_only(OBJ):
        return found
    return _through(column, choose(column.has(OBJ), found, constant_of(NULL)))


def _through(column: Column, result: Column) -> Column:
    """Trouble of an operand is trouble of the result."""
    for tag in (FAIL, ASK):
        if column.may_be(tag):
            result = choose(column.has(tag), constant_of(tag), result)
    return result


def take(column: Column, rows: Rows) -> Column:
    """The given rows, in their order."""
    if len(column.tags) == 1 and len(column.data) == 1 and not column.members and not column.items:
        return column
    return Column(
        column.tags if len(column.tags) == 1 else column.tags[rows],
        column.data if len(column.data) == 1 else column.data[rows],
        column.kinds,
        column.scale,
        column.plain,
        {name: take(each, rows) for name, each in column.members.items()},
        [(mask if len(mask) == 1 else mask[rows], take(each, rows)) for mask, each in column.items],
        column.nearest,
        column.identity if len(column.identity) == 1 else column.identity[rows],
    )


def as_objects(column: Column) -> Column:
    return replace(column, tags=ONE_TAG[OBJ], kinds=bit(OBJ))


def inserted(target: Column, path: Sequence[str], value: Column) -> Column:
    """Objects with a value set at a dotted path; what stands in the way and is no object stays, the value is then lost."""
    name, rest = path[0], path[1:]
    members = dict(target.members)
    if not rest:
        members[name] = value
    else:
        inner = members.get(name)
        if inner is not None and inner.may_be(ABSENT):
            inner = as_objects(inner)
        members[name] = inserted(inner if inner is not None else objects({}), rest, value)
    return replace(target, members=members, identity=new_identity())
