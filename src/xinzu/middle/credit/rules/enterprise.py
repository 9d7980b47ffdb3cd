"""An enterprise's credit report as structured JSON: basic data, loans, litigation, tax; its importer and what it comes to.

The format is ours: the bureau's enterprise report of the second generation is not public in a form that we could confirm. Its parts follow
that report (基本信息, 信贷记录, 公共信息). Amounts are fen. Legal representatives and shareholders are people: the report is sealed like
a person's and asks for the same authority (征信业管理条例 arts. 18, 20, 21: what an enterprise must disclose by law needs no consent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from xinzu.kernel.errors import FieldError
from xinzu.middle.credit.errors import ReportInvalid
from xinzu.middle.credit.rules.pboc.codes import FIVE_CLASS_ZH, NON_NORMAL_CLASSES
from xinzu.middle.credit.rules.pboc.documents import tree_of_json
from xinzu.middle.credit.rules.pboc.fields import Reading, code, count, day, many, one, read, text, time, write
from xinzu.middle.credit.rules.pboc.synthetic_accounts import MARK

STATUSES = ("active", "suspended", "revoked", "deregistered")
LITIGATION_KINDS = ("lawsuit", "enforcement", "dishonest", "restricted")  # 诉讼, 被执行, 失信, 限高
LITIGATION_STATES = ("open", "closed")
ROLES = ("plaintiff", "defendant", "third_party")
TAX_RATINGS = ("A", "B", "M", "C", "D")  # 纳税信用管理办法
LOAN_STATUSES = ("open", "settled", "written_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseHeader:
    """Which report, about which enterprise, by whom and for what."""

    report_no: str = text("report_no", "报告编号", is_required=True)
    reported_at: datetime = time("reported_at", "报告时间", is_required=True)
    institution_code: str = text("institution_code", "查询机构代码", is_required=True)
    reason: str = text("reason", "查询原因", is_required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shareholder:
    name: str = text("name", "股东名称", is_required=True)
    share_bp: int | None = count("share_bp", "持股比例（万分之一）")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseBasics:
    """基本信息."""

    name: str = text("name", "企业名称", is_required=True)
    credit_code: str = text("credit_code", "统一社会信用代码", is_required=True)
    legal_representative: str | None = text("legal_representative", "法定代表人")
    established_on: date | None = day("established_on", "成立日期")
    registered_capital_fen: int | None = count("registered_capital_fen", "注册资本")
    industry: str | None = text("industry", "行业")
    address: str | None = text("address", "住所")
    status: str = code("status", "登记状态", STATUSES, is_required=True)
    shareholders: tuple[Shareholder, ...] = many("shareholders", Shareholder)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseLoan:
    """One credit of 信贷记录."""

    lender: str = text("lender", "授信机构", is_required=True)
    kind: str | None = text("kind", "业务种类")
    opened_on: date = day("opened_on", "开立日期", is_required=True)
    due_on: date | None = day("due_on", "到期日期")
    lent_fen: int = count("lent_fen", "借款金额", is_required=True)
    balance_fen: int = count("balance_fen", "余额", is_required=True)
    overdue_fen: int | None = count("overdue_fen", "逾期总额")
    five_class: str | None = code("five_class", "五级分类", FIVE_CLASS_ZH)
    status: str = code("status", "状态", LOAN_STATUSES, is_required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Litigation:
    """One record of a court."""

    kind: str = code("kind", "记录类型", LITIGATION_KINDS, is_required=True)
    court: str | None = text("court", "法院")
    case_no: str = text("case_no", "案号", is_required=True)
    cause: str | None = text("cause", "案由")
    role: str | None = code("role", "诉讼地位", ROLES)
    filed_on: date = day("filed_on", "立案日期", is_required=True)
    amount_fen: int | None = count("amount_fen", "标的金额")
    state: str = code("state", "状态", LITIGATION_STATES, is_required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxYear:
    """One year's filing."""

    year: int = count("year", "年度", is_required=True)
    rating: str | None = code("rating", "纳税信用级别", TAX_RATINGS)
    revenue_fen: int | None = count("revenue_fen", "申报收入")
    tax_paid_fen: int | None = count("tax_paid_fen", "实缴税额")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """涉税信息."""

    arrears_fen: int | None = count("arrears_fen", "欠税余额")
    arrears_on: date | None = day("arrears_on", "欠税统计日期")
    years: tuple[TaxYear, ...] = many("years", TaxYear)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseReport:
    """The whole report."""

    header: EnterpriseHeader = one("header", EnterpriseHeader, is_required=True)
    basics: EnterpriseBasics = one("basics", EnterpriseBasics, is_required=True)
    loans: tuple[EnterpriseLoan, ...] = many("loans", EnterpriseLoan)
    litigation: tuple[Litigation, ...] = many("litigation", Litigation)
    tax: Tax | None = one("tax", Tax)


