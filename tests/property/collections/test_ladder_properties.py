"""Whatever the history of a case: no restriction without notice and time, no step for a held one, no policy below the floor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.collections.errors import PolicyWeakerThanLaw
from xinzu.back.collections.model import FLOOR, NOTICE_BEFORE, LadderPolicy, Step, StepKind, StepState
from xinzu.back.collections.rules.contact_limits import next_contact_at
from xinzu.back.collections.rules.ladder import next_steps
from xinzu.back.collections.rules.policy import POLICY_FIELDS, is_weaker, merge
from xinzu.kernel.terms import Family
from xinzu.kernel.time import SHANGHAI

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)

steps = st.builds(
    lambda kind, state, hours: Step(
        id=UUID(int=1),
        case_id=UUID(int=2),
        kind=kind,
        state=state,
        message_id=None,
        due_at=NOW - timedelta(hours=hours),
        done_at=NOW - timedelta(hours=hours),
        delivered_at=NOW - timedelta(hours=hours) if state is StepState.DELIVERED else None,
        reason=None,
    ),
    st.sampled_from(StepKind),
    st.sampled_from(StepState),
    st.floats(0, 500),
)
policies = st.dictionaries(st.sampled_from(POLICY_FIELDS), st.integers(0, 60))


@given(st.integers(1, 400), st.booleans(), st.lists(steps, max_size=10))
def test_no_restriction_before_its_day_or_without_a_delivered_notice(days: int, held: bool, history: list[Step]) -> None:
    following = next_steps(Family.RENTAL, days, held, history, FLOOR, NOW)
    assert not (held and following)
    for kind, notice, day, hours in (
        (StepKind.LIMIT, NOTICE_BEFORE[StepKind.LIMIT], 5, 24),
        (StepKind.LOCK, NOTICE_BEFORE[StepKind.LOCK], 10, 72),
    ):
        if kind in following:
            delivered = [step.delivered_at for step in history if step.kind is notice and step.delivered_at is not None]
            assert days >= day
            assert min(delivered) <= NOW - timedelta(hours=hours)


@given(st.sampled_from([Family.FINANCE_LEASE, Family.LOAN]), st.integers(1, 400), st.lists(steps, max_size=10))
def test_nothing_is_announced_or_restricted_where_there_is_no_device_of_ours(
    family: Family, days: int, history: list[Step]
) -> None:
    assert {*next_steps(family, days, False, history, FLOOR, NOW)} <= {StepKind.REMINDER, StepKind.PAYMENT_DEMAND}


@given(policies)
def test_an_accepted_policy_is_never_weaker_than_the_floor(overrides: dict[str, int]) -> None:
    try:
        merged = merge(overrides)
    except PolicyWeakerThanLaw:
        return
    assert not any(is_weaker(name, getattr(merged, name)) for name in POLICY_FIELDS)
    assert all(getattr(merged, name) == value for name, value in overrides.items())


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 (made aware below)
    st.integers(0, 5),
    st.integers(8, 20),
    st.integers(0, 3),
)
def test_the_next_contact_is_always_inside_the_hours(at: datetime, contacts_today: int, opens: int, most: int) -> None:
    policy = LadderPolicy(contact_from_hour=opens, contact_until_hour=21, contacts_per_day_max=most)
    now = at.replace(tzinfo=SHANGHAI).astimezone(UTC)
    following = next_contact_at(now, SHANGHAI, contacts_today, policy)
    assert following >= now
    assert opens <= following.astimezone(SHANGHAI).hour < 21
    if contacts_today >= most:
        assert following.astimezone(SHANGHAI).date() > now.astimezone(SHANGHAI).date()
