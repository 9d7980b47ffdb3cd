"""An exact fen stays one, an exact half is a half, and no line of terms ends the stream."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from xinzu.app.commands.schedule import answer_to
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import DayCount, Method, RoundingPolicy, ScheduleTerms
from xinzu.kernel.money import Rounding

LINE = {"principal_fen": 1_200_000, "annual_rate_pct": "12", "periods": 36, "start_on": "2026-01-15"}


@pytest.mark.parametrize("mode", Rounding)
@pytest.mark.parametrize("rate", ["7", "7.3", "11", "13.7"])
def test_interest_that_is_whole_or_a_half_is_settled_as_such(mode: Rounding, rate: str) -> None:
    """Days ÷ 360 has no end in decimals; its product with the balance may be exact all the same."""
    for days in range(1, 120):
        per_fen = Fraction(rate) * days / 36_000
        principal_fen = per_fen.denominator // (2 if per_fen.denominator % 2 == 0 else 1) * 30_001
        exact = principal_fen * per_fen
        terms = ScheduleTerms(
            start_on=date(2026, 1, 15),
            periods=1,
            principal_fen=principal_fen,
            annual_rate_pct=Decimal(rate),
            first_due_on=date(2026, 1, 15) + timedelta(days=days),
            day_count=DayCount.ACTUAL_360,
            method=Method.BULLET,
            rounding=RoundingPolicy(mode),
        )
        below = exact.numerator // exact.denominator
        half = exact.denominator == 2
        up = {Rounding.HALF_UP: 1, Rounding.UP: 1, Rounding.DOWN: 0, Rounding.HALF_EVEN: below % 2}[mode]
        assert schedule_of(terms).interest_fen == below + (up if half else 0)


def test_a_new_rate_leaves_equal_principal_as_it_was() -> None:
    terms = ScheduleTerms(
        start_on=date(2026, 2, 5), periods=3, principal_fen=45_466_108, annual_rate_pct=Decimal(0), method=Method.EQUAL_PRINCIPAL
    )
    changed = replace(terms, rate_changes=((date(2026, 3, 26), Decimal("8.8")),))
    assert [row.principal_fen for row in schedule_of(changed).rows] == [row.principal_fen for row in schedule_of(terms).rows]


@pytest.mark.parametrize(
    "wrong",
    [
        {"periods": 1_000, "unit": "quarter", "every": 366},
        {"start_on": "0001-01-01", "first_due_on": "0001-01-15"},
        {"start_on": "0001-01-01", "rate_changes": [["2026-01-01", "3"]]},
        {"first_due_on": "9999-12-31"},
        {
            "principal_fen": 7,
            "annual_rate_pct": "400",
            "every": 30,
            "unit": "quarter",
            "day_count": "actual/360",
            "first_due_on": "2026-04-06",
            "rounding": {"mode": "up"},
        },
        {
            "method": "balloon",
            "periods": 2,
            "unit": "week",
            "every": 15,
            "timing": "advance",
            "principal_fen": None,
            "balloon_fen": 1_200_000,
            "disbursements": [["2026-08-31", 1_200_000]],
        },
    ],
)
def test_terms_beyond_reason_are_an_answer_and_not_a_trace(wrong: dict[str, object]) -> None:
    assert set(answer_to(json.dumps({**LINE, **wrong}))) == {"error"}


def test_weights_of_nothing_after_a_tranche_do_not_divide_by_it() -> None:
    line = {
        **LINE,
        "method": "stepped",
        "periods": 3,
        "weights": [1, 1, 0],
        "rounding": {"smooth_last": True},
        "rate_changes": [["2026-03-20", "5"]],
    }
    assert "rows" in answer_to(json.dumps(line))


def test_what_is_repaid_at_once_has_no_rate() -> None:
    answer = answer_to(json.dumps({**LINE, "periods": 1, "timing": "advance"}))
    assert (answer["irr_pct"], answer["annual_cost_pct"]) == (None, None)
