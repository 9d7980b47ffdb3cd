"""Checks a strategy before it may decide: sanitise the graph, look for what goes wrong silently, try it on cases.

What the engine lets pass and we do not: cells that are not text (an editor writes null, the engine then refuses the whole graph); a cell or
field that fails is simply false, so an ordering on a missing value never hits; ``and``/``or`` in a cell have no precedence;
functions that read the clock or chance; a reason code nobody can explain to the customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import zen

from xinzu.middle.decisions.model import Catalogue, DecisionOutcome, Graph, Indicators, ReasonUse
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy, StrategyBroken
from xinzu.middle.decisions.rules.indicators import DECLARED, NEVER_NULL, NULLABLE, SIGNAL_TYPES

NODES_MAX, ROWS_MAX, CELL_CHARS_MAX = 100, 2_000, 500
NODE_TYPES = frozenset({"inputNode", "outputNode", "decisionTableNode", "expressionNode", "switchNode"})
_COLUMN_META = frozenset({"_id", "_description"})
_IMPURE = re.compile(r"\b(?:d|date|time|now|isToday|rand)\s*\(")
_ORDERING = re.compile(r"[<>]|\bin\b|^\s*[\[(]")
_MIXED = re.compile(r"\band\b.*\bor\b|\bor\b.*\band\b")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELD_NAMES = re.compile(r"(?<![\w'\".#$])[a-z][a-z0-9_]*(?![\w'\"(])")
_WORDS = frozenset({"null", "true", "false", "and", "or", "not", "in"})
_LITERAL = re.compile(r"""^(['"])(.*)\1$""")


def sanitised(graph: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the graph as the engine needs it: nodes, edges and imports only; null cells of tables become empty."""
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(graph))
    kept: dict[str, Any] = {name: copy[name] for name in ("nodes", "edges") if name in copy}
    for table in _tables(kept):
        for row in table["content"].get("rules", ()):
            if isinstance(row, dict):
                row.update({column: "" for column, cell in row.items() if cell is None})
    return kept


def graph_digest(graph: Graph) -> str:
    """The hex SHA-256 of the graph's JSON with sorted members: the identity of its content."""
    return sha256(msgspec.json.encode(graph, order="sorted")).hexdigest()


def findings(graph: Graph, catalogue: Catalogue) -> list[str]:
    """Everything that forbids publishing, as sentences naming node, row and column; empty when the graph is sound."""
    found = list(_shape(graph))
    if found:
        return found
    for table in _tables(graph):
        found += _table(table, catalogue)
    for node in graph["nodes"]:
        found += _expressions(node)
    return found or list(_trial(graph, catalogue))


def _shape(graph: Graph) -> Iterator[str]:
    nodes, edges = graph.get("nodes"), graph.get("edges")
    if not isinstance(nodes, list) or not isinstance(edges, list) or not all(isinstance(n, dict) for n in [*nodes, *edges]):
        yield "a strategy is an object with lists of nodes and edges"
        return
    if len(nodes) > NODES_MAX:
        yield f"at most {NODES_MAX} nodes, found {len(nodes)}"
    ids = [node.get("id") for node in nodes]
    if not all(isinstance(each, str) and each for each in ids) or len(set(ids)) != len(ids):
        yield "every node has an id of its own"
        return
    for node in nodes:
        if node.get("type") not in NODE_TYPES:
            yield f"node {node['id']}: type {node.get('type')!r} is not allowed (only {', '.join(sorted(NODE_TYPES))})"
        elif not isinstance(node.get("content"), dict) or not isinstance(node.get("name"), str):
            yield f"node {node['id']}: has a name and a content"
    if sum(node.get("type") == "inputNode" for node in nodes) != 1:
        yield "a strategy has exactly one input node"
    links = [(edge.get("sourceId"), edge.get("targetId")) for edge in edges]
    for source, target in links:
        if source not in ids or target not in ids:
            yield f"an edge goes from {source} to {target}, which are not both nodes"
    if _has_cycle(ids, links):
        yield "the edges form a cycle"
    for table in _tables(graph) if all(isinstance(n.get("content"), dict) for n in nodes) else ():
        content = table["content"]
        columns = [*content.get("inputs", ()), *content.get("outputs", ())]
        rows = content.get("rules")
        if not isinstance(rows, list) or not all(isinstance(part, dict) for part in [*columns, *rows]):
            yield f"table {table['id']}: inputs, outputs and rules are lists of objects"
        elif not all(isinstance(column.get("id"), str) for column in columns):
            yield f"table {table['id']}: every column has an id"
        elif len(rows) > ROWS_MAX:
            yield f"table {table['id']}: at most {ROWS_MAX} rows"


def _table(table: Mapping[str, Any], catalogue: Catalogue) -> Iterator[str]:
    content, where = table["content"], f"table {table['id']}"
    inputs = {column["id"]: str(column.get("field") or "") for column in content.get("inputs", ())}
    outputs = {column["id"]: str(column.get("field") or "") for column in content.get("outputs", ())}
    seen: set[str] = set()
    for column, expression in inputs.items():
        yield from _input_column(f"{where}, column {column}", expression)
    for row in content["rules"]:
        row_id = row.get("_id")
        if not isinstance(row_id, str) or not row_id or row_id in seen:
            yield f"{where}: every row has an _id of its own, found {row_id!r}"
            continue
        seen.add(row_id)
        for column, cell in row.items():
            at = f"{where}, row {row_id}, column {column}"
            if not isinstance(cell, str):
                yield f"{at}: a cell is text, found {type(cell).__name__}"
            elif len(cell) > CELL_CHARS_MAX:
                yield f"{at}: at most {CELL_CHARS_MAX} characters"
            elif column in inputs:
                yield from _input_cell(at, inputs[column], cell.strip())
            elif column in outputs:
                yield from _output_cell(at, outputs[column], cell.strip(), catalogue)
            elif column not in _COLUMN_META:
                yield f"{at}: the table has no such column"
        if not any(str(row.get(column, "")).strip() for column in inputs):
            yield f"{where}, row {row_id}: without any condition it always hits"


def _input_column(at: str, expression: str) -> Iterator[str]:
    if not expression:
        yield f"{at}: name the indicator it looks at"
        return
    yield from _expression(at, expression)
    for name in _FIELD_NAMES.findall(expression):
        if name not in DECLARED and name not in _WORDS:
            yield f"{at}: {name} is not a declared indicator"


def _input_cell(at: str, field: str, cell: str) -> Iterator[str]:
    if not cell:
        return
    try:
        zen.compile_unary_expression(cell)
    except RuntimeError as error:
        yield f"{at}: {_first_line(error)}"
        return
    if _IMPURE.search(cell):
        yield f"{at}: a strategy may not read the clock or chance"
    if _MIXED.search(cell):
        yield f"{at}: and/or have no precedence in a cell: use two rows"
    if _NAME.fullmatch(field) and field in NULLABLE and _ORDERING.search(cell):
        yield f"{at}: {field} may be missing, then this row never hits: give the column a default, {field} ?? 0"


def _output_cell(at: str, field: str, cell: str, catalogue: Catalogue) -> Iterator[str]:
    if field not in ("code", "outcome"):
        return
    literal = _LITERAL.match(cell)
    if literal is None:
        yield f"{at}: write the {field} as quoted text"
    elif field == "outcome" and literal[2] not in (DecisionOutcome.DECLINE, DecisionOutcome.REFER):
        yield f"{at}: the outcome of a row is 'decline' or 'refer'"
    elif field == "code" and (literal[2] not in catalogue or catalogue[literal[2]].use is not ReasonUse.STRATEGY):
        yield f"{at}: reason {literal[2]} is not in the catalogue"


def _expressions(node: Mapping[str, Any]) -> Iterator[str]:
    content = node["content"]
    for expression in content.get("expressions", ()):
        yield from _expression(f"node {node['id']}, {expression.get('key')}", str(expression.get("value") or ""))
    for statement in content.get("statements", ()):
        if statement.get("condition"):
            yield from _expression(f"node {node['id']}, statement {statement.get('id')}", str(statement["condition"]))


def _expression(at: str, expression: str) -> Iterator[str]:
    wrong = zen.validate_expression(expression)
    if wrong is not None:
        yield f"{at}: {wrong.get('source', wrong)}"
    if _IMPURE.search(expression):
        yield f"{at}: a strategy may not read the clock or chance"


def _trial(graph: Graph, catalogue: Catalogue) -> Iterator[str]:
    """Ask the strategy about extreme and ordinary applications: it must always give a verdict with known reasons."""
    try:
        strategy = CompiledStrategy(graph)
    except Exception as error:  # noqa: BLE001 (the engine raises bare Exception for a graph it cannot read)
        yield f"the engine cannot read it: {_first_line(error)}"
        return
    for name, case in trial_cases().items():
        try:
            verdict = strategy.evaluate(case)
        except StrategyBroken as error:
            yield f"case {name}: {_first_line(error)}"
            continue
        for code in verdict.reason_codes:
            if code not in catalogue:
                yield f"case {name}: reason {code} is not in the catalogue"


def trial_cases() -> dict[str, Indicators]:
    """Indicator sets every strategy must survive: nothing known, an ordinary customer, everything at its largest."""
    words = {"as_of": "2026-01-01", "channel": "direct", "family": "rental"}
    nothing: Indicators = {**dict.fromkeys(NULLABLE), **dict.fromkeys(NEVER_NULL, 0), **words}
    ordinary: Indicators = {
        **nothing,
        "age_years": 30,
        "credit_score": 720,
        "rent_risk_rank": "low",
        "channel_admitted": True,
        "device_value_fen": 600_000,
        "exposure_after_fen": 600_000,
    }
    largest: Indicators = {**nothing, **dict.fromkeys(NEVER_NULL - words.keys(), 10**12), "age_years": 150}
    largest |= {name: True if kind is bool else 950 if kind is int else "high" for name, kind in SIGNAL_TYPES.items()}
    return {"nothing known": nothing, "ordinary": ordinary, "everything at its largest": largest}


def _tables(graph: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes = graph.get("nodes")
    return [
        node
        for node in (nodes if isinstance(nodes, list) else ())
        if isinstance(node, dict) and node.get("type") == "decisionTableNode" and isinstance(node.get("content"), dict)
    ]


def _has_cycle(ids: Sequence[str], links: Sequence[tuple[Any, Any]]) -> bool:
    """Whether taking away nodes without incoming edges again and again leaves some."""
    left = set(ids)
    while left:
        entered = {target for source, target in links if source in left}
        if not left - entered:
            return True
        left &= entered
    return False


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
