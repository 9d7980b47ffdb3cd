"""Grey and black lists: one person puts something on, two take it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize
from uuid import UUID

import msgspec

from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.middle.screening.commands.relate import KEY_COLUMN
from xinzu.middle.screening.errors import AlreadyListed, ListEntryRemoved, ListEntryUnknown
from xinzu.middle.screening.events import ListEntryAdded
from xinzu.middle.screening.events import ListEntryRemoved as EntryRemoved
from xinzu.middle.screening.model import ListColour, ListedKind, ListEntry, ListReason
from xinzu.middle.screening.store import lists as store
from xinzu.platform.actor import Permission
from xinzu.platform.approvals import About, check, with_second_person
from xinzu.platform.controls import Control
from xinzu.platform.crypto.identifiers import normalize_mobile
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

# Zero: never by one person alone, whoever it is.
REMOVAL = Control(
    "screening.remove_list_entries", 0, Permission.SCREENING_WRITE, Prefix.LIST_ENTRY, "移出名单", "Take something off a list"
)
# The column under which applications keys delivery addresses; a test holds the two together.
ADDRESS_COLUMN = "applications_application.delivery_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToList:
    """``value`` is a party's id, a phone or an address in clear, or a channel's digest; only its keyed digest is kept."""

    colour: ListColour
    kind: ListedKind
    value: str
    reason: ListReason
    source: str
    expires_on: BusinessDate | None = None


@dataclass(frozen=True, slots=True)
class RemoveFromList:
    entry_id: UUID
    reason: str


class Listed(msgspec.Struct, kw_only=True):
    """An entry and whether it stands."""

    id: str
    is_standing: bool


async def add_to_lists(uow: UnitOfWork, requests: Sequence[AddToList]) -> list[Outcome[Listed]]:
    """Put things on the lists. Refuses per item: Invalid for a value that is none of its kind or a date that is over; AlreadyListed. Kept as
    evidence without the value."""
    outcomes: list[Outcome[Listed]] = []
    for request in requests:
        try:
            key = await _key_of(uow, request)
            if request.expires_on is not None and request.expires_on <= uow.business_date:
                raise Invalid.field(
                    "/expires_on", "screening.expired", "失效日期须晚于今天", "The date of expiry lies after today"
                )
            if await store.standing(uow, request.colour, request.kind, key, request.reason) is not None:
                raise AlreadyListed()
        except Problem as problem:
            outcomes.append(problem)
            continue
        entry = ListEntry(
            id=new_id(),
            colour=request.colour,
            kind=request.kind,
            reason=request.reason,
            source=request.source,
            expires_on=request.expires_on,
            added_by=str(uow.actor),
            added_at=uow.now,
        )
        expires_at = None if request.expires_on is None else uow.calendar.opening(request.expires_on)
        await store.insert(uow, [(entry, key, expires_at)])
        uow.emit(
            ListEntryAdded(
                subject_id=entry.id,
                colour=entry.colour,
                kind=entry.kind,
                reason=entry.reason,
                source=entry.source,
                expires_on=entry.expires_on,
            )
        )
        evidence.append(uow, [evidence.Leaf("screening.list_entry.added", entry.id, _facts(entry))])
        outcomes.append(Listed(id=public_id(Prefix.LIST_ENTRY, entry.id), is_standing=True))
    return outcomes


async def remove_from_lists(uow: UnitOfWork, requests: Sequence[RemoveFromList]) -> list[Outcome[Listed]]:
    """Take things off the lists. Refuses per item: ListEntryUnknown, ListEntryRemoved, SecondPersonNeeded. Kept as evidence."""
    outcomes: list[Outcome[Listed]] = []
    for request in requests:
        try:
            entry = await store.entry(uow, request.entry_id, lock=True)
            if entry is None:
                raise ListEntryUnknown()
            if entry.removed_at is not None:
                raise ListEntryRemoved()
            await check(uow, REMOVAL, 0)
        except Problem as problem:
            outcomes.append(problem)
            continue
        await store.remove(uow, entry.id, request.reason)
        uow.emit(EntryRemoved(subject_id=entry.id, colour=entry.colour, kind=entry.kind, reason=entry.reason))
        facts = {**_facts(entry), "removed_by": str(uow.actor)}
        evidence.append(uow, [evidence.Leaf("screening.list_entry.removed", entry.id, facts)])
        outcomes.append(Listed(id=public_id(Prefix.LIST_ENTRY, entry.id), is_standing=False))
    return outcomes


def _encode(asked: RemoveFromList) -> Mapping[str, Any]:
    return {"entry_id": str(asked.entry_id), "reason": asked.reason}


remove = with_second_person(
    REMOVAL,
    remove_from_lists,
    about=lambda asked: About(asked.entry_id, asked.reason, ""),
    encode=_encode,
    decode=lambda _, kept: RemoveFromList(UUID(kept["entry_id"]), kept["reason"]),
)


async def _key_of(uow: UnitOfWork, request: AddToList) -> str:
    """The key under which what is listed stands in relations. Raises Invalid naming the field."""
    if request.kind is ListedKind.PARTY:
        try:
            party_id = parse_id(Prefix.PARTY, request.value)
        except ValueError:
            party_id = None
        if party_id is None or party_id not in await parties.masked_people(uow, [party_id]):
            raise Invalid.field(
                "/value",
                "screening.bad_value",
                "没有该当事人，编号以 pty_ 开头",
                "There is no such party: its id begins with pty_",
            )
        return str(party_id)
    if request.kind is ListedKind.PHONE:
        return parties.blind_phone(uow, normalize_mobile(request.value, "/value"))
    if request.kind is ListedKind.ADDRESS:
        return uow.vault.blind(ADDRESS_COLUMN, "".join(normalize("NFKC", request.value).casefold().split())).hex()
    return uow.vault.blind(f"{KEY_COLUMN}:{request.kind}", request.value).hex()


def _facts(entry: ListEntry) -> dict[str, str]:
    return {
        "colour": str(entry.colour),
        "kind": str(entry.kind),
        "reason": str(entry.reason),
        "source": entry.source,
        "expires_on": "" if entry.expires_on is None else entry.expires_on.isoformat(),
        "added_by": entry.added_by,
    }
