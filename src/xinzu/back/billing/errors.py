"""Problems of billing."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, NotFound


class AccountMissing(NotFound):
    """No billing account exists for the agreement (yet): it opens when the agreement is signed."""

    code = "billing.account_missing"
    title_zh = "该合同尚无账户，签约后自动开立"
    title_en = "The agreement has no billing account: one opens when it is signed"


class ItemUnknown(NotFound):
    """The agreement has no instalment or charge of this id."""

    code = "billing.item_unknown"
    title_zh = "该合同没有这笔应付款项"
    title_en = "The agreement has no such instalment or charge"


class ScheduleMissing(Conflict):
    """A return was inspected before the schedule was issued: the commencement is not known yet."""

    code = "billing.schedule_missing"
    title_zh = "尚未起租，不能结算"
    title_en = "The rental has not commenced: it cannot be settled yet"


class ReceiptConflict(Conflict):
    """A receipt with this reference is recorded already, for another agreement or another amount."""

    code = "billing.receipt_conflict"
    title_zh = "该收款编号已用于另一笔收款"
    title_en = "The receipt's reference was used for another receipt"


class RefundExceedsCredit(Conflict):
    """More was refunded than is held as credit balance."""

    code = "billing.refund_exceeds_credit"
    title_zh = "退款金额超过溢缴款余额"
    title_en = "The refund is larger than the credit balance"


class RefundConflict(Conflict):
    """A refund with this reference is recorded already, for another agreement or another amount."""

    code = "billing.refund_conflict"
    title_zh = "该退款流水号已用于另一笔退款"
    title_en = "The refund's reference was used for another refund"


class DayNotOver(Conflict):
    """The business date has not ended."""

    code = "billing.day_not_over"
    title_zh = "该营业日尚未结束，不能日终"
    title_en = "The business date is not over: it cannot be closed yet"


class DaySkipped(Conflict):
    """Business dates are closed in order, none is left out."""

    code = "billing.day_skipped"
    title_zh = "须按顺序日终，请先关闭之前的营业日"
    title_en = "Business dates are closed in order: close the earlier ones first"


class LeaseUnclassified(NotFound):
    """The agreement is a loan, has not commenced, or nothing is known of the thing's value."""

    code = "billing.lease_unclassified"
    title_zh = "该合同没有租赁分类：借款不是租赁，未起租或标的价值未知时也不分类"
    title_en = "The agreement has no lease classification: a loan is no lease, and before commencement nothing is classified"


class ReceiptUnknown(NotFound):
    """The agreement has no receipt of this id."""

    code = "billing.receipt_unknown"
    title_zh = "该合同没有这笔收款"
    title_en = "The agreement has no such receipt"


class ReceiptSpent(Conflict):
    """Part of the receipt was given back to the customer already, so that it cannot be reversed whole."""

    code = "billing.receipt_spent"
    title_zh = "该收款已部分退还，不能冲正"
    title_en = "Part of the receipt was refunded: it cannot be reversed"


class AccountClosed(Conflict):
    """The account is settled: what is wrong with it is put right outside of it."""

    code = "billing.account_closed"
    title_zh = "账户已结清，不能再调整"
    title_en = "The account is settled and cannot be adjusted"


class NothingOpen(Conflict):
    """The item has nothing open, or less than asked."""

    code = "billing.nothing_open"
    title_zh = "该款项没有未付金额，或未付金额不足"
    title_en = "The item has nothing open, or less than that"


class StillRunning(Conflict):
    """Instalments are still to come: end the agreement by acceleration or termination, with its legal ground, before writing it off."""

    code = "billing.still_running"
    title_zh = "尚有未到期款项：请先依法宣布加速到期或解除合同，再行核销"
    title_en = "Instalments are still to come: accelerate or terminate on a legal ground first, then write off"


class NothingToPayOut(Conflict):
    """The agreement has no tranche left to be paid out, or is being settled."""

    code = "billing.nothing_to_pay_out"
    title_zh = "没有待放的款项，或合同正在结清"
    title_en = "No tranche is left to be paid out, or the agreement is being settled"


class PartnerUnknown(NotFound):
    """The tenant has no partner of this id."""

    code = "billing.partner_unknown"
    title_zh = "没有这个合作方"
    title_en = "There is no such partner"


class PayoutExceedsOwed(Conflict):
    """More was to be paid to a partner than is owed to him."""

    code = "billing.payout_exceeds_owed"
    title_zh = "付款金额超过应付合作方余额"
    title_en = "The payout is larger than what is owed to the partner"


class PayoutConflict(Conflict):
    """A payout with this reference is recorded already, to another partner or of another amount."""

    code = "billing.payout_conflict"
    title_zh = "该付款流水号已用于另一笔付款"
    title_en = "The payout's reference was used for another payout"


class NotAmendable(Conflict):
    """Only what has commenced, still runs and is not written off can be changed."""

    code = "billing.not_amendable"
    title_zh = "合同尚未起租、正在结清或已核销，不能变更"
    title_en = "The agreement has not commenced, is being settled or is written off: it cannot be amended"


class ValueNotAwaited(Conflict):
    """Only a finance lease that was terminated without its thing's value awaits it, and only once."""

    code = "billing.value_not_awaited"
    title_zh = "该合同并未解除，或收回物价值已经结算"
    title_en = "The agreement was not terminated, or the value of what was recovered is settled already"


class PositionChanged(Conflict):
    """Since the preview something was paid, charged or amended: what was previewed is not what would be done."""

    code = "billing.position_changed"
    title_zh = "自预览后账户已有变动，请重新预览"
    title_en = "The account has moved since the preview: preview again"
