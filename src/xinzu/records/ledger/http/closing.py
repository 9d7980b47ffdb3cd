"""Routes that close the books and open them again."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.kernel.time import BusinessDate
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api, schemas
from xinzu.records.ledger.http.parameters import READER

CLOSER = [requires(Permission.LEDGER_CLOSE)]
REOPENER = [requires(Permission.LEDGER_REOPEN)]


@get("/v1/ledger/closures", tags=["ledger"], operation_id="list_ledger_closures", guards=READER)
async def list_closures(request: HttpRequest, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT) -> schemas.ClosurePage:
    """When the books were closed through which date, and reopened; newest first."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        found = await api.closures(read, before=before, limit=limit + 1)
    page = page_of(found, limit, lambda closure: closure.id)
    return schemas.ClosurePage(items=[schemas.closure_view(closure) for closure in page.items], next_cursor=page.next_cursor)


@post("/v1/ledger/closures", tags=["ledger"], operation_id="close_ledger_period", guards=CLOSER)
async def close_period(
    request: HttpRequest, data: JSONBody[schemas.NewClosure], idempotency_key: IdempotencyKey = None
) -> Response[schemas.ClosureView]:
    """Close the books through the end of a month or a date: nothing can be booked on it or before it any more."""
    asked = api.ClosePeriod(_last_day(data.through))
    return await run(request, _close, asked, key=idempotency_key, status=201)


@post(
    "/v1/ledger/closures/{closure_id:str}/reopening",
    tags=["ledger"],
    operation_id="reopen_ledger_period",
    status_code=200,
    guards=REOPENER,
)
async def reopen_period(
    request: HttpRequest,
    closure_id: FromPath[str],
    data: JSONBody[schemas.Reopening],
    idempotency_key: IdempotencyKey = None,
) -> Response[schemas.ClosureView]:
    """Take back the newest closure, with the reason on record."""
    asked = api.ReopenClosure(id_from(Prefix.CLOSURE, closure_id), data.reason)
    return await run(request, _reopen, asked, key=idempotency_key)


def _last_day(through: str) -> BusinessDate:
    """The date a month or a date ends with; raises Invalid for a day that the month does not have."""
    year, month, *day = (int(part) for part in through.split("-"))
    last = monthrange(year, month)[1]
    if day and day[0] > last:
        raise Invalid.field("/through", "request.no_such_day", "该月没有这一天", "The month does not have this day")
    return date(year, month, day[0] if day else last)


async def _close(uow: UnitOfWork, requests: Sequence[api.ClosePeriod]) -> list[Outcome[schemas.ClosureView]]:
    return [_shown(outcome) for outcome in await api.close_periods(uow, requests)]


async def _reopen(uow: UnitOfWork, requests: Sequence[api.ReopenClosure]) -> list[Outcome[schemas.ClosureView]]:
    return [_shown(outcome) for outcome in await api.reopen_closures(uow, requests)]


def _shown(outcome: Outcome[api.Closure]) -> Outcome[schemas.ClosureView]:
    return outcome if isinstance(outcome, Problem) else schemas.closure_view(outcome)


routes = [list_closures, close_period, reopen_period]
