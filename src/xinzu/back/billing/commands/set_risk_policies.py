"""Setting the tenant's risk policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.risk_schemas import ProvisionRates
from xinzu.back.billing.rules.risk_policy import RiskPolicy, risk_policy
from xinzu.back.billing.store import days, policies
from xinzu.kernel.errors import Problem
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence


@dataclass(frozen=True, slots=True)
class RiskPolicyChange:
    """The lines in days (attention, substandard, doubtful, loss), rates in basis points, and the days after which accrual stops."""

    lines: tuple[int, int, int, int]
    by_class: ProvisionRates
    non_accrual_days: int


class RiskPolicyView(msgspec.Struct, kw_only=True):
    """The policy in force. ``name`` is own, or that of the guard."""

    name: str
    attention_days: int
    substandard_days: int
    doubtful_days: int
    loss_days: int
    non_accrual_days: int
    by_class: ProvisionRates


async def set_risk_policies(uow: UnitOfWork, given: Sequence[RiskPolicyChange]) -> list[Outcome[RiskPolicyView]]:
    """Set the policy that closes go by from the next one on; nothing is classified or booked before. Kept as evidence, because what was in
    force is asked for later.

    Refuses with Invalid what is looser than the guard (``rules.risk_policy``).
    """
    outcomes: list[Outcome[RiskPolicyView]] = []
    for asked in given:
        try:
            by_class = {AssetClass(name): rate_bp for name, rate_bp in msgspec.structs.asdict(asked.by_class).items()}
            policy = risk_policy(asked.lines, by_class, asked.non_accrual_days)
        except Problem as refusal:  # found before anything is written
            outcomes.append(refusal)
            continue
        await policies.put(uow, policy)
        view = policy_view(policy)
        facts = {**msgspec.structs.asdict(view), "by_class": msgspec.structs.asdict(view.by_class), "by": str(uow.actor)}
        day_id = days.id_of_day(uow.tenant_id, uow.business_date)
        evidence.append(uow, [evidence.Leaf("billing.risk_policy.set", day_id, facts)])
        outcomes.append(view)
    return outcomes


async def risk_policy_of(read: ReadSession) -> RiskPolicyView:
    """The policy in force: the tenant's own, or the guard."""
    return policy_view(await policies.in_force(read))


def policy_view(policy: RiskPolicy) -> RiskPolicyView:
    return RiskPolicyView(
        name=policy.classes.name,
        attention_days=policy.classes.attention_days,
        substandard_days=policy.classes.substandard_days,
        doubtful_days=policy.classes.doubtful_days,
        loss_days=policy.classes.loss_days,
        non_accrual_days=policy.non_accrual_days,
        by_class=ProvisionRates(**{each.value: policy.provision.by_class[each] for each in AssetClass}),
    )
