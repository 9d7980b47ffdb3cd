"""The pure types: what they refuse and what they promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import RFC_4122, UUID

import pytest

from xinzu.kernel.errors import Invalid, InvariantBroken, NotFound, invariant
from xinzu.kernel.events import Event, event
from xinzu.kernel.ids import Prefix, new_id, new_ids, parse_id
from xinzu.kernel.money import Money, Rounding
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.paging import decode_cursor, encode_cursor, page_of
from xinzu.kernel.states import IllegalMove, Transitions
from xinzu.kernel.time import SHANGHAI, BusinessCalendar, FixedClock, as_utc


def test_money_is_never_a_float_nor_a_bool() -> None:
    for wrong in (1.5, True, "1", Decimal(1)):
        with pytest.raises(TypeError):
            Money(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(100).times(1.13, Rounding.HALF_UP)  # type: ignore[arg-type]


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot mix"):
        Money(1) + Money(1, "USD")


def test_money_reads_as_a_person_writes_it() -> None:
    assert str(Money(123456789)) == "¥1,234,567.89"
    assert str(Money(-5)) == "-¥0.05"


def test_a_naive_time_is_not_an_instant() -> None:
    with pytest.raises(ValueError, match="naive"):
        as_utc(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_business_date_turns_at_the_tenants_cut_off() -> None:
    night = BusinessCalendar(SHANGHAI, time(2, 0))
    half_past_one = datetime(2026, 3, 1, 17, 30, tzinfo=UTC)  # 01:30 on the 2nd in Shanghai
    assert night.business_date(half_past_one) == date(2026, 3, 1)
    assert BusinessCalendar().business_date(half_past_one) == date(2026, 3, 2)
    assert night.business_date(night.opening(date(2026, 3, 2))) == date(2026, 3, 2)
    assert night.business_date(night.opening(date(2026, 3, 2)) - timedelta(microseconds=1)) == date(2026, 3, 1)


def test_a_fixed_clock_stands_still_until_moved() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    before = clock.now()
    clock.advance(timedelta(days=1))
    assert clock.now() - before == timedelta(days=1)


def test_ids_are_version_7_and_grow() -> None:
    ids = [*(new_id() for _ in range(5000)), *new_ids(5000), new_id(), *new_ids(1)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(value.version, value.variant) for value in ids} == {(7, RFC_4122)}
    assert [UUID(str(value)) for value in ids] == ids
    assert new_ids(0) == []


@pytest.mark.parametrize(
    "text", ["", "agr_", "app_00000000000000000000000001", "agr_8zzzzzzzzzzzzzzzzzzzzzzzzz", "agr_0000000000000000000000000U"]
)
def test_a_wrong_public_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an id like agr_"):
        parse_id(Prefix.AGREEMENT, text)


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    WALLED = "walled"


DOORS = Transitions("door", {Door.OPEN: {Door.SHUT}, Door.SHUT: {Door.OPEN, Door.WALLED}, Door.WALLED: set()})


def test_only_listed_moves_are_made() -> None:
    assert DOORS.move(Door.OPEN, Door.SHUT) is Door.SHUT
    assert DOORS.sources(Door.OPEN) == [Door.SHUT]
    with pytest.raises(IllegalMove) as refused:
        DOORS.move(Door.WALLED, Door.OPEN)
    assert refused.value.extras == {"current": "walled", "target": "open"}


def test_a_state_without_a_row_is_a_defect() -> None:
    with pytest.raises(ValueError, match="states without a row"):
        Transitions("door", {Door.OPEN: {Door.SHUT}})


def test_pages_are_cut_with_a_cursor() -> None:
    ids = [UUID(int=n) for n in range(5)]
    page = page_of(ids, 4, lambda value: value)
    assert list(page.items) == ids[:4]
    assert decode_cursor(page.next_cursor) == ids[3]
    assert page_of(ids, 5, lambda value: value).next_cursor is None
    assert decode_cursor(encode_cursor(ids[2])) == ids[2]
    with pytest.raises(Invalid):
        decode_cursor("not a cursor")


def test_an_outcome_is_a_value_or_raises_its_problem() -> None:
    assert accepted(5) == 5
    with pytest.raises(NotFound):
        accepted(NotFound())


def test_invariants_survive_optimisation() -> None:
    invariant(True, "fine")
    with pytest.raises(InvariantBroken, match="sum"):
        invariant(False, "the sum of parts equals the whole")


def test_an_event_type_is_declared_once_and_well_formed() -> None:
    with pytest.raises(ValueError, match=r"xinzu\.<module>"):

        @event("somewhere.else")
        @dataclass(frozen=True, kw_only=True)
        class Wrong(Event):
            pass
