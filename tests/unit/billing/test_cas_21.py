"""Leases under CAS 21, by article."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from xinzu.back.billing.rules.effective_interest import (
    FinanceLease,
    earned_fen,
    net_investment,
    present_value_fen,
    straight_line_fen,
    unbilled_fen,
)
from xinzu.back.billing.rules.lease_class import LeaseClass, LeaseFacts, classify_lease
from xinzu.back.billing.rules.vat import Supply
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import Family
from xinzu.kernel.time import add_months

START = date(2026, 1, 1)

# A phone of ¥6,000 with four years to live, let for a year at ¥299 a month: nothing of it is a finance lease.
PHONE = LeaseFacts(
    family=Family.RENTAL,
    commenced_on=START,
    term_months=12,
    useful_life_months=48,
    fair_value_fen=600_000,
    payments=tuple((add_months(START, month), 29_900) for month in range(12)),
    annual_rate_pct=Decimal(12),
)


def held(facts: LeaseFacts) -> list[str]:
    return [test.code for test in classify_lease(facts).tests if test.holds]


def test_art_35_a_rental_of_a_quarter_of_the_life_is_an_operating_lease() -> None:
    found = classify_lease(PHONE)
    assert (found.lease_class, found.needs_judgement, found.supply) == (LeaseClass.OPERATING, False, Supply.MOVABLE_LEASING)
    assert [test.code for test in found.tests] == [
        "title_transfers",
        "bargain_option",
        "major_part_of_life",
        "substantially_all_of_value",
        "specialised",
        "cancellation_loss",
        "residual_changes",
        "cheap_renewal",
    ]
    assert held(PHONE) == []
    assert found.tests[2].figures == {"term_months": 12, "useful_life_months": 48, "major_part_pct": 75}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"title_transfers": True}, "title_transfers"),
        ({"option_price_fen": 25_000, "value_at_option_fen": 100_000}, "bargain_option"),
        ({"term_months": 36}, "major_part_of_life"),
        ({"fair_value_fen": 370_000}, "substantially_all_of_value"),
        ({"is_specialised": True}, "specialised"),
    ],
)
def test_art_36_each_of_the_five_situations_alone_makes_a_finance_lease(changed: dict[str, object], code: str) -> None:
    facts = replace(PHONE, **changed)  # type: ignore[arg-type]
    assert (classify_lease(facts).lease_class, held(facts)) == (LeaseClass.FINANCE, [code])


@pytest.mark.parametrize(
    "changed",
    [
        {"option_price_fen": 25_001, "value_at_option_fen": 100_000},
        {"term_months": 35},
        {"fair_value_fen": 380_000},
    ],
)
def test_art_36_just_below_the_line_it_stays_an_operating_lease(changed: dict[str, object]) -> None:
    assert classify_lease(replace(PHONE, **changed)).lease_class is LeaseClass.OPERATING  # type: ignore[arg-type]


def test_art_36_the_word_on_the_contract_decides_nothing() -> None:
    called_rental = replace(PHONE, title_transfers=True)
    assert classify_lease(called_rental).tests == classify_lease(replace(called_rental, family=Family.FINANCE_LEASE)).tests


@pytest.mark.parametrize(
    "sign", ["lessee_bears_cancellation_loss", "lessee_bears_residual_changes", "may_renew_far_below_market"]
)
def test_art_36_a_sign_alone_asks_for_judgement(sign: str) -> None:
    found = classify_lease(replace(PHONE, **{sign: True}))  # type: ignore[arg-type]
    assert (found.lease_class, found.needs_judgement) == (LeaseClass.OPERATING, True)


def test_art_37_a_sublease_under_a_short_term_lease_is_an_operating_lease() -> None:
    found = classify_lease(replace(PHONE, term_months=48, is_under_short_term_lease=True))
    assert (found.lease_class, found.needs_judgement) == (LeaseClass.OPERATING, False)
    assert found.tests[0].code == "short_term_head_lease"


def test_arts_50_to_52_a_leaseback_is_marked_and_taxed_as_lending() -> None:
    found = classify_lease(replace(PHONE, family=Family.FINANCE_LEASE, title_transfers=True, is_leaseback=True))
    assert (found.lease_class, found.is_leaseback, found.supply) == (LeaseClass.FINANCE, True, Supply.LENDING)


def test_a_loan_is_never_a_lease() -> None:
    found = classify_lease(replace(PHONE, family=Family.LOAN, title_transfers=True))
    assert (found.lease_class, found.supply, [test.code for test in found.tests]) == (
        LeaseClass.NO_LEASE,
        Supply.LENDING,
        ["nothing_is_let"],
    )


def test_every_test_is_told_in_both_languages() -> None:
    for test in classify_lease(replace(PHONE, option_price_fen=1, value_at_option_fen=2)).tests:
        assert test.words_en.isascii()
        assert any("一" <= letter <= "鿿" for letter in test.words_zh)
        assert test.article.startswith("CAS 21 art. 36")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"term_months": 0}, "/term_months"),
        ({"useful_life_months": 0}, "/useful_life_months"),
        ({"fair_value_fen": 0}, "/fair_value_fen"),
        ({"option_price_fen": 1}, "/value_at_option_fen"),
        ({"option_price_fen": -1, "value_at_option_fen": 1}, "/option_price_fen"),
        ({"payments": ((date(2025, 12, 31), 1),)}, "/payments"),
        ({"annual_rate_pct": Decimal("NaN")}, "/annual_rate_pct"),
    ],
)
def test_facts_that_cannot_be_are_refused_by_name(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        classify_lease(replace(PHONE, **changed))  # type: ignore[arg-type]
    assert refused.value.errors[0].pointer == field


# Three yearly receipts of ¥1,000 in arrears at 8 % are worth ¥2,577.10 on the first day; none of the three years is a leap year.
BEGIN = date(2025, 1, 1)
THREE_YEARS = FinanceLease(
    commenced_on=BEGIN,
    end_on=date(2028, 1, 1),
    payments=tuple((date(year, 1, 1), 100_000) for year in (2026, 2027, 2028)),
    fair_value_fen=257_710,
)


def test_art_17_the_implicit_rate_makes_receipts_worth_the_fair_value_and_the_direct_costs() -> None:
    with_costs = replace(THREE_YEARS, fair_value_fen=250_000, initial_direct_costs_fen=7_710)
    assert net_investment(with_costs) == net_investment(THREE_YEARS)
    rate = net_investment(THREE_YEARS).annual_rate_pct
    assert abs(rate - 8) < Decimal("0.0001")
    assert present_value_fen(THREE_YEARS.payments, BEGIN, rate) == 257_710
    assert present_value_fen(THREE_YEARS.payments, BEGIN, Decimal(8)) == 257_710


def test_art_38_the_net_investment_holds_both_residual_values_and_nothing_received_on_the_first_day() -> None:
    lease = replace(
        THREE_YEARS,
        payments=((BEGIN, 50_000), *THREE_YEARS.payments),
        fair_value_fen=330_000,
        guaranteed_residual_fen=20_000,
        unguaranteed_residual_fen=10_000,
    )
    invested = net_investment(lease)
    assert (invested.receivable_fen, invested.unguaranteed_residual_fen, invested.gross_fen) == (320_000, 10_000, 330_000)
    assert (invested.net_fen, invested.unearned_income_fen) == (280_000, 50_000)
    assert invested.periods[-1].received_fen == 130_000


def test_art_39_income_follows_what_is_invested_and_ends_exactly() -> None:
    periods = net_investment(THREE_YEARS).periods
    assert [(each.opening_fen, each.income_fen, each.closing_fen) for each in periods] == [
        (257_710, 20_617, 178_327),
        (178_327, 14_266, 92_593),
        (92_593, 7_407, 0),
    ]
    assert [(str(each.from_on), str(each.to_on)) for each in periods][:2] == [
        ("2025-01-01", "2025-12-31"),
        ("2026-01-01", "2026-12-31"),
    ]


def test_art_39_a_lease_that_brings_back_nearly_all_on_its_first_days_ends_exactly_years_later() -> None:
    """A day's rate of some 300 % for five years: an amount carried forward at it would outgrow every number."""
    lease = FinanceLease(
        commenced_on=START,
        end_on=date(2031, 1, 1),
        payments=((date(2026, 1, 2), 400_000_00), (date(2029, 1, 1), 500_00)),
        fair_value_fen=100_000_00,
        unguaranteed_residual_fen=1_000_00,
    )
    periods = net_investment(lease).periods
    assert [each.income_fen for each in periods] == [300_000_00, 500_00, 1_000_00]
    assert [each.closing_fen for each in periods] == [0, 0, 0]


