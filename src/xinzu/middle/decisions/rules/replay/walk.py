"""The order in which the engine visits the nodes of a graph, and what it takes away at a switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xinzu.middle.decisions.rules.replay.columns import Json

KNOWN_TYPES = frozenset(
    {"inputNode", "outputNode", "decisionTableNode", "expressionNode", "switchNode", "functionNode", "decisionNode", "customNode"}
)


class GraphUnreadable(ValueError):
    """The graph is none: the sentence says what is wrong with it."""


def checked(graph: Json) -> None:
    """Raise GraphUnreadable unless nodes and edges form a graph without cycles that begins at one input node."""
    nodes, edges = (graph.get("nodes"), graph.get("edges")) if isinstance(graph, dict) else (None, None)
    if not isinstance(nodes, list) or not isinstance(edges, list) or not all(isinstance(each, dict) for each in [*nodes, *edges]):
        raise GraphUnreadable("a graph is an object with lists of nodes and edges")
    ids = [node.get("id") for node in nodes]
    if not all(isinstance(each, str) for each in ids) or len(set(ids)) != len(ids):
        raise GraphUnreadable("every node has an id of its own, a text")
    for node in nodes:
        if node.get("type") not in KNOWN_TYPES:
            raise GraphUnreadable(f"node {node['id']}: unknown type {node.get('type')!r}")
    for edge in edges:
        for end in ("sourceId", "targetId"):
            if edge.get(end) not in ids:
                raise GraphUnreadable(f"an edge's {end} names {edge.get(end)!r}, which is no node")
    if sum(node["type"] == "inputNode" for node in nodes) != 1:
        raise GraphUnreadable("a graph has exactly one input node")
    left = set(ids)
    while left:
        entered = {edge["targetId"] for edge in edges if edge["sourceId"] in left}
        if not left - entered:
            raise GraphUnreadable("the edges form a cycle")
        left &= entered


@dataclass(slots=True)
class Walk:
    """The engine's walk: a stack of nodes to visit; an edge removed at a switch starts it anew from the input."""

    outgoing: dict[int, list[int]]  # edges by node, newest first
    incoming: dict[int, list[int]]
    ends: Sequence[tuple[int, int]]
    alive: set[int]
    start: int
    visited: set[int] = field(default_factory=set)
    stack: list[int] = field(default_factory=list)
    switched: set[int] = field(default_factory=set)

    def copy(self) -> Walk:
        return Walk(
            {node: list(edges) for node, edges in self.outgoing.items()},
            {node: list(edges) for node, edges in self.incoming.items()},
            self.ends,
            set(self.alive),
            self.start,
            set(self.visited),
            list(self.stack),
            set(self.switched),
        )

    def restart(self) -> None:
        self.visited.clear()
        self.stack = [self.start] if self.start in self.alive else []

    def next(self) -> int | None:
        """The next node to look at; its successors are not yet on the stack."""
        while self.stack:
            node = self.stack.pop()
            if node in self.visited or node not in self.alive:
                continue
            unresolved = [source for source in self.parents(node) if source not in self.visited]
            if unresolved:
                self.stack.append(node)
                self.stack.extend(unresolved)
                continue
            self.visited.add(node)
            return node
        return None

    def parents(self, node: int) -> list[int]:
        return [self.ends[edge][0] for edge in self.incoming[node]]

    def advance(self, node: int) -> None:
        self.stack.extend(self.ends[edge][1] for edge in self.outgoing[node])

    def remove(self, edge: int) -> None:
        """Take an edge away, and what then has no way in or no way out."""
        source, target = self.ends[edge]
        if edge not in self.outgoing[source]:
            return
        self.outgoing[source].remove(edge)
        self.incoming[target].remove(edge)
        for node, these, others in ((target, self.incoming, self.outgoing), (source, self.outgoing, self.incoming)):
            if node in self.alive and not these[node]:
                for other in list(others[node]):
                    self.remove(other)
                if not self.outgoing[node]:
                    self._remove_node(node)

    def _remove_node(self, node: int) -> None:
        self.alive.discard(node)
        for edge in list(self.incoming[node]):
            self.outgoing[self.ends[edge][0]].remove(edge)
        self.incoming[node] = []
