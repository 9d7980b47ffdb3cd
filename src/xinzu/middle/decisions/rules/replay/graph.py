"""A decision graph over columns: the engine's walk, its nodes and its merges, for all rows at once.

Rows that take different ways out of a switch are walked on as groups, each with its own copy of the graph, because the engine removes the
ways not taken and everything that leads nowhere else; which node runs, and when the walk ends, follows from what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from xinzu.middle.decisions.rules.replay.columns import ARR, ASK, OBJ, Column, Mask, choose, objects
from xinzu.middle.decisions.rules.replay.comparing import NOTHING
from xinzu.middle.decisions.rules.replay.group import Batch, Group, scope_of
from xinzu.middle.decisions.rules.replay.merging import InPlace, merged, shared_identities
from xinzu.middle.decisions.rules.replay.nodes import Handle, Switch, expression_node, switch_of, table_node, transformed
from xinzu.middle.decisions.rules.replay.scope import NeedsEngine
from xinzu.middle.decisions.rules.replay.walk import Walk


@dataclass(frozen=True, slots=True)
class Plan:
    """A graph made ready to be evaluated over columns."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    handles: tuple[Handle | None, ...]
    switches: Mapping[int, Switch]
    edges: tuple[tuple[int, int], ...]
    edge_handles: tuple[str | None, ...]

    def evaluate(self, inputs: Column, batch: Batch) -> Column:
        """The results of all rows; failed rows and rows for the engine are told by the batch."""
        walk = Walk(
            {node: [] for node in range(len(self.names))},
            {node: [] for node in range(len(self.names))},
            self.edges,
            set(range(len(self.names))),
            self.types.index("inputNode"),
        )
        for edge, (source, target) in enumerate(self.edges):
            walk.outgoing[source].insert(0, edge)
            walk.incoming[target].insert(0, edge)
        walk.restart()
        groups = [Group(batch, np.zeros(batch.count, dtype=np.bool_), {}, walk)]
        results: Column | None = None
        while groups:
            group = groups.pop()
            result = self._walked(group, inputs, groups)
            if result is not None:
                results = result if results is None else choose(~group.dead, result, results)
        return results if results is not None else NOTHING

    def _walked(self, group: Group, inputs: Column, groups: list[Group]) -> Column | None:
        """Walk on to the end, or to a switch where the rows part: then the groups are put back and nothing is returned."""
        walk = group.walk
        while (node := walk.next()) is not None:
            if node in self.switches and node not in walk.switched:
                parted = self._parted(group, node)
                if parted is None:
                    continue
                groups.extend(parted)
                return None
            walk.advance(node)
            if node in group.outputs:
                continue
            incoming = inputs if self.types[node] == "inputNode" else self._incoming(group, node)
            handle = self.handles[node]
            if handle is not None:
                incoming = handle(group, incoming, self._named(group), None)
            group.outputs[node] = incoming
            if self.types[node] == "outputNode":
                break
        leaves = [node for node in sorted(walk.alive & walk.visited) if not walk.outgoing[node] and node in group.outputs]
        result, in_place = objects({}), InPlace(shared_identities([group.outputs[node] for node in leaves]))
        for node in leaves:
            result = merged(result, group.outputs[node], in_place=in_place)
        group.ask(in_place.asked)
        return result

    def _incoming(self, group: Group, node: int) -> Column:
        given = [group.outputs[each] for each in group.walk.parents(node) if each in group.outputs]
        if not given:
            return objects({})
        first = given[0]
        if not first.is_only(OBJ, ARR):
            first = choose(np.asarray(first.has(OBJ) | first.has(ARR)), first, objects({}))
        return reduce(merged, given[1:], first)

    def _named(self, group: Group) -> dict[str, Column]:
        return {self.names[node]: output for node, output in group.outputs.items()}

    def _parted(self, group: Group, node: int) -> list[Group] | None:
        """Choose the ways out of a switch. None when all rows go on as one group (which has been told the way)."""
        switch, incoming = self.switches[node], self._incoming(group, node)
        scope = scope_of(group, incoming, self._named(group))
        ways = np.zeros(group.batch.count, dtype=np.int64)
        free = np.ones(1, dtype=np.bool_)
        for place, (_, condition) in enumerate(switch.statements):
            if condition is None:
                holds: Mask = np.ones(1, dtype=np.bool_)
            else:
                value = condition(scope)
                if value.may_be(ASK):
                    group.ask((value.tags == ASK) & free)
                holds = value.truth()
            hit = holds & free if switch.first_only else holds
            ways = ways | np.where(hit, np.int64(1 << place), np.int64(0))
            if switch.first_only:
                free = free & ~hit
        live = ~group.dead
        taken = np.unique(ways[live]).tolist()
        if len(taken) == 1:
            self._take_way(group.walk, node, taken[0])
            return None
        parted = []
        for way in taken:
            walk = group.walk.copy()
            self._take_way(walk, node, way)
            parted.append(Group(group.batch, group.dead | (ways != way), dict(group.outputs), walk))
        return parted

    def _take_way(self, walk: Walk, node: int, way: int) -> None:
        kept = {name for place, (name, _) in enumerate(self.switches[node].statements) if way >> place & 1}
        doomed = [edge for edge in walk.outgoing[node] if self.edge_handles[edge] is None or self.edge_handles[edge] not in kept]
        walk.switched.add(node)
        for edge in doomed:
            walk.remove(edge)
        if doomed:
            walk.restart()
        else:
            walk.visited.discard(node)
            walk.stack.append(node)


def plan(graph: Mapping[str, Any]) -> Plan:
    """The graph as a plan. Raises NeedsEngine when some of it can only be decided by the engine."""
    nodes = graph["nodes"]
    places = {node["id"]: place for place, node in enumerate(nodes)}
    names = tuple(str(node.get("name", "")) for node in nodes)
    edges = tuple((places[edge["sourceId"]], places[edge["targetId"]]) for edge in graph["edges"])
    if len(set(names)) != len(names) and "$nodes" in str(graph):
        raise NeedsEngine("$nodes with two nodes of one name")
    if graph.get("blocks") or graph.get("imports"):
        raise NeedsEngine("a policy document, or imports")
    handles: list[Handle | None] = []
    switches: dict[int, Switch] = {}
    for place, node in enumerate(nodes):
        content = node.get("content") or {}
        match node["type"]:
            case "inputNode" | "outputNode":
                if content.get("schema"):
                    raise NeedsEngine(f"node {node['id']}: a schema")
                handles.append(None)
            case "switchNode":
                switches[place] = switch_of(content)
                handles.append(None)
            case "expressionNode":
                handles.append(transformed(node["id"], content, expression_node(node["id"], content)))
            case "decisionTableNode":
                handles.append(transformed(node["id"], content, table_node(node["id"], content)))
            case other:
                raise NeedsEngine(f"node {node['id']}: a {other}")
    return Plan(
        names,
        tuple(node["type"] for node in nodes),
        tuple(handles),
        switches,
        edges,
        tuple(e.get("sourceHandle") for e in graph["edges"]),
    )