def test_art_39_rents_in_advance_earn_nothing_on_the_first_one() -> None:
    lease = FinanceLease(
        commenced_on=START,
        end_on=add_months(START, 12),
        payments=tuple((add_months(START, month), 10_000) for month in range(12)),
        fair_value_fen=115_000,
    )
    invested = net_investment(lease)
    assert (invested.net_fen, len(invested.periods), invested.periods[0].opening_fen) == (105_000, 11, 105_000)
    assert sum(each.income_fen for each in invested.periods) == invested.unearned_income_fen == 5_000


def test_a_lease_without_interest_has_the_rate_zero() -> None:
    free = replace(THREE_YEARS, fair_value_fen=300_000)
    assert net_investment(free).daily_rate == 0
    assert [each.income_fen for each in net_investment(free).periods] == [0, 0, 0]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"fair_value_fen": 300_001}, "/payments"),
        ({"payments": ((BEGIN, 257_710),)}, "/payments"),
        ({"payments": ((date(2028, 1, 2), 300_000),)}, "/payments"),
        ({"end_on": BEGIN}, "/end_on"),
        ({"guaranteed_residual_fen": -1}, "/guaranteed_residual_fen"),
    ],
)
def test_a_lease_that_cannot_be_is_refused_by_name(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        net_investment(replace(THREE_YEARS, **changed))  # type: ignore[arg-type]
    assert refused.value.errors[0].pointer == field


def test_art_45_rent_free_periods_and_steps_move_the_receivable_not_the_income() -> None:
    ends = date(2026, 12, 31)
    level = [(add_months(START, month), 10_000) for month in range(12)]
    free_then_stepped = [(add_months(START, month), 8_000 if month < 6 else 16_000) for month in range(2, 12)]
    total = sum(fen for _, fen in free_then_stepped)
    same_sum = [(START, total)]
    for on in (START, date(2026, 3, 31), date(2026, 7, 1), ends):
        assert straight_line_fen(free_then_stepped, START, ends, on) == straight_line_fen(same_sum, START, ends, on)
    assert [straight_line_fen(level, START, ends, on) for on in (START, ends)] == [328, 120_000]
    assert unbilled_fen(free_then_stepped, START, ends, date(2026, 2, 28)) == 128_000 * 59 // 365
    assert unbilled_fen(free_then_stepped, START, ends, ends) == 0


def test_art_45_three_rents_at_the_start_are_rent_billed_ahead() -> None:
    ends = date(2026, 4, 30)
    three_then_one = [(START, 30_000), (date(2026, 2, 1), 10_000)]
    assert unbilled_fen(three_then_one, START, ends, START) == 333 - 30_000
    assert unbilled_fen(three_then_one, START, ends, ends) == 0


def test_the_last_day_takes_what_the_days_before_left() -> None:
    days = [earned_fen(1_000, START, date(2026, 1, 7), date(2026, 1, day)) for day in range(1, 9)]
    assert days == [142, 285, 428, 571, 714, 857, 1_000, 1_000]
    assert earned_fen(1_000, START, date(2026, 1, 7), date(2025, 12, 31)) == 0
    assert earned_fen(1_000, START, date(2025, 12, 31), START) == 1_000  # a period without days
    with pytest.raises(ValueError, match="not below zero"):
        earned_fen(-1, START, START, START)
