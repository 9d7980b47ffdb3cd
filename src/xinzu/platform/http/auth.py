"""Who is asking: ``Authorization: Bearer xzk_…`` for channels' servers, the ``xinzu_session`` cookie for operators.

Also the place of the rate limits, because they count per credential.
"""

from __future__ import annotations

import asyncio
import re
import time as monotonic
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast

from litestar import Request
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from xinzu.kernel.errors import NotFound, Problem, TooMany, Unauthenticated
from xinzu.kernel.ids import new_id
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.passwords import tenant_of_api_key
from xinzu.platform.http.problems import answer
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import actor_of_api_key, actor_of_session

SESSION_COOKIE = "xinzu_session"
CALLBACKS = "/v1/callbacks/"
LOG_IN = frozenset({"/v1/sessions", "/overview/login"})
SLUG = re.compile(r"[a-z][a-z0-9-]{1,30}")  # a tenant's short name: anything else names nobody and is not looked up
CACHE_SECONDS = 10.0
CACHE_MAX = 10_000


@dataclass(slots=True)
class _Bucket:
    """A token bucket that holds one second's allowance."""

    tokens: float
    at: float

    def take(self, per_second: int, now: float) -> bool:
        self.tokens = min(float(per_second), self.tokens + (now - self.at) * per_second)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class _Known:
    tenant_id: int
    actor: Actor
    until: float


class Authentication:
    """ASGI middleware: names the actor and the tenant in the scope's state; a wrong credential is answered 401 at once.

    Routes that need no credential (health, provider callbacks, log-in, the public pages) simply have no guard.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._known: dict[str, _Known] = {}
        self._looking_up: dict[str, asyncio.Task[_Known]] = {}
        self._buckets: dict[str, _Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["trace_id"] = str(new_id())
        try:
            await self._identify(scope, state)
        except Problem as problem:
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            response = answer(request, problem)
            await response.to_asgi_response(app=None, request=request)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _identify(self, scope: Scope, state: dict[str, Any]) -> None:
        runtime = cast(Runtime, scope["litestar_app"].state.runtime)
        credential = _credential(scope)
        now = monotonic.monotonic()
        if cast(dict[str, Any], scope)["method"] == "POST" and scope["path"] in LOG_IN:
            self._count(f"log_in:{_address(scope)}", runtime.settings.log_in_tries_per_address_per_s, now)
        if credential is None:
            # Providers' callbacks carry a signature instead of a credential and come in bursts.
            is_callback = scope["path"].startswith(CALLBACKS)
            settings = runtime.settings
            limit = settings.rate_limit_per_key_per_s if is_callback else settings.rate_limit_per_address_per_s
            self._count(f"{'callback' if is_callback else 'address'}:{_address(scope)}", limit, now)
            return
        known = self._known.get(credential)
        if known is None or known.until < now:
            try:
                known = await self._looked_up(runtime, credential, _address(scope), now)
            except Unauthenticated:
                if credential.startswith("session:"):
                    return  # an expired cookie is no credential: the person must still reach the log-in
                raise
        self._count(f"actor:{known.actor.id}", runtime.settings.rate_limit_per_key_per_s, now)
        state["actor"] = known.actor
        state["tenant_id"] = known.tenant_id
        state["credential"] = credential

    def _count(self, who: str, per_second: int, now: float) -> None:
        if len(self._buckets) > CACHE_MAX:
            self._buckets.clear()
        bucket = self._buckets.setdefault(who, _Bucket(float(per_second), now))
        if not bucket.take(per_second, now):
            raise TooMany(retry_after_s=1)

    async def _looked_up(self, runtime: Runtime, credential: str, address: str, now: float) -> _Known:
        """Requests that bring the same credential meanwhile wait for one look-up: under load hundreds come when it is due again."""
        under_way = self._looking_up.get(credential)
        if under_way is None:
            # Look-ups of unknown credentials are limited like requests without one, so that guessing stays slow.
            self._count(f"address:{address}", runtime.settings.rate_limit_per_address_per_s, now)
            under_way = self._looking_up[credential] = asyncio.create_task(self._look_up(runtime, credential, now))
            under_way.add_done_callback(lambda _: self._looking_up.pop(credential))
        return await asyncio.shield(under_way)

    async def _look_up(self, runtime: Runtime, credential: str, now: float) -> _Known:
        kind, _, secret = credential.partition(":")
        slug = tenant_of_api_key(secret) if kind == "key" else secret.partition(".")[0]
        if not slug or not SLUG.fullmatch(slug):
            raise Unauthenticated()
        try:
            tenant_id = await runtime.tenant_id_of(slug)
        except NotFound:
            raise Unauthenticated() from None
        async with runtime.reading(tenant_id) as read:
            if kind == "key":
                actor = await actor_of_api_key(read, secret)
            else:
                actor = await actor_of_session(read, secret.partition(".")[2])
        if actor is None:
            raise Unauthenticated()
        if len(self._known) > CACHE_MAX:
            self._known.clear()
        known = self._known[credential] = _Known(tenant_id, actor, now + CACHE_SECONDS)
        return known


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _credential(scope: Scope) -> str | None:
    headers = Headers.from_scope(scope)
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise Unauthenticated("请使用 Authorization: Bearer <API 密钥>", "Use Authorization: Bearer <API key>")
        return f"key:{secret.strip()}"
    cookie = headers.get("cookie")
    if cookie:
        try:
            morsel = SimpleCookie(cookie).get(SESSION_COOKIE)
        except CookieError:
            return None
        if morsel is not None and morsel.value:
            return f"session:{morsel.value}"
    return None
