"""All SQL of agreements. Batches go over arrays: one statement per step, whatever the number of agreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.middle.agreements.model import (
    AGREEMENT_MOVES,
    Agreement,
    AgreementState,
    Code,
    Draft,
    IdentityOutcome,
    IdentityState,
    RenderedDocument,
)
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_INSERT_AGREEMENTS = """
INSERT INTO agreements_agreement (tenant_id, id, agreement_no, application_id, party_id, channel, state, product_id, plan_id,
    period_count, rent_fen, deposit_fen, device_value_fen, terms, drafted_at, drafted_on)
SELECT :tenant, a.id, a.agreement_no, a.application_id, a.party_id, a.channel, :state, a.product_id, a.plan_id,
    a.period_count, a.rent_fen, a.deposit_fen, a.device_value_fen, a.terms, :now, :today
FROM unnest(cast(:ids AS uuid[]), cast(:numbers AS text[]), cast(:applications AS uuid[]), cast(:parties AS uuid[]),
            cast(:channels AS text[]), cast(:products AS uuid[]), cast(:plans AS uuid[]), cast(:periods AS int[]),
            cast(:rents AS bigint[]), cast(:deposits AS bigint[]), cast(:values AS bigint[]), cast(:terms AS jsonb[]))
     AS a(id, agreement_no, application_id, party_id, channel, product_id, plan_id, period_count, rent_fen, deposit_fen,
          device_value_fen, terms)
"""

_AGREEMENTS = """
SELECT a.id, a.agreement_no, a.application_id, a.party_id, a.channel, a.state, a.terms, a.drafted_at, a.drafted_on, a.signed_at,
       a.asset_id, a.reference, a.commencement_on, a.ended_on, a.end_reason, d.id AS document_id, d.sha256 AS document_sha256
FROM agreements_agreement a
LEFT JOIN agreements_document d ON d.tenant_id = a.tenant_id AND d.agreement_id = a.id
WHERE a.tenant_id = :tenant
"""

_CODES = """
SELECT DISTINCT ON (c.agreement_id) c.id, c.agreement_id, c.digest, c.sent_at, c.expires_at, c.tries,
       count(*) FILTER (WHERE c.sent_at > :since) OVER (PARTITION BY c.agreement_id) AS sent_recently
FROM agreements_code c
WHERE c.tenant_id = :tenant AND c.agreement_id = ANY(cast(:ids AS uuid[]))
ORDER BY c.agreement_id, c.sent_at DESC, c.id DESC
"""

_ASK_IDENTITY = """
INSERT INTO agreements_identity_check AS c (tenant_id, agreement_id, state, attempts, asked_at)
SELECT :tenant, a.id, :unknown, 1, :now FROM unnest(cast(:ids AS uuid[])) AS a(id)
ON CONFLICT (tenant_id, agreement_id) DO UPDATE SET attempts = c.attempts + 1, asked_at = excluded.asked_at
"""

_SETTLE_IDENTITY = """
UPDATE agreements_identity_check c
SET state = o.state, check_id = o.check_id, code = o.code,
    answered_at = CASE WHEN o.state = :unknown THEN NULL ELSE cast(:now AS timestamptz) END
FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:checks AS text[]), cast(:codes AS text[]))
     AS o(id, state, check_id, code)
WHERE c.tenant_id = :tenant AND c.agreement_id = o.id AND c.state = :unknown
RETURNING c.agreement_id, c.state, c.attempts
"""

_INSERT_DOCUMENTS = """
INSERT INTO agreements_document
    (tenant_id, id, agreement_id, sha256, byte_count, template_sha256, renderer, content_sealed, rendered_at)
SELECT :tenant, d.id, d.agreement_id, d.sha256, d.byte_count, d.template_sha256, d.renderer, d.content, :now
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:digests AS text[]), cast(:counts AS int[]),
            cast(:templates AS text[]), cast(:renderers AS text[]), cast(:contents AS bytea[]))
     AS d(id, agreement_id, sha256, byte_count, template_sha256, renderer, content)
