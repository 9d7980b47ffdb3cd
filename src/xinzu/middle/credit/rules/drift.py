"""Whether an indicator is distributed as it was: the population stability index of a week against a frozen base.

PSI = Σ (share now − share then) · ln(share now ÷ share then) over the parts of the base. The parts of numbers are the base's tenths,
each as wide as it takes; what is missing is a part of its own, so that a source that dries up shows. Read as usual in the field: below
0.1 stable, below 0.25 to be looked at, above it another population (Siddiqi, Credit Risk Scorecards, 2006, ch. 8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

from xinzu.middle.credit.model import Value

PARTS = 10
VALUES_MIN = 200  # below this a share in ten parts says nothing
STABLE_MAX, WATCH_MAX = 0.1, 0.25
_LEAST_SHARE = 0.0001  # an empty part would make the index infinite
MISSING = "missing"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Base:
    """The parts of a distribution. Of numbers ``edges`` are the upper bounds of all parts but the last; of texts and flags the parts are
    named. ``shares`` are by part, with those of what is missing and, of texts, of what was not seen then."""

    edges: tuple[float, ...] | None
    shares: Mapping[str, float]


def freeze(counted: Mapping[Value, int]) -> Base | None:
    """The base of these values, each with how often it was seen; None for fewer than ``VALUES_MIN``.

    >>> base = freeze({0: 150, 1: 30, 2: 15, None: 5})
    >>> base.edges, base.shares
    ((0.0, 1.0), {'0': 0.75, '1': 0.15, '2': 0.075, 'missing': 0.025})
    """
    if sum(counted.values()) < VALUES_MIN:
        return None
    numbers = {value: n for value, n in counted.items() if _is_number(value)}
    edges = _edges({float(value): n for value, n in numbers.items() if value is not None}) if numbers else None
    return Base(edges, _shares(counted, edges))


def stability_index(base: Base, counted: Mapping[Value, int]) -> float | None:
    """The index of these values against a base, rounded to four digits; None for fewer than ``VALUES_MIN``: not enough data.

    >>> base = freeze({0: 150, 1: 30, 2: 15, None: 5})
    >>> stability_index(base, {0: 300, 1: 60, 2: 30, None: 10}), stability_index(base, {0: 60, 1: 12})
    (0.0, None)
    >>> stability_index(base, {None: 400}) > WATCH_MAX
    True
    """
    if sum(counted.values()) < VALUES_MIN:
        return None
    now = _shares(counted, base.edges)
    parts = base.shares.keys() | now.keys()
    if base.edges is None:
        unseen = sum(share for part, share in now.items() if part not in base.shares)
        now = {part: share for part, share in now.items() if part in base.shares} | ({OTHER: unseen} if unseen else {})
        parts = base.shares.keys() | now.keys()
    pairs = [(max(now.get(part, 0.0), _LEAST_SHARE), max(base.shares.get(part, 0.0), _LEAST_SHARE)) for part in sorted(parts)]
    return round(sum((share - then) * log(share / then) for share, then in pairs), 4)


def verdict(index: float | None) -> str:
    """stable, watch or shifted; or that nobody can say yet."""
    if index is None:
        return "not_enough_data"
    return "stable" if index < STABLE_MAX else "watch" if index < WATCH_MAX else "shifted"


def _edges(counted: Mapping[float, int]) -> tuple[float, ...]:
    """Values that end a tenth of the base; a value that fills several tenths ends one part."""
    total, seen, edges = sum(counted.values()), 0, []
    values = sorted(counted)
    for value in values[:-1]:
        before, seen = seen, seen + counted[value]
        if seen * PARTS // total > before * PARTS // total:
            edges.append(value)
    if len(values) <= PARTS:
        return tuple(values[:-1])
    return tuple(edges)


def _shares(counted: Mapping[Value, int], edges: Sequence[float] | None) -> dict[str, float]:
    total = sum(counted.values())
    found: dict[str, int] = {}
    for value, n in counted.items():
        part = _part(value, edges)
        found[part] = found.get(part, 0) + n
    return {part: n / total for part, n in sorted(found.items())}


def _part(value: Value, edges: Sequence[float] | None) -> str:
    if value is None:
        return MISSING
    if edges is None or not _is_number(value):
        return str(value)
    return str(sum(float(value) > edge for edge in edges))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
