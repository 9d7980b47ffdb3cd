"""The one way a command runs: begin, replay what was done before, run, remember the answers, commit.

A command is ``async def verb_noun(uow, requests) -> list[Outcome[Answer]]``: one outcome per request, in order. It either refuses an item
before writing anything for it (by returning a Problem in its place) or raises; when a batch raises, it is rolled back and its items run
one by one, so that one bad item never fails its neighbours.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from xinzu.kernel.errors import Conflict, Problem, Unavailable
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.actor import Actor
from xinzu.platform.db import CONNECTION_TROUBLE, is_connection_loss
from xinzu.platform.observe.metrics import COMMAND_BATCH, COMMAND_ITEMS, COMMAND_SECONDS, WAITING
from xinzu.platform.runtime import Runtime
from xinzu.platform.uow import UnitOfWork

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741
Command = Callable[[UnitOfWork, Sequence[I]], Awaitable[list[Outcome[O]]]]

IN_FLIGHT_MAX = 2
RETRIES_MAX = 3
# Serialization failure, deadlock, and a unique violation of the idempotency key (another request with the key committed first).
_RETRYABLE = {"40001", "40P01"}


class KeyReused(Conflict):
    code = "idempotency.key_reused"
    title_zh = "幂等键已用于另一请求"
    title_en = "The idempotency key was used for another request"


class Busy(Unavailable):
    code = "request.busy"
    title_zh = "系统繁忙，请稍后重试"
    title_en = "The system is busy: try again shortly"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a command. ``digest`` identifies its content when it carries an idempotency key."""

    body: Any
    key: str | None = None
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of a command's answer. ``replayed`` when it was given before under the same key."""

    content: bytes
    replayed: bool = False


class _KeyRace(Exception):
    """Another transaction committed one of our keys first: roll back and look again."""


def digest_of(route: str, content: bytes) -> bytes:
    """What a reused key is compared by: the route and the exact body."""
    return hashlib.sha256(route.encode() + b"\0" + content).digest()


async def execute(
    runtime: Runtime, tenant_id: int, actor: Actor, command: Command[Any, Any], requests: Sequence[Request]
) -> list[Outcome[Answer]]:
    """Run a batch of one tenant and actor in one transaction; isolate its items when that fails.

    Raises what a single item's command raises if it is not a Problem (a defect: answered as 500 by the door).
    """
    for attempt in range(RETRIES_MAX):
        try:
            return await _execute_together(runtime, tenant_id, actor, command, requests)
        except _KeyRace:
            continue
        except CONNECTION_TROUBLE as error:
            if getattr(error, "sqlstate", None) in _RETRYABLE and attempt + 1 < RETRIES_MAX:
                continue
            if is_connection_loss(error):
                # Whether the commit happened is not known; with an idempotency key the caller can safely ask again.
                lost = Unavailable(
                    "与数据库的连接中断，请稍后用同一幂等键重试",
                    "The database connection broke: retry with the same key",
                    retry_after_s=2,
                )
                return [lost] * len(requests)
            if len(requests) == 1:
                raise
            break
        except Problem as problem:
            if len(requests) == 1 or isinstance(problem, Unavailable):
                return [problem] * len(requests)
            break
    else:
        if len(requests) == 1:
            return [Busy(retry_after_s=1)]
    # One at a time: slower, and each item now stands alone.
    outcomes: list[Outcome[Answer]] = []
    for request in requests:
        outcomes += await execute(runtime, tenant_id, actor, command, [request])
    return outcomes


async def _execute_together(
    runtime: Runtime, tenant_id: int, actor: Actor, command: Command[Any, Any], requests: Sequence[Request]
) -> list[Outcome[Answer]]:
    outcomes: dict[int, Outcome[Answer]] = {}
    name = getattr(command, "__qualname__", "command")
    COMMAND_BATCH.labels(name).observe(len(requests))
    with COMMAND_SECONDS.labels(name).time():
        await _run_and_commit(runtime, tenant_id, actor, command, requests, outcomes)
    refused = sum(isinstance(outcome, Problem) for outcome in outcomes.values())
    COMMAND_ITEMS.labels(name, "refused").inc(refused)
    COMMAND_ITEMS.labels(name, "accepted").inc(len(requests) - refused)
    return [outcomes[index] for index in range(len(requests))]


async def _run_and_commit(
    runtime: Runtime,
    tenant_id: int,
    actor: Actor,
    command: Command[Any, Any],
    requests: Sequence[Request],
    outcomes: dict[int, Outcome[Answer]],
) -> None:
    """One transaction; fills ``outcomes`` by index."""
    first_of_key: dict[str, int] = {}
    async with runtime.unit(tenant_id, actor) as uow:
        fresh = []
        known = await _answers_before(uow, [request.key for request in requests if request.key])
        for index, request in enumerate(requests):
            if request.key is None:
                fresh.append(index)
            elif request.key in known:
                digest, content = known[request.key]
                outcomes[index] = Answer(content, replayed=True) if digest == request.digest else KeyReused()
            elif request.key in first_of_key:
                continue  # a twin inside this batch: answered below from the first
            else:
                first_of_key[request.key] = index
                fresh.append(index)
        if fresh:
            results = await command(uow, [requests[index].body for index in fresh])
            for index, result in zip(fresh, results, strict=True):
                outcomes[index] = result if isinstance(result, Problem) else Answer(msgspec.json.encode(result))
            await _remember(uow, [(requests[index], outcomes[index]) for index in fresh])
    for index, request in enumerate(requests):
        if index not in outcomes:
            first = first_of_key[str(request.key)]
            twin = outcomes[first]
            if requests[first].digest != request.digest:
                outcomes[index] = KeyReused()
            else:
                outcomes[index] = Answer(twin.content, replayed=True) if isinstance(twin, Answer) else twin


