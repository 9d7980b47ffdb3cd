"""Problems of decisions."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class StrategyRejected(Invalid):
    """A strategy has findings and cannot be published; each finding is one of ``errors``."""

    code = "decisions.strategy_rejected"
    title_zh = "策略未通过检查"
    title_en = "The strategy did not pass the checks"


class DecisionUnknown(NotFound):
    """This tenant has no decision of the id."""

    code = "decisions.decision_unknown"
    title_zh = "没有这条决策"
    title_en = "There is no such decision"


class NotUnderReview(Conflict):
    """Only a referred decision, or one the applicant asked a person to look at, can be reviewed, and only once."""

    code = "decisions.not_under_review"
    title_zh = "该决策不在人工审核中"
    title_en = "The decision is not waiting for a person"


class ReviewerNotAPerson(Forbidden):
    """A review stands for a human decision (PIPL art. 24): an API key or the system cannot give it."""

    code = "decisions.reviewer_not_a_person"
    title_zh = "人工审核须由操作员本人作出，请用操作员账号登录"
    title_en = "A review is made by a person: log in as an operator"


class UnknownReason(Invalid):
    """A review names a reason code that is not in the catalogue for reviews of that outcome."""

    code = "decisions.unknown_reason"
    title_zh = "原因码不在目录中"
    title_en = "The reason code is not in the catalogue"
