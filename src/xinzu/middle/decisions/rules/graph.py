"""Walking a strategy's graph: its tables, what each node reads, and what the nodes before it give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from xinzu.middle.decisions.model import Graph
from xinzu.middle.decisions.rules import nodes as custom
from xinzu.middle.decisions.rules.language import names

Node = Mapping[str, Any]


def tables(graph: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The decision tables, whatever else the graph holds."""
    found = graph.get("nodes")
    return [
        node
        for node in (found if isinstance(found, list) else ())
        if isinstance(node, dict) and node.get("type") == "decisionTableNode" and isinstance(node.get("content"), dict)
    ]


def links(graph: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The edges, from node to node."""
    return [(str(edge.get("sourceId")), str(edge.get("targetId"))) for edge in graph["edges"]]


def has_cycle(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> bool:
    """Whether taking away nodes without incoming edges again and again leaves some."""
    left = set(ids)
    while left:
        entered = {target for source, target in edges if source in left}
        if not left - entered:
            return True
        left &= entered
    return False


def expressions(node: Node) -> Iterator[tuple[str, str, str]]:
    """Every standard expression of a node with its row and column: table fields and outputs, expressions, conditions."""
    content = node["content"]
    for column in content.get("inputs", ()) if node["type"] == "decisionTableNode" else ():
        yield "", column["id"], str(column.get("field") or "")
    if node["type"] == "decisionTableNode":
        outputs = {column["id"] for column in content.get("outputs", ())}
        for row in content.get("rules", ()):
            for column, cell in row.items():
                if column in outputs and isinstance(cell, str) and cell.strip():
                    yield str(row.get("_id", "")), column, cell.strip()
    for each in content.get("expressions", ()):
        yield str(each.get("id", "")), str(each.get("key", "")), str(each.get("value") or "")
    for each in content.get("statements", ()):
        yield str(each.get("id", "")), "condition", str(each.get("condition") or "")


def reads(node: Node) -> dict[str, tuple[str, str]]:
    """The names a node reads, of indicators or of what nodes before it give, each with the row and column where it is read first."""
    found: dict[str, tuple[str, str]] = {}
    for row, column, expression in expressions(node):
        for name in names(expression):
            found.setdefault(name, (row, column))
    content = node["content"]
    if node["type"] == "decisionTableNode":
        inputs = {column["id"] for column in content.get("inputs", ())}
        for row in content.get("rules", ()):
            for column, cell in row.items():
                for name in names(cell) if column in inputs and isinstance(cell, str) else ():
                    found.setdefault(name, (str(row.get("_id", "")), column))
    if node["type"] == "customNode":
        with suppress(custom.ConfigWrong):
            for name in custom.reads(custom.config_of(content.get("kind"), content.get("config"))):
                found.setdefault(name.partition(".")[0], ("", "config"))
    return found


def gives(node: Node) -> set[str]:
    """The names a node adds for those after it."""
    content = node["content"]
    path = str(content.get("outputPath") or "").partition(".")[0]
    found: set[str] = set()
    match node["type"]:
        case "decisionTableNode":
            found = (
                {path} if path else {str(column.get("field") or "").partition(".")[0] for column in content.get("outputs", ())}
            )
        case "expressionNode":
            found = {path} if path else {str(each.get("key") or "").partition(".")[0] for each in content.get("expressions", ())}
        case "customNode":
            config = content.get("config")
            output = str(config.get("output") or "") if isinstance(config, Mapping) else ""
            found = {output.partition(".")[0], "review_level"}
    return found - {""}


def given_before(graph: Graph) -> dict[str, set[str]]:
    """By node id the names that any node before it gives. The graph has no cycle."""
    by_id = {node["id"]: node for node in graph["nodes"]}
    edges = links(graph)
    known: dict[str, set[str]] = {}

    def before(node_id: str) -> set[str]:
        if node_id not in known:
            known[node_id] = set()
            for source, target in edges:
                if target == node_id and source in by_id:
                    known[node_id] |= before(source) | gives(by_id[source])
        return known[node_id]

    return {node_id: before(node_id) for node_id in by_id}


def indicators_read(graph: Graph) -> frozenset[str]:
    """The names the graph reads that none of its own nodes gives: what its inputs must hold, be it null."""
    before = given_before(graph)
    return frozenset(name for node in graph["nodes"] for name in reads(node) if name not in before[node["id"]])
