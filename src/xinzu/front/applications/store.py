"""All SQL of applications. Writes work on arrays: their cost is per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.front.applications.model import Application, ApplicationState, Decision
from xinzu.kernel.terms import AgreementTerms
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_COLUMNS = """
SELECT id, party_id, channel, state, terms, delivery_address_masked, submitted_at, updated_at, decision_id, decided_by, reason_codes,
       human_review_requested_at, cancel_reason, agreement_id
FROM applications_application WHERE tenant_id = :tenant
"""

_INSERT = """
INSERT INTO applications_application (
    tenant_id, id, party_id, plan_id, quote_id, channel, state, terms, signals, delivery_address_sealed, delivery_address_masked,
    submitted_at, updated_at)
SELECT :tenant, a.id, a.party_id, a.plan_id, a.quote_id, a.channel, 'submitted', t.terms, a.signals, a.address_sealed,
       a.address_masked, :now, :now
FROM unnest(cast(:ids AS uuid[]), cast(:parties AS uuid[]), cast(:plans AS uuid[]), cast(:quotes AS uuid[]),
            cast(:channels AS text[]), cast(:terms_numbers AS int[]), cast(:signals AS jsonb[]), cast(:addresses_sealed AS bytea[]),
            cast(:addresses_masked AS text[]))
     AS a(id, party_id, plan_id, quote_id, channel, terms_number, signals, address_sealed, address_masked)
JOIN unnest(cast(:terms AS jsonb[])) WITH ORDINALITY AS t(terms, number) ON t.number = a.terms_number
"""

_DECIDE = """
UPDATE applications_application a
SET state = d.state, decision_id = d.decision_id, decided_by = d.decided_by,
    reason_codes = ARRAY(SELECT jsonb_array_elements_text(d.reason_codes)), updated_at = :now
FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:decisions AS uuid[]), cast(:deciders AS text[]),
            cast(:reasons AS jsonb[])) AS d(id, state, decision_id, decided_by, reason_codes)
WHERE a.tenant_id = :tenant AND a.id = d.id
"""

_FOLLOW = """
UPDATE applications_application a
SET state = :state, agreement_id = f.agreement_id, cancel_reason = :cancel_reason, updated_at = :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[])) AS f(id, agreement_id)
WHERE a.tenant_id = :tenant AND a.id = f.id AND a.state = ANY(cast(:sources AS text[]))
RETURNING a.id
"""


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application's row before it is written."""

    id: UUID
    party_id: UUID
    quote_id: UUID | None
    channel: str
    terms: AgreementTerms
    signals: Mapping[str, str | int | bool | None]
    address_sealed: bytes
    address_masked: str


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """What a decision writes."""

    id: UUID
    state: ApplicationState
    decision_id: UUID
    decided_by: str
    reason_codes: list[str]


def application_of(row: Row) -> Application:
    decision = None
    if row.decision_id is not None:
        decision = Decision(id=row.decision_id, decided_by=row.decided_by, reason_codes=list(row.reason_codes))
    return Application(
        id=row.id,
        party_id=row.party_id,
        channel=row.channel,
        state=ApplicationState(row.state),
        terms=msgspec.convert(row.terms, AgreementTerms),
        delivery_address=row.delivery_address_masked,
        submitted_at=row.submitted_at,
        updated_at=row.updated_at,
        decision=decision,
        human_review_requested_at=row.human_review_requested_at,
        cancel_reason=row.cancel_reason,
        agreement_id=row.agreement_id,
    )


async def insert_applications(uow: UnitOfWork, applications: Sequence[NewApplication]) -> None:
    """Write a batch. Terms, of which a batch has few, are sent once each."""
    numbers: dict[AgreementTerms, int] = {}
    for one in applications:
        numbers.setdefault(one.terms, len(numbers) + 1)
    await uow.execute(
        _INSERT,
        now=uow.now,
        ids=[a.id for a in applications],
        parties=[a.party_id for a in applications],
        plans=[a.terms.plan_id for a in applications],
        quotes=[a.quote_id for a in applications],
        channels=[a.channel for a in applications],
        terms_numbers=[numbers[a.terms] for a in applications],
        signals=[msgspec.json.encode(a.signals).decode() for a in applications],
        addresses_sealed=[a.address_sealed for a in applications],
        addresses_masked=[a.address_masked for a in applications],
        terms=[msgspec.json.encode(terms).decode() for terms in numbers],
    )


