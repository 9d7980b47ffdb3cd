"""Depreciation under CAS 4 by example, and what it moves."""

from __future__ import annotations

from datetime import date

import pytest

from xinzu.back.assets.model import LeavingCause
from xinzu.back.assets.rules import depreciation as rules

IN_USE = date(2026, 3, 2)


def test_the_month_a_thing_comes_in_bears_nothing_and_the_one_it_leaves_in_does() -> None:
    assert rules.months_begun(IN_USE, date(2026, 3, 31)) == 0
    assert rules.months_begun(IN_USE, date(2026, 4, 1)) == rules.months_begun(IN_USE, date(2026, 4, 30)) == 1
    assert rules.months_begun(IN_USE, date(2025, 12, 31)) == 0


def test_the_last_month_ends_exactly_at_the_residual_value() -> None:
    months = [rules.depreciated_fen(1_000, 1, 7, month) for month in range(9)]
    assert months == [0, 142, 285, 428, 570, 713, 856, 999, 999]


def test_a_month_is_booked_on_its_last_day() -> None:
    assert [rules.month_end(date(2027, 11, 30), n) for n in (1, 3)] == [date(2027, 12, 31), date(2028, 2, 29)]


@pytest.mark.parametrize(
    ("cause", "account"),
    [
        (LeavingCause.SOLD, rules.COST_OF_SALES),
        (LeavingCause.LEASED, rules.LEASED_ASSET),
        (LeavingCause.SCRAPPED, rules.DISPOSAL_LOSS),
        (LeavingCause.LOST, rules.DISPOSAL_LOSS),
    ],
)
def test_art_21_what_leaves_takes_cost_and_depreciation_with_it(cause: LeavingCause, account: str) -> None:
    moved = rules.left(cause, 1_000, 400)
    assert moved == ((rules.ACCUMULATED, rules.EQUIPMENT, 400), (account, rules.EQUIPMENT, 600))
    assert rules.left(cause, 1_000, 0) == ((account, rules.EQUIPMENT, 1_000),)


def test_what_costs_nothing_moves_nothing() -> None:
    assert rules.taken_in(0, 0) == rules.depreciated(0) == rules.left(LeavingCause.LOST, 0, 0) == ()


def test_every_account_moved_is_in_the_chart() -> None:
    chart = {line.code for line in rules.CHART}
    moved = [*rules.taken_in(2, 1), *rules.depreciated(1), *(each for cause in LeavingCause for each in rules.left(cause, 2, 1))]
    assert {account for debit, credit, _ in moved for account in (debit, credit)} == chart
