"""The demo's financings: a few van leases and small loans, taken over or paid out when signed, and paid by bank transfer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from xinzu.app.demo.people import Behaviour, Customer, borrowers
from xinzu.app.demo.shop import LOAN, OFFERS, VAN, PlanOffer, get, post
from xinzu.app.demo.world import World
from xinzu.kernel.time import DEFAULT_CALENDAR, add_months

if TYPE_CHECKING:
    from xinzu.app.demo.fill import Rental

# Offer, behaviour, and the day of the application in percent of the demo's days. Who begins a loan early has repaid it by the end.
ORDERS: tuple[tuple[PlanOffer, Behaviour, int], ...] = (
    (LOAN, Behaviour.PROMPT, 2),
    (VAN, Behaviour.FORGETFUL, 30),
    (LOAN, Behaviour.FORGETFUL, 50),
    (VAN, Behaviour.DEFAULTER, 58),
    (VAN, Behaviour.PROMPT, 60),
    (LOAN, Behaviour.DEFAULTER, 63),
)
LAST_PAID = 5  # instalment after which a defaulter's transfers stop
LATE_EVERY, LATE_DAYS = 3, 5  # a forgetful one is late with each third instalment by so many days


def orders(slug: str, first_number: int, days: int, today: date) -> Iterator[tuple[int, Customer]]:
    """Who orders what: the offer's number at the merchant and the customer."""
    people = borrowers(first_number, [(behaviour, days * percent // 100) for _, behaviour, percent in ORDERS], today)
    for (offer, _, _), customer in zip(ORDERS, people, strict=True):
        yield OFFERS[slug].index(offer), customer


async def commence(world: World, rental: Rental) -> None:
    """The van is taken over under a protocol, or the loan is paid out to the fen."""
    on = DEFAULT_CALENDAR.business_date(world.clock.now())
    number = rental.customer.number
    body: dict[str, object] = {"commencement_on": on.isoformat(), "reference": f"交接单 {on:%Y%m%d}-{number:04d}"}
    if rental.offer is LOAN and LOAN.financing is not None:
        body |= {"reference": f"PAYOUT{on:%Y%m%d}{number:04d}", "disbursed_fen": LOAN.financing["principal_fen"]}
    await post(world.api, f"/v1/agreements/{rental.agreement_id}/commencement", body, rental.shop.headers("finance"))
    rental.commencement_on = on
    rental.stage = "repaying"


def pays_on(rental: Rental, on: date) -> bool:
    """Whether this customer's transfer for an instalment arrives on a day; instalments fall due at the end of their month."""
    if rental.stage != "repaying" or rental.commencement_on is None:
        return False
    behaviour = rental.customer.behaviour
    last = LAST_PAID if behaviour is Behaviour.DEFAULTER else rental.offer.period_count
    return any(
        add_months(rental.commencement_on, number) + timedelta(days=_late_days(behaviour, number)) == on
        for number in range(1, last + 1)
    )


def _late_days(behaviour: Behaviour, number: int) -> int:
    return LATE_DAYS if behaviour is Behaviour.FORGETFUL and number % LATE_EVERY == 0 else 0


async def pay(world: World, rental: Rental, on: date) -> None:
    """What is owed arrives at the bank, and the bookkeeper records it under the bank's reference."""
    headers = rental.shop.headers("finance")
    account = await get(world.api, f"/v1/agreements/{rental.agreement_id}/account", headers)
    body = {
        "reference": f"TRF{on:%Y%m%d}{rental.customer.number:04d}",
        "amount_fen": account["balance_due_fen"],
        "received_on": on.isoformat(),
    }
    await post(world.api, f"/v1/agreements/{rental.agreement_id}/receipts", body, headers)
    if account["next_due"] is None:
        rental.stage = "repaid"
