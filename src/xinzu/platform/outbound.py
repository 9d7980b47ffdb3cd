"""The one way out to providers: a shared HTTP client with time limits, safe retries, a circuit breaker and a redacted log.

A request is sent again only when it surely was not sent (no connection was made); anything else could double a payment.
Nothing raised by the network reaches a caller: the outcome is a Reply, NotSent or NoReply.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import httpx
import structlog

from xinzu.platform.crypto.masking import redact
from xinzu.platform.providers import Unknown

log = structlog.get_logger(__name__)

TIMEOUT_S_DEFAULT = 15.0
CONNECT_TIMEOUT_S = 5.0
CONNECT_ATTEMPTS = 3
RETRY_BASE_MS = 100
BREAKER_FAILURES = 5
BREAKER_PAUSE_S = 5.0
REPLY_BYTES_MAX = 4 * 1024 * 1024
CONNECTIONS_MAX = 100
_LOGGED_CHARS_MAX = 4000
# Raised before any byte of the request was written.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


@dataclass(frozen=True)
class Reply:
    """An answer as it came, whatever its status, and the digests of both sides for evidence."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    request_sha256: str

    @cached_property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left: no connection, or the breaker is open. It is safe to send it again."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoReply:
    """The request may have arrived and been acted on, but no whole answer came back."""

    reason: str


@dataclass(slots=True)
class _Breaker:
    """Consecutive failures of one provider at one host. Open: refuse for a while, then let one request through to try."""

    failures: int = 0
    open_until: float = 0.0
    trying: bool = False


