"""GB/T 45251-2025 as code: when, how often and whom a collector may contact. Nothing a tenant sets can loosen it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from xinzu.back.collections.errors import PolicyWeakerThanLaw
from xinzu.back.collections.model import CONTACTS, FLOOR, Case, LadderPolicy, Step
from xinzu.back.collections.rules.contact_limits import next_contact_at, next_restriction_at
from xinzu.back.collections.rules.policy import merge
from xinzu.back.devices.rules.guards import is_within_hours
from xinzu.kernel.time import SHANGHAI


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def next_at(now: datetime, contacts_today: int = 0, policy: LadderPolicy = FLOOR) -> datetime:
    return next_contact_at(now, SHANGHAI, contacts_today, policy)


@pytest.mark.parametrize(("hour", "minute"), [(22, 0), (23, 30), (0, 0), (3, 0), (7, 59), (21, 0), (21, 59)])
def test_gbt_45251_no_contact_at_night(hour: int, minute: int) -> None:
    opening = next_at(at(hour, minute))
    assert opening > at(hour, minute)
    assert opening.astimezone(SHANGHAI).hour == 8


@pytest.mark.parametrize(("hour", "minute"), [(8, 0), (12, 0), (20, 59)])
def test_gbt_45251_contact_by_day_is_made_at_once(hour: int, minute: int) -> None:
    assert next_at(at(hour, minute)) == at(hour, minute)


def test_gbt_45251_evening_waits_for_the_next_morning() -> None:
    assert next_at(at(21, 30)) == at(8, day=3)
    assert next_at(at(0, 5)) == at(8)


def test_gbt_45251_at_most_three_contacts_per_debtor_and_day() -> None:
    assert next_at(at(10), contacts_today=2) == at(10)
    assert next_at(at(10), contacts_today=3) == at(8, day=3)
    assert next_at(at(2), contacts_today=3) == at(8, day=3)


def test_gbt_45251_the_debtors_local_time_counts() -> None:
    urumqi = ZoneInfo("Asia/Urumqi")
    assert next_contact_at(at(8), urumqi, 0, FLOOR) == at(10)


@pytest.mark.parametrize(
    "weaker",
    [{"contact_from_hour": 7}, {"contact_until_hour": 22}, {"contacts_per_day_max": 4}],
    ids=lambda weaker: next(iter(weaker)),
)
def test_gbt_45251_no_tenant_may_contact_earlier_later_or_more_often(weaker: dict[str, int]) -> None:
    with pytest.raises(PolicyWeakerThanLaw) as refused:
        merge(weaker)
    assert [error.pointer for error in refused.value.errors] == [f"/{next(iter(weaker))}"]


def test_gbt_45251_a_tenant_may_contact_later_earlier_ending_and_less_often() -> None:
    policy = merge({"contact_from_hour": 9, "contact_until_hour": 18, "contacts_per_day_max": 1})
    assert next_at(at(8, 30), policy=policy) == at(9)
    assert next_at(at(18), policy=policy) == at(9, day=3)
    assert next_at(at(12), contacts_today=1, policy=policy) == at(9, day=3)


@pytest.mark.parametrize(("hour", "minute"), [(7, 59), (20, 0), (20, 59), (23, 0)])
def test_a_restriction_is_asked_for_only_in_the_hours_in_which_devices_restricts(hour: int, minute: int) -> None:
    opening = next_restriction_at(at(hour, minute), SHANGHAI, FLOOR)
    assert opening > at(hour, minute)
    assert is_within_hours(opening, SHANGHAI)
    assert not is_within_hours(at(hour, minute), SHANGHAI)
    assert next_restriction_at(at(19, 59), SHANGHAI, FLOOR) == at(19, 59)


def test_gbt_45251_only_the_debtor_can_be_addressed() -> None:
    """A step has no addressee of its own and a case knows one person: there is no way to name a relative, friend or employer."""
    people = {field.name for field in (*dataclasses.fields(Step), *dataclasses.fields(Case)) if "party" in field.name}
    assert people == {"party_id"}
    assert {field.name for field in dataclasses.fields(Step) if field.type == UUID} <= {"id", "case_id"}
    assert len(CONTACTS) == 4


def test_a_restriction_after_a_notice_is_not_brought_forward_by_the_clock() -> None:
    assert timedelta(hours=FLOOR.limit_after_notice_hours) == timedelta(days=1)
    assert timedelta(hours=FLOOR.lock_after_notice_hours) == timedelta(days=3)
