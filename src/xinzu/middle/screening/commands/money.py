"""Money that moved, put on file and looked at by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.screening.commands.alerting import open_alerts
from xinzu.middle.screening.errors import MovementDiffers
from xinzu.middle.screening.model import Movement
from xinzu.middle.screening.rules.money import LOOK_BACK_DAYS, findings_of
from xinzu.middle.screening.store import money as store
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

PAYER_COLUMN = "screening_movement.payer"


class MovementRecorded(msgspec.Struct, kw_only=True):
    """A movement on file. ``is_new`` is false when it was on file before and more is said of it now."""

    party_id: str
    reference: str
    is_new: bool


async def note_movements(uow: UnitOfWork, movements: Sequence[Movement]) -> None:
    """Put movements on file, each once; what the cashier has said of one before stays. Opens alerts for what the rules find on the dates they
    moved (order [2016] 3 arts. 5, 11)."""
    if movements:
        await store.insert_movements(uow, movements)
        await _look_at(uow, movements)


async def record_movements(uow: UnitOfWork, requests: Sequence[Movement]) -> list[Outcome[MovementRecorded]]:
    """What the cashier knows and no provider tells: cash, payments from abroad, who paid for another. ``payer_key`` comes in clear (an account
    number or a document) and is kept as a keyed digest. Refuses with PartyUnknown, MovementDiffers. Kept as evidence, without the payer."""
    outcomes: list[Outcome[MovementRecorded]] = []
    people = await parties.masked_people(uow, [each.party_id for each in requests])
    for request in requests:
        if request.party_id not in people:
            outcomes.append(parties.PartyUnknown())
            continue
        payer = request.payer_key
        said = replace(request, payer_key=None if payer is None else uow.vault.blind(PAYER_COLUMN, payer).hex())
        reference = said.source, said.source_ref
        before = (await store.known(uow, [reference])).get(reference)
        if before is None:
            await store.insert_movements(uow, [said])
        elif replace(before, method=said.method, purpose=said.purpose, payer_key=said.payer_key) != said:
            outcomes.append(MovementDiffers())
            continue
        else:
            await store.say_more(uow, [said])
        await _look_at(uow, [said])
        facts = {
            "reference": said.source_ref,
            "direction": str(said.direction),
            "method": str(said.method),
            "amount_fen": said.amount_fen,
            "moved_on": said.moved_on.isoformat(),
            "is_paid_by_other": said.payer_key is not None,
            "by": str(uow.actor),
        }
        evidence.append(uow, [evidence.Leaf("screening.movement.recorded", said.agreement_id, facts)])
        outcomes.append(
            MovementRecorded(party_id=public_id(Prefix.PARTY, said.party_id), reference=said.source_ref, is_new=before is None)
        )
    return outcomes


async def _look_at(uow: UnitOfWork, movements: Sequence[Movement]) -> None:
    dates = sorted({(each.party_id, each.moved_on) for each in movements})
    earliest = min(on for _, on in dates) - timedelta(days=LOOK_BACK_DAYS)
    histories = await store.movements_since(uow, sorted({party_id for party_id, _ in dates}), earliest)
    await open_alerts(uow, [finding for party_id, on in dates for finding in findings_of(histories[party_id], on)])
