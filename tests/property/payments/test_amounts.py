"""Whatever is asked for: no mandate is overdrawn, no fen is lost, nothing is asked for twice."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.payments.model import Demand
from xinzu.back.payments.rules.limits import within_rest
from xinzu.back.payments.rules.refunds import split_refund
from xinzu.back.payments.rules.retries import shortfalls

mandates = st.integers(1, 3).map(lambda number: UUID(int=number))
amounts_fen = st.integers(0, 10**12)


@given(st.lists(st.tuples(mandates, amounts_fen)), st.lists(st.integers(-1000, 10**12), min_size=3, max_size=3))
def test_grants_never_exceed_the_wish_nor_the_rest(wishes: list[tuple[UUID, int]], rests: list[int]) -> None:
    rest_fen = {UUID(int=number): rest for number, rest in enumerate(rests, 1)}
    granted = within_rest(wishes, rest_fen)
    assert all(0 <= grant <= wish for grant, (_, wish) in zip(granted, wishes, strict=True))
    for mandate_id, rest in rest_fen.items():
        taken = sum(grant for grant, (wished, _) in zip(granted, wishes, strict=True) if wished == mandate_id)
        assert taken <= max(0, rest)
        wanted = sum(wish for wished, wish in wishes if wished == mandate_id)
        assert taken == min(wanted, max(0, rest))


@given(st.lists(amounts_fen, max_size=20), amounts_fen)
def test_refund_parts_sum_to_the_amount_or_to_all_there_is(refundable: list[int], amount_fen: int) -> None:
    parts = split_refund([(UUID(int=number), fen) for number, fen in enumerate(refundable)], amount_fen)
    assert sum(fen for _, fen in parts) == min(amount_fen, sum(refundable))
    assert all(0 < fen <= refundable[id_.int] for id_, fen in parts)


demands = st.lists(
    st.tuples(st.integers(0, 400), amounts_fen, amounts_fen).map(
        lambda item: (date(2026, 1, 1) + timedelta(days=item[0]), item[1], item[2])
    ),
    max_size=12,
).map(lambda items: [Demand(UUID(int=number), *item) for number, item in enumerate(items)])


@given(demands, amounts_fen)
def test_what_is_missing_and_what_was_paid_is_what_was_asked(due: list[Demand], arrears_fen: int) -> None:
    missing = shortfalls(due, arrears_fen)
    open_fen = sum(max(0, demand.asked_fen - demand.collected_fen) for demand in due)
    assert sum(missing.values()) == max(0, open_fen - arrears_fen)
    assert all(0 <= missing[demand.instalment_id] <= demand.asked_fen for demand in due)


@given(demands, amounts_fen, amounts_fen)
def test_paying_more_never_raises_a_demand(due: list[Demand], less_fen: int, more_fen: int) -> None:
    less_fen, more_fen = sorted((less_fen, more_fen))
    before, after = shortfalls(due, less_fen), shortfalls(due, more_fen)
    assert all(after[id_] <= before[id_] for id_ in before)
