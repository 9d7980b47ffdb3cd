"""Closing the books and opening them again leaves a digest that an auditor can check against the trial balance."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from tests.integration.ledger.books import close, open_books, reopen, sale

from xinzu.kernel.ids import new_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger

FEBRUARY = date(2026, 2, 28)


async def _leaves(runtime: Runtime, tenant_id: int, closure: ledger.Closure) -> list[tuple[str, dict[str, Any]]]:
    async with runtime.reading(tenant_id) as read:
        found = await evidence.facts_of(read, closure.id)
    return [(fact.kind, json.loads(fact.body)["facts"]) for fact in found]


async def test_a_closing_keeps_the_digest_of_the_trial_balance_and_so_does_its_reopening(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    await open_books(runtime, tenant_id, actor, sale(100, new_id(), date(2026, 2, 10)), sale(7, new_id(), date(2026, 2, 28)))
    closed = await close(runtime, tenant_id, actor, FEBRUARY)
    # What an auditor does with the trial balance on paper: one line for each account on which something has moved.
    digest = hashlib.sha256(b"1122 107 0\n6001 0 107\n").hexdigest()
    [(kind, facts)] = await _leaves(runtime, tenant_id, closed)
    assert (kind, facts["trial_balance_sha256"], facts["through_on"]) == ("ledger.books.closed", digest, "2026-02-28")
    async with runtime.reading(tenant_id) as read:
        said = await read.rows("SELECT type, subject_id, data FROM platform_event WHERE tenant_id = :tenant")
    assert [(row.type, row.subject_id, row.data["trial_balance_sha256"]) for row in said] == [
        ("xinzu.ledger.books.closed.v1", closed.id, digest)
    ]
    await close(runtime, tenant_id, actor, FEBRUARY)
    assert len(await _leaves(runtime, tenant_id, closed)) == 1, "closing again says nothing again"
    await reopen(runtime, tenant_id, actor, closed.id)
    [_, (kind, facts)] = await _leaves(runtime, tenant_id, closed)
    assert (kind, facts["trial_balance_sha256"]) == ("ledger.books.reopened", digest)
    assert facts["reason"]


async def test_entries_that_somebody_changed_behind_the_back_show_at_the_reopening(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    await open_books(runtime, tenant_id, actor, sale(100, new_id(), date(2026, 2, 10)))
    closed = await close(runtime, tenant_id, actor, FEBRUARY)
    async with runtime.unit(tenant_id, actor) as uow:
        await uow.execute("UPDATE ledger_posting SET amount_fen = 99 WHERE tenant_id = :tenant")
    await reopen(runtime, tenant_id, actor, closed.id)
    (_, before), (_, after) = await _leaves(runtime, tenant_id, closed)
    assert before["trial_balance_sha256"] != after["trial_balance_sha256"]
