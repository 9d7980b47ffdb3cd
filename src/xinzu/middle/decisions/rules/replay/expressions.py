"""Expressions over columns: a tree becomes a function of a scope, built once per text.

What has no vector form (dates, patterns, slices, methods, …) is asked of the engine's own expression evaluator, once per distinct
combination of the values it reads: the smallest part of the text that stands for itself is asked, so the rest stays vectorised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

import numpy as np
import zen

from xinzu.middle.decisions.rules.replay.arithmetic import added, divided, multiplied, negative, remainder, rounded
from xinzu.middle.decisions.rules.replay.asking import asked_of_engine
from xinzu.middle.decisions.rules.replay.closures import CLOSED
from xinzu.middle.decisions.rules.replay.columns import ASK, REAL, Column, arrays, member, number, objects, tagged, text
from xinzu.middle.decisions.rules.replay.comparing import (
    FAILED,
    FALSE,
    NOTHING,
    TRUE,
    between,
    compared,
    conditional,
    conjunction,
    contained,
    disjunction,
    equal,
    negation,
    otherwise,
)
from xinzu.middle.decisions.rules.replay.functions import FUNCTIONS, contains, tested
from xinzu.middle.decisions.rules.replay.language import CLOSURES, Node, Unreadable, parse, parse_cell, walk
from xinzu.middle.decisions.rules.replay.lists import at_place, of_arrays
from xinzu.middle.decisions.rules.replay.scope import (
    NeedsEngine,
    NoVectorForm,
    Run,
    Scope,
    of_environment,
    reference_of,
    with_trouble,
)
from xinzu.middle.decisions.rules.replay.texts import as_text, joined, plus


@lru_cache(4096)
def compiled(source: str) -> Run:
    """The function of a standard expression; one the engine cannot compile fails on every row. Raises NeedsEngine."""
    try:
        zen.compile_expression(source)
    except RuntimeError:
        return lambda scope: FAILED
    try:
        return _whole(parse(source), source, cell=False)
    except Unreadable as wrong:
        raise NeedsEngine(f"{source}: {wrong}") from wrong


@lru_cache(4096)
def compiled_cell(source: str) -> Run:
    """The function of a table's cell, a truth. Raises NeedsEngine."""
    try:
        zen.compile_unary_expression(source)
    except RuntimeError:
        return lambda scope: FAILED
    try:
        return _whole(parse_cell(source), source, cell=True)
    except Unreadable as wrong:
        raise NeedsEngine(f"{source}: {wrong}") from wrong


def reads_dollar(source: str) -> bool:
    """Whether an expression looks at ``$``."""
    try:
        return any(node.kind == "name" and node.args[0] == "$" for node in walk(parse(source)))
    except Unreadable:
        return "$" in source


def _whole(tree: Node, source: str, *, cell: bool) -> Run:
    try:
        if any(node.kind == "let" for node in walk(tree)):
            raise NeedsEngine("assignments")
        if any(node.kind == "method" or (node.kind == "call" and node.args[0] in _DATES) for node in walk(tree)):
            raise NoVectorForm("dates", whole=True)
        return _build(tree, source)
    except NoVectorForm:
        return asked_of_engine(tree, source, cell=cell)


# Building


_DATES = frozenset({"d", "date", "time", "duration", "rand"}) | frozenset(
    [
        "year",
        "dayOfWeek",
        "dayOfMonth",
        "dayOfYear",
        "weekOfYear",
        "monthOfYear",
        "monthString",
        "dateString",
        "weekdayString",
        "startOf",
        "endOf",
    ]
)


def _build(node: Node, source: str) -> Run:
    try:
        return _BUILDERS.get(node.kind, _unknown)(node, source)
    except NoVectorForm as reason:
        stands_alone = node.start >= 0 and node.end > node.start and not _reads_item(node)
        if reason.whole or not stands_alone:
            raise
        return asked_of_engine(node, source[node.start : node.end], cell=False)


def _reads_item(node: Node) -> bool:
    """Whether ``#`` of a closure around the part is read in it."""
    if node.kind == "#":
        return True
    if node.kind == "call" and node.args[0] in CLOSURES and len(node.args[1]) == 2:
        return _reads_item(node.args[1][0])
    return any(_reads_item(child) for child in node.children())


