"""Decisions as they go over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import Catalogue, DecidedBy, Decision, DecisionOutcome, Reason

NOTE_CHARS_MAX = 1_000


class ReviewBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A person's decision. ``note`` is for colleagues and auditors; it is sealed and never shown to the customer."""

    outcome: Literal["approve", "decline"]
    reason_code: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[A-Z][A-Z0-9_]*$(?!\n)")]
    note: Annotated[str, msgspec.Meta(max_length=NOTE_CHARS_MAX)] | None = None


class ReviewView(msgspec.Struct, kw_only=True):
    """What a person decided, by whom and when."""

    outcome: str
    reason_code: str
    reviewer: str
    reviewed_at: Instant


class ReasonView(msgspec.Struct, kw_only=True):
    """One reason code in the staff's words."""

    code: str
    inside: str


class StrategyView(msgspec.Struct, kw_only=True):
    """By which strategy; the same version with the same inputs gives the same decision."""

    key: str
    version: int
    engine_version: str


class DecisionView(msgspec.Struct, kw_only=True):
    """A decision. ``outcome`` is what stands now, ``strategy_outcome`` what the strategy said; inputs are the indicators it saw.

    ``arm`` is champion, candidate (gray publication) or random_accept (accepted against the strategy's word); ``review_level`` says who
    of the reviewers a referral is for.
    """

    id: str
    application_id: str
    party_id: str
    state: str
    outcome: str
    strategy_outcome: str
    referred_by: str | None
    reasons: list[ReasonView]
    strategy: StrategyView
    inputs: dict[str, str | float | bool | None]
    outputs: dict[str, Any]
    trace: list[dict[str, Any]] | None
    duration_us: int
    decided_at: Instant
    review: ReviewView | None
    arm: str
    review_level: str | None


class DecisionSummary(msgspec.Struct, kw_only=True):
    """A decision in a list."""

    id: str
    application_id: str
    party_id: str
    state: str
    outcome: str
    referred_by: str | None
    reason_codes: list[str]
    decided_at: Instant
    arm: str
    review_level: str | None


class DecisionPage(msgspec.Struct, kw_only=True):
    """Decisions, newest first."""

    items: list[DecisionSummary]
    next_cursor: str | None


class TextView(msgspec.Struct, kw_only=True):
    """A text for the customer in both languages."""

    zh: str
    en: str


class CustomerReason(msgspec.Struct, kw_only=True):
    """A reason as the customer may read it, and what can be done about it."""

    text: TextView
    remedy: TextView


class ExplanationView(msgspec.Struct, kw_only=True):
    """What a customer is told about a decision (PIPL arts. 24 and 48): result, who made it, why, from which data, and the way to a person.

    ``human_review`` is ``available`` when the customer may still ask a person to decide, ``waiting`` while one does, ``done`` after,
    ``none`` when there is nothing to ask about. ``appeal`` says the same of an appeal against what a person declined, until the business date
    ``appeal_until``.
    """

    decision_id: str
    application_id: str
    outcome: str
    decided_by: str
    decided_at: Instant
    reasons: list[CustomerReason]
    data_used: list[TextView]
    human_review: str
    appeal: str
    appeal_until: date | None
    how_to_ask: TextView


class Reviewed(msgspec.Struct, kw_only=True):
    """The answer to a review."""

    id: str
    application_id: str
    outcome: str
    reason_code: str


_DATA_USED = [
    TextView(
        zh="您的年龄（由证件号码得出，不含其他证件信息）", en="Your age, taken from the identity number and nothing else of it"
    ),
    TextView(zh="您申请的设备价值、租金与期数", en="The device's value, the rent and the number of periods you applied for"),
    TextView(zh="经您授权由申请渠道提供的信用与风险提示", en="Credit and risk indications the channel gave with your consent"),
    TextView(
        zh="您在本商户以往的申请、订单、付款与逾期记录",
        en="Your earlier applications, orders, payments and arrears with this merchant",
    ),
    TextView(
        zh="本商户收到的、使用相同手机号、收货地址或设备的申请数量",
        en="How many applications with the same phone, delivery address or device this merchant received",
    ),
    TextView(
        zh="经您书面授权取得的个人信用报告（如有）",
        en="A personal credit report obtained with your written consent, if there is one",
    ),
]
_HOW_TO_ASK = TextView(
    zh="对仅由系统自动作出的拒绝，您可在订单页申请人工复核，由工作人员重新作出决定；对人工拒绝，您可在 30 天内申诉一次，由另一名工作人员处理。",
    en="You may ask for a person to decide again, on the order page, when a decline was made by the system alone; against what a person"
    " declined you may appeal once within 30 days, and another person decides.",
)


