"""Money keeps its sum whatever is done to it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.money import Money, from_yuan, split_fen, to_yuan
from xinzu.kernel.time import add_months

fens = st.integers(-(10**15), 10**15)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=60).filter(any)


@given(fens, weights)
def test_the_parts_of_a_split_sum_to_the_whole_and_stay_close(total_fen: int, by: list[int]) -> None:
    parts = split_fen(total_fen, by)
    assert sum(parts) == total_fen
    for part, weight in zip(parts, by, strict=True):
        assert abs(part * sum(by) - total_fen * weight) < sum(by)


@given(fens)
def test_yuan_and_back_loses_nothing(amount_fen: int) -> None:
    assert from_yuan(to_yuan(amount_fen)) == amount_fen


@given(fens, fens)
def test_adding_and_taking_away_cancel(left: int, right: int) -> None:
    assert Money(left) + Money(right) - Money(right) == Money(left)


@given(st.uuids(), st.sampled_from(list(Prefix)))
def test_a_public_id_leads_back_to_its_uuid(value: UUID, prefix: Prefix) -> None:
    assert parse_id(prefix, public_id(prefix, value)) == value


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-240, 240))
def test_months_keep_the_anchor_day_or_the_months_last(anchor: date, months: int) -> None:
    there = add_months(anchor, months)
    assert (there.year * 12 + there.month) - (anchor.year * 12 + anchor.month) == months
    assert there.day == anchor.day or (there.day < anchor.day and there.day >= 28)
