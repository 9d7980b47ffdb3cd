"""What a quote shows of a financing adds up: principal to what is financed, the first instalment and the total to the engine's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.billing.api import cost_table, schedule_of, schedule_terms, with_rate_of
from xinzu.kernel.terms import AgreementTerms, Family, Financing

DATES = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@st.composite
def financings(draw: st.DrawFn) -> tuple[Financing, int, int]:
    """A financing with months per period and number of periods."""
    months, count = draw(st.sampled_from((1, 1, 3))), draw(st.integers(2, 48))
    principal = draw(st.integers(50_000, 50_000_000))
    method = draw(st.sampled_from(("equal_instalment", "equal_principal", "balloon", "flat", "interest_only", "stepped")))
    may_have_balloon = method in ("equal_instalment", "equal_principal", "balloon", "stepped")
    return (
        Financing(
            family=draw(st.sampled_from((Family.FINANCE_LEASE, Family.LOAN))),
            principal_fen=principal,
            annual_rate_pct=str(draw(st.decimals(0, 24, places=4))),
            method=method,
            timing=draw(st.sampled_from(("arrears", "advance"))),
            day_count=draw(st.sampled_from(("30/360", "actual/365", "period"))),
            balloon_fen=draw(st.integers(0, principal // 2)) if may_have_balloon else 0,
            weights=tuple(str(draw(st.integers(1, 3))) for _ in range(count)) if method == "stepped" else (),
            upfront_fee_fen=draw(st.integers(0, principal // 20)),
            subsidy_fen=draw(st.integers(0, principal // 10)) if method != "interest_only" else 0,
        ),
        months,
        count,
    )


def terms_of(financing: Financing, months: int, count: int) -> AgreementTerms:
    is_loan = financing.family is Family.LOAN
    return AgreementTerms(
        product_id=UUID(int=1),
        plan_id=UUID(int=2),
        product_name="融资",
        period_months=months,
        period_count=count,
        rent_fen=1,
        deposit_fen=0,
        device_value_fen=0 if is_loan else financing.principal_fen,
        buyout_fen=None,
        early_return_fee_fen=0,
        late_fee_daily_rate="0.0003",
        grace_days=3,
        restriction_clause_version="none",
        annual_cost_pct=None,
        financing=financing,
    )


@given(financings(), DATES)
def test_the_table_repays_what_is_financed_and_is_the_engine_s(case: tuple[Financing, int, int], on: date) -> None:
    financing, months, count = case
    table = cost_table(terms_of(financing, months, count), on)
    schedule = schedule_of(schedule_terms(financing, months, count, on))
    amounts = {line.code: line.amount_fen for line in table.lines}
    assert sum(row.principal_fen or 0 for row in table.instalments) == financing.principal_fen - financing.subsidy_fen
    assert [(row.due_on, row.total_fen) for row in table.instalments] == [(row.due_on, row.total_fen) for row in schedule.rows]
    assert table.instalments[-1].balance_fen == 0
    parts = [amounts["principal"], amounts["interest"], amounts.get("upfront_fee", 0)]
    assert amounts["instalments"] == sum(part or 0 for part in parts) == sum(row.total_fen for row in table.instalments)
    assert amounts.get("balloon", 0) == financing.balloon_fen


@given(st.integers(100_000, 30_000_000), st.integers(100, 2_400), st.integers(2, 48), DATES)
def test_the_solved_rate_gives_the_wanted_instalment_again(principal: int, rate_bp: int, count: int, on: date) -> None:
    loan = Financing(
        family=Family.LOAN, principal_fen=principal, annual_rate_pct=str(Decimal(rate_bp) / 100), day_count="actual/365"
    )
    wanted = schedule_of(schedule_terms(loan, 1, count, on)).rows[0].total_fen
    solved = with_rate_of(replace(loan, annual_rate_pct="0"), 1, count, on, wanted)
    rows = schedule_of(schedule_terms(solved, 1, count, on)).rows
    assert {row.total_fen for row in rows[:-1]} == {wanted}
    assert len(solved.annual_rate_pct.rpartition(".")[2]) <= 20