async def _answers_before(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
    if not keys:
        return {}
    rows = await uow.rows(
        "SELECT key, digest, response FROM platform_idempotency WHERE tenant_id = :tenant AND key = ANY(cast(:keys AS text[]))",
        keys=list(keys),
    )
    return {row.key: (bytes(row.digest), bytes(row.response)) for row in rows}


async def _remember(uow: UnitOfWork, answered: Sequence[tuple[Request, Outcome[Answer]]]) -> None:
    """Keep the answers given under a key. Refusals are not kept: nothing was written, so asking again is harmless."""
    kept = [(request, answer) for request, answer in answered if request.key is not None and isinstance(answer, Answer)]
    if not kept:
        return
    written = await uow.execute(
        "INSERT INTO platform_idempotency (tenant_id, key, digest, response, created_at)"
        " SELECT :tenant, k.key, k.digest, k.response, :now"
        " FROM unnest(cast(:keys AS text[]), cast(:digests AS bytea[]), cast(:responses AS bytea[])) AS k(key, digest, response)"
        " ON CONFLICT (tenant_id, key) DO NOTHING",
        now=uow.now,
        keys=[request.key for request, _ in kept],
        digests=[request.digest for request, _ in kept],
        responses=[answer.content for _, answer in kept],
    )
    if written != len(kept):
        raise _KeyRace


@dataclass(slots=True)
class _Lane:
    """The waiting line of one tenant, actor and command."""

    waiting: deque[tuple[Request, asyncio.Future[Outcome[Answer]]]] = field(default_factory=deque)
    in_flight: int = 0
    timer: asyncio.TimerHandle | None = None


class Batcher:
    """Group commit: requests of one tenant, actor and command are collected for a few milliseconds and committed together.

    The first request waits ``window_ms`` for neighbours; a full batch leaves at once. At most two transactions of a lane are under way,
    so that under load batches grow by themselves. Beyond ``queue_max`` waiting items the answer is Busy with Retry-After.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._window_s = runtime.settings.batch_window_ms / 1000
        self._items_max = runtime.settings.batch_items_max
        self._queue_max = runtime.settings.batch_queue_max
        self._lanes: dict[tuple[int, Any, Command[Any, Any]], _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def depth(self) -> int:
        """Items waiting in all lanes."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    async def submit(self, tenant_id: int, actor: Actor, command: Command[Any, Any], request: Request) -> Outcome[Answer]:
        """Wait for the outcome of one request; durable once this returns an Answer. Returns Busy when the line is full."""
        lane_key = (tenant_id, (actor.kind, actor.id, actor.name), command)
        lane = self._lanes.setdefault(lane_key, _Lane())
        if len(lane.waiting) >= self._queue_max:
            return Busy(retry_after_s=1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome[Answer]] = loop.create_future()
        lane.waiting.append((request, future))
        WAITING.inc()
        if lane.in_flight < IN_FLIGHT_MAX:
            if len(lane.waiting) >= self._items_max:
                self._depart(lane_key, lane, actor)
            elif lane.timer is None:
                lane.timer = loop.call_later(self._window_s, self._depart, lane_key, lane, actor)
        return await future

    def _depart(self, lane_key: tuple[int, Any, Command[Any, Any]], lane: _Lane, actor: Actor) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        if not lane.waiting or lane.in_flight >= IN_FLIGHT_MAX:
            return
        batch = [lane.waiting.popleft() for _ in range(min(len(lane.waiting), self._items_max))]
        WAITING.dec(len(batch))
        lane.in_flight += 1
        task = asyncio.get_running_loop().create_task(self._run(lane_key, lane, actor, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(
        self,
        lane_key: tuple[int, Any, Command[Any, Any]],
        lane: _Lane,
        actor: Actor,
        batch: list[tuple[Request, asyncio.Future[Outcome[Answer]]]],
    ) -> None:
        tenant_id, _, command = lane_key
        try:
            outcomes = await execute(self._runtime, tenant_id, actor, command, [request for request, _ in batch])
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)
        except BaseException as error:
            await self._fail(tenant_id, actor, command, batch, error)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            lane.in_flight -= 1
            if lane.waiting:
                self._depart(lane_key, lane, actor)
            elif lane.in_flight == 0:
                self._lanes.pop(lane_key, None)

    async def _fail(
        self,
        tenant_id: int,
        actor: Actor,
        command: Command[Any, Any],
        batch: list[tuple[Request, asyncio.Future[Outcome[Answer]]]],
        error: BaseException,
    ) -> None:
        """A defect: with neighbours, find the item that causes it; alone, hand the error to its caller."""
        if len(batch) == 1 or not isinstance(error, Exception):
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for request, future in batch:
            try:
                outcome = (await execute(self._runtime, tenant_id, actor, command, [request]))[0]
            except Exception as cause:  # noqa: BLE001 (a runner: the error belongs to this item's caller)
                if not future.done():
                    future.set_exception(cause)
            else:
                if not future.done():
                    future.set_result(outcome)

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
