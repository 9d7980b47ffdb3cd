"""A terminated finance lease whose thing is valued or sold later: what it is worth is set against what is still owed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import ValidationError
from tests.integration.billing.conftest import Rental, only
from tests.integration.billing.test_amendments import MakeRental, amend, begun, defaulted, live, preview
from tests.integration.billing.test_three_families import lease, transfer

from xinzu.back.billing.errors import ValueNotAwaited
from xinzu.back.billing.events import SettlementDetermined
from xinzu.kernel.errors import Invalid


async def terminated(another_rental: MakeRental) -> tuple[Rental, int]:
    """A truck is taken back for default; nobody knows yet what it is worth."""
    lessee, demand = await defaulted(another_rental)
    made, _ = await amend(lessee, "termination", demand=demand, costs_fen=80_000)
    assert (made.surplus_fen, made.shortfall_fen) == (0, 0)
    assert (await lessee.account()).state == "open", "until the value is known the account waits for it"
    return lessee, made.balance_due_fen


async def test_civil_code_art_758_what_the_thing_turns_out_to_be_worth_beyond_the_debt_is_the_lessees(
    another_rental: MakeRental,
) -> None:
    lessee, owed_fen = await terminated(another_rental)
    await live(lessee, lessee.today + timedelta(days=20), pays=False)
    owed_fen = (await lessee.account()).balance_due_fen  # late fees have run on
    made, said = await amend(lessee, "recovered_value", value_fen=owed_fen + 150_000, basis="valuation", value_ref="评估 11")
    assert (made.surplus_fen, made.shortfall_fen, made.balance_due_fen) == (150_000, 0, 0)
    [final] = only(SettlementDetermined, said)
    assert final.credit_balance_fen == 150_000
    left = await lessee.balances()
    assert (left["1461"], left["2203"]) == (owed_fen + 150_000, 150_000)
    assert {code for code in ("1531", "1532", "222110", "1122") if code in left} == set()
    with pytest.raises(ValueNotAwaited):
        await preview(lessee, "recovered_value", value_fen=1, basis="valuation", value_ref="评估 12")


async def test_civil_code_art_758_sold_for_less_the_shortfall_is_still_owed(another_rental: MakeRental) -> None:
    lessee, owed_fen = await terminated(another_rental)
    made, _ = await amend(lessee, "recovered_value", value_fen=owed_fen - 70_000, basis="sale", value_ref="银行流水 7781")
    assert (made.surplus_fen, made.shortfall_fen, made.balance_due_fen) == (0, 70_000, 70_000)
    left = await lessee.balances()
    assert "1461" not in left, "what was sold is money, no thing"
    assert left["1122"] == 70_000
    await transfer(lessee, "shortfall", 70_000)
    assert (await lessee.account()).state == "settled"


async def test_civil_code_art_758_a_lessee_who_has_paid_all_meanwhile_is_due_the_whole_value(another_rental: MakeRental) -> None:
    lessee, owed_fen = await terminated(another_rental)
    await transfer(lessee, "all of it", owed_fen)
    made, said = await amend(lessee, "recovered_value", value_fen=5_000_000, basis="valuation", value_ref="评估 11")
    assert (made.surplus_fen, made.credit_balance_fen) == (5_000_000, 5_000_000)
    assert only(SettlementDetermined, said)[-1].credit_balance_fen == 5_000_000


async def test_value_is_set_against_nothing_but_a_terminated_lease(another_rental: MakeRental) -> None:
    running = await begun(lease(another_rental))
    with pytest.raises(ValueNotAwaited):
        await preview(running, "recovered_value", value_fen=100, basis="valuation", value_ref="评估 11")
    lessee, demand = await defaulted(another_rental)
    await amend(lessee, "termination", demand=demand, recovered_value_fen=7_000_000, valuation_ref="评估 4")
    with pytest.raises(ValueNotAwaited):
        await preview(lessee, "recovered_value", value_fen=100, basis="valuation", value_ref="评估 11")


async def test_a_value_needs_its_proof_and_counts_from_today_at_the_earliest(another_rental: MakeRental) -> None:
    waiting, _ = await terminated(another_rental)
    yesterday = waiting.today - timedelta(days=1)
    with pytest.raises(Invalid, match="on must not be before"):
        await preview(waiting, "recovered_value", value_fen=100, basis="sale", value_ref="银行流水 1", on=yesterday)
    with pytest.raises(ValidationError, match="value_ref"):
        await preview(waiting, "recovered_value", value_fen=100, basis="sale", value_ref=" ")
