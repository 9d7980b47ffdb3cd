"""SQL of facts, counters and applicants. Every statement works on arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from xinzu.kernel.ids import new_id
from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import SHARED, EntityKind, Fact, FactKind, Known, Value
from xinzu.middle.credit.rules.compile import COUNTED_AMOUNT
from xinzu.platform.uow import ReadSession, UnitOfWork

_INSERT_FACTS = """
INSERT INTO credit_fact (tenant_id, entity_kind, entity_key, occurred_at, id, kind, subject_id, known_at, attributes)
SELECT :tenant, f.entity_kind, f.entity_key, f.occurred_at, f.id, f.kind, f.subject_id, :now, f.attributes
FROM unnest(cast(:entity_kinds AS text[]), cast(:entity_keys AS text[]), cast(:occurred AS timestamptz[]), cast(:ids AS uuid[]),
            cast(:kinds AS text[]), cast(:subjects AS uuid[]), cast(:attributes AS jsonb[]))
     AS f(entity_kind, entity_key, occurred_at, id, kind, subject_id, attributes)
"""

_COUNT = """
INSERT INTO credit_counter AS c (tenant_id, entity_kind, entity_key, bucket_hours, bucket_at, kind, facts, amount)
SELECT :tenant, n.entity_kind, n.entity_key, n.bucket_hours, n.bucket_at, n.kind, n.facts, n.amount
FROM unnest(cast(:entity_kinds AS text[]), cast(:entity_keys AS text[]), cast(:hours AS smallint[]), cast(:buckets AS timestamptz[]),
            cast(:kinds AS text[]), cast(:facts AS bigint[]), cast(:amounts AS bigint[]))
     AS n(entity_kind, entity_key, bucket_hours, bucket_at, kind, facts, amount)
ON CONFLICT (tenant_id, entity_kind, entity_key, bucket_hours, bucket_at, kind)
DO UPDATE SET facts = c.facts + excluded.facts, amount = c.amount + excluded.amount
"""

_INSERT_APPLICANTS = """
INSERT INTO credit_applicant (tenant_id, application_id, party_id, keys, given, value_fen, first_number, as_of)
SELECT :tenant, a.application_id, a.party_id, a.keys, a.given, a.value_fen, a.first_number, :now
FROM unnest(cast(:ids AS uuid[]), cast(:parties AS uuid[]), cast(:keys AS jsonb[]), cast(:given AS jsonb[]), cast(:values AS bigint[]),
            cast(:firsts AS smallint[])) AS a(application_id, party_id, keys, given, value_fen, first_number)
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What is on file of the application behind an application's or agreement's id."""

    party_id: UUID
    keys: Mapping[EntityKind, str]
    value_fen: int
    first_number: int


async def insert_facts(uow: UnitOfWork, facts: Sequence[Fact]) -> None:
    """Write facts under each of their keys, and count them where the entity is shared: both in this transaction."""
    rows = [(fact, kind, key, fact_id) for fact in facts for fact_id in [new_id()] for kind, key in fact.keys.items()]
    if not rows:
        return
    await uow.execute(
        _INSERT_FACTS,
        now=uow.now,
        entity_kinds=[kind for _, kind, _, _ in rows],
        entity_keys=[key for _, _, key, _ in rows],
        occurred=[fact.occurred_at for fact, _, _, _ in rows],
        ids=[fact_id for _, _, _, fact_id in rows],
        kinds=[fact.kind for fact, _, _, _ in rows],
        subjects=[fact.subject_id for fact, _, _, _ in rows],
        attributes=[json_text(fact.attributes) for fact, _, _, _ in rows],
    )
    await _count(uow, [(fact, kind, key) for fact, kind, key, _ in rows if kind in SHARED])


async def _count(uow: UnitOfWork, rows: Sequence[tuple[Fact, EntityKind, str]]) -> None:
    facts: Counter[tuple[EntityKind, str, int, datetime, FactKind]] = Counter()
    amounts: Counter[tuple[EntityKind, str, int, datetime, FactKind]] = Counter()
    for fact, kind, key in rows:
        hour = fact.occurred_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        for hours, at in ((1, hour), (24, hour.replace(hour=0))):
            bucket = (kind, key, hours, at, fact.kind)
            facts[bucket] += 1
            amounts[bucket] += int(fact.attributes.get(COUNTED_AMOUNT, 0))
    if not facts:
        return
    ordered = sorted(facts)  # writers that meet wait for one another instead of deadlocking
    await uow.execute(
        _COUNT,
        entity_kinds=[bucket[0] for bucket in ordered],
        entity_keys=[bucket[1] for bucket in ordered],
        hours=[bucket[2] for bucket in ordered],
        buckets=[bucket[3] for bucket in ordered],
        kinds=[bucket[4] for bucket in ordered],
        facts=[facts[bucket] for bucket in ordered],
        amounts=[amounts[bucket] for bucket in ordered],
    )


async def insert_applicants(uow: UnitOfWork, applicants: Sequence[tuple[Known, int, int]]) -> None:
    """Keep each applicant with what it applied for, in fen, and the number of the first instalment collected after the start."""
    await uow.execute(
        _INSERT_APPLICANTS,
        now=uow.now,
        ids=[known.application_id for known, _, _ in applicants],
        parties=[known.party_id for known, _, _ in applicants],
        keys=[json_text(known.keys) for known, _, _ in applicants],
        given=[json_text(known.given) for known, _, _ in applicants],
        values=[value_fen for _, value_fen, _ in applicants],
        firsts=[first_number for _, _, first_number in applicants],
    )


async def on_file(read: ReadSession, application_ids: Sequence[UUID]) -> set[UUID]:
    rows = await read.rows(
        "SELECT application_id FROM credit_applicant WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[]))",
        ids=list(application_ids),
    )
    return {row.application_id for row in rows}


async def name_agreements(uow: UnitOfWork, agreements: Mapping[UUID, UUID]) -> None:
    """Agreement → application."""
    await uow.execute(
        "UPDATE credit_applicant a SET agreement_id = n.agreement_id"
        " FROM unnest(cast(:applications AS uuid[]), cast(:agreements AS uuid[])) AS n(application_id, agreement_id)"
        " WHERE a.tenant_id = :tenant AND a.application_id = n.application_id",
        applications=list(agreements.values()),
        agreements=list(agreements),
    )


async def orders_of(read: ReadSession, subject_ids: Sequence[UUID]) -> dict[UUID, Order]:
    """By the id of an application or an agreement."""
    rows = await read.rows(
        "SELECT application_id AS id, party_id, keys, value_fen, first_number FROM credit_applicant"
        " WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[])) UNION ALL"
        " SELECT agreement_id, party_id, keys, value_fen, first_number FROM credit_applicant"
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[]))",
        ids=list(set(subject_ids)),
    )
    return {
        row.id: Order(row.party_id, {EntityKind(kind): key for kind, key in row["keys"].items()}, row.value_fen, row.first_number)
        for row in rows
    }


async def given_between(read: ReadSession, begin: Instant, until: Instant) -> dict[UUID, Mapping[str, Value]]:
    """The given values of the applications put to a decision in a stretch of time."""
    rows = await read.rows(
        "SELECT application_id, given FROM credit_applicant"
        " WHERE tenant_id = :tenant AND as_of >= :begin AND as_of < :until ORDER BY as_of, application_id",
        begin=begin,
        until=until,
    )
    return {row.application_id: row.given for row in rows}


def json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()
