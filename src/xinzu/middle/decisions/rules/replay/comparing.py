"""Comparing values and combining truths: what has the wrong type fails, what is too near to tell is asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from xinzu.middle.decisions.rules.replay.columns import (
    ABSENT,
    ARR,
    ASK,
    BOOL,
    FAIL,
    NULL,
    NUM,
    OBJ,
    REAL,
    STR,
    Column,
    Mask,
    Strings,
    bit,
    booleans,
    choose,
    constant_of,
    tagged,
    with_scale,
)

NEAR = 1e-11  # relative distance below which a comparison of inexact numbers is left to the engine
TRUE, FALSE = booleans(np.ones(1, dtype=np.bool_)), booleans(np.zeros(1, dtype=np.bool_))
FAILED, ASKED, NOTHING = constant_of(FAIL), constant_of(ASK), constant_of(NULL)


def guarded(result: Column, ok: Mask, *operands: Column) -> Column:
    """The result where the operands are of the right types; elsewhere it fails, and is asked where an operand is."""
    if not ok.all():
        result = tagged(result, np.broadcast_to(~ok, np.broadcast_shapes(ok.shape, result.tags.shape)), FAIL)
    for operand in operands:
        if operand.may_be(ASK):
            result = tagged(result, operand.tags == ASK, ASK)
    return result


def is_number(column: Column) -> Mask:
    """Where there is a number, exact or not."""
    return column.has(NUM) | column.has(REAL) if column.may_be(REAL) else column.has(NUM)


def near(a: Column, b: Column) -> Mask:
    """Where an inexact number is too close to the other to tell."""
    first, second = a.floats(), b.floats()
    inexact = a.has(REAL) | b.has(REAL)
    return inexact & is_number(a) & is_number(b) & (np.abs(first - second) <= NEAR * np.maximum(np.abs(first), np.abs(second)))


_COMPARE: dict[str, Any] = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


def compared(operator: str, a: Column, b: Column) -> Column:
    """Ordering of numbers; of anything else it fails."""
    compare = _COMPARE[operator]
    if a.is_only(NUM) and b.is_only(NUM) and a.scale == b.scale:
        return booleans(compare(a.data, b.data))
    truth, lost = aligned(compare, a, b)
    result = booleans(truth)
    if a.may_be(REAL) or b.may_be(REAL):
        inexact = a.has(REAL) | b.has(REAL)
        with np.errstate(invalid="ignore"):
            result = choose(inexact, booleans(compare(a.floats(), b.floats())), result)
            result = tagged(result, near(a, b), ASK)
    if lost is not None:
        result = tagged(result, lost, ASK)
    return guarded(result, is_number(a) & is_number(b), a, b)


def aligned(compare: np.ufunc, a: Column, b: Column) -> tuple[Any, Mask | None]:
    scale = max(a.scale if a.may_be(NUM) else 0, b.scale if b.may_be(NUM) else 0)
    first, first_lost = with_scale(a, scale)
    second, second_lost = with_scale(b, scale)
    lost = first_lost if second_lost is None else second_lost if first_lost is None else first_lost | second_lost
    return compare(first, second), lost


def equal(a: Column, b: Column) -> Column:
    """Equality without coercion: of different types, of arrays and of objects it is false; null equals null."""
    if a.scale == b.scale and ((a.is_only(NUM) and b.is_only(NUM)) or (a.is_only(STR) and b.is_only(STR))):
        return booleans(a.data == b.data)
    if b.is_only(NULL):
        return after_trouble(booleans(np.array(a.has(NULL))), a)
    if not a.kinds & b.kinds & bit(NULL, BOOL, NUM, STR, REAL, FAIL, ASK) and not (a.may_be(REAL) or b.may_be(REAL)):
        return after_trouble(FALSE, a, b)
    lost = None
    if a.scale == b.scale or not (a.may_be(NUM) and b.may_be(NUM)):
        same = a.data == b.data
    else:
        same, lost = aligned(np.equal, a, b)
    same = same & (a.tags == b.tags)
    if (a.kinds | b.kinds) & ~bit(BOOL, NUM, STR):
        comparable = a.has(BOOL) | a.has(NUM) | a.has(STR)
        same = (same & comparable) | (a.has(NULL) & b.has(NULL))
    result = booleans(same)
    if lost is not None:
        result = tagged(result, lost, ASK)
    if a.may_be(REAL) or b.may_be(REAL):
        with np.errstate(invalid="ignore"):
            result = tagged(result, near(a, b), ASK)
    return after_trouble(result, a, b)


def after_trouble(result: Column, *operands: Column) -> Column:
    for operand in operands:
        if operand.may_be(FAIL):
            result = tagged(result, operand.tags == FAIL, FAIL)
    for operand in operands:
        if operand.may_be(ASK):
            result = tagged(result, operand.tags == ASK, ASK)
    return result


def contained(value: Column, collection: Column, strings: Strings) -> Column:
    """``in`` an array (a scalar among its items) or an object (a text among its members)."""
    found = np.zeros(1, dtype=np.bool_)
    result = FAILED
    if collection.may_be(ARR):
        asked = np.zeros(1, dtype=np.bool_)
        for mask, item in collection.items:
            same = equal(value, item)
            found = found | (mask & same.truth())
            if same.may_be(ASK, FAIL):
                asked = asked | (mask & ((same.tags == ASK) | (same.tags == FAIL)))
        scalar = value.has(NULL) | value.has(BOOL) | value.has(STR) | is_number(value)
        inner = tagged(booleans(found), asked & ~found, ASK) if asked.any() else booleans(found)
        result = choose(np.asarray(collection.has(ARR) & scalar), inner, result)
    if collection.may_be(OBJ) and value.may_be(STR):
        held = np.zeros(1, dtype=np.bool_)
        for name, member in collection.members.items():
            held = held | ((value.data == strings.code(name)) & ~member.has(ABSENT))
        result = choose(np.asarray(collection.has(OBJ) & value.has(STR)), booleans(held), result)
    return after_trouble(result, value, collection)


def between(value: Column, opening: str, low: Column, high: Column, closing: str) -> Column:
    """``in`` an interval of numbers; brackets that open outwards mean outside. Anything that is no number fails."""
    above = compared({"(": ">", "[": ">=", ")": "<", "]": "<="}[opening], value, low)
    below = compared({")": "<", "]": "<=", "(": ">", "[": ">="}[closing], value, high)
    outside = opening in ")]"
    truth = above.truth() | below.truth() if outside else above.truth() & below.truth()
    return after_trouble(booleans(truth), above, below)


def conjunction(a: Column, b: Column) -> Column:
    """``and``: the right side counts only where the left is true, and may be of any type."""
    if a.is_only(BOOL) and b.is_only(BOOL):
        return booleans(a.truth() & b.truth())
    return guarded(choose(a.truth(), b, FALSE), a.has(BOOL), a)


def disjunction(a: Column, b: Column) -> Column:
    """``or``: the right side counts only where the left is false."""
    if a.is_only(BOOL) and b.is_only(BOOL):
        return booleans(a.truth() | b.truth())
    return guarded(choose(a.truth(), TRUE, b), a.has(BOOL), a)


def negation(a: Column) -> Column:
    """``not``, of truths only."""
    return guarded(booleans(~a.truth()), a.has(BOOL), a)


def conditional(condition: Column, when_true: Column, when_false: Column) -> Column:
    """``?:``; the condition must be a truth."""
    return guarded(choose(condition.truth(), when_true, when_false), condition.has(BOOL), condition)


def otherwise(a: Column, b: Column) -> Column:
    """``??``: the right side where the left is null."""
    return choose(np.asarray(a.has(NULL)), b, a) if a.may_be(NULL) else a


def as_truth(a: Column, strings: Strings) -> Column:
    """``bool()``: null is false, zero is false, 'true' is true and so is the empty text, other text is false."""
    if a.is_only(BOOL):
        return a
    truth = a.truth() | (a.has(NUM) & (a.data != 0)) | a.has(ARR) | a.has(OBJ) | a.has(REAL)
    if a.may_be(STR):
        codes, places = np.unique(a.data, return_inverse=True)
        texts = [strings.texts[code] if 0 <= code < len(strings.texts) else "x" for code in codes.tolist()]
        true = np.array([t.strip() == "true" or t == "" for t in texts], dtype=np.bool_)[places]
        truth = truth | (a.has(STR) & true)
    return after_trouble(booleans(truth), a)
