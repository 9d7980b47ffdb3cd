"""Fitting a scorecard: optimal bins of each characteristic, their weight of evidence, a logistic regression, whole points.

Siddiqi, Credit Risk Scorecards (2006), ch. 6; the bins are optbinning's (Navas-Palencia, arXiv 2001.08025).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any

import msgspec
import numpy as np

from xinzu.app.modeling.data import Value
from xinzu.middle.decisions.cards import Feature
from xinzu.middle.decisions.rules.models.coding import ODDS, POINTS_AT_ODDS, POINTS_TO_DOUBLE

BINS_MAX, BIN_SHARE_MIN = 6, 0.05
INFORMATION_MIN = 0.01
PRIOR_ROWS = 10.0  # the bad rate of a bin is drawn towards the average by as many rows
PENALTY_C = 0.1
FACTOR = POINTS_TO_DOUBLE / log(2)
TRENDS = {-1: "descending", 0: "auto", 1: "ascending"}


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows of one bin: a range, listed values or what is missing; with how they turned out."""

    bounds: Mapping[str, Any]
    rows: frozenset[int]
    bad: int

    def log_odds(self, average: float) -> float:
        rate = (self.bad + PRIOR_ROWS * average) / (len(self.rows) + PRIOR_ROWS)
        return log(rate / (1 - rate))


def fit(columns: Mapping[str, Sequence[Value]], bads: Sequence[bool], features: Sequence[Feature]) -> tuple[str, list[Feature]]:
    """The scorecard as JSON, and the features it kept: those that tell something and whose points run the way they should."""
    from sklearn.linear_model import LogisticRegression

    average = sum(bads) / len(bads)
    groups = {feature.name: _groups(feature, columns[feature.name], bads, average) for feature in features}
    kept = [feature for feature in features if _information(groups[feature.name], bads, average) >= INFORMATION_MIN]
    while True:
        evidence = np.array([_evidence(groups[feature.name], len(bads), average) for feature in kept]).T
        regression = LogisticRegression(C=PENALTY_C, max_iter=1_000).fit(evidence, np.asarray(bads))
        weights = regression.coef_[0].tolist()
        # A weight below nought would turn the points of a characteristic round.
        against = [feature for feature, weight in zip(kept, weights, strict=True) if weight <= 0]
        if not against:
            break
        kept = [feature for feature in kept if feature not in against]
    base = POINTS_AT_ODDS - FACTOR * (float(regression.intercept_[0]) + log(ODDS))
    middle = log(average / (1 - average))
    table = {
        "output": "model",
        "base_points": round(base),
        "characteristics": [
            {
                "indicator": feature.name,
                "code": feature.code,
                "bins": [
                    {**group.bounds, "points": round(-FACTOR * weight * (group.log_odds(average) - middle))}
                    for group in groups[feature.name]
                ],
            }
            for feature, weight in zip(kept, weights, strict=True)
        ],
    }
    return msgspec.json.format(msgspec.json.encode(table)).decode(), kept


def _groups(feature: Feature, values: Sequence[Value], bads: Sequence[bool], average: float) -> list[_Group]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        from optbinning import OptimalBinning  # it tells on import of solvers nobody asks for
    known = [row for row, value in enumerate(values) if value is not None]
    missing = frozenset(range(len(values))) - frozenset(known)
    category = feature.kind == "category"
    binning = OptimalBinning(
        feature.name,
        dtype="categorical" if category else "numerical",
        max_n_bins=BINS_MAX,
        min_bin_size=BIN_SHARE_MIN,
        monotonic_trend="auto" if category else TRENDS[feature.monotone],
    )
    binning.fit(
        np.array([values[row] for row in known], dtype=object if category else np.float64), np.array([bads[row] for row in known])
    )

    def group(bounds: Mapping[str, Any], rows: Sequence[int] | frozenset[int]) -> _Group:
        return _Group(bounds, frozenset(rows), sum(bads[row] for row in rows))

    if category:
        found = [
            group({"values": [str(each) for each in split]}, [row for row in known if values[row] in set(split)])
            for split in binning.splits
        ]
    else:
        edges = [None, *(float(edge) for edge in binning.splits), None]
        found = [group(_range(low, high), _within(values, known, low, high)) for low, high in pairwise(edges)]
        found = _monotone(found, feature.monotone, average)
    return [*found, group({"is_missing": True}, missing)] if missing else found


def _monotone(groups: list[_Group], way: int, average: float) -> list[_Group]:
    """Neighbours put together until the rates, drawn towards the average, run the way they should."""
    while True:
        for place, (before, after) in enumerate(pairwise(groups)):
            if (after.log_odds(average) - before.log_odds(average)) * way < 0:
                bounds = _range(before.bounds.get("low"), after.bounds.get("high"))
                together = _Group(bounds, before.rows | after.rows, before.bad + after.bad)
                groups = [*groups[:place], together, *groups[place + 2 :]]
                break
        else:
            return groups


def _range(low: float | None, high: float | None) -> dict[str, float]:
    """A single group of all numbers still is a range: from the least number there may be."""
    bounds = {name: bound for name, bound in (("low", low), ("high", high)) if bound is not None}
    return bounds or {"low": -1e15}


def _within(values: Sequence[Value], rows: Sequence[int], low: float | None, high: float | None) -> list[int]:
    return [
        row
        for row in rows
        if isinstance(value := values[row], float) and (low is None or value >= low) and (high is None or value < high)
    ]


def _evidence(groups: Sequence[_Group], count: int, average: float) -> list[float]:
    """By row the log odds of its bin against the average."""
    middle, found = log(average / (1 - average)), [0.0] * count
    for group in groups:
        for row in group.rows:
            found[row] = group.log_odds(average) - middle
    return found


def _information(groups: Sequence[_Group], bads: Sequence[bool], average: float) -> float:
    """The information value of the bins (Siddiqi, ch. 6)."""
    bad_total = sum(bads)
    good_total, middle = len(bads) - bad_total, log(average / (1 - average))
    return sum(
        (group.bad / bad_total - (len(group.rows) - group.bad) / good_total) * (group.log_odds(average) - middle)
        for group in groups
    )
