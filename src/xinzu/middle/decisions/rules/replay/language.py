"""The ZEN expression language: text to a small tree, for standard expressions and for the cells of a decision table.

Precedence, low to high: ``?:`` · or · and · comparisons, in · ``+ -`` · not · ``* / %`` · ``^`` (right) · ``??`` · unary ``+ -``. So
``not 1 == 2`` is ``(not 1) == 2`` and ``2 ?? 3 ^ 2`` is ``(2 ?? 3) ^ 2``. In a cell ``$`` is the column's value, ``,`` means or, and
``and``, ``or`` and ``,`` bind equally, left to right.

The engine has the last word on what is well formed (``zen.compile_expression``); this parser is asked only about text the engine takes, and
gives up with Unreadable rather than guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any


class Unreadable(ValueError):
    """The text is not in the part of the language this parser knows."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: its kind, its operands (nodes, or plain values of a literal or a name) and where it stands in the text."""

    kind: str
    args: tuple[Any, ...] = ()
    start: int = 0
    end: int = 0

    def children(self) -> Iterator[Node]:
        """The operands that are operations themselves."""
        for each in self.args:
            if isinstance(each, Node):
                yield each
            elif isinstance(each, tuple):
                for inner in each:
                    yield from (part for part in (inner if isinstance(inner, tuple) else (inner,)) if isinstance(part, Node))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, text, template, name, op
    value: Any
    start: int
    end: int


BINARY: dict[str, tuple[int, bool]] = {  # precedence, right-associative
    "or": (10, False),
    "and": (15, False),
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">=", "in", "not in"), (20, False)),
    **dict.fromkeys("+-", (30, False)),
    **dict.fromkeys("*/%", (60, False)),
    "^": (70, True),
    "??": (80, False),
}
UNARY = {"not": 50, "!": 50, "+": 200, "-": 200}
COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "in", "not in"})
CLOSURES = frozenset({"all", "some", "none", "one", "filter", "map", "flatMap", "count"})
# What a cell made of such a call means: most are compared with the column's value, these hold or not, these hold the value or not.
_PREDICATES = frozenset({"contains", "startsWith", "endsWith", "matches", "isNumeric", "all", "some", "none", "one"})
_COLLECTIONS = frozenset({"flatten", "merge", "mergeDeep", "extract", "split", "keys", "values", "filter", "map", "flatMap"})
_DATE_PREDICATES = re.compile(r"is[A-Z]")

