"""Routes of reviews: the queue, claims, deciding, appeals, levels, the clock, statistics."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor
from xinzu.middle.decisions import api
from xinzu.middle.decisions.schemas import reviews as schemas
from xinzu.middle.decisions.schemas.decisions import ReviewBody
from xinzu.platform.actor import Permission
from xinzu.platform.http.approvals import WAITS, run_or_wait
from xinzu.platform.http.door import (
    Cursor,
    HttpRequest,
    IdempotencyKey,
    Limit,
    actor_of,
    id_at,
    id_from,
    reading,
    requires,
    run,
)

READER = [requires(Permission.DECISION_READ)]
REVIEWER = [requires(Permission.DECISION_REVIEW)]
SETTER = [requires(Permission.REVIEW_SET)]
CHANNEL = [requires(Permission.APPLICATION_WRITE)]

Level = Annotated[
    api.ReviewLevel | None, QueryParameter(name="level", required=False, description="Only what this level is asked about now")
]
Mine = Annotated[bool, QueryParameter(name="mine", required=False, description="Only what the acting operator holds now")]
BeginOn = Annotated[
    date | None, QueryParameter(name="begin_on", required=False, description="First business date; default: 90 days back")
]
UntilOn = Annotated[
    date | None, QueryParameter(name="until_on", required=False, description="Last business date, inclusive; default: today")
]


@get("/v1/reviews", tags=["reviews"], operation_id="list_reviews", guards=READER)
async def list_reviews(
    request: HttpRequest, level: Level = None, mine: Mine = False, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.ReferralPage:
    """What waits for a person, oldest first, with its level, its clock and who holds it."""
    after = decode_cursor(cursor)
    holder = str(actor_of(request)) if mine else None
    async with reading(request) as read:
        page = await api.list_referrals(read, level, holder, after, limit)
        return schemas.ReferralPage(
            items=[schemas.referral_view(each, read.now) for each in page.items], next_cursor=page.next_cursor
        )


@post("/v1/decisions/{decision_id:str}/claim", tags=["reviews"], operation_id="claim_review", guards=REVIEWER, status_code=200)
async def claim_review(request: HttpRequest, decision_id: FromPath[str], key: IdempotencyKey = None) -> Response[schemas.Claimed]:
    """Hold a decision so that nobody else decides it; the claim ends by itself. Operators only."""
    return await run(request, api.claim_reviews, id_from(Prefix.DECISION, decision_id), key=key)


@post(
    "/v1/decisions/{decision_id:str}/release", tags=["reviews"], operation_id="release_review", guards=REVIEWER, status_code=200
)
async def release_review(
    request: HttpRequest, decision_id: FromPath[str], key: IdempotencyKey = None
) -> Response[schemas.Claimed]:
    """Let go of a decision one holds."""
    return await run(request, api.release_reviews, id_from(Prefix.DECISION, decision_id), key=key)


@post(
    "/v1/decisions/{decision_id:str}/review",
    tags=["reviews"],
    operation_id="review_decision",
    guards=REVIEWER,
    status_code=200,
    responses=WAITS,
)
async def review_decision(
    request: HttpRequest, decision_id: FromPath[str], data: JSONBody[ReviewBody], key: IdempotencyKey = None
) -> Response[Any]:
    """A person approves or declines what was referred; operators only. 202: the exposure takes a second person's approval."""
    body = api.ReviewDecision(
        id_from(Prefix.DECISION, decision_id), api.DecisionOutcome(data.outcome), data.reason_code, data.note
    )
    return await run_or_wait(request, api.review_decision, body, key=key)


@post("/v1/decisions/{decision_id:str}/appeal", tags=["reviews"], operation_id="appeal_decision", guards=CHANNEL, status_code=202)
async def appeal_decision(
    request: HttpRequest, decision_id: FromPath[str], data: JSONBody[schemas.AppealBody], key: IdempotencyKey = None
) -> Response[schemas.Appealed]:
    """The applicant appeals against what a person declined, once, within 30 days: another person decides."""
    body = api.Appeal(id_from(Prefix.DECISION, decision_id), data.grounds)
    return await run(request, api.appeal_decisions, body, key=key, status=202)


@get("/v1/decisions/{decision_id:str}/appeal", tags=["reviews"], operation_id="get_appeal", guards=REVIEWER)
async def get_appeal(request: HttpRequest, decision_id: FromPath[str]) -> schemas.AppealView:
    """An appeal with the person's own words, for whoever reviews."""
    async with reading(request) as read:
        return await api.appeal_of(read, id_from(Prefix.DECISION, decision_id))


@get("/v1/reviews/statistics", tags=["reviews"], operation_id="get_review_statistics", guards=READER)
async def get_review_statistics(
    request: HttpRequest, begin_on: BeginOn = None, until_on: UntilOn = None
) -> schemas.ReviewStatistics:
    """What people made of what strategies said: overturned declines by reason with 95 % intervals, agreement by reviewer."""
    async with reading(request) as read:
        return await api.review_statistics(read, begin_on, until_on)


@get("/v1/reviewers", tags=["reviews"], operation_id="list_reviewers", guards=READER)
async def list_reviewers(request: HttpRequest) -> schemas.ReviewerList:
    """Operators whose level was set."""
    async with reading(request) as read:
        return schemas.ReviewerList(items=[schemas.reviewer_view(each) for each in await api.list_reviewers(read)])


@put("/v1/reviewers", tags=["reviews"], operation_id="set_reviewer", guards=SETTER)
async def set_reviewer(
    request: HttpRequest, data: JSONBody[schemas.ReviewerBody], key: IdempotencyKey = None
) -> Response[schemas.ReviewerView]:
    """Set an operator's level of review, and whether referrals are assigned."""
    party_id = None if data.party_id is None else id_at(Prefix.PARTY, data.party_id, "/party_id")
    body = api.Reviewer(data.login, api.ReviewLevel(data.level), data.is_available, data.held_max, party_id)
    return await run(request, api.set_reviewers, body, key=key)


@get("/v1/review-policy", tags=["reviews"], operation_id="get_review_policy", guards=READER)
async def get_review_policy(request: HttpRequest) -> schemas.PolicyView:
    """The clock of reviews."""
    async with reading(request) as read:
        return schemas.policy_view(await api.review_policy(read))


@put("/v1/review-policy", tags=["reviews"], operation_id="set_review_policy", guards=SETTER)
async def set_review_policy(
    request: HttpRequest, data: JSONBody[schemas.PolicyBody], key: IdempotencyKey = None
) -> Response[schemas.PolicyView]:
    """Set the clock of reviews for what is referred from now on."""
    return await run(request, api.set_review_policies, api.ReviewPolicy(**msgspec.structs.asdict(data)), key=key)


routes = [
    list_reviews,
    claim_review,
    release_review,
    review_decision,
    appeal_decision,
    get_appeal,
    get_review_statistics,
    list_reviewers,
    set_reviewer,
    get_review_policy,
    set_review_policy,
]
