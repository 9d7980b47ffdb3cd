"""Changing agreements after commencement. ``plan_amendments`` says what is to be done; here it is done, in one transaction each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import booking, controls, moving
from xinzu.back.billing.commands.earning import booked_on, earned_entry
from xinzu.back.billing.commands.issue_schedules import due_entries, say_due
from xinzu.back.billing.commands.partner_shares import follow_shares
from xinzu.back.billing.commands.plan_amendments import Amendment, LesseeTransfer, Plan, plan_of, preview_of
from xinzu.back.billing.errors import PositionChanged
from xinzu.back.billing.events import AmendmentMade, LesseeTransferred
from xinzu.back.billing.model import AccountState, ChargeKind, Instalment, InstalmentState, ItemKind
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.asset_class import OBSERVATION_MONTHS
from xinzu.back.billing.rules.legs import standing
from xinzu.back.billing.rules.schedules.terms import refused
from xinzu.back.billing.rules.servicing.change import Change
from xinzu.back.billing.rules.servicing.default import ValueBasis
from xinzu.back.billing.rules.servicing.position import (
    position_sha256,
    schedule_sha256,
)
from xinzu.back.billing.rules.suspension import suspended_after
from xinzu.back.billing.rules.vat import vat_fen
from xinzu.back.billing.schemas import Amended
from xinzu.back.billing.store import accounts, amendments, earned, items, receipts
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate, add_months
from xinzu.platform import approvals
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger
from xinzu.records.parties import api as parties

ONE_DAY = timedelta(days=1)
SOURCE_RECOVERED = "recovered_things"


async def amend(uow: UnitOfWork, given: Sequence[Amendment]) -> list[Outcome[Amended]]:
    """Change agreements: legs to come fall away, legs of the next version take their place, charges are raised, differences of what was
    asked for already are corrected, and held money is set against what is due now.

    Books what every account stands for afterwards (``rules.postings.amended``); income earned by yesterday is earned again by the new
    legs. A terminated lease's recovered thing comes in as a receipt at its value (Civil Code art. 758). In the same transaction:
    AmendmentMade, LesseeTransferred, ChargeRaised, SettlementDetermined where the agreement ends, and the evidence of the schedule before
    and after with the reason.

    Refuses an item, before anything is written for it, with AccountMissing, ScheduleMissing, NotAmendable, PositionChanged, PartyUnknown,
    SecondPersonNeeded (``controls.TERMINATION``), or Invalid naming the field.
    """
    outcomes: list[Outcome[Amended]] = []
    entries: list[ledger.Entry | None] = []
    leaves: list[evidence.Leaf] = []
    shared: list[UUID] = []
    await accounts.lock(uow, sorted({asked.agreement_id for asked in given}))
    for asked in given:
        try:
            account = await accounts.find(uow, asked.agreement_id)
            plan = await plan_of(uow, account, asked)
            await _check(uow, plan, asked)
        except Problem as refusal:
            outcomes.append(refusal)
            continue
        made = _record(uow, plan, asked)
        entries += await _carry_out(uow, plan, made)
        await amendments.insert(uow, asked.agreement_id, made)
        outcomes.append(await _state(uow, plan, made, asked))
        leaves.append(_leaf(plan, made))
        if plan.account.has_shares:
            shared.append(plan.account.agreement_id)
    entries += await follow_shares(uow, shared)
    await booking.post(uow, entries)
    evidence.append(uow, leaves)
    return outcomes


async def _check(uow: UnitOfWork, plan: Plan, asked: Amendment) -> None:
    """What only the commit needs: the day has come, nothing has moved since the preview, the new lessee is known."""
    if plan.change.on > uow.business_date:
        raise refused(
            "on", f"不得晚于今天 {uow.business_date}：请届时办理", "must not be after today: preview it now and do it on the day"
        )
    if asked.expected_sha256 not in (None, position_sha256(plan.position)):
        raise PositionChanged
    if plan.change.kind == "termination":
        await approvals.check(uow, controls.TERMINATION, plan.change.arrears_fen + plan.change.falls_away_fen)
    if isinstance(asked.event, LesseeTransfer):
        if asked.event.party_id == plan.account.party_id:
            raise refused("party_id", "新承租人须不同于原承租人", "must be another party than the present one")
        if not await parties.masked_people(uow, [asked.event.party_id]):
            raise parties.PartyUnknown


def _record(uow: UnitOfWork, plan: Plan, asked: Amendment) -> amendments.Amendment:
    return amendments.Amendment(
        id=new_id(),
        version=plan.version,
        kind=plan.change.kind,
        effective_on=plan.change.on,
        request=msgspec.to_builtins(asked.event),
        in_force=plan.in_force,
        why=plan.change.why,
        reason=asked.reason,
        made_by=str(uow.actor),
        recorded_at=uow.now,
    )


async def _carry_out(uow: UnitOfWork, plan: Plan, made: amendments.Amendment) -> list[ledger.Entry | None]:
    """Write what the plan says and return its entries. The account is locked and not yet restated."""
    agreement_id, family = plan.account.agreement_id, plan.account.family
    yesterday, today = uow.business_date - ONE_DAY, uow.business_date
    grown = list(await earned.earn(uow, yesterday, [agreement_id], unfinished=True))
    stood_due = await items.fall_due(uow, today, [agreement_id])
    changed = _changed(plan, await items.instalments_of(uow, [agreement_id]))
    await _give_back(uow, agreement_id, changed)
    await amendments.cut(uow, [cut for _, cut in changed])
    known = {leg.ref for leg in plan.position.legs}
    new = [standing(leg, new_id(), agreement_id, leg.version) for leg in plan.moved.legs if leg.ref not in known]
    if new:
        await items.insert_instalments(uow, new)
    is_terminated = plan.change.kind == "termination"
    moved = postings.amended(family, changed, new, is_terminated=is_terminated)
    entries = [booking.entry("billing.amended", made.id, today, [(agreement_id, moved)])]
    grown += await earned.earn(uow, yesterday, [agreement_id], unfinished=True)
    entries.append(earned_entry(made.id, await booked_on(uow, yesterday), grown))
    entries += await moving.raise_charges(uow, family, _raised(plan), today)
    due = [*stood_due, *await items.fall_due(uow, today, [agreement_id])]
    entries += due_entries(due)
    recovered = await _take_in(uow, plan, made)
    applied = await moving.apply_funds(uow, [agreement_id])
    if not plan.is_final:  # what ends the agreement is collected with the balance, not leg by leg
        gone = {cut.id for _, cut in changed if cut.open_fen == 0}
        say_due(uow, [row for row in due if row.id not in gone], applied.per_item())
    in_kind = {row.id for row in applied.rows if recovered is not None and row.receipt_id == recovered.id}
    entries += moving.credit_entries(uow, applied, in_kind)
    if recovered is not None:
        settled = applied.settled_by(in_kind).get(recovered.id, [])
        came_in = postings.receipt(
            postings.cash_of(recovered.provider), settled, recovered.amount_fen - sum(fen for _, fen in settled)
        )
        entries.append(booking.entry("billing.receipt", recovered.id, today, [(agreement_id, came_in)]))
    return entries


def _changed(plan: Plan, stood: Sequence[Instalment]) -> list[tuple[Instalment, Instalment]]:
    """Legs that fall away in whole or part, as they stand and as they will. What was earned on those that fall away whole is earned no
    more; of a terminated lease it stays. What of suspended interest falls away is suspended no more (``rules.suspension``)."""
    by_ref = {leg.ref: leg for leg in stood}
    asked_for = {leg.ref: leg for leg in plan.position.legs}
    rate_pct = postings.vat_rate_pct(plan.account.family, ItemKind.INTEREST)
    changed = []
    for leg in plan.moved.legs:
        if leg == asked_for.get(leg.ref) or leg.ref not in by_ref:
            continue
        before = by_ref[leg.ref]
        suspended_fen = suspended_after(before.suspended_fen, leg.open_fen)
        is_taken_back = leg.state is InstalmentState.CANCELLED and plan.change.kind != "termination"
        cut = replace(
            before,
            cancelled_fen=leg.cancelled_fen,
            paid_fen=leg.paid_fen,
            state=leg.state,
            earned_fen=0 if is_taken_back else before.earned_fen + before.suspended_fen - suspended_fen,
            suspended_fen=suspended_fen,
            suspended_vat_fen=min(before.suspended_vat_fen, vat_fen(suspended_fen, rate_pct)),
        )
        changed.append((before, cut))
    return changed


async def _give_back(uow: UnitOfWork, agreement_id: UUID, changed: Sequence[tuple[Instalment, Instalment]]) -> None:
    """What was paid on legs beyond what they still ask for is free again, of the newest receipts first."""
    freed_fen = {before.id: before.paid_fen - cut.paid_fen for before, cut in changed if before.paid_fen > cut.paid_fen}
    if not freed_fen:
        return
    rows = []
    for row in sorted(await receipts.allocated_to(uow, list(freed_fen), []), key=lambda row: row.receipt_id, reverse=True):
        if row.instalment_id is not None and (part_fen := min(row.amount_fen, freed_fen[row.instalment_id])) > 0:
            freed_fen[row.instalment_id] -= part_fen
            rows.append(receipts.AllocationRow(new_id(), agreement_id, row.receipt_id, row.instalment_id, None, -part_fen))
    await receipts.insert_allocations(uow, rows)


def _raised(plan: Plan) -> list[items.NewCharge]:
    return [
        items.NewCharge(
            new_id(), plan.account.agreement_id, ChargeKind(charge.kind), plan.change.on, charge.amount_fen, charge.why
        )
        for charge in plan.change.charges
    ]


async def _take_in(uow: UnitOfWork, plan: Plan, made: amendments.Amendment) -> receipts.NewReceipt | None:
    """The recovered thing, as a receipt at its value; sold, as the money its sale brought."""
    reckoning = plan.change.reckoning
    if reckoning is None or not reckoning.value_fen:
        return None
    reference = public_id(Prefix.AMENDMENT, made.id)
    recovered = receipts.NewReceipt(
        id=new_id(),
        agreement_id=plan.account.agreement_id,
        source=SOURCE_RECOVERED,
        source_ref=reference,
        purpose="recovery",
        provider=postings.BANK_TRANSFER if made.request.get("basis") == ValueBasis.SALE else postings.RECOVERED_THING,
        provider_trade_no=reference,
        amount_fen=reckoning.value_fen,
        received_on=uow.business_date,
    )
    await receipts.insert_receipts(uow, [recovered])
    return recovered


async def _state(uow: UnitOfWork, plan: Plan, made: amendments.Amendment, asked: Amendment) -> Amended:
    """Bring the account in line and say what has happened."""
    account, change = plan.account, plan.change
    party_id = asked.event.party_id if isinstance(asked.event, LesseeTransfer) else account.party_id
    await accounts.amend(
        uow,
        account.agreement_id,
        version=plan.version,
        party_id=party_id,
        ageing=_ageing(change),
        no_late_fee_to=change.no_late_fee[1] if change.no_late_fee else None,
    )
    uow.emit(
        AmendmentMade(
            subject_id=account.agreement_id,
            party_id=party_id,
            amendment_id=made.id,
            kind=change.kind,
            formula=change.why.formula,
            effective_on=change.on,
            version=plan.version,
            due_now_fen=change.due_now_fen,
        )
    )
    if party_id != account.party_id:
        uow.emit(
            LesseeTransferred(
                subject_id=account.agreement_id, party_before_id=account.party_id, party_id=party_id, effective_on=change.on
            )
        )
    if plan.ends:
        await accounts.move(uow, [account.agreement_id], AccountState.SETTLING)
    [standing_now] = (await moving.restate(uow, [account.agreement_id])).values()
    is_said = plan.ends or (plan.is_final and standing_now.owed_fen > 0)
    if is_said:
        uow.emit(moving.determined(standing_now))
    if not is_said or (standing_now.owed_fen == 0 and standing_now.credit_fen == 0):
        await moving.close_settled(uow, [standing_now])
    return Amended(
        id=public_id(Prefix.AMENDMENT, made.id),
        balance_due_fen=standing_now.owed_fen,
        credit_balance_fen=standing_now.credit_fen,
        **msgspec.structs.asdict(preview_of(plan)),
    )


def _ageing(change: Change) -> tuple[BusinessDate | None, BusinessDate | None] | None:
    """Since when and until when days past due go on after a re-ageing: as long as a restructured asset is observed."""
    if change.ageing_since is not None:
        return change.ageing_since, add_months(change.on, OBSERVATION_MONTHS)
    return (None, None) if change.reset_days_past_due else None


def _leaf(plan: Plan, made: amendments.Amendment) -> evidence.Leaf:
    return evidence.Leaf(
        "billing.agreement.amended",
        plan.account.agreement_id,
        {
            "amendment_id": public_id(Prefix.AMENDMENT, made.id),
            "kind": made.kind,
            "effective_on": made.effective_on.isoformat(),
            "version": made.version,
            "formula": made.why.formula,
            "due_now_fen": plan.change.due_now_fen,
            "credit_fen": plan.change.credit_fen,
            "position_sha256": position_sha256(plan.position),
            "schedule_before_sha256": schedule_sha256(plan.position),
            "schedule_after_sha256": schedule_sha256(plan.moved),
            "reason": made.reason,
            "by": made.made_by,
        },
    )
