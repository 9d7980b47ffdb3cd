"""Routes of replays on history: ask for one, see how far it is and what it found."""

from __future__ import annotations

from datetime import date

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor
from xinzu.kernel.time import Instant
from xinzu.middle.decisions import api
from xinzu.middle.decisions.schemas import backtest as schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run

READER = [requires(Permission.STRATEGY_READ)]


class BacktestView(schemas.BacktestAsked, kw_only=True):
    """A replay: asked, running, done or failed; how far it is; what it found."""

    strategy_id: str | None
    key: str
    version: int | None
    graph_sha256: str
    engine_version: str
    since_on: date
    until_on: date
    limit: int
    segments: list[str]
    maturity_days: int
    decisions_total: int
    decisions_done: int
    failure: str | None
    asked_by: str
    asked_at: Instant
    finished_at: Instant | None
    report: api.BacktestReport | None


class BacktestPage(msgspec.Struct, kw_only=True):
    """Replays of a version, newest first."""

    items: list[BacktestView]
    next_cursor: str | None


def backtest_view(found: api.Backtest) -> BacktestView:
    return BacktestView(
        id=public_id(Prefix.BACKTEST, found.id),
        state=found.state,
        strategy_id=None if found.strategy_id is None else public_id(Prefix.STRATEGY, found.strategy_id),
        key=found.key,
        version=found.version,
        graph_sha256=found.graph_sha256,
        engine_version=found.engine_version,
        since_on=found.since_on,
        until_on=found.until_on,
        limit=found.limit_count,
        segments=list(found.segments),
        maturity_days=found.maturity_days,
        decisions_total=found.decisions_total,
        decisions_done=found.decisions_done,
        failure=found.failure,
        asked_by=found.asked_by,
        asked_at=found.asked_at,
        finished_at=found.finished_at,
        report=found.report,
    )


@post(
    "/v1/strategies/{strategy_id:str}/replays",
    tags=["strategies"],
    operation_id="replay_strategy",
    guards=READER,
    status_code=202,
)
async def replay_strategy(
    request: HttpRequest, strategy_id: FromPath[str], data: JSONBody[schemas.BacktestBody], key: IdempotencyKey = None
) -> Response[schemas.BacktestAsked]:
    """Replay any version, a draft too, on the stored decisions of its key; a job does it. Nothing follows from it for anybody."""
    body = api.AskBacktest(
        id_from(Prefix.STRATEGY, strategy_id), data.since_on, data.until_on, data.limit, data.segments, data.maturity_days
    )
    return await run(request, api.ask_backtests, body, key=key, status=202, location="/v1/strategy-replays/{id}")


@get("/v1/strategies/{strategy_id:str}/replays", tags=["strategies"], operation_id="list_strategy_replays", guards=READER)
async def list_strategy_replays(
    request: HttpRequest, strategy_id: FromPath[str], cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> BacktestPage:
    """The replays of a version, newest first."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        page = await api.list_backtests(read, id_from(Prefix.STRATEGY, strategy_id), before, limit)
    return BacktestPage(items=[backtest_view(each) for each in page.items], next_cursor=page.next_cursor)


@get("/v1/strategy-replays/{replay_id:str}", tags=["strategies"], operation_id="get_strategy_replay", guards=READER)
async def get_strategy_replay(request: HttpRequest, replay_id: FromPath[str]) -> BacktestView:
    """How far a replay is, and what it found: swap set, rates before and after, money, rows and reasons, and the check by the engine."""
    async with reading(request) as read:
        return backtest_view(await api.backtest(read, id_from(Prefix.BACKTEST, replay_id)))


routes = [replay_strategy, list_strategy_replays, get_strategy_replay]
