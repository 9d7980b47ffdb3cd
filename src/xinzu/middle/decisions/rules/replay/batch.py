"""Replaying a graph on many rows: in chunks over columns, and by the engine where the replay leaves a row to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinzu.middle.decisions.rules.replay.columns import (
    ASK,
    EXACT_FLOAT_MAX,
    FAIL,
    NULL,
    NUM,
    REAL,
    Column,
    Json,
    Strings,
    constant_of,
    inserted,
    member,
    objects,
)
from xinzu.middle.decisions.rules.replay.engine import ERROR_CHARS_MAX, Answer, Engine
from xinzu.middle.decisions.rules.replay.graph import Plan, plan
from xinzu.middle.decisions.rules.replay.group import Batch
from xinzu.middle.decisions.rules.replay.scope import NeedsEngine
from xinzu.middle.decisions.rules.replay.values import column_of, column_of_array, python_values
from xinzu.middle.decisions.rules.replay.walk import checked

CHUNK_ROWS = 65_536
Columns = Mapping[str, "Sequence[Any] | NDArray[Any]"]


@dataclass(slots=True)
class Report:
    """How the rows were decided, and what kept some from the vectorised way."""

    vectorised_rows: int = 0
    guard_rows: int = 0  # left to the engine: a near tie, too many digits, a value of unknown text
    fallback_rows: int = 0  # the whole graph is the engine's
    fallback_reason: str | None = None
    rule_hits: dict[str, dict[str, int]] | None = None  # by node and row of its table, of vectorised rows; None: not counted
    asked: dict[str, int] = field(default_factory=dict)  # parts of expressions asked of the engine: distinct values asked

    @property
    def rows(self) -> int:
        return self.vectorised_rows + self.guard_rows + self.fallback_rows


class Replay:
    """A graph made ready: its plan, when it has one, and the engine. Raises GraphUnreadable and GraphRefused."""

    def __init__(self, graph: Mapping[str, Any], custom_nodes: Callable[..., Any] | None = None) -> None:
        checked(graph)
        self.engine = Engine(graph, custom_nodes)
        self.reason: str | None = None
        self.plan: Plan | None = None
        try:
            self.plan = plan(graph)
        except NeedsEngine as reason:
            self.reason = str(reason)
        except RecursionError:
            self.reason = "an expression nested too deeply"

    def chunk(self, columns: Columns, count: int, strings: Strings, report: Report) -> Chunk:
        """Some rows given as columns; a name with dots is a member of an object."""
        if self.plan is None:
            return self._by_engine(rows_of(columns, range(count)), report)
        inputs = objects({})
        for name, values in columns.items():
            column = column_of_array(values, strings) if isinstance(values, np.ndarray) else column_of(values, strings)
            inputs = inserted(inputs, name.split("."), column)
        return self._evaluated(inputs, count, strings, report, lambda rows: rows_of(columns, rows))

    def rows(self, rows: Sequence[Any], strings: Strings, report: Report) -> Chunk:
        """Some rows given as JSON values."""
        if self.plan is None or not rows:
            return self._by_engine(rows, report)
        try:
            inputs = column_of(rows, strings)
        except RecursionError:
            return self._by_engine(rows, report, "an input nested too deeply")
        return self._evaluated(inputs, len(rows), strings, report, lambda chosen: [rows[row] for row in chosen])

    def _by_engine(self, rows: Sequence[Any], report: Report, reason: str | None = None) -> Chunk:
        report.fallback_rows += len(rows)
        report.fallback_reason = reason or self.reason
        return Chunk(len(rows), constant_of(NULL), Strings(), dict(enumerate(self.engine.answers(rows))))

    def _evaluated(
        self, inputs: Column, count: int, strings: Strings, report: Report, raw: Callable[[list[int]], list[Json]]
    ) -> Chunk:
        assert self.plan is not None
        batch = Batch(count, strings, hits=None if report.rule_hits is None else {})
        result = self.plan.evaluate(inputs, batch)
        told = {row: Answer(error=text[:ERROR_CHARS_MAX]) for row, text in batch.errors.items()}
        chunk = Chunk(count, result, strings, told)
        asked = batch.ask | chunk.doubtful(told)
        rows = np.flatnonzero(asked).tolist()
        told.update(zip(rows, self.engine.answers(raw(rows)), strict=True))
        if report.rule_hits is not None:
            for (node, rule), where in (batch.hits or {}).items():
                of_node = report.rule_hits.setdefault(node, {})
                of_node[rule] = of_node.get(rule, 0) + int(np.count_nonzero(where & ~asked))
        report.guard_rows += len(rows)
        report.vectorised_rows += count - len(rows)
        for part, times in batch.asked.items():
            report.asked[part] = report.asked.get(part, 0) + times
        return chunk


@dataclass(slots=True)
class Chunk:
    """The results of some rows: a column of objects, and answers that stand by themselves (failed rows, the engine's rows)."""

    count: int
    result: Column
    strings: Strings
    told: dict[int, Answer]
    _values: list[Any] | None = None

    def doubtful(self, told: Mapping[int, Answer]) -> NDArray[np.bool_]:
        """Rows whose result holds a number only the engine knows to the last digit."""
        ask = np.zeros(self.count, dtype=np.bool_)
        _doubt(self.result, self.count, self.strings, ask)
        if told:
            ask[list(told)] = False
        return ask

    def answers(self) -> list[Answer]:
        """Row by row."""
        values = python_values(self.result, self.count, self.strings, np.zeros(self.count, dtype=np.bool_))
        answers = [Answer(value) for value in values]
        for row, answer in self.told.items():
            answers[row] = answer
        return answers

    def values(self, path: str) -> list[Any]:
        """One member of the results by its dotted path; None where a row has none or failed."""
        column = self.result
        for name in path.split("."):
            column = member(column, name)
        values = python_values(column, self.count, self.strings, np.zeros(self.count, dtype=np.bool_))
        for row, answer in self.told.items():
            values[row] = _at_path(answer.result, path)
        return values


def _doubt(column: Column, count: int, strings: Strings, ask: NDArray[np.bool_]) -> None:
    """Mark rows with an inexact number or a mantissa of too many digits anywhere in the result."""
    if _may_doubt(column):
        python_values(column, count, strings, ask)


def _may_doubt(column: Column) -> bool:
    if column.may_be(REAL, ASK, FAIL):
        return True
    if column.may_be(NUM) and column.scale and len(column.data):
        low, high = int(column.data.min()), int(column.data.max())
        if high >= EXACT_FLOAT_MAX or low <= -EXACT_FLOAT_MAX:
            return True
    return any(map(_may_doubt, column.members.values())) or any(_may_doubt(item) for _, item in column.items)


def _at_path(value: Json, path: str) -> Json:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def rows_of(columns: Columns, rows: Sequence[int] | range) -> list[dict[str, Any]]:
    """Rows of columns as JSON objects."""
    made: list[dict[str, Any]] = [{} for _ in rows]
    for name, values in columns.items():
        path = name.split(".")
        if isinstance(values, np.ndarray):
            cells = values[list(rows)].tolist()
            if values.dtype.kind == "f":
                cells = [None if cell != cell else cell for cell in cells]
        else:
            cells = [values[row] for row in rows]
        for target, cell in zip(made, cells, strict=True):
            inner = target
            for part in path[:-1]:
                inner = inner.setdefault(part, {})
            inner[path[-1]] = cell
    return made


@dataclass(slots=True)
class Replayed:
    """All rows' results as chunks, read by column or by row, and the report."""

    chunks: list[Chunk]
    report: Report

    def values(self, path: str) -> list[Any]:
        """One member of the results by its dotted path, for every row; None where a row has none or failed."""
        return [value for chunk in self.chunks for value in chunk.values(path)]

    def answers(self) -> Iterator[Answer]:
        """Row by row: results and errors."""
        for chunk in self.chunks:
            yield from chunk.answers()


def replay(graph: Mapping[str, Any] | Replay, columns: Columns, *, chunk_rows: int = CHUNK_ROWS) -> Replayed:
    """Every row's result, equal to what the engine gives for it.

    ``columns`` holds one array or sequence per input, all of one length; a name with dots stands for a member of an object; a float that is
    no number, and what is masked, is null. Raises GraphUnreadable, and ValueError for columns of different lengths.
    """
    ready = graph if isinstance(graph, Replay) else Replay(graph)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns of different lengths: {sorted(lengths)}")
    count, strings, report = next(iter(lengths), 0), Strings(), Report()
    chunks = []
    for start in range(0, count, chunk_rows):
        part = {name: values[start : start + chunk_rows] for name, values in columns.items()}
        chunks.append(ready.chunk(part, min(chunk_rows, count - start), strings, report))
    return Replayed(chunks, report)
