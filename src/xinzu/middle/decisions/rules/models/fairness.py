"""Whom a model treats how: approvals and chances of those who pay, by group.

Group memberships (age band, sex) are looked at here and are never features. Adverse impact ratio: a group's approval rate over that of the
group that fares best; below four fifths it is to be looked at (29 CFR § 1607.4 D, the usual yardstick; no Chinese rule sets one). Equal
opportunity difference: the same of those alone who turned out good, as a difference (Hardt, Price and Srebro, 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xinzu.middle.decisions.rules.models.metrics import EACH_CLASS_MIN, Interval, wilson

FOUR_FIFTHS = 0.8
AGE_EDGES_YEARS = (25, 35, 45, 55)


@dataclass(frozen=True, slots=True)
class Treated:
    """One applicant as fairness looks at it. ``is_bad`` is None while nobody knows."""

    group: str
    is_approved: bool
    is_bad: bool | None = None


@dataclass(frozen=True, slots=True)
class GroupFairness:
    """One group. A figure is None where too few were seen."""

    group: str
    count: int
    approved: Interval | None
    adverse_impact_ratio: float | None
    good_approved: Interval | None
    equal_opportunity_difference: float | None

    @property
    def is_to_be_looked_at(self) -> bool:
        return self.adverse_impact_ratio is not None and self.adverse_impact_ratio < FOUR_FIFTHS


def group_fairness(treated: Sequence[Treated]) -> list[GroupFairness]:
    """Each group beside the one that fares best, of those with enough people (``EACH_CLASS_MIN``) to say so.

    >>> people = [Treated("a", n < 80) for n in range(100)] + [Treated("b", n < 60) for n in range(100)]
    >>> [(each.group, each.adverse_impact_ratio, each.is_to_be_looked_at) for each in group_fairness(people)]
    [('a', 1.0, False), ('b', 0.75, True)]
    """
    by_group: dict[str, list[Treated]] = {}
    for each in treated:
        by_group.setdefault(each.group, []).append(each)
    approved = {group: (len(by_group[group]), _approved(by_group[group])) for group in sorted(by_group)}
    good = {group: _approved([each for each in by_group[group] if each.is_bad is False]) for group in approved}
    best = max((rate.share for _, rate in approved.values() if rate), default=0.0)
    best_good = max((rate.share for rate in good.values() if rate), default=0.0)
    return [
        GroupFairness(
            group,
            count,
            rate,
            round(rate.share / best, 4) if rate and best else None,
            good[group],
            round(payers_rate.share - best_good, 4) if (payers_rate := good[group]) else None,
        )
        for group, (count, rate) in approved.items()
    ]


def age_band(age_years: int | None) -> str:
    """The band of an age, or that it is not known.

    >>> age_band(24), age_band(25), age_band(70), age_band(None)
    ('below 25', '25-34', '55 and above', 'unknown')
    """
    if age_years is None:
        return "unknown"
    if age_years < AGE_EDGES_YEARS[0]:
        return f"below {AGE_EDGES_YEARS[0]}"
    for low, high in pairwise(AGE_EDGES_YEARS):
        if age_years < high:
            return f"{low}-{high - 1}"
    return f"{AGE_EDGES_YEARS[-1]} and above"


def _approved(members: Sequence[Treated]) -> Interval | None:
    if len(members) < EACH_CLASS_MIN:
        return None
    return wilson(sum(each.is_approved for each in members), len(members))