def _unknown(node: Node, source: str) -> Run:
    raise NoVectorForm(node.kind)


def _literal(node: Node, source: str) -> Run:
    value = node.args[0]
    if value is None:
        return lambda scope: NOTHING
    if isinstance(value, bool):
        constant = TRUE if value else FALSE
        return lambda scope: constant
    if isinstance(value, Decimal):
        column = number(value)
        return lambda scope: column
    return lambda scope: text(value, scope.strings)


def _name(node: Node, source: str) -> Run:
    name = node.args[0]
    if name == "$":
        return reference_of
    if name == "$nodes":
        raise NeedsEngine("$nodes as a whole")
    return lambda scope: of_environment(scope, name)


def _root(node: Node, source: str) -> Run:
    raise NeedsEngine("$root as a whole")


def _item(node: Node, source: str) -> Run:
    return lambda scope: scope.item if scope.item is not None else of_environment(scope, "#")


def _inner(node: Node, source: str) -> Run:
    return _build(node.args[0], source)


def _member(node: Node, source: str) -> Run:
    of, key = node.args
    if key.kind != "literal" or key.args[0] is None or isinstance(key.args[0], bool):
        raise NoVectorForm("computed member")
    name = key.args[0]
    if isinstance(name, Decimal):
        place = int(name)
        base = _build(of, source)
        return lambda scope: at_place(base(scope), place)
    if of.kind == "root":
        return lambda scope: of_environment(scope, name)
    if of.kind == "name" and of.args[0] == "$nodes":
        return lambda scope: scope.nodes.get(name, NOTHING)
    base = _build(of, source)
    return lambda scope: member(base(scope), name)


def _two(operation: Callable[[Column, Column], Column]) -> Callable[[Node, str], Run]:
    def build(node: Node, source: str) -> Run:
        left, right = (_build(each, source) for each in node.args)
        return lambda scope: operation(left(scope), right(scope))

    return build


def _one(operation: Callable[[Column], Column]) -> Callable[[Node, str], Run]:
    def build(node: Node, source: str) -> Run:
        operand = _build(node.args[0], source)
        return lambda scope: operation(operand(scope))

    return build


def _unequal(a: Column, b: Column) -> Column:
    return negation(equal(a, b))


def _compare(operator: str) -> Callable[[Node, str], Run]:
    return _two(lambda a, b: compared(operator, a, b))


def _plus(node: Node, source: str) -> Run:
    left, right = (_build(each, source) for each in node.args)
    return lambda scope: plus(left(scope), right(scope), scope.strings)


def _power(node: Node, source: str) -> Run:
    base, exponent = node.args
    if exponent.kind != "literal" or not isinstance(exponent.args[0], Decimal) or exponent.args[0] not in (2, 3):
        raise NoVectorForm("power")
    operand, times = _build(base, source), int(exponent.args[0]) - 1

    def run(scope: Scope) -> Column:
        value = result = operand(scope)
        for _ in range(times):
            result = multiplied(result, value)
        return tagged(replace(result, plain=False), np.asarray(value.has(REAL)), ASK)

    return run


def _in(node: Node, source: str) -> Run:
    value, collection = node.args
    while collection.kind == "()":
        collection = collection.args[0]
    wanted = _build(value, source)
    if collection.kind == "interval":
        opening, low, high, closing = collection.args
        lowest, highest = _build(low, source), _build(high, source)
        return lambda scope: between(wanted(scope), opening, lowest(scope), highest(scope), closing)
    held = _build(collection, source)
    return lambda scope: contained(wanted(scope), held(scope), scope.strings)


def _not_in(node: Node, source: str) -> Run:
    within = _in(node, source)
    return lambda scope: negation(within(scope))


def _conditional(node: Node, source: str) -> Run:
    condition, when_true, when_false = (_build(each, source) for each in node.args)
    return lambda scope: conditional(condition(scope), when_true(scope), when_false(scope))


def _array(node: Node, source: str) -> Run:
    parts = [_build(each, source) for each in node.args[0]]
    always = np.ones(1, dtype=np.bool_)

    def run(scope: Scope) -> Column:
        columns = [part(scope) for part in parts]
        return with_trouble(arrays([(always, column) for column in columns]), columns)

    return run