JOIN agreements_agreement a ON a.tenant_id = :tenant AND a.id = d.agreement_id AND a.state = :drafted
ON CONFLICT (tenant_id, agreement_id) DO NOTHING
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A rendered contract about to be written, sealed."""

    id: UUID
    rendered: RenderedDocument
    sha256: str
    content_sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewCode:
    id: UUID
    agreement_id: UUID
    digest: bytes = field(repr=False)
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Commenced:
    """What an agreement commenced with, and when: an asset of ours, or the reference of what was done elsewhere."""

    agreement_id: UUID
    commencement_on: BusinessDate
    asset_id: UUID | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class NewAcceptance:
    """What was accepted, and by what proof."""

    agreement: Agreement
    code: Code
    address_sealed: bytes | None = field(repr=False)


async def merchant_name(read: ReadSession) -> str:
    """The tenant's name: the lessor or lender of its agreements."""
    return str(await read.scalar("SELECT name FROM platform_tenant WHERE id = :tenant"))


async def already_drafted(read: ReadSession, application_ids: Sequence[UUID]) -> set[UUID]:
    rows = await read.rows(
        "SELECT application_id FROM agreements_agreement"
        " WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[]))",
        ids=list(application_ids),
    )
    return {row.application_id for row in rows}


async def take_numbers(uow: UnitOfWork, year: int, count: int) -> int:
    """Reserve consecutive numbers of a year; returns the first. The counter is locked until the commit, so none is lost."""
    last = await uow.scalar(
        "INSERT INTO agreements_counter AS c (tenant_id, year, last_number) VALUES (:tenant, :year, :count)"
        " ON CONFLICT (tenant_id, year) DO UPDATE SET last_number = c.last_number + excluded.last_number RETURNING last_number",
        year=year,
        count=count,
    )
    return int(last) - count + 1


async def insert_agreements(uow: UnitOfWork, agreements: Sequence[tuple[UUID, str, Draft]]) -> None:
    drafts = [draft for _, _, draft in agreements]
    await uow.execute(
        _INSERT_AGREEMENTS,
        state=AgreementState.DRAFTED,
        now=uow.now,
        today=uow.business_date,
        ids=[agreement_id for agreement_id, _, _ in agreements],
        numbers=[number for _, number, _ in agreements],
        applications=[draft.application_id for draft in drafts],
        parties=[draft.party_id for draft in drafts],
        channels=[draft.channel for draft in drafts],
        products=[draft.terms.product_id for draft in drafts],
        plans=[draft.terms.plan_id for draft in drafts],
        periods=[draft.terms.period_count for draft in drafts],
        rents=[draft.terms.rent_fen for draft in drafts],
        deposits=[draft.terms.deposit_fen for draft in drafts],
        values=[draft.terms.device_value_fen for draft in drafts],
        terms=[msgspec.json.encode(draft.terms).decode() for draft in drafts],
    )


async def agreements(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, Agreement]:
    rows = await read.rows(f"{_AGREEMENTS} AND a.id = ANY(cast(:ids AS uuid[]))", ids=list(agreement_ids))
    return {row.id: _agreement(row) for row in rows}


