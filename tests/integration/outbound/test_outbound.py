"""The way out: what is sent again, what is not, when a host gets a rest, and what the log may hold. Real sockets on loopback."""

from __future__ import annotations

import asyncio
import doctest
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from xinzu.platform import outbound as module
from xinzu.platform.outbound import NoReply, NotSent, Outbound, Reply, as_unknown
from xinzu.platform.providers import Unknown
from xinzu.platform.servers.ports import free_port

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: bytes | None, port: int = 0) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers every request with these bytes, or reads it and hangs up."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                seen.append(head)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x", seen
    finally:
        server.close()


async def call(outbound: Outbound, url: str) -> Reply | NotSent | NoReply:
    return await outbound.call("GET", url, provider="test", operation="ask")


async def test_an_answer_comes_with_the_digests_of_both_sides() -> None:
    async with listening(OK) as (url, _), Outbound() as outbound:
        reply = await call(outbound, url)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, len(reply.request_sha256), len(reply.body_sha256)) == (200, b"{}", 64, 64)


async def test_a_request_that_may_have_arrived_is_never_sent_again() -> None:
    async with listening(None) as (url, seen), Outbound(connect_attempts=5) as outbound:
        outcome = await call(outbound, url)
    assert isinstance(outcome, NoReply)
    assert len(seen) == 1
    assert as_unknown(outcome).may_have_happened


async def test_a_request_that_found_nobody_is_tried_again_and_surely_did_nothing() -> None:
    port = free_port(0)
    async with Outbound(connect_attempts=2) as outbound:
        outcome = await call(outbound, f"http://127.0.0.1:{port}/x")
    assert isinstance(outcome, NotSent)
    assert as_unknown(outcome) == Unknown("not_sent", "ConnectError", may_have_happened=False)


async def test_a_host_that_comes_back_between_two_attempts_is_reached() -> None:
    port = free_port(0)
    async with Outbound(connect_attempts=8) as outbound:
        asking = asyncio.create_task(call(outbound, f"http://127.0.0.1:{port}/x"))
        await asyncio.sleep(0.05)
        async with listening(OK, port):
            assert isinstance(await asking, Reply)


async def test_a_failing_host_gets_a_rest_and_one_trial_opens_it_again() -> None:
    port = free_port(0)
    url = f"http://127.0.0.1:{port}/x"
    async with Outbound(connect_attempts=1, breaker_failures=2, breaker_pause_s=0.2) as outbound:
        for _ in range(2):
            assert isinstance(await call(outbound, url), NotSent)
        async with listening(OK, port) as (_, seen):
            refused = await call(outbound, url)
            assert refused == NotSent("circuit_open")
            assert seen == []
            await asyncio.sleep(0.25)
            assert isinstance(await call(outbound, url), Reply)
            assert isinstance(await call(outbound, url), Reply)


async def test_an_answer_too_large_is_no_answer() -> None:
    size = module.REPLY_BYTES_MAX + 1
    async with (
        listening(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size) as (url, _),
        Outbound() as outbound,
    ):
        outcome = await call(outbound, url)
    assert outcome == NoReply("reply_too_large")


async def test_a_silent_host_is_given_up() -> None:
    async with listening(b"") as (url, _), Outbound(timeout_s=0.2) as outbound:
        assert isinstance(await call(outbound, url), NoReply)


async def test_an_impossible_address_is_not_sent() -> None:
    async with Outbound(connect_attempts=1) as outbound:
        for url in ("ftp://127.0.0.1/x", "http://127.0.0.1:99999/x", "nonsense"):
            assert isinstance(await call(outbound, url), NotSent)


async def test_the_log_shows_named_members_and_only_the_length_of_others() -> None:
    body = b'{"status": "sent 13812341234", "name": "\xe5\xbc\xa0\xe4\xb8\x89", "address": {"status": "x", "street": "abc"}}'
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    async with listening(answer) as (url, _), Outbound() as outbound:
        with structlog.testing.capture_logs() as lines:
            await outbound.call(
                "POST", url, content=b"name=abc&status=y", provider="t", operation="o", shown_fields=frozenset({"status"})
            )
    (line,) = lines
    assert line["request"] == '{"name": "<3>", "status": "y"}'
    assert line["reply"] == '{"status": "sent 138****1234", "name": "<2>", "address": {"status": "x", "street": "<3>"}}'


def test_stated_examples_are_true() -> None:
    assert doctest.testmod(module).failed == 0
