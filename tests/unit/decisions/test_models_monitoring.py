"""How a model does in use; not enough data is an answer."""

from __future__ import annotations

from datetime import date

from xinzu.middle.decisions.model import DecisionOutcome
from xinzu.middle.decisions.rules.models.fairness import Treated, group_fairness
from xinzu.middle.decisions.rules.models.metrics import auc, calibration_bands, platt
from xinzu.middle.decisions.rules.models.monitoring import Observed, performance

APPROVE, DECLINE, REFER = DecisionOutcome.APPROVE, DecisionOutcome.DECLINE, DecisionOutcome.REFER


def seen(
    score: int,
    *,
    bad: bool | None,
    month: int = 1,
    age: int | None = 30,
    outcome: DecisionOutcome = APPROVE,
    reviewed: DecisionOutcome | None = None,
) -> Observed:
    return Observed(date(2026, month, 15), score, 0.1, outcome, reviewed, (reviewed or outcome) is APPROVE, age, bad)


def test_a_month_tells_when_it_holds_enough_of_both_kinds() -> None:
    january = [seen(500 + 4 * n, bad=n < 40) for n in range(100)]
    february = [seen(600, bad=n < 5, month=2) for n in range(100)]
    march = [seen(600, bad=None, month=3) for _ in range(100)]
    told = performance([*january, *february, *march])
    assert [(each.month_on.month, each.separation.mature, each.separation.auc) for each in told.vintages] == [
        (1, 100, 1.0),
        (2, 100, None),
        (3, 0, None),
    ]
    assert told.separation.bad == 45


def test_nothing_seen_is_an_answer() -> None:
    told = performance([])
    assert (told.decisions, told.vintages, told.calibration, told.brier, told.fairness_by_age) == (0, [], [], None, [])
    assert told.overrides.reviewed is None


def test_overturned_declines_are_counted_of_those_reviewed() -> None:
    rows = [
        *[seen(500, bad=None, outcome=DECLINE, reviewed=APPROVE) for _ in range(3)],
        *[seen(500, bad=None, outcome=DECLINE, reviewed=DECLINE) for _ in range(9)],
        *[seen(500, bad=None, outcome=REFER, reviewed=APPROVE) for _ in range(4)],
        *[seen(700, bad=None) for _ in range(84)],
    ]
    told = performance(rows).overrides
    assert told.reviewed is not None
    assert told.overturned is not None
    assert told.approved_referrals is not None
    assert (told.reviewed.share, told.reviewed.count) == (0.16, 100)
    assert (told.overturned.share, told.overturned.count) == (0.25, 12)
    assert told.approved_referrals.share == 1.0


def test_a_group_below_four_fifths_is_to_be_looked_at() -> None:
    people = [
        *[Treated("25-34", n < 90, n >= 95) for n in range(100)],
        *[Treated("below 25", n < 60, n >= 95) for n in range(100)],
        *[Treated("unknown", is_approved=False) for _ in range(10)],
    ]
    by_group = {each.group: each for each in group_fairness(people)}
    assert by_group["below 25"].is_to_be_looked_at
    assert by_group["below 25"].adverse_impact_ratio == 0.6667
    assert by_group["below 25"].equal_opportunity_difference == round(60 / 95 - 90 / 95, 4)
    assert by_group["25-34"].adverse_impact_ratio == 1.0
    assert by_group["unknown"].adverse_impact_ratio is None  # ten people say nothing


def test_calibration_bands_hold_thirty_each_at_least() -> None:
    assert calibration_bands([0.1] * 29, [False] * 29) == []
    assert [band.count for band in calibration_bands([0.1] * 95, [False] * 95)] == [31, 32, 32]


def test_a_calibration_meets_the_average() -> None:
    raws = [n / 50 for n in range(-100, 100)]
    bads = [n % 5 < 2 if raw > 0 else n % 10 == 0 for n, raw in enumerate(raws)]
    from xinzu.middle.decisions.cards import Calibration

    calibration = Calibration(*platt(raws, bads))
    said = [calibration.probability(raw) for raw in raws]
    assert abs(sum(said) / len(said) - sum(bads) / len(bads)) < 1e-6
    assert calibration.slope > 0


def test_an_area_of_one_kind_is_none() -> None:
    assert auc([600.0] * 5, [False] * 5) is None
