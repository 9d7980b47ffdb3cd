"""Routes of decisions: look at them, explain them."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor
from xinzu.middle.decisions import api
from xinzu.middle.decisions.schemas import decisions as schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, Limit, id_from, reading, requires

READER = [requires(Permission.DECISION_READ)]

State = Annotated[
    api.DecisionState | None,
    QueryParameter(name="state", required=False, description="Only decisions in this state; referred is the reviewers' queue"),
]
Level = Annotated[
    api.ReviewLevel | None,
    QueryParameter(name="level", required=False, description="Only referrals for reviewers of this level"),
]


@get("/v1/decisions", tags=["decisions"], operation_id="list_decisions", guards=READER)
async def list_decisions(
    request: HttpRequest, in_state: State = None, level: Level = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.DecisionPage:
    """Decisions, newest first."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        page = await api.list_decisions(read, in_state, before, limit, level=level)
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


routes = [list_decisions, get_decision, explain_decision]
