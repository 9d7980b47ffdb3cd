"""The front door of payments for other modules, the command line and the demo."""

from __future__ import annotations

from xinzu.back.payments.commands.channels import configure_alipay
from xinzu.back.payments.commands.mandates import call_off, check_mandates, intend_mandates
from xinzu.back.payments.commands.payments import intend_payments, pay_actively, retry_failed
from xinzu.back.payments.commands.refunds import intend_refunds
from xinzu.back.payments.commands.releases import release_again, release_rests
from xinzu.back.payments.schemas import ActivePayment, PaymentView
from xinzu.back.payments.store.mandates import mandate_of
from xinzu.back.payments.store.payments import payments_of, stop_retries

__all__ = [
    "ActivePayment",
    "PaymentView",
    "call_off",
    "check_mandates",
    "configure_alipay",
    "intend_mandates",
    "intend_payments",
    "intend_refunds",
    "mandate_of",
    "pay_actively",
    "payments_of",
    "release_again",
    "release_rests",
    "retry_failed",
    "stop_retries",
]
