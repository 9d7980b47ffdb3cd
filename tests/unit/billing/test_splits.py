"""Splits of a settlement among partners, by example."""

from __future__ import annotations

from uuid import UUID

import pytest

from xinzu.back.billing.rules.splits import Share, Split, check_shares, split_back, split_settlement
from xinzu.kernel.errors import Invalid


def share(number: int, share_bp: int, floor_fen: int = 0, cap_fen: int | None = None) -> Share:
    return Share(UUID(int=number), share_bp, floor_fen, cap_fen)


def test_what_is_not_shared_stays_with_the_merchant() -> None:
    assert split_settlement(29_900, []) == Split((), 29_900)
    assert split_settlement(29_900, [share(1, 10_000)]) == Split((29_900,), 0)


def test_an_odd_fen_goes_to_the_largest_remainder_and_a_tie_to_the_first() -> None:
    assert split_settlement(101, [share(1, 5_000), share(2, 5_000)]) == Split((51, 50), 0)
    assert split_settlement(10, [share(1, 3_333), share(2, 3_333)]) == Split((3, 3), 4)


def test_a_cap_gives_back_to_the_merchant_and_a_floor_takes_from_it() -> None:
    assert split_settlement(100_000, [share(1, 5_000, cap_fen=20_000)]) == Split((20_000,), 80_000)
    assert split_settlement(100_000, [share(1, 100, floor_fen=5_000)]) == Split((5_000,), 95_000)


def test_floors_that_exceed_the_amount_are_met_in_the_order_of_the_shares() -> None:
    assert split_settlement(100, [share(1, 0, floor_fen=70), share(2, 0, floor_fen=70)]) == Split((70, 30), 0)


def test_a_channel_s_limit_holds_for_floors_and_odd_fen_too() -> None:
    assert split_settlement(100, [share(1, 1_000, floor_fen=90)], at_most_bp=3_000) == Split((30,), 70)
    assert sum(split_settlement(9, [share(1, 1_500), share(2, 1_500)], at_most_bp=3_000).parts_fen) <= 2


def test_a_refund_takes_back_from_each_what_it_was_given() -> None:
    given = split_settlement(29_900, [share(1, 500), share(2, 7_000)])
    assert split_back(29_900, given) == given
    assert split_back(0, given) == Split((0, 0), 0)
    with pytest.raises(ValueError, match="between zero"):
        split_back(29_901, given)


@pytest.mark.parametrize(
    ("shares", "pointer"),
    [
        ([share(1, 6_000), share(2, 4_001)], "/shares"),
        ([share(1, -1)], "/shares/0"),
        ([share(1, 1, floor_fen=-1)], "/shares/0"),
        ([share(1, 1, floor_fen=2, cap_fen=1)], "/shares/0/cap_fen"),
        ([share(1, 1), share(1, 1)], "/shares/1/partner_id"),
    ],
)
def test_shares_that_cannot_be_are_refused_by_name(shares: list[Share], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_shares(shares)
    assert refused.value.errors[0].pointer == pointer


def test_a_settlement_below_zero_is_a_refund() -> None:
    with pytest.raises(ValueError, match="split_back"):
        split_settlement(-1, [])
