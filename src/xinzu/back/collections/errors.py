"""Problems of collections."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Invalid, NotFound


class CaseUnknown(NotFound):
    """No case of this tenant has the id."""

    code = "collections.case_unknown"
    title_zh = "没有这个催收案件"
    title_en = "There is no such case"


class HoldUnknown(NotFound):
    """The case has no such hold, or it was lifted."""

    code = "collections.hold_unknown"
    title_zh = "案件没有这项暂缓"
    title_en = "The case has no such hold"


class CaseIsClosed(Conflict):
    """A closed case needs no hold: nothing more is done in it."""

    code = "collections.case_closed"
    title_zh = "案件已结束"
    title_en = "The case is closed"


class PolicyWeakerThanLaw(Invalid):
    """A tenant's policy may protect the debtor more than the product does, never less."""

    code = "collections.policy_weaker"
    title_zh = "催收策略不得宽于系统底线，只能更严格"
    title_en = "A policy may only be stricter than the product's floor"
