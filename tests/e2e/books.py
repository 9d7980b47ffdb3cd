"""What must be true of a merchant's records whatever was killed while they were written: compared with what the channel was told
and with the books the Alipay twin keeps for itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.e2e.channel import Order
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.app.sandbox.store import STORE_FILE
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.platform.events.relay import dead_deliveries
from xinzu.platform.runtime import Runtime
from xinzu.platform.uow import ReadSession
from xinzu.records.evidence import api as evidence
from xinzu.records.evidence.rules.merkle import Frontier, fold, leaf_hash
from xinzu.records.evidence.rules.notes import parse_vkey
from xinzu.records.evidence.verify import check_consistency
from xinzu.records.ledger import api as ledger

PROOFS_AT_ONCE = 4


async def unfinished(runtime: Runtime) -> dict[str, int]:
    """What the product still means to do at once, by kind; empty when it is at rest."""
    found: dict[str, int] = {}
    async with runtime.database.raw_connection() as connection:
        for row in await connection.fetch("SELECT entrypoint, status::text, count(*) FROM pgqueuer GROUP BY 1, 2"):
            if row["status"] != "failed":
                found[f"job {row['entrypoint']} {row['status']}"] = row["count"]
    for tenant_id in await runtime.tenant_ids():
        async with runtime.reading(tenant_id) as read:
            for what, sql in (
                ("delivery to {}", "SELECT subscriber AS name, count(*) AS n FROM platform_delivery"
                 " WHERE tenant_id = :tenant AND state = 'pending' GROUP BY 1"),
                ("payment {}", "SELECT state AS name, count(*) AS n FROM payments_payment"
                 " WHERE tenant_id = :tenant AND state IN ('intended', 'calling', 'unknown') GROUP BY 1"),
                ("release {}", "SELECT state AS name, count(*) AS n FROM payments_release"
                 " WHERE tenant_id = :tenant AND state IN ('intended', 'calling', 'unknown') GROUP BY 1"),
            ):  # fmt: skip
                for row in await read.rows(sql):
                    found[f"{tenant_id}: {what.format(row.name)}"] = row.n
    return found


async def held_jobs(runtime: Runtime) -> list[str]:
    """Jobs that were given up."""
    async with runtime.database.raw_connection() as connection:
        rows = await connection.fetch("SELECT entrypoint, attempts FROM pgqueuer WHERE status = 'failed'")
    return [f"{row['entrypoint']} after {row['attempts']} attempts" for row in rows]


async def check_books(runtime: Runtime, tenant_id: int, orders: Sequence[Order], first_note: str) -> Mapping[str, int]:
    """Everything of one merchant; returns what was counted."""
    async with runtime.reading(tenant_id) as read:
        await _check_nothing_given_up(read)
        await _check_orders(read, orders)
        await _check_money(read, runtime.settings.home)
        await _check_ledger(read)
        counted = await _check_evidence(read, orders)
    return {**counted, "proofs": await _check_log(runtime, tenant_id, first_note)}


async def _check_nothing_given_up(read: ReadSession) -> None:
    assert await dead_deliveries(read) == []
    doubled = await read.rows(
        "SELECT type, subject_id, data, count(*) FROM platform_event"
        " WHERE tenant_id = :tenant AND type LIKE '%.submitted.v1' GROUP BY 1, 2, 3 HAVING count(*) > 1"
    )
    assert doubled == []


async def _check_orders(read: ReadSession, orders: Sequence[Order]) -> None:
    """The channel's list and ours are the same list: one application per key, one agreement, mandate, delivery and schedule each."""
    told = {
        parse_id(Prefix.APPLICATION, order.application_id): parse_id(Prefix.AGREEMENT, order.agreement_id) for order in orders
    }
    assert len(told) == len(orders)
    kept = await read.rows(
        "SELECT a.id, a.state AS application_state, g.id AS agreement_id, g.state, g.asset_id,"
        " (SELECT count(*) FROM decisions_decision d WHERE d.tenant_id = a.tenant_id AND d.application_id = a.id) AS decisions,"
        " (SELECT count(*) FROM agreements_acceptance s WHERE s.tenant_id = a.tenant_id AND s.agreement_id = g.id) AS signatures,"
        " (SELECT count(*) FROM payments_mandate m WHERE m.tenant_id = a.tenant_id AND m.agreement_id = g.id) AS mandates,"
        " (SELECT count(*) FROM payments_payment p WHERE p.tenant_id = a.tenant_id AND p.agreement_id = g.id"
        "  AND p.purpose = 'first_rent' AND p.state = 'succeeded') AS first_rents,"
        " (SELECT count(*) FROM assets_delivery v WHERE v.tenant_id = a.tenant_id AND v.agreement_id = g.id"
        "  AND v.state = 'handed_over') AS deliveries,"
        " (SELECT count(*) FROM assets_shipment h WHERE h.tenant_id = a.tenant_id AND h.agreement_id = g.id) AS shipments,"
        " (SELECT count(*) FROM billing_instalment i WHERE i.tenant_id = a.tenant_id AND i.agreement_id = g.id)"
        "  = g.period_count AS scheduled"
        " FROM applications_application a LEFT JOIN agreements_agreement g"
        " ON g.tenant_id = a.tenant_id AND g.application_id = a.id WHERE a.tenant_id = :tenant"
    )
    assert {row.id: row.agreement_id for row in kept} == told
    by_agreement = {parse_id(Prefix.AGREEMENT, order.agreement_id): order for order in orders}
    for row in kept:
        order = by_agreement[row.agreement_id]
        seen = (row.decisions, row.signatures, row.mandates, row.first_rents, row.deliveries, row.shipments, row.scheduled)
        assert seen == (1, 1, 1, 1, 1, 1, True), (order.application_id, seen)
        expected = ("closed", "ended") if order.comes_back else ("contracted", "active")
        assert (row.application_state, row.state) == expected, order.application_id
        assert row.asset_id == parse_id(Prefix.ASSET, order.asset_id)


