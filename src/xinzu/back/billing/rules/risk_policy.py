"""A tenant's own lines and rates for risk classes, provisions and non-accrual: stricter than the supervisors', never looser.

Class lines and the stop of accrual may come earlier (``asset_class.matrix``), rates of provision may be higher
(``provision.provision_matrix``). Without a policy the measures of 2023, 90 days and the guidelines of 2002 hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.rules.asset_class import MEASURES_2023, NON_ACCRUAL_DAYS, ClassMatrix, matrix
from xinzu.back.billing.rules.provision import GUIDELINES_2002, ProvisionMatrix, provision_matrix
from xinzu.kernel.errors import Invalid

OWN = "own"


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """What the close classifies, provides and stops accrual by."""

    classes: ClassMatrix = MEASURES_2023
    provision: ProvisionMatrix = GUIDELINES_2002
    non_accrual_days: int = NON_ACCRUAL_DAYS


GUARD = RiskPolicy()


def risk_policy(lines: tuple[int, int, int, int], by_class: Mapping[AssetClass, int], non_accrual_days: int) -> RiskPolicy:
    """A tenant's policy: the days after which attention, substandard, doubtful and loss begin, rates in basis points by class, and the days
    after which interest stops entering income.

    Raises Invalid (billing.class_matrix_refused, billing.provision_matrix_refused, billing.non_accrual_refused) for what is looser than
    the guard or out of order.
    """
    if not 0 < non_accrual_days <= NON_ACCRUAL_DAYS:
        raise Invalid.field(
            "/non_accrual_days",
            "billing.non_accrual_refused",
            f"停止计提天数须在 1 至 {NON_ACCRUAL_DAYS} 天之间",
            f"Accrual must stop after 1 to {NON_ACCRUAL_DAYS} days past due",
        )
    return RiskPolicy(matrix(OWN, *lines), provision_matrix(OWN, by_class), non_accrual_days)
