"""SQL of the reviewers' queue: referrals, claims, levels, the clock, appeals, statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import DecisionState, Referral, Reviewer, ReviewLevel, ReviewPolicy
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

# Who took the order in is what the event says that told of it; it is copied, because events are not kept for ever.
_ENTER = """
INSERT INTO decisions_referral (tenant_id, decision_id, level, round, queued_at, due_at, escalated_count, entered_by)
SELECT :tenant, d.id, r.level, r.round, :now, r.due_at, 0,
       (SELECT e.actor FROM platform_event e WHERE e.tenant_id = :tenant AND e.subject_id = d.application_id
        AND e.type = 'xinzu.applications.application.submitted.v1' ORDER BY e.id LIMIT 1)
FROM unnest(cast(:ids AS uuid[]), cast(:levels AS text[]), cast(:rounds AS smallint[]), cast(:dues AS timestamptz[]))
     AS r(id, level, round, due_at)
JOIN decisions_decision d ON d.tenant_id = :tenant AND d.id = r.id
ON CONFLICT (tenant_id, decision_id) DO UPDATE SET level = excluded.level, round = excluded.round, queued_at = excluded.queued_at,
    due_at = excluded.due_at, escalated_to = NULL, escalated_count = 0, held_by = NULL, held_until = NULL, closed_at = NULL
"""

_REFERRALS = """
SELECT r.decision_id, d.application_id, d.party_id, r.level, r.round, r.queued_at, r.due_at, r.escalated_to, r.escalated_count, r.entered_by,
       r.held_by, r.held_until, ARRAY(SELECT v.reviewer FROM decisions_review v WHERE v.tenant_id = r.tenant_id AND v.decision_id = r.decision_id)
       AS reviewed_by
FROM decisions_referral r JOIN decisions_decision d ON d.tenant_id = r.tenant_id AND d.id = r.decision_id
WHERE r.tenant_id = :tenant AND r.closed_at IS NULL
"""

# The strategy's own reasons, each counted once for each decision. What was accepted at random had its decline set aside: no review.
_BY_REASON = """
SELECT c.code,
       count(*) FILTER (WHERE d.outcome = 'decline') AS declined,
       count(*) FILTER (WHERE d.outcome = 'decline' AND r.outcome IS NOT NULL) AS declines_reviewed,
       count(*) FILTER (WHERE d.outcome = 'decline' AND r.outcome = 'approve') AS overturned,
       count(*) FILTER (WHERE d.outcome = 'refer') AS referred,
       count(*) FILTER (WHERE d.outcome = 'refer' AND r.outcome IS NOT NULL) AS referrals_reviewed,
       count(*) FILTER (WHERE d.outcome = 'refer' AND r.outcome = 'approve') AS referrals_approved
FROM decisions_decision d
CROSS JOIN LATERAL unnest(d.reason_codes) AS c(code)
LEFT JOIN LATERAL (
    SELECT outcome FROM decisions_review WHERE tenant_id = d.tenant_id AND decision_id = d.id ORDER BY round DESC LIMIT 1
) r ON d.state = 'reviewed'
WHERE d.tenant_id = :tenant AND d.arm <> 'random_accept' AND d.decided_at >= :begin AND d.decided_at < :until
GROUP BY c.code ORDER BY c.code
"""

_BY_REVIEWER = """
SELECT v.reviewer, count(*) AS reviewed, count(*) FILTER (WHERE v.outcome = 'approve') AS approved,
       count(*) FILTER (WHERE d.outcome = 'decline') AS of_declines,
       count(*) FILTER (WHERE d.outcome = 'decline' AND v.outcome = 'decline') AS with_strategy,
       count(second.outcome) AS appealed, count(*) FILTER (WHERE second.outcome = v.outcome) AS upheld
FROM decisions_review v
JOIN decisions_decision d ON d.tenant_id = v.tenant_id AND d.id = v.decision_id
LEFT JOIN decisions_review second ON second.tenant_id = v.tenant_id AND second.decision_id = v.decision_id AND v.round = 1
    AND second.round = 2