def read_enterprise(document: object) -> tuple[EnterpriseReport, tuple[str, ...]]:
    """A report from decoded JSON, and the paths of what is not of the format. Raises ReportInvalid naming every member that is wrong."""
    reading = Reading()
    report = read(EnterpriseReport, tree_of_json(document), reading, "/document")
    problems = list(_contradictions(report)) if report is not None else reading.problems
    if report is None or problems:
        raise ReportInvalid(
            f"企业报告有 {len(problems)} 处错误，请按提示更正后重新导入",
            f"The enterprise report has {len(problems)} errors: correct them as named and import it again",
            errors=tuple(problems[:100]),
        )
    return report, tuple(reading.unknown)


def write_enterprise(report: EnterpriseReport) -> dict[str, object]:
    """The report as the JSON it is read from: every leaf as text."""
    return write(report)


def is_synthetic_enterprise(report: EnterpriseReport) -> bool:
    """Whether a report says of itself that it is nobody's, by its number as a person's does."""
    return report.header.report_no.startswith(MARK)


def enterprise_facts(report: EnterpriseReport) -> dict[str, int | str | None]:
    """What a decision looks at: amounts in fen, counts, months."""
    open_loans = [loan for loan in report.loans if loan.status == "open"]
    reported_on = report.header.reported_at.date()
    established = report.basics.established_on
    newest = max(report.tax.years, key=lambda year: year.year, default=None) if report.tax else None
    return {
        "ent_age_months": (reported_on.year - established.year) * 12 + reported_on.month - established.month
        if established
        else None,
        "ent_status": report.basics.status,
        "ent_open_loan_cnt": len(open_loans),
        "ent_loan_balance": sum(loan.balance_fen for loan in open_loans),
        "ent_overdue_amt": sum(loan.overdue_fen or 0 for loan in open_loans),
        "ent_non_normal_class_cnt": sum(loan.five_class in NON_NORMAL_CLASSES for loan in open_loans),
        "ent_open_lawsuit_cnt": _open(report, "lawsuit", as_defendant=True),
        "ent_enforced_cnt": _open(report, "enforcement"),
        "ent_dishonest_cnt": _open(report, "dishonest"),
        "ent_tax_arrears": (report.tax.arrears_fen or 0) if report.tax else None,
        "ent_tax_rating": newest.rating if newest else None,
        "ent_revenue_last_year": newest.revenue_fen if newest else None,
    }


def _open(report: EnterpriseReport, kind: str, *, as_defendant: bool = False) -> int:
    return sum(
        each.kind == kind and each.state == "open" and (not as_defendant or each.role in (None, "defendant"))
        for each in report.litigation
    )


def _contradictions(report: EnterpriseReport) -> list[FieldError]:
    reported_on = report.header.reported_at.date()
    found: list[FieldError] = []
    for number, loan in enumerate(report.loans, 1):
        path = f"/document/loans[{number}]"
        if loan.balance_fen > loan.lent_fen:
            found.append(
                _problem(f"{path}/balance_fen", "余额大于借款金额，请更正", "the balance is more than was lent: correct it")
            )
        if (loan.overdue_fen or 0) > loan.balance_fen:
            found.append(_problem(f"{path}/overdue_fen", "逾期总额大于余额，请更正", "more is overdue than is owed: correct it"))
        if loan.status == "settled" and loan.balance_fen:
            found.append(
                _problem(f"{path}/status", "已结清的借款仍有余额，请更正", "a settled loan still has a balance: correct it")
            )
        if loan.opened_on > reported_on:
            found.append(_problem(f"{path}/opened_on", "日期晚于报告时间，请更正", "it lies after the report: correct the date"))
    for number, record in enumerate(report.litigation, 1):
        if record.filed_on > reported_on:
            found.append(
                _problem(
                    f"/document/litigation[{number}]/filed_on",
                    "日期晚于报告时间，请更正",
                    "it lies after the report: correct the date",
                )
            )
    if sum(each.share_bp or 0 for each in report.basics.shareholders) > 10_000:
        found.append(
            _problem(
                "/document/basics/shareholders", "持股比例合计超过100%，请更正", "shares add up to more than all: correct them"
            )
        )
    years: Mapping[int, int] = {}
    if report.tax:
        years = {year.year: sum(other.year == year.year for other in report.tax.years) for year in report.tax.years}
    found += [
        _problem("/document/tax/years", f"{year} 年出现多次，请删除重复年度", f"{year} stands more than once: remove the others")
        for year, times in years.items()
        if times > 1
    ]
    return found


def _problem(path: str, zh: str, en: str) -> FieldError:
    return FieldError(path, "credit.contradiction", f"{path}：{zh}", f"{path}: {en}")
