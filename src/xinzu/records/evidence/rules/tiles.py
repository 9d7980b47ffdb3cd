"""Tiles: 256 neighbouring hashes kept as one value, as in C2SP tlog-tiles (height 8).

Tile (L, t) holds the nodes of tree level 8·L with the indexes 256·t up to 256·t+255; everything between two tile levels is hashed
again when it is needed. Only full tiles are kept, so a tile never changes once it is written. The unfinished right edge
of tile level 0 is the newest leaves, that of level L > 0 the roots of the tiles below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from xinzu.records.evidence.rules.merkle import HASH_BYTES, Growth, Node, parents

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: its 256 hashes in order, and the root over them, which is one entry of the tile level above."""

    level: int
    index: int
    hashes: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Edge:
    """Entries [first, last) of one tile level that belong to no full tile yet."""

    level: int
    first: int
    last: int

    @property
    def tile(self) -> tuple[int, int]:
        """The tile (level, index) these entries will belong to."""
        return self.level, self.first // TILE_WIDTH


def edge_of(level: int, size: int) -> Edge:
    """The unfinished entries of a tile level in a tree of that size (may be empty)."""
    last = size >> TILE_HEIGHT * level
    return Edge(level, last & -TILE_WIDTH, last)


def edges_to_complete(size_before: int, size_after: int) -> list[Edge]:
    """The stored entries that tiles completed by growing from one size to the other begin with."""
    edges = []
    level = 0
    while size_after >> TILE_HEIGHT * (level + 1) > size_before >> TILE_HEIGHT * (level + 1):
        edge = edge_of(level, size_before)
        if edge.last > edge.first:
            edges.append(edge)
        level += 1
    return edges


def complete_tiles(growth: Growth, edges: Mapping[int, Sequence[bytes]]) -> list[Tile]:
    """The tiles an append filled. ``edges`` maps a tile level to the entries asked for by ``edges_to_complete``."""
    tiles: list[Tile] = []
    for level in range((len(growth.levels) - 1) // TILE_HEIGHT):
        roots = growth.levels[TILE_HEIGHT * (level + 1)]
        first_tile = growth.size_before >> TILE_HEIGHT * (level + 1)
        entries = b"".join([*edges.get(level, ()), *growth.levels[TILE_HEIGHT * level]])
        if len(entries) < len(roots) * TILE_BYTES:
            raise ValueError(f"tile level {level} lacks entries to fill {len(roots)} tiles")
        tiles.extend(
            Tile(level, first_tile + nth, entries[nth * TILE_BYTES : (nth + 1) * TILE_BYTES], root)
            for nth, root in enumerate(roots)
        )
    return tiles


def place_of(node: Node) -> tuple[int, int]:
    """The tile (level, index) a node is read from.

    >>> place_of((0, 300)), place_of((9, 3))
    ((0, 1), (1, 0))
    """
    level, index = node
    tile_level, above = divmod(level, TILE_HEIGHT)
    return tile_level, index << above >> TILE_HEIGHT


@dataclass(frozen=True, slots=True)
class Reading:
    """What has to be read to know the hashes of some nodes: full tiles by (level, index), and unfinished edges."""

    tiles: tuple[tuple[int, int], ...]
    edges: tuple[Edge, ...]


def reading_for(nodes: Iterable[Node], size: int) -> Reading:
    """Where the hashes of these nodes are, in a log that now has ``size`` leaves."""
    places = sorted({place_of(node) for node in nodes})
    tiles: list[tuple[int, int]] = []
    edges: list[Edge] = []
    for level, index in places:
        if index < size >> TILE_HEIGHT * (level + 1):
            tiles.append((level, index))
        else:
            edges.append(edge_of(level, size))
    return Reading(tuple(tiles), tuple(edges))


class TileHashes:
    """Hashes of perfect nodes, out of tiles and edges that have been read. ``fetch`` is what the tree's path functions ask."""

    def __init__(self, entries: Mapping[tuple[int, int], bytes]) -> None:
        self._entries = entries

    def fetch(self, level: int, index: int) -> bytes:
        """The hash of node (level, index); raises LookupError when its tile or edge was not read."""
        place = place_of((level, index))
        entries = self._entries[place]
        above = level % TILE_HEIGHT
        first = (index << above) % TILE_WIDTH
        row = [entries[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(first, first + (1 << above))]
        if len(row[-1]) != HASH_BYTES:
            raise LookupError(f"node {level}/{index} is beyond what was read of tile {place[0]}/{place[1]}")
        for _ in range(above):
            row = parents(row)
        return row[0]
