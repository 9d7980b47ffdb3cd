"""How nodes are declared, read and written: one table of fields per class, from which reading, checking and writing follow.

A field names its tag and its Chinese name; its kind says how its text is read. Tags that begin with ``*`` take the place of the segment
they stand in, because several segments have the same fields under their own letters (PC02E, PC02F, PC02G; every unit's notes).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from xinzu.kernel.errors import FieldError

T = TypeVar("T")
# A document before its text is read: objects by tag, repeated ones as lists, leaves as text or whole numbers.
Tree: TypeAlias = Mapping[str, object]

TEXT_CHARS_MAX = 2_000
AMOUNT_YUAN_MAX = 10**11
NUMBER_MAX = 10**15
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.0{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}")


class Kind(Enum):
    """How a leaf's text is read: the words say what it must look like."""

    TEXT = ("文字", "a text")
    CODE = ("代码表中的代码", "a code of its table")
    COUNT = ("非负整数", "a whole number, not negative")
    AMOUNT = ("以元为单位的整数", "an amount in whole yuan")
    DATE = ("日期，如 2026-03-01", "a date such as 2026-03-01")
    MONTH = ("月份，如 2026-03", "a month such as 2026-03")
    TIME = ("时间，如 2026-03-01T09:00:00", "a time such as 2026-03-01T09:00:00")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field with text. ``codes`` limits a code; ``is_many`` may stand several times."""

    tag: str
    zh: str
    kind: Kind
    is_required: bool = False
    codes: Collection[str] = ()
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """A field with nodes below it. ``path`` are the tags from the parent down, ``node`` the class of what stands there."""

    path: tuple[str, ...]
    node: type[Any]
    is_required: bool = False
    is_many: bool = False


def _leaf(tag: str, zh: str, kind: Kind, is_required: bool, codes: Collection[str] = ()) -> Any:  # noqa: ANN401 (a dataclass field)
    return field(default=None, metadata={"node": Leaf(tag, zh, kind, is_required, codes)})


def text(tag: str, zh: str, *, is_required: bool = False) -> Any:  # noqa: ANN401
    return _leaf(tag, zh, Kind.TEXT, is_required)


def code(tag: str, zh: str, codes: Collection[str] = (), *, is_required: bool = False) -> Any:  # noqa: ANN401
    """A code; without ``codes`` the table is open."""
    return _leaf(tag, zh, Kind.CODE, is_required, codes)


def count(tag: str, zh: str, *, is_required: bool = False) -> Any:  # noqa: ANN401
    return _leaf(tag, zh, Kind.COUNT, is_required)


def amount(tag: str, zh: str, *, is_required: bool = False) -> Any:  # noqa: ANN401
    """Whole yuan in the report, fen in the node."""
    return _leaf(tag, zh, Kind.AMOUNT, is_required)


def day(tag: str, zh: str, *, is_required: bool = False) -> Any:  # noqa: ANN401
    return _leaf(tag, zh, Kind.DATE, is_required)


def month(tag: str, zh: str, *, is_required: bool = False) -> Any:  # noqa: ANN401
    """A month, held as its first day."""
    return _leaf(tag, zh, Kind.MONTH, is_required)


def time(tag: str, zh: str, *, is_required: bool = False) -> Any:  # noqa: ANN401
    """A local time without an offset: the report's, which is Beijing's."""
    return _leaf(tag, zh, Kind.TIME, is_required)


def codes(tag: str, zh: str) -> Any:  # noqa: ANN401
    """A code that may stand several times."""
    return field(default=(), metadata={"node": Leaf(tag, zh, Kind.CODE, is_many=True)})


def one(path: str, node: type[Any], *, is_required: bool = False) -> Any:  # noqa: ANN401
    """A segment, by its path below the parent: ``PRH/PA01``."""
    return field(default=None, metadata={"node": Branch(tuple(path.split("/")), node, is_required)})


def many(path: str, node: type[Any]) -> Any:  # noqa: ANN401
    """Repeated nodes, in the order of the report."""
    return field(default=(), metadata={"node": Branch(tuple(path.split("/")), node, is_many=True)})


_DECLARED: dict[type[Any], tuple[tuple[str, Leaf | Branch], ...]] = {}


def _declared(node: type[Any]) -> tuple[tuple[str, Leaf | Branch], ...]:
    found = _DECLARED.get(node)
    if found is None:
        found = _DECLARED[node] = tuple((each.name, each.metadata["node"]) for each in fields(node))
    return found


def _here(tag: str, segment: str) -> str:
    """A tag in its segment: ``*S01`` in PC02E is PC02ES01, ``*D01`` in PD01ZH is PD01ZD01."""
    return segment[:5] + tag[1:] if tag.startswith("*") else tag


class Reading:
    """What one document turned out to hold besides its nodes: problems, each with path and remedy, and tags nobody knows."""

    def __init__(self) -> None:
        self.problems: list[FieldError] = []
        self.unknown: list[str] = []

    def refuse(self, path: str, code_: str, zh: str, en: str) -> None:
        self.problems.append(FieldError(path, f"credit.{code_}", f"{path}：{zh}", f"{path}: {en}"))


def read(node: type[T], tree: Tree, reading: Reading, path: str, segment: str = "") -> T | None:
    """A node from its tree; None when something required is wrong, which ``reading`` then says."""
    values: dict[str, object] = {}
    known: set[str] = set()
    before = len(reading.problems)
    for name, declared in _declared(node):
        if isinstance(declared, Leaf):
            tag = _here(declared.tag, segment)
            known.add(tag)
            value = _leaf_value(declared, tree.get(tag), reading, f"{path}/{tag}")
        else:
            known.add(_here(declared.path[0], segment))
            value = _branch_value(declared, tree, reading, path, segment)
        if value is not None:
            values[name] = value
    reading.unknown += [f"{path}/{tag}" for tag in tree if tag not in known]
    return None if len(reading.problems) > before else node(**values)


def _branch_value(declared: Branch, tree: Tree, reading: Reading, path: str, segment: str) -> object:
    *wrappers, last = (_here(step, segment) for step in declared.path)
    below: object = tree
    for step in wrappers:  # such as PDA around PD01: what else it holds is nobody's
        path = f"{path}/{step}"
        below = below.get(step) if isinstance(below, Mapping) else None
        if below in (None, ""):
            break
        if not isinstance(below, Mapping):
            reading.refuse(path, "node_expected", "应为单个节点，请更正", "one node with nodes below it is expected: correct it")
            return None
        reading.unknown += [f"{path}/{other}" for other in below if other != last]
    path = f"{path}/{last}"
    found = below.get(last) if isinstance(below, Mapping) else None
    if found in (None, "", []):
        if declared.is_required:
            reading.refuse(
                path, "node_missing", "缺少该节点，请向出具机构索取完整报告", "the node is missing: ask for the whole report"
            )
        return None
    each_tree = found if isinstance(found, list | tuple) else [found]
    if len(each_tree) > 1 and not declared.is_many:
        reading.refuse(
            path, "node_repeated", "该节点只能出现一次，请删除重复项", "the node may stand once only: remove the others"
        )
        return None
    nodes = []
    for number, each in enumerate(each_tree):
        where = f"{path}[{number + 1}]" if declared.is_many else path
        if isinstance(each, Mapping):
            nodes.append(read(declared.node, each, reading, where, last))
        else:
            reading.refuse(where, "node_expected", "应为节点而非文字，请更正", "a node is expected here, not a text: correct it")
    kept = tuple(node for node in nodes if node is not None)
    return kept if declared.is_many else (kept[0] if kept else None)


def _leaf_value(declared: Leaf, raw: object, reading: Reading, path: str) -> object:
    if declared.is_many:
        found = raw if isinstance(raw, list | tuple) else [] if raw in (None, "") else [raw]
        single = Leaf(declared.tag, declared.zh, declared.kind, codes=declared.codes)
        read_ = [_leaf_value(single, each, reading, f"{path}[{number + 1}]") for number, each in enumerate(found)]
        return tuple(each for each in read_ if each is not None)
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        if declared.is_required:
            reading.refuse(
                path,
                "field_missing",
                f"缺少{declared.zh}，请补全后重新导入",
                f"{declared.zh} is missing: have it filled in and import again",
            )
        return None
    # A number in JSON may have more digits than Python writes out.
    if isinstance(raw, bool) or not isinstance(raw, str | int) or (isinstance(raw, int) and abs(raw) > NUMBER_MAX):
        reading.refuse(path, "text_expected", f"{declared.zh}应为单个文字或整数", "one text or whole number is expected here")
        return None
    value = _parsed(declared, str(raw).strip())
    if value is None:
        zh, en = declared.kind.value
        if declared.kind is Kind.CODE:
            zh, en = f"{zh}（{'、'.join(sorted(declared.codes))}）", f"{en} ({', '.join(sorted(declared.codes))})"
        reading.refuse(path, "field_unreadable", f"{declared.zh}应为{zh}，请更正", f"{declared.zh} takes {en}: correct it")
    return value


def _parsed(declared: Leaf, raw: str) -> object:
    """The value of a leaf's text; None when it is not of its kind."""
    kind = declared.kind
    if kind is Kind.TEXT:
        return raw if len(raw) <= TEXT_CHARS_MAX and "\0" not in raw else None
    if kind is Kind.CODE:
        return raw if raw in declared.codes or (not declared.codes and len(raw) <= 10) else None
    if kind in (Kind.COUNT, Kind.AMOUNT):
        if not _NUMBER.fullmatch(raw):
            return None
        number = int(raw.partition(".")[0])
        if kind is Kind.COUNT:
            return number if number >= 0 else None
        return number * 100 if abs(number) <= AMOUNT_YUAN_MAX else None
    try:
        if kind is Kind.DATE and _DATE.fullmatch(raw):
            return date.fromisoformat(raw)
        if kind is Kind.MONTH and _MONTH.fullmatch(raw):
            return date.fromisoformat(f"{raw}-01")
        if kind is Kind.TIME and _TIME.fullmatch(raw):
            return datetime.fromisoformat(raw)
    except ValueError:
        pass
    return None


