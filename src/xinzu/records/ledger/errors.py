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
