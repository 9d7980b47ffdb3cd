"""From an agreement's financing to the engine's terms, its all-in cost and its cost table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from xinzu.back.billing.rules.schedules.agreed import financed_cost_pct, schedule_terms, with_rate_of
from xinzu.back.billing.rules.schedules.cost_table import cost_table
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import AgreementTerms, Family, Financing

START = date(2026, 3, 2)
LOAN = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12")
LEASE = AgreementTerms(
    product_id=UUID(int=1),
    plan_id=UUID(int=2),
    product_name="乘用车",
    period_months=1,
    period_count=36,
    rent_fen=1,
    deposit_fen=1_000_000,
    device_value_fen=15_000_000,
    buyout_fen=10_000,
    early_return_fee_fen=200_000,
    late_fee_daily_rate="0.0003",
    grace_days=3,
    restriction_clause_version="none",
    annual_cost_pct=None,
    financing=Financing(
        family=Family.FINANCE_LEASE,
        principal_fen=12_000_000,
        annual_rate_pct="6.5",
        balloon_fen=3_000_000,
        upfront_fee_fen=50_000,
        subsidy_fen=200_000,
    ),
)


def cost(financing: Financing, count: int = 12, *, deposit_fen: int = 0, buyout_fen: int = 0) -> Decimal:
    schedule = schedule_of(schedule_terms(financing, 1, count, START))
    found = financed_cost_pct(schedule, deposit_fen=deposit_fen, buyout_fen=buyout_fen)
    return Decimal("Infinity") if found is None else Decimal(found)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"principal_fen": 0}, "/principal_fen"),
        ({"annual_rate_pct": "NaN"}, "/annual_rate_pct"),
        ({"annual_rate_pct": "twelve"}, "/annual_rate_pct"),
        ({"method": "guess"}, "/method"),
        ({"timing": "never"}, "/timing"),
        ({"day_count": "actual/1"}, "/day_count"),
        ({"interest_days": "nightly"}, "/interest_days"),
        ({"balloon_fen": 1_200_001}, "/balloon_fen"),
        ({"weights": ("1",) * 12}, "/weights"),
        ({"method": "stepped", "weights": ("1",) * 11}, "/weights"),
        ({"method": "stepped", "weights": ("Infinity",) * 12}, "/weights"),
        ({"method": "stepped", "weights": ("x",) * 12}, "/weights"),
        ({"grace_principal": 12}, "/grace/principal"),
        ({"grace_interest": -1}, "/grace/interest"),
        ({"interest_free": 13}, "/interest_free"),
        ({"rounding_mode": "sideways"}, "/rounding/mode"),
        ({"instalment_multiple_fen": 0}, "/rounding/instalment_multiple_fen"),
        ({"residue": "middle"}, "/rounding/residue"),
        ({"subsidy_fen": 1_200_000}, "/subsidy_fen"),
        ({"upfront_fee_fen": -1}, "/fees"),
    ],
)
def test_a_financing_that_cannot_be_is_refused_by_its_field(wrong: dict[str, object], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        schedule_terms(replace(LOAN, **wrong), 1, 12, START)  # type: ignore[arg-type]
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_subsidy_lowers_what_the_customer_repays_and_not_what_it_costs_a_year() -> None:
    subsidised = schedule_of(schedule_terms(replace(LOAN, subsidy_fen=100_000), 1, 12, START))
    assert subsidised.principal_fen == 1_100_000
    assert abs(cost(replace(LOAN, subsidy_fen=100_000)) - cost(LOAN)) < Decimal("0.001")


def test_private_lending_interpretation_art_26_a_fee_at_the_start_counts_as_if_it_had_not_been_lent() -> None:
    """What is held back at the start is not principal: 12,000.00 less a fee of 50.00 is 11,950.00 received."""
    with_fee = schedule_of(schedule_terms(replace(LOAN, upfront_fee_fen=5_000), 1, 12, START))
    assert with_fee.rows[0].fee_fen == 5_000
    assert cost(replace(LOAN, upfront_fee_fen=5_000)) > cost(LOAN)
    assert Decimal(with_fee.annual_cost_pct or 0) < cost(replace(LOAN, upfront_fee_fen=5_000))  # there: paid a month later


def test_a_deposit_without_interest_and_the_price_of_keeping_the_thing_count_into_the_cost() -> None:
    assert cost(LOAN) < cost(LOAN, buyout_fen=1_000) < cost(LOAN, deposit_fen=100_000, buyout_fen=1_000)
    # 10,000 for a year at 12 %, 1,000 of it left as a deposit: 10,200 is paid at the end for 9,000.
    year = schedule_of(schedule_terms(replace(LOAN, principal_fen=1_000_000, method="bullet"), 12, 1, START))
    assert financed_cost_pct(year, deposit_fen=100_000) == "13.333334"


def test_a_deposit_of_all_that_is_lent_has_no_bound() -> None:
    assert not cost(LOAN, deposit_fen=1_200_000).is_finite()
    assert not cost(replace(LOAN, upfront_fee_fen=1_200_000)).is_finite()


def test_the_rate_of_an_instalment_has_no_more_decimals_than_it_takes() -> None:
    assert with_rate_of(LOAN, 1, 12, START, 106_600).annual_rate_pct == "11.967"
    assert schedule_of(schedule_terms(replace(LOAN, annual_rate_pct="11.967"), 1, 12, START)).rows[0].total_fen == 106_600
    stepped = replace(LOAN, method="stepped", weights=("2", *["1"] * 11))
    rows = schedule_of(schedule_terms(with_rate_of(stepped, 1, 12, START, 98_000), 1, 12, START)).rows
    assert [row.total_fen for row in rows[:3]] == [196_000, 98_000, 98_000]


@pytest.mark.parametrize(
    ("financing", "instalment_fen", "pointer"),
    [
        (LOAN, 99_999, "/instalment_fen"),
        (replace(LOAN, method="flat"), 110_000, "/solve"),
        (replace(LOAN, instalment_multiple_fen=100), 106_650, "/instalment_fen"),
    ],
)
def test_an_instalment_no_rate_gives_is_refused(financing: Financing, instalment_fen: int, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        with_rate_of(financing, 1, 12, START, instalment_fen)
    assert refused.value.errors[0].pointer == pointer


def test_all_in_cost_disclosure_names_every_item_of_a_lease_with_who_when_and_how_much() -> None:
    table = cost_table(LEASE, START)
    amounts = {line.code: line.amount_fen for line in table.lines}
    assert amounts == {
        "instalments": sum(row.total_fen for row in table.instalments),
        "principal": 11_800_000,
        "interest": sum(row.interest_fen or 0 for row in table.instalments),
        "upfront_fee": 50_000,
        "balloon": 3_000_000,
        "down_payment": 3_000_000,
        "deposit": 1_000_000,
        "buyout": 10_000,
        "subsidy": 0,
        "late_fee": None,
        "early_settlement": None,
    }
    for line in table.lines:
        assert all((line.what_zh, line.what_en, line.who_zh, line.who_en, line.when_zh, line.when_en))
        assert all((line.how_much_zh, line.how_much_en))
    words = {line.code: line.how_much_zh for line in table.lines}
    assert words["late_fee"] == "欠付租金的 0.03%／日；年化不超过 4 倍 LPR（12%），累计不超过当期的 30%"
    assert words["early_settlement"] == "剩余本金与计至结清日的利息，另收 2,000.00 元"
    assert (table.annual_rate_pct, table.commencement_on) == ("6.5", START)
    assert Decimal(table.annual_cost_pct or 0) > Decimal("6.5")


def test_a_rental_s_table_has_its_rents_unsplit_and_the_cost_that_was_agreed() -> None:
    rental = replace(LEASE, financing=None, period_count=3, rent_fen=39_900, annual_cost_pct="14.141558")
    table = cost_table(rental, date(2026, 1, 31))
    assert [(str(row.due_on), row.total_fen, row.principal_fen) for row in table.instalments] == [
        ("2026-01-31", 39_900, None),
        ("2026-02-28", 39_900, None),
        ("2026-03-31", 39_900, None),
    ]
    assert (table.annual_rate_pct, table.annual_cost_pct) == (None, "14.141558")
    assert {line.code: line.amount_fen for line in table.lines} == {
        "instalments": 119_700,
        "deposit": 0,
        "buyout": 10_000,
        "late_fee": None,
        "early_settlement": None,
    }
