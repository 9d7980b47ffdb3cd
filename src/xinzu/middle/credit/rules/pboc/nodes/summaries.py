"""PSM, PCO, PNO, PPO, PQO: the score and the summaries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from xinzu.middle.credit.rules.pboc.fields import amount, code, codes, count, day, many, month, one, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """PC01 个人信用报告“数字解读”."""

    score: int | None = count("PC010Q01", "数字解读")
    relative_position: str | None = text("PC010Q02", "相对位置")
    reasons_count: int | None = count("PC010S01", "分数说明条数")
    reasons: tuple[str, ...] = codes("PC010D01", "分数说明")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeHint:
    kind: str | None = code("PC02AD01", "业务类型")
    group: str | None = code("PC02AD02", "业务大类")
    accounts_count: int | None = count("PC02AS03", "账户数")
    first_month: date | None = month("PC02AR01", "首笔业务发放月份")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeHints:
    """PC02A 信贷交易提示."""

    accounts_count: int | None = count("PC02AS01", "账户数合计")
    kinds_count: int | None = count("PC02AS02", "业务类型数量")
    hints: tuple[TradeHint, ...] = many("PC02AH", TradeHint)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecourseHint:
    kind: str | None = code("PC02BD01", "业务类型")
    accounts_count: int | None = count("PC02BS03", "账户数")
    balance_fen: int | None = amount("PC02BJ02", "余额")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecourseSummary:
    """PC02B 被追偿汇总."""

    accounts_count: int | None = count("PC02BS01", "账户数合计")
    balance_fen: int | None = amount("PC02BJ01", "余额合计")
    kinds_count: int | None = count("PC02BS02", "业务类型数量")
    kinds: tuple[RecourseHint, ...] = many("PC02BH", RecourseHint)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadDebtSummary:
    """PC02C 呆账汇总."""

    accounts_count: int | None = count("PC02CS01", "账户数")
    balance_fen: int | None = amount("PC02CJ01", "余额")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueHint:
    account_type: str | None = code("PC02DD01", "账户类型")
    accounts_count: int | None = count("PC02DS02", "账户数")
    months_count: int | None = count("PC02DS03", "月份数")
    month_max_fen: int | None = amount("PC02DJ01", "单月最高逾期（透支）总额")
    longest_months: int | None = count("PC02DS04", "最长逾期（透支）月数")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueSummary:
    """PC02D 逾期（透支）汇总."""

    kinds_count: int | None = count("PC02DS01", "账户类型数量")
    kinds: tuple[OverdueHint, ...] = many("PC02DH", OverdueHint)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanSummary:
    """PC02E, F, G: open non-revolving loans, sub-accounts of a limit, revolving loans."""

    institutions_count: int | None = count("*S01", "管理机构数")
    accounts_count: int | None = count("*S02", "账户数")
    credit_fen: int | None = amount("*J01", "授信总额")
    balance_fen: int | None = amount("*J02", "余额")
    due_month_fen: int | None = amount("*J03", "最近6个月平均应还款")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSummary:
    """PC02H, I: credit cards that are not closed, quasi-credit cards."""

    institutions_count: int | None = count("*S01", "发卡机构数")
    accounts_count: int | None = count("*S02", "账户数")
    limit_fen: int | None = amount("*J01", "授信总额")
    institution_max_fen: int | None = amount("*J02", "单家机构最高授信额")
    institution_min_fen: int | None = amount("*J03", "单家机构最低授信额")
    used_fen: int | None = amount("*J04", "已用额度（透支余额）")
    used_average_fen: int | None = amount("*J05", "最近6个月平均使用额度（透支余额）")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiabilityHint:
    debtor_kind: str | None = code("PC02KD01", "相关还款责任人类型")
    liability_kind: str | None = code("PC02KD02", "相关还款责任类型")
    accounts_count: int | None = count("PC02KS02", "账户数")
    liability_fen: int | None = amount("PC02KJ01", "相关还款责任金额")
    balance_fen: int | None = amount("PC02KJ02", "余额")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiabilitySummary:
    """PC02K 相关还款责任汇总."""

    kinds_count: int | None = count("PC02KS01", "相关还款责任个数")
    kinds: tuple[LiabilityHint, ...] = many("PC02KH", LiabilityHint)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSummary:
    """PC02 信贷交易信息概要."""

    hints: TradeHints | None = one("PC02A", TradeHints)
    recourse: RecourseSummary | None = one("PC02B", RecourseSummary)
    bad_debt: BadDebtSummary | None = one("PC02C", BadDebtSummary)
    overdue: OverdueSummary | None = one("PC02D", OverdueSummary)
    non_revolving: LoanSummary | None = one("PC02E", LoanSummary)
    revolving_sub: LoanSummary | None = one("PC02F", LoanSummary)
    revolving: LoanSummary | None = one("PC02G", LoanSummary)
    credit_cards: CardSummary | None = one("PC02H", CardSummary)
    quasi_cards: CardSummary | None = one("PC02I", CardSummary)
    liabilities: LiabilitySummary | None = one("PC02K", LiabilitySummary)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostpaidHint:
    kind: str | None = code("PC030D01", "后付费业务类型")
    arrears_accounts_count: int | None = count("PC030S02", "欠费账户数")
    arrears_fen: int | None = amount("PC030J01", "欠费金额")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostpaidSummary:
    """PC03 非信贷交易信息概要."""

    kinds_count: int | None = count("PC030S01", "后付费业务类型数量")
    kinds: tuple[PostpaidHint, ...] = many("PC030H", PostpaidHint)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHint:
    kind: str | None = code("PC040D01", "公共信息类型")
    records_count: int | None = count("PC040S02", "记录数")
    amount_fen: int | None = amount("PC040J01", "涉及金额")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSummary:
    """PC04 公共信息概要."""

    kinds_count: int | None = count("PC040S01", "公共信息类型数量")
    kinds: tuple[PublicHint, ...] = many("PC040H", PublicHint)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastQuery:
    """PC05A 上一次查询."""

    queried_on: date | None = day("PC05AR01", "上一次查询日期")
    institution_kind: str | None = code("PC05AD01", "上一次查询机构机构类型")
    institution_code: str | None = text("PC05AI01", "上一次查询机构代码")
    reason: str | None = code("PC05AQ01", "上一次查询原因")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCounts:
    """PC05B: institutions and queries of the last month, queries of the last two years."""

    loan_institutions_1m: int | None = count("PC05BS01", "最近1个月内的查询机构数（贷款审批）")
    card_institutions_1m: int | None = count("PC05BS02", "最近1个月内的查询机构数（信用卡审批）")
    loan_queries_1m: int | None = count("PC05BS03", "最近1个月内的查询次数（贷款审批）")
    card_queries_1m: int | None = count("PC05BS04", "最近1个月内的查询次数（信用卡审批）")
    own_queries_1m: int | None = count("PC05BS05", "最近1个月内的查询次数（本人查询）")
    servicing_queries_24m: int | None = count("PC05BS06", "最近2年内的查询次数（贷后管理）")
    guarantee_queries_24m: int | None = count("PC05BS07", "最近2年内的查询次数（担保资格审查）")
    merchant_queries_24m: int | None = count("PC05BS08", "最近2年内的查询次数（特约商户实名审查）")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySummary:
    """PC05 查询记录概要."""

    last: LastQuery | None = one("PC05A", LastQuery)
    counts: QueryCounts | None = one("PC05B", QueryCounts)
