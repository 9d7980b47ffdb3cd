"""The tree against a naive one written from the text of RFC 6962, and against the Certificate Transparency vectors."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinzu.records.evidence.rules.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    hash_of_range,
    inclusion_path,
    inclusion_ranges,
    leaf_hash,
    leaf_hashes,
    nodes_of_ranges,
    verify_consistency,
    verify_inclusion,
)
from xinzu.records.evidence.rules.tiles import (
    TILE_BYTES,
    TileHashes,
    complete_tiles,
    edges_to_complete,
    reading_for,
)

SIZES = 600
BODIES = [b"leaf %d" % n for n in range(SIZES)]

CT_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


class NaiveTree:
    """MTH, PATH and PROOF of RFC 6962 §2.1 as they stand there, recursive; sub-roots are remembered to be quick."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.bodies = bodies
        self.known: dict[tuple[int, int], bytes] = {}

    def root(self, first: int, last: int) -> bytes:
        if first == last:
            return sha256(b"").digest()
        if (first, last) not in self.known:
            if last - first == 1:
                self.known[first, last] = sha256(b"\x00" + self.bodies[first]).digest()
            else:
                k = first + split(last - first)
                self.known[first, last] = sha256(b"\x01" + self.root(first, k) + self.root(k, last)).digest()
        return self.known[first, last]

    def path(self, index: int, first: int, last: int) -> list[bytes]:
        if last - first == 1:
            return []
        k = first + split(last - first)
        if index < k:
            return [*self.path(index, first, k), self.root(k, last)]
        return [*self.path(index, k, last), self.root(first, k)]

    def proof(self, older: int, first: int, last: int, complete: bool) -> list[bytes]:
        if older == last:
            return [] if complete else [self.root(first, last)]
        k = first + split(last - first)
        if older <= k:
            return [*self.proof(older, first, k, complete), self.root(k, last)]
        return [*self.proof(older, k, last, False), self.root(first, k)]

    def node(self, level: int, index: int) -> bytes:
        return self.root(index << level, (index + 1) << level)


NAIVE = NaiveTree(BODIES)
sizes = st.integers(1, SIZES)


def test_empty_tree_hashes_to_sha256_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()


def test_roots_are_those_of_certificate_transparency() -> None:
    frontier = Frontier()
    roots = [frontier.root()]
    for body in CT_LEAVES:
        frontier = frontier.append([leaf_hash(body)]).frontier
        roots.append(frontier.root())
    assert roots == CT_ROOTS


def test_paths_are_those_of_certificate_transparency() -> None:
    tree = NaiveTree(CT_LEAVES)
    assert [step.hex() for step in inclusion_path(5, 8, tree.node)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in consistency_path(6, 8, tree.node)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in consistency_path(2, 5, tree.node)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_roots_equal_the_naive_tree_at_every_size() -> None:
    frontier = Frontier()
    for size in range(SIZES + 1):
        assert frontier.root() == NAIVE.root(0, size)
        assert hash_of_range(0, size, NAIVE.node) == NAIVE.root(0, size)
        if size < SIZES:
            frontier = frontier.append([leaf_hash(BODIES[size])]).frontier


@given(st.lists(st.integers(0, SIZES), max_size=8).map(sorted))
@settings(max_examples=200, deadline=None)
def test_appending_in_any_batches_gives_the_same_tree_and_every_new_node(cuts: list[int]) -> None:
    frontier = Frontier()
    for first, last in pairwise([0, *cuts, SIZES]):
        growth = frontier.append(leaf_hashes(BODIES[first:last]))
        for level, row in enumerate(growth.levels):
            assert list(row) == [NAIVE.node(level, index) for index in range(first >> level, last >> level)]
        frontier = Frontier.unpack(growth.frontier.size, growth.frontier.pack())
        assert frontier.root() == NAIVE.root(0, last)


@given(sizes.flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
@settings(max_examples=500, deadline=None)
def test_every_leaf_has_an_inclusion_proof_that_verifies(place: tuple[int, int]) -> None:
    index, size = place
    path = inclusion_path(index, size, NAIVE.node)
    assert path == NAIVE.path(index, 0, size)
    assert verify_inclusion(leaf_hash(BODIES[index]), index, size, path, NAIVE.root(0, size))


def test_every_inclusion_proof_of_small_trees_verifies_for_its_own_leaf_only() -> None:
    for size in range(1, 34):
        for index in range(size):
            path = inclusion_path(index, size, NAIVE.node)
            for other in range(size):
                proven = verify_inclusion(leaf_hash(BODIES[other]), index, size, path, NAIVE.root(0, size))
                assert proven == (other == index)


@given(sizes.flatmap(lambda newer: st.tuples(st.integers(1, newer), st.just(newer))))
@settings(max_examples=500, deadline=None)
def test_every_growth_has_a_consistency_proof_that_verifies(span: tuple[int, int]) -> None:
    older, newer = span
    path = consistency_path(older, newer, NAIVE.node)
    assert path == NAIVE.proof(older, 0, newer, True)
    assert verify_consistency(older, newer, NAIVE.root(0, older), NAIVE.root(0, newer), path)


def test_consistency_of_every_pair_of_small_trees() -> None:
    for newer in range(1, 66):
        for older in range(1, newer + 1):
            path = consistency_path(older, newer, NAIVE.node)
            assert verify_consistency(older, newer, NAIVE.root(0, older), NAIVE.root(0, newer), path)
            if older < newer:
                assert not verify_consistency(older, newer, NAIVE.root(0, older), NAIVE.root(0, newer), path[:-1])
                assert not verify_consistency(older, newer, NAIVE.root(0, older), NAIVE.root(0, newer), [*path, path[0]])


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ 1 << bit % (8 * len(value))).to_bytes(len(value), "big")


@given(sizes.flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))), st.integers(0), st.integers(0, 255))
@settings(max_examples=500, deadline=None)
def test_one_flipped_bit_anywhere_breaks_an_inclusion_proof(place: tuple[int, int], where: int, bit: int) -> None:
    index, size = place
    leaf, root = leaf_hash(BODIES[index]), NAIVE.root(0, size)
    parts = [leaf, root, *inclusion_path(index, size, NAIVE.node)]
    parts[where % len(parts)] = flipped(parts[where % len(parts)], bit)
    assert not verify_inclusion(parts[0], index, size, parts[2:], parts[1])