async def lock_agreements(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> dict[UUID, Agreement]:
    """Agreements locked in the order of their ids until the end of the transaction."""
    rows = await uow.rows(
        f"{_AGREEMENTS} AND a.id = ANY(cast(:ids AS uuid[])) ORDER BY a.id FOR UPDATE OF a", ids=list(agreement_ids)
    )
    return {row.id: _agreement(row) for row in rows}


async def agreement_of_application(read: ReadSession, application_id: UUID) -> Agreement | None:
    row = await read.row(f"{_AGREEMENTS} AND a.application_id = :id", id=application_id)
    return None if row is None else _agreement(row)


async def list_agreements(
    read: ReadSession, state: AgreementState | None, party_id: UUID | None, before_id: UUID | None, limit: int
) -> list[Agreement]:
    """Newest first; ``before_id`` is the last id of the page before."""
    rows = await read.rows(
        f"{_AGREEMENTS} AND (cast(:state AS text) IS NULL OR a.state = :state)"
        " AND (cast(:party AS uuid) IS NULL OR a.party_id = :party)"
        " AND (cast(:before AS uuid) IS NULL OR a.id < :before) ORDER BY a.id DESC LIMIT :limit",
        state=state,
        party=party_id,
        before=before_id,
        limit=limit,
    )
    return [_agreement(row) for row in rows]


async def awaiting_document(read: ReadSession, drafted_before: Instant, limit: int) -> list[UUID]:
    """Drafts that still have no document, oldest first."""
    rows = await read.rows(
        "SELECT a.id FROM agreements_agreement a WHERE a.tenant_id = :tenant AND a.state = 'drafted'"
        " AND a.drafted_at < :before AND NOT EXISTS (SELECT 1 FROM agreements_document d"
        " WHERE d.tenant_id = a.tenant_id AND d.agreement_id = a.id) ORDER BY a.drafted_at LIMIT :limit",
        before=drafted_before,
        limit=limit,
    )
    return [row.id for row in rows]


async def identity_states(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, IdentityState]:
    rows = await read.rows(
        "SELECT agreement_id, state FROM agreements_identity_check"
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:ids AS uuid[]))",
        ids=list(agreement_ids),
    )
    return {row.agreement_id: IdentityState(row.state) for row in rows}


