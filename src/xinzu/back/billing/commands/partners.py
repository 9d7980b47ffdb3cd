"""Partners 合作方: their shares by agreement, what is owed to them, and paying it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import booking
from xinzu.back.billing.commands.partner_shares import follow_shares
from xinzu.back.billing.errors import AccountMissing, PartnerUnknown, PayoutConflict, PayoutExceedsOwed
from xinzu.back.billing.events import PayoutRecorded
from xinzu.back.billing.model import ShareBasis
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.partner_shares import AgreedShare
from xinzu.back.billing.rules.splits import Share, check_shares
from xinzu.back.billing.store import accounts
from xinzu.back.billing.store import partners as store
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """A share as it is agreed: basis points within floor and cap, or a fixed amount of each item paid in full."""

    partner_id: UUID
    share_bp: int = 0
    fixed_fen: int = 0
    floor_fen: int = 0
    cap_fen: int | None = None


@dataclass(frozen=True, slots=True)
class ShareAgreement:
    """Who has which shares in an agreement's items that fall due from a date on; none ends them."""

    agreement_id: UUID
    from_on: BusinessDate
    by_basis: Mapping[ShareBasis, Sequence[ShareTerms]]
    agreed_ref: str


@dataclass(frozen=True, slots=True)
class NewPayout:
    """Money paid to a partner by bank transfer. The bank's reference names it."""

    partner_id: UUID
    reference: str
    amount_fen: int


class PartnerView(msgspec.Struct, kw_only=True):
    """A partner and what is owed to him in fen; below zero he owes it back, and it is set off against what comes."""

    id: str
    name: str
    owed_fen: int


class ShareView(msgspec.Struct, kw_only=True):
    """A share in items of ``basis`` (rent, interest, residual) that fall due from ``from_on`` and, when it has ended, before ``to_on``."""

    partner_id: str
    basis: str
    share_bp: int
    fixed_fen: int
    floor_fen: int
    cap_fen: int | None
    from_on: BusinessDate
    to_on: BusinessDate | None
    agreed_ref: str


class PartnerTotal(msgspec.Struct, kw_only=True):
    """What a partner's shares in an agreement have come to."""

    partner_id: str
    amount_fen: int


class AgreementShares(msgspec.Struct, kw_only=True):
    """The shares in an agreement and what they have come to."""

    shares: list[ShareView]
    totals: list[PartnerTotal]


class Paid(msgspec.Struct, kw_only=True):
    """A payout, and what is still owed. ``is_new`` is false when it was recorded before."""

    id: str
    amount_fen: int
    owed_fen: int
    is_new: bool


class SettlementLine(msgspec.Struct, kw_only=True):
    """A share in what was received of an item (``received_fen`` by then), or a payout, which is below zero. ``kind`` is rent, interest,
    buyout or payout."""

    id: str
    on: BusinessDate
    kind: str
    agreement_id: str | None
    item_id: str | None
    received_fen: int
    amount_fen: int
    reference: str | None


class PartnerSettlement(msgspec.Struct, kw_only=True):
    """A partner's settlement between two dates, both included: opening plus shares less paid is closing. Lines newest first."""

    partner: PartnerView
    first: BusinessDate
    last: BusinessDate
    opening_fen: int
    shares_fen: int
    paid_fen: int
    closing_fen: int
    items: list[SettlementLine]
    next_cursor: str | None = None


async def register_partners(uow: UnitOfWork, names: Sequence[str]) -> list[Outcome[PartnerView]]:
    """Make partners known by name; one that is known is returned as it stands."""
    outcomes: list[Outcome[PartnerView]] = []
    for name in names:
        await store.insert_partner(uow, new_id(), name)
        known = await store.partner_called(uow, name)
        outcomes.append(PartnerUnknown() if known is None else partner_view(known))
    return outcomes