@given(sizes.flatmap(lambda newer: st.tuples(st.integers(1, newer), st.just(newer))), st.integers(0), st.integers(0, 255))
@settings(max_examples=500, deadline=None)
def test_one_flipped_bit_anywhere_breaks_a_consistency_proof(span: tuple[int, int], where: int, bit: int) -> None:
    older, newer = span
    parts = [NAIVE.root(0, older), NAIVE.root(0, newer), *consistency_path(older, newer, NAIVE.node)]
    parts[where % len(parts)] = flipped(parts[where % len(parts)], bit)
    assert not verify_consistency(older, newer, parts[0], parts[1], parts[2:])


def test_a_tree_does_not_shrink_and_a_leaf_is_inside_the_tree() -> None:
    root = NAIVE.root(0, 5)
    assert not verify_consistency(6, 5, NAIVE.root(0, 6), root, [])
    assert not verify_inclusion(leaf_hash(BODIES[5]), 5, 5, [], root)
    assert not verify_inclusion(leaf_hash(BODIES[0]), -1, 5, [], root)
    assert verify_consistency(0, 5, EMPTY_ROOT, root, [])
    assert verify_consistency(5, 5, root, root, [])
    for path_of, first, second in ((inclusion_path, 5, 5), (consistency_path, 6, 5)):
        with pytest.raises(ValueError, match="tree"):
            path_of(first, second, NAIVE.node)


def test_a_frontier_must_fit_its_size() -> None:
    with pytest.raises(ValueError, match="peaks"):
        Frontier.unpack(3, bytes(32))


@given(st.lists(st.integers(0, 140_000), max_size=5).map(sorted), st.lists(st.integers(0, 139_999), min_size=1, max_size=20))
@settings(max_examples=8, deadline=None)
def test_tiles_hold_every_node_of_a_tree_that_fills_two_tile_levels(cuts: list[int], indexes: list[int]) -> None:
    """140,000 leaves fill 546 tiles of level 0 and two of level 1; what is read back proves any leaf at any later size."""
    total = 140_000
    hashes = leaf_hashes(b"%d" % n for n in range(total))
    frontier = Frontier()
    tiles: dict[tuple[int, int], bytes] = {}
    tile_roots: dict[tuple[int, int], bytes] = {}

    def entries(level: int, first: int, last: int) -> list[bytes]:
        return [hashes[at] if level == 0 else tile_roots[level - 1, at] for at in range(first, last)]

    roots = {}
    for first, last in pairwise([0, *cuts, total]):
        growth = frontier.append(hashes[first:last])
        edges = {edge.level: entries(edge.level, edge.first, edge.last) for edge in edges_to_complete(first, last)}
        for tile in complete_tiles(growth, edges):
            assert (tile.level, tile.index) not in tiles
            assert len(tile.hashes) == TILE_BYTES
            tiles[tile.level, tile.index] = tile.hashes
            tile_roots[tile.level, tile.index] = tile.root
        frontier = growth.frontier
        roots[last] = frontier.root()
    assert sorted(tiles) == [*((0, at) for at in range(total // 256)), *((1, at) for at in range(total // 65536))]
    for size, root in roots.items():
        for index in indexes:
            if index < size:
                reading = reading_for(nodes_of_ranges(inclusion_ranges(index, size)), total)
                read = {place: tiles[place] for place in reading.tiles}
                read |= {edge.tile: b"".join(entries(edge.level, edge.first, edge.last)) for edge in reading.edges}
                assert verify_inclusion(hashes[index], index, size, inclusion_path(index, size, TileHashes(read).fetch), root)
