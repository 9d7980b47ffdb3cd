"""The end of a rental whose thing becomes the lessee's (租完归送)."""

from __future__ import annotations

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.model import ChargeKind, Why
from xinzu.back.billing.store import accounts, items
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

_WHY = Why(
    formula="transfer_price",
    words_zh="租期届满、租金付清：约定的所有权转移价款，付清后租赁物归承租人所有",
    words_en="The term is over and the rents are paid: the agreed price for which the thing is the lessee's",
)


async def pass_ownership(uow: UnitOfWork, opens_on: BusinessDate, draft: booking.Draft) -> None:
    """Rentals that end in ownership, whose term is over on the day that opens and that are paid: the transfer price is charged, if there is
    one, and the account settles without a return. Who still owes something keeps the thing as a lessee until it is paid.

    The accounts must be locked. Books the price as income from sale; held money is set against it. In the same transaction: ChargeRaised,
    SettlementDetermined, and AccountSettled with OwnershipPassed where nothing is owed either way.
    """
    ending = await accounts.to_pass(uow, opens_on)
    if not ending:
        return
    agreement_ids = [row.agreement_id for row in ending]
    raised = [
        items.NewCharge(new_id(), row.agreement_id, ChargeKind.BUYOUT, opens_on, row.buyout_fen, _WHY)
        for row in ending
        if row.buyout_fen > 0
    ]
    draft.add_entries(await moving.raise_charges(uow, Family.RENTAL, raised, opens_on))
    applied = await moving.apply_funds(uow, [charge.agreement_id for charge in raised])
    draft.add_entries(moving.credit_entries(uow, applied))
    await accounts.keep(uow, agreement_ids, opens_on)
    await moving.settle(uow, agreement_ids)
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "billing.thing.kept",
                row.agreement_id,
                {"kept_on": opens_on.isoformat(), "transfer_fen": row.buyout_fen},
            )
            for row in ending
        ],
    )