WHERE v.tenant_id = :tenant AND v.reviewed_at >= :begin AND v.reviewed_at < :until
GROUP BY v.reviewer ORDER BY v.reviewer
"""


async def enter(uow: UnitOfWork, referrals: Sequence[tuple[UUID, ReviewLevel, int, Instant]]) -> None:
    """Put decisions into the queue, (decision, level, round, due) each. On appeal a decision comes back under its next round."""
    await uow.execute(
        _ENTER,
        now=uow.now,
        ids=[each[0] for each in referrals],
        levels=[each[1] for each in referrals],
        rounds=[each[2] for each in referrals],
        dues=[each[3] for each in referrals],
    )


async def lock_referrals(uow: UnitOfWork, decision_ids: Sequence[UUID]) -> dict[UUID, Referral]:
    """Those of the decisions that wait, locked in the order of their ids until the end of the transaction."""
    rows = await uow.rows(
        f"{_REFERRALS} AND r.decision_id = ANY(cast(:ids AS uuid[])) ORDER BY r.decision_id FOR UPDATE OF r",
        ids=list(decision_ids),
    )
    return {row.decision_id: _referral(row) for row in rows}


async def lock_due(uow: UnitOfWork, limit: int) -> list[Referral]:
    """Whose clock has run out, those that are locked left to whoever has them."""
    rows = await uow.rows(
        f"{_REFERRALS} AND r.due_at <= :now ORDER BY r.due_at LIMIT :limit FOR UPDATE OF r SKIP LOCKED", now=uow.now, limit=limit
    )
    return [_referral(row) for row in rows]


async def lock_unheld(uow: UnitOfWork, limit: int) -> list[Referral]:
    """What nobody holds, oldest first."""
    rows = await uow.rows(
        f"{_REFERRALS} AND (r.held_until IS NULL OR r.held_until <= :now) ORDER BY r.queued_at, r.decision_id LIMIT :limit"
        " FOR UPDATE OF r SKIP LOCKED",
        now=uow.now,
        limit=limit,
    )
    return [_referral(row) for row in rows]


async def list_referrals(
    read: ReadSession, level: ReviewLevel | None, held_by: str | None, after_id: UUID | None, limit: int
) -> list[Referral]:
    """What waits, oldest decision first; ``held_by``: only what this actor holds now."""
    rows = await read.rows(
        f"{_REFERRALS} AND (cast(:level AS text) IS NULL OR coalesce(r.escalated_to, r.level) = :level)"
        " AND (cast(:holder AS text) IS NULL OR (r.held_by = :holder AND r.held_until > :now))"
        " AND (cast(:after AS uuid) IS NULL OR r.decision_id > :after) ORDER BY r.decision_id LIMIT :limit",
        level=level,
        holder=held_by,
        now=read.now,
        after=after_id,
        limit=limit,
    )
    return [_referral(row) for row in rows]


async def hold(uow: UnitOfWork, holders: Mapping[UUID, str | None], until: Instant | None) -> None:
    """Decision → who holds it until then; None lets go of it."""
    await uow.execute(
        "UPDATE decisions_referral r SET held_by = h.holder, held_until = CASE WHEN h.holder IS NOT NULL THEN"
        " cast(:until AS timestamptz) END FROM unnest(cast(:ids AS uuid[]), cast(:holders AS text[])) AS h(id, holder)"
        " WHERE r.tenant_id = :tenant AND r.decision_id = h.id",
        ids=list(holders),
        holders=list(holders.values()),
        until=until,
    )


async def held_counts(read: ReadSession) -> dict[str, int]:
    """How many each actor holds now."""
    rows = await read.rows(
        "SELECT held_by, count(*) AS count FROM decisions_referral"
        " WHERE tenant_id = :tenant AND closed_at IS NULL AND held_until > :now GROUP BY held_by",
        now=read.now,
    )
    return {row.held_by: row.count for row in rows}


async def escalate(uow: UnitOfWork, asked: Mapping[UUID, tuple[ReviewLevel, Instant | None]]) -> None:
    """Decision → level that is asked now, and when that level's clock runs out. Nobody holds it any more; the one who did is asked last."""
    await uow.execute(
        "UPDATE decisions_referral r SET escalated_to = x.level, due_at = x.due_at, escalated_count = r.escalated_count + 1,"
        " held_until = NULL FROM unnest(cast(:ids AS uuid[]), cast(:levels AS text[]), cast(:dues AS timestamptz[]))"
        " AS x(id, level, due_at) WHERE r.tenant_id = :tenant AND r.decision_id = x.id",
        ids=list(asked),
        levels=[level for level, _ in asked.values()],
        dues=[due_at for _, due_at in asked.values()],
    )


async def close(uow: UnitOfWork, decision_ids: Sequence[UUID]) -> None:
    """Take decisions out of the queue."""
    await uow.execute(
        "UPDATE decisions_referral SET closed_at = :now, held_until = NULL"
        " WHERE tenant_id = :tenant AND decision_id = ANY(cast(:ids AS uuid[])) AND closed_at IS NULL",
        now=uow.now,
        ids=list(decision_ids),
    )


