"""Problems of the evidence log."""

from __future__ import annotations

from xinzu.kernel.errors import Invalid, NotFound


class LeafUnknown(NotFound):
    """No leaf of this tenant has the id."""

    code = "evidence.leaf_unknown"
    title_zh = "没有这条存证"
    title_en = "There is no such evidence leaf"


class LogEmpty(NotFound):
    """The tenant has no evidence yet, hence no key and no checkpoint."""

    code = "evidence.log_empty"
    title_zh = "尚无存证记录"
    title_en = "There is no evidence yet"


class SizeOutOfRange(Invalid):
    """A consistency proof was asked for sizes the log never had in that order."""

    code = "evidence.size_out_of_range"
    title_zh = "日志长度超出范围"
    title_en = "The log never had this size"
