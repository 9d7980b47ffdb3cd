"""Evidence appends per second, whole transactions from facts to commit, beside the bare insert of the same rows.

A throw-away durable server (fsync on) is used; ``measure`` takes a runtime of the caller's.
Two writers append to one log at once, as a batcher's lane does: while one commits, the other prepares its leaves.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from xinzu.app.modules import load_modules
from xinzu.kernel.ids import new_id
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.kms import FileKeyring
from xinzu.platform.outbound import Outbound
from xinzu.platform.runtime import Database, Runtime
from xinzu.platform.schema import migrate
from xinzu.platform.servers.postgres import temporary_postgres
from xinzu.platform.servers.roles import ensure_roles_and_database
from xinzu.platform.settings import Settings
from xinzu.platform.tenants import create_tenant
from xinzu.records.evidence import api as evidence
from xinzu.records.evidence.api import Leaf

BATCHES = {1: 300, 100: 200, 1_000: 100, 10_000: 12}  # leaves per transaction: transactions
ACTOR = system_actor("bench")
PROOFS = 50

# The same rows without JSON, hashing, tree or lock: what the database alone allows.
_BARE_INSERT = """
INSERT INTO evidence_leaf (tenant_id, position, id, kind, subject_id, recorded_at, body, leaf_hash)
SELECT :tenant, cast(:first AS bigint) + l.nth, l.id, 'billing.instalment.paid', l.id, :now,
       cast(:body AS bytea), cast(:hash AS bytea)
FROM unnest(cast(:ids AS uuid[])) WITH ORDINALITY AS l(id, nth)
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """Leaves per second at one batch size: through the product, and as the bare insert."""

    batch: int
    appended_per_s: float
    bare_per_s: float
    cpu_us_per_leaf: float


def _leaves(count: int) -> list[Leaf]:
    return [
        Leaf(
            "billing.instalment.paid",
            new_id(),
            {"amount_fen": 29_900 + n, "channel": "alipay", "instalment": n % 12 + 1, "receipt_sha256": "ab" * 32},
        )
        for n in range(count)
    ]


async def measure(runtime: Runtime) -> list[Rate]:
    """One row per batch size, each on a fresh tenant's log."""
    return [await _rate(runtime, batch, rounds) for batch, rounds in BATCHES.items()]


async def _rate(runtime: Runtime, batch: int, rounds: int) -> Rate:
    tenant_id = await create_tenant(runtime, f"bench-{new_id().hex[-12:]}", "bench")
    bare_tenant_id = await create_tenant(runtime, f"bench-{new_id().hex[-12:]}", "bench")
    leaves = _leaves(batch)
    async with runtime.unit(tenant_id, ACTOR) as uow:
        evidence.append(uow, leaves)  # opens the log and warms the statements

    async def append(times: int) -> None:
        for _ in range(times):
            async with runtime.unit(tenant_id, ACTOR) as uow:
                evidence.append(uow, leaves)

    async def insert(firsts: range) -> None:
        for first in firsts:
            ids = [new_id() for _ in range(batch)]
            async with runtime.unit(bare_tenant_id, ACTOR) as uow:
                await uow.execute(_BARE_INSERT, first=first, now=uow.now, ids=ids, body=b"x" * 330, hash=bytes(32))

    started, cpu_started = time.perf_counter(), time.process_time()
    await asyncio.gather(append(rounds // 2), append(rounds // 2))
    appended_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
    started = time.perf_counter()
    half = rounds // 2 * batch
    await asyncio.gather(insert(range(0, half, batch)), insert(range(half, 2 * half, batch)))
    bare_s = time.perf_counter() - started
    total = batch * rounds
    return Rate(batch, total / appended_s, total / bare_s, cpu_s / total * 1e6)


async def proof_ms(runtime: Runtime, size: int) -> float:
    """Milliseconds to prove a leaf in the middle of a log of that size."""
    tenant_id = await create_tenant(runtime, f"bench-{new_id().hex[-12:]}", "bench")
    ids = []
    for _ in range(size // 10_000):
        async with runtime.unit(tenant_id, ACTOR) as uow:
            ids += evidence.append(uow, _leaves(10_000))
    async with runtime.reading(tenant_id) as read:
        started = time.perf_counter()
        for nth in range(PROOFS):
            await evidence.prove(read, ids[nth * len(ids) // PROOFS])
        return (time.perf_counter() - started) / PROOFS * 1_000


async def _main(admin_url: str, home: Path) -> None:
    load_modules()
    urls = await ensure_roles_and_database(admin_url, home)
    await migrate(urls.owner.get_secret_value())
    keyring = FileKeyring.open_or_create(home / "keyring.json")
    runtime = Runtime(Settings(home=home), Database(urls.app.get_secret_value()), keyring, Outbound())
    print("  batch   appends/s      bare/s  ratio  cpu µs/leaf")
    for rate in await measure(runtime):
        rates = f"{rate.batch:>7,} {rate.appended_per_s:>11,.0f} {rate.bare_per_s:>11,.0f}"
        print(f"{rates} {rate.appended_per_s / rate.bare_per_s:>6.2f} {rate.cpu_us_per_leaf:>12.1f}")
    print(f"proof in a log of 300,000: {await proof_ms(runtime, 300_000):.1f} ms")
    await runtime.close()


async def main() -> None:
    with temporary_postgres(durable=True, shared_buffers_mb=256) as server, tempfile.TemporaryDirectory() as folder:
        await _main(server.admin_url, Path(folder))
