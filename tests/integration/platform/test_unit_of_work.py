"""One transaction, one tenant: what is written together is seen together, by its tenant only."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from xinzu.kernel.events import Event, event
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.actor import Actor
from xinzu.platform.commands import Answer, KeyReused, Request, execute
from xinzu.platform.events.relay import Relay, replay_dead
from xinzu.platform.events.subscribers import on
from xinzu.platform.runtime import Runtime
from xinzu.platform.uow import UnitOfWork


@event("xinzu.test.kettle.boiled.v1")
@dataclass(frozen=True, kw_only=True)
class KettleBoiled(Event):
    cups: int


heard: list[int] = []
broken: set[int] = set()


@on(KettleBoiled)
async def on_kettles_boiled(uow: UnitOfWork, events: Sequence[KettleBoiled]) -> None:
    for fact in events:
        if fact.cups in broken:
            raise RuntimeError("a cup is cracked")
    heard.extend(fact.cups for fact in events)


async def boil(uow: UnitOfWork, cups: Sequence[int]) -> list[Outcome[dict[str, int]]]:
    for cup in cups:
        if cup < 0:
            raise ValueError("no such cup")
        uow.emit(KettleBoiled(subject_id=new_id(), cups=cup))
    return [{"cups": cup} for cup in cups]


async def count_events(runtime: Runtime, tenant_id: int) -> int:
    async with runtime.reading(tenant_id) as read:
        return int(await read.scalar("SELECT count(*) FROM platform_event"))


async def test_an_event_reaches_its_subscriber_once(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    heard.clear()
    async with runtime.unit(tenant_id, actor) as uow:
        uow.emit(KettleBoiled(subject_id=new_id(), cups=3))
    relay = Relay(runtime)
    await relay.drain([tenant_id])
    await relay.drain([tenant_id])
    assert heard == [3]


async def test_a_rolled_back_change_says_nothing(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    with pytest.raises(RuntimeError):  # noqa: PT012 (the unit of work is what is under test)
        async with runtime.unit(tenant_id, actor) as uow:
            uow.emit(KettleBoiled(subject_id=new_id(), cups=1))
            raise RuntimeError("changed my mind")
    assert await count_events(runtime, tenant_id) == 0


async def test_a_failing_event_does_not_hold_up_its_neighbours_and_ends_as_dead(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    heard.clear()
    broken.add(13)
    async with runtime.unit(tenant_id, actor) as uow:
        uow.emit(*(KettleBoiled(subject_id=new_id(), cups=cups) for cups in (12, 13, 14)))
    relay = Relay(runtime)
    for _ in range(12):
        await relay.drain([tenant_id])
        async with runtime.unit(tenant_id, actor) as uow:
            await uow.execute("UPDATE platform_delivery SET next_attempt_at = statement_timestamp() WHERE tenant_id = :tenant")
    assert sorted(heard) == [12, 14]
    async with runtime.reading(tenant_id) as read:
        dead = await read.rows("SELECT attempts, last_error FROM platform_delivery WHERE state = 'dead'")
    assert [(row.attempts, row.last_error) for row in dead] == [(10, "RuntimeError: a cup is cracked")]
    broken.clear()
    async with runtime.unit(tenant_id, actor) as uow:
        assert await replay_dead(uow) == 1
    await relay.drain([tenant_id])
    assert sorted(heard) == [12, 13, 14]


async def test_the_same_key_gives_the_same_answer_and_another_body_is_refused(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    request = Request(5, "key-1", b"five")
    first = (await execute(runtime, tenant_id, actor, boil, [request]))[0]
    again = (await execute(runtime, tenant_id, actor, boil, [request]))[0]
    other = (await execute(runtime, tenant_id, actor, boil, [Request(6, "key-1", b"six")]))[0]
    assert first == Answer(b'{"cups":5}')
    assert again == Answer(b'{"cups":5}', replayed=True)
    assert isinstance(other, KeyReused)
    assert await count_events(runtime, tenant_id) == 1


async def test_one_bad_item_does_not_fail_its_neighbours(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    with pytest.raises(ValueError, match="no such cup"):
        await execute(runtime, tenant_id, actor, boil, [Request(1), Request(-1), Request(2)])


async def test_nothing_is_read_or_written_without_a_tenant(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        uow.emit(KettleBoiled(subject_id=new_id(), cups=1))
    async with runtime.database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM platform_event"))).scalar() == 0
        with pytest.raises(DBAPIError, match="row-level security"):
            await connection.execute(
                text(
                    "INSERT INTO platform_event (tenant_id, id, type, subject_id, actor, occurred_at, data)"
                    " VALUES (:t, :i, 'x', :i, 'x', now(), '{}')"
                ),
                {"t": tenant_id, "i": UUID(int=1)},
            )


async def test_another_tenant_sees_nothing(runtime: Runtime, tenant_id: int, other_tenant_id: int, actor: Actor) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        uow.emit(KettleBoiled(subject_id=new_id(), cups=1))
    assert await count_events(runtime, other_tenant_id) == 0
    assert await count_events(runtime, tenant_id) == 1


async def test_a_dry_run_leaves_nothing_and_the_transaction_goes_on(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        for cups, keep in ((1, True), (2, False)):
            async with uow.savepoint(keep=keep):
                uow.emit(KettleBoiled(subject_id=new_id(), cups=cups))
                await uow.say()
        with suppress(LookupError):
            async with uow.savepoint(keep=True):
                uow.emit(KettleBoiled(subject_id=new_id(), cups=3))
                await uow.say()
                raise LookupError
        assert await uow.scalar("SELECT array_agg(cast(data ->> 'cups' AS int)) FROM platform_event") == [1]
    assert await count_events(runtime, tenant_id) == 1


async def test_a_row_is_read_by_name_by_place_and_unpacked(runtime: Runtime, tenant_id: int) -> None:
    async with runtime.reading(tenant_id) as read:
        row = await read.row("SELECT cast(:n AS int) AS number, cast(:tenant AS bigint) AS tenant", n=7)
        assert row is not None
        number, tenant = row
        assert (number, tenant) == (row.number, row["tenant"]) == (row[0], row.tenant) == (7, tenant_id)
        with pytest.raises(AttributeError):
            _ = row.missing
        assert await read.row("SELECT 1 WHERE false") is None
        assert await read.scalar("SELECT 1 WHERE false") is None
        assert [batch async for batch in read.batches("SELECT n FROM generate_series(1, 5) AS n", 2)][-1][0].n == 5