def decision_view(decision: Decision, catalogue: Catalogue) -> DecisionView:
    review = decision.review
    return DecisionView(
        id=public_id(Prefix.DECISION, decision.id),
        application_id=public_id(Prefix.APPLICATION, decision.application_id),
        party_id=public_id(Prefix.PARTY, decision.party_id),
        state=decision.state,
        outcome=decision.standing_outcome,
        strategy_outcome=decision.outcome,
        referred_by=decision.referred_by,
        reasons=[
            ReasonView(code=code, inside=catalogue[code].inside_zh if code in catalogue else code)
            for code in decision.reason_codes
        ],
        strategy=StrategyView(
            key=decision.strategy_key, version=decision.strategy_version, engine_version=decision.engine_version
        ),
        inputs={**decision.inputs},
        outputs=dict(decision.outputs),
        trace=_rows(decision.trace),
        duration_us=decision.duration_us,
        decided_at=decision.decided_at,
        review=None
        if review is None
        else ReviewView(
            outcome=review.outcome, reason_code=review.reason_code, reviewer=review.reviewer, reviewed_at=review.reviewed_at
        ),
        arm=decision.arm,
        review_level=decision.review_level,
    )


def decision_summary(decision: Decision) -> DecisionSummary:
    return DecisionSummary(
        id=public_id(Prefix.DECISION, decision.id),
        application_id=public_id(Prefix.APPLICATION, decision.application_id),
        party_id=public_id(Prefix.PARTY, decision.party_id),
        state=decision.state,
        outcome=decision.standing_outcome,
        referred_by=decision.referred_by,
        reason_codes=list(decision.reason_codes),
        decided_at=decision.decided_at,
        arm=decision.arm,
        review_level=decision.review_level,
    )


def explanation_view(
    decision: Decision, reasons: Sequence[Reason], appeal_until: date | None = None, *, may_appeal: bool = False
) -> ExplanationView:
    """``reasons`` are those the customer is told."""
    review = decision.review if decision.state != "referred" else None
    return ExplanationView(
        decision_id=public_id(Prefix.DECISION, decision.id),
        application_id=public_id(Prefix.APPLICATION, decision.application_id),
        outcome=decision.standing_outcome,
        decided_by=DecidedBy.STRATEGY if review is None else DecidedBy.REVIEWER,
        decided_at=decision.decided_at if review is None else review.reviewed_at,
        reasons=[
            CustomerReason(
                text=TextView(zh=reason.text_zh, en=reason.text_en), remedy=TextView(zh=reason.remedy_zh, en=reason.remedy_en)
            )
            for reason in reasons
        ],
        data_used=_DATA_USED,
        human_review=_human_review(decision),
        appeal=_appeal(decision, may_appeal=may_appeal),
        appeal_until=appeal_until if may_appeal else None,
        how_to_ask=_HOW_TO_ASK,
    )


def _human_review(decision: Decision) -> str:
    if decision.review is not None:
        return "done"
    if decision.state == "referred":
        return "waiting"
    return "available" if decision.standing_outcome is DecisionOutcome.DECLINE and decision.state == "decided" else "none"


def _appeal(decision: Decision, *, may_appeal: bool) -> str:
    if decision.review is None:
        return "none"
    if decision.state == "referred":
        return "waiting"
    return "available" if may_appeal else "done" if decision.review.round > 1 else "none"


def _rows(trace: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    return None if trace is None else [dict(row) for row in trace]