def write(node: Any, segment: str = "") -> dict[str, object]:  # noqa: ANN401 (any node)
    """The tree of a node: what ``read`` reads back as the same node. What is not known is left out.

    Raises ValueError for an amount that is not whole yuan: the report has no fen.
    """
    tree: dict[str, object] = {}
    for name, declared in _declared(type(node)):
        value = getattr(node, name)
        if value is None or value == ():
            continue
        if isinstance(declared, Leaf):
            written = [_written(declared.kind, each) for each in value] if declared.is_many else _written(declared.kind, value)
            tree[_here(declared.tag, segment)] = written
            continue
        *wrappers, last = (_here(step, segment) for step in declared.path)
        below = tree
        for step in wrappers:
            below = below.setdefault(step, {})  # type: ignore[assignment]
        below[last] = [write(each, last) for each in value] if declared.is_many else write(value, last)
    return tree


def _written(kind: Kind, value: Any) -> str:  # noqa: ANN401 (of the kind's type)
    if kind is Kind.AMOUNT:
        yuan, rest = divmod(value, 100)
        if rest:
            raise ValueError(f"a credit report counts whole yuan, not {value} fen")
        return str(yuan)
    if kind is Kind.MONTH:
        return f"{value:%Y-%m}"
    if kind in (Kind.DATE, Kind.TIME):
        return str(value.isoformat())
    return str(value)
