"""PRH: which report, about whom, by whom and for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from xinzu.middle.credit.rules.pboc.codes import INQUIRY_REASON_ZH
from xinzu.middle.credit.rules.pboc.fields import code, count, day, many, one, text, time


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIdentity:
    """PA01A: which report, from when. The time is the report's own, in Beijing."""

    report_no: str = text("PA01AI01", "报告编号", is_required=True)
    reported_at: datetime = time("PA01AR01", "报告时间", is_required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """PA01B: about whom, by which institution, for what."""

    name: str = text("PA01BQ01", "被查询者姓名", is_required=True)
    id_type: str = code("PA01BD01", "被查询者证件类型", is_required=True)
    id_no: str = text("PA01BI01", "被查询者证件号码", is_required=True)
    institution_code: str = text("PA01BI02", "查询机构代码", is_required=True)
    reason: str = code("PA01BD02", "查询原因", INQUIRY_REASON_ZH, is_required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherId:
    id_type: str | None = code("PA01CD01", "证件类型")
    id_no: str | None = text("PA01CI01", "证件号码")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherIds:
    """PA01C."""

    ids_count: int | None = count("PA01CS01", "身份标识个数")
    ids: tuple[OtherId, ...] = many("PA01CH", OtherId)


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudAlert:
    """PA01D 防欺诈警示: the person asks to be called before credit is given."""

    flag: str | None = text("PA01DQ01", "防欺诈警示标志")
    phone: str | None = text("PA01DQ02", "防欺诈警示联系电话")
    from_on: date | None = day("PA01DR01", "防欺诈警示生效日期")
    until_on: date | None = day("PA01DR02", "防欺诈警示截止日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objections:
    """PA01E."""

    objections_count: int | None = count("PA01ES01", "异议标注数目")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """PA01 报告头."""

    identity: ReportIdentity = one("PA01A", ReportIdentity, is_required=True)
    inquiry: Inquiry = one("PA01B", Inquiry, is_required=True)
    other_ids: OtherIds | None = one("PA01C", OtherIds)
    fraud_alert: FraudAlert | None = one("PA01D", FraudAlert)
    objections: Objections | None = one("PA01E", Objections)
