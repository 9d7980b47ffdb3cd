"""Evidence over HTTP: found by subject, proven to a stranger, closed to other tenants."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from httpx import AsyncClient

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.evidence import verify
from xinzu.records.evidence.api import Leaf
from xinzu.records.evidence.rules.notes import parse_vkey
from xinzu.records.evidence.rules.proofs import ConsistencyProof, Proof, parse_proof

AGREEMENT = UUID("01955c7e-0000-7000-8000-000000000001")


async def test_a_fact_is_found_by_its_subject_and_its_proof_checks_outside(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        evidence.append(uow, [Leaf("agreements.agreement.accepted", AGREEMENT, {"step": n}) for n in range(5)])
        evidence.append(uow, [Leaf("agreements.agreement.accepted", new_id(), {"step": 99})])
    first = (
        await api.get("/v1/evidence", params={"subject": public_id(Prefix.AGREEMENT, AGREEMENT), "limit": 3}, headers=api_key)
    ).json()
    rest = (
        await api.get(
            "/v1/evidence",
            params={"subject": public_id(Prefix.AGREEMENT, AGREEMENT), "limit": 3, "cursor": first["next_cursor"]},
            headers=api_key,
        )
    ).json()
    assert rest["next_cursor"] is None
    items = first["items"] + rest["items"]
    assert [json.loads(item["body"])["facts"]["step"] for item in items] == [0, 1, 2, 3, 4]
    checkpoint = (await api.get("/v1/evidence/checkpoint", headers=api_key)).json()
    assert checkpoint["size"] == 6
    response = await api.get(f"/v1/evidence/leaves/{items[3]['id']}/proof", headers=api_key)
    proof = parse_proof(response.text)
    assert isinstance(proof, Proof)
    assert verify.check_inclusion(proof, parse_vkey(checkpoint["vkey"])).size == 6
    assert proof.body == items[3]["body"]


async def test_growth_is_proven_from_a_checkpoint_a_stranger_kept(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        evidence.append(uow, [Leaf("agreements.agreement.accepted", AGREEMENT, {"step": n}) for n in range(5)])
    kept = (await api.get("/v1/evidence/checkpoint", headers=api_key)).json()
    async with runtime.unit(tenant_id, actor) as uow:
        evidence.append(uow, [Leaf("agreements.agreement.accepted", AGREEMENT, {"step": n}) for n in range(300)])
    response = await api.get("/v1/evidence/consistency", params={"from": kept["size"]}, headers=api_key)
    proof = parse_proof(response.text)
    assert isinstance(proof, ConsistencyProof)
    older, newer = verify.check_consistency(proof, parse_vkey(kept["vkey"]), kept["note"])
    assert (older.size, newer.size) == (5, 305)


async def test_another_tenant_and_a_stranger_get_nothing(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, other_api_key: dict[str, str]
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        leaf_id = public_id(Prefix.LEAF, evidence.append(uow, [Leaf("agreements.agreement.accepted", AGREEMENT, {})])[0])
    subject = {"subject": public_id(Prefix.AGREEMENT, AGREEMENT)}
    assert (await api.get("/v1/evidence", params=subject, headers=other_api_key)).json() == {"items": [], "next_cursor": None}
    unknown = await api.get(f"/v1/evidence/leaves/{leaf_id}/proof", headers=other_api_key)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "evidence.leaf_unknown")
    empty = await api.get("/v1/evidence/checkpoint", headers=other_api_key)
    assert (empty.status_code, empty.json()["code"]) == (404, "evidence.log_empty")
    for path in ("", "/checkpoint", "/consistency", f"/leaves/{leaf_id}/proof"):
        assert (await api.get(f"/v1/evidence{path}")).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 422),
        ("?subject=nonsense", 422),
        ("?subject=agr_x&limit=0", 422),
        (f"?subject={public_id(Prefix.AGREEMENT, AGREEMENT)}&cursor=@@", 422),
        (f"?subject={public_id(Prefix.AGREEMENT, AGREEMENT)}&cursor=_____________________w", 200),
        ("/leaves/lef_x/proof", 404),
        ("/leaves/agr_00000000000000000000000001/proof", 404),
        ("/consistency", 422),
        ("/consistency?from=x", 422),
        ("/consistency?from=0", 422),
        ("/consistency?from=2", 422),
        ("/consistency?from=1&to=9223372036854775807", 422),
        ("/consistency?from=1&to=9223372036854775808", 422),
    ],
)
async def test_a_wrong_question_gets_a_clear_answer(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str], path: str, status: int
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        evidence.append(uow, [Leaf("agreements.agreement.accepted", AGREEMENT, {})])
    response = await api.get(f"/v1/evidence{path}", headers=api_key)
    assert response.status_code == status
