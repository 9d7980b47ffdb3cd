"""Consents: given, asked for, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import Instant
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.parties.errors import ConsentMissing, ConsentUnknown
from xinzu.records.parties.events import ConsentWithdrawn
from xinzu.records.parties.model import ConsentDraft, ConsentPurpose
from xinzu.records.parties.store import people as store


class Withdrawn(msgspec.Struct, kw_only=True):
    """A consent is no longer in force."""

    party_id: str
    purpose: str
    withdrawn_at: Instant


async def record_consents(uow: UnitOfWork, drafts: Sequence[ConsentDraft]) -> int:
    """Put consents on file in one statement; one in force under the same text stays. Returns how many are new."""
    return await store.insert_consents(uow, drafts) if drafts else 0


async def parties_without_consent(read: ReadSession, party_ids: Sequence[UUID], purpose: ConsentPurpose) -> set[UUID]:
    """Those of the parties who have no consent in force for the purpose: for callers who refuse item by item."""
    return set(party_ids) - await store.parties_consenting(read, party_ids, purpose)


async def require_consent(read: ReadSession, party_ids: Sequence[UUID], purpose: ConsentPurpose) -> None:
    """The guard before any use of personal data that rests on consent (PIPL arts. 13(1)(1), 14, 29).

    Raises ConsentMissing naming the first party without a consent in force.
    """
    missing = await parties_without_consent(read, party_ids, purpose)
    if missing:
        raise ConsentMissing(
            f"当事人未同意或已撤回用途 {purpose}，请先取得同意",
            f"No consent in force for {purpose}: obtain it first",
            party_id=public_id(Prefix.PARTY, min(missing)),
            purpose=str(purpose),
        )


async def withdraw_consents(uow: UnitOfWork, requests: Sequence[tuple[UUID, ConsentPurpose]]) -> list[Outcome[Withdrawn]]:
    """Take consents back (PIPL art. 15): at once, for free, without effect on what was lawful before.

    Emits ConsentWithdrawn, on which open applications are stopped. Refused per item with ConsentUnknown when none is in force.
    """
    ended = await store.withdraw(uow, list(dict.fromkeys(requests)))
    outcomes: list[Outcome[Withdrawn]] = []
    for party_id, purpose in requests:
        if (party_id, str(purpose)) not in ended:
            outcomes.append(
                ConsentUnknown("没有该用途的有效同意可以撤回", "There is no consent in force for this purpose to withdraw")
            )
            continue
        outcomes.append(Withdrawn(party_id=public_id(Prefix.PARTY, party_id), purpose=str(purpose), withdrawn_at=uow.now))
    for party_id, purpose_text in sorted(ended):
        uow.emit(ConsentWithdrawn(subject_id=party_id, purpose=purpose_text))
    return outcomes
