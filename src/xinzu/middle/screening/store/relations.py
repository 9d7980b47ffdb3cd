"""SQL of relations and orders. Every statement works on arrays; those who write relations hold the tenant's lock while they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.screening.model import (
    SHARED_MAX,
    LinkKind,
    OrderCounts,
    Relations,
    Screened,
)
from xinzu.platform.uow import ReadSession, UnitOfWork

# Two applications from one device, decided at once, would otherwise each not see the other, and their components never meet.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('screening.relate', :tenant))"

_SEE_PARTIES = """
INSERT INTO screening_party (tenant_id, party_id, component_id, first_seen_at)
SELECT :tenant, p.id, p.id, :now FROM unnest(cast(:ids AS uuid[])) AS p(id) ON CONFLICT DO NOTHING
"""

_SEE_LINKS = """
INSERT INTO screening_link AS l (tenant_id, kind, key, party_id, first_seen_at, last_seen_at)
SELECT :tenant, n.kind, n.key, n.party_id, :now, :now
FROM unnest(cast(:kinds AS text[]), cast(:keys AS text[]), cast(:parties AS uuid[])) AS n(kind, key, party_id)
ON CONFLICT (tenant_id, kind, key, party_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
"""

# By shared thing the components of all who share it. Something shared by more than SHARED_MAX relates nobody (a school, a parcel station).
_COMPONENTS_AROUND = f"""
SELECT n.kind, n.key, array_agg(DISTINCT p.component_id) AS components
FROM unnest(cast(:kinds AS text[]), cast(:keys AS text[])) AS n(kind, key)
CROSS JOIN LATERAL (SELECT party_id FROM screening_link WHERE tenant_id = :tenant AND kind = n.kind AND key = n.key
                    LIMIT {SHARED_MAX + 1}) l
JOIN screening_party p ON p.tenant_id = :tenant AND p.party_id = l.party_id
GROUP BY n.kind, n.key HAVING count(*) <= {SHARED_MAX} AND count(DISTINCT p.component_id) > 1
"""  # noqa: S608 (constants only)

_MERGE = """
UPDATE screening_party p SET component_id = m.new
FROM unnest(cast(:old AS uuid[]), cast(:new AS uuid[])) AS m(old, new)
WHERE p.tenant_id = :tenant AND p.component_id = m.old
"""

_INSERT_ORDERS = """
INSERT INTO screening_order (tenant_id, application_id, party_id, dealer_key, address_key, applied_at)
SELECT :tenant, o.application_id, o.party_id, o.dealer_key, o.address_key, :now
FROM unnest(cast(:ids AS uuid[]), cast(:parties AS uuid[]), cast(:dealers AS text[]), cast(:addresses AS text[]))
     AS o(application_id, party_id, dealer_key, address_key) ON CONFLICT DO NOTHING
"""

# Others who share something with the parties in :source, as of :asof; what too many share is left out.
_AROUND = f"""
SELECT s.root, array_agg(DISTINCT o.party_id) AS others
FROM {{source}} AS s
JOIN screening_link l ON l.tenant_id = :tenant AND l.party_id = s.party_id AND l.first_seen_at <= :asof AND l.last_seen_at > :since
CROSS JOIN LATERAL (
    SELECT party_id, count(*) OVER () AS sharers
    FROM (SELECT party_id FROM screening_link x WHERE x.tenant_id = :tenant AND x.kind = l.kind AND x.key = l.key
          AND x.first_seen_at <= :asof AND x.last_seen_at > :since LIMIT {SHARED_MAX + 1}) y
) o
WHERE o.sharers <= {SHARED_MAX} AND o.party_id <> s.root
GROUP BY s.root
"""  # noqa: S608 (constants only)

_STANDING = """(e.added_at <= :asof AND (e.removed_at IS NULL OR e.removed_at > :asof) AND (e.expires_at IS NULL OR e.expires_at > :asof))"""

_RELATIONS = f"""
WITH asked AS MATERIALIZED (SELECT DISTINCT a.id AS root, a.id AS party_id FROM unnest(cast(:ids AS uuid[])) AS a(id)),
first_step AS MATERIALIZED ({_AROUND.format(source="asked")}),
one AS MATERIALIZED (SELECT f.root, o.party_id FROM first_step f CROSS JOIN unnest(f.others) AS o(party_id)),
second_step AS MATERIALIZED ({_AROUND.format(source="one")}),
two AS MATERIALIZED (
    SELECT s.root, o.party_id FROM second_step s CROSS JOIN unnest(s.others) AS o(party_id)
    EXCEPT SELECT root, party_id FROM one
),
near AS MATERIALIZED (
    SELECT root, party_id, 0 AS steps FROM asked UNION ALL SELECT root, party_id, 1 FROM one UNION ALL SELECT root, party_id, 2 FROM two
),
-- Once for each party, however many it is near to.
listed AS MATERIALIZED (
    SELECT n.party_id, count(*) FILTER (WHERE n.colour = 'black') AS black, count(*) FILTER (WHERE n.colour = 'grey') AS grey
    FROM (
        SELECT p.party_id, e.id, e.colour FROM (SELECT DISTINCT party_id FROM near) p
        JOIN screening_list_entry e ON e.tenant_id = :tenant AND e.kind = 'party' AND e.key = p.party_id::text AND {_STANDING}
        UNION
        SELECT p.party_id, e.id, e.colour FROM (SELECT DISTINCT party_id FROM near) p
        JOIN screening_link l ON l.tenant_id = :tenant AND l.party_id = p.party_id AND l.first_seen_at <= :asof
        JOIN screening_list_entry e ON e.tenant_id = :tenant AND e.kind = l.kind AND e.key = l.key AND {_STANDING}
    ) n GROUP BY n.party_id
),
marked AS MATERIALIZED (
    SELECT p.party_id, (p.declined_at <= :asof AND p.declined_at > :since)
        OR (p.defaulted_at <= :asof AND (p.cured_at IS NULL OR p.cured_at > :asof)) AS bad
    FROM screening_party p WHERE p.tenant_id = :tenant AND p.party_id IN (SELECT party_id FROM near)
),
counted AS (
    SELECT n.root,
        count(*) FILTER (WHERE n.steps = 1) AS deg1,
        count(*) FILTER (WHERE n.steps = 2) AS deg2,
        count(*) FILTER (WHERE n.steps = 1 AND m.bad) AS bad1,
        count(*) FILTER (WHERE n.steps IN (1, 2) AND m.bad) AS bad2,
        count(*) FILTER (WHERE n.steps = 1 AND l.black > 0) AS black1,
        count(*) FILTER (WHERE n.steps IN (1, 2) AND l.black > 0) AS black2,
        coalesce(max(l.black) FILTER (WHERE n.steps = 0), 0) AS black_own,
        coalesce(max(l.grey) FILTER (WHERE n.steps = 0), 0) AS grey_own
    FROM near n LEFT JOIN listed l USING (party_id) LEFT JOIN marked m USING (party_id)
    GROUP BY n.root
)
SELECT c.*, coalesce(k.members, 1) AS members, coalesce(k.rentals, 0) AS rentals
FROM counted c
LEFT JOIN screening_party p ON p.tenant_id = :tenant AND p.party_id = c.root
LEFT JOIN LATERAL (
    SELECT count(*) AS members, coalesce(sum(o.running), 0)::bigint AS rentals
    FROM screening_party q
    CROSS JOIN LATERAL (
        SELECT count(*) AS running FROM screening_order o WHERE o.tenant_id = :tenant AND o.party_id = q.party_id
        AND o.commenced_at <= :asof AND (o.ended_at IS NULL OR o.ended_at > :asof)
    ) o
    WHERE q.tenant_id = :tenant AND q.component_id = p.component_id AND q.first_seen_at <= :asof
) k ON true
"""  # noqa: S608 (constants only)

# Of an application: own orders that were approved, cancelled and went elsewhere, and how many its dealer has sent just now.
_ORDER_COUNTS = """
SELECT o.application_id,
    (SELECT count(*) FROM screening_order b WHERE b.tenant_id = :tenant AND b.party_id = o.party_id
     AND b.application_id <> o.application_id AND b.approved_at IS NOT NULL AND b.cancelled_at > :month_ago
     AND b.address_key <> o.address_key) AS readdressed,
    CASE WHEN o.dealer_key IS NULL THEN 0 ELSE
        (SELECT count(*) FROM screening_order d WHERE d.tenant_id = :tenant AND d.dealer_key = o.dealer_key AND d.applied_at > :minutes_ago)
    END AS at_dealer
FROM screening_order o WHERE o.tenant_id = :tenant AND o.application_id = ANY(cast(:ids AS uuid[]))
"""


async def see_parties(uow: UnitOfWork, party_ids: Iterable[UUID]) -> None:
    """Put parties on file, each a component of its own until it is related."""
    await uow.execute(_SEE_PARTIES, now=uow.now, ids=sorted(set(party_ids)))


async def see_links(uow: UnitOfWork, links: Sequence[tuple[LinkKind, str, UUID]]) -> None:
    distinct = sorted(set(links))
    await uow.execute(
        _SEE_LINKS,
        now=uow.now,
        kinds=[kind for kind, _, _ in distinct],
        keys=[key for _, key, _ in distinct],
        parties=[party_id for _, _, party_id in distinct],
    )


async def components_around(read: ReadSession, things: Iterable[tuple[LinkKind, str]]) -> list[list[UUID]]:
    """The components that meet around each of these things, where more than one does."""
    distinct = sorted(set(things))
    rows = await read.rows(_COMPONENTS_AROUND, kinds=[kind for kind, _ in distinct], keys=[key for _, key in distinct])
    return [list(row.components) for row in rows]


async def merge(uow: UnitOfWork, becoming: Mapping[UUID, UUID]) -> None:
    if becoming:
        await uow.execute(_MERGE, old=list(becoming), new=list(becoming.values()))


async def insert_orders(uow: UnitOfWork, orders: Sequence[tuple[Screened, str | None]]) -> None:
    """Applications with their dealers' keys."""
    await uow.execute(
        _INSERT_ORDERS,
        now=uow.now,
        ids=[application.application_id for application, _ in orders],
        parties=[application.party_id for application, _ in orders],
        dealers=[dealer_key for _, dealer_key in orders],
        addresses=[application.address_key if application.has_consented else None for application, _ in orders],
    )


async def relations(read: ReadSession, party_ids: Sequence[UUID], asof: Instant, since: Instant) -> dict[UUID, Relations]:
    """By party what is known as of an instant of what was seen after ``since``."""
    rows = await read.rows(_RELATIONS, ids=list(party_ids), asof=asof, since=since)
    return {
        row.root: Relations(
            deg1_count=row.deg1,
            deg2_count=row.deg2,
            component_count=row.members,
            bad_deg1_count=row.bad1,
            bad_deg2_count=row.bad2,
            black_deg1_count=row.black1,
            black_deg2_count=row.black2,
            related_rental_count=row.rentals,
            black_hit_count=row.black_own,
            grey_hit_count=row.grey_own,
        )
        for row in rows
    }


async def order_counts(
    read: ReadSession, application_ids: Sequence[UUID], month_ago: Instant, minutes_ago: Instant
) -> dict[UUID, OrderCounts]:
    rows = await read.rows(_ORDER_COUNTS, ids=list(application_ids), month_ago=month_ago, minutes_ago=minutes_ago)
    return {row.application_id: OrderCounts(row.readdressed, row.at_dealer) for row in rows}


async def mark_orders(uow: UnitOfWork, column: str, at: Mapping[UUID, Instant]) -> None:
    """Say when applications were approved or cancelled; the first time stays."""
    await uow.execute(
        f"UPDATE screening_order o SET {column} = coalesce(o.{column}, n.at)"  # noqa: S608 (constants only)
        " FROM unnest(cast(:ids AS uuid[]), cast(:ats AS timestamptz[])) AS n(id, at)"
        " WHERE o.tenant_id = :tenant AND o.application_id = n.id",
        ids=list(at),
        ats=list(at.values()),
    )


async def name_agreements(uow: UnitOfWork, agreements: Mapping[UUID, UUID]) -> None:
    """Agreement → application."""
    await uow.execute(
        "UPDATE screening_order o SET agreement_id = n.agreement_id"
        " FROM unnest(cast(:applications AS uuid[]), cast(:agreements AS uuid[])) AS n(application_id, agreement_id)"
        " WHERE o.tenant_id = :tenant AND o.application_id = n.application_id",
        applications=list(agreements.values()),
        agreements=list(agreements),
    )


async def lock(uow: UnitOfWork) -> None:
    """Have the tenant's relations to oneself until the transaction ends."""
    await uow.execute(_LOCK)


async def addresses(read: ReadSession, application_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Application → the key of the address it was changed to."""
    rows = await read.rows(
        "SELECT application_id, address_key FROM screening_address WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[]))",
        ids=list(application_ids),
    )
    return {row.application_id: row.address_key for row in rows}


async def on_file(read: ReadSession, application_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these applications that were put to a decision."""
    rows = await read.rows(
        "SELECT application_id FROM screening_order WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[]))",
        ids=list(application_ids),
    )
    return {row.application_id for row in rows}


async def readdress(uow: UnitOfWork, moved: Mapping[UUID, str]) -> None:
    """Application → the key of its new address."""
    await uow.execute(
        "INSERT INTO screening_address (tenant_id, application_id, address_key, changed_at)"
        " SELECT :tenant, n.id, n.key, :now FROM unnest(cast(:ids AS uuid[]), cast(:keys AS text[])) AS n(id, key)"
        " ON CONFLICT (tenant_id, application_id) DO UPDATE SET address_key = excluded.address_key, changed_at = excluded.changed_at",
        now=uow.now,
        ids=list(moved),
        keys=list(moved.values()),
    )


async def mark_declined(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE screening_party p SET declined_at = :now WHERE p.tenant_id = :tenant AND p.party_id IN"
        " (SELECT party_id FROM screening_order o WHERE o.tenant_id = :tenant AND o.application_id = ANY(cast(:ids AS uuid[])))",
        now=uow.now,
        ids=list(application_ids),
    )


async def mark_defaulted(uow: UnitOfWork, party_ids: Sequence[UUID]) -> None:
    """A party that was cured before is in default from now on; one that is in default already stays so from when it began."""
    await uow.execute(
        "UPDATE screening_party SET defaulted_at = :now, cured_at = NULL WHERE tenant_id = :tenant"
        " AND party_id = ANY(cast(:ids AS uuid[])) AND (defaulted_at IS NULL OR cured_at IS NOT NULL)",
        now=uow.now,
        ids=list(party_ids),
    )


async def mark_cured(uow: UnitOfWork, party_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE screening_party SET cured_at = :now WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[]))"
        " AND defaulted_at IS NOT NULL AND cured_at IS NULL",
        now=uow.now,
        ids=list(party_ids),
    )
