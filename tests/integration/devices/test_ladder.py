"""The ladder in the database: what is ordered, what is refused and why, and what a payment undoes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from tests.integration.assets.stories import serial
from tests.integration.devices.stories import (
    BASIS,
    CLERK,
    Rental,
    close_case,
    commands_of,
    commenced,
    device_of,
    enrolled,
    hear,
    inspect,
    notice,
    pay,
    rental,
    request,
    told,
)

from xinzu.app.sandbox.phone import Phone, phones_folder, recall
from xinzu.back.devices import api as devices
from xinzu.back.devices.errors import DeviceEnrolled, KeyTaken
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import FixedClock
from xinzu.platform.commands import Answer, Request, execute
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence


async def test_reminder_limit_lock_then_payment_frees_at_night(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock
) -> None:
    of = await rental(runtime, tenant_id, home)
    await request(runtime, of, "remind")
    message_id = await notice(runtime, of)
    clock.advance(timedelta(days=1))
    await request(runtime, of, "limit", message_id)
    clock.advance(timedelta(days=2))
    await request(runtime, of, "lock", message_id)
    clock.advance(timedelta(hours=15))  # midnight
    await pay(runtime, of)
    assert await commands_of(runtime, of) == [
        ("remind", "superseded"),
        ("limit", "superseded"),
        ("lock", "superseded"),
        ("free", "created"),
    ]
    assert await told(runtime, of) == ["ordered remind", "ordered limit", "ordered lock", "ordered free"]
    async with runtime.reading(tenant_id) as read:
        facts = await evidence.facts_of(read, of.agreement_id)
    assert [json.loads(fact.body)["facts"]["level"] for fact in facts] == ["remind", "limit", "lock", "free"]
    assert json.loads(facts[2].body)["facts"]["legal_basis"] == BASIS


async def test_a_notice_counts_by_our_own_record_not_by_what_the_asker_claims(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock
) -> None:
    of = await rental(runtime, tenant_id, home)
    other = await rental(runtime, tenant_id, home)
    await request(runtime, of, "limit", new_id())
    await request(runtime, of, "limit", await notice(runtime, other, hours_ago=100))
    await request(runtime, of, "limit", await notice(runtime, of, hours_ago=23))
    await request(runtime, of, "limit")
    await request(runtime, of, "melt")
    assert await told(runtime, of) == [
        "refused limit notice_missing",
        "refused limit notice_missing",
        "refused limit notice_too_recent",
        "refused limit notice_missing",
        "refused melt unknown_level",
    ]
    assert await commands_of(runtime, of) == []


async def test_two_steps_asked_in_one_batch_take_one(runtime: Runtime, tenant_id: int, home: Path) -> None:
    of = await rental(runtime, tenant_id, home)
    message_id = await notice(runtime, of, hours_ago=100)
    async with runtime.unit(tenant_id, CLERK) as uow:
        reasons = await devices.ask_levels(
            uow,
            [
                devices.Ask(
                    agreement_id=of.agreement_id, level=level, legal_basis=BASIS, notice_message_id=message_id, case_id=of.case_id
                )
                for level in ("limit", "lock", "limit")
            ],
        )
    assert [str(reason) for reason in reasons] == ["None", "one_step_a_day", "None"]
    assert await commands_of(runtime, of) == [("limit", "created")]


async def test_a_request_that_crosses_the_payment_comes_to_nothing(runtime: Runtime, tenant_id: int, home: Path) -> None:
    of = await rental(runtime, tenant_id, home)
    message_id = await notice(runtime, of, hours_ago=30)
    await pay(runtime, of)
    await request(runtime, of, "limit", message_id)
    await request(runtime, of, "remind")
    await close_case(runtime, of)
    await request(runtime, of, "remind")
    assert await told(runtime, of) == [
        "refused limit notice_spent",
        "ordered remind",
        "ordered free",
        "refused remind arrears_cleared",
    ]
    assert (await device_of(runtime, of)).desired_level == "free"


async def test_a_hold_stops_the_ladder_and_never_the_way_back(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock
) -> None:
    of = await rental(runtime, tenant_id, home)
    message_id = await notice(runtime, of, hours_ago=100)
    await request(runtime, of, "limit", message_id)
    hold = devices.HoldRequest(device_id=of.device_id, kind=devices.HoldKind.DISPUTE, is_placed=True)
    async with runtime.unit(tenant_id, CLERK) as uow:
        await devices.set_holds(uow, [hold])
    clock.advance(timedelta(days=1))
    await request(runtime, of, "lock", message_id)
    await pay(runtime, of)
    assert await told(runtime, of) == ["ordered limit", "refused lock on_hold", "ordered free"]


async def test_after_the_inspection_nothing_can_be_restricted_and_the_next_lessee_starts_free(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock
) -> None:
    of = await rental(runtime, tenant_id, home)
    message_id = await notice(runtime, of, hours_ago=100)
    await request(runtime, of, "limit", message_id)
    await inspect(runtime, of)
    clock.advance(timedelta(days=1))
    await request(runtime, of, "limit", message_id)
    assert await told(runtime, of) == ["ordered limit", "ordered free", "refused limit not_bound"]
    assert (await device_of(runtime, of)).agreement_id is None
    successor = new_id()
    await hear(runtime, tenant_id, commenced(successor, of.asset_id, runtime), commenced(of.agreement_id, of.asset_id, runtime))
    assert (await device_of(runtime, of)).agreement_id == successor


async def test_a_phone_enrolled_after_its_handover_finds_its_agreement(runtime: Runtime, tenant_id: int, home: Path) -> None:
    agreement_id, asset_id = new_id(), new_id()
    await hear(runtime, tenant_id, commenced(agreement_id, asset_id, runtime))
    device_id = await enrolled(runtime, tenant_id, home, asset_id, serial())
    async with runtime.reading(tenant_id) as read:
        assert (await devices.device_of(read, device_id)).agreement_id == agreement_id


async def test_a_terminal_is_replaced_between_rentals_only_and_a_key_belongs_to_one(
    runtime: Runtime, tenant_id: int, home: Path
) -> None:
    of = await rental(runtime, tenant_id, home)
    key = (await device_of(runtime, of)).public_key
    drafts = [
        devices.DeviceDraft(asset_id=of.asset_id, public_key=bytes(32)),
        devices.DeviceDraft(asset_id=new_id(), public_key=key),
        devices.DeviceDraft(asset_id=new_id(), public_key=b"\1" * 32),
    ]
    outcomes = await execute(runtime, tenant_id, CLERK, devices.enrol_devices, [Request(draft) for draft in drafts])
    assert [type(outcome) for outcome in outcomes] == [DeviceEnrolled, KeyTaken, Answer]
    await inspect(runtime, of)
    outcomes = await execute(runtime, tenant_id, CLERK, devices.enrol_devices, [Request(drafts[0])])
    assert isinstance(outcomes[0], Answer)


async def test_a_lock_nobody_received_dies_in_the_evening_and_is_renewed_in_the_morning(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock
) -> None:
    of = await rental(runtime, tenant_id, home)
    await request(runtime, of, "limit", await notice(runtime, of, hours_ago=100))

    async def reconcile() -> int:
        async with runtime.unit(tenant_id, CLERK) as uow:
            return await devices.reconcile(uow)

    clock.advance(timedelta(hours=12))  # 21:00
    assert await reconcile() == 0
    assert await commands_of(runtime, of) == [("limit", "expired")]
    clock.advance(timedelta(hours=12))
    assert await reconcile() == 1
    assert await reconcile() == 0
    assert await commands_of(runtime, of) == [("limit", "expired"), ("limit", "created")]
    assert await told(runtime, of) == ["ordered limit"]  # a renewal is no new decision


async def test_forged_replayed_and_foreign_reports_change_nothing(
    runtime: Runtime, tenant_id: int, other_tenant_id: int, home: Path, clock: FixedClock
) -> None:
    of, other = await rental(runtime, tenant_id, home), await rental(runtime, tenant_id, home)
    memory, foreign = recall(phones_folder(home), of.serial), recall(phones_folder(home), other.serial)
    assert memory is not None
    assert foreign is not None
    phone, stranger = Phone(phones_folder(home), memory, clock), Phone(phones_folder(home), foreign, clock)
    hello = phone.hello()
    flipped = hello.replace(b'"signature": "', b'"signature": "A', 1)[:-3] + b'"}'
    async with runtime.unit(tenant_id, CLERK) as uow:
        heard = await devices.record_reports(
            uow,
            [
                (of.device_id, hello),
                (of.device_id, hello),
                (of.device_id, stranger.hello()),
                (new_id(), hello),
                (of.device_id, flipped),
            ],
        )
    assert (heard.believed, dict(heard.refused)) == (
        1,
        {"replayed": 1, "bad_signature": 1, "unknown_device": 1, "malformed": 1},
    )
    async with runtime.unit(other_tenant_id, CLERK) as uow:
        assert (await devices.record_reports(uow, [(of.device_id, phone.hello())])).believed == 0


async def test_a_late_answer_of_a_superseded_lock_is_recorded_as_what_happened(
    runtime: Runtime, tenant_id: int, home: Path, clock: FixedClock
) -> None:
    of = await rental(runtime, tenant_id, home)
    memory = recall(phones_folder(home), of.serial)
    assert memory is not None
    phone = Phone(phones_folder(home), memory, clock)
    await request(runtime, of, "limit", await notice(runtime, of, hours_ago=100))
    async with runtime.unit(tenant_id, CLERK) as uow:
        (command,) = await devices.due_commands(uow, 10)
    answer = phone.obey(devices.envelope(command.body, command.signature, command.key_number))
    assert answer is not None
    await pay(runtime, of)
    async with runtime.unit(tenant_id, CLERK) as uow:
        assert (await devices.record_reports(uow, [(of.device_id, answer)])).applied == 1
    assert await commands_of(runtime, of) == [("limit", "applied"), ("free", "created")]
    assert await told(runtime, of) == ["ordered limit", "ordered free", "applied limit"]


async def test_a_commencement_without_an_asset_binds_no_device_and_nothing_can_be_restricted(
    runtime: Runtime, tenant_id: int
) -> None:
    of = Rental(tenant_id, new_id(), new_id(), new_id(), serial(), new_id())
    await hear(runtime, tenant_id, commenced(of.agreement_id, None, runtime), commenced(new_id(), None, runtime))
    async with runtime.reading(tenant_id) as read:
        assert await read.scalar("SELECT count(*) FROM devices_binding WHERE tenant_id = :tenant") == 0
    await request(runtime, of, "limit", await notice(runtime, of, hours_ago=30))
    assert await told(runtime, of) == ["refused limit not_bound"]
    await pay(runtime, of)
    assert await told(runtime, of) == ["refused limit not_bound"]
