"""What holds for the accounting rules whatever the values."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.rules.asset_class import (
    LEASING_PRACTICE,
    MEASURES_2023,
    SEVERITY,
    AssetFacts,
    classify_asset,
)
from xinzu.back.billing.rules.effective_interest import FinanceLease, earned_fen, net_investment, straight_line_fen, unbilled_fen
from xinzu.back.billing.rules.provision import FLOOR_BP, Bucket, Exposure, provision_matrix, provisions_of
from xinzu.back.billing.rules.splits import Share, split_back, split_settlement
from xinzu.back.billing.rules.vat import vat_fen, vat_of_growth_fen

amounts = st.integers(0, 10**15)
dates = st.dates(date(2020, 1, 1), date(2040, 12, 31))
days = st.integers(0, 2_000)
rates = st.sampled_from([0, 3, 6, 9, 13])


@given(amounts, dates, st.integers(0, 400), st.data())
def test_what_is_earned_never_falls_and_ends_exactly_at_the_leg(leg: int, start: date, length: int, data: st.DataObject) -> None:
    end = start + timedelta(days=length)
    on = start + timedelta(days=data.draw(st.integers(-5, length + 5)))
    today, tomorrow = (earned_fen(leg, start, end, day) for day in (on, on + timedelta(days=1)))
    assert 0 <= today <= tomorrow <= leg
    assert (today == 0) if on < start else True
    assert (today == leg) if on >= end else True


@given(amounts, dates, st.integers(1, 120))
def test_daily_income_sums_to_the_leg(leg: int, start: date, length: int) -> None:
    end = start + timedelta(days=length - 1)
    daily = [
        earned_fen(leg, start, end, start + timedelta(days=n)) - earned_fen(leg, start, end, start + timedelta(days=n - 1))
        for n in range(length)
    ]
    assert sum(daily) == leg
    assert max(daily) - min(daily) <= 1


@given(dates, st.integers(1, 900), st.data())
def test_straight_line_sums_to_the_rents_and_leaves_nothing_unbilled(start: date, length: int, data: st.DataObject) -> None:
    end = start + timedelta(days=length - 1)
    rents = [
        (start + timedelta(days=data.draw(st.integers(0, length - 1))), data.draw(amounts))
        for _ in range(data.draw(st.integers(0, 8)))
    ]
    assert straight_line_fen(rents, start, end, end) == sum(fen for _, fen in rents)
    assert unbilled_fen(rents, start, end, end) == 0


@st.composite
def leases(draw: st.DrawFn) -> FinanceLease:
    start = draw(dates)
    term = draw(st.integers(1, 2_000))
    payments = tuple(
        (start + timedelta(days=draw(st.integers(0, term))), draw(st.integers(0, 10**9))) for _ in range(draw(st.integers(1, 24)))
    )
    residuals = draw(st.integers(0, 10**8)), draw(st.integers(1, 10**8))
    at_once = sum(fen for on, fen in payments if on == start)
    in_all = sum(fen for _, fen in payments) + sum(residuals)
    invested = draw(st.integers(at_once + max((in_all - at_once) // 4, 1), in_all))
    costs = draw(st.integers(0, invested))
    return FinanceLease(
        commenced_on=start,
        end_on=start + timedelta(days=term),
        payments=payments,
        fair_value_fen=invested - costs,
        initial_direct_costs_fen=costs,
        guaranteed_residual_fen=residuals[0],
        unguaranteed_residual_fen=residuals[1],
    )


@given(leases())
def test_a_finance_lease_earns_exactly_what_it_brings_beyond_the_investment(lease: FinanceLease) -> None:
    invested = net_investment(lease)
    periods = invested.periods
    assert invested.gross_fen == invested.net_fen + invested.unearned_income_fen
    assert sum(each.income_fen for each in periods) == invested.unearned_income_fen
    assert sum(each.received_fen for each in periods) == invested.gross_fen
    assert (periods[0].opening_fen, periods[-1].closing_fen) == (invested.net_fen, 0)
    assert all(each.income_fen >= 0 and each.closing_fen >= 0 for each in periods)
    assert all(later.opening_fen == earlier.closing_fen for earlier, later in pairwise(periods))


@given(leases())
def test_at_the_implicit_rate_the_receipts_are_worth_the_investment(lease: FinanceLease) -> None:
    invested = net_investment(lease)
    with localcontext(prec=60):
        worth = Decimal(0)
        for each in invested.periods:
            days_to_come = (each.to_on - lease.commenced_on).days + 1
            worth += each.received_fen / (1 + invested.daily_rate) ** days_to_come
        assert abs(worth - invested.net_fen) < 10**-15


@given(st.lists(amounts, max_size=20), rates)
def test_vat_of_growth_sums_to_the_vat_of_the_whole(steps: list[int], rate: int) -> None:
    total, tax = 0, 0
    for step in steps:
        grown = vat_of_growth_fen(total, total + step, rate)
        assert 0 <= grown <= step
        total, tax = total + step, tax + grown
    assert tax == vat_fen(total, rate)


facts = st.fixed_dictionaries(
    {
        "stands": st.sampled_from(AssetClass),
        "is_cured": st.booleans(),
        "is_refinanced": st.booleans(),
        "is_restructured": st.booleans(),
        "restructured_count": st.integers(0, 3),
        "impaired_loss_pct": st.none() | st.integers(0, 100),
        "evades_debt": st.booleans(),
        "is_bankrupt": st.booleans(),
    }
)


@given(days, days, facts, st.sampled_from([MEASURES_2023, LEASING_PRACTICE]))
def test_the_class_never_gets_better_as_days_pass(first: int, second: int, known: dict[str, int], lines: object) -> None:
    fewer, more = sorted((first, second))
    classes = [classify_asset(AssetFacts(days_past_due=each, **known), lines).asset_class for each in (fewer, more)]  # type: ignore[arg-type]
    assert SEVERITY[classes[0]] <= SEVERITY[classes[1]]


@given(amounts, st.sampled_from(AssetClass), st.sampled_from(AssetClass), days, days, amounts)
def test_a_provision_rises_with_the_class_and_the_days_and_never_exceeds_what_is_owed(
    owed: int, one: AssetClass, other: AssetClass, first: int, second: int, stands: int
) -> None:
    own = provision_matrix("own", FLOOR_BP, [Bucket(0, 100), Bucket(8, 300), Bucket(61, 2_600), Bucket(181, 10_000)])
    milder, graver = sorted((one, other), key=SEVERITY.__getitem__)
    better, worse = provisions_of(
        [
            Exposure(UUID(int=1), owed, milder, min(first, second), stands),
            Exposure(UUID(int=2), owed, graver, max(first, second), stands),
        ],
        own,
    )
    assert 0 <= better.required_fen <= worse.required_fen <= owed
    assert better.change_fen == better.required_fen - stands
    assert better.required_fen * 10_000 >= owed * FLOOR_BP[milder]


@st.composite
def shares(draw: st.DrawFn) -> list[Share]:
    left, made = 10_000, []
    for number in range(draw(st.integers(0, 6))):
        share_bp = draw(st.integers(0, left))
        left -= share_bp
        floor = draw(st.integers(0, 10**4))
        cap = draw(st.none() | st.integers(floor, 10**6))
        made.append(Share(UUID(int=number + 1), share_bp, floor, cap))
    return made


@given(st.integers(0, 10**12), shares(), st.data())
def test_a_split_conserves_fen_and_so_does_its_refund(amount: int, agreed: list[Share], data: st.DataObject) -> None:
    limit = data.draw(st.integers(sum(share.share_bp for share in agreed), 10_000))
    split = split_settlement(amount, agreed, at_most_bp=limit)
    assert sum(split.parts_fen) + split.rest_fen == amount
    assert min((*split.parts_fen, split.rest_fen)) >= 0
    assert sum(split.parts_fen) * 10_000 <= amount * limit
    assert all(share.cap_fen is None or part <= share.cap_fen for share, part in zip(agreed, split.parts_fen, strict=True))
    assert split == split_settlement(amount, agreed, at_most_bp=limit)
    back = split_back(data.draw(st.integers(0, amount)), split)
    assert all(0 <= taken <= given_ for taken, given_ in zip(back.parts_fen, split.parts_fen, strict=True))
    assert 0 <= back.rest_fen <= split.rest_fen