async def agree_shares(uow: UnitOfWork, given: Sequence[ShareAgreement]) -> list[Outcome[AgreementShares]]:
    """Set who has which shares in an agreement from a date on, in place of the present ones. What has been received of items due since then is
    shared anew, and the difference booked: cost of partners against what is owed to them. Kept as evidence.

    Refuses with AccountMissing, PartnerUnknown, or Invalid naming the share.
    """
    outcomes: list[Outcome[AgreementShares]] = []
    await accounts.lock(uow, sorted({asked.agreement_id for asked in given}))
    entries = []
    for asked in given:
        try:
            shares = await _checked(uow, asked)
        except Problem as refusal:  # found before anything is written
            outcomes.append(refusal)
            continue
        await booking.open_chart(uow)  # a tenant from before there were partners has no accounts for them
        await store.replace_shares(uow, asked.agreement_id, asked.from_on, shares, asked.agreed_ref)
        entries += await follow_shares(uow, [asked.agreement_id])
        outcomes.append(await shares_in(uow, asked.agreement_id))
        evidence.append(uow, [evidence.Leaf("billing.shares.agreed", asked.agreement_id, _facts(uow, asked, shares))])
    await booking.post(uow, entries)
    return outcomes


async def _checked(uow: UnitOfWork, asked: ShareAgreement) -> list[AgreedShare]:
    if await accounts.find(uow, asked.agreement_id) is None:
        raise AccountMissing
    shares = []
    for basis, terms in asked.by_basis.items():
        for n, each in enumerate(terms):
            if (each.share_bp == 0) is (each.fixed_fen == 0):
                raise Invalid.field(
                    f"/{basis}/{n}",
                    "billing.shares_refused",
                    "须且只能填写比例（share_bp）或固定金额（fixed_fen）之一",
                    "A share is either share_bp or fixed_fen: give exactly one",
                )
            if await store.partner(uow, each.partner_id) is None:
                raise PartnerUnknown
        check_shares([Share(each.partner_id, each.share_bp, each.floor_fen, each.cap_fen) for each in terms], at=basis.value)
        shares += [
            AgreedShare(
                new_id(), each.partner_id, basis, each.share_bp, each.fixed_fen, each.floor_fen, each.cap_fen, asked.from_on
            )
            for each in terms
        ]
    return shares


def _facts(uow: UnitOfWork, asked: ShareAgreement, shares: Sequence[AgreedShare]) -> dict[str, object]:
    return {
        "from_on": asked.from_on.isoformat(),
        "agreed_ref": asked.agreed_ref,
        "shares": [
            {
                "partner_id": public_id(Prefix.PARTNER, share.partner_id),
                "basis": share.basis.value,
                "share_bp": share.share_bp,
                "fixed_fen": share.fixed_fen,
                "floor_fen": share.floor_fen,
                **({} if share.cap_fen is None else {"cap_fen": share.cap_fen}),
            }
            for share in shares
        ],
        "by": str(uow.actor),
    }


async def record_payouts(uow: UnitOfWork, given: Sequence[NewPayout]) -> list[Outcome[Paid]]:
    """Record what was paid to partners from the bank today. The same reference is recorded once. Books the liability against the bank.

    Refuses with PartnerUnknown, PayoutConflict, or PayoutExceedsOwed.
    """
    outcomes: list[Outcome[Paid]] = []
    entries = []
    for asked in given:
        await store.lock_partner(uow, asked.partner_id)
        known = await store.payout_of(uow, asked.reference)
        partner = await store.partner(uow, asked.partner_id)
        if partner is None:
            outcomes.append(PartnerUnknown())
        elif known is not None:
            is_same = (known.partner_id, known.amount_fen) == (asked.partner_id, asked.amount_fen)
            outcomes.append(_paid(known.id, asked, partner.owed_fen, is_new=False) if is_same else PayoutConflict())
        elif asked.amount_fen > partner.owed_fen:
            outcomes.append(PayoutExceedsOwed(owed_fen=partner.owed_fen, asked_fen=asked.amount_fen))
        else:
            payout_id = new_id()
            await store.insert_payout(uow, payout_id, asked.partner_id, asked.reference, asked.amount_fen)
            moved = [(asked.partner_id, postings.payout(asked.amount_fen))]
            entries.append(booking.entry("billing.payout", payout_id, uow.business_date, moved))
            owed_fen = partner.owed_fen - asked.amount_fen
            uow.emit(
                PayoutRecorded(subject_id=asked.partner_id, payout_id=payout_id, amount_fen=asked.amount_fen, owed_fen=owed_fen)
            )
            facts = {
                "payout_id": public_id(Prefix.PAYOUT, payout_id),
                "reference": asked.reference,
                "amount_fen": asked.amount_fen,
                "by": str(uow.actor),
            }
            evidence.append(uow, [evidence.Leaf("billing.payout.recorded", asked.partner_id, facts)])
            outcomes.append(_paid(payout_id, asked, owed_fen, is_new=True))
    await booking.post(uow, entries)
    return outcomes


