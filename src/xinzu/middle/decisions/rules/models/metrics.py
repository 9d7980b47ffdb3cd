"""How well scores tell bad from good. More points, less risk; a figure that cannot be told is None: not enough data.

Sources: Hanley and McNeil, Radiology 143 (1982), for the area and its standard error; Wilson, JASA 22 (1927), for the interval of a share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

EACH_CLASS_MIN = 30  # fewer good or fewer bad, and the figure is an accident
Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95 % interval."""

    share: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Band:
    """Those of neighbouring probabilities: how many, what was said of them on average, and what became of them."""

    count: int
    pd_mean: float
    bad: Interval


def wilson(hits: int, count: int) -> Interval | None:
    """The share of hits with its 95 % interval after Wilson, which holds for few and for rare ones; None of nobody.

    >>> wilson(0, 100)
    Interval(share=0.0, low=0.0, high=0.036993, count=100)
    >>> wilson(0, 0) is None
    True
    """
    if count == 0:
        return None
    share, weight = hits / count, Z_95**2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = Z_95 / (1 + weight) * sqrt(share * (1 - share) / count + weight / (4 * count))
    return Interval(round(share, 6), round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6), count)


def auc(scores: Sequence[float], bads: Sequence[bool]) -> float | None:
    """The chance that one who turned out bad had fewer points than one who did not; ties count half. None without both kinds.

    >>> auc([500, 520, 600, 640], [True, True, False, False]), auc([500, 500], [True, False]), auc([500], [True])
    (1.0, 0.5, None)
    """
    bad_total, good_total = sum(bads), len(bads) - sum(bads)
    if not bad_total or not good_total:
        return None
    won, bad_below = 0.0, 0
    for good, bad in _steps(scores, bads):
        won += good * (bad_below + bad / 2)
        bad_below += bad
    return won / (bad_total * good_total)


def auc_error(area: float, bad: int, good: int) -> float:
    """The standard error of an area (Hanley and McNeil).

    >>> round(auc_error(0.8, 100, 400), 3)
    0.028
    """
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (bad - 1) * (one - area**2) + (good - 1) * (two - area**2)
    return sqrt(max(0.0, variance) / (bad * good))


def ks(scores: Sequence[float], bads: Sequence[bool]) -> float | None:
    """The greatest distance between the two distributions of points (Kolmogorov and Smirnov). None without both kinds.

    >>> ks([500, 520, 600, 640], [True, True, False, False])
    1.0
    """
    bad_total, good_total = sum(bads), len(bads) - sum(bads)
    if not bad_total or not good_total:
        return None
    widest, good_below, bad_below = 0.0, 0, 0
    for good, bad in _steps(scores, bads):
        good_below, bad_below = good_below + good, bad_below + bad
        widest = max(widest, abs(bad_below / bad_total - good_below / good_total))
    return widest


def brier(pds: Sequence[float], bads: Sequence[bool]) -> float | None:
    """The mean squared distance between what was said and what came (Brier, 1950); None of nobody.

    >>> brier([0.1, 0.9], [False, True]), brier([], [])
    (0.01, None)
    """
    if not pds:
        return None
    return round(sum((pd - bad) ** 2 for pd, bad in zip(pds, bads, strict=True)) / len(pds), 6)


def calibration_bands(pds: Sequence[float], bads: Sequence[bool], bands: int = 10) -> list[Band]:
    """Bands of equal numbers from the least risk to the greatest; of fewer than ``EACH_CLASS_MIN`` each, fewer bands.

    >>> [(band.count, band.bad.share) for band in calibration_bands([0.1] * 50 + [0.4] * 50, [False] * 50 + [True] * 50, 2)]
    [(50, 0.0), (50, 1.0)]
    """
    ordered = sorted(zip(pds, bads, strict=True))
    bands = min(bands, len(ordered) // EACH_CLASS_MIN)
    found = []
    for band in range(bands):
        part = ordered[len(ordered) * band // bands : len(ordered) * (band + 1) // bands]
        bad = wilson(sum(each for _, each in part), len(part))
        assert bad is not None
        found.append(Band(len(part), round(sum(pd for pd, _ in part) / len(part), 6), bad))
    return found


def platt(raws: Sequence[float], bads: Sequence[bool], rounds: int = 50) -> tuple[float, float]:
    """Intercept and slope of the logistic curve through what a model said and what came (Newton's method on the likelihood).

    Raises ValueError without both kinds.
    """
    if not 0 < sum(bads) < len(bads):
        raise ValueError("a calibration needs both good and bad")
    middle = sum(raws) / len(raws)
    spread = sqrt(sum((raw - middle) ** 2 for raw in raws) / len(raws)) or 1.0
    points = [((raw - middle) / spread, bad) for raw, bad in zip(raws, bads, strict=True)]
    share = sum(bads) / len(bads)
    intercept, slope = log(share / (1 - share)), 0.0
    for _ in range(rounds):
        g0 = g1 = h00 = h01 = h11 = 0.0
        for x, bad in points:
            p = 1 / (1 + exp(-max(-30.0, min(30.0, intercept + slope * x))))
            weight = p * (1 - p)
            g0, g1 = g0 + bad - p, g1 + (bad - p) * x
            h00, h01, h11 = h00 + weight, h01 + weight * x, h11 + weight * x * x
        h00, h11 = h00 + 1e-9, h11 + 1e-6  # perfectly told apart, the curve would be a step
        det = h00 * h11 - h01 * h01
        d0, d1 = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        intercept, slope = intercept + max(-5.0, min(5.0, d0)), slope + max(-5.0, min(5.0, d1))
        if abs(d0) + abs(d1) < 1e-10:
            break
    return intercept - slope * middle / spread, slope / spread


def _steps(scores: Sequence[float], bads: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Good and bad counts of each distinct score, from the lowest up."""
    counts: dict[float, list[int]] = {}
    for score, bad in zip(scores, bads, strict=True):
        counts.setdefault(score, [0, 0])[bad] += 1
    for score in sorted(counts):
        good, bad_count = counts[score]
        yield good, bad_count
