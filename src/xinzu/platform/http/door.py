"""The door: from an authenticated request to a command or a query, and back to a response."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter

from xinzu.kernel.errors import Forbidden, Invalid, NotFound, Problem, Unauthenticated
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.paging import LIMIT_MAX
from xinzu.platform.actor import Actor, Permission
from xinzu.platform.commands import Answer, Batcher, Command, digest_of
from xinzu.platform.commands import Request as CommandRequest
from xinzu.platform.runtime import Runtime
from xinzu.platform.uow import ReadSession

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

HttpRequest = Request[Any, Any, Any]
Cursor = Annotated[str | None, QueryParameter(name="cursor", required=False, max_length=64)]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=LIMIT_MAX)]
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        max_length=255,
        schema_extra={"pattern": "^[!-~]{1,255}$"},
        description="Ask again with the same key and body and get the first answer again. Kept for at least 24 hours.",
    ),
]


def runtime_of(request: HttpRequest) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


def actor_of(request: HttpRequest) -> Actor:
    return cast(Actor, request.scope["state"]["actor"])


def tenant_of(request: HttpRequest) -> int:
    return cast(int, request.scope["state"]["tenant_id"])


def requires(permission: Permission) -> Any:  # noqa: ANN401 (Litestar's guard type)
    """A guard: the actor must hold the permission. Async, because Litestar would send a plain function to a thread at each request."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        actor = connection.scope["state"].get("actor")
        if actor is None:
            raise Unauthenticated()
        if permission not in actor.permissions:
            raise Forbidden(f"需要权限 {permission}", f"This needs the permission {permission}")

    return guard


def id_from(prefix: Prefix, text: str) -> UUID:
    """The id in a path; an id that is not of this kind is simply not found."""
    try:
        return parse_id(prefix, text)
    except ValueError:
        raise NotFound() from None


def id_at(prefix: Prefix, text: str, pointer: str) -> UUID:
    """The id in a body or a query; raises Invalid naming the field when it is not of this kind."""
    try:
        return parse_id(prefix, text)
    except ValueError:
        raise Invalid.field(
            pointer,
            "request.wrong_id",
            f"{pointer} 应为 {prefix}_ 开头的编号",
            f"{pointer} takes an id that begins with {prefix}_",
        ) from None


def subject_from(text: str) -> UUID:
    """The id in the query parameter ``subject``: the public id of whatever noun is asked about."""
    try:
        return parse_id(Prefix(text.partition("_")[0]), text)
    except ValueError:
        raise Invalid.field(
            "/query/subject",
            "request.wrong_id",
            "请给出对象编号，例如 agr_ 开头的合同编号或 app_ 开头的申请编号",
            "Give the id of the subject, for example an agreement's (agr_…) or an application's (app_…)",
        ) from None


async def submit(request: HttpRequest, command: Command[I, O], body: I, *, key: str | None = None) -> Answer:
    """Run a command through the batcher and return its answer; raises its Problem."""
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid.field(
            "/header/Idempotency-Key",
            "idempotency.bad_key",
            "幂等键须为 1 至 255 个可见 ASCII 字符",
            "An idempotency key has 1 to 255 visible ASCII characters",
        )
    digest = digest_of(f"{request.method} {request.scope['path']}", await request.body()) if key else b""
    return await submit_as(request, tenant_of(request), actor_of(request), command, CommandRequest(body, key, digest))


async def submit_as(request: HttpRequest, tenant_id: int, actor: Actor, command: Command[I, O], asked: CommandRequest) -> Answer:
    """Run a command for a tenant and an actor that the request's login does not say (a provider's callback); raises its Problem."""
    outcome = await cast(Batcher, request.app.state.batcher).submit(tenant_id, actor, command, asked)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


async def run(
    request: HttpRequest,
    command: Command[I, O],
    body: I,
    *,
    key: str | None = None,
    status: int = 200,
    location: str | None = None,
) -> Response[O]:
    """Run a command and answer with its JSON. ``location`` may hold ``{id}``, filled from the answer's ``id``."""
    return answer_response(await submit(request, command, body, key=key), status=status, location=location)


_ID = re.compile(rb'"id":"([^"]+)"')


def answer_response(answer: Answer, *, status: int, location: str | None = None) -> Response[Any]:
    """A command's stored JSON as a response."""
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    if location is not None:
        found = _ID.search(answer.content)
        headers["Location"] = location.replace("{id}", found.group(1).decode() if found else "")
    return Response(content=answer.content, status_code=status, media_type="application/json", headers=headers)


@asynccontextmanager
async def reading(request: HttpRequest) -> AsyncIterator[ReadSession]:
    """A read session of the request's tenant."""
    async with runtime_of(request).reading(tenant_of(request)) as read:
        yield read
