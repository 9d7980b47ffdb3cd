"""SQL of people and consents. Every statement works on arrays: its cost is per batch, not per person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.ids import new_id
from xinzu.kernel.time import Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.parties.model import Consent, ConsentDraft, ConsentPurpose, DisclosurePurpose, MaskedPerson

_KNOWN = """
SELECT id, identity_no_blind, name_blind, phone_blind, name_masked, identity_no_masked, phone_masked, address_masked, registered_at
FROM parties_person WHERE tenant_id = :tenant AND identity_no_blind = ANY(cast(:blinds AS bytea[]))
"""

_INSERT_PEOPLE = """
INSERT INTO parties_person (
    tenant_id, id, identity_no_blind, identity_no_sealed, identity_no_masked, name_blind, name_sealed, name_masked,
    phone_blind, phone_sealed, phone_masked, address_sealed, address_masked, registered_at, updated_at)
SELECT :tenant, p.*, :now, :now
FROM unnest(
    cast(:ids AS uuid[]), cast(:identity_no_blinds AS bytea[]), cast(:identity_nos_sealed AS bytea[]),
    cast(:identity_nos_masked AS text[]), cast(:name_blinds AS bytea[]), cast(:names_sealed AS bytea[]), cast(:names_masked AS text[]),
    cast(:phone_blinds AS bytea[]), cast(:phones_sealed AS bytea[]), cast(:phones_masked AS text[]),
    cast(:addresses_sealed AS bytea[]), cast(:addresses_masked AS text[])) AS p
ON CONFLICT (tenant_id, identity_no_blind) DO NOTHING
"""

_INSERT_CONSENTS = """
INSERT INTO parties_consent (tenant_id, id, party_id, purpose, text_version, channel, given_at)
SELECT :tenant, c.id, c.party_id, c.purpose, c.text_version, c.channel, :now
FROM unnest(cast(:ids AS uuid[]), cast(:parties AS uuid[]), cast(:purposes AS text[]), cast(:versions AS text[]),
            cast(:channels AS text[])) AS c(id, party_id, purpose, text_version, channel)
ON CONFLICT (tenant_id, party_id, purpose, text_version) WHERE withdrawn_at IS NULL DO NOTHING
"""

_PERSON = "SELECT id, name_masked, identity_no_masked, phone_masked, address_masked, registered_at FROM parties_person"


@dataclass(slots=True)
class SealedPerson:
    """A person's row before it is written; blind, sealed and masked forms only."""

    id: UUID
    identity_no: tuple[bytes, bytes, str]
    name: tuple[bytes, bytes, str]
    phone: tuple[bytes, bytes, str]
    address: tuple[bytes, str] | None


async def known_people(read: ReadSession, identity_no_blinds: Sequence[bytes]) -> dict[bytes, Row]:
    """People by the blind index of their identity number."""
    rows = await read.rows(_KNOWN, blinds=list(identity_no_blinds))
    return {bytes(row.identity_no_blind): row for row in rows}


async def blind_phones(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, tuple[bytes, Instant]]:
    """The blind index of each person's phone, and when the person was registered."""
    rows = await read.rows(
        "SELECT id, phone_blind, registered_at FROM parties_person WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(set(party_ids)),
    )
    return {row.id: (bytes(row.phone_blind), row.registered_at) for row in rows}


async def insert_people(uow: UnitOfWork, people: Sequence[SealedPerson]) -> int:
    """Write new people; one whose identity number another transaction wrote first is skipped. Returns how many were written."""
    # In the order of the unique index, so that two batches with the same people wait for one another instead of deadlocking.
    ordered = sorted(people, key=lambda person: person.identity_no[0])
    return await uow.execute(
        _INSERT_PEOPLE,
        now=uow.now,
        ids=[p.id for p in ordered],
        identity_no_blinds=[p.identity_no[0] for p in ordered],
        identity_nos_sealed=[p.identity_no[1] for p in ordered],
        identity_nos_masked=[p.identity_no[2] for p in ordered],
        name_blinds=[p.name[0] for p in ordered],
        names_sealed=[p.name[1] for p in ordered],
        names_masked=[p.name[2] for p in ordered],
        phone_blinds=[p.phone[0] for p in ordered],
        phones_sealed=[p.phone[1] for p in ordered],
        phones_masked=[p.phone[2] for p in ordered],
        addresses_sealed=[p.address[0] if p.address else None for p in ordered],
        addresses_masked=[p.address[1] if p.address else None for p in ordered],
    )


async def update_phone(uow: UnitOfWork, party_id: UUID, blind: bytes, sealed: bytes, masked: str) -> MaskedPerson | None:
    """Replace a person's phone; None when there is no such person."""
    row = await uow.row(
        "UPDATE parties_person SET phone_blind = :blind, phone_sealed = :sealed, phone_masked = :masked, updated_at = :now"
        " WHERE tenant_id = :tenant AND id = :id"
        " RETURNING id, name_masked, identity_no_masked, phone_masked, address_masked, registered_at",
        id=party_id,
        blind=blind,
        sealed=sealed,
        masked=masked,
        now=uow.now,
    )
    return None if row is None else masked_person(row)


def masked_person(row: Row) -> MaskedPerson:
    return MaskedPerson(
        id=row.id,
        name=row.name_masked,
        identity_no=row.identity_no_masked,
        phone=row.phone_masked,
        address=row.address_masked,
        registered_at=row.registered_at,
    )