async def ask_identity(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    """Write the intent to ask: unknown until answered."""
    await uow.execute(_ASK_IDENTITY, unknown=IdentityState.UNKNOWN, now=uow.now, ids=list(agreement_ids))


async def settle_identity(uow: UnitOfWork, outcomes: Sequence[IdentityOutcome]) -> dict[UUID, tuple[IdentityState, int]]:
    """Write answers over unknown ones; returns state and number of attempts of those touched."""
    rows = await uow.rows(
        _SETTLE_IDENTITY,
        unknown=IdentityState.UNKNOWN,
        now=uow.now,
        ids=[outcome.agreement_id for outcome in outcomes],
        states=[outcome.state for outcome in outcomes],
        checks=[outcome.check_id for outcome in outcomes],
        codes=[outcome.code for outcome in outcomes],
    )
    return {row.agreement_id: (IdentityState(row.state), row.attempts) for row in rows}


async def insert_documents(uow: UnitOfWork, documents: Sequence[NewDocument]) -> set[UUID]:
    """Write documents of drafted agreements that have none; returns the ids written."""
    rows = await uow.rows(
        _INSERT_DOCUMENTS,
        drafted=AgreementState.DRAFTED,
        now=uow.now,
        ids=[document.id for document in documents],
        agreements=[document.rendered.agreement_id for document in documents],
        digests=[document.sha256 for document in documents],
        counts=[len(document.rendered.pdf) for document in documents],
        templates=[document.rendered.template_sha256 for document in documents],
        renderers=[document.rendered.renderer for document in documents],
        contents=[document.content_sealed for document in documents],
    )
    return {row.id for row in rows}


async def document(read: ReadSession, agreement_id: UUID) -> Row | None:
    return await read.row(
        "SELECT id, sha256, content_sealed FROM agreements_document WHERE tenant_id = :tenant AND agreement_id = :id",
        id=agreement_id,
    )


async def newest_codes(read: ReadSession, agreement_ids: Sequence[UUID], sent_since: Instant) -> dict[UUID, Code]:
    """The newest code of each agreement, and how many were sent since an instant."""
    rows = await read.rows(_CODES, ids=list(agreement_ids), since=sent_since)
    return {
        row.agreement_id: Code(
            row.id, row.agreement_id, bytes(row.digest), row.sent_at, row.expires_at, row.tries, row.sent_recently
        )
        for row in rows
    }


async def insert_codes(uow: UnitOfWork, codes: Sequence[NewCode]) -> None:
    await uow.execute(
        "INSERT INTO agreements_code (tenant_id, id, agreement_id, digest, sent_at, expires_at)"
        " SELECT :tenant, c.id, c.agreement_id, c.digest, :now, c.expires_at FROM unnest(cast(:ids AS uuid[]),"
        " cast(:agreements AS uuid[]), cast(:digests AS bytea[]), cast(:expiries AS timestamptz[]))"
        " AS c(id, agreement_id, digest, expires_at)",
        now=uow.now,
        ids=[code.id for code in codes],
        agreements=[code.agreement_id for code in codes],
        digests=[code.digest for code in codes],
        expiries=[code.expires_at for code in codes],
    )


async def count_tries(uow: UnitOfWork, tries: Mapping[UUID, int]) -> None:
    """Set the number of tries of codes."""
    await uow.execute(
        "UPDATE agreements_code c SET tries = t.tries FROM unnest(cast(:ids AS uuid[]), cast(:tries AS int[])) AS t(id, tries)"
        " WHERE c.tenant_id = :tenant AND c.id = t.id",
        ids=list(tries.keys()),
        tries=list(tries.values()),
    )


async def sign(uow: UnitOfWork, acceptances: Sequence[NewAcceptance]) -> None:
    """Write acceptances and move their (locked) agreements to signed."""
    await uow.execute(
        "INSERT INTO agreements_acceptance (tenant_id, agreement_id, document_id, document_sha256, restriction_clause_version,"
        " code_id, code_sent_at, code_tries, accepted_by, address_sealed, accepted_at)"
        " SELECT :tenant, x.agreement, x.document, x.sha256, x.clause, x.code, x.sent_at, x.tries, :actor, x.address, :now"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:documents AS uuid[]), cast(:digests AS text[]), cast(:clauses AS text[]),"
        " cast(:codes AS uuid[]), cast(:sent AS timestamptz[]), cast(:tries AS int[]), cast(:addresses AS bytea[]))"
        " AS x(agreement, document, sha256, clause, code, sent_at, tries, address)",
        actor=str(uow.actor),
        now=uow.now,
        agreements=[each.agreement.id for each in acceptances],
        documents=[each.agreement.document_id for each in acceptances],
        digests=[each.agreement.document_sha256 for each in acceptances],
        clauses=[_restriction_clause(each.agreement.terms) for each in acceptances],
        codes=[each.code.id for each in acceptances],
        sent=[each.code.sent_at for each in acceptances],
        tries=[each.code.tries for each in acceptances],
        addresses=[each.address_sealed for each in acceptances],
    )
    await uow.execute(
        "UPDATE agreements_agreement SET state = :target, signed_at = :now"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND state = ANY(cast(:sources AS text[]))",
        target=AgreementState.SIGNED,
        sources=AGREEMENT_MOVES.sources(AgreementState.SIGNED),
        now=uow.now,
        ids=[each.agreement.id for each in acceptances],
    )


async def commence(uow: UnitOfWork, begun: Sequence[Commenced]) -> set[UUID]:
    """Move signed agreements to active. Returns those moved."""
    rows = await uow.rows(
        "UPDATE agreements_agreement a"
        " SET state = :target, asset_id = b.asset_id, reference = b.reference, commencement_on = b.commencement_on"
        " FROM unnest(cast(:ids AS uuid[]), cast(:assets AS uuid[]), cast(:references AS text[]), cast(:dates AS date[]))"
        " AS b(id, asset_id, reference, commencement_on)"
        " WHERE a.tenant_id = :tenant AND a.id = b.id AND a.state = ANY(cast(:sources AS text[])) RETURNING a.id",
        target=AgreementState.ACTIVE,
        sources=AGREEMENT_MOVES.sources(AgreementState.ACTIVE),
        ids=[each.agreement_id for each in begun],
        assets=[each.asset_id for each in begun],
        references=[each.reference for each in begun],
        dates=[each.commencement_on for each in begun],
    )
    return {row.id for row in rows}


