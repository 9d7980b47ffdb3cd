"""The log in a real database: whatever the batches, transactions and tenants, the tree is the one RFC 6962 says."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from asyncpg.exceptions import PostgresError

from xinzu.kernel.errors import InvariantBroken
from xinzu.kernel.ids import new_id
from xinzu.platform.actor import Actor
from xinzu.platform.db import set_tenant
from xinzu.platform.runtime import Runtime, connect_raw
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api, jobs, verify
from xinzu.records.evidence.api import Leaf, NotCanonical
from xinzu.records.evidence.errors import LeafUnknown, LogEmpty, SizeOutOfRange
from xinzu.records.evidence.rules.notes import parse_vkey
from xinzu.records.evidence.store import LEAVES_PER_STATEMENT

SUBJECT = UUID("01955c7e-0000-7000-8000-000000000002")


def naive_root(bodies: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, as it stands there."""
    if not bodies:
        return sha256(b"").digest()
    if len(bodies) == 1:
        return sha256(b"\x00" + bodies[0]).digest()
    k = 1
    while k * 2 < len(bodies):
        k *= 2
    return sha256(b"\x01" + naive_root(bodies[:k]) + naive_root(bodies[k:])).digest()


def leaves(count: int, subject_id: UUID = SUBJECT) -> list[Leaf]:
    return [Leaf("billing.instalment.paid", subject_id, {"amount_fen": 29_900 + n, "memo": "首期租金"}) for n in range(count)]


async def append(runtime: Runtime, tenant_id: int, actor: Actor, count: int, subject_id: UUID = SUBJECT) -> list[UUID]:
    async with runtime.unit(tenant_id, actor) as uow:
        return api.append(uow, leaves(count, subject_id))


async def bodies_of(runtime: Runtime, tenant_id: int) -> list[bytes]:
    """Every leaf in order, after a check that positions have no gap."""
    async with runtime.reading(tenant_id) as read:
        rows = await read.rows("SELECT position, body FROM evidence_leaf WHERE tenant_id = :tenant ORDER BY position")
    assert [row.position for row in rows] == list(range(len(rows)))
    return [row.body for row in rows]


async def head_of(runtime: Runtime, tenant_id: int) -> api.Checkpoint:
    async with runtime.reading(tenant_id) as read:
        signed = await api.checkpoint(read)
        return verify.open_checkpoint(signed.note, parse_vkey(signed.vkey))


async def tamper(urls: DatabaseUrls, tenant_id: int, sql: str) -> None:
    """What an administrator of the database could do behind the product's back."""
    connection = await connect_raw(urls.owner.get_secret_value())
    try:
        async with connection.transaction():
            await connection.execute(set_tenant(tenant_id))
            assert await connection.execute(sql) == "UPDATE 1"
    finally:
        await connection.close()


async def test_two_tenants_append_in_mixed_batches_at_once_and_every_proof_holds(
    runtime: Runtime, tenant_id: int, other_tenant_id: int, actor: Actor
) -> None:
    batches = [1, 2, 5, 63, 1, 200, 17, 255, 256, 200]  # 1,000 leaves; fills tiles from the middle, exactly, and several at once

    async def fill(tenant: int) -> list[UUID]:
        written = []
        for size in batches:
            written += await append(runtime, tenant, actor, size)
        return written

    ids = dict(zip((tenant_id, other_tenant_id), await asyncio.gather(fill(tenant_id), fill(other_tenant_id)), strict=True))
    # Ten writers of one tenant, so that the lock on the head is fought for.
    more = await asyncio.gather(*(append(runtime, tenant_id, actor, 37) for _ in range(10)))
    ids[tenant_id] += [leaf_id for batch in more for leaf_id in batch]
    for tenant, written in ids.items():
        bodies = await bodies_of(runtime, tenant)
        head = await head_of(runtime, tenant)
        assert (head.size, head.root) == (len(written), naive_root(bodies))
        assert {json.loads(body)["id"] for body in bodies} == {str(leaf_id) for leaf_id in written}
        async with runtime.reading(tenant) as read:
            key = await api.vkey(read)
            for leaf_id in written[:: 1 if len(written) < 300 else 13]:
                proof = await api.prove(read, leaf_id)
                assert api.verify(proof, key) == head
                assert json.loads(proof.body)["id"] == str(leaf_id)