def _twin(home: Path, sql: str, *values: object) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{sandbox_folder(home) / STORE_FILE}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql, values)]


async def _check_money(read: ReadSession, home: Path) -> None:
    """Our payments, mandates and releases are Alipay's trades, orders and operations: same numbers, same fen, none more or less."""
    app_id = await read.scalar("SELECT app_id FROM payments_channel_account WHERE tenant_id = :tenant")
    ours = await read.rows(
        "SELECT out_trade_no, trade_no, amount_fen FROM payments_payment WHERE tenant_id = :tenant AND state = 'succeeded'"
    )
    trades = _twin(home, "SELECT * FROM alipay_trade WHERE app_id = ? AND status IN ('TRADE_SUCCESS', 'TRADE_FINISHED')", app_id)
    assert ours, "money moved"
    assert len({trade["out_trade_no"] for trade in trades}) == len(trades)
    assert sorted((row.out_trade_no, row.trade_no, row.amount_fen) for row in ours) == sorted(
        (trade["out_trade_no"], trade["trade_no"], trade["amount_fen"]) for trade in trades
    )
    mandates = await read.rows(
        "SELECT m.out_order_no, m.auth_no, m.authorised_fen, m.collected_fen, m.released_fen,"
        " (SELECT coalesce(sum(p.amount_fen), 0) FROM payments_payment p WHERE p.tenant_id = m.tenant_id AND p.mandate_id = m.id"
        "  AND p.state = 'succeeded') AS paid_fen"
        " FROM payments_mandate m WHERE m.tenant_id = :tenant"
    )
    orders = _twin(home, "SELECT * FROM alipay_order WHERE app_id = ?", app_id)
    assert sorted(
        (row.out_order_no, row.auth_no, row.authorised_fen, row.collected_fen, row.released_fen) for row in mandates
    ) == (
        sorted((row["out_order_no"], row["auth_no"], row["amount_fen"], row["paid_fen"], row["unfrozen_fen"]) for row in orders)
    )
    assert all(row.paid_fen == row.collected_fen for row in mandates)
    releases = await read.rows(
        "SELECT out_request_no, operation_id, amount_fen FROM payments_release WHERE tenant_id = :tenant AND state = 'succeeded'"
    )
    operations = _twin(
        home,
        "SELECT p.* FROM alipay_operation p JOIN alipay_order o USING (auth_no) WHERE o.app_id = ? AND p.type = 'UNFREEZE'"
        " AND p.status = 'SUCCESS'",
        app_id,
    )
    assert sorted((row.out_request_no, row.operation_id, row.amount_fen) for row in releases) == sorted(
        (row["out_request_no"], row["operation_id"], row["amount_fen"]) for row in operations
    )


