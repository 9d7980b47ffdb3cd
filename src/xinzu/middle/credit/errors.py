"""Problems of credit: applicants and their indicators, reports, score sources."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound

# --- indicators ---


class SnapshotUnknown(NotFound):
    """No indicators are on file for the application: there is no such decision, or the applicant has not consented to automated ones."""

    code = "credit.snapshot_unknown"
    title_zh = "没有这笔申请的指标快照"
    title_en = "There are no indicators on file for this application"


class TooLittleHistory(Conflict):
    """A base for drift needs enough values to be a distribution."""

    code = "credit.too_little_history"
    title_zh = "历史数据不足，不能冻结基准"
    title_en = "There is too little history to freeze a base"


# --- reports and score sources ---


class ReportInvalid(Invalid):
    """A credit report that contradicts its format or itself: each node that is wrong is named."""

    code = "credit.report_invalid"
    title_zh = "信用报告内容有误"
    title_en = "The credit report is not valid"


class InquiryConsentMissing(Forbidden):
    """The person has given no written consent to this inquiry that was in force when it was made and still is.

    征信业管理条例 art. 18; PIPL arts. 13, 14, 29.
    """

    code = "credit.inquiry_consent_missing"
    title_zh = "缺少被查询人的书面查询授权"
    title_en = "There is no written consent to the inquiry"


class InquiryPurposeRefused(Invalid):
    """The purpose is none that this business may inquire for, or not the one the report was obtained for (征信业管理条例 arts. 18, 20)."""

    code = "credit.inquiry_purpose_refused"
    title_zh = "查询用途不允许或与报告不符"
    title_en = "The purpose is not allowed, or not the report's"


class InstitutionDiffers(Invalid):
    """The institution named is not the one that obtained the report: its authority would be another's (征信业管理条例 art. 20)."""

    code = "credit.institution_differs"
    title_zh = "查询机构与报告不符"
    title_en = "The institution is not the report's"


class ReportOfAnother(Invalid):
    """The report is about somebody else than the party it was sent for. Whose it is stays unsaid."""

    code = "credit.report_of_another"
    title_zh = "报告不是该当事人的"
    title_en = "The report is not this party's"


class ReportKnown(Conflict):
    """The report number is on file with another content or for another party."""

    code = "credit.report_known"
    title_zh = "该编号的报告已导入且内容不同"
    title_en = "A report with this number is on file with another content"


class SyntheticReportRefused(Forbidden):
    """A generated report where real people are decided on."""

    code = "credit.synthetic_report_refused"
    title_zh = "演示以外不接受合成报告"
    title_en = "Synthetic reports are taken in a demo only"


class ReportUnknown(NotFound):
    code = "credit.report_unknown"
    title_zh = "没有该报告"
    title_en = "There is no such report"


class ReportErased(Gone):
    """Its content was erased when its time was over (征信业管理条例 art. 16; PIPL art. 19); who imported and read it stays on file."""

    code = "credit.report_erased"
    title_zh = "报告内容已到期删除"
    title_en = "The report's content was erased"


class SourcesNotConfigured(Conflict):
    """The tenant has ticked no source for the capability."""

    code = "credit.sources_not_configured"
    title_zh = "该能力没有启用的数据源"
    title_en = "No source is enabled for this capability"


class SourceConsentMissing(Forbidden):
    """The person has not consented to being looked up at these sources (PIPL arts. 13, 23, 29)."""

    code = "credit.source_consent_missing"
    title_zh = "缺少当事人对外部信用查询的同意"
    title_en = "There is no consent to outside credit queries"
