"""Code tables of the report that computing rests on. A code that is not here is refused by name: guessing its meaning would decide.

Tables that only describe (trade, kind of business, kind of institution, reasons of inquiry other than ours) are open: a new code there
changes nothing we compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class AccountType(StrEnum):
    """PD01AD01 账户类型."""

    NON_REVOLVING = "D1"  # 非循环贷账户
    REVOLVING = "R1"  # 循环贷账户
    CREDIT_CARD = "R2"  # 贷记卡账户
    QUASI_CREDIT_CARD = "R3"  # 准贷记卡账户
    REVOLVING_SUB = "R4"  # 循环额度下分账户
    RECOURSE = "C1"  # 催收账户: claims others pay for and now pursue


LOANS = frozenset({AccountType.NON_REVOLVING, AccountType.REVOLVING, AccountType.REVOLVING_SUB})
CARDS = frozenset({AccountType.CREDIT_CARD, AccountType.QUASI_CREDIT_CARD})
CREDIT = LOANS | CARDS

ACCOUNT_TYPE_ZH: Mapping[str, str] = MappingProxyType(
    {
        "D1": "非循环贷账户",
        "R1": "循环贷账户",
        "R2": "贷记卡账户",
        "R3": "准贷记卡账户",
        "R4": "循环额度下分账户",
        "C1": "催收账户",
    }
)

_LOAN_STATUS = {"1": "正常", "2": "逾期", "3": "结清", "4": "呆账", "6": "担保物不足", "8": "司法追偿"}
_CARD_STATUS = {
    "1": "正常",
    "2": "冻结",
    "3": "止付",
    "31": "银行止付",
    "4": "销户",
    "5": "呆账",
    "6": "未激活",
    "8": "司法追偿",
}
# PD01BD01 and PD01CD01: the same digit means different things for a loan and for a card.
ACCOUNT_STATUS_ZH: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "D1": {**_LOAN_STATUS, "5": "转出", "7": "强制平仓"},
        "R1": {**_LOAN_STATUS, "5": "银行止付"},
        "R4": _LOAN_STATUS,
        "R2": _CARD_STATUS,
        "R3": _CARD_STATUS,
        "C1": {"1": "催收", "2": "结束"},
    }
)
# Nothing more can become due on the account.
CLOSED_STATUSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "D1": frozenset({"3", "5"}),
        "R1": frozenset({"3"}),
        "R4": frozenset({"3"}),
        "R2": frozenset({"4"}),
        "R3": frozenset({"4"}),
        "C1": frozenset({"2"}),
    }
)
BAD_DEBT_STATUSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "D1": frozenset({"4"}),
        "R1": frozenset({"4"}),
        "R4": frozenset({"4"}),
        "R2": frozenset({"5"}),
        "R3": frozenset({"5"}),
        "C1": frozenset(),
    }
)
CARD_NOT_ACTIVATED = "6"

FIVE_CLASS_ZH: Mapping[str, str] = MappingProxyType(
    {"1": "正常", "2": "关注", "3": "次级", "4": "可疑", "5": "损失", "6": "违约", "9": "未分类"}
)
NON_NORMAL_CLASSES = frozenset("23456")

REPAYMENT_STATUS_ZH: Mapping[str, str] = MappingProxyType(
    {
        "N": "正常",
        "*": "当月不需要还款",
        "M": "约定还款日后月底前还款",
        "1": "逾期1—30天",
        "2": "逾期31—60天",
        "3": "逾期61—90天",
        "4": "逾期91—120天",
        "5": "逾期121—150天",
        "6": "逾期151—180天",
        "7": "逾期180天以上",
        "B": "呆账",
        "D": "担保人代还",
        "Z": "以资抵债",
        "C": "结清",
        "G": "结束（非正常）",
        "A": "账单日调整，当月不出单",
        "/": "跳过",
        "#": "未知",
    }
)
OVERDUE_STATUSES = frozenset("1234567")
BAD_DEBT = "B"
SUBSTITUTED = frozenset("DZ")  # somebody or something else paid: the debtor had failed to

SPECIAL_TRADE_ZH: Mapping[str, str] = MappingProxyType(
    {
        "1": "展期",
        "2": "担保人（第三方）代偿",
        "3": "以资抵债",
        "4": "提前还款",
        "5": "提前结清",
        "6": "强制平仓，未结清",
        "7": "强制平仓，已结清",
        "8": "司法追偿",
        "9": "其他",
        "11": "债务减免",
        "12": "资产剥离",
        "13": "资产转让",
        "14": "信用卡个性化分期",
        "16": "落实金融纾困政策的主动延期",
        "17": "强制平仓",
    }
)
BAD_SPECIAL_TRADES = frozenset({"2", "3", "6", "8"})

# PA01BD02 and PH010Q03. What somebody who leases or lends may inquire for stands in INQUIRY_PURPOSES.
INQUIRY_REASON_ZH: Mapping[str, str] = MappingProxyType(
    {
        "01": "贷后管理",
        "02": "贷款审批",
        "03": "信用卡审批",
        "08": "担保资格审查",
        "09": "司法调查",
        "16": "公积金提取复核查询",
        "18": "股指期货开户",
        "19": "特约商户实名审查",
        "20": "保前审查",
        "21": "保后管理",
        "22": "法人代表、负责人、高管等资信审查",
        "23": "客户准入资格审查",
        "24": "融资审批",
        "25": "资信审查",
        "26": "额度审批",
    }
)
LOAN_APPROVAL, CARD_APPROVAL = "02", "03"
APPROVAL_REASONS = frozenset({"02", "03", "08", "20", "24"})

IDENTITY_CARD = "10"  # PA01BD01 证件类型, table A.2 of the interface specification: 10 居民身份证
CONSUMER_FINANCE_ORGS = frozenset({"24", "51"})  # 消费金融公司, 小额贷款公司
CNY = "CNY"
