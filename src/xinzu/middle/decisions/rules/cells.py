"""What a table cell lets through, as a set: the ground on which rows are found unreachable, overlapping, or not enough.

Only cells over a plain indicator are read, and only cells made of literals: ``> 5``, ``[1..5)``, ``'a', 'b'``, ``> 5 and < 10``,
``not in ['a']``, ``null``. Anything else is opaque (None): nothing is claimed about it. The axis of an indicator is cut at every value
the table's cells name; each piece is an atom, and a cell is the set of the atoms it lets through. Integers have no atoms between
neighbours, so that ``<= 19`` and ``>= 20`` leave no gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from typing import TypeAlias

from xinzu.middle.decisions.rules.language import Token, tokens

Value: TypeAlias = Decimal | str | bool | None
BOXES_MAX = 50_000
ROWS_COMPARED_MAX = 500  # every row is compared with every row above it
OTHER = "\x00other"  # stands for every text the table does not name


@dataclass(frozen=True, slots=True)
class Axis:
    """What an indicator may hold: its kind, whether it may be missing, and its values when there are only so many."""

    kind: type[int] | type[Decimal] | type[str] | type[bool]
    is_nullable: bool
    values: tuple[str, ...] = ()


Test: TypeAlias = Callable[[Value], bool]


def cell_test(cell: str) -> tuple[Test, list[Value]] | None:
    """Whether a value passes the cell, and the values the cell names; None when the cell is opaque.

    A missing value fails where the engine would give an error: a cell that errors is false.

    >>> passes, named = cell_test("> 5 and <= 10")
    >>> [passes(Decimal(n)) for n in (5, 6, 10, 11)], named
    ([False, True, True, False], [Decimal('5'), Decimal('10')])
    >>> cell_test("> credit_score") is None
    True
    """
    stream = [each for each in tokens(cell) if each.text != "$"]
    if not stream:
        return (lambda _: True), []
    joints = {each.text for each in stream if each.depth == 0 and each.kind != "text" and each.text in ("and", "or", ",")}
    if "and" in joints and len(joints) > 1:
        return None
    found = [_simple(part) for part in _split(stream, joints)]
    if any(each is None for each in found):
        return None
    tests = [each for each in found if each is not None]
    named = [value for _, values in tests for value in values]
    if joints == {"and"}:
        return (lambda value: all(test(value) for test, _ in tests)), named
    return (lambda value: any(test(value) for test, _ in tests)), named


def _split(stream: Sequence[Token], joints: set[str]) -> Iterator[list[Token]]:
    part: list[Token] = []
    for each in stream:
        if each.depth == 0 and each.kind != "text" and each.text in joints:
            yield part
            part = []
        else:
            part.append(each)
    yield part


def _simple(part: Sequence[Token]) -> tuple[Test, list[Value]] | None:
    """One condition without ``and``, ``or`` and commas."""
    texts = [each.text if each.kind != "text" else "" for each in part]
    if texts[:2] == ["not", "in"]:
        inner = _simple(part[1:])
        # Against an interval the engine gives an error for what is no number; against a list that does not hold it, true.
        if inner is None:
            return None
        test, named = inner
        listed = ".." not in texts
        return (lambda value: (listed or isinstance(value, Decimal)) and not test(value)), named
    if texts[:1] == ["in"]:
        part, texts = part[1:], texts[1:]
    if texts and texts[0] in ("[", "(") and ".." in texts:
        return _interval(part, texts)
    if texts and texts[0] == "[" and texts[-1] == "]":
        members = [_literal(each) for each in _split([Token(t.kind, t.text, 0) for t in part[1:-1]], {","})]
        if any(each is None for each in members):
            return None
        values = [each[0] for each in members if each is not None]
        return (lambda value: any(_same(value, each) for each in values)), values
    operator = texts[0] if texts and texts[0] in ("==", "!=", "<", "<=", ">", ">=") else "=="
    literal = _literal(part[1:] if texts and texts[0] == operator else part)
    if literal is None:
        return None
    bound = literal[0]
    if operator == "==":
        return (lambda value: _same(value, bound)), [bound]
    if operator == "!=":
        return (lambda value: not _same(value, bound)), [bound]
    if not isinstance(bound, Decimal):
        return None
    order: Mapping[str, Callable[[Decimal], bool]] = {
        "<": lambda value: value < bound,
        "<=": lambda value: value <= bound,
        ">": lambda value: value > bound,
        ">=": lambda value: value >= bound,
    }
    return (lambda value: isinstance(value, Decimal) and order[operator](value)), [bound]


def _interval(part: Sequence[Token], texts: Sequence[str]) -> tuple[Test, list[Value]] | None:
    at = texts.index("..")
    low, high = _literal(part[1:at]), _literal(part[at + 1 : -1])
    if texts[-1] not in ("]", ")") or low is None or high is None:
        return None
    first, last, opens, closes = low[0], high[0], texts[0], texts[-1]
    if not isinstance(first, Decimal) or not isinstance(last, Decimal):
        return None

    def test(value: Value) -> bool:
        return (
            isinstance(value, Decimal)
            and (first <= value if opens == "[" else first < value)
            and (value <= last if closes == "]" else value < last)
        )

    return test, [first, last]


def _literal(part: Sequence[Token]) -> tuple[Value] | None:
    """A literal's value in a tuple, because null is one of them."""
    sign = 1
    if len(part) == 2 and part[0].text == "-":
        sign, part = -1, part[1:]
    if len(part) != 1:
        return None
    token = part[0]
    if token.kind == "number":
        return (sign * Decimal(token.text.replace("_", "")),)
    if token.kind == "text":
        return (token.text[1:-1],)
    return {"null": (None,), "true": (True,), "false": (False,)}.get(token.text) if token.kind == "name" else None


