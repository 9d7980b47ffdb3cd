"""What must be true after every story, whatever happened in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from xinzu.records.evidence.rules.notes import parse_vkey
from xinzu.records.evidence.rules.proofs import ConsistencyProof, Proof, parse_proof
from xinzu.records.evidence.verify import check_consistency, check_inclusion

if TYPE_CHECKING:
    from tests.scenario.story import Shop

CLEARING, RECEIVABLE, CREDIT_BALANCE = "1012", "1122", "2203"


async def check_everything(shop: Shop) -> None:
    """Books balanced, sub-ledger equal to the general ledger, money equal to what the provider moved, nothing lost, all provable."""
    await check_books(shop)
    await check_nothing_is_stuck(shop)
    await check_evidence(shop)


async def check_books(shop: Shop) -> None:
    """Debits equal credits; receivables, credit balances and cash are those of the rentals, fen by fen."""
    trial = await shop.get("owner", "/v1/ledger/trial-balance")
    assert trial["debit_fen"] == trial["credit_fen"]
    balances = {line["code"]: line["balance_fen"] for line in trial["lines"]}
    accounts, cash_fen = [], 0
    for agreement_id in [row["id"] for row in await shop.get_all("/v1/agreements")]:
        status, account = await shop.call("finance", "GET", f"/v1/agreements/{agreement_id}/account")
        if status == 404:  # never signed
            continue
        accounts.append(account)
        for payment in await shop.get_all(f"/v1/agreements/{agreement_id}/payments"):
            cash_fen += payment["amount_fen"] - payment["refunded_fen"] if payment["state"] == "succeeded" else 0
    assert balances.get(RECEIVABLE, 0) == sum(account["balance_due_fen"] for account in accounts)
    assert balances.get(CREDIT_BALANCE, 0) == sum(account["credit_balance_fen"] for account in accounts)
    assert balances.get(CLEARING, 0) == cash_fen


async def check_nothing_is_stuck(shop: Shop) -> None:
    """No event waits or is dead, no job has failed."""
    deliveries = await shop.rows("SELECT subscriber, state, last_error FROM platform_delivery WHERE tenant_id = :tenant")
    assert [tuple(row) for row in deliveries] == []
    async with shop.world.runtime.database.raw_connection() as connection:
        assert await connection.fetch("SELECT entrypoint FROM pgqueuer WHERE status = 'failed' OR attempts > 0") == []


async def check_evidence(shop: Shop) -> None:
    """Every fact about every rental is proven under the log's signed head, by the verifier that needs nothing but the key; and the log
    has only grown since the head that was kept after the first application.
    """
    key = parse_vkey((await shop.get("owner", "/v1/evidence/checkpoint"))["vkey"])
    subjects = [row["id"] for row in await shop.get_all("/v1/agreements")]
    subjects += [rental.application_id for rental in shop.rentals]
    for subject in subjects:
        leaves: list[dict[str, Any]] = await shop.get_all(f"/v1/evidence?subject={subject}")
        assert leaves, f"nothing is proven about {subject}"
        for leaf in leaves:
            proof = parse_proof(json.dumps(await shop.get("owner", f"/v1/evidence/leaves/{leaf['id']}/proof")))
            assert isinstance(proof, Proof)
            assert proof.body == leaf["body"]
            check_inclusion(proof, key)
    newest = await shop.get("owner", "/v1/evidence/checkpoint")
    grown = await shop.get("owner", f"/v1/evidence/consistency?from={shop.kept_checkpoint['size']}&to={newest['size']}")
    grown |= {"newer_checkpoint": newest["note"]}
    consistency = parse_proof(json.dumps(grown))
    assert isinstance(consistency, ConsistencyProof)
    check_consistency(consistency, key, shop.kept_checkpoint["note"])
