"""SQL of models, and of what the decisions made with one came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from xinzu.kernel.ids import new_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.middle.decisions.cards import Card, RegisteredModel
from xinzu.middle.decisions.model import DecisionOutcome, ModelState
from xinzu.middle.decisions.rules.models.monitoring import Observed
from xinzu.middle.decisions.rules.models.reading import ModelName, input_name
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

OBSERVED_MAX = 50_000

_MODELS = """
SELECT id, version, state, card, artefact_sha256, registered_by, registered_at, published_by, published_at, retired_by, retired_at
FROM decisions_model WHERE tenant_id = :tenant
"""

# The newest decisions of a stretch of time that a model scored. Adding nothing to the inputs unpacks them once and not at every look.
_SCORED = """
WITH read AS (
    SELECT id, application_id, decided_at, outcome, arm, inputs || '{}' AS inputs FROM decisions_decision
    WHERE tenant_id = :tenant AND decided_at >= :since AND decided_at < :until OFFSET 0
), scored AS (SELECT * FROM read WHERE inputs ? cast(:score AS text) ORDER BY decided_at DESC LIMIT :limit)
"""

# What became of a decision is known of orders that commenced, once the decision is mature.
_OBSERVED = f"""
{_SCORED}
SELECT d.decided_at, cast(d.inputs ->> cast(:score AS text) AS integer) AS score,
       cast(d.inputs ->> cast(:pd AS text) AS double precision) AS pd, d.outcome, r.outcome AS reviewed,
       coalesce(r.outcome, CASE WHEN d.arm = 'random_accept' THEN 'approve' ELSE d.outcome END) = 'approve' AS is_approved,
       cast(d.inputs ->> 'age_years' AS integer) AS age_years,
       x.agreement_id IS NOT NULL AND d.decided_at <= :matured_before AS is_mature, x.defaulted_on
FROM scored d
LEFT JOIN decisions_review r ON r.tenant_id = :tenant AND r.decision_id = d.id
LEFT JOIN decisions_exposure x ON x.tenant_id = :tenant AND x.application_id = d.application_id
"""  # noqa: S608 (constants)

_VALUES = f"""
{_SCORED}
SELECT f.name, d.inputs -> f.name AS value, count(*) AS seen
FROM scored d CROSS JOIN unnest(cast(:names AS text[])) AS f(name) GROUP BY 1, 2
"""  # noqa: S608 (constants)

_READERS = """
SELECT key, version, graph FROM decisions_strategy WHERE tenant_id = :tenant AND state IN ('submitted', 'approved', 'published')
"""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A published model as it is needed to score: its card, and the text its digest is of."""

    sha256: str
    card: Card
    text: str


async def lock_key(uow: UnitOfWork, key: str) -> None:
    """Whoever gives out versions of a model's key takes turns, until the end of the transaction."""
    await uow.execute("SELECT pg_advisory_xact_lock(hashtextextended(:lock, :tenant))", lock=f"decisions.model:{key}")


async def insert_model(uow: UnitOfWork, card: Card, artefact: str, sha256: str) -> UUID:
    """The next version of a key. The key is locked."""
    model_id = new_id()
    await uow.execute(
        "INSERT INTO decisions_model (tenant_id, id, key, version, state, card, artefact, artefact_sha256, registered_by, registered_at)"
        " SELECT :tenant, :id, cast(:key AS text), coalesce(max(version), 0) + 1, 'registered', cast(:card AS jsonb), :artefact, :sha256,"
        " :actor, :now FROM decisions_model WHERE tenant_id = :tenant AND key = :key",
        id=model_id,
        key=card.key,
        card=msgspec.json.encode(card).decode(),
        artefact=artefact,
        sha256=sha256,
        actor=str(uow.actor),
        now=uow.now,
    )
    return model_id


async def model(read: ReadSession, model_id: UUID) -> RegisteredModel | None:
    row = await read.row(f"{_MODELS} AND id = :id", id=model_id)
    return None if row is None else _model(row)


async def lock_model(uow: UnitOfWork, model_id: UUID) -> RegisteredModel | None:
    """A version, locked until the end of the transaction."""
    row = await uow.row(f"{_MODELS} AND id = :id FOR UPDATE", id=model_id)
    return None if row is None else _model(row)


async def list_models(
    read: ReadSession, key: str | None, state: ModelState | None, before_id: UUID | None, limit: int
) -> list[RegisteredModel]:
    """Newest first; ``before_id`` is the last of the page before."""
    rows = await read.rows(
        f"{_MODELS} AND (cast(:key AS text) IS NULL OR key = :key) AND (cast(:state AS text) IS NULL OR state = :state)"
        " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        key=key,
        state=state,
        before=before_id,
        limit=limit,
    )
    return [_model(row) for row in rows]


