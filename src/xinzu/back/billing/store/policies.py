"""SQL of the tenant's risk policy."""

from __future__ import annotations

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.rules.risk_policy import GUARD, RiskPolicy, risk_policy
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

COLUMNS = "attention_days, substandard_days, doubtful_days, loss_days, non_accrual_days, " + ", ".join(
    f"{each.value}_bp" for each in AssetClass
)

_SET = f"""
INSERT INTO billing_risk_policy (tenant_id, {COLUMNS}, changed_by, changed_at)
VALUES (:tenant, :attention, :substandard, :doubtful, :loss, :non_accrual,
        {", ".join(f":{each.value}_bp" for each in AssetClass)}, :actor, :now)
ON CONFLICT (tenant_id) DO UPDATE
SET {", ".join(f"{name} = EXCLUDED.{name}" for name in (*COLUMNS.split(", "), "changed_by", "changed_at"))}
"""  # noqa: S608 (constants only)


async def in_force(read: ReadSession) -> RiskPolicy:
    """The tenant's policy, or the guard when it has none."""
    row = await read.row(f"SELECT {COLUMNS} FROM billing_risk_policy WHERE tenant_id = :tenant")  # noqa: S608 (constants only)
    return GUARD if row is None else policy_of(row)


def policy_of(row: Row) -> RiskPolicy:
    """The policy of a row that has its columns; the guard when they are empty."""
    if row.attention_days is None:
        return GUARD
    by_class = {each: row[f"{each.value}_bp"] for each in AssetClass}
    lines = (row.attention_days, row.substandard_days, row.doubtful_days, row.loss_days)
    return risk_policy(lines, by_class, row.non_accrual_days)


async def put(uow: UnitOfWork, policy: RiskPolicy) -> None:
    """Set the tenant's policy; what was set before is kept as evidence."""
    attention, substandard, doubtful, loss = policy.classes.lines
    await uow.execute(
        _SET,
        attention=attention,
        substandard=substandard,
        doubtful=doubtful,
        loss=loss,
        non_accrual=policy.non_accrual_days,
        **{f"{each.value}_bp": rate_bp for each, rate_bp in policy.provision.by_class.items()},
        actor=str(uow.actor),
        now=uow.now,
    )
