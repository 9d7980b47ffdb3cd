"""SQL of decisions, reviews and exposures. Batches go over arrays: one statement per step, whatever the number of applications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from xinzu.kernel.time import BusinessDate
from xinzu.middle.decisions.model import (
    DECISION_MOVES,
    Arm,
    Decision,
    DecisionOutcome,
    DecisionState,
    Indicators,
    PartyHistory,
    ReferredBy,
    Review,
    ReviewLevel,
    Strategy,
    Verdict,
)
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

DAY = timedelta(hours=24)
QUARTER = timedelta(days=90)

# Strictly earlier decisions only: an application never counts itself.
_HISTORY = """
SELECT p.party_id, coalesce(d.before, 0) AS before, coalesce(d.day, 0) AS day, coalesce(d.declines, 0) AS declines,
       coalesce(x.orders, 0) AS orders, coalesce(x.value_fen, 0) AS value_fen, coalesce(x.overdue, 0) AS overdue, l.line_fen
FROM unnest(cast(:parties AS uuid[])) AS p(party_id)
LEFT JOIN LATERAL (
    SELECT count(*) AS before,
           count(*) FILTER (WHERE decided_at > :day_ago) AS day,
           count(*) FILTER (WHERE outcome = 'decline' AND arm <> 'random_accept' AND decided_at > :quarter_ago) AS declines
    FROM decisions_decision WHERE tenant_id = :tenant AND party_id = p.party_id
) d ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS orders, sum(device_value_fen)::bigint AS value_fen, count(overdue_on) AS overdue
    FROM decisions_exposure WHERE tenant_id = :tenant AND party_id = p.party_id AND closed_at IS NULL
) x ON true
LEFT JOIN decisions_credit_line l ON l.tenant_id = :tenant AND l.party_id = p.party_id
"""

_INSERT_DECISIONS = """
INSERT INTO decisions_decision (tenant_id, id, application_id, party_id, strategy_key, strategy_version, engine_version, outcome, state,
    reason_codes, inputs, inputs_salt, outputs, trace, duration_us, decided_at, referred_by, referred_at, arm, review_level, accepted_fen)
SELECT :tenant, d.id, d.application_id, d.party_id, :key, d.version, :engine, d.outcome, d.state,
    ARRAY(SELECT jsonb_array_elements_text(d.codes)), d.inputs, d.salt, d.outputs, d.trace, d.duration_us, :now,
    d.referred_by, CASE WHEN d.referred_by IS NULL THEN NULL ELSE cast(:now AS timestamptz) END, d.arm, d.review_level,
    CASE WHEN d.arm = 'random_accept' THEN d.exposed_fen END
FROM unnest(cast(:ids AS uuid[]), cast(:applications AS uuid[]), cast(:parties AS uuid[]), cast(:versions AS int[]),
            cast(:outcomes AS text[]), cast(:states AS text[]), cast(:codes AS jsonb[]), cast(:inputs AS jsonb[]),
            cast(:salts AS bytea[]), cast(:outputs AS jsonb[]), cast(:traces AS jsonb[]), cast(:durations AS bigint[]),
            cast(:referrers AS text[]), cast(:arms AS text[]), cast(:levels AS text[]), cast(:values AS bigint[]))
     AS d(id, application_id, party_id, version, outcome, state, codes, inputs, salt, outputs, trace, duration_us, referred_by, arm,
          review_level, exposed_fen)
"""

_OPEN_EXPOSURES = """
INSERT INTO decisions_exposure (tenant_id, application_id, party_id, device_value_fen, opened_at)
SELECT :tenant, e.application_id, e.party_id, e.value_fen, :now
FROM unnest(cast(:applications AS uuid[]), cast(:parties AS uuid[]), cast(:values AS bigint[]))
     AS e(application_id, party_id, value_fen)
ON CONFLICT DO NOTHING
"""

_DECISIONS = """
SELECT d.id, d.application_id, d.party_id, d.strategy_key, d.strategy_version, d.engine_version, d.outcome, d.state, d.referred_by,
       d.reason_codes, d.inputs, d.outputs, d.trace, d.duration_us, d.decided_at, d.arm, d.review_level,
       r.outcome AS review_outcome, r.reason_code AS review_reason_code, r.reviewer, r.reviewed_at, r.round
FROM decisions_decision d
LEFT JOIN LATERAL (
    SELECT outcome, reason_code, reviewer, reviewed_at, round FROM decisions_review
    WHERE tenant_id = d.tenant_id AND decision_id = d.id ORDER BY round DESC LIMIT 1
) r ON true
WHERE d.tenant_id = :tenant
"""


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision about to be written, with the version that made it and its arm."""

    id: UUID
    strategy: Strategy
    arm: Arm
    application_id: UUID
    party_id: UUID
    exposed_fen: int
    inputs: Indicators
    inputs_salt: bytes
    verdict: Verdict

    @property
    def standing_outcome(self) -> DecisionOutcome:
        """What is said outside: an acceptance at random is an approval."""
        return DecisionOutcome.APPROVE if self.arm is Arm.RANDOM_ACCEPT else self.verdict.outcome