_LEXEME = re.compile(
    r"""(?P<space>[ \n\t\r]+)
    |(?P<number>\d[\d_]*(?:\.(?!\.)[\d_]*)?(?:[eE][+-]?\d+)?)
    |(?P<text>'[^']*'|"[^"]*")
    |(?P<template>`)
    |(?P<name>[A-Za-z$_\#][A-Za-z0-9$_\#]*)
    |(?P<op>\.\.|==|!=|<=|>=|\?\?|[-+*/%^<>=!?:;,.()\[\]{}])""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "in", "not"})


def _tokens(source: str, at: int = 0, *, until: str = "") -> tuple[list[_Token], int]:
    """The lexemes from a place on, up to the end or to the closing brace of a template's expression."""
    found: list[_Token] = []
    while at < len(source):
        if until and source[at] == until:
            return found, at
        match = _LEXEME.match(source, at)
        if match is None:
            raise Unreadable(f"unexpected {source[at]!r} at {at}")
        kind, value, end = str(match.lastgroup), match[0], match.end()
        if kind == "template":
            parts, end = _template(source, end)
            found.append(_Token("template", parts, at, end))
        elif kind == "text":
            found.append(_Token("text", value[1:-1], at, end))
        elif kind == "name" and value == "not" and source.startswith(" in ", end):
            end += len(" in ")
            found.append(_Token("op", "not in", at, end))
        elif kind == "name" and value in _WORDS:
            found.append(_Token("op", value, at, end))
        elif kind != "space":
            found.append(_Token(kind, value, at, end))
        at = end
    if until:
        raise Unreadable("a template is not closed")
    return found, at


def _template(source: str, at: int) -> tuple[tuple[Any, ...], int]:
    parts: list[Any] = []
    while True:
        stop = min((place for place in (source.find("`", at), source.find("${", at)) if place >= 0), default=-1)
        if stop < 0:
            raise Unreadable("a template is not closed")
        if stop > at:
            parts.append(source[at:stop])
        if source[stop] == "`":
            return tuple(parts), stop + 1
        inner, at = _tokens(source, stop + 2, until="}")
        parts.append(inner)
        at += 1


class _Parser:
    def __init__(self, tokens: list[_Token], *, cell: bool) -> None:
        self._tokens, self._at, self._depth, self._cell = tokens, 0, 0, cell

    @property
    def _op(self) -> str | None:
        token = self._peek()
        return token.value if token is not None and token.kind == "op" else None

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> _Token:
        token = self._peek()
        if token is None:
            raise Unreadable("unexpected end")
        self._at += 1
        return token

    def _expect(self, op: str) -> _Token:
        token = self._next()
        if token.kind != "op" or token.value != op:
            raise Unreadable(f"expected {op} at {token.start}")
        return token

    def _take(self, op: str) -> bool:
        if self._op != op:
            return False
        self._at += 1
        return True

    @property
    def _end(self) -> int:
        return self._tokens[self._at - 1].end if self._at else 0

    def whole(self, one: Callable[[], Node]) -> Node:
        """Assignments, then what the text is about; the whole text must be used up."""
        steps: list[tuple[str, Node]] = []
        while self._is_assignment():
            path = self._assigned_path()
            steps.append((path, self.binary(0)))
            if not self._take(";"):
                raise Unreadable("an assignment ends with ;")
        if steps and self._peek() is None:
            raise Unreadable("nothing after the assignments")
        node = one()
        if self._peek() is not None:
            raise Unreadable(f"unexpected {self._next().value!r}")
        return Node("let", (tuple(steps), node), 0, self._end) if steps else node

    def _is_assignment(self) -> bool:
        place = self._at
        while place < len(self._tokens) and (self._tokens[place].kind == "name" or self._tokens[place].value == "."):
            place += 1
        return self._at < place < len(self._tokens) and self._tokens[place].kind == "op" and self._tokens[place].value == "="

    def _assigned_path(self) -> str:
        path = ""
        while not self._take("="):
            path += self._next().value
        return path

    def cell(self) -> Node:
        left = self._pair()
        while self._peek() is not None:
            joiner = self._op
            if joiner not in ("and", "or", ","):
                raise Unreadable(f"unexpected {joiner!r}")
            self._next()
            left = Node("and" if joiner == "and" else "or", (left, self._pair()), -1, -1)
        return left

    def _pair(self) -> Node:
        if self._op in COMPARISONS:
            operator = self._next().value
            return Node(operator, (Node("name", ("$",)), self.binary(0)), -1, -1)
        node = self.binary(0)
        meaning = _cell_meaning(node)
        if meaning == "bool":
            return Node("call", ("bool", (node,)), -1, -1)
        return Node(meaning, (Node("name", ("$",)), node), -1, -1)

    def binary(self, precedence: int) -> Node:
        left = self._unary()
        while (operator := self._op) in BINARY:
            assert operator is not None
            if self._cell and self._depth == 0 and operator in ("and", "or"):
                break
            strength, right_associative = BINARY[operator]
            if strength < precedence:
                break
            self._next()
            right = self.binary(strength if right_associative else strength + 1)
            left = Node(operator, (left, right), left.start, right.end)
        if precedence == 0 and self._take("?"):
            when_true = self.binary(0)
            self._expect(":")
            when_false = self.binary(0)
            left = Node("?:", (left, when_true, when_false), left.start, when_false.end)
        return left

    def _unary(self) -> Node:
        token = self._peek()
        if token is None:
            raise Unreadable("unexpected end")
        if token.kind == "op" and token.value in UNARY:
            self._next()
            operand = self.binary(UNARY[token.value])
            return Node(
                "not" if token.value == "!" else "unary" + token.value if token.value != "not" else "not",
                (operand,),
                token.start,
                operand.end,
            )
        if token.kind == "op" and token.value in "([])":
            interval = self._interval()
            if interval is not None:
                return interval
        if token.kind == "op" and token.value == "(":
            self._next()
            inner = self.binary(0)
            self._expect(")")
            return self._postfix(Node("()", (inner,), token.start, self._end))
        return self._literal(token)

    def _interval(self) -> Node | None:
        if not any(token.kind == "op" and token.value == ".." for token in self._tokens):
            return None
        at, start = self._at, self._tokens[self._at].start
        try:
            opening = self._next().value
            left = self.binary(0)
            self._expect("..")
            right = self.binary(0)
            closing = self._op
            if closing not in ("(", ")", "[", "]"):
                raise Unreadable("an interval ends with a bracket")
            self._next()
        except Unreadable:
            self._at = at
            return None
        return self._postfix(Node("interval", (opening, left, right, closing), start, self._end))

    def _literal(self, token: _Token) -> Node:
        self._next()
        start, end = token.start, token.end
        if token.kind == "number":
            try:
                return Node("literal", (Decimal(token.value.replace("_", "")),), start, end)
            except InvalidOperation as wrong:
                raise Unreadable(f"{token.value} is no number") from wrong
        if token.kind == "text":
            return Node("literal", (token.value,), start, end)
        if token.kind == "template":
            parts = tuple(Node("literal", (part,)) if isinstance(part, str) else self._inner(part) for part in token.value)
            return Node("template", (parts,), start, end)
        if token.kind == "name":
            if token.value == "null":
                return Node("literal", (None,), start, end)
            if token.value in ("true", "false"):
                return Node("literal", (token.value == "true",), start, end)
            return self._named(token)
        if token.value == "[":
            items = self._list("]")
            return self._postfix(Node("array", (items,), start, self._end))
        if token.value == "{":
            return self._object(start)
        raise Unreadable(f"unexpected {token.value!r} at {start}")

    def _inner(self, tokens: list[_Token]) -> Node:
        inner = _Parser(tokens, cell=False)
        inner._depth = self._depth
        node = inner.binary(0)
        if inner._peek() is not None:
            raise Unreadable("unexpected text in a template")
        return node

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._take(closing):
            if items:
                self._expect(",")
                if self._take(closing):
                    break
            items.append(self.binary(0))
        return tuple(items)

    def _object(self, start: int) -> Node:
        pairs: list[tuple[Node, Node]] = []
        while not self._take("}"):
            if pairs:
                self._expect(",")
            token = self._next()
            if token.kind == "op" and token.value == "[":
                key = self.binary(0)
                self._expect("]")
            elif token.kind in ("name", "text", "number"):
                key = Node("literal", (str(token.value),), token.start, token.end)
            else:
                raise Unreadable("unexpected key of an object")
            self._expect(":")
            pairs.append((key, self.binary(0)))
        return Node("object", (tuple(pairs),), start, self._end)

    def _named(self, token: _Token) -> Node:
        if self._op != "(":
            kind = {"#": "#", "$root": "root"}.get(token.value, "name")
            args = () if kind != "name" else (token.value,)
            return self._postfix(Node(kind, args, token.start, token.end))
        self._next()
        arguments: list[Node] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            closure = token.value in CLOSURES and len(arguments) == 1
            self._depth += closure
            arguments.append(self.binary(0))
            self._depth -= closure
        return self._postfix(Node("call", (token.value, tuple(arguments)), token.start, self._end))

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._take("."):
                token = self._next()
                if token.kind != "name" and token.value not in _WORDS:
                    raise Unreadable("expected a member's name")
                if self._op == "(":
                    self._next()
                    node = Node("method", (token.value, node, self._list(")")), node.start, self._end)
                else:
                    node = Node("member", (node, Node("literal", (token.value,))), node.start, token.end)
            elif self._take("["):
                node = self._indexed(node)
            else:
                return node

    def _indexed(self, node: Node) -> Node:
        first = None if self._op == ":" else self.binary(0)
        if not self._take(":"):
            self._expect("]")
            assert first is not None
            return Node("member", (node, first), node.start, self._end)
        last = None if self._op == "]" else self.binary(0)
        self._expect("]")
        nothing = Node("literal", (None,))
        return Node("slice", (node, first or nothing, last or nothing), node.start, self._end)


def _cell_meaning(node: Node) -> str:
    """How a cell without a comparison is read: ``==`` or ``in`` with the column's value, or ``bool``: it holds by itself."""
    match node.kind:
        case "#" | "and" | "or" | "??" | "all":
            return "bool"
        case kind if kind in COMPARISONS:
            return "bool"
        case "array" | "slice" | "interval":
            return "in"
        case "()" | "not" | "unary+" | "unary-":
            return _cell_meaning(node.args[0])
        case "?:":
            first, second = _cell_meaning(node.args[1]), _cell_meaning(node.args[2])
            return first if first == second else "=="
        case "+" | "-" | "*" | "/" | "%" | "^":
            first, second = _cell_meaning(node.args[0]), _cell_meaning(node.args[1])
            return first if first == second else "=="
        case "call":
            return "bool" if node.args[0] in _PREDICATES else "in" if node.args[0] in _COLLECTIONS else "=="
        case "method":
            return "bool" if _DATE_PREDICATES.match(node.args[0]) else "=="
    return "=="


def parse(source: str) -> Node:
    """The tree of a standard expression. Raises Unreadable."""
    parser = _Parser(_tokens(source)[0], cell=False)
    return parser.whole(lambda: parser.binary(0))


def parse_cell(source: str) -> Node:
    """The tree of a table's cell, with the comparison against ``$`` spelled out. Raises Unreadable."""
    parser = _Parser(_tokens(source)[0], cell=True)
    return parser.cell()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in node.children():
        yield from walk(child)
