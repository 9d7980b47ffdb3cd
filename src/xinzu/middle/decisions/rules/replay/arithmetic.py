"""Operations on columns of values, each as the engine does it: what has the wrong type fails, what is near a tie is asked.

Sums, differences and products are exact or asked; a quotient is exact when it ends within a few digits and REAL otherwise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xinzu.middle.decisions.rules.replay.columns import (
    ASK,
    EXACT_FLOAT_MAX,
    MANTISSA_MAX,
    NULL,
    NUM,
    REAL,
    SCALE_MAX,
    Column,
    Data,
    bit,
    choose,
    constant_of,
    integers,
    tagged,
    with_scale,
)
from xinzu.middle.decisions.rules.replay.comparing import guarded, is_number


def reals(values: NDArray[np.float64], *, nearest: bool = False) -> Column:
    """Inexact numbers; asked where they are no numbers at all or out of the engine's range."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    column = Column(np.full(values.shape, REAL, dtype=np.uint8), values.view(np.int64), bit(REAL), plain=False, nearest=nearest)
    return tagged(column, ~(np.abs(values) < 1e27) | ((np.abs(values) < 1e-15) & (values != 0)), ASK)


def _largest(data: NDArray[np.int64]) -> int:
    return int(max(data.max(initial=0), -int(data.min(initial=0))))


def added(a: Column, b: Column, sign: int = 1) -> Column:
    """Sum or difference of numbers."""
    scale = max(a.scale if a.may_be(NUM) else 0, b.scale if b.may_be(NUM) else 0)
    first, first_lost = with_scale(a, scale)
    second, second_lost = with_scale(b, scale)
    numbers = a.is_only(NUM) and b.is_only(NUM)
    if not numbers:
        both = a.has(NUM) & b.has(NUM)
        first, second = np.where(both, first, 0), np.where(both, second, 0)
    total = first + second if sign > 0 else first - second
    plain = a.plain and b.plain and a.scale == 0 and b.scale == 0
    result = replace(integers(total), scale=scale, plain=plain)
    if _largest(first) + _largest(second) >= MANTISSA_MAX:
        sums = first.astype(np.float64) + sign * second.astype(np.float64)
        result = tagged(result, np.abs(sums) >= MANTISSA_MAX, ASK)
    for lost in (first_lost, second_lost):
        if lost is not None:
            result = tagged(result, lost, ASK)
    if numbers:
        return result
    if a.may_be(REAL) or b.may_be(REAL):
        x, y = a.floats(), b.floats()
        sums = x + sign * y
        inexact = reals(np.atleast_1d(sums))
        inexact = tagged(inexact, np.abs(sums) < 1e-4 * np.maximum(np.abs(x), np.abs(y)), ASK)
        result = choose(np.asarray(a.has(REAL) | b.has(REAL)), inexact, result)
    return guarded(result, is_number(a) & is_number(b), a, b)


def multiplied(a: Column, b: Column) -> Column:
    """Product of numbers."""
    numbers = a.is_only(NUM) and b.is_only(NUM)
    both = a.has(NUM) & b.has(NUM)
    first = a.data if numbers else np.where(both, a.data, 0)
    second = b.data if numbers else np.where(both, b.data, 0)
    lost = None
    if _largest(first) * _largest(second) >= MANTISSA_MAX:
        lost = np.abs(first.astype(np.float64) * second.astype(np.float64)) >= MANTISSA_MAX
        first, second = np.where(lost, 0, first), np.where(lost, 0, second)
    scale = (a.scale if a.may_be(NUM) else 0) + (b.scale if b.may_be(NUM) else 0)
    result = _shortened(replace(integers(first * second), scale=scale, plain=a.plain and b.plain and scale == 0))
    if lost is not None:
        result = tagged(result, lost, ASK)
    if numbers:
        return result
    if a.may_be(REAL) or b.may_be(REAL):
        result = choose(np.asarray(a.has(REAL) | b.has(REAL)), reals(np.atleast_1d(a.floats() * b.floats())), result)
    return guarded(result, is_number(a) & is_number(b), a, b)


