"""Routes of score sources: tick and order them, ask about a person, see what they said."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post, put
from litestar.params import JSONBody, QueryParameter

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.middle.credit import api
from xinzu.middle.credit.schemas import sources as schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_at, reading, requires, run

READER = [requires(Permission.CREDIT_READ)]
OPENER = [requires(Permission.CREDIT_OPEN)]
WRITER = [requires(Permission.CREDIT_WRITE)]
# Whom personal data go to is for whoever answers for the business and its risks.
SETTER = [requires(Permission.CREDIT_SET)]

Party = Annotated[str, QueryParameter(name="party_id", max_length=64, description="Whom the sources were asked about, pty_…")]


class Sources(msgspec.Struct, kw_only=True):
    """The tenant's sources by capability, in the order they are asked in."""

    items: list[api.SourceView]


@get("/v1/credit/sources", tags=["credit"], operation_id="list_score_sources", guards=READER)
async def list_sources(request: HttpRequest) -> Sources:
    """Which sources are ticked, in which order; without their secrets."""
    async with reading(request) as read:
        return Sources(items=await api.source_views(read))


@put("/v1/credit/sources", tags=["credit"], operation_id="set_score_source", guards=SETTER)
async def set_source(
    request: HttpRequest, data: JSONBody[schemas.SourceBody], key: IdempotencyKey = None
) -> Response[api.SourceView]:
    """Tick a source for a capability, or change its line."""
    options: dict[str, str | int] = {}
    if data.admittance_score is not None:
        options["admittance_score"] = data.admittance_score
    if data.product_code is not None:
        options["product_code"] = data.product_code
    source = api.Source(
        capability=data.capability,
        provider=data.provider,
        style=data.style,
        is_enabled=data.is_enabled,
        rank=data.rank,
        timeout_ms=data.timeout_ms,
        cache_days=data.cache_days,
        cost_fen=data.cost_fen,
        base_url=data.base_url,
        account_id=data.account_id,
        secret=data.secret,
        peer_key=data.peer_key,
        options=options,
    )
    return await run(request, api.configure_sources, source, key=key)


@post("/v1/credit/score-queries", tags=["credit"], operation_id="ask_score", guards=WRITER, status_code=202)
async def ask_score(
    request: HttpRequest, data: JSONBody[schemas.ScoreBody], key: IdempotencyKey = None
) -> Response[api.ScoreAsked]:
    """Ask the tenant's sources about a person who has consented to it; the results come later."""
    body = api.AskScore(
        party_id=id_at(Prefix.PARTY, data.party_id, "/party_id"), capability=data.capability, bank_card=data.bank_card
    )
    return await run(request, api.ask_scores, body, key=key, status=202)


@get("/v1/credit/score-results", tags=["credit"], operation_id="list_score_results", guards=OPENER)
async def list_results(
    request: HttpRequest, party_id: Party, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.ResultPage:
    """What sources said or did not say about a person, with where it comes from; last first."""
    party, before = id_at(Prefix.PARTY, party_id, "/query/party_id"), decode_cursor(cursor)
    async with reading(request) as read:
        page = page_of(await api.results_about(read, party, before, limit + 1), limit, lambda result: result.id)
    return schemas.ResultPage(items=[schemas.result_view(result) for result in page.items], next_cursor=page.next_cursor)


routes = [list_sources, set_source, ask_score, list_results]
