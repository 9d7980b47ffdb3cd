"""The ends of an agreement's life: cancelled, commenced, ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate
from xinzu.middle.agreements import store
from xinzu.middle.agreements.events import AgreementCancelled, AgreementCommenced, AgreementEnded
from xinzu.middle.agreements.model import CancelReason
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

SETTLED = "settled"


async def cancel_agreements(uow: UnitOfWork, reasons: Mapping[UUID, str]) -> None:
    """Cancel what is not signed yet: agreement → reason. A signed agreement stays: it can only be carried out and ended."""
    if not reasons:
        return
    moved = await store.cancel(uow, reasons)
    for agreement in (await store.agreements(uow, list(moved))).values():
        reason = reasons[agreement.id]
        uow.emit(
            AgreementCancelled(
                subject_id=agreement.id,
                application_id=agreement.application_id,
                party_id=agreement.party_id,
                reason=str(reason),
            )
        )
        evidence.append(uow, [evidence.Leaf("agreements.agreement.cancelled", agreement.id, {"reason": str(reason)})])


async def cancel_of_applications(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    """The customers withdrew: their agreements end unless they are signed."""
    found = await store.ids_of_applications(uow, application_ids)
    await cancel_agreements(uow, dict.fromkeys(found, CancelReason.APPLICATION_CANCELLED))


async def commence_agreements(uow: UnitOfWork, handovers: Mapping[UUID, tuple[UUID, BusinessDate]]) -> None:
    """The devices were handed over: agreement → (asset, date). Rents run from that date (Civil Code art. 708, 721)."""
    moved = await store.commence(uow, handovers)
    for agreement in (await store.agreements(uow, list(moved))).values():
        asset_id, commencement_on = handovers[agreement.id]
        uow.emit(
            AgreementCommenced(
                subject_id=agreement.id,
                application_id=agreement.application_id,
                party_id=agreement.party_id,
                asset_id=asset_id,
                commencement_on=commencement_on,
                terms=agreement.terms,
            )
        )
        evidence.append(
            uow,
            [
                evidence.Leaf(
                    "agreements.agreement.commenced",
                    agreement.id,
                    {"asset_id": public_id(Prefix.ASSET, asset_id), "commencement_on": commencement_on.isoformat()},
                )
            ],
        )


async def end_agreements(uow: UnitOfWork, settled_on: Mapping[UUID, BusinessDate]) -> None:
    """Everything is returned and settled: agreement → date. The lessee is told."""
    moved = await store.end(uow, settled_on, SETTLED)
    ended = list((await store.agreements(uow, list(moved))).values())
    for agreement in ended:
        uow.emit(
            AgreementEnded(
                subject_id=agreement.id,
                application_id=agreement.application_id,
                party_id=agreement.party_id,
                ended_on=settled_on[agreement.id],
                reason=SETTLED,
            )
        )
    evidence.append(
        uow,
        [
            evidence.Leaf("agreements.agreement.ended", each.id, {"ended_on": settled_on[each.id].isoformat(), "reason": SETTLED})
            for each in ended
        ],
    )
    await parties.send_messages(
        uow,
        [
            parties.MessageDraft(
                party_id=each.party_id,
                subject_id=each.id,
                template=parties.MessageTemplate.AGREEMENT_ENDED,
                variables={"agreement_no": each.agreement_no},
            )
            for each in ended
        ],
    )
