"""PCA, PCR, PND and POT to PAH, POS, POQ: credit lines, others' debts, bills, public records, notes, queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from xinzu.middle.credit.rules.pboc.codes import ACCOUNT_TYPE_ZH, FIVE_CLASS_ZH, REPAYMENT_STATUS_ZH
from xinzu.middle.credit.rules.pboc.fields import amount, code, count, day, month, one, text
from xinzu.middle.credit.rules.pboc.nodes.notes import Notes


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLineBasics:
    """PD02A."""

    line_no: str | None = text("PD02AI01", "授信协议编号")
    institution_kind: str | None = code("PD02AD01", "业务管理机构类型")
    institution_code: str | None = text("PD02AI02", "业务管理机构")
    line_mark: str | None = text("PD02AI03", "授信协议标识")
    purpose: str | None = code("PD02AD02", "授信额度用途")
    limit_fen: int | None = amount("PD02AJ01", "授信额度")
    currency: str | None = code("PD02AD03", "币种")
    from_on: date | None = day("PD02AR01", "生效日期")
    until_on: date | None = day("PD02AR02", "到期日期")
    status: str | None = code("PD02AD04", "授信协议状态")
    used_fen: int | None = amount("PD02AJ04", "已用额度")
    cap_fen: int | None = amount("PD02AJ03", "授信限额")
    cap_no: str | None = text("PD02AI04", "授信限额编号")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """PD02 授信协议."""

    basics: CreditLineBasics | None = one("PD02A", CreditLineBasics)
    notes: Notes | None = one("PD02Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiabilityBasics:
    """PD03A."""

    debtor_kind: str | None = code("PD03AD08", "主借款人身份类别")
    institution_kind: str | None = code("PD03AD01", "业务管理机构类型")
    institution_code: str | None = text("PD03AQ01", "业务管理机构")
    business: str | None = code("PD03AD02", "业务种类")
    opened_on: date | None = day("PD03AR01", "开立日期")
    due_on: date | None = day("PD03AR02", "到期日期")
    liability_kind: str | None = code("PD03AD03", "相关还款责任人类型")
    guarantee_no: str | None = text("PD03AQ02", "保证合同编号")
    liability_fen: int | None = amount("PD03AJ01", "相关还款责任金额")
    currency: str | None = code("PD03AD04", "币种")
    balance_fen: int | None = amount("PD03AJ02", "余额")
    five_class: str | None = code("PD03AD05", "五级分类", FIVE_CLASS_ZH)
    account_type: str | None = code("PD03AD06", "账户类型", ACCOUNT_TYPE_ZH)
    repayment_status: str | None = code("PD03AD07", "还款状态", REPAYMENT_STATUS_ZH)
    overdue_months: int | None = count("PD03AS01", "逾期月数")
    informed_on: date | None = day("PD03AR03", "信息报告日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Liability:
    """PD03 相关还款责任: what the person pays when somebody else does not."""

    basics: LiabilityBasics | None = one("PD03A", LiabilityBasics)
    notes: Notes | None = one("PD03Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostpaidBasics:
    """PE01A."""

    kind: str | None = code("PE01AD01", "后付费账户类型")
    institution: str | None = text("PE01AQ01", "机构名称")
    business: str | None = code("PE01AD02", "业务类型")
    opened_on: date | None = day("PE01AR01", "业务开通日期")
    status: str | None = code("PE01AD03", "当前缴费状态")
    arrears_fen: int | None = amount("PE01AJ01", "当前欠费金额")
    month: date | None = month("PE01AR02", "记账年月")
    last_24_months: str | None = text("PE01AQ02", "最近24个月缴费记录")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postpaid:
    """PE01 后付费业务."""

    basics: PostpaidBasics | None = one("PE01A", PostpaidBasics)
    notes: Notes | None = one("PE01Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxArrearsBasics:
    """PF01A."""

    authority: str | None = text("PF01AQ01", "主管税务机关")
    arrears_fen: int | None = amount("PF01AJ01", "欠税总额")
    counted_on: date | None = day("PF01AR01", "欠税统计日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxArrears:
    """PF01 欠税记录."""

    basics: TaxArrearsBasics | None = one("PF01A", TaxArrearsBasics)
    notes: Notes | None = one("PF01Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgmentBasics:
    """PF02A."""

    court: str | None = text("PF02AQ01", "立案法院")
    cause: str | None = text("PF02AQ02", "案由")
    filed_on: date | None = day("PF02AR01", "立案日期")
    closed_by: str | None = code("PF02AD01", "结案方式")
    result: str | None = text("PF02AQ03", "判决/调解结果")
    effective_on: date | None = day("PF02AR02", "判决/调解生效日期")
    subject: str | None = text("PF02AQ04", "诉讼标的")
    amount_fen: int | None = amount("PF02AJ01", "诉讼标的金额")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """PF02 民事判决记录."""

    basics: JudgmentBasics | None = one("PF02A", JudgmentBasics)
    notes: Notes | None = one("PF02Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforcementBasics:
    """PF03A."""

    court: str | None = text("PF03AQ01", "执行法院")
    cause: str | None = text("PF03AQ02", "执行案由")
    filed_on: date | None = day("PF03AR01", "立案日期")
    closed_by: str | None = code("PF03AD01", "结案方式")
    state: str | None = text("PF03AQ03", "案件状态")
    closed_on: date | None = day("PF03AR02", "结案日期")
    subject: str | None = text("PF03AQ04", "申请执行标的")
    amount_fen: int | None = amount("PF03AJ01", "申请执行标的金额")
    enforced: str | None = text("PF03AQ05", "已执行标的")
    enforced_fen: int | None = amount("PF03AJ02", "已执行标的金额")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """PF03 强制执行记录."""

    basics: EnforcementBasics | None = one("PF03A", EnforcementBasics)
    notes: Notes | None = one("PF03Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyBasics:
    """PF04A."""

    authority: str | None = text("PF04AQ01", "处罚机构")
    content: str | None = text("PF04AQ02", "处罚内容")
    amount_fen: int | None = amount("PF04AJ01", "处罚金额")
    effective_on: date | None = day("PF04AR01", "处罚生效日期")
    until_on: date | None = day("PF04AR02", "处罚截止日期")
    review_result: str | None = text("PF04AQ03", "行政复议结果")


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """PF04 行政处罚记录."""

    basics: PenaltyBasics | None = one("PF04A", PenaltyBasics)
    notes: Notes | None = one("PF04Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HousingFundBasics:
    """PF05A. No longer brought up to date by the bureau."""

    place: str | None = text("PF05AQ01", "参缴地")
    joined_on: date | None = day("PF05AR01", "参缴日期")
    state: str | None = code("PF05AD01", "缴费状态")
    first_month: date | None = month("PF05AR02", "初缴月份")
    last_month: date | None = month("PF05AR03", "缴至月份")
    employer_share: str | None = text("PF05AQ02", "单位缴存比例")
    own_share: str | None = text("PF05AQ03", "个人缴存比例")
    monthly_fen: int | None = amount("PF05AJ01", "月缴存额")
    employer: str | None = text("PF05AQ04", "缴费单位")
    updated_on: date | None = day("PF05AR04", "信息更新日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class HousingFund:
    """PF05 住房公积金参缴记录."""

    basics: HousingFundBasics | None = one("PF05A", HousingFundBasics)
    notes: Notes | None = one("PF05Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceBasics:
    """PF06A."""

    kind: str | None = code("PF06AD01", "人员类别")
    place: str | None = text("PF06AQ01", "所在地")
    employer: str | None = text("PF06AQ02", "工作单位")
    family_monthly_income: str | None = text("PF06AQ03", "家庭月收入")
    applied_on: date | None = day("PF06AR01", "申请日期")
    granted_on: date | None = day("PF06AR02", "批准日期")
    updated_on: date | None = day("PF06AR03", "信息更新日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """PF06 低保救助记录."""

    basics: AllowanceBasics | None = one("PF06A", AllowanceBasics)
    notes: Notes | None = one("PF06Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualificationBasics:
    """PF07A."""

    name: str | None = text("PF07AQ01", "执业资格名称")
    authority: str | None = text("PF07AQ02", "颁发机构")
    grade: str | None = code("PF07AD01", "等级")
    place: str | None = code("PF07AD02", "机构所在地")
    obtained_on: date | None = day("PF07AR01", "获得日期")
    until_on: date | None = day("PF07AR02", "到期日期")
    revoked_on: date | None = day("PF07AR03", "吊销日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """PF07 执业资格记录."""

    basics: QualificationBasics | None = one("PF07A", QualificationBasics)
    notes: Notes | None = one("PF07Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardBasics:
    """PF08A."""

    authority: str | None = text("PF08AQ01", "奖励机构")
    content: str | None = text("PF08AQ02", "奖励内容")
    effective_on: date | None = day("PF08AR01", "生效日期")
    until_on: date | None = day("PF08AR02", "截止日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """PF08 行政奖励记录."""

    basics: AwardBasics | None = one("PF08A", AwardBasics)
    notes: Notes | None = one("PF08Z", Notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherNote:
    """PG01 其他标注及声明."""

    object_kind: str | None = code("PG010D01", "对象类型")
    object_mark: str | None = code("PG010D02", "对象标识")
    kind: str | None = code("PG010D03", "标注及声明类型")
    content: str | None = text("PG010Q01", "标注或声明内容")
    added_on: date | None = day("PG010R01", "添加日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """PH01 查询记录: who looked, and why."""

    queried_on: date = day("PH010R01", "查询日期", is_required=True)
    institution_kind: str | None = code("PH010D01", "查询机构类型")
    institution: str | None = text("PH010Q02", "查询机构")
    reason: str = code("PH010Q03", "查询原因", is_required=True)