async def application(read: ReadSession, application_id: UUID) -> Application | None:
    row = await read.row(f"{_COLUMNS} AND id = :id", id=application_id)
    return None if row is None else application_of(row)


async def locked(uow: UnitOfWork, application_ids: Sequence[UUID]) -> dict[UUID, Application]:
    """Applications held until the commit, locked in the order of their ids."""
    rows = await uow.rows(
        f"{_COLUMNS} AND id = ANY(cast(:ids AS uuid[])) ORDER BY id FOR UPDATE", ids=list(dict.fromkeys(application_ids))
    )
    return {row.id: application_of(row) for row in rows}


async def open_of_parties(uow: UnitOfWork, party_ids: Sequence[UUID], states: Sequence[ApplicationState]) -> list[Application]:
    rows = await uow.rows(
        f"{_COLUMNS} AND party_id = ANY(cast(:parties AS uuid[])) AND state = ANY(cast(:states AS text[])) ORDER BY id FOR UPDATE",
        parties=list(party_ids),
        states=[str(state) for state in states],
    )
    return [application_of(row) for row in rows]


async def state_of(read: ReadSession, application_id: UUID) -> ApplicationState | None:
    found = await read.scalar(
        "SELECT state FROM applications_application WHERE tenant_id = :tenant AND id = :id", id=application_id
    )
    return None if found is None else ApplicationState(found)


async def applications(
    read: ReadSession, state: ApplicationState | None, party_id: UUID | None, before: UUID | None, limit: int
) -> list[Application]:
    rows = await read.rows(
        f"{_COLUMNS} AND (cast(:state AS text) IS NULL OR state = :state)"
        " AND (cast(:party AS uuid) IS NULL OR party_id = :party)"
        " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        state=state,
        party=party_id,
        before=before,
        limit=limit,
    )
    return [application_of(row) for row in rows]


async def write_decisions(uow: UnitOfWork, decided: Sequence[DecidedRow]) -> None:
    await uow.execute(
        _DECIDE,
        now=uow.now,
        ids=[d.id for d in decided],
        states=[d.state for d in decided],
        decisions=[d.decision_id for d in decided],
        deciders=[d.decided_by for d in decided],
        reasons=[msgspec.json.encode(d.reason_codes).decode() for d in decided],
    )


async def follow_agreements(
    uow: UnitOfWork,
    pairs: Sequence[tuple[UUID, UUID]],
    state: ApplicationState,
    sources: Sequence[ApplicationState],
    cancel_reason: str | None = None,
) -> set[UUID]:
    """Move applications with their agreements, (application, agreement) each; those in another state stay. Returns who moved."""
    rows = await uow.rows(
        _FOLLOW,
        now=uow.now,
        ids=[application_id for application_id, _ in pairs],
        agreements=[agreement_id for _, agreement_id in pairs],
        state=state,
        sources=[str(source) for source in sources],
        cancel_reason=cancel_reason,
    )
    return {row.id for row in rows}


async def cancel(uow: UnitOfWork, pairs: Sequence[tuple[UUID, str]]) -> None:
    """Write cancellations, (application, reason) each, that were checked under the lock."""
    await uow.execute(
        "UPDATE applications_application a SET state = 'cancelled', cancel_reason = c.reason, updated_at = :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:reasons AS text[])) AS c(id, reason)"
        " WHERE a.tenant_id = :tenant AND a.id = c.id",
        now=uow.now,
        ids=[application_id for application_id, _ in pairs],
        reasons=[reason for _, reason in pairs],
    )


async def request_human_review(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE applications_application SET state = 'referred', human_review_requested_at = :now, updated_at = :now"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        now=uow.now,
        ids=list(application_ids),
    )


async def change_address(uow: UnitOfWork, application_id: UUID, sealed: bytes, masked: str) -> None:
    await uow.execute(
        "UPDATE applications_application SET delivery_address_sealed = :sealed, delivery_address_masked = :masked, updated_at = :now"
        " WHERE tenant_id = :tenant AND id = :id",
        now=uow.now,
        id=application_id,
        sealed=sealed,
        masked=masked,
    )


async def sealed_addresses(read: ReadSession, application_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    rows = await read.rows(
        "SELECT id, delivery_address_sealed FROM applications_application"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(application_ids),
    )
    return {row.id: bytes(row.delivery_address_sealed) for row in rows}
