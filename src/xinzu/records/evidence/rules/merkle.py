"""The Merkle tree of RFC 6962 §2.1 (same tree in RFC 9162 §2.1): hashes, growth, inclusion and consistency.

A node is named by (level, index): level 0 are the leaves, node (k, i) covers the leaves i·2^k up to (i+1)·2^k. Only perfect nodes
have a name; the hash of any other range is folded from the perfect nodes it is made of. Sizes and positions count leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Node: TypeAlias = tuple[int, int]
Fetch: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(body: bytes) -> bytes:
    """Hash of one leaf. The prefix 0x00 keeps a leaf from ever being taken for a node (RFC 6962 §2.1)."""
    return sha256(b"\x00" + body).digest()


def leaf_hashes(bodies: Iterable[bytes]) -> list[bytes]:
    """Hashes of many leaves, in order."""
    hash_of = sha256
    return [hash_of(b"\x00" + body).digest() for body in bodies]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: prefix 0x01, then both children."""
    return sha256(b"\x01" + left + right).digest()


def parents(children: Sequence[bytes]) -> list[bytes]:
    """The row above: one node per pair. An odd last child has no parent yet and is left out."""
    hash_of = sha256
    pair = iter(children)
    return [hash_of(b"\x01" + left + right).digest() for left, right in zip(pair, pair, strict=False)]


def fold(peaks: Sequence[bytes]) -> bytes:
    """Hash of a range from its perfect subtrees, largest (leftmost) first; the empty range hashes to SHA-256 of nothing."""
    if not peaks:
        return EMPTY_ROOT
    folded = peaks[-1]
    for peak in reversed(peaks[:-1]):
        folded = node_hash(peak, folded)
    return folded


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: its size and the perfect subtrees it consists of, largest first (one per set bit of the size).

    It is all that is needed to append and to know the root: 32 bytes per set bit, at most 2 KiB for any size below 2^64.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves does not have {len(self.peaks)} peaks")

    def root(self) -> bytes:
        """The tree head at this size."""
        return fold(self.peaks)

    def append(self, leaves: Sequence[bytes]) -> Growth:
        """The frontier after these leaf hashes and every node they complete, level by level; each node is hashed once."""
        levels_of_peaks = [level for level in range(self.size.bit_length() - 1, -1, -1) if self.size >> level & 1]
        peak_at = dict(zip(levels_of_peaks, self.peaks, strict=True))
        made: list[Sequence[bytes]] = []
        row: Sequence[bytes] = leaves
        level = 0
        while row:
            made.append(row)
            left = peak_at.pop(level, None)
            if left is not None:
                row = [left, *row]
            if len(row) % 2:
                peak_at[level] = row[-1]
            row = parents(row)
            level += 1
        peaks = tuple(peak_at[level] for level in sorted(peak_at, reverse=True))
        return Growth(self.size, Frontier(self.size + len(leaves), peaks), tuple(made))

    def pack(self) -> bytes:
        """The peaks one after the other, as they are stored beside the size."""
        return b"".join(self.peaks)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Frontier:
        """The frontier from its stored form; raises ValueError when size and peaks disagree."""
        return cls(size, tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)))


@dataclass(frozen=True, slots=True)
class Growth:
    """What an append made. ``levels[k]`` holds the new nodes of level k; the first of them has index ``size_before >> k``."""

    size_before: int
    frontier: Frontier
    levels: tuple[Sequence[bytes], ...]


def nodes_of_range(first: int, last: int) -> list[Node]:
    """The perfect nodes that make up the leaves [first, last), largest first.

    Holds for ranges as RFC 6962 cuts them: ``first`` is a multiple of the smallest power of two that is not below the length.

    >>> nodes_of_range(0, 7)
    [(2, 0), (1, 2), (0, 6)]
    """
    nodes = []
    at = first
    for level in range((last - first).bit_length() - 1, -1, -1):
        if (last - first) >> level & 1:
            nodes.append((level, at >> level))
            at += 1 << level
    return nodes


def nodes_of_ranges(ranges: Iterable[tuple[int, int]]) -> list[Node]:
    """Every perfect node these ranges are folded from: what has to be read before a path can be told."""
    return [node for first, last in ranges for node in nodes_of_range(first, last)]


def _split(length: int) -> int:
    """The largest power of two below the length: where RFC 6962 cuts a tree of more than one leaf."""
    return 1 << (length - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose hashes make the inclusion path, from the leaf upwards (PATH of RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    ranges = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            ranges.append((middle, last))
            last = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(older: int, newer: int) -> list[tuple[int, int]]:
    """The leaf ranges whose hashes make the consistency proof (PROOF of RFC 6962 §2.1.2); none from an empty or an equal tree."""
    if not 0 <= older <= newer:
        raise ValueError(f"a tree of {newer} did not grow from one of {older}")
    if older in (0, newer):
        return []
    ranges = []
    first, last = 0, newer
    while last != older:
        middle = first + _split(last - first)
        if older <= middle:
            ranges.append((middle, last))
            last = middle
        else:
            ranges.append((first, middle))
            first = middle
    if first:  # the older tree is no subtree of its own, so its last part has to be given
        ranges.append((first, last))
    return ranges[::-1]


def hash_of_range(first: int, last: int, fetch: Fetch) -> bytes:
    """The hash of a range [first, last) over the hashes of perfect nodes; [0, size) is the root at any earlier size."""
    return fold([fetch(level, index) for level, index in nodes_of_range(first, last)])


def inclusion_path(index: int, size: int, fetch: Fetch) -> list[bytes]:
    """The hashes that prove leaf ``index`` to be in the tree of ``size`` leaves."""
    return [hash_of_range(first, last, fetch) for first, last in inclusion_ranges(index, size)]


def consistency_path(older: int, newer: int, fetch: Fetch) -> list[bytes]:
    """The hashes that prove that the tree of ``newer`` leaves begins with the tree of ``older`` leaves."""
    return [hash_of_range(first, last, fetch) for first, last in consistency_ranges(older, newer)]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf hash at ``index`` to the root of a tree of ``size`` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last = index, size - 1
    running = leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            running = node_hash(sibling, running)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            running = node_hash(running, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and running == root


def verify_consistency(older: int, newer: int, older_root: bytes, newer_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path shows that the older tree is the beginning of the newer one (RFC 9162 §2.1.4.2)."""
    if not 0 <= older <= newer:
        return False
    if older == newer:
        return not path and older_root == newer_root
    if older == 0:
        return not path and older_root == EMPTY_ROOT
    if not path:
        return False
    # a complete older tree is a node of the newer one, so its root is the starting point and is not repeated in the path
    steps = [older_root, *path] if older & (older - 1) == 0 else list(path)
    at, last = older - 1, newer - 1
    while at & 1:
        at >>= 1
        last >>= 1
    running_older = running_newer = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            running_older = node_hash(step, running_older)
            running_newer = node_hash(step, running_newer)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            running_newer = node_hash(running_newer, step)
        at >>= 1
        last >>= 1
    return last == 0 and running_older == older_root and running_newer == newer_root