async def masked_people(read: ReadSession, party_ids: Sequence[UUID]) -> dict[UUID, MaskedPerson]:
    rows = await read.rows(f"{_PERSON} WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))", ids=list(party_ids))
    return {row.id: masked_person(row) for row in rows}


async def people_by(read: ReadSession, column: str, blind: bytes, limit: int) -> list[MaskedPerson]:
    """People whose phone or identity number has this blind index, newest first."""
    where = {"phone": "phone_blind", "identity_no": "identity_no_blind"}[column]
    rows = await read.rows(
        f"{_PERSON} WHERE tenant_id = :tenant AND {where} = :blind ORDER BY id DESC LIMIT :limit", blind=blind, limit=limit
    )
    return [masked_person(row) for row in rows]


async def sealed_people(read: ReadSession, party_ids: Sequence[UUID]) -> Sequence[Row]:
    return await read.rows(
        "SELECT id, name_sealed, identity_no_sealed, phone_sealed, phone_masked, address_sealed FROM parties_person"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(party_ids),
    )


async def set_delivery_addresses(uow: UnitOfWork, rows: Sequence[tuple[UUID, UUID, bytes, str]]) -> None:
    """(subject, party, sealed, masked) each. The first address of a subject stays."""
    await uow.execute(
        "INSERT INTO parties_delivery_address (tenant_id, subject_id, party_id, address_sealed, address_masked, set_at)"
        " SELECT :tenant, d.subject_id, d.party_id, d.sealed, d.masked, :now"
        " FROM unnest(cast(:subjects AS uuid[]), cast(:parties AS uuid[]), cast(:sealed AS bytea[]), cast(:masked AS text[]))"
        " AS d(subject_id, party_id, sealed, masked) ON CONFLICT (tenant_id, subject_id) DO NOTHING",
        now=uow.now,
        subjects=[row[0] for row in rows],
        parties=[row[1] for row in rows],
        sealed=[row[2] for row in rows],
        masked=[row[3] for row in rows],
    )


async def sealed_recipients(read: ReadSession, subject_ids: Sequence[UUID]) -> Sequence[Row]:
    return await read.rows(
        "SELECT d.subject_id, d.address_sealed, p.id, p.name_sealed, p.phone_sealed FROM parties_delivery_address d"
        " JOIN parties_person p ON p.tenant_id = d.tenant_id AND p.id = d.party_id"
        " WHERE d.tenant_id = :tenant AND d.subject_id = ANY(cast(:ids AS uuid[]))",
        ids=list(subject_ids),
    )


async def insert_disclosures(uow: UnitOfWork, party_ids: Sequence[UUID], purpose: DisclosurePurpose) -> None:
    await uow.execute(
        "INSERT INTO parties_disclosure (tenant_id, id, party_id, purpose, actor, opened_at)"
        " SELECT :tenant, d.id, d.party_id, :purpose, :actor, :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:parties AS uuid[])) AS d(id, party_id)",
        ids=[new_id() for _ in party_ids],
        parties=list(party_ids),
        purpose=purpose,
        actor=str(uow.actor),
        now=uow.now,
    )


async def insert_consents(uow: UnitOfWork, drafts: Sequence[ConsentDraft]) -> int:
    """Put consents on file; one already in force under the same text is left as it is. Returns how many are new."""
    return await uow.execute(
        _INSERT_CONSENTS,
        now=uow.now,
        ids=[new_id() for _ in drafts],
        parties=[draft.party_id for draft in drafts],
        purposes=[draft.purpose for draft in drafts],
        versions=[draft.text_version for draft in drafts],
        channels=[draft.channel for draft in drafts],
    )


async def parties_consenting(read: ReadSession, party_ids: Sequence[UUID], purpose: ConsentPurpose) -> set[UUID]:
    rows = await read.rows(
        "SELECT DISTINCT party_id FROM parties_consent"
        " WHERE tenant_id = :tenant AND party_id = ANY(cast(:ids AS uuid[])) AND purpose = :purpose AND withdrawn_at IS NULL",
        ids=list(party_ids),
        purpose=purpose,
    )
    return {row.party_id for row in rows}


async def withdraw(uow: UnitOfWork, pairs: Sequence[tuple[UUID, ConsentPurpose]]) -> set[tuple[UUID, str]]:
    """End every consent in force of these people and purposes; returns those that had one."""
    rows = await uow.rows(
        "UPDATE parties_consent c SET withdrawn_at = :now"
        " FROM unnest(cast(:parties AS uuid[]), cast(:purposes AS text[])) AS w(party_id, purpose)"
        " WHERE c.tenant_id = :tenant AND c.party_id = w.party_id AND c.purpose = w.purpose AND c.withdrawn_at IS NULL"
        " RETURNING c.party_id, c.purpose",
        now=uow.now,
        parties=[party_id for party_id, _ in pairs],
        purposes=[purpose for _, purpose in pairs],
    )
    return {(row.party_id, row.purpose) for row in rows}


async def consents_of(read: ReadSession, party_id: UUID) -> list[Consent]:
    """A person's consents, oldest first, the withdrawn ones too."""
    rows = await read.rows(
        "SELECT id, purpose, text_version, channel, given_at, withdrawn_at FROM parties_consent"
        " WHERE tenant_id = :tenant AND party_id = :id ORDER BY id",
        id=party_id,
    )
    return [
        Consent(
            id=row.id,
            purpose=row.purpose,
            text_version=row.text_version,
            channel=row.channel,
            given_at=row.given_at,
            withdrawn_at=row.withdrawn_at,
        )
        for row in rows
    ]
