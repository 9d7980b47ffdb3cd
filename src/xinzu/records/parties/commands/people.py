"""Registering people and opening their clear values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.errors import Invalid, Problem, invariant
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.platform.crypto.identifiers import age_on, normalize_identity_no, normalize_mobile
from xinzu.platform.crypto.masking import mask_address, mask_identity_no, mask_name, mask_phone
from xinzu.platform.crypto.vault import TenantVault
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.parties.commands.consents import require_consent
from xinzu.records.parties.errors import NameDiffers, PartyUnknown, PhoneDiffers
from xinzu.records.parties.model import (
    CONSENT_FOR_DISCLOSURE,
    DeliveryAddress,
    DisclosurePurpose,
    MaskedPerson,
    OpenPerson,
    PersonDraft,
    Recipient,
)
from xinzu.records.parties.store import people as store

NAME = "parties_person.name"
IDENTITY_NO = "parties_person.identity_no"
PHONE = "parties_person.phone"
ADDRESS = "parties_person.address"
DELIVERY_ADDRESS = "parties_delivery_address.address"
FOUND_MAX = 20


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A draft that passed validation, with the blind indexes it is found by."""

    draft: PersonDraft
    name: str
    identity_no: str
    phone: str
    name_blind: bytes
    identity_no_blind: bytes
    phone_blind: bytes


async def register_people(uow: UnitOfWork, drafts: Sequence[PersonDraft]) -> list[Outcome[MaskedPerson]]:
    """Find or create people by identity number: two statements a batch (three when another transaction races).

    A person on file keeps what is on file. Refused per item: Invalid for a malformed name, identity number or phone; NameDiffers;
    PhoneDiffers. The caller records the consents under which it collected the values, in the same transaction.
    """
    outcomes: list[Outcome[MaskedPerson] | None] = [None] * len(drafts)
    candidates: dict[int, _Candidate] = {}
    for index, draft in enumerate(drafts):
        try:
            candidates[index] = _candidate(uow.vault, draft)
        except Problem as problem:
            outcomes[index] = problem
    if candidates:
        known = await store.known_people(uow, [c.identity_no_blind for c in candidates.values()])
        fresh: dict[bytes, _Candidate] = {}
        for candidate in candidates.values():
            if candidate.identity_no_blind not in known:
                fresh.setdefault(candidate.identity_no_blind, candidate)
        if fresh:
            people = [_sealed(uow.vault, candidate) for candidate in fresh.values()]
            written = await store.insert_people(uow, people)
            registered = {person.identity_no[0]: (person.name[0], person.phone[0], _masked(uow, person)) for person in people}
            if written != len(people):
                known |= await store.known_people(uow, list(fresh))
                registered = {}
        else:
            registered = {}
        for index, candidate in candidates.items():
            row = known.get(candidate.identity_no_blind)
            if row is not None:
                found = (bytes(row.name_blind), bytes(row.phone_blind), store.masked_person(row))
            else:
                found = registered[candidate.identity_no_blind]
            outcomes[index] = _same_person(candidate, *found)
    return [_settled(outcome) for outcome in outcomes]


def _settled(outcome: Outcome[MaskedPerson] | None) -> Outcome[MaskedPerson]:
    invariant(outcome is not None, "every draft has an outcome")
    return outcome  # type: ignore[return-value]


def _candidate(vault: TenantVault, draft: PersonDraft) -> _Candidate:
    name = draft.name.strip()
    if not name:
        raise Invalid.field(f"{draft.pointer}/name", "parties.name_empty", "请填写姓名", "Give the person's name")
    identity_no = normalize_identity_no(draft.identity_no, f"{draft.pointer}/identity_no")
    phone = normalize_mobile(draft.phone, f"{draft.pointer}/phone")
    return _Candidate(
        draft,
        name,
        identity_no,
        phone,
        vault.blind(NAME, name),
        vault.blind(IDENTITY_NO, identity_no),
        vault.blind(PHONE, phone),
    )


def _sealed(vault: TenantVault, candidate: _Candidate) -> store.SealedPerson:
    party_id = new_id()
    address = candidate.draft.address
    return store.SealedPerson(
        party_id,
        (
            candidate.identity_no_blind,
            vault.seal_text(f"{IDENTITY_NO}:{party_id}", candidate.identity_no),
            mask_identity_no(candidate.identity_no),
        ),
        (candidate.name_blind, vault.seal_text(f"{NAME}:{party_id}", candidate.name), mask_name(candidate.name)),
        (candidate.phone_blind, vault.seal_text(f"{PHONE}:{party_id}", candidate.phone), mask_phone(candidate.phone)),
        (vault.seal_text(f"{ADDRESS}:{party_id}", address), mask_address(address)) if address else None,
    )


def _masked(uow: UnitOfWork, person: store.SealedPerson) -> MaskedPerson:
    return MaskedPerson(
        id=person.id,
        name=person.name[2],
        identity_no=person.identity_no[2],
        phone=person.phone[2],
        address=person.address[1] if person.address else None,
        registered_at=uow.now,
    )


