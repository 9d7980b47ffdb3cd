"""What people made of what strategies said: the estimate of false rejects, and how reviewers agree."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from xinzu.kernel.errors import Invalid
from xinzu.kernel.time import BusinessDate
from xinzu.middle.decisions.rules.reviews import share_of
from xinzu.middle.decisions.schemas.decisions import TextView
from xinzu.middle.decisions.schemas.reviews import ReasonStatistics, ReviewerStatistics, ReviewStatistics, ShareView
from xinzu.middle.decisions.store import reviews as store
from xinzu.middle.decisions.strategies import reason_catalogue
from xinzu.platform.uow import ReadSession

WINDOW_DAYS, WINDOW_DAYS_MAX = 90, 1_100
_STATEMENT = TextView(
    zh="推翻率只统计有人复核过的拒绝，多为客户主动要求复核，不能直接推及全部拒绝；无偏的误拒率请以随机通过的对照组为准。"
    "一个决策可有多个原因，各原因均计一次。样本不足 30 时仅供参考，请看区间而非比率。",
    en="Overturn rates are of declines that a person looked at, mostly because the applicant asked: they do not carry over to all declines;"
    " the random accept arm is the unbiased estimate. A decision with several reasons counts once under each. Of fewer than 30, read the"
    " interval and not the rate.",
)


async def review_statistics(read: ReadSession, begin_on: BusinessDate | None, until_on: BusinessDate | None) -> ReviewStatistics:
    """Counts over decisions made and reviews given on these business dates, both inclusive; raises Invalid for an impossible window."""
    until_on = until_on or read.business_date
    begin_on = begin_on or until_on - timedelta(days=WINDOW_DAYS)
    if not timedelta() <= until_on - begin_on <= timedelta(days=WINDOW_DAYS_MAX):
        raise Invalid.field(
            "/query/begin_on",
            "decisions.bad_window",
            f"begin_on 不得晚于 until_on，且相隔不超过 {WINDOW_DAYS_MAX} 天",
            f"begin_on is not after until_on, and at most {WINDOW_DAYS_MAX} days before it",
        )
    begin, until = read.calendar.opening(begin_on), read.calendar.opening(until_on + timedelta(days=1))
    catalogue = reason_catalogue()
    return ReviewStatistics(
        begin_on=begin_on,
        until_on=until_on,
        reasons=[
            ReasonStatistics(
                code=row.code,
                inside=catalogue[row.code].inside_zh if row.code in catalogue else row.code,
                declined_count=row.declined,
                referred_count=row.referred,
                overturned=_share(row.overturned, row.declines_reviewed),
                approved=_share(row.referrals_approved, row.referrals_reviewed),
            )
            for row in await store.by_reason(read, begin, until)
        ],
        reviewers=[
            ReviewerStatistics(
                reviewer=row.reviewer,
                reviewed_count=row.reviewed,
                approved_count=row.approved,
                with_strategy=_share(row.with_strategy, row.of_declines),
                upheld=_share(row.upheld, row.appealed),
            )
            for row in await store.by_reviewer(read, begin, until)
        ],
        statement=_STATEMENT,
    )


def _share(hits: int, count: int) -> ShareView:
    return msgspec.convert(share_of(hits, count), ShareView, from_attributes=True)