def _object(node: Node, source: str) -> Run:
    names: list[str] = [key.args[0] for key, _ in node.args[0] if key.kind == "literal"]
    if len(names) != len(node.args[0]) or len(set(names)) != len(names):
        raise NoVectorForm("computed or repeated keys")
    parts = [_build(value, source) for _, value in node.args[0]]

    def run(scope: Scope) -> Column:
        columns = [part(scope) for part in parts]
        return with_trouble(objects(dict(zip(names, columns, strict=True))), columns)

    return run


def _template(node: Node, source: str) -> Run:
    parts = [_build(each, source) for each in node.args[0]]

    def run(scope: Scope) -> Column:
        result = text("", scope.strings)
        for part in parts:
            result = joined(result, as_text(part(scope), scope.strings), scope.strings)
        return result

    return run


# Calls


def _call(node: Node, source: str) -> Run:
    name, arguments = node.args
    if name in CLOSURES and len(arguments) == 2:
        return _closure(name, arguments, source)
    known = FUNCTIONS.get((name, len(arguments)))
    if known is None:
        if name in ("round", "trunc") and len(arguments) == 2:
            return _rounding(name, arguments, source)
        if name in ("startsWith", "endsWith", "contains") and len(arguments) == 2:
            return _text_predicate(name, arguments, source)
        raise NoVectorForm(name)
    operand = _build(arguments[0], source)
    return lambda scope: known(operand(scope), scope)


def _rounding(name: str, arguments: Sequence[Node], source: str) -> Run:
    digits = arguments[1]
    if digits.kind != "literal" or not isinstance(digits.args[0], Decimal) or digits.args[0] not in range(10):
        raise NoVectorForm("computed digits")
    places, operand = int(digits.args[0]), _build(arguments[0], source)
    return lambda scope: rounded(operand(scope), name, places)


def _text_predicate(name: str, arguments: Sequence[Node], source: str) -> Run:
    needle = arguments[1]
    operand = _build(arguments[0], source)
    if needle.kind != "literal" or not isinstance(needle.args[0], str):
        if name != "contains":
            raise NoVectorForm(name)
        wanted = _build(needle, source)
        return lambda scope: contains(operand(scope), wanted(scope), scope, None)
    value = needle.args[0]
    tests: dict[str, Callable[[str], bool]] = {
        "startsWith": lambda whole: whole.startswith(value),
        "endsWith": lambda whole: whole.endswith(value),
        "contains": lambda whole: value in whole,
    }
    test = tests[name]
    if name == "contains":
        return lambda scope: contains(operand(scope), text(value, scope.strings), scope, test)
    return lambda scope: tested(operand(scope), test, scope)


def _closure(name: str, arguments: Sequence[Node], source: str) -> Run:
    over = arguments[0]
    while over.kind == "()":
        over = over.args[0]
    if over.kind == "interval":
        raise NoVectorForm("a range of numbers")
    array, body = _build(over, source), _build(arguments[1], source)

    def run(scope: Scope) -> Column:
        whole = array(scope)
        values = [(mask, item, body(replace(scope, item=item))) for mask, item in whole.items]
        return of_arrays(CLOSED[name](values), whole)

    return run


_BUILDERS: dict[str, Callable[[Node, str], Run]] = {
    "literal": _literal,
    "name": _name,
    "root": _root,
    "#": _item,
    "()": _inner,
    "member": _member,
    "array": _array,
    "object": _object,
    "template": _template,
    "call": _call,
    "?:": _conditional,
    "and": _two(conjunction),
    "or": _two(disjunction),
    "??": _two(otherwise),
    "not": _one(negation),
    "unary-": _one(negative),
    "unary+": _inner,
    "==": _two(equal),
    "!=": _two(_unequal),
    **{operator: _compare(operator) for operator in ("<", "<=", ">", ">=")},
    "in": _in,
    "not in": _not_in,
    "+": _plus,
    "-": _two(lambda a, b: added(a, b, -1)),
    "*": _two(multiplied),
    "/": _two(divided),
    "%": _two(remainder),
    "^": _power,
}
