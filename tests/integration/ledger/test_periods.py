"""Closing a month, what comes late, and opening it again."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest
from asyncpg import IntegrityConstraintViolationError
from httpx import AsyncClient
from tests.conftest import key_headers
from tests.integration.ledger.books import booked, close, numbers, open_books, post, reopen, sale

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.errors import (
    AlreadyClosed,
    BooksNotOpen,
    ClosureUnknown,
    EntryDiffers,
    NotNewestClosure,
    PeriodClosed,
    PeriodNotOver,
)

JANUARY, FEBRUARY = date(2026, 1, 31), date(2026, 2, 28)
MARCH_FIRST, TODAY = date(2026, 3, 1), date(2026, 3, 2)


async def test_what_comes_after_its_month_was_closed_lands_in_the_open_one(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    subject = new_id()
    await open_books(runtime, tenant_id, actor, sale(100, subject, date(2026, 2, 10)))
    await close(runtime, tenant_id, actor, FEBRUARY)
    late = sale(7, subject, date(2026, 2, 20))
    with pytest.raises(PeriodClosed) as refused:
        await post(runtime, tenant_id, actor, sale(5, subject, TODAY), late)
    assert dict(refused.value.extras) == {
        "closed_through": "2026-02-28",
        "business_date": "2026-02-20",
        "open_from": "2026-03-01",
    }
    assert "2026-03-01" in refused.value.detail_zh
    assert await numbers(runtime, tenant_id) == [1]
    ids = await post(runtime, tenant_id, actor, sale(5, subject, TODAY), late, moves_late=True)
    moved = await booked(runtime, tenant_id, ids[1])
    assert (moved.business_date, moved.effective_on) == (MARCH_FIRST, date(2026, 2, 20))
    stayed = await booked(runtime, tenant_id, ids[0])
    assert (stayed.business_date, stayed.effective_on) == (TODAY, None)
    async with runtime.reading(tenant_id) as read:
        february = await ledger.trial_balance(read, FEBRUARY)
        assert {line.account.code: line.balance_fen for line in february.lines} == {"1001": 0, "1122": 100, "6001": 100}
        assert (await ledger.trial_balance(read, TODAY)).debit_fen == 112


async def test_a_fact_that_stands_in_a_closed_month_may_be_told_again(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    told = sale(100, new_id(), date(2026, 2, 10))
    first = await open_books(runtime, tenant_id, actor, told)
    await close(runtime, tenant_id, actor, FEBRUARY)
    assert await post(runtime, tenant_id, actor, told) == first
    assert await post(runtime, tenant_id, actor, told, moves_late=True) == first
    with pytest.raises(EntryDiffers):
        await post(runtime, tenant_id, actor, sale(101, new_id(), TODAY, source_id=told.source_id))


async def test_only_a_period_that_is_over_is_closed_and_later_ones_after_earlier_ones(
    runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock
) -> None:
    with pytest.raises(BooksNotOpen):
        await close(runtime, tenant_id, actor, FEBRUARY)
    await open_books(runtime, tenant_id, actor)
    for day in (TODAY, date(2026, 3, 31)):
        with pytest.raises(PeriodNotOver) as refused:
            await close(runtime, tenant_id, actor, day)
        assert "2026-03-01" in refused.value.detail_en
    closed = await close(runtime, tenant_id, actor, FEBRUARY)
    assert await close(runtime, tenant_id, actor, FEBRUARY) == closed
    with pytest.raises(AlreadyClosed):
        await close(runtime, tenant_id, actor, JANUARY)
    clock.set(datetime(2026, 4, 1, 1, tzinfo=UTC))
    await close(runtime, tenant_id, actor, date(2026, 3, 31))
    async with runtime.reading(tenant_id) as read:
        assert await ledger.closed_through(read) == date(2026, 3, 31)


async def test_the_newest_closure_can_be_taken_back_and_that_stays_on_record(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    subject = new_id()
    await open_books(runtime, tenant_id, actor, sale(100, subject, date(2026, 1, 5)))
    january = await close(runtime, tenant_id, actor, JANUARY)
    february = await close(runtime, tenant_id, actor, FEBRUARY)
    with pytest.raises(NotNewestClosure):
        await reopen(runtime, tenant_id, actor, january.id)
    with pytest.raises(ClosureUnknown):
        await reopen(runtime, tenant_id, actor, new_id())
    taken_back = await reopen(runtime, tenant_id, actor, february.id, "二月漏记一笔费用")
    assert (taken_back.reopened_by, taken_back.reopen_reason) == (str(actor), "二月漏记一笔费用")
    assert await reopen(runtime, tenant_id, actor, february.id, "again") == taken_back
    await post(runtime, tenant_id, actor, sale(11, subject, date(2026, 2, 1)))
    with pytest.raises(PeriodClosed):
        await post(runtime, tenant_id, actor, sale(12, subject, JANUARY))
    again = await close(runtime, tenant_id, actor, FEBRUARY)
    async with runtime.reading(tenant_id) as read:
        assert await ledger.closures(read) == [again, taken_back, january]
        assert (await ledger.trial_balance(read, TODAY)).debit_fen == 111
        period = await ledger.trial_balance(read, TODAY, first=MARCH_FIRST)
        assert {line.account.code: (line.opening_fen, line.debit_fen) for line in period.lines}["1122"] == (111, 0)
    await reopen(runtime, tenant_id, actor, again.id)
    await reopen(runtime, tenant_id, actor, january.id)
    await post(runtime, tenant_id, actor, sale(1, subject, date(2025, 12, 31)))


async def test_a_close_and_those_who_post_meanwhile_take_turns(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    """Whoever posts into February either commits before the close, and is in its figures, or comes too late."""
    await open_books(runtime, tenant_id, actor)

    async def try_to_post(amount_fen: int) -> int:
        try:
            await post(runtime, tenant_id, actor, sale(amount_fen, new_id(), FEBRUARY))
        except PeriodClosed:
            return 0
        return amount_fen

    async def close_soon() -> None:
        await asyncio.sleep(0.02)
        await close(runtime, tenant_id, actor, FEBRUARY)

    results = await asyncio.gather(close_soon(), *(try_to_post(n) for n in range(1, 41)))
    posted_fen = sum(result for result in results if result is not None)
    async with runtime.reading(tenant_id) as read:
        assert (await ledger.trial_balance(read, FEBRUARY)).debit_fen == posted_fen
        kept = await read.scalar("SELECT sum(debit_fen) FROM ledger_closure_balance WHERE tenant_id = :tenant")
    assert kept == posted_fen
    assert await numbers(runtime, tenant_id) == list(range(1, sum(1 for result in results if result) + 1))


async def test_the_database_holds_what_a_closure_is(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    entry_id = (await open_books(runtime, tenant_id, actor, sale(100, new_id(), FEBRUARY)))[0]
    closure = await close(runtime, tenant_id, actor, JANUARY)
    for statement in (
        "UPDATE ledger_closure SET reopened_at = closed_at WHERE tenant_id = :tenant AND id = :id",
        "UPDATE ledger_closure SET reopened_at = closed_at, reopened_by = 'x' WHERE tenant_id = :tenant AND id = :id",
        "INSERT INTO ledger_closure SELECT tenant_id, gen_random_uuid(), through_on, closed_by, closed_at FROM ledger_closure"
        " WHERE tenant_id = :tenant AND id = :id",
        "UPDATE ledger_entry SET effective_on = business_date WHERE tenant_id = :tenant AND id = :entry AND :id IS NOT NULL",
    ):
        values = {"id": closure.id} | ({"entry": entry_id} if ":entry" in statement else {})
        with pytest.raises(IntegrityConstraintViolationError):
            async with runtime.unit(tenant_id, actor) as uow:
                await uow.execute(statement.replace(":id IS NOT NULL", "cast(:id AS uuid) IS NOT NULL"), **values)


async def test_closing_and_reopening_over_http(
    runtime: Runtime, tenant_id: int, other_tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await open_books(runtime, tenant_id, actor)
    await open_books(runtime, other_tenant_id, actor)
    finance, viewer = await key_headers(runtime, tenant_id, "finance"), await key_headers(runtime, tenant_id, "viewer")
    stranger = await key_headers(runtime, other_tenant_id, "owner")
    month = {"through": "2026-02"}
    assert (await api.post("/v1/ledger/closures", json=month, headers=viewer)).status_code == 403
    assert (await api.post("/v1/ledger/closures", json=month)).status_code == 401
    closed = await api.post("/v1/ledger/closures", json=month, headers={**finance, "Idempotency-Key": "feb"})
    assert (closed.status_code, closed.json()["through_on"]) == (201, "2026-02-28")
    assert closed.json()["id"].startswith("clo_")
    again = await api.post("/v1/ledger/closures", json=month, headers={**finance, "Idempotency-Key": "feb"})
    assert again.json() == closed.json()
    earlier = await api.post("/v1/ledger/closures", json={"through": "2026-02-27"}, headers=finance)
    assert (earlier.status_code, earlier.json()["closed_through"]) == (409, "2026-02-28")
    for body in (
        {},
        {"through": None},
        {"through": "2026-13"},
        {"through": "0000-01"},
        {"through": "2026-02\n"},
        {"through": "2026-02-30"},
        {"through": "2026-02-00"},
        {"through": "20260228"},
        {"through": "soon"},
        {"through": "2026-02", "force": True},
    ):
        assert (await api.post("/v1/ledger/closures", json=body, headers=finance)).status_code == 422, body
    today = await api.post("/v1/ledger/closures", json={"through": "2026-03-02"}, headers=finance)
    assert today.json()["type"].endswith("ledger.period_not_over")
    future = await api.post("/v1/ledger/closures", json={"through": "9999-12"}, headers=finance)
    assert future.status_code == 409

    reopening = f"/v1/ledger/closures/{closed.json()['id']}/reopening"
    reason = {"reason": "二月漏记一笔费用"}
    assert (await api.post(reopening, json=reason, headers=finance)).status_code == 403
    assert (await api.post(reopening, json=reason, headers=stranger)).status_code == 404
    for body in ({}, {"reason": ""}, {"reason": "x"}, {"reason": " " * 10}, {"reason": "a" * 501}):
        assert (await api.post(reopening, json=body, headers=api_key)).status_code == 422, body
    taken_back = (await api.post(reopening, json=reason, headers=api_key)).json()
    assert taken_back["reopen_reason"] == "二月漏记一笔费用"
    assert taken_back["reopened_by"] == "api_key:test"
    listed = (await api.get("/v1/ledger/closures", headers=viewer)).json()
    assert listed == {"items": [taken_back], "next_cursor": None}
    assert (await api.get("/v1/ledger/closures", headers=stranger)).json()["items"] == []
    unknown = f"/v1/ledger/closures/{public_id(Prefix.CLOSURE, new_id())}/reopening"
    assert (await api.post(unknown, json=reason, headers=api_key)).status_code == 404
    assert (await api.post("/v1/ledger/closures/x/reopening", json=reason, headers=api_key)).status_code == 404