async def artefact(read: ReadSession, model_id: UUID) -> str | None:
    row = await read.row("SELECT artefact FROM decisions_model WHERE tenant_id = :tenant AND id = :id", id=model_id)
    return None if row is None else row.artefact


async def published_ids(read: ReadSession, names: Sequence[ModelName]) -> dict[ModelName, UUID]:
    """Which of these models are published, by their ids."""
    rows = await read.rows(
        "SELECT m.key, m.version, m.id FROM decisions_model m JOIN unnest(cast(:keys AS text[]), cast(:versions AS integer[]))"
        " AS n(key, version) ON m.key = n.key AND m.version = n.version WHERE m.tenant_id = :tenant AND m.state = 'published'",
        keys=[key for key, _ in names],
        versions=[version for _, version in names],
    )
    return {(row.key, row.version): row.id for row in rows}


async def artefacts(read: ReadSession, model_ids: Sequence[UUID]) -> dict[UUID, Artefact]:
    rows = await read.rows(
        "SELECT id, artefact_sha256, card, artefact FROM decisions_model WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(model_ids),
    )
    return {row.id: Artefact(row.artefact_sha256, msgspec.convert(row.card, Card, strict=False), row.artefact) for row in rows}


async def publish(uow: UnitOfWork, model_id: UUID) -> None:
    await uow.execute(
        "UPDATE decisions_model SET state = 'published', published_by = :actor, published_at = :now"
        " WHERE tenant_id = :tenant AND id = :id",
        id=model_id,
        actor=str(uow.actor),
        now=uow.now,
    )


async def retire(uow: UnitOfWork, model_id: UUID) -> None:
    await uow.execute(
        "UPDATE decisions_model SET state = 'retired', retired_by = :actor, retired_at = :now WHERE tenant_id = :tenant AND id = :id",
        id=model_id,
        actor=str(uow.actor),
        now=uow.now,
    )


async def graphs_in_force(read: ReadSession) -> list[tuple[str, int, Mapping[str, Any]]]:
    """The graphs that decide or wait to: (key, version, graph)."""
    return [(row.key, row.version, row.graph) for row in await read.rows(_READERS)]


async def observed(
    read: ReadSession, key: str, version: int, since: Instant, until: Instant, maturity_days: int
) -> list[Observed]:
    """The newest ``OBSERVED_MAX`` decisions of a stretch of time whose inputs hold the score of the model."""
    maturity = timedelta(days=maturity_days)
    rows = await read.rows(
        _OBSERVED,
        score=input_name(key, version, "score"),
        pd=input_name(key, version, "pd"),
        since=since,
        until=until,
        matured_before=read.now - maturity,
        limit=OBSERVED_MAX,
    )
    found = []
    for row in rows:
        decided_on = read.calendar.business_date(row.decided_at)
        went_bad = row.defaulted_on is not None and row.defaulted_on <= decided_on + maturity
        found.append(
            Observed(
                decided_on,
                row.score,
                row.pd,
                DecisionOutcome(row.outcome),
                None if row.reviewed is None else DecisionOutcome(row.reviewed),
                row.is_approved,
                row.age_years,
                went_bad if row.is_mature else None,
            )
        )
    return found


async def values_seen(
    read: ReadSession, key: str, version: int, names: Sequence[str], since: Instant, until: Instant
) -> dict[str, dict[Any, int]]:
    """How often each value of these inputs was seen by the model in the newest ``OBSERVED_MAX`` decisions; what is missing stands under None."""
    score = input_name(key, version, "score")
    rows = await read.rows(_VALUES, names=list(names), score=score, since=since, until=until, limit=OBSERVED_MAX)
    found: dict[str, dict[Any, int]] = {name: {} for name in names}
    for row in rows:
        found[row.name][row.value] = found[row.name].get(row.value, 0) + row.seen
    return found


async def note_defaulted(uow: UnitOfWork, defaulted_on: Mapping[UUID, BusinessDate]) -> None:
    """Agreement → business date at whose close it was 90 days past due or more; the first such day stays."""
    if defaulted_on:
        await uow.execute(
            "UPDATE decisions_exposure x SET defaulted_on = o.defaulted_on"
            " FROM unnest(cast(:agreements AS uuid[]), cast(:dates AS date[])) AS o(agreement_id, defaulted_on)"
            " WHERE x.tenant_id = :tenant AND x.agreement_id = o.agreement_id AND x.defaulted_on IS NULL",
            agreements=list(defaulted_on.keys()),
            dates=list(defaulted_on.values()),
        )


def _model(row: Row) -> RegisteredModel:
    return RegisteredModel(**{**dict(row), "state": ModelState(row.state), "card": msgspec.convert(row.card, Card, strict=False)})
