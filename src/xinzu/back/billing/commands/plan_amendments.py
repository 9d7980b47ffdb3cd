"""What a change of an agreement would do, reckoned before anything is written: from a request to the event, by the rule of its kind, to
the plan that ``amend`` carries out. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from xinzu.back.billing.errors import AccountMissing, NotAmendable, ScheduleMissing, ValueNotAwaited
from xinzu.back.billing.model import AccountState, InstalmentState, Leg
from xinzu.back.billing.rules.legs import with_shifted_dues
from xinzu.back.billing.rules.schedules.agreed import agreed_schedule
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy
from xinzu.back.billing.rules.schedules.terms import refused
from xinzu.back.billing.rules.servicing import default, ending, payoff, prepayment, reschedule
from xinzu.back.billing.rules.servicing.change import Change, after, not_before
from xinzu.back.billing.rules.servicing.position import (
    InForce,
    OpenCharge,
    Position,
    position_of,
    position_sha256,
    schedule_sha256,
)
from xinzu.back.billing.schemas import AmendmentPreview, AnyAmendment, BuyoutBody, NewCharge, NewLeg, TransferBody
from xinzu.back.billing.store import accounts, amendments, items
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import ReadSession

AHEAD_DAYS_MAX = 3_660


@dataclass(frozen=True, slots=True, kw_only=True)
class LesseeTransfer(ending.Transfer):
    """Another lessee takes over: ``party_id``."""

    party_id: UUID


Event = (
    prepayment.Prepayment
    | payoff.Payoff
    | reschedule.RateChange
    | reschedule.ReAmortise
    | reschedule.Extension
    | reschedule.Moratorium
    | reschedule.Restructure
    | reschedule.ReAge
    | ending.Renewal
    | ending.Buyout
    | LesseeTransfer
    | default.Acceleration
    | default.Termination
    | default.ValueKnown
)


def _transfer(position: Position, event: LesseeTransfer) -> Change:
    """An account has one debtor: what stays with the old lessee must be paid by him first."""
    transferred = ending.transfer(position, event)
    if transferred.stays:
        open_fen = sum(item.open_fen for item in transferred.stays)
        raise refused(
            "open_items",
            f"原承租人尚有 {open_fen} 分未付：请先收清，或由新承租人承担",
            f"leaves {open_fen} fen with the old lessee: let them be paid first, or pass to the new one (with_new)",
        )
    return Change(kind="transfer", on=event.on, why=transferred.why)


_RULES: Mapping[type, Callable[[Position, Any], Change]] = {
    prepayment.Prepayment: prepayment.prepay,
    payoff.Payoff: payoff.pay_off,
    reschedule.RateChange: reschedule.change_rate,
    reschedule.ReAmortise: reschedule.re_amortise,
    reschedule.Extension: reschedule.extend,
    reschedule.Moratorium: reschedule.pause,
    reschedule.Restructure: reschedule.restructure,
    reschedule.ReAge: reschedule.re_age,
    ending.Renewal: ending.renew,
    ending.Buyout: ending.buy_out,
    LesseeTransfer: _transfer,
    default.Acceleration: default.accelerate,
    default.Termination: default.terminate,
    default.ValueKnown: default.settle_value,
}


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of an agreement, with its reason. ``expected_sha256`` is the fingerprint of the position that was previewed."""

    agreement_id: UUID
    event: Event
    reason: str
    expected_sha256: str | None = None
    evidence_ref: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change would do: everything is reckoned before anything is written."""

    account: accounts.Account
    position: Position
    change: Change
    moved: Position

    @property
    def ends(self) -> bool:
        """Whether the account is settling from now on. A payoff settles a financing when it is paid; until then it may fall late."""
        return self.change.kind == "buyout" or self.change.reckoning is not None

    @property
    def is_final(self) -> bool:
        """Whether the final balance stands with it."""
        return self.ends or self.change.kind == "payoff"

    @property
    def version(self) -> int:
        return max(self.account.version, *(leg.version for leg in self.moved.legs))

    @property
    def in_force(self) -> InForce | None:
        """The terms of the schedule from now on, None when they stay."""
        if self.change.terms is None:
            return None
        change = self.change
        return InForce(
            terms=self.change.terms,
            version=change.version,
            first_number=change.first_number,
            carried_fen=change.carried_fen,
            pause=change.pause,
            behind=change.behind,
        )


_EVENTS: Mapping[str, type] = {
    "prepayment": prepayment.Prepayment,
    "payoff": payoff.Payoff,
    "rate_change": reschedule.RateChange,
    "re_amortise": reschedule.ReAmortise,
    "extension": reschedule.Extension,
    "moratorium": reschedule.Moratorium,
    "restructure": reschedule.Restructure,
    "re_age": reschedule.ReAge,
    "renewal": ending.Renewal,
    "acceleration": default.Acceleration,
    "termination": default.Termination,
    "recovered_value": default.ValueKnown,
}


def amendment_of(agreement_id: UUID, body: AnyAmendment) -> Amendment:
    """The change that a request asks for. Raises Invalid for a party id that is none."""
    event: Any
    if isinstance(body, BuyoutBody):
        price = None if body.price_fen is None else ending.PriceTable(prices_fen=(body.price_fen,))
        event = ending.Buyout(on=body.on, price=price)
    elif isinstance(body, TransferBody):
        try:
            party_id = parse_id(Prefix.PARTY, body.party_id)
        except ValueError:
            raise refused("party_id", "应为 pty_ 开头的编号", "takes an id that begins with pty_") from None
        stay = ending.OpenItemsStay(body.open_items)
        event = LesseeTransfer(on=body.on, open_items=stay, consent_ref=body.consent_ref, party_id=party_id)
    else:
        fields = msgspec.to_builtins(body)
        event = msgspec.convert(fields, _EVENTS[fields["kind"]])
    return Amendment(agreement_id, event, body.reason, body.expected_sha256, getattr(body, "evidence_ref", None) or "")


_ABOUT_VALUE = {"termination", "recovered_value"}


async def position_at(read: ReadSession, account: accounts.Account) -> Position:
    """An agreement as it stands today: what is due today counts as due, also before the close has said so. Raises ScheduleMissing."""
    if account.commencement_on is None:
        raise ScheduleMissing
    today = read.business_date
    legs = [
        replace(leg, state=InstalmentState.DUE) if leg.state is InstalmentState.SCHEDULED and leg.due_on <= today else leg
        for leg in await items.instalments_of(read, [account.agreement_id])
    ]
    open_charges = [
        OpenCharge(str(charge.id), charge.kind.value, charge.due_on, charge.amount_fen - charge.paid_fen - charge.cancelled_fen)
        for charge in await items.charges_of(read, [account.agreement_id])
    ]
    in_force = await amendments.in_force(read, account.agreement_id)
    if in_force is None and account.financing is not None:
        in_force = InForce(terms=agreed_schedule(account, account.financing, account.commencement_on))
    return position_of(
        account.family if account.financing is None else account.financing.family,  # by law, not as it is booked
        today,
        legs,
        charges=[charge for charge in open_charges if charge.open_fen],
        terms=in_force.terms if in_force else None,
        version=in_force.version if in_force else 1,
        first_number=in_force.first_number if in_force else 1,
        buyout_fen=account.buyout_fen or 0,
        device_value_fen=account.device_value_fen,
        carried_fen=in_force.carried_fen if in_force else 0,
        pause=in_force.pause if in_force else None,
        behind=in_force.behind if in_force else 0,
        buyout_prices_fen=account.buyout_prices_fen,
    )


async def preview_amendments(read: ReadSession, given: Sequence[Amendment]) -> list[Outcome[AmendmentPreview]]:
    """What changes would do, by the same rules as ``amend``; writes nothing. A date to come is allowed: it is reckoned as if nothing were
    paid or charged until then. Refuses with what ``amend`` refuses with."""
    outcomes: list[Outcome[AmendmentPreview]] = []
    for asked in given:
        try:
            account = await accounts.find(read, asked.agreement_id)
            outcomes.append(preview_of(await plan_of(read, account, asked)))
        except Problem as refusal:
            outcomes.append(refusal)
    return outcomes


async def plan_of(read: ReadSession, account: accounts.Account | None, asked: Amendment) -> Plan:
    if account is None:
        raise AccountMissing
    if account.commencement_on is None or account.written_off_on is not None:
        raise NotAmendable
    if isinstance(asked.event, default.ValueKnown):  # whoever has paid what he owed is due the whole value
        await _awaits_value(read, account)
    elif account.state is not AccountState.OPEN:
        raise NotAmendable
    not_before(asked.event.on, account.commencement_on)
    if (asked.event.on - read.business_date).days > AHEAD_DAYS_MAX:
        raise refused("on", "超出可试算的期间", f"must not be more than {AHEAD_DAYS_MAX} days ahead")
    position = await position_at(read, account)
    change = _RULES[type(asked.event)](position, asked.event)
    shifted_legs = with_shifted_dues(change.new_legs, ShiftPolicy(account.due_shift), change.on)
    change = replace(change, new_legs=shifted_legs)
    return Plan(account, position, change, after(position, change))


async def _awaits_value(read: ReadSession, account: accounts.Account) -> None:
    """Raises ValueNotAwaited unless the agreement was terminated with the value of its thing left open, and it has not been settled since."""
    newest = next((made for made in await amendments.of_agreement(read, account.agreement_id) if made.kind in _ABOUT_VALUE), None)
    if newest is None or newest.kind != "termination" or newest.request.get("recovered_value_fen") is not None:
        raise ValueNotAwaited


def preview_of(plan: Plan) -> AmendmentPreview:
    change = plan.change
    known = {leg.ref for leg in plan.position.legs}
    return AmendmentPreview(
        kind=change.kind,
        effective_on=change.on,
        version=plan.version,
        formula=change.why.formula,
        words_zh=change.why.words_zh,
        words_en=change.why.words_en,
        inputs=dict(change.why.inputs),
        due_now_fen=change.due_now_fen,
        arrears_fen=change.arrears_fen,
        credit_fen=change.credit_fen,
        rebate_fen=change.rebate_fen,
        falls_away_fen=change.falls_away_fen,
        accrued_interest_fen=change.accrued.interest_fen if change.accrued else 0,
        annual_cost_pct=change.annual_cost_pct,
        surplus_fen=change.reckoning.surplus_fen if change.reckoning else 0,
        shortfall_fen=change.reckoning.shortfall_fen if change.reckoning else 0,
        new_legs=[_new_leg(leg) for leg in plan.moved.legs if leg.ref not in known],
        new_charges=[NewCharge(kind=charge.kind, amount_fen=charge.amount_fen) for charge in change.charges],
        position_sha256=position_sha256(plan.position),
        schedule_sha256=schedule_sha256(plan.moved),
    )


def _new_leg(leg: Leg) -> NewLeg:
    return NewLeg(
        number=leg.number,
        role=leg.role.value,
        from_on=leg.from_on,
        to_on=leg.to_on,
        due_on=leg.due_on,
        amount_fen=leg.amount_fen,
    )