async def test_proofs_at_earlier_checkpoints_and_between_any_two_sizes(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    sizes, written = [], []
    for batch in (1, 254, 2, 300, 511):
        written += await append(runtime, tenant_id, actor, batch)
        sizes.append(len(written))
        async with runtime.unit(tenant_id, actor) as uow:
            signed = await api.sign_checkpoint(uow)
            assert signed is not None
            assert signed.size == len(written)
            assert await api.sign_checkpoint(uow) is None, "signed twice without growth"
    bodies = await bodies_of(runtime, tenant_id)
    async with runtime.reading(tenant_id) as read:
        key = parse_vkey(await api.vkey(read))
        for older in sizes:
            for newer in sizes:
                if older <= newer:
                    proof = await api.prove_consistency(read, older, newer)
                    heads = verify.check_consistency(proof, key)
                    assert [head.root for head in heads] == [naive_root(bodies[:older]), naive_root(bodies[:newer])]
        unsigned = await api.prove_consistency(read, 100, 700)
        assert unsigned.older_checkpoint is None
        assert unsigned.newer_checkpoint is None
        with pytest.raises(verify.NotProven):
            verify.check_consistency(unsigned, key)
        for older, later in ((0, 5), (6, 5), (1, 5_000), (5_000, None)):
            with pytest.raises(SizeOutOfRange):
                await api.prove_consistency(read, older, later)


async def test_a_leaf_newer_than_the_last_checkpoint_is_proven_at_once(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    first = await append(runtime, tenant_id, actor, 3)
    async with runtime.unit(tenant_id, actor) as uow:
        kept = await api.sign_checkpoint(uow)
    late = await append(runtime, tenant_id, actor, 1)
    async with runtime.reading(tenant_id) as read:
        key = await api.vkey(read)
        assert kept is not None
        assert (await api.prove(read, first[0])).checkpoint == kept.note
        assert api.verify(await api.prove(read, late[0]), key).size == 4


async def test_a_rolled_back_transaction_leaves_no_gap(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await append(runtime, tenant_id, actor, 5)

    class Regret(Exception):
        pass

    async def fail_late(uow: UnitOfWork, _: list[int]) -> None:
        await uow.execute("SELECT 1/0")

    async def regret() -> None:
        async with runtime.unit(tenant_id, actor) as uow:
            api.append(uow, leaves(7))
            raise Regret

    async def regret_late() -> None:
        async with runtime.unit(tenant_id, actor) as uow:
            api.append(uow, leaves(7))
            uow.before_commit("late failure", list, fail_late)  # after the leaves, tiles and head were written

    with pytest.raises(Regret):
        await regret()
    with pytest.raises(PostgresError):
        await regret_late()
    await append(runtime, tenant_id, actor, 2)
    bodies = await bodies_of(runtime, tenant_id)
    head = await head_of(runtime, tenant_id)
    assert (head.size, head.root) == (7, naive_root(bodies))


async def test_all_leaves_of_a_transaction_stand_together_in_the_order_they_were_given(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        ids = api.append(uow, leaves(2)) + api.append(uow, leaves(3)) + api.append(uow, [])
    async with runtime.reading(tenant_id) as read:
        facts = await api.facts_of(read, SUBJECT)
        assert [fact.id for fact in facts] == ids
        assert [fact.position for fact in facts] == [0, 1, 2, 3, 4]
        assert await api.facts_of(read, SUBJECT, after_position=1, limit=2) == facts[2:4]
        body = json.loads(facts[0].body)
    assert body == {
        "actor": "system:test",
        "at": "2026-03-02T01:00:00.000000Z",
        "facts": {"amount_fen": 29_900, "memo": "首期租金"},
        "id": str(ids[0]),
        "kind": "billing.instalment.paid",
        "subject": str(SUBJECT),
        "tenant": tenant_id,
        "v": 1,
    }


async def test_one_append_may_be_larger_than_one_statement(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    ids = await append(runtime, tenant_id, actor, 2 * LEAVES_PER_STATEMENT + 1)
    bodies = await bodies_of(runtime, tenant_id)
    head = await head_of(runtime, tenant_id)
    assert (head.size, head.root) == (len(ids), naive_root(bodies))
    assert [json.loads(body)["id"] for body in bodies] == [str(leaf_id) for leaf_id in ids]


async def test_a_transaction_that_appends_nothing_opens_no_log(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        api.append(uow, [])
        assert await api.sign_checkpoint(uow) is None
    async with runtime.reading(tenant_id) as read:
        with pytest.raises(LogEmpty):
            await api.checkpoint(read)
        with pytest.raises(LogEmpty):
            await api.vkey(read)
        with pytest.raises(LogEmpty):
            await api.prove_consistency(read, 1)


async def test_two_first_appends_at_once_open_one_log_with_one_key(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await asyncio.gather(*(append(runtime, tenant_id, actor, 4) for _ in range(4)))
    bodies = await bodies_of(runtime, tenant_id)
    async with runtime.reading(tenant_id) as read:
        assert await read.scalar("SELECT count(*) FROM evidence_signer WHERE tenant_id = :tenant") == 1
    head = await head_of(runtime, tenant_id)
    assert (head.size, head.root) == (16, naive_root(bodies))


async def test_another_tenant_sees_nothing(runtime: Runtime, tenant_id: int, other_tenant_id: int, actor: Actor) -> None:
    ids = await append(runtime, tenant_id, actor, 300)
    async with runtime.unit(tenant_id, actor) as uow:
        await api.sign_checkpoint(uow)
    await append(runtime, other_tenant_id, actor, 1, new_id())
    async with runtime.reading(other_tenant_id) as read:
        assert await api.facts_of(read, SUBJECT) == []
        with pytest.raises(LeafUnknown):
            await api.prove(read, ids[0])
        for table in ("evidence_log", "evidence_leaf", "evidence_signer"):
            assert await read.scalar(f"SELECT count(*) FROM {table}") == 1
        for table in ("evidence_tile", "evidence_checkpoint"):
            assert await read.scalar(f"SELECT count(*) FROM {table}") == 0
    async with runtime.reading(tenant_id) as read:
        proof, own_key = await api.prove(read, ids[0]), await api.vkey(read)
    async with runtime.reading(other_tenant_id) as read:
        rival_key = await api.vkey(read)
    assert api.verify(proof, own_key).size == 300
    with pytest.raises(api.NotProven):
        api.verify(proof, rival_key)


async def test_facts_that_cannot_be_spelled_in_one_way_are_refused(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    with pytest.raises(NotCanonical, match="/rate is a float"):
        async with runtime.unit(tenant_id, actor) as uow:
            api.append(uow, [Leaf("catalogue.plan.published", SUBJECT, {"rate": 0.15})])
    with pytest.raises(NotCanonical, match=r"module\.noun\.past_verb"):
        async with runtime.unit(tenant_id, actor) as uow:
            api.append(uow, [Leaf("Published", SUBJECT, {})])
    assert await bodies_of(runtime, tenant_id) == []


async def test_a_refused_batch_records_none_of_its_leaves(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        with pytest.raises(NotCanonical):
            api.append(uow, [*leaves(3), Leaf("catalogue.plan.published", SUBJECT, {"rate": 0.15})])
        kept = api.append(uow, leaves(2))
    async with runtime.reading(tenant_id) as read:
        assert [fact.id for fact in await api.facts_of(read, SUBJECT)] == kept


async def test_evidence_that_comes_after_the_log_was_written_is_not_lost_in_silence(
    runtime: Runtime, tenant_id: int, actor: Actor
) -> None:
    async def append_late(uow: UnitOfWork, _: list[int]) -> None:
        api.append(uow, leaves(1))

    async def change() -> None:
        async with runtime.unit(tenant_id, actor) as uow:
            api.append(uow, leaves(1))
            uow.before_commit("late evidence", list, append_late)

    with pytest.raises(InvariantBroken, match="after the log was written"):
        await change()
    assert await bodies_of(runtime, tenant_id) == []


async def test_the_job_signs_what_grew(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    await append(runtime, tenant_id, actor, 3)
    for _ in range(2):
        await jobs.sign_checkpoint(runtime, tenant_id, {})
    async with runtime.reading(tenant_id) as read:
        assert await read.scalar("SELECT array_agg(size) FROM evidence_checkpoint WHERE tenant_id = :tenant") == [3]


async def test_a_fact_altered_in_the_database_is_never_proven(
    runtime: Runtime, tenant_id: int, actor: Actor, database_urls: DatabaseUrls
) -> None:
    ids = await append(runtime, tenant_id, actor, 300)
    await tamper(
        database_urls,
        tenant_id,
        "UPDATE evidence_leaf SET body = convert_to(replace(convert_from(body, 'UTF8'), '29900', '9900'), 'UTF8')"
        f" WHERE tenant_id = {tenant_id} AND position = 0",
    )
    async with runtime.reading(tenant_id) as read:
        with pytest.raises(InvariantBroken, match="leaf 0"):
            await api.prove(read, ids[0])


async def test_a_log_whose_history_was_rewritten_is_never_signed(
    runtime: Runtime, tenant_id: int, actor: Actor, database_urls: DatabaseUrls
) -> None:
    await append(runtime, tenant_id, actor, 10)
    async with runtime.unit(tenant_id, actor) as uow:
        await api.sign_checkpoint(uow)
    await append(runtime, tenant_id, actor, 10)
    await tamper(
        database_urls,
        tenant_id,
        f"UPDATE evidence_leaf SET leaf_hash = sha256('x') WHERE tenant_id = {tenant_id} AND position = 12",
    )
    with pytest.raises(InvariantBroken, match="does not continue"):
        async with runtime.unit(tenant_id, actor) as uow:
            await api.sign_checkpoint(uow)


async def test_a_personal_value_is_matched_by_whoever_holds_its_salt(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    salt = api.new_salt()
    digest = api.salted_digest(salt, "330102199001011234")
    async with runtime.unit(tenant_id, actor) as uow:
        api.append(uow, [Leaf("parties.person.identified", SUBJECT, {"id_number_digest": digest})])
    body = (await bodies_of(runtime, tenant_id))[0]
    assert b"330102199001011234" not in body
    assert json.loads(body)["facts"]["id_number_digest"] == f"sha256:{sha256(salt + b'330102199001011234').hexdigest()}"


async def test_tiles_are_stored_out_of_line_without_compression(runtime: Runtime, tenant_id: int) -> None:
    async with runtime.reading(tenant_id) as read:
        storage = await read.scalar(
            "SELECT attstorage FROM pg_attribute WHERE attrelid = 'evidence_tile'::regclass AND attname = 'hashes'"
        )
    assert storage in ("e", b"e")


class Files:
    """A proof and its key as a customer keeps them."""

    def __init__(self, folder: Path, document: dict[str, object], key: str) -> None:
        self.proof, self.key = folder / "proof.json", folder / "log.vkey"
        self.proof.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
        self.key.write_text(key, "utf-8")


async def test_a_stranger_checks_a_proof_with_one_command(
    runtime: Runtime, tenant_id: int, actor: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = await append(runtime, tenant_id, actor, 20)
    async with runtime.reading(tenant_id) as read:
        document, key = api.proof_document(await api.prove(read, ids[5])), await api.vkey(read)
    files = Files(tmp_path, document, key)
    assert verify.main([str(files.proof), "--vkey", key]) == 0
    assert verify.main([str(files.proof), "--vkey", str(files.key)]) == 0
    assert "29905" in capsys.readouterr().out
    files.proof.write_text(json.dumps(document).replace("29905", "19905"), "utf-8")
    assert verify.main([str(files.proof), "--vkey", key]) == 1
    files.proof.write_text(json.dumps(document | {"position": 6}), "utf-8")
    assert verify.main([str(files.proof), "--vkey", key]) == 1
    for wrong in ({"type": "x"}, document | {"path": ["eA=="]}, document | {"position": True}, document | {"checkpoint": "x"}):
        files.proof.write_text(json.dumps(wrong), "utf-8")
        assert verify.main([str(files.proof), "--vkey", key]) == 2
    files.proof.write_text(json.dumps(document), "utf-8")
    command = [sys.executable, "-m", "xinzu.records.evidence.verify", str(files.proof), "--vkey", str(files.key)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    files.proof.write_text("[", "utf-8")
    assert verify.main([str(files.proof), "--vkey", key]) == 2


async def test_a_stranger_checks_that_the_log_continues_the_checkpoint_he_kept(
    runtime: Runtime, tenant_id: int, actor: Actor, tmp_path: Path
) -> None:
    await append(runtime, tenant_id, actor, 20)
    async with runtime.reading(tenant_id) as read:
        kept = await api.checkpoint(read)
    await append(runtime, tenant_id, actor, 20)
    async with runtime.reading(tenant_id) as read:
        document, key = api.consistency_document(await api.prove_consistency(read, 20)), await api.vkey(read)
    files = Files(tmp_path, document, key)
    older = tmp_path / "kept.txt"
    older.write_text(kept.note, "utf-8")
    assert document["older_checkpoint"] is None  # the log kept none of that size; the stranger did
    assert verify.main([str(files.proof), "--vkey", key]) == 1
    assert verify.main([str(files.proof), "--vkey", key, "--older-checkpoint", str(older)]) == 0
    files.proof.write_text(json.dumps(document | {"path": [base64.b64encode(bytes(32)).decode()]}), "utf-8")
    assert verify.main([str(files.proof), "--vkey", key, "--older-checkpoint", str(older)]) == 1