@dataclass(slots=True)
class Outbound:
    """The process's outbound client; make one per event loop and close it with ``async with`` or ``aclose``.

    Proxies named in the environment are not used unless ``proxy_url`` says so: a loopback twin must never go through one.
    """

    timeout_s: float = TIMEOUT_S_DEFAULT
    connect_attempts: int = CONNECT_ATTEMPTS
    breaker_failures: int = BREAKER_FAILURES
    breaker_pause_s: float = BREAKER_PAUSE_S
    proxy_url: str | None = None
    _client: httpx.AsyncClient = field(init=False)
    _breakers: dict[str, _Breaker] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(self.timeout_s, connect=min(CONNECT_TIMEOUT_S, self.timeout_s)),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX, keepalive_expiry=30),
            follow_redirects=False,
            trust_env=False,
            proxy=self.proxy_url,
            headers={"user-agent": "xinzu"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections kept open."""
        await self._client.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        provider: str,
        operation: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        shown_fields: frozenset[str] = frozenset(),
    ) -> Reply | NotSent | NoReply:
        """Send one request and report what is known of it. Never raises for the network's or the provider's faults.

        ``provider`` and ``operation`` name the call in the log. Of request and reply the log keeps digests and, of the members
        named in ``shown_fields``, their values; every other member shows only its length, because names and addresses have no
        pattern that could be redacted.
        """
        host = _host_of(url)
        if host is None:
            log.warning("outbound_refused", provider=provider, operation=operation, reason="bad_url")
            return NotSent("bad_url")
        breaker = self._breakers.setdefault(f"{provider}@{host}", _Breaker())
        now = asyncio.get_running_loop().time
        if breaker.open_until > now() or breaker.trying:
            log.warning("outbound_refused", provider=provider, operation=operation, host=host, reason="circuit_open")
            return NotSent("circuit_open")
        breaker.trying = breaker.failures >= self.breaker_failures
        started = now()
        digest = hashlib.sha256(f"{method} {url}\n".encode() + content).hexdigest()
        try:
            outcome = await self._send(method, url, content, headers or {}, timeout_s, digest)
        finally:
            breaker.trying = False
        if isinstance(outcome, Reply) and outcome.status < 500:
            breaker.failures, breaker.open_until = 0, 0.0
        else:
            breaker.failures += 1
            if breaker.failures >= self.breaker_failures:
                breaker.open_until = now() + self.breaker_pause_s
        self._record(
            outcome, provider, operation, host, digest, content, shown_fields, elapsed_ms=round((now() - started) * 1000, 1)
        )
        return outcome

    async def _send(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], timeout_s: float | None, digest: str
    ) -> Reply | NotSent | NoReply:
        timeout = httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)) if timeout_s else self._client.timeout
        reason = ""
        for attempt in range(self.connect_attempts):
            if attempt:
                # Full jitter, so that callers who failed together do not come back together.
                await asyncio.sleep(secrets.randbelow(RETRY_BASE_MS << attempt) / 1000)
            request = self._client.build_request(method, url, content=content, headers=headers, timeout=timeout)
            try:
                async with asyncio.timeout(timeout_s or self.timeout_s):
                    response = await self._client.send(request, stream=True)
                    try:
                        return await _read(response, digest)
                    finally:
                        await response.aclose()
            except _NOT_SENT as error:
                reason = type(error).__name__
            except (httpx.HTTPError, TimeoutError) as error:
                return NoReply(type(error).__name__)
        return NotSent(reason)

    @staticmethod
    def _record(
        outcome: Reply | NotSent | NoReply,
        provider: str,
        operation: str,
        host: str,
        digest: str,
        content: bytes,
        shown: frozenset[str],
        elapsed_ms: float,
    ) -> None:
        line = log.bind(provider=provider, operation=operation, host=host, elapsed_ms=elapsed_ms, request_sha256=digest)
        if isinstance(outcome, Reply):
            line.info(
                "outbound_replied",
                status=outcome.status,
                reply_sha256=outcome.body_sha256,
                request=shape_of(content, shown),
                reply=shape_of(outcome.body, shown),
            )
        else:
            line.warning(
                "outbound_unanswered", outcome=type(outcome).__name__, reason=outcome.reason, request=shape_of(content, shown)
            )


def as_unknown(outcome: NotSent | NoReply) -> Unknown:
    """The provider result of a call that got no answer."""
    if isinstance(outcome, NotSent):
        reason = "circuit_open" if outcome.reason == "circuit_open" else "not_sent"
        return Unknown(reason, outcome.reason, may_have_happened=False)
    return Unknown("no_reply", outcome.reason)


def shape_of(body: bytes, shown: frozenset[str]) -> str:
    """A body for the log: JSON or form members in ``shown`` with redacted values, the others as their length.

    >>> shape_of(b'{"status": "SUCCESS", "name": "abc"}', frozenset({"status"}))
    '{"status": "SUCCESS", "name": "<3>"}'
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"
    if not text:
        return ""
    try:
        found: object = json.loads(text)
    except ValueError:
        pairs = parse_qsl(text)
        if not pairs:
            return f"<{len(body)} bytes>"
        found = {name: _json_or_text(value) for name, value in pairs}
    return redact(json.dumps(_shape(found, shown, "", nested=True), ensure_ascii=False))[:_LOGGED_CHARS_MAX]


def _shape(value: object, shown: frozenset[str], name: str, *, nested: bool = False) -> object:
    if isinstance(value, dict):
        return {str(key): _shape(member, shown, str(key)) for key, member in value.items()}
    if isinstance(value, list):
        return [_shape(member, shown, name) for member in value]
    if value is None or isinstance(value, bool) or (name in shown and not nested):
        return value
    return f"<{len(str(value))}>"


def _json_or_text(value: str) -> object:
    """Alipay puts a JSON text into a form field."""
    if value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _host_of(url: str) -> str | None:
    """Host and port of an http address; None when there is nobody to connect to."""
    try:
        parts, parsed = urlsplit(url), httpx.URL(url)
        port = parts.port
    except (ValueError, httpx.InvalidURL):
        return None
    return parts.netloc if parsed.scheme in ("http", "https") and parsed.host and port != 0 else None


async def _read(response: httpx.Response, digest: str) -> Reply | NoReply:
    """The whole body, unless it is larger than any answer we expect."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > REPLY_BYTES_MAX:
            return NoReply("reply_too_large")
        chunks.append(chunk)
    return Reply(response.status_code, dict(response.headers), b"".join(chunks), digest)
