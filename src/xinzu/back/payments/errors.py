"""Problems of payments."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, NotFound


class ChannelNotConfigured(Conflict):
    """The tenant has no account at the provider yet."""

    code = "payments.channel_not_configured"
    title_zh = "尚未配置收款渠道，请先配置支付宝商户"
    title_en = "No payment channel is configured: configure the Alipay account first"


class MandateUnknown(NotFound):
    """No pre-authorisation was asked for under this agreement."""

    code = "payments.mandate_unknown"
    title_zh = "该合同没有预授权"
    title_en = "There is no pre-authorisation for this agreement"


class PaymentUnknown(NotFound):
    """No payment of this tenant has the id."""

    code = "payments.payment_unknown"
    title_zh = "没有这笔付款"
    title_en = "There is no such payment"


class MandateNotUsable(Conflict):
    """Nothing can be collected: the pre-authorisation is not yet confirmed, is being released, or has ended."""

    code = "payments.mandate_not_usable"
    title_zh = "预授权尚未确认或已结束，不能扣款"
    title_en = "The pre-authorisation is not confirmed or has ended: nothing can be collected"


class PaymentUnderWay(Conflict):
    """The same thing is already being collected; its outcome is awaited."""

    code = "payments.payment_under_way"
    title_zh = "同一款项正在扣款，请等待结果"
    title_en = "The same amount is being collected: wait for the outcome"


class MandateExhausted(Conflict):
    """Nothing is left of the pre-authorisation."""

    code = "payments.mandate_exhausted"
    title_zh = "预授权额度已用完"
    title_en = "Nothing is left of the pre-authorisation"