@dataclass(frozen=True, slots=True)
class NewReview:
    """A person's decision about to be written."""

    decision_id: UUID
    round: int
    outcome: DecisionOutcome
    reason_code: str
    note_sealed: bytes | None


async def already_decided(read: ReadSession, application_ids: Sequence[UUID]) -> set[UUID]:
    rows = await read.rows(
        "SELECT application_id FROM decisions_decision WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[]))",
        ids=list(application_ids),
    )
    return {row.application_id for row in rows}


async def histories(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, PartyHistory]:
    """What is known of each party now."""
    rows = await read.rows(_HISTORY, parties=list(set(party_ids)), day_ago=read.now - DAY, quarter_ago=read.now - QUARTER)
    return {
        row.party_id: PartyHistory(row.before, row.day, row.declines, row.orders, row.value_fen, row.overdue, row.line_fen)
        for row in rows
    }


async def insert_decisions(uow: UnitOfWork, decisions: Sequence[NewDecision]) -> None:
    """Write a batch of decisions by versions of one key under one engine."""
    referred = [decision.verdict.outcome is DecisionOutcome.REFER for decision in decisions]
    verdicts = [decision.verdict for decision in decisions]
    await uow.execute(
        _INSERT_DECISIONS,
        key=decisions[0].strategy.key,
        engine=decisions[0].strategy.engine_version,
        now=uow.now,
        versions=[decision.strategy.version for decision in decisions],
        arms=[decision.arm for decision in decisions],
        levels=[verdict.review_level for verdict in verdicts],
        values=[decision.exposed_fen for decision in decisions],
        ids=[decision.id for decision in decisions],
        applications=[decision.application_id for decision in decisions],
        parties=[decision.party_id for decision in decisions],
        outcomes=[verdict.outcome for verdict in verdicts],
        states=[DecisionState.REFERRED if each else DecisionState.DECIDED for each in referred],
        codes=[_json(verdict.reason_codes) for verdict in verdicts],
        inputs=[_json(decision.inputs) for decision in decisions],
        salts=[decision.inputs_salt for decision in decisions],
        outputs=[_json(verdict.outputs) for verdict in verdicts],
        traces=[None if verdict.trace is None else _json(verdict.trace) for verdict in verdicts],
        durations=[verdict.duration_us for verdict in verdicts],
        referrers=[ReferredBy.STRATEGY if each else None for each in referred],
    )


async def open_exposures(uow: UnitOfWork, orders: Sequence[tuple[UUID, UUID, int]]) -> None:
    """From an approval on an order counts: (application, party, what is exposed in fen)."""
    if orders:
        await uow.execute(
            _OPEN_EXPOSURES,
            now=uow.now,
            applications=[application_id for application_id, _, _ in orders],
            parties=[party_id for _, party_id, _ in orders],
            values=[value_fen for _, _, value_fen in orders],
        )


async def close_exposures(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE decisions_exposure SET closed_at = :now"
        " WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[])) AND closed_at IS NULL",
        now=uow.now,
        ids=list(application_ids),
    )


async def name_agreements(uow: UnitOfWork, agreements: Mapping[UUID, UUID]) -> None:
    """Remember under which agreement an order runs: application → agreement."""
    await uow.execute(
        "UPDATE decisions_exposure x SET agreement_id = a.agreement_id"
        " FROM unnest(cast(:applications AS uuid[]), cast(:agreements AS uuid[])) AS a(application_id, agreement_id)"
        " WHERE x.tenant_id = :tenant AND x.application_id = a.application_id",
        applications=list(agreements.keys()),
        agreements=list(agreements.values()),
    )


async def note_overdue(uow: UnitOfWork, overdue_on: Mapping[UUID, BusinessDate]) -> None:
    """Agreement → business date at whose close it was overdue. A date not after a known clearing changes nothing: it came late."""
    await uow.execute(
        "UPDATE decisions_exposure x SET overdue_on = o.overdue_on"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:dates AS date[])) AS o(agreement_id, overdue_on)"
        " WHERE x.tenant_id = :tenant AND x.agreement_id = o.agreement_id AND x.overdue_on IS NULL"
        " AND (x.cleared_on IS NULL OR o.overdue_on > x.cleared_on)",
        agreements=list(overdue_on.keys()),
        dates=list(overdue_on.values()),
    )


async def note_cleared(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE decisions_exposure SET overdue_on = NULL, cleared_on = :today"
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[]))",
        today=uow.business_date,
        ids=list(agreement_ids),
    )