async def end(uow: UnitOfWork, ended_on: Mapping[UUID, BusinessDate], reason: str) -> set[UUID]:
    """Move active agreements to ended. Returns those moved."""
    rows = await uow.rows(
        "UPDATE agreements_agreement a SET state = :target, ended_on = e.ended_on, end_reason = :reason"
        " FROM unnest(cast(:ids AS uuid[]), cast(:dates AS date[])) AS e(id, ended_on)"
        " WHERE a.tenant_id = :tenant AND a.id = e.id AND a.state = ANY(cast(:sources AS text[])) RETURNING a.id",
        target=AgreementState.ENDED,
        sources=AGREEMENT_MOVES.sources(AgreementState.ENDED),
        reason=reason,
        ids=list(ended_on.keys()),
        dates=list(ended_on.values()),
    )
    return {row.id for row in rows}


async def pass_to(uow: UnitOfWork, party_ids: Mapping[UUID, UUID]) -> None:
    """Another party is lessee or borrower: agreement → party."""
    await uow.execute(
        "UPDATE agreements_agreement a SET party_id = p.party_id"
        " FROM unnest(cast(:ids AS uuid[]), cast(:parties AS uuid[])) AS p(id, party_id)"
        " WHERE a.tenant_id = :tenant AND a.id = p.id",
        ids=list(party_ids.keys()),
        parties=list(party_ids.values()),
    )


async def cancel(uow: UnitOfWork, reasons: Mapping[UUID, str]) -> set[UUID]:
    """Cancel agreements that are not signed yet: agreement → reason. Returns those moved."""
    rows = await uow.rows(
        "UPDATE agreements_agreement a SET state = :target, ended_on = :today, end_reason = c.reason"
        " FROM unnest(cast(:ids AS uuid[]), cast(:reasons AS text[])) AS c(id, reason)"
        " WHERE a.tenant_id = :tenant AND a.id = c.id AND a.state = ANY(cast(:sources AS text[])) RETURNING a.id",
        target=AgreementState.CANCELLED,
        sources=AGREEMENT_MOVES.sources(AgreementState.CANCELLED),
        today=uow.business_date,
        ids=list(reasons.keys()),
        reasons=list(reasons.values()),
    )
    return {row.id for row in rows}


async def ids_of_applications(read: ReadSession, application_ids: Sequence[UUID]) -> list[UUID]:
    rows = await read.rows(
        "SELECT id FROM agreements_agreement WHERE tenant_id = :tenant AND application_id = ANY(cast(:ids AS uuid[]))",
        ids=list(application_ids),
    )
    return [row.id for row in rows]


def _restriction_clause(terms: AgreementTerms) -> str | None:
    """The version of the restriction clause that was accepted; a financing has no such clause."""
    return terms.restriction_clause_version if terms.financing is None else None


def _agreement(row: Row) -> Agreement:
    return Agreement(
        id=row.id,
        agreement_no=row.agreement_no,
        application_id=row.application_id,
        party_id=row.party_id,
        channel=row.channel,
        state=AgreementState(row.state),
        terms=msgspec.convert(row.terms, AgreementTerms),
        drafted_at=row.drafted_at,
        drafted_on=row.drafted_on,
        document_id=row.document_id,
        document_sha256=row.document_sha256,
        signed_at=row.signed_at,
        asset_id=row.asset_id,
        reference=row.reference,
        commencement_on=row.commencement_on,
        ended_on=row.ended_on,
        end_reason=row.end_reason,
    )
