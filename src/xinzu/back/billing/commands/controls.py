"""Up to which amount one person may let off, write off, refund or terminate alone. A tenant may be stricter, never looser."""

from __future__ import annotations

from datetime import timedelta

from xinzu.kernel.ids import Prefix
from xinzu.platform.actor import Permission
from xinzu.platform.controls import Control

# What was let off or refunded on the agreement in these days counts towards the limit: it is not gone around in small parts.
COUNTED = timedelta(days=30)

WAIVER = Control(
    "billing.waive_items", 50_000, Permission.BILLING_WRITE, Prefix.AGREEMENT, "减免应收款项", "Let something due off"
)
REFUND = Control(
    "billing.record_bank_refunds", 500_000, Permission.BILLING_WRITE, Prefix.AGREEMENT, "人工退款", "Refund by bank transfer"
)
# What leaves the books as lost takes two people whatever the amount.
WRITE_OFF = Control("billing.write_off_accounts", 0, Permission.BILLING_WRITE, Prefix.AGREEMENT, "核销", "Write off as lost")
# By what is in arrears and what falls away.
TERMINATION = Control(
    "billing.terminate", 2_000_000, Permission.BILLING_WRITE, Prefix.AGREEMENT, "违约解除合同", "Terminate for default"
)