async def refer_declined(uow: UnitOfWork, application_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Put strategy-declined decisions before a person; returns (decision, application) of those that moved."""
    rows = await uow.rows(
        "UPDATE decisions_decision SET state = :target, referred_by = :by, referred_at = :now"
        " WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[]))"
        " AND state = ANY(cast(:sources AS text[])) AND outcome = 'decline' AND arm <> 'random_accept' RETURNING id, application_id",
        target=DecisionState.REFERRED,
        # What a person declined comes back by an appeal only.
        sources=[DecisionState.DECIDED],
        by=ReferredBy.APPLICANT,
        now=uow.now,
        ids=list(application_ids),
    )
    return [(row.id, row.application_id) for row in rows]


async def withdraw_referred(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    """Take decisions of cancelled applications out of the reviewers' queue."""
    await uow.execute(
        "UPDATE decisions_decision SET state = :target"
        " WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[])) AND state = ANY(cast(:sources AS text[]))",
        target=DecisionState.WITHDRAWN,
        sources=DECISION_MOVES.sources(DecisionState.WITHDRAWN),
        ids=list(application_ids),
    )


async def lock_decisions(uow: UnitOfWork, decision_ids: Sequence[UUID]) -> dict[UUID, Decision]:
    """The decisions of these ids, locked in the order of their ids until the end of the transaction."""
    rows = await uow.rows(
        f"{_DECISIONS} AND d.id = ANY(cast(:ids AS uuid[])) ORDER BY d.id FOR UPDATE OF d", ids=list(decision_ids)
    )
    return {row.id: _decision(row) for row in rows}


async def record_reviews(uow: UnitOfWork, reviews: Sequence[NewReview]) -> None:
    """Write reviews and move their decisions to reviewed."""
    await uow.execute(
        "INSERT INTO decisions_review (tenant_id, decision_id, round, outcome, reason_code, note_sealed, reviewer, reviewed_at)"
        " SELECT :tenant, r.id, r.round, r.outcome, r.code, r.note, :actor, :now FROM unnest(cast(:ids AS uuid[]),"
        " cast(:rounds AS smallint[]), cast(:outcomes AS text[]), cast(:codes AS text[]), cast(:notes AS bytea[]))"
        " AS r(id, round, outcome, code, note)",
        actor=str(uow.actor),
        now=uow.now,
        rounds=[review.round for review in reviews],
        ids=[review.decision_id for review in reviews],
        outcomes=[review.outcome for review in reviews],
        codes=[review.reason_code for review in reviews],
        notes=[review.note_sealed for review in reviews],
    )
    await uow.execute(
        "UPDATE decisions_decision SET state = :target WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        target=DecisionState.REVIEWED,
        ids=[review.decision_id for review in reviews],
    )


async def decision(read: ReadSession, decision_id: UUID) -> Decision | None:
    row = await read.row(f"{_DECISIONS} AND d.id = :id", id=decision_id)
    return None if row is None else _decision(row)


async def decision_of_application(read: ReadSession, application_id: UUID) -> Decision | None:
    row = await read.row(f"{_DECISIONS} AND d.application_id = :id", id=application_id)
    return None if row is None else _decision(row)


async def list_decisions(
    read: ReadSession, state: DecisionState | None, level: ReviewLevel | None, before_id: UUID | None, limit: int
) -> list[Decision]:
    """Newest first; ``before_id`` is the last id of the page before."""
    rows = await read.rows(
        f"{_DECISIONS} AND (cast(:state AS text) IS NULL OR d.state = :state)"
        " AND (cast(:level AS text) IS NULL OR d.review_level = :level)"
        " AND (cast(:before AS uuid) IS NULL OR d.id < :before) ORDER BY d.id DESC LIMIT :limit",
        state=state,
        level=level,
        before=before_id,
        limit=limit,
    )
    return [_decision(row) for row in rows]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _decision(row: Row) -> Decision:
    review = None
    if row.review_outcome is not None:
        review = Review(DecisionOutcome(row.review_outcome), row.review_reason_code, row.reviewer, row.reviewed_at, row.round)
    return Decision(
        id=row.id,
        application_id=row.application_id,
        party_id=row.party_id,
        strategy_key=row.strategy_key,
        strategy_version=row.strategy_version,
        engine_version=row.engine_version,
        outcome=DecisionOutcome(row.outcome),
        state=DecisionState(row.state),
        referred_by=None if row.referred_by is None else ReferredBy(row.referred_by),
        reason_codes=row.reason_codes,
        inputs=row.inputs,
        outputs=row.outputs,
        trace=row.trace,
        duration_us=row.duration_us,
        decided_at=row.decided_at,
        review=review,
        arm=Arm(row.arm),
        review_level=None if row.review_level is None else ReviewLevel(row.review_level),
    )
