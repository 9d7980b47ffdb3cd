"""PDA: the accounts, with their latest state, their months and what was special."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from xinzu.middle.credit.rules.pboc.codes import (
    ACCOUNT_TYPE_ZH,
    FIVE_CLASS_ZH,
    REPAYMENT_STATUS_ZH,
    SPECIAL_TRADE_ZH,
    AccountType,
)
from xinzu.middle.credit.rules.pboc.fields import amount, code, count, day, many, month, one, text
from xinzu.middle.credit.rules.pboc.nodes.notes import Notes

_ANY_ACCOUNT_STATUS = ("1", "2", "3", "31", "4", "5", "6", "7", "8")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBasics:
    """PD01A. ``opened_on`` of a C1 account is the day the claim was taken over."""

    account_no: str = text("PD01AI01", "账户编号", is_required=True)
    type: str = code("PD01AD01", "账户类型", ACCOUNT_TYPE_ZH, is_required=True)
    institution_kind: str | None = code("PD01AD02", "业务管理机构类型")
    institution_code: str | None = text("PD01AI02", "业务管理机构代码")
    account_mark: str | None = text("PD01AI03", "账户标识")
    credit_line_no: str | None = text("PD01AI04", "授信协议编号")
    business: str | None = code("PD01AD03", "业务种类")
    opened_on: date = day("PD01AR01", "账户开立日期", is_required=True)
    currency: str | None = code("PD01AD04", "币种")
    lent_fen: int | None = amount("PD01AJ01", "借款金额")
    limit_fen: int | None = amount("PD01AJ02", "账户授信额度")
    shared_limit_fen: int | None = amount("PD01AJ03", "共享授信额度")
    due_on: date | None = day("PD01AR02", "账户到期日期")
    repayment_method: str | None = code("PD01AD05", "还款方式")
    repayment_frequency: str | None = code("PD01AD06", "还款频率")
    instalments_count: int | None = count("PD01AS01", "还款期数")
    security: str | None = code("PD01AD07", "担保方式")
    lending_form: str | None = code("PD01AD08", "贷款发放形式")
    joint_borrowing: str | None = code("PD01AD09", "共同借款标志")
    status_at_transfer: str | None = code("PD01AD10", "债权转移时的还款状态")


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestState:
    """PD01B 最新表现. Tells the account's end when it has ended."""

    status: str | None = code("PD01BD01", "账户状态", _ANY_ACCOUNT_STATUS)
    closed_on: date | None = day("PD01BR01", "账户关闭日期")
    transferred_month: date | None = month("PD01BR04", "转出月份")
    balance_fen: int | None = amount("PD01BJ01", "余额")
    repaid_on: date | None = day("PD01BR02", "最近一次还款日期")
    repaid_fen: int | None = amount("PD01BJ02", "最近一次还款金额")
    five_class: str | None = code("PD01BD03", "五级分类", FIVE_CLASS_ZH)
    repayment_status: str | None = code("PD01BD04", "还款状态", REPAYMENT_STATUS_ZH)
    informed_on: date | None = day("PD01BR03", "信息报告日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestMonth:
    """PD01C 最近一次月度表现."""

    month: date | None = month("PD01CR01", "月份")
    status: str | None = code("PD01CD01", "账户状态", _ANY_ACCOUNT_STATUS)
    balance_fen: int | None = amount("PD01CJ01", "余额")
    used_fen: int | None = amount("PD01CJ02", "已用额度")
    special_instalments_fen: int | None = amount("PD01CJ03", "未出单的大额专项分期余额")
    five_class: str | None = code("PD01CD02", "五级分类", FIVE_CLASS_ZH)
    instalments_left: int | None = count("PD01CS01", "剩余还款期数")
    due_on: date | None = day("PD01CR02", "应还款日")
    due_fen: int | None = amount("PD01CJ04", "本月应还款")
    repaid_fen: int | None = amount("PD01CJ05", "本月实还款")
    repaid_on: date | None = day("PD01CR03", "最近一次还款日期")
    overdue_instalments: int | None = count("PD01CS02", "当前逾期期数")
    overdue_fen: int | None = amount("PD01CJ06", "当前逾期总额")
    principal_31_60_days_fen: int | None = amount("PD01CJ07", "逾期31—60天未还本金")
    principal_61_90_days_fen: int | None = amount("PD01CJ08", "逾期61—90天未还本金")
    principal_91_180_days_fen: int | None = amount("PD01CJ09", "逾期91—180天未还本金")
    principal_over_180_days_fen: int | None = amount("PD01CJ10", "逾期180天以上未还本金")
    overdraft_over_180_days_fen: int | None = amount("PD01CJ11", "透支180天以上未付余额")
    used_average_fen: int | None = amount("PD01CJ12", "最近6个月平均使用额度")
    overdraft_average_fen: int | None = amount("PD01CJ13", "最近6个月平均透支余额")
    used_max_fen: int | None = amount("PD01CJ14", "最大使用额度")
    overdraft_max_fen: int | None = amount("PD01CJ15", "最大透支余额")
    informed_on: date | None = day("PD01CR04", "信息报告日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthStatus:
    month: date = month("PD01DR03", "月份", is_required=True)
    status: str = code("PD01DD01", "还款状态", REPAYMENT_STATUS_ZH, is_required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last24Months:
    """PD01D 最近24个月还款记录."""

    from_month: date | None = month("PD01DR01", "起始年月")
    to_month: date | None = month("PD01DR02", "截止年月")
    months: tuple[MonthStatus, ...] = many("PD01DH", MonthStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthHistory:
    month: date = month("PD01ER03", "月份", is_required=True)
    status: str = code("PD01ED01", "还款状态", REPAYMENT_STATUS_ZH, is_required=True)
    overdue_fen: int | None = amount("PD01EJ01", "逾期（透支）总额")


@dataclass(frozen=True, slots=True, kw_only=True)
class Last60Months:
    """PD01E 最近5年内的历史表现."""

    from_month: date | None = month("PD01ER01", "起始年月")
    to_month: date | None = month("PD01ER02", "截止年月")
    months_count: int | None = count("PD01ES01", "月数")
    months: tuple[MonthHistory, ...] = many("PD01EH", MonthHistory)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialTrade:
    kind: str = code("PD01FD01", "特殊交易类型", SPECIAL_TRADE_ZH, is_required=True)
    traded_on: date | None = day("PD01FR01", "特殊交易发生日期")
    due_moved_months: int | None = count("PD01FS02", "到期日期变更月数")
    amount_fen: int | None = amount("PD01FJ01", "特殊交易发生金额")
    detail: str | None = text("PD01FQ01", "特殊交易明细记录")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialTrades:
    """PD01F 特殊交易."""

    trades_count: int | None = count("PD01FS01", "特殊交易个数")
    trades: tuple[SpecialTrade, ...] = many("PD01FH", SpecialTrade)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialEvent:
    month: date | None = month("PD01GR01", "特殊事件发生月份")
    kind: str | None = code("PD01GD01", "特殊事件类型")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialEvents:
    """PD01G 特殊事件说明."""

    events_count: int | None = count("PD01GS01", "特殊事件说明个数")
    events: tuple[SpecialEvent, ...] = many("PD01GH", SpecialEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeInstalment:
    limit_fen: int | None = amount("PD01HJ01", "大额专项分期额度")
    from_on: date | None = day("PD01HR01", "分期额度生效日期")
    until_on: date | None = day("PD01HR02", "分期额度到期日期")
    used_fen: int | None = amount("PD01HJ02", "已用分期金额")


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeInstalments:
    """PD01H 大额专项分期."""

    instalments_count: int | None = count("PD01HS01", "大额专项分期笔数")
    instalments: tuple[LargeInstalment, ...] = many("PD01HH", LargeInstalment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """PD01 借贷账户."""

    basics: AccountBasics = one("PD01A", AccountBasics, is_required=True)
    latest: LatestState | None = one("PD01B", LatestState)
    latest_month: LatestMonth | None = one("PD01C", LatestMonth)
    last_24_months: Last24Months | None = one("PD01D", Last24Months)
    last_60_months: Last60Months | None = one("PD01E", Last60Months)
    special_trades: SpecialTrades | None = one("PD01F", SpecialTrades)
    special_events: SpecialEvents | None = one("PD01G", SpecialEvents)
    large_instalments: LargeInstalments | None = one("PD01H", LargeInstalments)
    notes: Notes | None = one("PD01Z", Notes)

    @property
    def type(self) -> AccountType:
        return AccountType(self.basics.type)

    @property
    def status(self) -> str | None:
        """The account's status: the latest that is known, else that of the latest month."""
        latest = self.latest.status if self.latest else None
        return latest or (self.latest_month.status if self.latest_month else None)
