"""The overview's words in both languages, and how an event reads as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xinzu.kernel.money import Money

# type without "xinzu." and version: (zh, en, fields shown as money, other fields shown)
EVENTS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "applications.application.submitted": ("提交申请", "Application submitted", (), ("channel",)),
    "applications.application.referred": ("转人工审核", "Referred to a person", (), ()),
    "applications.application.approved": ("审核通过", "Approved", (), ()),
    "applications.application.declined": ("审核未通过", "Declined", (), ("reason_codes",)),
    "applications.application.cancelled": ("申请取消", "Application cancelled", (), ("reason",)),
    "applications.human_review.requested": ("客户要求人工复核", "Customer asks for a person to decide", (), ()),
    "decisions.decision.made": ("决策", "Decision", (), ("outcome", "decided_by", "reason_codes")),
    "agreements.agreement.drafted": ("合同起草", "Agreement drafted", (), ("agreement_no",)),
    "agreements.document.rendered": ("合同文本生成", "Contract document made", (), ("document_sha256",)),
    "agreements.agreement.signed": ("客户签署", "Signed by the customer", (), ("agreement_no", "document_sha256")),
    "agreements.agreement.commenced": ("起租（放款）", "Commenced", (), ("commencement_on",)),
    "agreements.agreement.cancelled": ("合同取消", "Agreement cancelled", (), ("reason",)),
    "agreements.agreement.ended": ("合同结束", "Agreement ended", (), ("ended_on", "reason")),
    "payments.mandate.authorised": ("预授权成功（免押）", "Pre-authorised (no deposit paid)", ("authorised_fen",), ()),
    "payments.payment.succeeded": ("扣款成功", "Payment collected", ("amount_fen",), ("purpose", "provider_trade_no")),
    "payments.payment.failed": ("扣款失败", "Payment failed", ("amount_fen",), ("purpose", "attempt", "reason")),
    "payments.refund.succeeded": ("退款成功", "Refunded", ("amount_fen",), ()),
    "payments.deposit.released": ("预授权解冻", "Pre-authorisation released", ("collected_fen", "released_fen"), ()),
    "assets.asset.shipped": ("发货", "Shipped", (), ()),
    "assets.asset.handed_over": ("签收交付", "Handed over", (), ("handed_over_on",)),
    "assets.asset.returned": ("归还入库", "Returned", (), ("returned_on",)),
    "assets.asset.inspected": ("验机", "Inspected", ("damage_fen",), ()),
    "billing.schedule.issued": (
        "租金计划生成",
        "Schedule issued",
        ("total_fen",),
        ("instalment_count", "first_due_on", "last_due_on"),
    ),
    "billing.instalment.fell_due": ("租金到期", "Instalment due", ("outstanding_fen",), ("number", "due_on")),
    "billing.instalment.became_overdue": ("租金逾期", "Instalment overdue", ("outstanding_fen",), ("number", "days_past_due")),
    "billing.arrears.aged": ("逾期中", "In arrears", ("overdue_fen",), ("days_past_due",)),
    "billing.arrears.cleared": ("欠款结清", "Arrears cleared", (), ()),
    "billing.receipt.allocated": ("入账分配", "Receipt allocated", ("amount_fen", "allocated_fen", "credit_balance_fen"), ()),
    "billing.receipt.reversed": ("收款冲正", "Receipt reversed", ("amount_fen",), ("kind",)),
    "billing.item.waived": ("减免", "Waived", ("amount_fen",), ("kind",)),
    "billing.account.written_off": ("核销", "Written off", ("amount_fen",), ()),
    "billing.asset.reclassified": ("风险分类调整", "Risk class changed", (), ("class_before", "asset_class", "days_past_due")),
    "billing.books.differed": ("账账不符", "Books and billing differ", ("ledger_fen", "billing_fen"), ("account",)),
    "billing.charge.raised": ("产生费用", "Charge raised", ("amount_fen",), ("kind",)),
    "billing.settlement.determined": ("结算", "Settlement", ("balance_due_fen", "credit_balance_fen"), ()),
    "billing.account.settled": ("账款两清", "Account settled", (), ("settled_on",)),
    "collections.case.opened": ("催收立案", "Case opened", ("overdue_fen",), ("days_past_due",)),
    "collections.case.closed": ("催收结案", "Case closed", (), ()),
    "collections.restriction.requested": ("请求限制设备", "Restriction requested", (), ("level", "legal_basis")),
    "devices.restriction.ordered": ("下发设备指令", "Device command sent", (), ("level", "legal_basis")),
    "devices.restriction.applied": ("设备已执行", "Device applied it", (), ("level",)),
    "devices.restriction.refused": ("限制被拒绝", "Restriction refused", (), ("level", "reason")),
    "parties.message.delivered": ("短信送达", "Message delivered", (), ("template",)),
    "parties.message.failed": ("短信未送达", "Message failed", (), ("template", "reason")),
}

FIELDS: dict[str, tuple[str, str]] = {
    "channel": ("渠道", "channel"),
    "reason_codes": ("原因码", "reason codes"),
    "reason": ("原因", "reason"),
    "outcome": ("结果", "outcome"),
    "decided_by": ("决定者", "decided by"),
    "agreement_no": ("合同号", "agreement no."),
    "document_sha256": ("文件哈希", "document SHA-256"),
    "commencement_on": ("起租（放款）日", "commencement"),
    "ended_on": ("结束日", "ended on"),
    "authorised_fen": ("授权额", "authorised"),
    "amount_fen": ("金额", "amount"),
    "purpose": ("用途", "purpose"),
    "provider_trade_no": ("渠道流水号", "provider's trade no."),
    "attempt": ("第几次", "attempt"),
    "collected_fen": ("已扣", "collected"),
    "released_fen": ("解冻", "released"),
    "handed_over_on": ("签收日", "handed over on"),
    "returned_on": ("归还日", "returned on"),
    "damage_fen": ("赔偿", "damage"),
    "total_fen": ("总额", "total"),
    "instalment_count": ("期数", "instalments"),
    "first_due_on": ("首期应付日", "first due"),
    "last_due_on": ("末期应付日", "last due"),
    "outstanding_fen": ("未付", "outstanding"),
    "number": ("第几期", "number"),
    "due_on": ("应付日", "due on"),
    "days_past_due": ("逾期天数", "days past due"),
    "overdue_fen": ("逾期额", "overdue"),
    "allocated_fen": ("已分配", "allocated"),
    "credit_balance_fen": ("溢缴余额", "credit balance"),
    "kind": ("类型", "kind"),
    "balance_due_fen": ("应补", "balance due"),
    "settled_on": ("结清日", "settled on"),
    "level": ("级别", "level"),
    "legal_basis": ("法律依据", "legal basis"),
    "template": ("模板", "template"),
    "rent_fen": ("每期租金", "rent per period"),
    "period_months": ("每期月数", "months per period"),
    "period_count": ("期数", "periods"),
    "daily_rate": ("日费率", "daily rate"),
    "ceiling_annual_pct": ("年化上限 %", "annual ceiling %"),
    "days_in_year": ("年天数", "days in a year"),
    "instalment_fen": ("该期租金", "this instalment"),
    "fen_days": ("分·天", "fen × days"),
    "cap_fen": ("上限", "cap"),
    "rounding": ("舍入", "rounding"),
    "late_fee_fen": ("违约金", "late fee"),
    "agreed_fen": ("约定的费用", "agreed fee"),
    "forgone_rent_fen": ("不再收取的租金", "rents no longer asked for"),
    "inspected_fen": ("验机认定", "found at inspection"),
    "inspection_id": ("验机单", "inspection"),
    "class_before": ("原分类", "class before"),
    "asset_class": ("风险分类", "risk class"),
    "ledger_fen": ("总账", "in the ledger"),
    "billing_fen": ("分户账", "in billing"),
    "account": ("科目", "account"),
}

VALUES: dict[str, tuple[str, str]] = {
    "approve": ("通过", "approve"),
    "decline": ("拒绝", "decline"),
    "refer": ("转人工", "refer"),
    "strategy": ("策略", "strategy"),
    "reviewer": ("审核员", "reviewer"),
    "first_rent": ("首期租金", "first rent"),
    "instalment": ("租金", "instalment"),
    "arrears": ("欠款", "arrears"),
    "settlement": ("结算", "settlement"),
    "free": ("正常", "free"),
    "remind": ("提醒", "remind"),
    "limit": ("限制", "limit"),
    "lock": ("锁定", "lock"),
    "alipay": ("支付宝", "Alipay"),
    "wechat": ("微信", "WeChat"),
    "pc": ("网页", "PC"),
    "late_fee": ("违约金", "late fee"),
    "damage": ("损坏赔偿", "damage"),
    "early_return": ("提前归还费", "early return fee"),
    "rent": ("租金", "rent"),
    "rental": ("租赁", "rental"),
    "finance_lease": ("融资租赁", "finance lease"),
    "loan": ("借款", "loan"),
    "down": ("不足一分舍去", "down to the fen"),
    "half_up": ("四舍五入到分", "half up to the fen"),
    "one_time_code": ("签署验证码", "one-time code"),
    "payment_reminder": ("还款提醒", "payment reminder"),
    "restriction_notice": ("限制前通知", "notice before restriction"),
    "restriction_applied": ("限制已生效", "restriction applied"),
    "restriction_lifted": ("限制已解除", "restriction lifted"),
    "agreement_commenced": ("合同起算", "agreement commenced"),
    "agreement_ended": ("合同结束", "agreement ended"),
    "agreement_repaid": ("合同付清", "agreement repaid"),
    "decision_declined": ("审核结果", "decision"),
}


def event_title(type_name: str, english: bool) -> str:
    """An event's name for a person."""
    key = type_name.removeprefix("xinzu.").rsplit(".", 1)[0]
    words = EVENTS.get(key)
    return (words[1] if english else words[0]) if words else key


def event_details(type_name: str, data: Mapping[str, Any], english: bool) -> list[tuple[str, str]]:
    """The facts of an event worth showing, as label and text."""
    words = EVENTS.get(type_name.removeprefix("xinzu.").rsplit(".", 1)[0])
    if words is None:
        return []
    shown = [(label(name, english), str(Money(int(data[name])))) for name in words[2] if data.get(name) is not None]
    shown += [
        (label(name, english), value_text(data[name], english)) for name in words[3] if data.get(name) not in (None, [], "")
    ]
    return shown


def label(field: str, english: bool) -> str:
    words = FIELDS.get(field)
    return (words[1] if english else words[0]) if words else field


def value_text(value: object, english: bool) -> str:
    """A field's value for a person."""
    if isinstance(value, list):
        return "、".join(value_text(item, english) for item in value) if not english else ", ".join(str(item) for item in value)
    words = VALUES.get(str(value))
    return (words[1] if english else words[0]) if words else str(value)
