"""A tenant's policy over the floor: each value may protect the debtor more, never less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from xinzu.back.collections.errors import PolicyWeakerThanLaw
from xinzu.back.collections.model import FLOOR, LadderPolicy
from xinzu.kernel.errors import FieldError

# For these the lower value protects more; for all others the higher one.
_LOWER_IS_STRICTER = frozenset({"contact_until_hour", "contacts_per_day_max"})
POLICY_FIELDS = tuple(field.name for field in fields(LadderPolicy))


def merge(overrides: Mapping[str, int]) -> LadderPolicy:
    """The floor with a tenant's stricter values; raises PolicyWeakerThanLaw naming each value that is weaker or out of order."""
    wrong = [_weaker(name, value, getattr(FLOOR, name)) for name, value in overrides.items() if is_weaker(name, value)]
    if wrong:
        raise PolicyWeakerThanLaw(wrong[0].detail_zh, wrong[0].detail_en, errors=tuple(wrong))
    merged = replace(FLOOR, **dict(overrides))
    out_of_order = [
        FieldError(
            f"/{later}",
            "collections.policy_out_of_order",
            f"{later} 不得小于 {earlier}",
            f"{later} must not be below {earlier}",
        )
        for earlier, later in (
            ("reminder_days_past_due", "first_notice_days_past_due"),
            ("reminder_days_past_due", "demand_days_past_due"),
            ("first_notice_days_past_due", "limit_days_past_due"),
            ("first_notice_days_past_due", "second_notice_days_past_due"),
            ("second_notice_days_past_due", "lock_days_past_due"),
            ("limit_days_past_due", "lock_days_past_due"),
            ("contact_from_hour", "contact_until_hour"),
        )
        if getattr(merged, later) < getattr(merged, earlier)
        or (earlier == "contact_from_hour" and merged.contact_from_hour == merged.contact_until_hour)
    ]
    if out_of_order:
        first = out_of_order[0]
        raise PolicyWeakerThanLaw(first.detail_zh, first.detail_en, errors=tuple(out_of_order))
    return merged


def in_force(stored: Mapping[str, int]) -> LadderPolicy:
    """The policy of stored values: should the floor have risen since they were stored, the floor holds."""
    return replace(
        FLOOR, **{name: value for name, value in stored.items() if name in POLICY_FIELDS and not is_weaker(name, value)}
    )


def is_weaker(name: str, value: int) -> bool:
    """Whether a value protects the debtor less than the floor does.

    >>> is_weaker("limit_days_past_due", 4), is_weaker("limit_days_past_due", 6), is_weaker("contact_until_hour", 22)
    (True, False, True)
    """
    floor: int = getattr(FLOOR, name)
    return value > floor if name in _LOWER_IS_STRICTER else value < floor


def _weaker(name: str, value: int, floor: int) -> FieldError:
    bound_zh, bound_en = ("不得大于", "at most") if name in _LOWER_IS_STRICTER else ("不得小于", "at least")
    return FieldError(
        f"/{name}",
        "collections.policy_weaker",
        f"{name} {bound_zh} {floor}（给出的是 {value}）",
        f"{name} must be {bound_en} {floor}, not {value}",
    )
