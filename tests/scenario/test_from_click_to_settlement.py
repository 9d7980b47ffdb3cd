"""A rental that goes as everybody hopes."""

from __future__ import annotations

from tests.scenario.story import AUTHORISED_FEN, DEPOSIT_FEN, PERIODS, RENT_FEN, Shop

from xinzu.kernel.time import add_months


async def test_a_rental_runs_from_the_first_click_to_the_end_of_its_term_and_the_whole_deposit_is_released(shop: Shop) -> None:
    rental = await shop.customer("王敏").applies()
    assert await rental.state() == "approved"

    await rental.signs()
    assert await rental.state() == "contracted"
    assert (await rental.account())["balance_due_fen"] == 0  # nothing is owed before the phone is there

    await rental.pre_authorises()
    assert (await rental.mandate())["state"] == "authorised"
    assert (await rental.account())["credit_balance_fen"] == RENT_FEN  # the first rent is held until its period begins

    await rental.is_shipped()
    await shop.next_day(2)
    await rental.receives_it()
    assert await rental.instalments() == ["paid", "scheduled", "scheduled"]
    assert (await rental.account())["credit_balance_fen"] == 0

    for number in (2, 3):
        await shop.until(rental.due_on(number))
        assert (await rental.instalments())[number - 1] == "paid"
    await shop.until(add_months(rental.commencement_on, PERIODS))
    assert (await rental.account())["days_past_due"] == 0

    await rental.comes_back()
    account, mandate = await rental.account(), await rental.mandate()
    assert (account["state"], account["balance_due_fen"], account["credit_balance_fen"]) == ("settled", 0, 0)
    assert (mandate["state"], mandate["collected_fen"]) == ("finished", PERIODS * RENT_FEN)
    assert mandate["released_fen"] == AUTHORISED_FEN - PERIODS * RENT_FEN == DEPOSIT_FEN
    assert (await rental.agreement())["state"] == "ended"
    assert await rental.state() == "closed"
    assert await rental.receipts_fen() == [RENT_FEN] * PERIODS
    assert await rental.customer.messages("agreement_ended") != []
    assert set(await rental.facts()) >= {
        "agreements.document.rendered",
        "agreements.agreement.accepted",
        "payments.mandate.authorised",
        "payments.payment.succeeded",
        "billing.schedule.issued",
        "billing.receipt.allocated",
        "agreements.agreement.commenced",
        "assets.asset.inspected",
        "billing.settlement.determined",
        "payments.deposit.released",
        "agreements.agreement.ended",
    }
