"""The cost found is the rate at which the flows are worth the device; dearer terms cost more."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import assume, given
from hypothesis import strategies as st

from xinzu.front.catalogue.rules.annual_cost import annual_cost, periodic_rate

DEVICES = st.integers(10_000, 3_000_000)
COUNTS = st.integers(1, 36)


# Flows as per mille of the device value: together a third to three times of it, the first rent well below it.
@given(DEVICES, st.integers(200, 2_000), st.integers(150, 1_000), st.integers(3, 36))
def test_at_the_rate_found_the_flows_are_worth_the_device(device: int, rents: int, end_share: int, count: int) -> None:
    rent, end = device * rents // 1000 // count, device * end_share // 1000
    with localcontext(prec=50):
        rate = periodic_rate(device, rent, count, end)
        worth = sum(rent / (1 + rate) ** n for n in range(count)) + end / (1 + rate) ** count
        assert abs(worth - device) < Decimal("0.000001") * device


@given(DEVICES, st.integers(1_000, 100_000), COUNTS, st.integers(0, 500_000), st.integers(1, 10_000))
def test_a_higher_rent_never_costs_less(device: int, rent: int, count: int, residual: int, more: int) -> None:
    assume(rent + more < device)

    def cost(rent_fen: int) -> Decimal:
        return annual_cost(
            device_value_fen=device,
            rent_fen=rent_fen,
            period_count=count,
            period_months=1,
            residual_value_fen=residual,
            buyout_fen=None,
        ).nominal_pct

    assert cost(rent + more) >= cost(rent)
