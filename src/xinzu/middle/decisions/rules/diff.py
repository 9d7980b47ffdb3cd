"""What changed between two versions of a strategy, as data: nodes, edges, rows, cells, expressions, settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xinzu.middle.decisions.model import Change, Graph

# Lists whose members have an identity of their own, and where it stands.
_KEYED = {"rules": "_id", "inputs": "id", "outputs": "id", "expressions": "id", "statements": "id"}
_NOUNS = {"rules": "row", "inputs": "column", "outputs": "column", "expressions": "expression", "statements": "statement"}


def changes(old: Graph, new: Graph) -> list[Change]:
    """Everything that differs, node by node. Where a node stands on the canvas is no change; the order of a table's rows is one.

    >>> table = {"id": "t", "type": "decisionTableNode", "name": "T", "content": {"rules": [{"_id": "R1", "age": "< 18"}]}}
    >>> other = {**table, "content": {"rules": [{"_id": "R1", "age": "< 20"}]}}
    >>> changes({"nodes": [table], "edges": []}, {"nodes": [other], "edges": []})
    [Change(what='cell', node='t', row='R1', column='age', before='< 18', after='< 20')]
    """
    before, after = _by(old["nodes"], "id"), _by(new["nodes"], "id")
    found: list[Change] = []
    for node_id in dict.fromkeys([*before, *after]):
        one, other = before.get(node_id), after.get(node_id)
        if one is None or other is None:
            found.append(Change("node", node_id, "", "", one, other))
        else:
            found += _node(node_id, one, other)
    edges = [
        {(str(edge.get("sourceId")), str(edge.get("targetId")), str(edge.get("sourceHandle") or "")) for edge in graph["edges"]}
        for graph in (old, new)
    ]
    found += [Change("edge", source, handle, target, True, None) for source, target, handle in sorted(edges[0] - edges[1])]
    found += [Change("edge", source, handle, target, None, True) for source, target, handle in sorted(edges[1] - edges[0])]
    return found


def _node(node_id: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Change]:
    for name in ("type", "name"):
        if one.get(name) != other.get(name):
            yield Change("setting", node_id, "", name, one.get(name), other.get(name))
    old, new = one.get("content"), other.get("content")
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield from _setting(node_id, "content", old, new)
        return
    for name in dict.fromkeys([*old, *new]):
        if name in _KEYED and isinstance(old.get(name, []), list) and isinstance(new.get(name, []), list):
            yield from _list(node_id, name, old.get(name, []), new.get(name, []))
        else:
            yield from _setting(node_id, name, old.get(name), new.get(name))


def _list(node_id: str, name: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
    before, after, noun = _by(old, _KEYED[name]), _by(new, _KEYED[name]), _NOUNS[name]
    for each in dict.fromkeys([*before, *after]):
        one, other = before.get(each), after.get(each)
        if one is None or other is None:
            yield Change(noun, node_id, each, "", one, other)
            continue
        for member in dict.fromkeys([*one, *other]):
            if one.get(member) != other.get(member):
                yield Change("cell" if noun == "row" else noun, node_id, each, member, one.get(member), other.get(member))
    kept = [[each for each in keys if each in before and each in after] for keys in (before, after)]
    if kept[0] != kept[1]:
        yield Change("setting", node_id, "", f"{name}.order", [*before], [*after])


def _setting(node_id: str, path: str, old: object, new: object) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from _setting(node_id, f"{path}.{name}", old.get(name), new.get(name))
    elif old != new:
        yield Change("setting", node_id, "", path, old, new)


def _by(items: Sequence[Mapping[str, Any]], key: str) -> dict[str, Mapping[str, Any]]:
    return {str(item.get(key, at)): item for at, item in enumerate(items)}
