"""The ends of an agreement's life: cancelled, commenced, ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xinzu.kernel.errors import FieldError, Invalid, Problem, invariant
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.middle.agreements import store
from xinzu.middle.agreements.commands.disclosure import disclosure_of
from xinzu.middle.agreements.errors import (
    AgreementUnknown,
    CommencesByHandover,
    DisbursedDiffers,
    NotOpenForCommencement,
)
from xinzu.middle.agreements.events import AgreementCancelled, AgreementCommenced, AgreementEnded
from xinzu.middle.agreements.model import AGREEMENT_MOVES, Agreement, AgreementState, CancelReason
from xinzu.middle.agreements.schemas import AgreementView, agreement_view
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


@dataclass(frozen=True, slots=True)
class CommenceFinancing:
    """A financing begins. ``reference`` is what proves it: the bank's of the disbursement, the handover protocol's or the VIN.

    ``disbursed_fen`` is what the borrower of a loan was paid; None for a finance lease.
    """

    agreement_id: UUID
    commencement_on: BusinessDate
    reference: str
    disbursed_fen: int | None = None


async def commence_agreements(uow: UnitOfWork, handovers: Mapping[UUID, tuple[UUID, BusinessDate]]) -> None:
    """The devices were handed over: agreement → (asset, date). Rents run from that date (Civil Code art. 708, 721)."""
    moved = await store.commence(uow, [store.Commenced(id_, on, asset_id=asset) for id_, (asset, on) in handovers.items()])
    for agreement in (await store.agreements(uow, list(moved))).values():
        asset_id, commencement_on = handovers[agreement.id]
        _commenced(uow, agreement, commencement_on, {"asset_id": public_id(Prefix.ASSET, asset_id)}, asset_id)


async def commence_financings(uow: UnitOfWork, requests: Sequence[CommenceFinancing]) -> list[Outcome[AgreementView]]:
    """Begin signed finance leases and loans: interest and instalments run from the date given, and the customer is told.

    Said again with the same date and reference, the answer is the same and nothing is written. Refused with AgreementUnknown,
    CommencesByHandover, NotOpenForCommencement, DisbursedDiffers, or Invalid naming the field.
    """
    held = await store.lock_agreements(uow, [request.agreement_id for request in requests])
    outcomes: list[Outcome[AgreementView]] = []
    begun: list[tuple[Agreement, CommenceFinancing]] = []
    for request in requests:
        agreement = held.get(request.agreement_id)
        if agreement is None:
            outcomes.append(AgreementUnknown())
            continue
        refusal = _wrong_sum(agreement, request)
        if refusal is None and not _is_repeated(agreement, request):
            refusal = _not_open(agreement) or _wrong_date(uow, agreement, request)
            if refusal is None:
                begun.append((agreement, request))
                # A second request for it in this batch meets an active agreement.
                agreement = held[agreement.id] = replace(
                    agreement,
                    state=AGREEMENT_MOVES.move(agreement.state, AgreementState.ACTIVE),
                    reference=request.reference,
                    commencement_on=request.commencement_on,
                )
        outcomes.append(agreement_view(agreement) if refusal is None else refusal)
    if begun:
        await store.commence(
            uow, [store.Commenced(each.id, asked.commencement_on, reference=asked.reference) for each, asked in begun]
        )
        for agreement, asked in begun:
            facts: dict[str, object] = {"family": str(agreement.terms.family), "reference": asked.reference}
            if asked.disbursed_fen is not None:
                facts["disbursed_fen"] = asked.disbursed_fen
            _commenced(uow, agreement, asked.commencement_on, facts)
        await parties.send_messages(uow, [_commencement_message(each, asked.commencement_on) for each, asked in begun])
    return outcomes


def _wrong_sum(agreement: Agreement, request: CommenceFinancing) -> Problem | None:
    """Why this is not how such an agreement begins, whatever its state."""
    financing = agreement.terms.financing
    if financing is None:
        return CommencesByHandover()
    if financing.family is not Family.LOAN:
        if request.disbursed_fen is None:
            return None
        return Invalid.field(
            "/disbursed_fen",
            "agreements.nothing_disbursed",
            "融资租赁不向承租人放款，请不要填写 disbursed_fen",
            "A finance lease disburses nothing to the lessee: leave disbursed_fen out",
        )
    drawn_fen = financing.drawn_at_start_fen
    if (request.disbursed_fen or 0) == drawn_fen:
        return None
    detail_zh = f"起算日放款金额须等于约定的 {drawn_fen} 分：利息和费用不得预先扣除"
    detail_en = f"disbursed_fen must be what was agreed for the day, {drawn_fen} fen: nothing may be deducted in advance"
    error = FieldError("/disbursed_fen", DisbursedDiffers.code, detail_zh, detail_en)
    return DisbursedDiffers(detail_zh, detail_en, errors=(error,))


def _is_repeated(agreement: Agreement, request: CommenceFinancing) -> bool:
    return (agreement.commencement_on, agreement.reference) == (request.commencement_on, request.reference)


def _not_open(agreement: Agreement) -> Problem | None:
    if AGREEMENT_MOVES.allows(agreement.state, AgreementState.ACTIVE):
        return None
    if agreement.commencement_on is not None:
        return NotOpenForCommencement(
            f"合同已于 {agreement.commencement_on} 起算，凭据为 {agreement.reference}，不能更改",
            f"The agreement commenced on {agreement.commencement_on} with {agreement.reference}; that cannot be changed",
            state=str(agreement.state),
        )
    return NotOpenForCommencement(
        f"合同当前状态为 {agreement.state}，只有 signed 的合同可以起算",
        f"The agreement is {agreement.state}; only a signed one can commence",
        state=str(agreement.state),
    )


def _wrong_date(uow: UnitOfWork, agreement: Agreement, request: CommenceFinancing) -> Problem | None:
    signed_on = None if agreement.signed_at is None else uow.calendar.business_date(agreement.signed_at)
    if request.commencement_on > uow.business_date:
        return Invalid.field(
            "/commencement_on",
            "agreements.commencement_in_future",
            f"起算日不能晚于今天 {uow.business_date}",
            f"commencement_on cannot be after today, {uow.business_date}",
        )
    if signed_on is not None and request.commencement_on < signed_on:
        return Invalid.field(
            "/commencement_on",
            "agreements.commencement_before_signature",
            f"起算日不能早于签署日 {signed_on}",
            f"commencement_on cannot be before the signature, {signed_on}",
        )
    return None


def _commenced(
    uow: UnitOfWork,
    agreement: Agreement,
    commencement_on: BusinessDate,
    proof: Mapping[str, object],
    asset_id: UUID | None = None,
) -> None:
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
    facts = {**proof, "commencement_on": commencement_on.isoformat()}
    evidence.append(uow, [evidence.Leaf("agreements.agreement.commenced", agreement.id, facts)])


def _commencement_message(agreement: Agreement, commencement_on: BusinessDate) -> parties.MessageDraft:
    disclosed = disclosure_of(agreement.terms, commencement_on)
    invariant(disclosed is not None, "only a financing is commenced so")
    assert disclosed is not None
    first = disclosed.schedule[0]
    return parties.MessageDraft(
        party_id=agreement.party_id,
        subject_id=agreement.id,
        template=parties.MessageTemplate.AGREEMENT_COMMENCED,
        variables={
            "family": agreement.terms.family,
            "agreement_no": agreement.agreement_no,
            "commencement_on": commencement_on.isoformat(),
            "amount_fen": first.total_fen,
            "due_on": first.due_on.isoformat(),
        },
    )


async def pass_agreements(uow: UnitOfWork, party_ids: Mapping[UUID, UUID]) -> None:
    """Another lessee or borrower took over, by the lessor's recorded consent (Civil Code arts. 551, 555): agreement → party."""
    await store.pass_to(uow, party_ids)
    evidence.append(
        uow,
        [
            evidence.Leaf("agreements.agreement.passed", agreement_id, {"party_id": public_id(Prefix.PARTY, party_id)})
            for agreement_id, party_id in party_ids.items()
        ],
    )


async def end_agreements(uow: UnitOfWork, settled_on: Mapping[UUID, BusinessDate]) -> None:
    """Everything is returned, or paid, and settled: agreement → date. The customer is told."""
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
            if each.terms.financing is None
            else parties.MessageDraft(
                party_id=each.party_id,
                subject_id=each.id,
                template=parties.MessageTemplate.AGREEMENT_REPAID,
                variables={"agreement_no": each.agreement_no, "family": each.terms.family},
            )
            for each in ended
        ],
    )