async def _check_ledger(read: ReadSession) -> None:
    """It balances, numbers have no gap, each fact is booked once, and every fen of every payment is in it."""
    balance = await ledger.trial_balance(read, read.business_date)
    assert balance.lines
    assert sum(line.debit_fen for line in balance.lines) == sum(line.credit_fen for line in balance.lines) > 0
    numbers = [row.entry_no for row in await read.rows("SELECT entry_no FROM ledger_entry WHERE tenant_id = :tenant ORDER BY 1")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert not await read.rows(
        "SELECT kind, source_id FROM ledger_entry WHERE tenant_id = :tenant GROUP BY 1, 2 HAVING count(*) > 1"
    )
    received = await read.rows(
        "SELECT p.id, p.amount_fen, r.amount_fen AS received_fen, (SELECT sum(l.amount_fen) FROM ledger_entry e"
        " JOIN ledger_posting l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id"
        " WHERE e.tenant_id = r.tenant_id AND e.kind = 'billing.receipt' AND e.source_id = r.id) AS booked_fen"
        " FROM payments_payment p FULL JOIN billing_receipt r"
        " ON r.tenant_id = p.tenant_id AND r.provider_trade_no = p.trade_no"
        " WHERE coalesce(p.tenant_id, r.tenant_id) = :tenant AND (p.state = 'succeeded' OR p.state IS NULL)"
    )
    assert received
    assert all(row.amount_fen == row.received_fen == row.booked_fen for row in received), received
    entries = await read.scalar("SELECT count(*) FROM ledger_entry WHERE tenant_id = :tenant AND kind = 'billing.receipt'")
    assert entries == len(received)


# The facts of which each rental has exactly one.
ONCE = (
    "applications.application.submitted",
    "decisions.decision.made",
    "agreements.agreement.drafted",
    "agreements.identity.checked",
    "agreements.document.rendered",
    "agreements.agreement.accepted",
    "agreements.agreement.commenced",
    "payments.mandate.authorised",
    "assets.asset.shipped",
    "assets.asset.handed_over",
    "billing.schedule.issued",
)


async def _check_evidence(read: ReadSession, orders: Sequence[Order]) -> dict[str, int]:
    """One leaf per fact."""
    rows = await read.rows("SELECT kind, subject_id, count(*) AS n FROM evidence_leaf WHERE tenant_id = :tenant GROUP BY 1, 2")
    counts: dict[tuple[str, UUID], int] = {(row.kind, row.subject_id): row.n for row in rows}
    for kind in ONCE:
        about_application = kind.startswith(("applications.", "decisions."))
        subjects = [
            parse_id(Prefix.APPLICATION, order.application_id)
            if about_application
            else parse_id(Prefix.AGREEMENT, order.agreement_id)
            for order in orders
        ]
        assert {subject: n for (of, subject), n in counts.items() if of == kind} == dict.fromkeys(subjects, 1), kind
    paid = await read.scalar("SELECT count(*) FROM payments_payment WHERE tenant_id = :tenant AND state = 'succeeded'")
    told = sum(n for (kind, _), n in counts.items() if kind == "payments.payment.succeeded")
    assert told == paid
    return {"orders": len(orders), "payments": int(paid), "leaves": sum(counts.values())}


async def _check_log(runtime: Runtime, tenant_id: int, first_note: str) -> int:
    """The log is whole: positions without a gap, the root computed from the bodies alone, every leaf's proof, and one history from
    the first checkpoint through every one that was ever signed."""
    async with runtime.reading(tenant_id) as read:
        leaves = await read.rows("SELECT position, id, body FROM evidence_leaf WHERE tenant_id = :tenant ORDER BY position")
        checkpoints = await read.rows("SELECT size, root, note FROM evidence_checkpoint WHERE tenant_id = :tenant ORDER BY size")
        head = await evidence.checkpoint(read)
        assert [leaf.position for leaf in leaves] == list(range(head.size))
        grown = Frontier(0, ()).append([leaf_hash(bytes(leaf.body)) for leaf in leaves])
        assert fold(grown.frontier.peaks) == head.root
        key = parse_vkey(head.vkey)
        # The chain of checkpoints, and from the note the channel kept before the first kill to the head.
        sizes = [row.size for row in checkpoints]
        for older, newer in pairwise(checkpoints):
            check_consistency(await evidence.prove_consistency(read, older.size, newer.size), key, older.note)
        first_size = int(first_note.splitlines()[1])
        if sizes and first_size < sizes[-1]:
            check_consistency(await evidence.prove_consistency(read, first_size, sizes[-1]), key, first_note)

    async def prove(part: Sequence[UUID]) -> None:
        async with runtime.reading(tenant_id) as read:
            for leaf_id in part:
                evidence.verify(await evidence.prove(read, leaf_id), head.vkey)

    ids = [leaf.id for leaf in leaves]
    await asyncio.gather(*(prove(ids[start::PROOFS_AT_ONCE]) for start in range(PROOFS_AT_ONCE)))
    return len(ids)
