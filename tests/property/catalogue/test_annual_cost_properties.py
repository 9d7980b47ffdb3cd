"""The cost shown is the rate at which the flows are worth what was received, never understated; dearer terms cost more."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_UP, Decimal, localcontext

from hypothesis import assume, given
from hypothesis import strategies as st

from xinzu.back.billing.api import financed_cost_pct, rental_cost_pct, schedule_of, schedule_terms
from xinzu.kernel.terms import Family, Financing
from xinzu.kernel.time import add_months

DEVICES = st.integers(10_000, 3_000_000)
COUNTS = st.integers(1, 36)
DATES = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def exact_cost_pct(device_fen: int, rent_fen: int, count: int, months: int, end_fen: int) -> Decimal:
    """The effective annual rate in 40 digits, by bisection of the rate per period: an answer of its own."""
    with localcontext(prec=40):
        low, high = Decimal("-0.999999"), Decimal(1_000_000)
        while high - low > Decimal("1e-24") * max(Decimal(1), abs(high)):
            rate = (low + high) / 2
            discount = (1 + rate) ** -count
            annuity = Decimal(count) if rate == 0 else (1 - discount) / rate * (1 + rate)
            low, high = (rate, high) if rent_fen * annuity + end_fen * discount > device_fen else (low, rate)
        return ((1 + low) ** (Decimal(12) / months) - 1) * 100


# Flows as per mille of the device value: together a third to three times of it, the first rent well below it.
@given(DEVICES, st.integers(200, 2_000), st.integers(150, 1_000), st.integers(3, 36), st.sampled_from((1, 2, 3, 6, 12)))
def test_a_rental_shows_the_exact_rate_rounded_away_from_zero(
    device: int, rents: int, end_share: int, count: int, months: int
) -> None:
    rent, end = device * rents // 1000 // count, device * end_share // 1000
    exact = exact_cost_pct(device, rent, count, months, end)
    assume(exact < 100_000)
    shown = rental_cost_pct(device, rent, count, months, end)
    assert shown is not None
    with localcontext(prec=40):
        settled = exact.quantize(Decimal("1e-12"))
        assert Decimal(shown) == settled.quantize(Decimal("1e-6"), rounding=ROUND_UP)


@given(DEVICES, st.integers(1_000, 100_000), COUNTS, st.integers(0, 500_000), st.integers(1, 10_000))
def test_a_higher_rent_never_costs_less(device: int, rent: int, count: int, residual: int, more: int) -> None:
    assume(rent + more < device)

    def cost(rent_fen: int) -> Decimal:
        return Decimal(rental_cost_pct(device, rent_fen, count, 1, residual) or "Infinity")

    assert cost(rent + more) >= cost(rent)


@given(
    start_on=DATES,
    principal=st.integers(100_000, 30_000_000),
    rate=st.decimals(0, 30, places=2),
    count=st.integers(2, 36),
    timing=st.sampled_from(("arrears", "advance")),
    fee_share=st.integers(0, 50),
    deposit_share=st.integers(0, 300),
    buyout_share=st.integers(0, 100),
)
def test_at_the_cost_of_a_financing_what_is_paid_is_worth_what_is_received(
    start_on: date,
    principal: int,
    rate: Decimal,
    count: int,
    timing: str,
    fee_share: int,
    deposit_share: int,
    buyout_share: int,
) -> None:
    fee, deposit, buyout = (principal * share // 1000 for share in (fee_share, deposit_share, buyout_share))
    lease = Financing(
        family=Family.FINANCE_LEASE,
        principal_fen=principal,
        annual_rate_pct=str(rate),
        timing=timing,
        upfront_fee_fen=fee,
    )
    schedule = schedule_of(schedule_terms(lease, 1, count, start_on))
    first = schedule.rows[0].total_fen if timing == "advance" else fee
    assume(principal - first - deposit > principal // 10)
    # What costs nothing but ties up a deposit is worth nothing at two rates: it has no cost to show.
    assume(schedule.fee_fen + sum(row.interest_fen for row in schedule.rows) > 0)
    shown = financed_cost_pct(schedule, deposit_fen=deposit, buyout_fen=buyout)
    assert shown is not None
    cost = Decimal(shown)
    assert cost >= 0
    end_on = add_months(start_on, count)
    with localcontext(prec=40):

        def discounted(fen: int, on: date) -> Decimal:
            return fen / (1 + cost / 100) ** (Decimal((on - start_on).days) / 365)

        repaid = sum(discounted(row.principal_fen + row.interest_fen, row.due_on) for row in schedule.rows)
        worth = fee + deposit + repaid + discounted(buyout - deposit, end_on)
    assert abs(worth - principal) <= Decimal("1e-7") * principal
