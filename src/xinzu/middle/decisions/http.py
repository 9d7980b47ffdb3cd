"""Routes of decisions: look at them, explain them, let a person decide."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor
from xinzu.middle.decisions import api, schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run

READER = [requires(Permission.DECISION_READ)]
REVIEWER = [requires(Permission.DECISION_REVIEW)]

State = Annotated[
    api.DecisionState | None,
    QueryParameter(name="state", required=False, description="Only decisions in this state; referred is the reviewers' queue"),
]


@get("/v1/decisions", tags=["decisions"], operation_id="list_decisions", guards=READER)
async def list_decisions(
    request: HttpRequest, in_state: State = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.DecisionPage:
    """Decisions, newest first."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        page = await api.list_decisions(read, in_state, before, limit)
    return schemas.DecisionPage(
        items=[schemas.decision_summary(decision) for decision in page.items], next_cursor=page.next_cursor
    )


@get("/v1/decisions/{decision_id:str}", tags=["decisions"], operation_id="get_decision", guards=READER)
async def get_decision(request: HttpRequest, decision_id: FromPath[str]) -> schemas.DecisionView:
    """One decision with what it saw, what it said and why."""
    async with reading(request) as read:
        return schemas.decision_view(await api.decision(read, id_from(Prefix.DECISION, decision_id)), api.reason_catalogue())


@get("/v1/decisions/{decision_id:str}/explanation", tags=["decisions"], operation_id="explain_decision", guards=READER)
async def explain_decision(request: HttpRequest, decision_id: FromPath[str]) -> schemas.ExplanationView:
    """What the customer is told about the decision, and how to have a person decide (PIPL arts. 24 and 48)."""
    async with reading(request) as read:
        return await api.explanation(read, id_from(Prefix.DECISION, decision_id))


@post(
    "/v1/decisions/{decision_id:str}/review",
    tags=["decisions"],
    operation_id="review_decision",
    guards=REVIEWER,
    status_code=200,
)
async def review_decision(
    request: HttpRequest, decision_id: FromPath[str], data: JSONBody[schemas.ReviewBody], key: IdempotencyKey = None
) -> Response[schemas.Reviewed]:
    """A person approves or declines what was referred; operators only."""
    body = api.ReviewDecision(
        id_from(Prefix.DECISION, decision_id), api.DecisionOutcome(data.outcome), data.reason_code, data.note
    )
    return await run(request, api.review_decision, body, key=key)


routes = [list_decisions, get_decision, explain_decision, review_decision]
