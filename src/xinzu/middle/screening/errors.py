"""Problems of screening."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class ListEntryUnknown(NotFound):
    code = "screening.list_entry_unknown"
    title_zh = "没有这条名单记录"
    title_en = "There is no such list entry"


class ListEntryRemoved(Conflict):
    code = "screening.list_entry_removed"
    title_zh = "该名单记录已移除"
    title_en = "The list entry is removed already"


class AlreadyListed(Conflict):
    """The same thing is on the same list for the same reason."""

    code = "screening.already_listed"
    title_zh = "已在名单中"
    title_en = "It is on this list already"


class WatchFileInvalid(Invalid):
    """A watch list that cannot be read: each row that is wrong is named, and nothing of it is taken in."""

    code = "screening.watch_file_invalid"
    title_zh = "名单文件内容有误"
    title_en = "The watch list is not valid"


class MovementDiffers(Conflict):
    """The reference stands for other money: another party, agreement, direction, amount or date."""

    code = "screening.movement_differs"
    title_zh = "该编号已记录为另一笔资金"
    title_en = "The reference stands for other money"


class AlertUnknown(NotFound):
    code = "screening.alert_unknown"
    title_zh = "没有该预警"
    title_en = "There is no such alert"


class NotAssignee(Forbidden):
    """Whoever has the alert decides it; somebody else may take it over first."""

    code = "screening.not_assignee"
    title_zh = "只有受理人可以作出结论，请先转派"
    title_en = "Only whoever has the alert decides it: assign it first"