def _same(value: Value, other: Value) -> bool:
    """Equality as the engine knows it: across types it is false."""
    return type(value) is type(other) and value == other


def atoms(axis: Axis, named: Sequence[Value]) -> list[Value]:
    """One value out of each piece the named values cut the axis into.

    >>> atoms(Axis(int, False), [Decimal(18), Decimal(20)])
    [Decimal('17'), Decimal('18'), Decimal('19'), Decimal('20'), Decimal('21')]
    >>> atoms(Axis(str, True, ("low", "high")), ["low"])
    ['low', 'high', None]
    """
    found: list[Value]
    if axis.kind is bool:
        found = [True, False]
    elif axis.kind is str:
        texts = dict.fromkeys([*axis.values, *(value for value in named if isinstance(value, str))])
        found = [*texts] if axis.values else [*texts, OTHER]
    else:
        cuts = sorted({value for value in named if isinstance(value, Decimal)})
        found = [*_pieces(cuts, axis.kind is int)] or [Decimal(0)]
    return [*found, None] if axis.is_nullable else found


def _pieces(cuts: Sequence[Decimal], is_whole: bool) -> Iterator[Decimal]:
    if not cuts:
        return
    yield cuts[0] - 1
    for low, high in pairwise(cuts):
        yield low
        between = low + 1 if is_whole else (low + high) / 2
        if between < high:
            yield between
    yield cuts[-1]
    yield cuts[-1] + 1


def spoken(value: Value) -> str:
    """A value as an author would write it."""
    if value == OTHER:
        return "…"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the rows of a table cover. Rows by their position in the table."""

    unreachable: Sequence[tuple[int, Sequence[int]]]  # a row, and the rows above it that take everything it would
    overlapping: Sequence[tuple[int, int]]  # two rows of which neither holds the other
    gap: Mapping[int, Value] | None  # values by column that no row takes; None when there is no gap or none can be claimed


def coverage(axes: Sequence[Axis | None], rows: Sequence[Sequence[str]]) -> Coverage:
    """Compare the rows of a table with hit policy first. ``axes`` by column, None where the column is not a plain indicator.

    An opaque cell is taken to cover nothing but cells of the same text, and no gap is claimed beside it.
    """
    tests = [
        [cell_test(cell.strip()) if axis is not None or not cell.strip() else None for axis, cell in zip(axes, row, strict=True)]
        for row in rows
    ]
    pieces: list[list[Value]] = []
    for column, axis in enumerate(axes):
        named = [value for row in tests if (found := row[column]) is not None for value in found[1]]
        pieces.append(atoms(axis, named) if axis is not None else [None])
    # By row and column the atoms that pass; None for an opaque cell.
    sets = [
        [
            None if test is None else frozenset(at for at, value in enumerate(pieces[column]) if test[0](value))
            for column, test in enumerate(row)
        ]
        for row in tests
    ]
    unreachable = [(at, above) for at in range(len(rows)) if (above := _takers(rows, sets, at))]
    hidden = {at for at, _ in unreachable}
    overlapping = [
        (upper, lower)
        for lower in range(len(rows))
        for upper in range(lower)
        if not {upper, lower} & hidden
        and _meet(sets[upper], sets[lower])
        and not _holds(rows[upper], sets[upper], rows[lower], sets[lower])
        and not _holds(rows[lower], sets[lower], rows[upper], sets[upper])
    ]
    boxes = 1
    for piece in pieces:
        boxes *= len(piece)
    if boxes > BOXES_MAX or boxes * len(rows) > 20 * BOXES_MAX:
        return Coverage(unreachable, overlapping, None)
    full = [row for row in sets if None not in row]
    reached: set[int] = set()
    gap = None
    for box in product(*(range(len(piece)) for piece in pieces)):
        first = next((at for at, row in enumerate(sets) if None not in row and _takes(row, box)), None)
        if first is not None:
            reached.add(first)
        elif gap is None and len(full) == len(sets):
            gap = {column: pieces[column][at] for column, at in enumerate(box)}
    for at, row in enumerate(sets):
        # Each box of the row goes to a row above it, though no single one takes them all.
        if None not in row and at not in reached and at not in hidden:
            unreachable.append((at, [other for other in range(at) if None not in sets[other] and _meet(sets[other], row)]))
    hidden = {at for at, _ in unreachable}
    return Coverage(sorted(unreachable), [pair for pair in overlapping if not {*pair} & hidden], gap)


Atoms: TypeAlias = Sequence[frozenset[int] | None]


def _takers(rows: Sequence[Sequence[str]], sets: Sequence[Atoms], at: int) -> list[int]:
    return [above for above in range(at) if _holds(rows[above], sets[above], rows[at], sets[at])][:1]


def _holds(outer: Sequence[str], outer_sets: Atoms, inner: Sequence[str], inner_sets: Atoms) -> bool:
    """Whether every value the inner row takes is taken by the outer."""
    return all(
        not mine.strip() or mine.strip() == theirs.strip() or (a is not None and b is not None and b <= a)
        for mine, a, theirs, b in zip(outer, outer_sets, inner, inner_sets, strict=True)
    )


def _meet(one: Atoms, other: Atoms) -> bool:
    """Whether both surely take some common value; of opaque cells nothing is sure."""
    return all(a is not None and b is not None and a & b for a, b in zip(one, other, strict=True))


def _takes(row: Atoms, box: Sequence[int]) -> bool:
    return all(found is not None and at in found for found, at in zip(row, box, strict=True))
