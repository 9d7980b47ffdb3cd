"""Recording that a tranche of a loan was paid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from xinzu.back.billing.commands import booking
from xinzu.back.billing.errors import AccountMissing, NothingToPayOut, ScheduleMissing
from xinzu.back.billing.model import AccountState
from xinzu.back.billing.rules import postings
from xinzu.back.billing.schemas import Disbursement
from xinzu.back.billing.store import accounts, disbursements
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence


@dataclass(frozen=True, slots=True)
class PayOut:
    """A tranche that left the bank. The bank's reference names it."""

    agreement_id: UUID
    reference: str
    disbursed_on: BusinessDate
    disbursed_fen: int


async def tranches_of(read: ReadSession, account: accounts.Account) -> list[Disbursement]:
    """The agreed tranches of a loan that commenced, in order; what was paid out at the commencement, or recorded since, has its day.
    Nothing for what is financed at once."""
    if account.financing is None or account.commencement_on is None:
        return []
    recorded = await disbursements.of_agreement(read, account.agreement_id)
    found = []
    for number, tranche in enumerate(account.financing.tranches, start=1):
        agreed_on = account.commencement_on + timedelta(days=tranche.after_days)
        paid = recorded.get(number)
        paid_on = paid.disbursed_on if paid else agreed_on if tranche.after_days == 0 else None
        found.append(
            Disbursement(
                number=number,
                agreed_on=agreed_on,
                amount_fen=tranche.amount_fen,
                disbursed_on=paid_on,
                reference=paid.reference if paid else None,
            )
        )
    return found


async def pay_out(uow: UnitOfWork, given: Sequence[PayOut]) -> list[Outcome[Disbursement]]:
    """Record tranches as paid out, each on the day and with the amount agreed: the schedule counts its interest from that day, and nothing
    may be held back (Civil Code art. 670). One whose reference is recorded already changes nothing.

    Books the tranche from what is agreed and not yet paid out to the bank. Refuses with AccountMissing, ScheduleMissing before the
    commencement, NothingToPayOut, or Invalid naming the field that differs from the next agreed tranche.
    """
    outcomes: list[Outcome[Disbursement]] = []
    for asked in given:
        try:
            outcomes.append(await _pay_out(uow, asked))
        except Problem as refusal:  # found before anything is written
            outcomes.append(refusal)
    return outcomes


async def _pay_out(uow: UnitOfWork, asked: PayOut) -> Disbursement:
    account = (await accounts.lock(uow, [asked.agreement_id])).get(asked.agreement_id)
    if account is None:
        raise AccountMissing
    if account.commencement_on is None:
        raise ScheduleMissing
    tranches = await tranches_of(uow, account)
    known = next((each for each in tranches if each.reference == asked.reference), None)
    tranche = known or next((each for each in tranches if each.disbursed_on is None), None)
    if tranche is None or (known is None and account.state is not AccountState.OPEN):
        raise NothingToPayOut
    if asked.disbursed_fen != tranche.amount_fen:
        raise Invalid.field(
            "/disbursed_fen",
            "billing.tranche_differs",
            f"须等于第 {tranche.number} 笔约定放款额 {tranche.amount_fen} 分：利息和费用不得预先扣除",
            f"must be tranche {tranche.number} as agreed, {tranche.amount_fen} fen: nothing may be deducted in advance",
        )
    if asked.disbursed_on != tranche.agreed_on or asked.disbursed_on > uow.business_date:
        raise Invalid.field(
            "/disbursed_on",
            "billing.tranche_on_another_day",
            f"第 {tranche.number} 笔约定于 {tranche.agreed_on} 放款，利息自该日起算：须于该日放款且不晚于今天",
            f"Tranche {tranche.number} was agreed for {tranche.agreed_on}, from where it bears interest: pay it out on that day, not after"
            " today",
        )
    if known is not None:
        return known
    disbursement_id = new_id()
    await disbursements.insert(uow, disbursement_id, asked.agreement_id, tranche.number, asked.reference, asked.disbursed_on)
    moved = postings.tranche_paid_out(tranche.amount_fen)
    await booking.post(
        uow, [booking.entry("billing.tranche_paid", disbursement_id, asked.disbursed_on, [(asked.agreement_id, moved)])]
    )
    facts = {
        "number": tranche.number,
        "reference": asked.reference,
        "disbursed_on": asked.disbursed_on.isoformat(),
        "disbursed_fen": tranche.amount_fen,
        "by": str(uow.actor),
    }
    evidence.append(uow, [evidence.Leaf("billing.tranche.paid_out", asked.agreement_id, facts)])
    tranche.disbursed_on, tranche.reference = asked.disbursed_on, asked.reference
    return tranche