def _same_person(candidate: _Candidate, name_blind: bytes, phone_blind: bytes, found: MaskedPerson) -> Outcome[MaskedPerson]:
    pointer = candidate.draft.pointer
    if name_blind != candidate.name_blind:
        return NameDiffers.field(
            f"{pointer}/name",
            NameDiffers.code,
            "姓名与该身份证号的登记姓名不符，请核对姓名和身份证号",
            "The name is not the one on file for this identity number: check both",
        )
    if phone_blind != candidate.phone_blind:
        return PhoneDiffers(
            "该身份证号已登记另一手机号，请先核验本人并变更手机号，再提交",
            "Another phone is on file for this identity number: verify the person and change the phone first",
        )
    return found


async def change_phone(uow: UnitOfWork, requests: Sequence[tuple[UUID, str]]) -> list[Outcome[MaskedPerson]]:
    """Replace people's phones after the caller verified that it is they who ask. Raises Invalid, PartyUnknown per item."""
    outcomes: list[Outcome[MaskedPerson]] = []
    for party_id, text in requests:
        try:
            phone = normalize_mobile(text)
        except Problem as problem:
            outcomes.append(problem)
            continue
        sealed = uow.vault.seal_text(f"{PHONE}:{party_id}", phone)
        changed = await store.update_phone(uow, party_id, uow.vault.blind(PHONE, phone), sealed, mask_phone(phone))
        outcomes.append(changed or PartyUnknown())
    return outcomes


async def masked_person(read: ReadSession, party_id: UUID) -> MaskedPerson:
    """One person, masked; raises PartyUnknown."""
    found = (await store.masked_people(read, [party_id])).get(party_id)
    if found is None:
        raise PartyUnknown()
    return found


async def find_people(read: ReadSession, *, phone: str | None = None, identity_no: str | None = None) -> list[MaskedPerson]:
    """People by a clear phone or identity number, masked. Raises Invalid when the value is malformed."""
    if identity_no is not None:
        return await store.people_by(
            read, "identity_no", read.vault.blind(IDENTITY_NO, normalize_identity_no(identity_no)), FOUND_MAX
        )
    return await store.people_by(read, "phone", read.vault.blind(PHONE, normalize_mobile(phone or "")), FOUND_MAX)


async def ages_on(read: ReadSession, party_ids: Sequence[UUID], on: BusinessDate) -> dict[UUID, int]:
    """Full years of age on a date, by party; the birth date itself is not handed out. Unknown parties are left out."""
    return {
        row.id: age_on(read.vault.open_text(f"{IDENTITY_NO}:{row.id}", bytes(row.identity_no_sealed)), on)
        for row in await store.sealed_people(read, party_ids)
    }


async def open_people(uow: UnitOfWork, party_ids: Sequence[UUID], purpose: DisclosurePurpose) -> dict[UUID, OpenPerson]:
    """Clear values, for a purpose and on record (who, when, why).

    Raises ConsentMissing when the purpose needs a consent that one of them has not given, PartyUnknown for an unknown id.
    """
    wanted = list(dict.fromkeys(party_ids))
    if not wanted:
        return {}
    needed = CONSENT_FOR_DISCLOSURE.get(purpose)
    if needed is not None:
        await require_consent(uow, wanted, needed)
    rows = await store.sealed_people(uow, wanted)
    if len(rows) != len(wanted):
        raise PartyUnknown()
    await store.insert_disclosures(uow, wanted, purpose)
    vault = uow.vault
    return {
        row.id: OpenPerson(
            id=row.id,
            name=vault.open_text(f"{NAME}:{row.id}", bytes(row.name_sealed)),
            identity_no=vault.open_text(f"{IDENTITY_NO}:{row.id}", bytes(row.identity_no_sealed)),
            phone=vault.open_text(f"{PHONE}:{row.id}", bytes(row.phone_sealed)),
            address=vault.open_text(f"{ADDRESS}:{row.id}", bytes(row.address_sealed)) if row.address_sealed else None,
        )
        for row in rows
    }


async def set_delivery_addresses(uow: UnitOfWork, addresses: Sequence[DeliveryAddress]) -> None:
    """Fix where the things of these agreements go. An address that is set stays: see the front office's rule on address changes."""
    if addresses:
        await store.set_delivery_addresses(
            uow,
            [
                (
                    one.subject_id,
                    one.party_id,
                    uow.vault.seal_text(f"{DELIVERY_ADDRESS}:{one.subject_id}", one.address),
                    mask_address(one.address),
                )
                for one in addresses
            ],
        )


async def open_recipients(uow: UnitOfWork, subject_ids: Sequence[UUID]) -> dict[UUID, Recipient]:
    """Whom the things of these agreements go to, in clear and on record as a delivery. Subjects without an address are left out."""
    rows = await store.sealed_recipients(uow, list(dict.fromkeys(subject_ids)))
    if rows:
        await store.insert_disclosures(uow, list(dict.fromkeys(row.id for row in rows)), DisclosurePurpose.DELIVERY)
    vault = uow.vault
    return {
        row.subject_id: Recipient(
            party_id=row.id,
            name=vault.open_text(f"{NAME}:{row.id}", bytes(row.name_sealed)),
            phone=vault.open_text(f"{PHONE}:{row.id}", bytes(row.phone_sealed)),
            address=vault.open_text(f"{DELIVERY_ADDRESS}:{row.subject_id}", bytes(row.address_sealed)),
        )
        for row in rows
    }
