"""Operators log in and out."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody
from msgspec import Meta

from xinzu.kernel.errors import NotFound
from xinzu.kernel.time import Instant
from xinzu.platform.http.auth import SESSION_COOKIE
from xinzu.platform.http.door import HttpRequest, actor_of, runtime_of, tenant_of
from xinzu.platform.tenants import Session, WrongLogin, log_in, log_out


class LogIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants in. The lengths bound what is looked up and hashed for somebody not yet known."""

    tenant: Annotated[str, Meta(min_length=1, max_length=63)]
    login: Annotated[str, Meta(min_length=1, max_length=200)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]


class LoggedIn(msgspec.Struct):
    expires_at: Instant


def session_cookie(request: HttpRequest, tenant: str, session: Session) -> Cookie:
    """The cookie of an open session: out of reach of scripts and of other sites' forms."""
    return Cookie(
        key=SESSION_COOKIE,
        value=f"{tenant}.{session.token}",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )


async def end_session(request: HttpRequest) -> None:
    """End the session this request came with; nothing happens when it came with an API key or with none."""
    credential: Any = request.scope["state"].get("credential")
    if credential and credential.startswith("session:"):
        async with runtime_of(request).unit(tenant_of(request), actor_of(request)) as uow:
            await log_out(uow, credential.partition(".")[2])


@post("/v1/sessions", tags=["sessions"], security=[{}], status_code=201, operation_id="log_in")
async def open_session(data: JSONBody[LogIn], request: HttpRequest) -> Response[LoggedIn]:
    """Open an operator's session; the cookie is HttpOnly and SameSite=Lax."""
    try:
        session = await log_in(runtime_of(request), data.tenant, data.login, data.password)
    except NotFound:
        raise WrongLogin() from None
    return Response(LoggedIn(session.expires_at), cookies=[session_cookie(request, data.tenant, session)], status_code=201)


@delete("/v1/sessions/current", tags=["sessions"], status_code=204, operation_id="log_out")
async def close_session(request: HttpRequest) -> None:
    """End the session this request came with."""
    await end_session(request)


session_routes = [open_session, close_session]
