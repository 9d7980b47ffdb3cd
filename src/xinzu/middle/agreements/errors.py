"""Problems of agreements."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Gone, Invalid, NotFound, TooMany


class AgreementUnknown(NotFound):
    """This tenant has no agreement of the id."""

    code = "agreements.agreement_unknown"
    title_zh = "没有这份合同"
    title_en = "There is no such agreement"


class DocumentNotReady(Conflict):
    """The signer's identity is being checked or the document is being rendered."""

    code = "agreements.document_not_ready"
    title_zh = "合同文本尚未生成，请稍后再试"
    title_en = "The contract document is not ready yet: try again shortly"


class NotOpenForSigning(Conflict):
    """The agreement is signed already, or cancelled."""

    code = "agreements.not_open_for_signing"
    title_zh = "合同当前不能签署"
    title_en = "The agreement is not open for signing"


class CodeSentTooOften(TooMany):
    """A one-time code was sent a moment ago, or too many in the last hour."""

    code = "agreements.code_sent_too_often"
    title_zh = "验证码发送过于频繁，请稍后再试"
    title_en = "Codes were sent too often: wait before asking for another one"


class CodeWrong(Invalid):
    """The one-time code does not match; ``tries_left`` says how many tries remain."""

    code = "agreements.code_wrong"
    title_zh = "验证码不正确"
    title_en = "The code is wrong"


class CodeExpired(Gone):
    """There is no valid code: none was sent, it is older than five minutes, or it was tried too often."""

    code = "agreements.code_expired"
    title_zh = "验证码已失效，请重新获取"
    title_en = "The code is no longer valid: ask for a new one"


class OtherDocument(Conflict):
    """What the lessee accepted is not the document of this agreement."""

    code = "agreements.other_document"
    title_zh = "确认的文件与合同文本不一致，请重新打开合同后确认"
    title_en = "What was accepted is not this agreement's document: open it again and accept that"


class RestrictionClauseNotAccepted(Invalid):
    """The remote restriction clause needs an acceptance of its own (Civil Code art. 496)."""

    code = "agreements.restriction_clause_not_accepted"
    title_zh = "请单独确认远程限制条款"
    title_en = "The remote restriction clause must be accepted on its own"


class CostTableNotAccepted(Invalid):
    """Whoever takes a financing confirms its all-in cost table before signing (rules on stating the all-in cost of personal loans)."""

    code = "agreements.cost_table_not_accepted"
    title_zh = "请单独确认综合融资成本明示表"
    title_en = "The all-in cost table must be accepted on its own"


class CommencesByHandover(Conflict):
    """A rental begins with the handover of its device, which the warehouse records."""

    code = "agreements.commences_by_handover"
    title_zh = "租赁合同自设备签收起租，请在交付处登记签收"
    title_en = "A rental commences with the handover of its device: record the handover at its delivery"


class NotOpenForCommencement(Conflict):
    """The agreement is not signed yet, is cancelled, or commenced already with another date or reference."""

    code = "agreements.not_open_for_commencement"
    title_zh = "合同当前不能起算"
    title_en = "The agreement cannot commence now"


class DisbursedDiffers(Invalid):
    """Interest may not be deducted in advance: what is disbursed is the principal, to the fen (Civil Code art. 670)."""

    code = "agreements.disbursed_differs"
    title_zh = "放款金额须等于借款本金，不得预先扣除利息或费用"
    title_en = "What is disbursed must be the principal: neither interest nor fees may be deducted in advance"
