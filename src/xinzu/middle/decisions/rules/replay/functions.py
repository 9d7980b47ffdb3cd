"""Functions of one value, and those that look into a text or an array."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xinzu.middle.decisions.rules.replay.arithmetic import magnitude, rounded
from xinzu.middle.decisions.rules.replay.columns import (
    ARR,
    ASK,
    BOOL,
    NULL,
    NUM,
    OBJ,
    REAL,
    STR,
    Column,
    bit,
    booleans,
    choose,
    tagged,
    text,
)
from xinzu.middle.decisions.rules.replay.comparing import ASKED, FAILED, FALSE, NOTHING, as_truth, contained, guarded
from xinzu.middle.decisions.rules.replay.lists import averaged, extreme, flattened, length, summed
from xinzu.middle.decisions.rules.replay.scope import Scope, with_trouble
from xinzu.middle.decisions.rules.replay.texts import as_text, per_text


def tested(a: Column, test: Callable[[str], bool], scope: Scope) -> Column:
    if not a.may_be(STR):
        return guarded(FALSE, np.asarray(a.has(STR)), a)
    answers, places = per_text(a, scope.strings, test)
    return guarded(booleans(np.array([bool(each) for each in answers], dtype=np.bool_)[places]), np.asarray(a.has(STR)), a)


def contains(a: Column, wanted: Column, scope: Scope, test: Callable[[str], bool] | None) -> Column:
    result = FAILED
    if a.may_be(STR):
        result = choose(np.asarray(a.has(STR)), tested(a, test, scope) if test is not None else ASKED, result)
    if a.may_be(ARR):
        among = contained(wanted, a, scope.strings)
        if wanted.may_be(ARR, OBJ):
            among = choose(np.asarray(wanted.has(ARR) | wanted.has(OBJ)), FALSE, among)
        result = choose(np.asarray(a.has(ARR)), among, result)
    return with_trouble(result, (a, wanted))


def _cased(upper: bool) -> Callable[[Column, Scope], Column]:
    def run(a: Column, scope: Scope) -> Column:
        change: Callable[[str], str | None] = lambda t: (t.upper() if upper else t.lower()) if t.isascii() else None  # noqa: E731
        return _changed(a, change, scope)

    return run


def _changed(a: Column, change: Callable[[str], str | None], scope: Scope) -> Column:
    if not a.may_be(STR):
        return guarded(NOTHING, np.asarray(a.has(STR)), a)
    answers, places = per_text(a, scope.strings, change)
    codes = np.array([scope.strings.code(each or "") for each in answers], dtype=np.int64)[places]
    unknown = np.array([each is None for each in answers], dtype=np.bool_)[places]
    result = Column(np.full(codes.shape, STR, dtype=np.uint8), codes, bit(STR))
    return guarded(tagged(result, unknown, ASK), np.asarray(a.has(STR)), a)


def _type_name(a: Column, scope: Scope) -> Column:
    result = ASKED
    for tag, name in (
        (NULL, "null"),
        (BOOL, "bool"),
        (NUM, "number"),
        (REAL, "number"),
        (STR, "string"),
        (ARR, "array"),
        (OBJ, "object"),
    ):
        if a.may_be(tag):
            result = choose(np.asarray(a.has(tag)), text(name, scope.strings), result)
    return with_trouble(result, (a,))


FUNCTIONS: dict[tuple[str, int], Callable[[Column, Scope], Column]] = {
    ("len", 1): lambda a, scope: length(a, scope.strings),
    ("sum", 1): lambda a, scope: summed(a),
    ("avg", 1): lambda a, scope: averaged(a),
    ("min", 1): lambda a, scope: extreme(a, "<"),
    ("max", 1): lambda a, scope: extreme(a, ">"),
    ("abs", 1): lambda a, scope: magnitude(a),
    ("floor", 1): lambda a, scope: rounded(a, "floor", 0),
    ("ceil", 1): lambda a, scope: rounded(a, "ceil", 0),
    ("round", 1): lambda a, scope: rounded(a, "round", 0),
    ("trunc", 1): lambda a, scope: rounded(a, "trunc", 0),
    ("bool", 1): lambda a, scope: as_truth(a, scope.strings),
    ("string", 1): lambda a, scope: as_text(a, scope.strings),
    ("flatten", 1): lambda a, scope: flattened(a),
    ("type", 1): _type_name,
    ("upper", 1): _cased(upper=True),
    ("lower", 1): _cased(upper=False),
    ("trim", 1): lambda a, scope: _changed(a, lambda t: t.strip(" \t\n\r") if t.isascii() and t.isprintable() else None, scope),
}
