"""Partners get their share of what comes in: owed with the receipt, taken back with its reversal, paid by bank reference."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from httpx import AsyncClient
from tests.integration.billing.conftest import Rental
from tests.integration.billing.test_amendments import MakeRental, begun, live
from tests.integration.billing.test_three_families import loan, transfer

from xinzu.back.billing import api as billing
from xinzu.back.billing.errors import PartnerUnknown, PayoutConflict, PayoutExceedsOwed
from xinzu.back.billing.jobs import follow_shares
from xinzu.back.billing.model import AdjustmentKind, ShareBasis
from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger


async def partner(rental: Rental, name: str) -> billing.PartnerView:
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        return accepted((await billing.register_partners(uow, [name]))[0])


def terms(view: billing.PartnerView, **share: int) -> billing.ShareTerms:
    return billing.ShareTerms(parse_id(Prefix.PARTNER, view.id), **share)


async def agree(rental: Rental, from_on: date | None = None, **by_basis: list[billing.ShareTerms]) -> billing.AgreementShares:
    asked = billing.ShareAgreement(
        rental.agreement_id,
        from_on or rental.today,
        {ShareBasis(basis): shares for basis, shares in by_basis.items()},
        "分账协议 2026-7",
    )
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        [outcome] = await billing.agree_shares(uow, [asked])
    await rental.check_books()
    return accepted(outcome)


async def owed(rental: Rental) -> dict[str, int]:
    async with rental.runtime.reading(rental.tenant_id) as read:
        return {view.name: view.owed_fen for _, view in await billing.partners(read)}


async def pay_out(rental: Rental, view: billing.PartnerView, reference: str, amount_fen: int) -> billing.Paid:
    asked = billing.NewPayout(parse_id(Prefix.PARTNER, view.id), reference, amount_fen)
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        [outcome] = await billing.record_payouts(uow, [asked])
    await rental.check_books()
    return accepted(outcome)


async def take_back(rental: Rental, receipt_id: str) -> None:
    reversal = billing.Reversal(
        rental.agreement_id, parse_id(Prefix.RECEIPT, receipt_id), AdjustmentKind.CHARGEBACK, "付款行撤回"
    )
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        accepted((await billing.reverse_receipts(uow, [reversal]))[0])
    await rental.check_books()


async def test_a_dealer_and_a_channel_share_each_rent_and_a_chargeback_takes_it_back(rental: Rental) -> None:
    """The dealer gets ¥20 of each rent of ¥299 that is paid in full, the channel 5 % of what comes in."""
    dealer, channel = await partner(rental, "珊瑚数码东门店"), await partner(rental, "大风车渠道")
    await rental.begin()
    await agree(rental, rental.today + timedelta(days=1), rent=[terms(dealer, fixed_fen=2_000), terms(channel, share_bp=500)])
    assert await owed(rental) == {"珊瑚数码东门店": 0, "大风车渠道": 0}, "the first rent was due before the shares begin"
    await live(rental, date(2026, 4, 2), pays=False)
    part = await transfer(rental, "part", 10_000)
    assert await owed(rental) == {"珊瑚数码东门店": 0, "大风车渠道": 500}
    await transfer(rental, "rest", 19_900)
    assert await owed(rental) == {"珊瑚数码东门店": 2_000, "大风车渠道": 1_495}
    left = await rental.balances()
    assert (left["224101"], left["640102"]) == (3_495, 3_495)
    async with rental.runtime.reading(rental.tenant_id) as read:
        by_partner = await ledger.subject_totals(read, "224101", date(2099, 1, 1))
        shares = await billing.shares_in(read, rental.agreement_id)
    assert {each.subject_id: each.balance_fen for each in by_partner} == {
        parse_id(Prefix.PARTNER, dealer.id): 2_000,
        parse_id(Prefix.PARTNER, channel.id): 1_495,
    }, "the liability's sub-ledger is by partner"
    assert {each.partner_id: each.amount_fen for each in shares.totals} == {dealer.id: 2_000, channel.id: 1_495}

    await take_back(rental, part.id)
    assert await owed(rental) == {"珊瑚数码东门店": 0, "大风车渠道": 995}
    await transfer(rental, "again", 10_000)
    assert await owed(rental) == {"珊瑚数码东门店": 2_000, "大风车渠道": 1_495}


async def test_a_payout_by_bank_reference_clears_what_is_owed_and_never_more(rental: Rental) -> None:
    dealer = await partner(rental, "珊瑚数码东门店")
    assert (await partner(rental, "珊瑚数码东门店")).id == dealer.id
    await rental.begin()
    await agree(rental, rent=[terms(dealer, share_bp=1_000)])  # the first rent is shared too: it is due from today on
    assert await owed(rental) == {"珊瑚数码东门店": 2_990}
    with pytest.raises(PayoutExceedsOwed):
        await pay_out(rental, dealer, "B-1", 2_991)
    paid = await pay_out(rental, dealer, "B-1", 2_000)
    assert (paid.owed_fen, paid.is_new) == (990, True)
    again = await pay_out(rental, dealer, "B-1", 2_000)
    assert (again.id, again.owed_fen, again.is_new) == (paid.id, 990, False)
    with pytest.raises(PayoutConflict):
        await pay_out(rental, dealer, "B-1", 900)
    left = await rental.balances()
    assert (left["224101"], left["640102"], left["1002"]) == (990, 2_990, -2_000)
    async with rental.runtime.reading(rental.tenant_id) as read:
        partner_id = parse_id(Prefix.PARTNER, dealer.id)
        settlement, _ = await billing.settlement_of(read, partner_id, rental.today, rental.today)
        proven = [fact.kind for fact in await evidence.facts_of(read, partner_id)]
    assert (settlement.opening_fen, settlement.shares_fen, settlement.paid_fen, settlement.closing_fen) == (0, 2_990, 2_000, 990)
    assert [(line.kind, line.amount_fen, line.reference) for line in settlement.items] == [
        ("payout", -2_000, "B-1"),
        ("rent", 2_990, None),
    ]
    assert proven == ["billing.payout.recorded"]


async def test_what_was_paid_out_and_then_charged_back_is_set_off_against_what_comes(rental: Rental) -> None:
    dealer = await partner(rental, "珊瑚数码东门店")
    await rental.begin()
    await agree(rental, rental.today + timedelta(days=1), rent=[terms(dealer, share_bp=1_000)])
    await live(rental, date(2026, 4, 2), pays=False)
    april = await transfer(rental, "april", 29_900)
    await pay_out(rental, dealer, "B-1", 2_990)
    await take_back(rental, april.id)
    assert await owed(rental) == {"珊瑚数码东门店": -2_990}
    await transfer(rental, "april again", 29_900)
    assert await owed(rental) == {"珊瑚数码东门店": 0}


async def test_a_funder_shares_the_interest_of_a_loan_and_nothing_of_its_principal(another_rental: MakeRental) -> None:
    borrower = loan(another_rental)
    funder = await partner(borrower, "海纳资金")
    await begun(borrower)
    await agree(borrower, interest=[terms(funder, share_bp=7_000)])
    await live(borrower, date(2026, 4, 3))
    assert await owed(borrower) == {"海纳资金": 8_400}, "70 % of ¥120 of interest"


async def test_the_price_paid_at_the_end_is_shared_by_its_own_basis(another_rental: MakeRental) -> None:
    keeper = another_rental(buyout_fen=120_000, period_count=2)
    dealer = await partner(keeper, "珊瑚数码东门店")
    await keeper.begin()
    await agree(keeper, residual=[terms(dealer, share_bp=2_000, cap_fen=20_000)])
    await live(keeper, keeper.today + timedelta(days=60))
    async with keeper.runtime.unit(keeper.tenant_id, keeper.actor) as uow:
        bought = billing.Amendment(keeper.agreement_id, billing.Buyout(on=keeper.today), "留购")
        accepted((await billing.amend(uow, [bought]))[0])
    await transfer(keeper, "price", 120_000)
    assert await owed(keeper) == {"珊瑚数码东门店": 20_000}, "20 % would be more than the cap"


async def test_held_money_that_pays_at_a_close_is_followed_by_the_nightly_job(rental: Rental, runtime: Runtime) -> None:
    dealer = await partner(rental, "珊瑚数码东门店")
    await rental.begin()
    await agree(rental, rental.today + timedelta(days=1), rent=[terms(dealer, share_bp=1_000)])
    await transfer(rental, "ahead", 29_900)
    await live(rental, date(2026, 4, 3), pays=False)
    assert await owed(rental) == {"珊瑚数码东门店": 0}
    await follow_shares(runtime, rental.tenant_id, {})
    assert await owed(rental) == {"珊瑚数码东门店": 2_990}
    await follow_shares(runtime, rental.tenant_id, {})
    assert await owed(rental) == {"珊瑚数码东门店": 2_990}, "asked again, nothing moves"
    await rental.check_books()


async def test_new_shares_from_a_date_on_share_anew_what_fell_due_since(rental: Rental) -> None:
    dealer, other = await partner(rental, "珊瑚数码东门店"), await partner(rental, "新东门店")
    await rental.begin()
    await agree(rental, rent=[terms(dealer, share_bp=1_000)])
    await live(rental, date(2026, 5, 3))
    assert await owed(rental) == {"珊瑚数码东门店": 3 * 2_990, "新东门店": 0}
    await agree(rental, date(2026, 4, 1), rent=[terms(other, share_bp=500)])
    assert await owed(rental) == {"珊瑚数码东门店": 2_990, "新东门店": 2 * 1_495}


async def test_shares_that_cannot_be_are_refused_with_their_place(rental: Rental) -> None:
    dealer = await partner(rental, "珊瑚数码东门店")
    await rental.begin()
    with pytest.raises(Invalid) as refused:
        await agree(rental, rent=[terms(dealer, share_bp=6_000), terms(dealer, share_bp=1_000)])
    assert refused.value.errors[0].pointer == "/rent/1/partner_id"
    with pytest.raises(Invalid) as refused:
        await agree(rental, interest=[terms(dealer, share_bp=100, fixed_fen=1)])
    assert refused.value.errors[0].pointer == "/interest/0"
    with pytest.raises(PartnerUnknown):
        await agree(rental, rent=[billing.ShareTerms(new_id(), share_bp=100)])


async def test_an_agreement_without_shares_asks_nothing_of_them(rental: Rental) -> None:
    """What money costs is what it cost before: no statement names a share."""
    await rental.begin()
    await live(rental, date(2026, 4, 2), pays=False)
    statements: list[str] = []
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        given = billing.Transfer(rental.agreement_id, "april", 29_900, rental.today)
        with uow.connection.query_logger(lambda said: statements.append(said.query)):
            [outcome] = await billing.record_transfers(uow, [given])
    assert accepted(outcome).allocated_fen == 29_900
    assert [each for each in statements if "billing_receipt" in each]
    assert [each for each in statements if "billing_share" in each] == []
    await rental.check_books()


async def test_partners_over_http(rental: Rental, api: AsyncClient, api_key: dict[str, str]) -> None:
    await rental.begin()
    made = await api.post("/v1/partners", headers=api_key, json={"name": "珊瑚数码东门店"})
    assert made.status_code == 201, made.text
    path = f"/v1/agreements/{public_id(Prefix.AGREEMENT, rental.agreement_id)}/shares"
    body = {
        "from_on": rental.today.isoformat(),
        "agreed_ref": "分账协议 2026-7",
        "rent": [{"partner_id": made.json()["id"], "share_bp": 1_000}],
    }
    refused = await api.put(path, headers=api_key, json=body | {"rent": [{"partner_id": made.json()["id"]}]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/rent/0")
    agreed = await api.put(path, headers=api_key, json=body)
    assert agreed.status_code == 200, agreed.text
    assert agreed.json()["totals"] == [{"partner_id": made.json()["id"], "amount_fen": 2_990}]
    assert (await api.get(path, headers=api_key)).json() == agreed.json()
    account = (await api.get(path.replace("/shares", "/account"), headers=api_key)).json()
    assert account["shares_fen"] == 2_990
    payout = f"/v1/partners/{made.json()['id']}/payouts"
    more = await api.post(payout, headers=api_key, json={"reference": "B-1", "amount_fen": 2_991})
    assert (more.status_code, more.json()["owed_fen"]) == (409, 2_990)
    paid = await api.post(payout, headers=api_key, json={"reference": "B-1", "amount_fen": 2_990})
    assert (paid.status_code, paid.json()["owed_fen"]) == (200, 0)
    settlement = f"/v1/partners/{made.json()['id']}/settlement?limit=1"
    first = (await api.get(settlement, headers=api_key)).json()
    assert (first["shares_fen"], first["paid_fen"], first["closing_fen"]) == (2_990, 2_990, 0)
    [line] = first["items"]
    second = (await api.get(f"{settlement}&cursor={first['next_cursor']}", headers=api_key)).json()
    assert (line["kind"], second["items"][0]["kind"], second["next_cursor"]) == ("payout", "rent", None)
    assert (await api.get("/v1/partners", headers=api_key)).json()["items"][0]["owed_fen"] == 0