def _shortened(column: Column) -> Column:
    while column.scale > 6 and not (column.data[:64] % 10).any() and not (column.data % 10).any():
        column = replace(column, data=column.data // 10, scale=column.scale - 1)
    if column.scale > SCALE_MAX:
        return replace(
            constant_of(ASK),
            tags=np.full(column.tags.shape, ASK, dtype=np.uint8),
            data=np.zeros(column.data.shape, dtype=np.int64),
        )
    return column


_DIGITS = 6  # after the point: how far a quotient is followed before it counts as one that does not end


def divided(a: Column, b: Column) -> Column:
    """Quotient of numbers; null when divided by zero."""
    both = a.has(NUM) & b.has(NUM)
    scale_a, scale_b = a.scale if a.may_be(NUM) else 0, b.scale if b.may_be(NUM) else 0
    first = a.data if both.all() else np.where(both, a.data, 0)
    second = np.where(both & (b.data != 0), b.data, 1)
    scale = max(_DIGITS, scale_a - scale_b)
    power = scale + scale_b - scale_a
    factor = 10**power if power <= SCALE_MAX else 0
    short = np.abs(first) <= MANTISSA_MAX // factor if factor else np.zeros(1, dtype=np.bool_)
    scaled = np.where(short, first, 0) * (factor or 1)
    whole, rest = np.divmod(scaled, second)
    exact = short & (rest == 0)
    result = replace(integers(np.where(exact, whole, 0)), scale=scale, plain=False)
    result = _stripped(result)
    if a.may_be(REAL) or b.may_be(REAL):
        exact = exact & both
    if not exact.all():
        result = choose(np.asarray(exact), result, _ratio(a, b, first, second, scale_a - scale_b))
    zero = b.has(NUM) & (b.data == 0)
    result = tagged(result, np.asarray(zero & is_number(a)), NULL)
    if b.may_be(REAL):
        result = tagged(result, b.has(REAL) & (np.abs(b.floats()) < 1e-12), ASK)
    return guarded(result, is_number(a) & is_number(b), a, b)


def _stripped(column: Column) -> Column:
    data, scale = column.data, column.scale
    while scale and not (data[:64] % 10).any() and not (data % 10).any():
        data, scale = data // 10, scale - 1
    return replace(column, data=data, scale=scale)


SMALL_RATIO = 1e-4  # of smaller quotients 28 digits after the point are too few to know the nearest float


def _ratio(a: Column, b: Column, first: NDArray[np.int64], second: NDArray[np.int64], power: int) -> Column:
    """Quotients that do not end. Of mantissas that floats hold exactly the float quotient is the nearest to the engine's digits."""
    if a.may_be(REAL) or b.may_be(REAL):
        return reals(np.atleast_1d(a.floats() / np.where(is_number(b) & (b.floats() != 0), b.floats(), 1.0)))
    above, below = first * 10.0 ** max(0, -power), second * 10.0 ** max(0, power)
    ratio = np.atleast_1d(above / below)
    large = (np.abs(above) >= 2**53) | (np.abs(below) >= 2**53)
    return tagged(reals(ratio, nearest=True), large | (np.abs(ratio) < SMALL_RATIO), ASK)


def remainder(a: Column, b: Column) -> Column:
    """What is left of a division, with the sign of the dividend; null when divided by zero."""
    scale = max(a.scale if a.may_be(NUM) else 0, b.scale if b.may_be(NUM) else 0)
    first, first_lost = with_scale(a, scale)
    second, second_lost = with_scale(b, scale)
    zero = second == 0
    result = replace(integers(np.fmod(first, np.where(zero, 1, second))), scale=scale, plain=False)
    result = tagged(result, np.asarray(zero & b.has(NUM)), NULL)
    for lost in (first_lost, second_lost):
        if lost is not None:
            result = tagged(result, lost, ASK)
    if a.may_be(REAL) or b.may_be(REAL):
        result = tagged(result, np.asarray(a.has(REAL) | b.has(REAL)), ASK)
    return guarded(result, is_number(a) & is_number(b), a, b)


def negative(a: Column) -> Column:
    """The number with its sign turned."""
    result = replace(a, data=-a.data) if a.is_only(NUM) else replace(integers(-a.data), scale=a.scale, plain=a.plain)
    if a.may_be(REAL):
        result = choose(np.asarray(a.has(REAL)), reals(np.atleast_1d(-a.floats())), result)
    return result if a.is_only(NUM) else guarded(result, is_number(a), a)


def rounded(a: Column, how: str, digits: int) -> Column:
    """``round`` (half away from zero), ``trunc``, ``floor`` or ``ceil`` at some digits after the point."""
    if a.scale <= digits or not a.may_be(NUM):
        result = replace(integers(a.data), scale=a.scale, plain=a.plain and a.scale == 0)
    else:
        unit = 10 ** (a.scale - digits)
        result = replace(integers(_to_unit(a.data, unit, how)), scale=digits, plain=digits == 0)
    if a.may_be(REAL):
        result = choose(np.asarray(a.has(REAL)), _rounded_reals(a, how, digits), result)
    return result if a.is_only(NUM) else guarded(result, is_number(a), a)


def _to_unit(data: Data, unit: int, how: str) -> Data:
    if how == "floor":
        return np.floor_divide(data, unit)
    if how == "ceil":
        return np.negative(np.floor_divide(np.negative(data), unit))
    whole: Data = (np.abs(data) + (unit // 2 if how == "round" else 0)) // unit
    return np.where(data < 0, -whole, whole)


def _rounded_reals(a: Column, how: str, digits: int) -> Column:
    scaled = np.where(a.has(REAL), a.floats(), 0.0) * 10.0**digits
    edge = scaled + 0.5 if how == "round" else scaled
    unsure = (np.abs(edge - np.rint(edge)) <= 1e-9 * np.maximum(1.0, np.abs(scaled))) | (np.abs(scaled) >= EXACT_FLOAT_MAX)
    held = np.where(unsure, 0.0, scaled)
    whole = {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc}.get(how, lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5))(
        held
    )
    return tagged(replace(integers(np.atleast_1d(whole.astype(np.int64))), scale=digits, plain=False), unsure, ASK)


def magnitude(a: Column) -> Column:
    """``abs``."""
    result = replace(integers(np.abs(a.data)), scale=a.scale, plain=a.plain)
    if a.may_be(REAL):
        result = choose(np.asarray(a.has(REAL)), reals(np.atleast_1d(np.abs(a.floats()))), result)
    return result if a.is_only(NUM) else guarded(result, is_number(a), a)
