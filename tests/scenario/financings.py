"""What the shop of the stories finances: a van on lease and a small loan; and what is done with them besides what is done with a rental."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.scenario.rentals import Customer, Rental
from tests.scenario.story import Shop

from xinzu.kernel.time import BusinessDate

VAN_PRICE_FEN, VAN_FINANCED_FEN, VAN_RESIDUAL_FEN, VAN_MONTHS = 12_800_000, 10_000_000, 3_000_000, 24
LENT_FEN, LOAN_MONTHS = 1_200_000, 12
LATE = {"late_fee_daily_rate": "0.0003", "grace_days": 0, "deposit_fen": 0}
VAN: Mapping[str, object] = LATE | {
    "period_count": VAN_MONTHS,
    "device_value_fen": VAN_PRICE_FEN,
    "restriction_clause_version": "none",
    "financing": {
        "family": "finance_lease",
        "principal_fen": VAN_FINANCED_FEN,
        "annual_rate_pct": "8.5",
        "method": "balloon",
        "balloon_fen": VAN_RESIDUAL_FEN,
        "day_count": "actual/365",
    },
}
LOAN: Mapping[str, object] = LATE | {
    "period_count": LOAN_MONTHS,
    "restriction_clause_version": "none",
    "financing": {"family": "loan", "principal_fen": LENT_FEN, "annual_rate_pct": "12", "day_count": "actual/365"},
}


@dataclass(slots=True)
class Financed(Rental):
    """A finance lease or a loan: it begins by a reference, and money comes in at the bank."""

    async def begins(self, reference: str, disbursed_fen: int | None = None) -> None:
        """The van was taken over, or the loan paid out, today."""
        body: dict[str, object] = {"commencement_on": self.shop.today.isoformat(), "reference": reference}
        if disbursed_fen is not None:
            body |= {"disbursed_fen": disbursed_fen}
        begun = await self.shop.post("finance", await self.path("/commencement"), body)
        assert (begun["state"], begun["asset_id"]) == ("active", None)
        self.commencement_on = self.shop.today

    async def legs(self, number: int | None = None) -> list[dict[str, Any]]:
        """The legs of the schedule, of one instalment when its number is given."""
        found = (await self.shop.get("finance", await self.path("/instalments")))["items"]
        return [leg for leg in found if number in (None, leg["number"])]

    async def due_dates(self) -> list[BusinessDate]:
        return sorted({BusinessDate.fromisoformat(leg["due_on"]) for leg in await self.legs()})

    async def transfers(self, reference: str, amount_fen: int | None = None) -> dict[str, Any]:
        """So much, or all that is owed, arrives at the bank today."""
        if amount_fen is None:
            amount_fen = (await self.account())["balance_due_fen"]
        body = {"reference": reference, "amount_fen": amount_fen, "received_on": self.shop.today.isoformat()}
        return await self.shop.post("finance", await self.path("/receipts"), body)

    async def why(self, item_id: str) -> dict[str, Any]:
        return await self.shop.get("finance", await self.path(f"/amounts/{item_id}/why"))


async def offer(shop: Shop, name: str, category: str, plan: Mapping[str, object]) -> str:
    """A product and a plan of it on offer; the plan's id."""
    product = await shop.post("owner", "/v1/products", {"name": name, "category": category})
    drafted = await shop.post("owner", "/v1/plans", {"product_id": product["id"], **plan})
    await shop.post("owner", f"/v1/plans/{drafted['id']}/publication")
    return str(drafted["id"])


async def applies(customer: Customer, plan_id: str) -> Financed:
    """The application for a plan, told as a financing."""
    order = await customer.applies(plan_id)
    return Financed(customer, order.application_id, order.party_id)
