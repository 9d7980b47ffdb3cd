"""The ladder: friendly reminder, notice, limit, second notice, lock. No rung before its day, none without the notice before it.

Civil Code art. 722: a lessee who does not pay rent must first be asked to pay within a reasonable period; a restriction under the
agreement is therefore asked for only after a notice that was proven to be delivered, and the time to act on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from xinzu.back.collections.model import NOTICE_BEFORE, LadderPolicy, Step, StepKind, StepState
from xinzu.kernel.time import BusinessDate, Instant

RESEND_AFTER = timedelta(hours=48)  # a notice not reported as delivered by then does not count and is sent again
REQUESTS_MAX = 3  # a restriction refused this often is for a person to look at

LEGAL_BASIS = {
    StepKind.LIMIT: "民法典第七百二十二条（催告后）；租赁合同设备限制条款：限制",
    StepKind.LOCK: "民法典第七百二十二条（再次催告后）；租赁合同设备限制条款：锁定",
}


def next_steps(days_past_due: int, held: bool, steps: Sequence[Step], policy: LadderPolicy, now: Instant) -> list[StepKind]:
    """The rungs to climb now, mildest first; none while the case is held (dispute, hardship, death, disaster)."""
    if held:
        return []
    due = {
        StepKind.REMINDER: days_past_due >= policy.reminder_days_past_due,
        StepKind.FIRST_NOTICE: days_past_due >= policy.first_notice_days_past_due,
        StepKind.LIMIT: may_restrict(StepKind.LIMIT, days_past_due, steps, policy, now),
        StepKind.SECOND_NOTICE: days_past_due >= policy.second_notice_days_past_due
        and notice_delivered_at(StepKind.FIRST_NOTICE, steps) is not None,
        StepKind.LOCK: may_restrict(StepKind.LOCK, days_past_due, steps, policy, now) and _stands(StepKind.LIMIT, steps, now),
    }
    return [kind for kind in StepKind if due[kind] and not _stands(kind, steps, now)]


def may_restrict(kind: StepKind, days_past_due: int, steps: Sequence[Step], policy: LadderPolicy, now: Instant) -> bool:
    """Whether the law and the policy allow to ask for this level now: its day has come and its notice was delivered long enough ago."""
    day, hours = {
        StepKind.LIMIT: (policy.limit_days_past_due, policy.limit_after_notice_hours),
        StepKind.LOCK: (policy.lock_days_past_due, policy.lock_after_notice_hours),
    }[kind]
    delivered_at = notice_delivered_at(NOTICE_BEFORE[kind], steps)
    return days_past_due >= day and delivered_at is not None and now - delivered_at >= timedelta(hours=hours)


def notice_delivered_at(kind: StepKind, steps: Sequence[Step]) -> Instant | None:
    """When the first notice of this kind reached the debtor; None when none is proven to have."""
    delivered = [step.delivered_at for step in steps if step.kind is kind and step.delivered_at is not None]
    return min(delivered, default=None)


def announced_for(kind: StepKind, days_past_due: int, policy: LadderPolicy, today: BusinessDate) -> date:
    """The first day the level a notice announces could be asked for, were the notice delivered today."""
    day, hours = (
        (policy.limit_days_past_due, policy.limit_after_notice_hours)
        if kind is StepKind.FIRST_NOTICE
        else (policy.lock_days_past_due, policy.lock_after_notice_hours)
    )
    whole_days = -(-hours // 24)
    return today + timedelta(days=max(day - days_past_due, whole_days))


def _stands(kind: StepKind, steps: Sequence[Step], now: Instant) -> bool:
    """Whether the rung is climbed, about to be, or not to be tried again."""
    of_kind = [step for step in steps if step.kind is kind]
    refused = sum(step.state is StepState.FAILED for step in of_kind)
    if kind is StepKind.REMINDER:
        return any(step.state is not StepState.CANCELLED for step in of_kind)
    if kind in NOTICE_BEFORE and refused >= REQUESTS_MAX:
        return True
    for step in of_kind:
        if step.state in (StepState.PLANNED, StepState.DELIVERED, StepState.REQUESTED):
            return True
        if step.state is StepState.SENT and step.done_at is not None and now - step.done_at < RESEND_AFTER:
            return True
    return False
