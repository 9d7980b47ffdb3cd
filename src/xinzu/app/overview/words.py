"""The overview's words in both languages, and how an event reads as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xinzu.kernel.money import Money

# state: (zh, en, tone)
STATES: dict[str, tuple[str, str, str]] = {
    "submitted": ("已提交", "submitted", ""),
    "referred": ("待人审", "referred", "warn"),
    "approved": ("已通过", "approved", "good"),
    "declined": ("已拒绝", "declined", "bad"),
    "cancelled": ("已取消", "cancelled", ""),
    "contracted": ("已签约", "contracted", "good"),
    "closed": ("已结束", "closed", ""),
    "drafted": ("待签署", "drafted", "warn"),
    "signed": ("已签署", "signed", ""),
    "active": ("在租", "active", "good"),
    "repaying": ("还款中", "repaying", "good"),
    "ended": ("已结束", "ended", ""),
    "scheduled": ("未到期", "scheduled", ""),
    "due": ("应付", "due", "warn"),
    "overdue": ("逾期", "overdue", "bad"),
    "paid": ("已付", "paid", "good"),
    "part_paid": ("部分已付", "part paid", "warn"),
    "free": ("正常", "free", "good"),
    "remind": ("提醒", "remind", "warn"),
    "limit": ("已限制", "limited", "warn"),
    "lock": ("已锁定", "locked", "bad"),
}

# type without "xinzu." and version: (zh, en, fields shown as money, other fields shown)
EVENTS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "applications.application.submitted": ("提交申请", "Application submitted", (), ("channel",)),
    "applications.application.referred": ("转人工审核", "Referred to a person", (), ()),
    "applications.application.approved": ("审核通过", "Approved", (), ()),
    "applications.application.declined": ("审核未通过", "Declined", (), ("reason_codes",)),
    "applications.application.cancelled": ("申请取消", "Application cancelled", (), ("reason",)),
    "applications.human_review.requested": ("客户要求人工复核", "Customer asks for a person to decide", (), ()),
    "decisions.decision.made": ("决策", "Decision", (), ("outcome", "decided_by", "reason_codes")),
    "decisions.review.escalated": ("审核超时升级", "Review passed on: too late", (), ("level_before", "level")),
    "decisions.review.appealed": ("客户申诉", "Customer appeals", (), ()),
    "decisions.credit_line.changed": ("信用额度调整", "Credit line changed", ("line_before_fen", "line_fen"), ("is_frozen",)),
    "decisions.strategy.rolled_back": (
        "策略回滚",
        "Strategy rolled back",
        (),
        ("strategy_key", "strategy_version", "restored_version", "reason", "guard_rail"),
    ),
    "screening.list_entry.added": ("加入名单", "Put on a list", (), ("colour", "kind", "reason", "source", "expires_on")),
    "screening.list_entry.removed": ("移出名单", "Taken off a list", (), ("colour", "kind", "reason")),
    "screening.alert.raised": ("监测预警", "Alert", (), ("report_due_on",)),
    "screening.alert.decided": ("预警处理", "Alert decided", (), ("state",)),
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
        "收款计划生成",
        "Schedule issued",
        ("total_fen",),
        ("instalment_count", "first_due_on", "last_due_on"),
    ),
    "billing.instalment.fell_due": ("到期应付", "Instalment due", ("outstanding_fen",), ("number", "due_on")),
    "billing.instalment.became_overdue": ("逾期", "Instalment overdue", ("outstanding_fen",), ("number", "days_past_due")),
    "billing.arrears.aged": ("逾期中", "In arrears", ("overdue_fen",), ("days_past_due",)),
    "billing.arrears.cleared": ("欠款结清", "Arrears cleared", (), ()),
    "billing.receipt.allocated": ("入账分配", "Receipt allocated", ("amount_fen", "allocated_fen", "credit_balance_fen"), ()),
    "billing.receipt.reversed": ("收款冲正", "Receipt reversed", ("amount_fen",), ("kind",)),
    "billing.item.waived": ("减免", "Waived", ("amount_fen",), ("kind",)),
    "billing.account.written_off": ("核销", "Written off", ("amount_fen",), ()),
    "billing.asset.reclassified": ("风险分类调整", "Risk class changed", (), ("class_before", "asset_class", "days_past_due")),
    "billing.books.differed": ("账账不符", "Books and billing differ", ("ledger_fen", "billing_fen"), ("account",)),
    "billing.refund.recorded": ("退款入账", "Refund booked", ("amount_fen", "credit_balance_fen"), ()),
    "billing.charge.reduced": ("费用调减", "Charge reduced", ("taken_back_fen", "amount_fen"), ("kind",)),
    "billing.lease_class.differed": ("租赁分类待核", "Lease class to be looked at", (), ("booked_as", "lease_class", "because")),
    "billing.ownership.passed": ("租赁物归承租人所有", "The thing is the lessee's", (), ("passed_on",)),
    "billing.accrual.stopped": ("停止计息确认", "Interest no longer income", ("taken_back_fen",), ("days_past_due",)),
    "billing.accrual.resumed": ("恢复计息确认", "Interest is income again", ("recognised_fen",), ()),
    "billing.amendment.made": ("合同变更", "Amended", ("due_now_fen",), ("kind", "effective_on", "version")),
    "billing.lessee.transferred": ("变更承租人（借款人）", "Taken over by another", (), ("effective_on",)),
    "billing.payout.recorded": ("支付合作方", "Partner paid", ("amount_fen", "owed_fen"), ()),
    "platform.approval.requested": ("提交复核", "Waits for a second person", ("amount_fen",), ("command", "expires_at")),
    "platform.approval.decided": ("复核结果", "Decided by a second person", ("amount_fen",), ("command", "state")),
    "ledger.books.closed": ("结账", "Books closed", (), ("through_on", "trial_balance_sha256")),
    "ledger.books.reopened": ("反结账", "Books reopened", (), ("through_on", "trial_balance_sha256")),
    "collections.notice.sent": ("限制前通知已发出", "Notice before restriction sent", (), ()),
    "collections.notice.delivered": ("限制前通知已送达", "Notice before restriction delivered", (), ()),
    "collections.demand.sent": ("催告函已发出", "Demand for payment sent", (), ()),
    "collections.demand.delivered": ("催告函已送达", "Demand for payment delivered", (), ()),
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
    "colour": ("名单", "list"),
    "source": ("来源", "source"),
    "expires_on": ("到期日", "expires"),
    "report_due_on": ("报告截止日", "report due"),
    "reason_codes": ("原因码", "reason codes"),
    "reason": ("原因", "reason"),
    "outcome": ("结果", "outcome"),
    "decided_by": ("决定者", "decided by"),
    "strategy_key": ("策略", "strategy"),
    "strategy_version": ("版本", "version"),
    "restored_version": ("恢复的版本", "restored version"),
    "guard_rail": ("触发的护栏", "guard rail"),
    "level_before": ("原级别", "level before"),
    "line_before_fen": ("原额度", "line before"),
    "line_fen": ("额度", "line"),
    "is_frozen": ("已冻结", "frozen"),
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
    "owed_fen": ("尚欠", "still owed"),
    "command": ("操作", "what is to be done"),
    "expires_at": ("有效期至", "expires"),
    "state": ("结果", "outcome"),
    "through_on": ("结至", "through"),
    "trial_balance_sha256": ("科目余额摘要", "trial balance SHA-256"),
    "level": ("级别", "level"),
    "legal_basis": ("法律依据", "legal basis"),
    "template": ("模板", "template"),
    "rent_fen": ("每期租金", "rent per period"),
    "period_months": ("每期月数", "months per period"),
    "period_days": ("每期天数", "days per period"),
    "period_count": ("期数", "periods"),
    "daily_rate": ("日费率", "daily rate"),
    "ceiling_annual_pct": ("年化上限 %", "annual ceiling %"),
    "days_in_year": ("年天数", "days in a year"),
    "instalment_fen": ("该期金额", "this instalment"),
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
    "taken_back_fen": ("退回", "taken back"),
    "passed_on": ("归属日", "passed on"),
    "booked_as": ("账上分类", "booked as"),
    "lease_class": ("测试结果", "by the tests"),
    "because": ("符合的标准", "tests that hold"),
    "recognised_fen": ("补确认", "recognised"),
    "due_now_fen": ("立即应付", "due now"),
    "effective_on": ("生效日", "effective on"),
    "version": ("计划版本", "schedule version"),
    "principal_fen": ("本金", "principal"),
    "annual_rate_pct": ("年利率 %", "annual rate %"),
    "rows": ("期数", "instalments"),
    "every": ("每期", "each of"),
    "unit": ("单位", "unit"),
    "day_count": ("计息天数", "day count"),
    "interest_days": ("计息方式", "interest days"),
    "balloon_fen": ("残值（尾款）", "residual, balloon"),
    "grace_principal": ("只付息期数", "instalments without principal"),
    "grace_interest": ("不付息期数", "instalments without interest"),
    "interest_free": ("免息期数", "interest-free periods"),
    "rounding_mode": ("舍入", "rounding"),
    "instalment_multiple_fen": ("每期取整到", "instalments in whole"),
    "residue": ("尾差归入", "residue in"),
    "start_on": ("起息日", "interest from"),
    "row_principal_fen": ("该期本金", "principal of the instalment"),
    "row_interest_fen": ("该期利息", "interest of the instalment"),
    "row_fee_fen": ("该期费用", "fee of the instalment"),
    "deferred_interest_fen": ("递延利息", "interest deferred"),
    "balance_after_fen": ("期末剩余本金", "principal left afterwards"),
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
    "principal": ("本金", "principal"),
    "interest": ("利息", "interest"),
    "fee": ("手续费", "fee"),
    "prepayment_fee": ("提前还款费", "prepayment fee"),
    "buyout": ("买断价", "buyout"),
    "finance": ("融资租赁", "finance lease"),
    "operating": ("经营租赁", "operating lease"),
    "no_lease": ("不是租赁", "no lease"),
    "termination_loss": ("解约损失", "loss on termination"),
    "normal": ("正常", "normal"),
    "attention": ("关注", "attention"),
    "substandard": ("次级", "substandard"),
    "doubtful": ("可疑", "doubtful"),
    "loss": ("损失", "loss"),
    "waiver": ("减免", "waiver"),
    "write_off": ("核销", "write-off"),
    "recovery": ("收回", "recovery"),
    "reversal": ("冲正", "reversal"),
    "chargeback": ("退单", "chargeback"),
    "month": ("月", "month"),
    "daily": ("按日", "daily"),
    "last": ("末期", "the last instalment"),
    "rental": ("租赁", "rental"),
    "finance_lease": ("融资租赁", "finance lease"),
    "loan": ("借款", "loan"),
    "down": ("不足一分舍去", "down to the fen"),
    "half_up": ("四舍五入到分", "half up to the fen"),
    "one_time_code": ("签署验证码", "one-time code"),
    "payment_reminder": ("还款提醒", "payment reminder"),
    "payment_demand": ("催告函", "demand for payment"),
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


def state_text(value: str | None, english: bool) -> tuple[str, str]:
    """A state's word and tone; two empty ones when there is none."""
    words = STATES.get(value or "")
    return ("", "") if value is None else (value, "") if words is None else (words[1] if english else words[0], words[2])


def amount_or_text(name: str, value: object, english: bool) -> str:
    """A named value for a person: money when its unit is fen."""
    return str(Money(int(str(value)))) if name.endswith("_fen") else value_text(value, english)