def _paid(payout_id: UUID, asked: NewPayout, owed_fen: int, *, is_new: bool) -> Paid:
    return Paid(id=public_id(Prefix.PAYOUT, payout_id), amount_fen=asked.amount_fen, owed_fen=owed_fen, is_new=is_new)


async def shares_in(read: ReadSession, agreement_id: UUID) -> AgreementShares:
    """The shares in an agreement, those that have ended among them, and what they have come to. Raises AccountMissing."""
    if await accounts.find(read, agreement_id) is None:
        raise AccountMissing
    found = (await store.shares_of(read, [agreement_id])).get(agreement_id, [])
    totals = await store.due_on_agreement_fen(read, agreement_id)
    return AgreementShares(
        shares=[
            ShareView(
                partner_id=public_id(Prefix.PARTNER, share.partner_id),
                basis=share.basis.value,
                share_bp=share.share_bp,
                fixed_fen=share.fixed_fen,
                floor_fen=share.floor_fen,
                cap_fen=share.cap_fen,
                from_on=share.from_on,
                to_on=share.to_on,
                agreed_ref=agreed_ref,
            )
            for share, agreed_ref in found
        ],
        totals=[
            PartnerTotal(partner_id=public_id(Prefix.PARTNER, partner_id), amount_fen=fen) for partner_id, fen in totals.items()
        ],
    )


async def partners(read: ReadSession, *, after: UUID | None = None, limit: int = 1_000) -> list[tuple[UUID, PartnerView]]:
    """Partners with their ids, and what is owed to each."""
    return [(found.id, partner_view(found)) for found in await store.partners(read, after, limit)]


async def settlement_of(
    read: ReadSession,
    partner_id: UUID,
    first: BusinessDate,
    last: BusinessDate,
    *,
    before: UUID | None = None,
    limit: int = 1_000,
) -> tuple[PartnerSettlement, list[UUID]]:
    """A partner's settlement list 结算单 between two dates, and the ids of its lines; ``before`` is the last id seen. Raises PartnerUnknown."""
    partner = await store.partner(read, partner_id)
    if partner is None:
        raise PartnerUnknown
    opening_fen, shares_fen, paid_fen = await store.totals(read, partner_id, first, last)
    rows = await store.lines(read, partner_id, first, last, before, limit)
    settlement = PartnerSettlement(
        partner=partner_view(partner),
        first=first,
        last=last,
        opening_fen=opening_fen,
        shares_fen=shares_fen,
        paid_fen=paid_fen,
        closing_fen=opening_fen + shares_fen - paid_fen,
        items=[
            SettlementLine(
                id=str(row.id) if row.agreement_id else public_id(Prefix.PAYOUT, row.id),
                on=row.on_date,
                kind=row.kind,
                agreement_id=public_id(Prefix.AGREEMENT, row.agreement_id) if row.agreement_id else None,
                item_id=_item(row.kind, row.item_id),
                received_fen=row.received_fen,
                amount_fen=row.amount_fen,
                reference=row.reference,
            )
            for row in rows
        ],
    )
    return settlement, [row.id for row in rows]


def _item(kind: str, item_id: UUID | None) -> str | None:
    if item_id is None:
        return None
    return public_id(Prefix.CHARGE if kind == "buyout" else Prefix.INSTALMENT, item_id)


def partner_view(partner: store.Partner) -> PartnerView:
    return PartnerView(id=public_id(Prefix.PARTNER, partner.id), name=partner.name, owed_fen=partner.owed_fen)
