"""A customer who stops paying, from the reminder to the lock and back to a free phone, over a real broker."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.scenario.phones import Phones
from tests.scenario.rentals import Rental
from tests.scenario.story import PAY, RENT_FEN, Shop

from xinzu.kernel.time import SHANGHAI

NEVER_MORE = 1_000
EMERGENCY = {"110", "119", "120", "122"}


async def rented_with_phone(shop: Shop, phones: Phones) -> Rental:
    rental = await shop.customer("陈涛").applies()
    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await phones.enrol(rental)
    await rental.receives_it()
    return rental


async def notices(rental: Rental) -> list[datetime]:
    """When restriction notices reached the phone, oldest first."""
    messages = await rental.shop.get_all(f"/v1/messages?subject={await rental.agreement_id()}")
    return [
        datetime.fromisoformat(message["delivered_at"])
        for message in reversed(messages)
        if message["template"] == "restriction_notice"
    ]


async def test_reminder_notice_limit_notice_lock_then_the_payment_frees_the_phone(shop: Shop, phones: Phones) -> None:
    rental = await rented_with_phone(shop, phones)
    device = phones.of(rental)
    await rental.customer.runs_into("insufficient_balance", PAY, NEVER_MORE)
    await shop.quiet_days_until(rental.due_on(2))
    assert (await rental.instalments())[1] == "due"
    assert (await device.commands(), await rental.customer.messages("payment_reminder")) == ([], [])

    await shop.next_day(2)  # the close of the first day past due
    assert (await rental.instalments())[1] == "overdue"
    assert len(await rental.customer.messages("payment_reminder")) == 1
    assert await notices(rental) == []

    await shop.next_day(2)
    assert len(await notices(rental)) == 1
    assert device.phone.level == "free"  # told, and given time

    await shop.next_day(2)
    await device.becomes("limit")
    assert device.phone.can_call("13800138000")

    await shop.next_day(2)
    assert len(await notices(rental)) == 2
    assert device.phone.level == "limit"

    await shop.next_day(3)
    await device.becomes("lock")
    assert not device.phone.can_call("13800138000")
    assert all(device.phone.can_call(number) for number in EMERGENCY)
    account = await rental.account()
    assert account["days_past_due"] == 10
    assert account["overdue_fen"] == account["balance_due_fen"] > RENT_FEN  # late fees run

    shop.world.clock.advance(timedelta(hours=14))  # eleven at night: a payment frees at any hour
    await rental.customer.has_money_again()
    await rental.pays()
    await device.becomes("free")
    assert device.phone.can_call("13800138000")
    account = await rental.account()
    assert (account["balance_due_fen"], account["days_past_due"]) == (0, 0)

    first, second = await notices(rental)
    limit, lock, free = await device.commands()
    assert [command["level"] for command in (limit, lock, free)] == ["limit", "lock", "free"]
    assert [command["state"] for command in (limit, lock, free)] == ["applied"] * 3
    assert datetime.fromisoformat(limit["issued_at"]) - first >= timedelta(hours=24)
    assert datetime.fromisoformat(lock["issued_at"]) - second >= timedelta(hours=72)
    for command in (limit, lock):
        assert 8 <= datetime.fromisoformat(command["issued_at"]).astimezone(SHANGHAI).hour < 20
        assert "民法典" in command["legal_basis"]
    assert all(set(order["policy"]["emergency_numbers"]) >= EMERGENCY for order in await device.signed_orders())
    assert [order["level"] for order in await device.signed_orders()] == ["limit", "lock", "free"]

    ladder = [kind for kind in await rental.facts() if kind.startswith(("collections.", "devices."))]
    assert ladder == [
        "collections.notice.sent",
        "collections.notice.delivered",
        "collections.restriction.requested",
        "devices.restriction.ordered",
        "devices.restriction.applied",
        "collections.notice.sent",
        "collections.notice.delivered",
        "collections.restriction.requested",
        "devices.restriction.ordered",
        "devices.restriction.applied",
        "devices.restriction.ordered",
        "devices.restriction.applied",
    ]


async def test_the_news_that_frees_the_phone_commits_with_the_allocation_of_the_payment(shop: Shop, phones: Phones) -> None:
    rental = await rented_with_phone(shop, phones)
    await rental.customer.runs_into("insufficient_balance", PAY, NEVER_MORE)
    await shop.quiet_days_until(rental.due_on(2))
    await shop.next_day(6)
    await phones.of(rental).becomes("limit")
    await rental.customer.has_money_again()
    await rental.pays()
    await phones.of(rental).becomes("free")
    (cleared,) = await shop.rows(
        "SELECT xmin FROM platform_event WHERE tenant_id = :tenant AND type = 'xinzu.billing.arrears.cleared.v1'"
    )
    allocations = await shop.rows("SELECT xmin FROM billing_allocation WHERE tenant_id = :tenant ORDER BY id DESC")
    assert allocations[0].xmin == cleared.xmin


async def test_who_pays_before_the_notice_has_run_is_never_restricted(shop: Shop, phones: Phones) -> None:
    rental = await rented_with_phone(shop, phones)
    await rental.customer.runs_into("insufficient_balance", PAY, NEVER_MORE)
    await shop.quiet_days_until(rental.due_on(2))
    await shop.next_day(4)
    assert len(await notices(rental)) == 1
    assert await (await rental.customer.applies()).state() == "declined"  # no second phone while the first is not paid
    await rental.customer.has_money_again()
    await rental.pays()
    assert await (await rental.customer.applies()).state() == "approved"
    await shop.next_day(6)
    assert (await phones.of(rental).commands(), phones.of(rental).phone.level) == ([], "free")
    assert (await rental.account())["state"] == "open"
    cases = await shop.get_all("/v1/collections/cases")
    assert [case["state"] for case in cases] == ["closed"]


async def test_a_part_payment_leaves_the_phone_limited_and_the_rest_frees_it(shop: Shop, phones: Phones) -> None:
    rental = await rented_with_phone(shop, phones)
    await rental.customer.runs_into("insufficient_balance", PAY, NEVER_MORE)
    await shop.quiet_days_until(rental.due_on(2))
    await shop.next_day(6)
    await phones.of(rental).becomes("limit")
    await rental.customer.has_money_again()
    late_fee_fen = (await rental.account())["charges"][0]["amount_fen"]
    await rental.pays(RENT_FEN)  # the late fee is paid first, so a little of the rent stays open
    account = await rental.account()
    assert (account["balance_due_fen"], account["charges"][0]["paid_fen"]) == (late_fee_fen, late_fee_fen)
    assert phones.of(rental).phone.level == "limit"
    await rental.pays()
    await phones.of(rental).becomes("free")
    assert (await rental.account())["balance_due_fen"] == 0


async def test_without_a_delivered_notice_no_device_is_ever_restricted(shop: Shop, phones: Phones) -> None:
    rental = await rented_with_phone(shop, phones)
    status, _ = await shop.call("channel", "PUT", f"/v1/parties/{rental.party_id}/phone", {"phone": "13900000000"})
    assert status == 200  # a dead line: the carrier reports every message as undelivered
    await rental.customer.runs_into("insufficient_balance", PAY, NEVER_MORE)
    await shop.quiet_days_until(rental.due_on(2))
    await shop.next_day(14)
    account = await rental.account()
    assert account["days_past_due"] == 13
    assert (await phones.of(rental).commands(), phones.of(rental).phone.level) == ([], "free")
    assert "collections.restriction.requested" not in await rental.facts()


async def test_a_phone_that_was_off_is_freed_when_it_comes_back(shop: Shop, phones: Phones) -> None:
    rental = await rented_with_phone(shop, phones)
    device = phones.of(rental)
    await rental.customer.runs_into("insufficient_balance", PAY, NEVER_MORE)
    await shop.quiet_days_until(rental.due_on(2))
    await shop.next_day(6)
    await device.becomes("limit")
    await phones.switch_off()
    await rental.customer.has_money_again()
    await rental.pays()
    assert [command["state"] for command in await device.commands()][-1] != "applied"
    device = phones.switch_on_again(rental)
    await device.becomes("free")
    assert (await device.record())["desired_level"] == "free"