async def close_of_applications(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    """Take the decisions on these applications out of the queue."""
    await uow.execute(
        "UPDATE decisions_referral r SET closed_at = :now, held_until = NULL FROM decisions_decision d"
        " WHERE r.tenant_id = :tenant AND d.tenant_id = :tenant AND d.id = r.decision_id"
        " AND d.application_id = ANY(cast(:ids AS uuid[])) AND r.closed_at IS NULL",
        now=uow.now,
        ids=list(application_ids),
    )


async def insert_appeal(uow: UnitOfWork, decision_id: UUID, grounds_sealed: bytes | None) -> None:
    """Keep an appeal and put its decision before a person again."""
    await uow.execute(
        "INSERT INTO decisions_appeal (tenant_id, decision_id, grounds_sealed, asked_by, asked_at)"
        " VALUES (:tenant, :id, :grounds, :actor, :now)",
        id=decision_id,
        grounds=grounds_sealed,
        actor=str(uow.actor),
        now=uow.now,
    )
    await uow.execute(
        "UPDATE decisions_decision SET state = :state, referred_at = :now WHERE tenant_id = :tenant AND id = :id",
        state=DecisionState.REFERRED,
        now=uow.now,
        id=decision_id,
    )


async def appeal_of(read: ReadSession, decision_id: UUID) -> Row | None:
    """asked_at, asked_by and the sealed grounds of an appeal, or None."""
    return await read.row(
        "SELECT asked_at, asked_by, grounds_sealed FROM decisions_appeal WHERE tenant_id = :tenant AND decision_id = :id",
        id=decision_id,
    )


async def reviewers(read: ReadSession) -> list[Reviewer]:
    """Operators whose level was set, by login."""
    rows = await read.rows(
        "SELECT login, level, is_available, held_max, party_id FROM decisions_reviewer WHERE tenant_id = :tenant ORDER BY login"
    )
    return [_reviewer(row) for row in rows]


async def reviewer(read: ReadSession, login: str) -> Reviewer | None:
    """An operator whose level was set, or None."""
    row = await read.row(
        "SELECT login, level, is_available, held_max, party_id FROM decisions_reviewer WHERE tenant_id = :tenant AND login = :login",
        login=login,
    )
    return None if row is None else _reviewer(row)


async def put_reviewer(uow: UnitOfWork, given: Reviewer) -> None:
    await uow.execute(
        "INSERT INTO decisions_reviewer (tenant_id, login, level, is_available, held_max, party_id, changed_by, changed_at)"
        " VALUES (:tenant, :login, :level, :is_available, :held_max, :party_id, :actor, :now) ON CONFLICT (tenant_id, login) DO UPDATE"
        " SET level = excluded.level, is_available = excluded.is_available, held_max = excluded.held_max, party_id = excluded.party_id,"
        " changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        **asdict(given),
        actor=str(uow.actor),
        now=uow.now,
    )


async def policy(read: ReadSession) -> ReviewPolicy:
    """The tenant's clock, or the default one."""
    row = await read.row(
        "SELECT reviewer_minutes, senior_minutes, committee_minutes, claim_minutes, opens_minute, closes_minute, is_open_daily"
        " FROM decisions_review_policy WHERE tenant_id = :tenant"
    )
    if row is None:
        return ReviewPolicy()
    return ReviewPolicy(
        row.reviewer_minutes,
        row.senior_minutes,
        row.committee_minutes,
        row.claim_minutes,
        row.opens_minute,
        row.closes_minute,
        row.is_open_daily,
    )


async def put_policy(uow: UnitOfWork, given: ReviewPolicy) -> None:
    await uow.execute(
        "INSERT INTO decisions_review_policy (tenant_id, reviewer_minutes, senior_minutes, committee_minutes, claim_minutes, opens_minute,"
        " closes_minute, is_open_daily, changed_by, changed_at) VALUES (:tenant, :reviewer_minutes, :senior_minutes, :committee_minutes,"
        " :claim_minutes, :opens_minute, :closes_minute, :is_open_daily, :actor, :now) ON CONFLICT (tenant_id) DO UPDATE SET"
        " reviewer_minutes = excluded.reviewer_minutes, senior_minutes = excluded.senior_minutes,"
        " committee_minutes = excluded.committee_minutes, claim_minutes = excluded.claim_minutes, opens_minute = excluded.opens_minute,"
        " closes_minute = excluded.closes_minute, is_open_daily = excluded.is_open_daily, changed_by = excluded.changed_by,"
        " changed_at = excluded.changed_at",
        **asdict(given),
        actor=str(uow.actor),
        now=uow.now,
    )


async def by_reason(read: ReadSession, begin: Instant, until: Instant) -> Sequence[Row]:
    """Counts by the strategy's reason over decisions made from ``begin`` to before ``until``."""
    return await read.rows(_BY_REASON, begin=begin, until=until)


async def by_reviewer(read: ReadSession, begin: Instant, until: Instant) -> Sequence[Row]:
    """Counts by reviewer over reviews from ``begin`` to before ``until``."""
    return await read.rows(_BY_REVIEWER, begin=begin, until=until)


def _reviewer(row: Row) -> Reviewer:
    return Reviewer(row.login, ReviewLevel(row.level), row.is_available, row.held_max, row.party_id)


def _referral(row: Row) -> Referral:
    return Referral(
        decision_id=row.decision_id,
        application_id=row.application_id,
        party_id=row.party_id,
        level=ReviewLevel(row.level),
        round=row.round,
        queued_at=row.queued_at,
        due_at=row.due_at,
        escalated_count=row.escalated_count,
        entered_by=row.entered_by,
        held_by=row.held_by,
        held_until=row.held_until,
        reviewed_by=row.reviewed_by,
        escalated_to=None if row.escalated_to is None else ReviewLevel(row.escalated_to),
    )
