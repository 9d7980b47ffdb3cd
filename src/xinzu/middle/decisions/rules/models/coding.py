"""Values as a model reads them, and log odds as points."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from xinzu.middle.decisions.cards import Feature

# The usual scale of the field: 600 points are odds of 50 good to one bad, and every 20 points double them (Siddiqi, 2006, ch. 6).
POINTS_AT_ODDS, ODDS, POINTS_TO_DOUBLE = 600, 50, 20


def points_of(log_odds: float) -> int:
    """Log odds of bad as points: more points, less risk.

    >>> from math import log
    >>> points_of(log(1 / 50)), points_of(log(1 / 100)), points_of(log(1 / 25))
    (600, 620, 580)
    """
    return round(POINTS_AT_ODDS - POINTS_TO_DOUBLE / log(2) * (log_odds + log(ODDS)))


def coded(feature: Feature, value: object) -> float:
    """A value as the number a model is trained on; what is missing, of another type or not known is not a number.

    >>> rank = Feature("rent_risk_rank", "category", "RENT_RISK_HIGH", ("low", "medium", "high"))
    >>> coded(rank, "medium"), coded(rank, "unheard"), coded(Feature("apply_cnt_24h", "number", "VELOCITY_MAX"), 3)
    (1.0, nan, 3.0)
    """
    if feature.kind == "category":
        return float(feature.values.index(value)) if isinstance(value, str) and value in feature.values else float("nan")
    if feature.kind == "flag":
        return float(value) if isinstance(value, bool) else float("nan")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def monotone_of(features: tuple[Feature, ...]) -> Mapping[str, int]:
    """The features that are bound, with their direction."""
    return {feature.name: feature.monotone for feature in features if feature.monotone}
