"""SQL of experiments: their settings, the budget of the random accept arm, the arms beside each other, shadow decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import ArmCounts, Experiment, ShadowComparison, StrategyVersion, Verdict
from xinzu.platform.uow import ReadSession, UnitOfWork

_SETTINGS = [field.name for field in fields(Experiment)]
_NAMES = [*_SETTINGS, "changed_by", "changed_at"]
_EXPERIMENT = f"""
SELECT {", ".join(_SETTINGS)} FROM decisions_experiment WHERE tenant_id = :tenant AND key = :key
"""  # noqa: S608 (constants only)
_PUT_EXPERIMENT = f"""
INSERT INTO decisions_experiment (tenant_id, key, {", ".join(_NAMES)})
VALUES (:tenant, :key, {", ".join(f":{name}" for name in _NAMES)})
ON CONFLICT (tenant_id, key) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES)}
"""  # noqa: S608 (constants only)


async def experiment(read: ReadSession, key: str) -> Experiment:
    """The settings of a key; the defaults when nobody set any."""
    row = await read.row(_EXPERIMENT, key=key)
    return Experiment() if row is None else Experiment(**dict(row))


async def put_experiment(uow: UnitOfWork, key: str, settings: Experiment) -> None:
    await uow.execute(_PUT_EXPERIMENT, key=key, changed_by=str(uow.actor), changed_at=uow.now, **asdict(settings))


async def accepted_since(uow: UnitOfWork, key: str, since: Instant) -> tuple[int, int]:
    """How many applications were accepted at random, and what was risked by it in fen. Whoever asks takes turns until the commit, so that
    two batches cannot spend the same budget."""
    await uow.execute("SELECT pg_advisory_xact_lock(hashtextextended(:lock, :tenant))", lock=f"decisions.random_accept:{key}")
    row = await uow.row(
        "SELECT count(*) AS accepted, coalesce(sum(accepted_fen), 0)::bigint AS accepted_fen FROM decisions_decision"
        " WHERE tenant_id = :tenant AND strategy_key = :key AND decided_at >= :since AND arm = 'random_accept'",
        key=key,
        since=since,
    )
    return (row.accepted, row.accepted_fen) if row is not None else (0, 0)


async def arm_counts(
    read: ReadSession, key: str, versions: Sequence[int], since: Instant, law: Sequence[str], failed: Sequence[str]
) -> dict[int, ArmCounts]:
    """By version, what it decided since an instant. Referrals the law asks for before any strategy (``law``) are nobody's."""
    rows = await read.rows(
        "SELECT strategy_version, count(*) AS decided, count(*) FILTER (WHERE outcome = 'approve') AS approved,"
        " count(*) FILTER (WHERE outcome = 'refer') AS referred,"
        " count(*) FILTER (WHERE reason_codes && cast(:failed AS text[])) AS failed"
        " FROM decisions_decision WHERE tenant_id = :tenant AND strategy_key = :key AND decided_at >= :since"
        " AND strategy_version = ANY(cast(:versions AS int[])) AND NOT reason_codes && cast(:law AS text[])"
        " GROUP BY strategy_version",
        key=key,
        versions=list(versions),
        since=since,
        failed=list(failed),
        law=list(law),
    )
    return {row.strategy_version: ArmCounts(row.decided, row.approved, row.referred, row.failed) for row in rows}


async def insert_shadows(uow: UnitOfWork, made: Sequence[tuple[UUID, StrategyVersion, Verdict]]) -> None:
    """What challengers would have decided; once for each decision and challenger."""
    if made:
        await uow.execute(
            "INSERT INTO decisions_shadow (tenant_id, decision_id, strategy_id, outcome, reason_codes, duration_us, computed_at)"
            " SELECT :tenant, s.decision_id, s.strategy_id, s.outcome, ARRAY(SELECT jsonb_array_elements_text(s.codes)),"
            " s.duration_us, :now FROM unnest(cast(:decisions AS uuid[]), cast(:strategies AS uuid[]), cast(:outcomes AS text[]),"
            " cast(:codes AS jsonb[]), cast(:durations AS bigint[])) AS s(decision_id, strategy_id, outcome, codes, duration_us)"
            " ON CONFLICT DO NOTHING",
            now=uow.now,
            decisions=[decision_id for decision_id, _, _ in made],
            strategies=[challenger.id for _, challenger, _ in made],
            outcomes=[verdict.outcome for _, _, verdict in made],
            codes=[msgspec.json.encode(verdict.reason_codes).decode() for _, _, verdict in made],
            durations=[verdict.duration_us for _, _, verdict in made],
        )


async def shadow_comparison(read: ReadSession, challenger: StrategyVersion, failed: Sequence[str]) -> ShadowComparison:
    """A challenger beside what was decided, over all its shadow decisions."""
    rows = await read.rows(
        "SELECT d.outcome AS decided, s.outcome AS shadow, count(*) AS number,"
        " count(*) FILTER (WHERE s.reason_codes && cast(:failed AS text[])) AS failed"
        " FROM decisions_shadow s JOIN decisions_decision d ON d.tenant_id = s.tenant_id AND d.id = s.decision_id"
        " WHERE s.tenant_id = :tenant AND s.strategy_id = :id GROUP BY 1, 2 ORDER BY 1, 2",
        id=challenger.id,
        failed=list(failed),
    )
    counts = [(str(row.decided), str(row.shadow), int(row.number)) for row in rows]
    return ShadowComparison(
        challenger=challenger.version,
        compared=sum(number for _, _, number in counts),
        agreed=sum(number for decided, shadow, number in counts if decided == shadow),
        failed=sum(int(row.failed) for row in rows),
        counts=counts,
    )


async def shadowable(read: ReadSession, decision_ids: Sequence[UUID], law: Sequence[str]) -> Sequence[Any]:
    """Decisions a challenger may be asked about: none that the law kept from automated decision (reasons ``law``)."""
    return await read.rows(
        "SELECT id, strategy_key, inputs FROM decisions_decision WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))"
        " AND NOT reason_codes && cast(:law AS text[])",
        ids=list(decision_ids),
        law=list(law),
    )


def window_start(now: Instant, hours: int, not_before: Instant | None) -> Instant:
    """From when on the arms are compared."""
    start = now - timedelta(hours=hours)
    return start if not_before is None else max(start, not_before)
