"""What must be true after every story, whatever happened in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xinzu.records.evidence.rules.notes import parse_vkey
from xinzu.records.evidence.rules.proofs import ConsistencyProof, Proof, parse_proof
from xinzu.records.evidence.verify import check_consistency, check_inclusion

if TYPE_CHECKING:
    from tests.scenario.story import Shop

BANK, CLEARING, RECEIVABLE, CREDIT_BALANCE = "1002", "1012", "1122", "2203"
INTEREST_RECEIVABLE, LOAN_PRINCIPAL, LEASE_RECEIVABLE = "1132", "1303", "1531"
OPEN = ("due", "overdue")


async def check_everything(shop: Shop) -> None:
    """Books balanced, sub-ledger equal to the general ledger, money equal to what the provider moved, nothing lost, all provable."""
    await check_books(shop)
    await check_nothing_is_stuck(shop)
    await check_evidence(shop)


async def check_books(shop: Shop) -> None:
    """Debits equal credits; receivables, credit balances and cash are those of the agreements, fen by fen."""
    trial = await shop.get("owner", "/v1/ledger/trial-balance")
    assert trial["debit_fen"] == trial["credit_fen"]
    balances = {line["code"]: line["balance_fen"] for line in trial["lines"]}
    wanted: Counter[str] = Counter()
    for agreement in await shop.get_all("/v1/agreements"):
        path = f"/v1/agreements/{agreement['id']}"
        status, account = await shop.call("finance", "GET", f"{path}/account")
        if status == 404:  # never signed
            continue
        wanted.update(await _owed(shop, path, account))
        wanted[CREDIT_BALANCE] += account["credit_balance_fen"]
        for payment in await shop.get_all(f"{path}/payments"):
            wanted[CLEARING] += payment["amount_fen"] - payment["refunded_fen"] if payment["state"] == "succeeded" else 0
        for receipt in await shop.get_all(f"{path}/receipts"):
            if receipt["provider"] == "bank" and receipt["reversed_on"] is None:
                wanted[BANK] += receipt["amount_fen"] - receipt["refunded_fen"]
        if account["family"] == "loan" and account["commencement_on"] is not None:
            wanted[BANK] -= (await shop.get("finance", f"{path}/terms"))["financing"]["principal_fen"]
    for code in (BANK, CLEARING, RECEIVABLE, INTEREST_RECEIVABLE, LOAN_PRINCIPAL, LEASE_RECEIVABLE, CREDIT_BALANCE):
        assert balances.get(code, 0) == wanted[code], code
    assert [line for line in await shop.get_list("finance", "/v1/billing/reconciliation") if line["difference_fen"] != 0] == []


async def _owed(shop: Shop, path: str, account: dict[str, Any]) -> dict[str, int]:
    """What an agreement owes by accounts: a loan's principal and interest stand on their own, what a lease has still to bring too."""
    legs = (await shop.get("finance", f"{path}/instalments"))["items"]

    def open_fen(role: str, states: Sequence[str]) -> int:
        return sum(
            leg["amount_fen"] - leg["paid_fen"] - leg["cancelled_fen"]
            for leg in legs
            if leg["role"] == role and leg["state"] in states
        )

    if account["family"] != "loan":
        to_come_fen = open_fen("principal", ["scheduled"]) + open_fen("interest", ["scheduled"])
        return {RECEIVABLE: account["balance_due_fen"], LEASE_RECEIVABLE: to_come_fen}
    interest_fen = open_fen("interest", OPEN)
    return {
        INTEREST_RECEIVABLE: interest_fen,
        LOAN_PRINCIPAL: account["principal_fen"],
        RECEIVABLE: account["balance_due_fen"] - interest_fen - open_fen("principal", OPEN),
    }


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
