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


class ReviewLevelTooLow(Forbidden):
    """A referral is decided by a reviewer of its level or above; ``needed`` and ``level`` say which."""

    code = "decisions.review_level_too_low"
    title_zh = "审核级别不足，请由更高级别的人员处理"
    title_en = "This is for a reviewer of a higher level"


class ConflictOfInterest(Forbidden):
    """Nobody decides on an order he took in, on himself, or on an appeal against his own decision; ``interest`` says which it is."""

    code = "decisions.conflict_of_interest"
    title_zh = "存在利益冲突，须由他人审核：不得审核本人录入的申请、本人的申请或针对本人决定的申诉"
    title_en = "Somebody else must review it: it is your own application, one you took in, or an appeal against your decision"


class HeldByAnother(Conflict):
    """Another reviewer holds it until the claim runs out or is let go."""

    code = "decisions.held_by_another"
    title_zh = "该决策正由他人审核，请稍后再试或处理其他决策"
    title_en = "Another reviewer holds it: try later, or take another one"


class NotHeld(Conflict):
    """Only whoever holds a decision can let go of it."""

    code = "decisions.not_held"
    title_zh = "您并未领取该决策"
    title_en = "You do not hold this decision"


class CreditLineUnknown(NotFound):
    """The party is not on file, or its credit line was never computed: compute it."""

    code = "decisions.credit_line_unknown"
    title_zh = "该客户尚无信用额度"
    title_en = "The party has no credit line yet"


class CreditLineWithoutConsent(Conflict):
    """A credit line is an automated judgement of a person: without consent to those there is none (PIPL arts. 13 and 24)."""

    code = "decisions.credit_line_without_consent"
    title_zh = "客户未同意自动化决策，不计算信用额度"
    title_en = "The party has not agreed to automated decisions: no credit line is computed"


class AppealUnknown(NotFound):
    """Nobody appealed against this decision."""

    code = "decisions.appeal_unknown"
    title_zh = "没有针对该决策的申诉"
    title_en = "Nobody appealed against this decision"


class NoAppeal(Conflict):
    """An appeal is against what a person declined, once, within 30 days of it; ``until`` is the last day, where there is one."""

    code = "decisions.no_appeal"
    title_zh = "不能申诉：仅可对人工拒绝在 30 天内申诉一次"
    title_en = "No appeal: it is against what a person declined, once, within 30 days"


class UnknownReason(Invalid):
    """A review names a reason code that is not in the catalogue for reviews of that outcome."""

    code = "decisions.unknown_reason"
    title_zh = "原因码不在目录中"
    title_en = "The reason code is not in the catalogue"


class StrategyUnknown(NotFound):
    """This tenant has no version of the id."""

    code = "decisions.strategy_unknown"
    title_zh = "没有这个策略版本"
    title_en = "There is no such version of a strategy"


class BacktestUnknown(NotFound):
    """This tenant has no replay of the id."""

    code = "decisions.backtest_unknown"
    title_zh = "没有这次历史回放"
    title_en = "There is no such replay on history"


class StrategyChanged(Conflict):
    """Somebody saved the draft in between: read it again and put your changes on top."""

    code = "decisions.strategy_changed"
    title_zh = "草稿已被他人修改，请重新读取后再保存"
    title_en = "The draft was saved by somebody else in between; read it again"


class SecondPersonNeeded(Forbidden):
    """Whoever wrote or submitted a version cannot be the one who lets it decide (four eyes)."""

    code = "decisions.second_person_needed"
    title_zh = "须由作者和提交人以外的人批准与发布"
    title_en = "Somebody other than its authors approves and publishes a version"


class StrategistNotAPerson(Forbidden):
    """Submitting, approving, publishing and rolling back are acts of a person who answers for them: no API key can do them."""

    code = "decisions.strategist_not_a_person"
    title_zh = "提交、批准、发布与回滚须由操作员本人作出，请用操作员账号登录"
    title_en = "A person submits, approves, publishes and rolls back: log in as an operator"


class CandidateStanding(Conflict):
    """Only one version of a key is under gray publication at a time, so that its rates say something."""

    code = "decisions.candidate_standing"
    title_zh = "该策略已有版本在灰度发布，请先全量发布或回滚"
    title_en = "Another version of this strategy is under gray publication: publish it fully or roll it back first"


class NothingToRollBackTo(Conflict):
    """There is no earlier version, or it was checked for another engine: submit it again as a new version."""

    code = "decisions.nothing_to_roll_back_to"
    title_zh = "没有可回滚的上一版本"
    title_en = "There is no version to roll back to"


class GoldenCaseUnknown(NotFound):
    """The strategy has no golden case of the name."""

    code = "decisions.golden_case_unknown"
    title_zh = "没有这个黄金用例"
    title_en = "There is no such golden case"


class WrongStep(Conflict):
    """A step of a version's life that is not its turn; says in which state the version is."""

    code = "decisions.wrong_step"
    title_zh = "该版本当前状态不能做此操作"
    title_en = "The version is not at this step"


class ModelRejected(Invalid):
    """A model's card and artefact do not hold together; each finding is one of ``errors``."""

    code = "decisions.model_rejected"
    title_zh = "模型未通过检查"
    title_en = "The model did not pass the checks"


class ModelUnknown(NotFound):
    """This tenant has no model of the id."""

    code = "decisions.model_unknown"
    title_zh = "没有这个模型版本"
    title_en = "There is no such version of a model"


class ModelSecondPersonNeeded(Forbidden):
    """Whoever registered a model cannot be the one who publishes it (four eyes)."""

    code = "decisions.model_second_person_needed"
    title_zh = "模型须由登记人以外的人发布"
    title_en = "Somebody other than the one who registered a model publishes it"


class ModelInUse(Conflict):
    """A strategy that decides, or waits to, reads the model: put the strategy away first."""

    code = "decisions.model_in_use"
    title_zh = "有策略正在读取该模型，请先停用或替换该策略"
    title_en = "A strategy reads the model: replace or retire the strategy first"
