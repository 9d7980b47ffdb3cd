"""Large and suspicious transactions, rule by rule. Amounts are fen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzu.middle.screening.model import AlertRule, Direction, Method, Movement
from xinzu.middle.screening.rules.money import LARGE_FROM_FEN, findings_of, keep_until, report_due_on

ON = date(2026, 3, 4)
PARTY = UUID(int=1)


def moved(
    amount_fen: int,
    *,
    days_before: int = 0,
    method: Method = Method.TRANSFER,
    direction: Direction = Direction.IN,
    payer: str | None = None,
    purpose: str = "instalment",
) -> Movement:
    moved.number += 1  # type: ignore[attr-defined]
    return Movement(
        source="receipt",
        source_ref=str(moved.number),  # type: ignore[attr-defined]
        party_id=PARTY,
        agreement_id=UUID(int=2),
        direction=direction,
        method=method,
        purpose=purpose,
        amount_fen=amount_fen,
        moved_on=ON - timedelta(days=days_before),
        payer_key=payer,
    )


moved.number = 0  # type: ignore[attr-defined]


def rules(movements: Sequence[Movement], on: date = ON) -> list[AlertRule]:
    return [finding.rule for finding in findings_of(movements, on)]


@pytest.mark.parametrize(
    ("method", "code", "from_fen"),
    [("cash", "0501", 5_000_000), ("transfer", "0503", 50_000_000), ("cross_border", "0504", 20_000_000)],
)
@pytest.mark.parametrize("direction", list(Direction))
def test_order_2016_3_art_5_a_day_is_large_from_the_amount_of_its_code(
    method: str, code: str, from_fen: int, direction: Direction
) -> None:
    large = [
        moved(from_fen - 1, method=Method(method), direction=direction),
        moved(1, method=Method(method), direction=direction),
    ]
    assert code in rules(large)
    assert code not in rules(large[:1])
    assert findings_of(large, ON)[0].amount_fen == from_fen
    assert len(findings_of(large, ON)[0].references) == 2


def test_order_2016_3_art_5_in_and_out_and_two_days_are_added_up_apart() -> None:
    half = 25_000_000
    assert rules([moved(half), moved(half - 1, direction=Direction.OUT)]) == [AlertRule.PASSED_THROUGH]
    assert rules([moved(half), moved(half, days_before=1)]) == []


def test_order_2016_3_art_8_a_large_one_is_filed_within_five_working_days() -> None:
    assert report_due_on(AlertRule.CASH_LARGE, date(2026, 3, 4)) == date(2026, 3, 11)
    assert report_due_on(AlertRule.DOMESTIC_LARGE, date(2025, 9, 30)) == date(
        2025, 10, 14
    )  # the National Day week, a Saturday worked
    assert report_due_on(AlertRule.STRUCTURED, ON) is None


def test_aml_law_art_34_records_are_kept_ten_years() -> None:
    assert keep_until(ON) == date(2036, 3, 4)


def test_amounts_kept_below_the_limit_over_days_are_structured() -> None:
    cash = [moved(4_900_000, method=Method.CASH, days_before=days) for days in (2, 1, 0)]
    assert rules(cash) == [AlertRule.STRUCTURED]
    assert rules(cash[1:]) == []
    assert rules([moved(2_400_000, method=Method.CASH, days_before=days) for days in (2, 1, 0)]) == []  # less than half
    assert rules([moved(4_900_000, method=Method.CASH, days_before=days) for days in (10, 5, 0)]) == []


def test_early_repayment_by_somebody_else_is_looked_at() -> None:
    assert rules([moved(500_000, payer="x", purpose="early_repayment")]) == [AlertRule.THIRD_PARTY_EARLY]
    assert rules([moved(499_999, payer="x", purpose="early_repayment")]) == []
    assert rules([moved(500_000, purpose="early_repayment")]) == []
    assert rules([moved(500_000, payer="x")]) == []


def test_what_comes_in_and_goes_out_again_is_looked_at() -> None:
    came_in = moved(1_000_000, days_before=9)
    assert rules([came_in, moved(800_000, direction=Direction.OUT)]) == [AlertRule.PASSED_THROUGH]
    assert rules([came_in, moved(799_999, direction=Direction.OUT)]) == []


def test_three_others_who_pay_for_one_are_looked_at() -> None:
    others = [moved(10_000, payer=payer, days_before=days) for payer, days in (("a", 29), ("b", 3), ("c", 0))]
    assert rules(others) == [AlertRule.MANY_PAYERS]
    assert rules([*others[:2], moved(10_000, payer="b")]) == []


amounts = st.integers(min_value=1, max_value=60_000_000)
movements = st.lists(
    st.builds(
        moved,
        amounts,
        days_before=st.integers(min_value=-3, max_value=40),
        method=st.sampled_from(Method),
        direction=st.sampled_from(Direction),
        payer=st.sampled_from([None, "a", "b", "c"]),
        purpose=st.sampled_from(["instalment", "buyout"]),
    ),
    max_size=12,
)


@given(movements)
def test_a_day_is_reported_when_and_only_when_its_sum_is_large(history: list[Movement]) -> None:
    found = rules(history)
    for method, (rule, from_fen) in LARGE_FROM_FEN.items():
        sums = [
            sum(each.amount_fen for each in history if (each.moved_on, each.method, each.direction) == (ON, method, direction))
            for direction in Direction
        ]
        assert found.count(rule) == any(each >= from_fen for each in sums)


@given(movements, st.randoms())
def test_the_order_in_which_money_is_put_on_file_does_not_matter(history: list[Movement], random: object) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    said = [
        {(each.rule, each.amount_fen, frozenset(each.references)) for each in findings_of(given, ON)}
        for given in (history, shuffled)
    ]
    assert said[0] == said[1]
