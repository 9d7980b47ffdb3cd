"""Problems of the ledger."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, NotFound


class AccountUnknown(NotFound):
    """The chart has no account of this code."""

    code = "ledger.account_unknown"
    title_zh = "科目表中没有该科目"
    title_en = "The chart of accounts has no such account"


class BooksNotOpen(Conflict):
    """Entries were posted before the tenant's chart of accounts was opened."""

    code = "ledger.books_not_open"
    title_zh = "尚未建账，请先开立科目表"
    title_en = "The books are not open yet: open the chart of accounts first"


class EntryDiffers(Conflict):
    """The same fact was posted again with another amount: the books keep the first, and somebody must look."""

    code = "ledger.entry_differs"
    title_zh = "同一事项已以不同金额入账"
    title_en = "The same fact was booked before with another amount"


class EntryUnknown(NotFound):
    """The books hold no entry of this id."""

    code = "ledger.entry_unknown"
    title_zh = "账簿中没有该凭证"
    title_en = "The books hold no such entry"


class ClosureUnknown(NotFound):
    """The books were never closed under this id."""

    code = "ledger.closure_unknown"
    title_zh = "没有该结账记录"
    title_en = "There is no such closure"


class PeriodClosed(Conflict):
    """Something was to be booked on a date through which the books are closed. Names ``closed_through`` and ``open_from``."""

    code = "ledger.period_closed"
    title_zh = "该期间已结账，请在下一个未结账日期入账并保留生效日期"
    title_en = "The period is closed: post on a later date and keep the effective date"


class PeriodNotOver(Conflict):
    """Only a period whose last day is over can be closed: its facts are not all known yet."""

    code = "ledger.period_not_over"
    title_zh = "该期间尚未结束，不能结账"
    title_en = "The period is not over yet and cannot be closed"


class AlreadyClosed(Conflict):
    """The books are closed through a later date already."""

    code = "ledger.already_closed"
    title_zh = "账簿已结至更晚的日期"
    title_en = "The books are closed through a later date already"


class NotNewestClosure(Conflict):
    """Only the newest closure that stands can be reopened; what was closed later rests on it."""

    code = "ledger.not_newest_closure"
    title_zh = "只能反结账最近一次结账"
    title_en = "Only the newest closure can be reopened"
