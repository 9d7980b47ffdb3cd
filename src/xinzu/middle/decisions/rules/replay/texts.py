"""Operations on text, each computed once per distinct text."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from xinzu.middle.decisions.rules.replay.arithmetic import added
from xinzu.middle.decisions.rules.replay.columns import BOOL, NULL, NUM, REAL, STR, Column, Strings, bit, choose
from xinzu.middle.decisions.rules.replay.comparing import ASKED, after_trouble, guarded


def per_text(a: Column, strings: Strings, function: Callable[[str], Any]) -> list[Any]:
    """A function of text asked once per distinct text; with the places of the rows among them."""
    codes, places = np.unique(np.where(a.has(STR), a.data, -1), return_inverse=True)
    return [[function(strings.texts[code]) if code >= 0 else None for code in codes.tolist()], places]


def as_text(a: Column, strings: Strings) -> Column:
    """``string()`` of scalars; asked where a computed number's trailing zeros would show."""
    if a.is_only(STR):
        return a
    result = ASKED
    if a.may_be(NUM) and (a.plain or a.scale == 0):
        values, places = np.unique(np.where(a.has(NUM), a.data, 0), return_inverse=True)
        texts = [format(Decimal(value).scaleb(-a.scale).normalize(), "f") if value else "0" for value in values.tolist()]
        codes = np.array(strings.codes(texts), dtype=np.int64)[places]
        result = choose(np.asarray(a.has(NUM)), Column(np.full(codes.shape, STR, dtype=np.uint8), codes, bit(STR)), result)
    for tag, word in ((NULL, "null"),):
        if a.may_be(tag):
            result = choose(np.asarray(a.has(tag)), _word(word, strings), result)
    if a.may_be(BOOL):
        result = choose(np.asarray(a.has(BOOL)), choose(a.truth(), _word("true", strings), _word("false", strings)), result)
    if a.may_be(STR):
        result = choose(np.asarray(a.has(STR)), a, result)
    return after_trouble(result, a)


def _word(word: str, strings: Strings) -> Column:
    return Column(np.full(1, STR, dtype=np.uint8), np.array([strings.code(word)], dtype=np.int64), bit(STR))


def joined(a: Column, b: Column, strings: Strings) -> Column:
    """Two texts put together, once per distinct pair."""
    both = np.asarray(a.has(STR) & b.has(STR))
    first, second = np.broadcast_arrays(np.where(both, a.data, 0), np.where(both, b.data, 0))
    base = len(strings.texts) + 1
    pairs, places = np.unique(first * base + second, return_inverse=True)
    known = len(strings.texts)
    texts = [strings.texts[pair // base] + strings.texts[pair % base] if known else "" for pair in pairs.tolist()]
    codes = np.array(strings.codes(texts), dtype=np.int64)[places]
    result = Column(np.full(codes.shape, STR, dtype=np.uint8), codes, bit(STR))
    return guarded(result, both, a, b)


def plus(a: Column, b: Column, strings: Strings) -> Column:
    """``+``: a sum of numbers or two texts put together."""
    if not (a.may_be(STR) and b.may_be(STR)):
        return added(a, b)
    text = joined(a, b, strings)
    if not (a.may_be(NUM, REAL) and b.may_be(NUM, REAL)):
        return text
    return choose(np.asarray(a.has(STR) & b.has(STR)), text, added(a, b))
