"""The ladders. No rung before its day, none without the notice before it.

A rental's: friendly reminder, notice, limit, second notice, lock. A finance lease's and a loan's: friendly reminder, demand for payment.

Civil Code art. 722: a lessee who does not pay rent must first be asked to pay within a reasonable period; a restriction under the
agreement is therefore asked for only after a notice that was proven to be delivered, and the time to act on it. Arts. 752 and 563: what
is to come may be claimed at once, or the contract ended, only after a demand and a reasonable time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from xinzu.back.collections.model import LADDERS, NOTICE_BEFORE, LadderPolicy, Step, StepKind, StepState
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate, Instant

RESEND_AFTER = timedelta(hours=48)  # a notice not reported as delivered by then does not count and is sent again
REQUESTS_MAX = 3  # a restriction refused this often is for a person to look at

LEGAL_BASIS = {
    StepKind.LIMIT: "民法典第七百二十二条（催告后）；租赁合同设备限制条款：限制",
    StepKind.LOCK: "民法典第七百二十二条（再次催告后）；租赁合同设备限制条款：锁定",
}
DEMAND_BASIS = {
    Family.FINANCE_LEASE: "民法典第七百五十二条（催告）",
    Family.LOAN: "民法典第五百六十三条、第六百七十五条（催告）",
}


def next_steps(
    family: Family, days_past_due: int, held: bool, steps: Sequence[Step], policy: LadderPolicy, now: Instant
) -> list[StepKind]:
    """The rungs of the family's ladder to climb now, mildest first; none while the case is held (dispute, hardship, death, disaster)."""
    if held:
        return []
    due = {
        StepKind.REMINDER: days_past_due >= policy.reminder_days_past_due,
        StepKind.PAYMENT_DEMAND: days_past_due >= policy.demand_days_past_due,
        StepKind.FIRST_NOTICE: days_past_due >= policy.first_notice_days_past_due,
        StepKind.LIMIT: may_restrict(StepKind.LIMIT, days_past_due, steps, policy, now),
        StepKind.SECOND_NOTICE: days_past_due >= policy.second_notice_days_past_due
        and notice_delivered_at(StepKind.FIRST_NOTICE, steps) is not None,
        StepKind.LOCK: may_restrict(StepKind.LOCK, days_past_due, steps, policy, now) and _stands(StepKind.LIMIT, steps, now),
    }
    return [kind for kind in StepKind if kind in LADDERS[family] and due[kind] and not _stands(kind, steps, now)]


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


def pay_by(policy: LadderPolicy, today: BusinessDate) -> date:
    """The day until which a demand sent today gives time: the period from its delivery, which may be as late as the last hour at which it
    is not sent again.

    >>> pay_by(LadderPolicy(), date(2026, 3, 9)).isoformat()
    '2026-03-26'
    """
    return today + RESEND_AFTER + timedelta(days=policy.demand_period_days)


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
