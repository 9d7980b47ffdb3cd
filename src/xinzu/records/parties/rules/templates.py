"""What messages say. The texts hold no name and no identity number: a phone may be in other hands.

Each template declares the variables it takes. Amounts are given in fen and shown in yuan; a level and a family are given by their codes.
What is said of every agreement names it by its number alone: "合同" is right for a rental, a finance lease and a loan.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from xinzu.kernel.money import to_yuan
from xinzu.kernel.terms import Family
from xinzu.records.parties.model import MessageTemplate

LEVELS_ZH = {"remind": "提醒", "limit": "限制部分功能", "lock": "锁定（紧急呼叫不受影响）"}
FAMILIES_ZH = {Family.RENTAL: "租赁合同", Family.FINANCE_LEASE: "融资租赁合同", Family.LOAN: "借款合同"}


@dataclass(frozen=True)
class TemplateText:
    """One template: its text, and whether it asks for money or threatens a consequence (then the hours of rest hold)."""

    text: str
    is_collection: bool = False

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names a caller must give, as they stand in the text."""
        return frozenset(name for _, name, _, _ in string.Formatter().parse(self.text) if name)


TEMPLATES: Mapping[MessageTemplate, TemplateText] = {
    MessageTemplate.ONE_TIME_CODE: TemplateText(
        "您的合同确认码为{code}，{valid_minutes}分钟内有效。仅用于签署合同，请勿告知他人。"
    ),
    MessageTemplate.PAYMENT_REMINDER: TemplateText(
        "您的合同{agreement_no}有{amount_fen}元已于{due_on}到期，请及时支付。如已支付请忽略；如有困难可联系我们协商。",
        is_collection=True,
    ),
    MessageTemplate.PAYMENT_DEMAND: TemplateText(
        "【催告函】您的{family}{agreement_no}已逾期{days_past_due}天，未付{amount_fen}元。请于{pay_by}（含当日）前付清；逾期仍未支付的，"
        "我方有权依法依约要求一次付清全部未到期款项或解除合同。如有异议或困难，请联系我们协商。",
        is_collection=True,
    ),
    MessageTemplate.RESTRICTION_NOTICE: TemplateText(
        "您的租赁合同{agreement_no}逾期未付{amount_fen}元。若在{not_before}前仍未支付，将按合同约定对租赁设备采取{level}措施。"
        "付清后立即解除；如有异议可申请暂缓。",
        is_collection=True,
    ),
    MessageTemplate.RESTRICTION_APPLIED: TemplateText(
        "因租赁合同{agreement_no}逾期，租赁设备已采取{level}措施。紧急呼叫始终可用，付清欠款后立即解除。", is_collection=True
    ),
    MessageTemplate.RESTRICTION_LIFTED: TemplateText("租赁合同{agreement_no}的欠款已付清，租赁设备的限制已解除，感谢您的支付。"),
    MessageTemplate.AGREEMENT_COMMENCED: TemplateText(
        "您的{family}{agreement_no}已于{commencement_on}起算，首期{amount_fen}元于{due_on}到期，请按还款计划支付。"
    ),
    MessageTemplate.AGREEMENT_REPAID: TemplateText("您的{family}{agreement_no}已全部付清并终止。感谢使用。"),
    MessageTemplate.AGREEMENT_ENDED: TemplateText("您的租赁合同{agreement_no}已结清并终止，押金额度已释放。感谢使用。"),
    MessageTemplate.DECISION_DECLINED: TemplateText(
        "很抱歉，您申请的{product_name}未通过审核。您可在订单页查看原因；对自动作出的决定，您有权要求说明并申请人工复核。"
    ),
}


def render(template: MessageTemplate, variables: Mapping[str, str | int], sender: str) -> str:
    """The text as it is sent, signed with the merchant's name. Raises ValueError when a variable is missing or not the template's.

    >>> render(MessageTemplate.ONE_TIME_CODE, {"code": "204816", "valid_minutes": 5}, "珊瑚数码")
    '【珊瑚数码】您的合同确认码为204816，5分钟内有效。仅用于签署合同，请勿告知他人。'
    """
    wanted = TEMPLATES[template].variables
    if variables.keys() != wanted:
        raise ValueError(f"{template} takes {sorted(wanted)}, got {sorted(variables)}")
    return f"【{sender}】" + TEMPLATES[template].text.format_map({name: _shown(name, value) for name, value in variables.items()})


def is_collection(template: MessageTemplate) -> bool:
    """Whether the hours in which a debtor may be addressed hold for it."""
    return TEMPLATES[template].is_collection


def _shown(name: str, value: str | int) -> str:
    if name.endswith("_fen"):
        return to_yuan(int(value))
    if name == "level":
        return LEVELS_ZH[str(value)]
    if name == "family":
        return FAMILIES_ZH[Family(str(value))]
    return str(value)
