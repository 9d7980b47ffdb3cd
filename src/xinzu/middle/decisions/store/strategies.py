"""SQL of strategy versions and golden cases."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from xinzu.kernel.ids import new_id
from xinzu.middle.decisions.model import (
    EDITABLE,
    DecisionOutcome,
    GoldenCase,
    Graph,
    Report,
    Strategy,
    StrategyState,
    StrategyVersion,
)
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_VERSIONS = """
SELECT id, key, version, revision, state, graph, graph_sha256, engine_version, note, report, authors, submitted_by, approved_by,
       published_by, published_at, rejection, share_pct, is_shadowed, replaced, changed_at
FROM decisions_strategy WHERE tenant_id = :tenant
"""

_INSERT = """
INSERT INTO decisions_strategy (tenant_id, id, key, version, revision, state, graph, graph_sha256, engine_version, note, report, authors,
    share_pct, is_shadowed, changed_at)
SELECT :tenant, :id, cast(:key AS text), coalesce(max(version), 0) + 1, 1, :state, cast(:graph AS jsonb), :sha256, :engine, :note,
    cast(:report AS jsonb), cast(:authors AS text[]), 0, false, :now
FROM decisions_strategy WHERE tenant_id = :tenant AND key = :key
"""


async def lock_key(uow: UnitOfWork, key: str) -> None:
    """Whoever gives out versions of a key or changes which of them decide takes turns, until the end of the transaction."""
    await uow.execute("SELECT pg_advisory_xact_lock(hashtextextended(:lock, :tenant))", lock=f"decisions.publish:{key}")


async def in_force(read: ReadSession, key: str) -> tuple[StrategyVersion | None, StrategyVersion | None]:
    """The champion of a key, and the candidate that decides a share."""
    rows = await read.rows(f"{_VERSIONS} AND key = :key AND (state = 'published' OR share_pct > 0)", key=key)
    found = {StrategyState(row.state): _version(row) for row in rows}
    return found.get(StrategyState.PUBLISHED), found.get(StrategyState.APPROVED)


async def version(read: ReadSession, strategy_id: UUID) -> StrategyVersion | None:
    row = await read.row(f"{_VERSIONS} AND id = :id", id=strategy_id)
    return None if row is None else _version(row)


async def lock_version(uow: UnitOfWork, strategy_id: UUID) -> StrategyVersion | None:
    """A version, locked until the end of the transaction."""
    row = await uow.row(f"{_VERSIONS} AND id = :id FOR UPDATE", id=strategy_id)
    return None if row is None else _version(row)


async def numbered(read: ReadSession, key: str, number: int) -> StrategyVersion | None:
    row = await read.row(f"{_VERSIONS} AND key = :key AND version = :version", key=key, version=number)
    return None if row is None else _version(row)


async def strategy_version(read: ReadSession, key: str, number: int) -> Strategy | None:
    """What a decision was made by."""
    found = await numbered(read, key, number)
    return None if found is None else found.strategy


async def list_versions(
    read: ReadSession, key: str | None, state: StrategyState | None, before_id: UUID | None, limit: int
) -> list[StrategyVersion]:
    """Newest first by the time they were first saved; ``before_id`` is the last of the page before."""
    rows = await read.rows(
        f"{_VERSIONS} AND (cast(:key AS text) IS NULL OR key = :key) AND (cast(:state AS text) IS NULL OR state = :state)"
        " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        key=key,
        state=state,
        before=before_id,
        limit=limit,
    )
    return [_version(row) for row in rows]


async def challengers(read: ReadSession, keys: Sequence[str], engine_version: str) -> list[StrategyVersion]:
    """The shadowed versions of these keys that the engine at hand can be asked about."""
    rows = await read.rows(
        f"{_VERSIONS} AND key = ANY(cast(:keys AS text[])) AND is_shadowed AND engine_version = :engine ORDER BY version",
        keys=list(keys),
        engine=engine_version,
    )
    return [_version(row) for row in rows]


async def insert_version(
    uow: UnitOfWork,
    key: str,
    graph: Graph,
    sha256: str,
    engine_version: str,
    note: str,
    report: Report,
    state: StrategyState,
    author: str,
) -> UUID:
    """The next version of a key. The key is locked."""
    strategy_id = new_id()
    await uow.execute(
        _INSERT,
        id=strategy_id,
        key=key,
        state=state,
        graph=_json(graph),
        sha256=sha256,
        engine=engine_version,
        note=note,
        report=_json(report),
        authors=[author],
        now=uow.now,
    )
    return strategy_id


async def edit_version(
    uow: UnitOfWork,
    strategy_id: UUID,
    graph: Graph,
    sha256: str,
    engine_version: str,
    note: str,
    report: Report,
    state: StrategyState,
) -> None:
    """Write what was saved over an editable version; whoever acts becomes one of its authors."""
    await uow.execute(
        "UPDATE decisions_strategy SET graph = cast(:graph AS jsonb), graph_sha256 = :sha256, engine_version = :engine, note = :note,"
        " report = cast(:report AS jsonb), state = :state, revision = revision + 1, changed_at = :now, rejection = NULL,"
        " authors = ARRAY(SELECT DISTINCT unnest(array_append(authors, cast(:author AS text))) ORDER BY 1)"
        " WHERE tenant_id = :tenant AND id = :id AND state = ANY(cast(:editable AS text[]))",
        id=strategy_id,
        graph=_json(graph),
        sha256=sha256,
        engine=engine_version,
        note=note,
        report=_json(report),
        state=state,
        author=str(uow.actor),
        editable=sorted(EDITABLE),
        now=uow.now,
    )


async def checked_anew(uow: UnitOfWork, strategy_id: UUID, engine_version: str, report: Report) -> None:
    """A version not yet published was checked again, perhaps by another engine than it was saved under."""
    await uow.execute(
        "UPDATE decisions_strategy SET engine_version = :engine, report = cast(:report AS jsonb)"
        " WHERE tenant_id = :tenant AND id = :id AND state <> 'published' AND state <> 'retired'",
        id=strategy_id,
        engine=engine_version,
        report=_json(report),
    )


async def submit(uow: UnitOfWork, strategy_id: UUID) -> None:
    await _set(uow, strategy_id, "submitted", "submitted_by = :actor", actor=str(uow.actor))


async def approve(uow: UnitOfWork, strategy_id: UUID) -> None:
    await _set(uow, strategy_id, "approved", "approved_by = :actor, approved_at = :now", actor=str(uow.actor))


async def reject(uow: UnitOfWork, strategy_id: UUID, reason: str) -> None:
    await _set(uow, strategy_id, "draft", "rejection = :reason, submitted_by = NULL", reason=reason)


async def set_share(uow: UnitOfWork, strategy_id: UUID, share_pct: int) -> None:
    """Let an approved version decide a share; ``published_at`` stays at the first share it was given."""
    await _set(
        uow,
        strategy_id,
        "approved",
        "share_pct = :share, published_by = :actor, published_at = coalesce(published_at, :now)",
        share=share_pct,
        actor=str(uow.actor),
    )


async def set_shadowed(uow: UnitOfWork, strategy_id: UUID, is_shadowed: bool) -> None:
    await _set(uow, strategy_id, "approved", "is_shadowed = :shadowed", shadowed=is_shadowed)


async def publish(uow: UnitOfWork, strategy_id: UUID, replaced: int | None, by: str) -> None:
    """Make a version the champion; the champion before was retired in the same transaction."""
    await _set(
        uow,
        strategy_id,
        "published",
        "share_pct = 0, is_shadowed = false, published_by = :actor, published_at = :now, replaced = :replaced,"
        " approved_by = coalesce(approved_by, :actor), approved_at = coalesce(approved_at, :now)",
        actor=by,
        replaced=replaced,
    )


async def retire(uow: UnitOfWork, strategy_id: UUID) -> None:
    await _set(uow, strategy_id, "retired", "share_pct = 0, is_shadowed = false")


async def _set(uow: UnitOfWork, strategy_id: UUID, state: str, changes: str, **values: object) -> None:
    await uow.execute(
        f"UPDATE decisions_strategy SET state = :state, changed_at = :now, {changes}"  # noqa: S608 (constants)
        " WHERE tenant_id = :tenant AND id = :id",
        id=strategy_id,
        state=state,
        now=uow.now,
        **values,
    )


async def golden_cases(read: ReadSession, key: str) -> list[GoldenCase]:
    rows = await read.rows(
        "SELECT name, inputs, outcome, reason_codes FROM decisions_golden_case WHERE tenant_id = :tenant AND key = :key ORDER BY name",
        key=key,
    )
    return [GoldenCase(row.name, row.inputs, DecisionOutcome(row.outcome), row.reason_codes) for row in rows]


async def put_golden_case(uow: UnitOfWork, key: str, case: GoldenCase) -> None:
    await uow.execute(
        "INSERT INTO decisions_golden_case (tenant_id, key, name, inputs, outcome, reason_codes, changed_by, changed_at)"
        " VALUES (:tenant, :key, :name, cast(:inputs AS jsonb), :outcome, cast(:codes AS text[]), :actor, :now)"
        " ON CONFLICT (tenant_id, key, name) DO UPDATE SET inputs = excluded.inputs, outcome = excluded.outcome,"
        " reason_codes = excluded.reason_codes, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        key=key,
        name=case.name,
        inputs=_json(case.inputs),
        outcome=case.outcome,
        codes=list(case.reason_codes),
        actor=str(uow.actor),
        now=uow.now,
    )


async def remove_golden_case(uow: UnitOfWork, key: str, name: str) -> bool:
    """Whether there was one."""
    return bool(
        await uow.execute(
            "DELETE FROM decisions_golden_case WHERE tenant_id = :tenant AND key = :key AND name = :name", key=key, name=name
        )
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _version(row: Row) -> StrategyVersion:
    return StrategyVersion(
        **{**dict(row), "state": StrategyState(row.state), "report": msgspec.convert(row.report, Report, strict=False)}
    )
