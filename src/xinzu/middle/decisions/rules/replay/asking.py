"""Asking the engine for the value of a part of an expression, once per distinct combination of the values it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import zen

from xinzu.middle.decisions.rules.replay.columns import ASK, FAIL, NUM, Column, Json, member, tagged, take
from xinzu.middle.decisions.rules.replay.language import Node, walk
from xinzu.middle.decisions.rules.replay.scope import NeedsEngine, Run, Scope, of_environment, reference_of
from xinzu.middle.decisions.rules.replay.values import column_of, python_values

ASKED_MAX = 20_000  # distinct combinations whose values are kept; then they are forgotten and asked anew


def _paths(node: Node) -> set[tuple[str, ...]]:
    """The names an expression reads, as far as their members are fixed; nothing below another one."""
    found: set[tuple[str, ...]] = set()

    def visit(each: Node) -> None:
        path = _path(each)
        if path is not None:
            found.add(path)
            return
        if each.kind == "root":
            raise NeedsEngine("$root as a whole")
        for child in each.children():
            visit(child)

    visit(node)
    if any(path[0] == "$nodes" for path in found):
        raise NeedsEngine("$nodes in a part without vector form")
    return {path for path in found if not any(path[:n] in found for n in range(1, len(path)))}


def _path(node: Node) -> tuple[str, ...] | None:
    if node.kind == "name":
        return (node.args[0],)
    if node.kind == "member" and node.args[1].kind == "literal" and isinstance(node.args[1].args[0], str):
        if node.args[0].kind == "root":
            return (node.args[1].args[0],)
        base = _path(node.args[0])
        return None if base is None else (*base, node.args[1].args[0])
    return None


_ROUNDING = frozenset({"/", "^", "%"})
_ROUNDING_CALLS = frozenset({"avg", "median"})
_TEXT_OF_NUMBERS = frozenset({"string", "type"})


def asked_of_engine(tree: Node, source: str, *, cell: bool) -> Run:
    """The part as a table from the values it reads to its value, filled from the engine as values turn up."""
    if any(node.kind == "call" and node.args[0] in ("rand", "d", "isToday") and not node.args[1] for node in walk(tree)):
        raise NeedsEngine("the clock or chance")
    if any(node.kind == "call" and node.args[0] == "rand" for node in walk(tree)):
        raise NeedsEngine("chance")
    paths = sorted(_paths(tree))
    inexact = any(node.kind in _ROUNDING or (node.kind == "call" and node.args[0] in _ROUNDING_CALLS) for node in walk(tree))
    shows_zeros = any(
        node.kind == "template" or (node.kind == "call" and node.args[0] in _TEXT_OF_NUMBERS) for node in walk(tree)
    )
    try:
        value_of = zen.compile_unary_expression(source) if cell else zen.compile_expression(source)
        type_of = None if cell else zen.compile_expression(f"type({source})")
        text_of = None if cell else zen.compile_expression(f"string({source})")
    except RuntimeError as wrong:
        raise NeedsEngine(f"{source}: {wrong}") from wrong
    known: dict[bytes, Any] = {}

    def ask(context: dict[str, Any]) -> Json:
        try:
            kind = type_of.evaluate(context) if type_of is not None else None
            value = value_of.evaluate(context)
        except RuntimeError:
            return _FAILED
        if kind in ("bool", "string", "null") or (cell and isinstance(value, bool)):
            return value
        if kind == "number" and text_of is not None:
            return _as_number(text_of.evaluate(context))
        if kind in ("array", "object"):
            return _whole_numbers(value, inexact=inexact)
        return _UNKNOWN

    def run(scope: Scope) -> Column:
        columns = [_read(scope, path) for path in paths]
        unsure = np.zeros(scope.count, dtype=np.bool_)
        lost = np.zeros(scope.count, dtype=np.bool_)
        for column in columns:
            if column.may_be(FAIL):
                lost |= column.tags == FAIL
            if shows_zeros and not column.plain:
                unsure |= np.asarray(column.has(NUM))
        values = [python_values(column, scope.count, scope.strings, unsure) for column in columns]
        keys = _keys(values, scope.count)
        distinct: dict[bytes, int] = {}
        places = np.fromiter((distinct.setdefault(key, len(distinct)) for key in keys), dtype=np.intp, count=scope.count)
        answers: list[Any] = [_UNKNOWN] * len(distinct)
        firsts: dict[int, int] = {}
        for row, place in enumerate(places.tolist()):
            firsts.setdefault(place, row)
        for key, place in distinct.items():
            if key not in known:
                if len(known) >= ASKED_MAX:
                    known.clear()
                known[key] = ask(_context(paths, [each[firsts[place]] for each in values]))
                scope.asked[source] = scope.asked.get(source, 0) + 1
            answers[place] = known[key]
        failed = np.array([answer is _FAILED for answer in answers], dtype=np.bool_)
        unknown = np.array([answer is _UNKNOWN for answer in answers], dtype=np.bool_)
        told = column_of([None if answer is _FAILED or answer is _UNKNOWN else answer for answer in answers], scope.strings)
        told = tagged(tagged(told, failed, FAIL), unknown, ASK)
        result = replace(take(told, places), plain=False)
        return tagged(tagged(result, lost, FAIL), unsure, ASK)

    return run


class _Mark:
    """An answer that is no value."""


_FAILED, _UNKNOWN = _Mark(), _Mark()


def _keys(values: Sequence[Sequence[Any]], count: int) -> list[bytes]:
    if not values:
        return [b""] * count
    return [msgspec.json.encode(row) for row in zip(*values, strict=True)]


def _read(scope: Scope, path: tuple[str, ...]) -> Column:
    head, *rest = path
    column = reference_of(scope) if head == "$" else of_environment(scope, head)
    for name in rest:
        column = member(column, name)
    return column


def _context(paths: Sequence[tuple[str, ...]], values: Sequence[Any]) -> dict[str, Any]:
    context: dict[str, Any] = {}
    for path, value in zip(paths, values, strict=True):
        inner = context
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return context


def _as_number(digits: str) -> Json:
    """A number from the engine's own digits; unknown when a column cannot hold it exactly."""
    whole, _, broken = digits.lstrip("-").partition(".")
    broken = broken.rstrip("0")
    if not broken:
        return int(digits.partition(".")[0]) if len(whole) <= 18 else _UNKNOWN
    return float(digits) if len((whole + broken).lstrip("0")) <= 15 and len(broken) <= 12 else _UNKNOWN


def _whole_numbers(value: Json, *, inexact: bool) -> Json:
    """An array or object as the engine's expression evaluator hands it out, with its whole floats made integers again."""
    if isinstance(value, float):
        if inexact:
            return value if not value.is_integer() else _UNKNOWN
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, list):
        items = [_whole_numbers(each, inexact=inexact) for each in value]
        return _UNKNOWN if any(each is _UNKNOWN for each in items) else items
    if isinstance(value, dict):
        members = {name: _whole_numbers(each, inexact=inexact) for name, each in value.items()}
        return _UNKNOWN if any(each is _UNKNOWN for each in members.values()) else members
    return value
