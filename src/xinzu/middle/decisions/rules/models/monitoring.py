"""How a model does in use: over decisions that were made with it, and over what became of them.

Bad is 90 days past due within the time a decision takes to mature (商业银行资本管理办法 2023, annex 4; Basel CRE36.68). Only those
who were accepted and commenced are known to be good or bad: what would have become of the others, nobody knows, and no figure here
pretends to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from xinzu.middle.decisions.model import DecisionOutcome
from xinzu.middle.decisions.rules.models.fairness import GroupFairness, Treated, age_band, group_fairness
from xinzu.middle.decisions.rules.models.metrics import (
    EACH_CLASS_MIN,
    Band,
    Interval,
    auc,
    auc_error,
    brier,
    calibration_bands,
    ks,
    wilson,
)

DEFAULT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Observed:
    """One decision with the score it was made on. ``is_bad`` is None before it is mature, and of what never commenced.

    ``outcome`` is the strategy's, ``reviewed`` a person's; ``is_approved`` is what stands.
    """

    decided_on: date
    score: int
    pd: float
    outcome: DecisionOutcome
    reviewed: DecisionOutcome | None
    is_approved: bool
    age_years: int | None
    is_bad: bool | None


@dataclass(frozen=True, slots=True)
class Separation:
    """How well points told bad from good. ``auc``, ``ks`` and ``auc_error`` are None with fewer than 30 good or 30 bad."""

    mature: int
    bad: int
    auc: float | None
    auc_error: float | None
    ks: float | None


@dataclass(frozen=True, slots=True)
class Vintage:
    """The decisions of one calendar month."""

    month_on: date
    decisions: int
    separation: Separation


@dataclass(frozen=True, slots=True)
class Overrides:
    """What people made of the strategy's word. ``reviewed``: the share of all decisions a person looked at; ``overturned``: of the
    declines that a person looked at, those approved; ``approved_referrals``: of the referrals, those approved."""

    reviewed: Interval | None
    overturned: Interval | None
    approved_referrals: Interval | None


@dataclass(frozen=True, slots=True)
class Performance:
    """All that the decisions of a model tell. Lists are empty, and figures None, where there is not enough."""

    decisions: int
    separation: Separation
    vintages: Sequence[Vintage]
    calibration: Sequence[Band]
    brier: float | None
    overrides: Overrides
    fairness_by_age: Sequence[GroupFairness]


def performance(rows: Sequence[Observed]) -> Performance:
    """Everything over the decisions of a model."""
    months: dict[date, list[Observed]] = {}
    for row in rows:
        months.setdefault(row.decided_on.replace(day=1), []).append(row)
    mature = [row for row in rows if row.is_bad is not None]
    return Performance(
        decisions=len(rows),
        separation=separation(rows),
        vintages=[Vintage(month, len(months[month]), separation(months[month])) for month in sorted(months)],
        calibration=calibration_bands([row.pd for row in mature], [bool(row.is_bad) for row in mature]),
        brier=brier([row.pd for row in mature], [bool(row.is_bad) for row in mature]) if len(mature) >= EACH_CLASS_MIN else None,
        overrides=overrides(rows),
        fairness_by_age=group_fairness([Treated(age_band(row.age_years), row.is_approved, row.is_bad) for row in rows]),
    )


def separation(rows: Iterable[Observed]) -> Separation:
    """Area and distance over those that are mature."""
    mature = [row for row in rows if row.is_bad is not None]
    scores, bads = [float(row.score) for row in mature], [bool(row.is_bad) for row in mature]
    bad, good = sum(bads), len(bads) - sum(bads)
    if min(bad, good) < EACH_CLASS_MIN:
        return Separation(len(mature), bad, None, None, None)
    area, distance = auc(scores, bads), ks(scores, bads)
    assert area is not None
    assert distance is not None
    return Separation(len(mature), bad, round(area, 4), round(auc_error(area, bad, good), 4), round(distance, 4))


def overrides(rows: Sequence[Observed]) -> Overrides:
    """How often people had the last word, and which."""
    looked_at = [row for row in rows if row.reviewed is not None]

    def approved(of: Callable[[Observed], bool]) -> Interval | None:
        some = [row for row in looked_at if of(row)]
        return wilson(sum(row.reviewed is DecisionOutcome.APPROVE for row in some), len(some))

    return Overrides(
        wilson(len(looked_at), len(rows)),
        approved(lambda row: row.outcome is DecisionOutcome.DECLINE),
        approved(lambda row: row.outcome is DecisionOutcome.REFER),
    )
