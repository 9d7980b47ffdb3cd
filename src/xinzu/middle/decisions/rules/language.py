"""Reading ZEN expressions as tokens: which names they use, and where the language surprises an author.

The engine exposes no syntax tree. These checks need none: a token stream with its depth of brackets is enough to find names,
a ``not`` that binds tighter than a comparison, and a ``??`` that binds tighter than arithmetic. The precedences stand in
docs/decisions and were tried against zen-engine 2.1.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["text", "number", "name", "mark"]
KEYWORDS = frozenset({"null", "true", "false", "and", "or", "not", "in", "as"})
_TOKEN = re.compile(
    r"""\s+
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<template>`[^`]*`)
    |(?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_\u0080-\uffff][\w]*)
    |(?P<mark>\?\?|==|!=|<=|>=|\.\.|\$nodes|[-+*/%^<>?:=,;.()\[\]{}#$!])
    """,
    re.VERBOSE,
)
_HOLE = re.compile(r"\$\{([^}]*)\}")
COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
_ARITHMETIC = frozenset("+-*/%^")
_BREAKS = COMPARISONS | frozenset({",", ";", "?", ":", "and", "or", "in", "="})


@dataclass(frozen=True, slots=True)
class Token:
    """One token and how many brackets are open around it."""

    kind: Kind
    text: str
    depth: int


@lru_cache(10_000)
def tokens(expression: str) -> tuple[Token, ...]:
    """The tokens of an expression; what the language does not know is left out (the engine refuses it when it compiles).

    >>> [token.text for token in tokens("age_years ?? 40 > 'x'")]
    ['age_years', '??', '40', '>', "'x'"]
    """
    found: list[Token] = []
    depth = 0
    for match in _TOKEN.finditer(expression):
        kind, text = match.lastgroup, match.group()
        if kind is None:
            continue
        if kind == "template":
            found.append(Token("text", "''", depth))
            for hole in _HOLE.findall(text):
                found.append(Token("mark", ",", depth))
                found += [Token(each.kind, each.text, depth + 1 + each.depth) for each in tokens(hole)]
            continue
        if text in ")]}":
            depth -= 1
        found.append(Token(kind, text, depth))  # type: ignore[arg-type]
        if text in "([{":
            depth += 1
    return tuple(found)


def names(expression: str) -> list[str]:
    """The names an expression reads from outside, in order: no members, functions, closure items, object keys or its own variables.

    >>> names("some(hits.a, #.code == 'x') ? len(rent_fen) : {k: other}[k2]")
    ['hits', 'rent_fen', 'other', 'k2']
    >>> names("x = age_years; map(rows as r, r.age + x)")
    ['age_years', 'rows']
    """
    stream = tokens(expression)
    own = {each.text for at, each in enumerate(stream) if each.kind == "name" and _at(stream, at + 1) == "="}
    own |= {each.text for at, each in enumerate(stream) if each.kind == "name" and _at(stream, at - 1) == "as"}
    found = []
    for at, each in enumerate(stream):
        if each.kind != "name" or each.text in KEYWORDS or each.text in own:
            continue
        before, after = _at(stream, at - 1), _at(stream, at + 1)
        is_member = before == "."
        is_key = after == ":" and before in ("{", ",") and _inside_braces(stream, at)
        if not (is_member or after == "(" or is_key):
            found.append(each.text)
    return list(dict.fromkeys(found))


def calls(expression: str) -> Iterator[tuple[str, Sequence[Token]]]:
    """Each function called, with the tokens of its arguments. A method is a call too: ``d(x).add(…)``."""
    stream = tokens(expression)
    for at, each in enumerate(stream):
        if each.kind == "name" and each.text not in KEYWORDS and _at(stream, at + 1) == "(":
            inside = []
            for later in stream[at + 2 :]:
                if later.text == ")" and later.depth == each.depth:
                    break
                inside.append(later)
            yield each.text, inside


def has_loose_not(expression: str) -> bool:
    """Whether a ``not`` takes only the left side of a comparison, as ``not a == b`` does: it reads (not a) == b.

    >>> has_loose_not("not a == b"), has_loose_not("not (a == b)"), has_loose_not("a not in [1]"), has_loose_not("not a and b")
    (True, False, False, False)
    """
    stream = tokens(expression)
    for at, each in enumerate(stream):
        if each.text != "not" or each.kind != "name" or _at(stream, at + 1) == "in":
            continue
        for later in stream[at + 1 :]:
            if later.depth < each.depth or (later.depth == each.depth and later.text in {"and", "or", ",", ";", "?", ":"}):
                break
            if later.depth == each.depth and (later.text in COMPARISONS or later.text == "in"):
                return True
    return False


def has_loose_default(expression: str) -> bool:
    """Whether a ``??`` stands beside arithmetic without brackets: it binds tighter, ``a + b ?? 0`` reads a + (b ?? 0).

    >>> has_loose_default("a + b ?? 0"), has_loose_default("(a + b) ?? 0"), has_loose_default("a ?? 0 > 5"), has_loose_default("a ?? -1")
    (True, False, False, False)
    """
    for part in _parts(tokens(expression)):
        marks = [at for at, each in enumerate(part) if each.text in _ARITHMETIC and each.kind == "mark"]
        # A minus at the start or behind ?? is a sign, not a subtraction.
        if any(each.text == "??" for each in part) and any(at > 0 and part[at - 1].text != "??" for at in marks):
            return True
    return False


def mixes_and_or(expression: str) -> bool:
    """Whether ``and`` and ``or`` (or a comma) meet on one level: inside a cell they have no precedence between them.

    >>> mixes_and_or("> 5 and < 9 or == 20"), mixes_and_or("> 5 and < 9"), mixes_and_or("'and', 'or'"), mixes_and_or("(> 1 and < 2), 9")
    (True, False, False, False)
    """
    levels: dict[int, set[str]] = {}
    for each in tokens(expression):
        if each.text in ("and", "or", ",") and each.kind != "text":
            levels.setdefault(each.depth, set()).add("or" if each.text == "," and each.depth == 0 else each.text)
    return any({"and", "or"} <= found for found in levels.values())


def _parts(stream: Iterable[Token]) -> Iterator[list[Token]]:
    """The runs of tokens of one depth between operators that bind looser than arithmetic."""
    open_runs: dict[int, list[Token]] = {}
    for each in stream:
        if each.text in _BREAKS and each.kind != "text":
            yield open_runs.pop(each.depth, [])
            continue
        if each.text in ")]}" and each.kind == "mark":
            yield open_runs.pop(each.depth + 1, [])
        open_runs.setdefault(each.depth, []).append(each)
    yield from open_runs.values()


def _at(stream: Sequence[Token], at: int) -> str:
    return stream[at].text if 0 <= at < len(stream) and stream[at].kind != "text" else ""


def _inside_braces(stream: Sequence[Token], at: int) -> bool:
    depth = stream[at].depth
    return next((each.text == "{" for each in reversed(stream[:at]) if each.depth == depth - 1 and each.text in "([{"), False)
