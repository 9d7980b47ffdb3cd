"""The merchant's accountant closes a month before billing has said its last word on it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from httpx import AsyncClient

from xinzu.back.billing import api as billing
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.records.ledger import api as ledger

Rental = Any
MARCH = date(2026, 3, 31)


async def test_a_late_fee_of_a_closed_month_lands_in_the_open_one_with_its_own_date(
    rental: Rental, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await rental.sign()
    await rental.commence()
    await rental.pass_days(29)
    rental.clock.advance(timedelta(days=1))
    assert rental.today == date(2026, 4, 1)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        accepted((await ledger.close_periods(uow, [ledger.ClosePeriod(MARCH)]))[0])
        closed_figures = await ledger.trial_balance(uow, MARCH)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        report = await billing.close_day(uow, MARCH)
    assert report.late_fee_fen > 0
    await rental.check_books()
    async with rental.runtime.reading(rental.tenant_id) as read:
        assert await ledger.trial_balance(read, MARCH) == closed_figures
        late = await ledger.journal(read, date(2026, 4, 1), date(2026, 4, 1))
    assert [(each.entry.kind, each.entry.effective_on) for each in late] == [
        ("billing.late_fees", MARCH),
        ("billing.income_accrued", MARCH),
        ("billing.accrual_reversed", None),
        ("billing.provision", MARCH),
    ]

    agreement = public_id(Prefix.AGREEMENT, rental.agreement_id)
    lines = (await api.get("/v1/ledger/lines?account=630101&from=2026-04-01", headers=api_key)).json()
    assert [(line["subject"], line["effective_on"]) for line in lines["items"]] == [(agreement, "2026-03-31")]
    rents = (await api.get("/v1/ledger/lines?account=2205&from=2026-03-01", headers=api_key)).json()["items"]
    fact = await api.get(f"/v1/agreements/{agreement}/instalments", headers=api_key)
    assert rents[0]["source"] in [item["id"] for item in fact.json()["items"]]
