"""Things in the books through time: taken in, depreciated by the month, gone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from tests.conftest import key_headers
from tests.integration.assets.stories import (
    CLERK,
    PRODUCT,
    agreement_to_deliver,
    handed_over,
    hear,
    lessee,
    open_warehouse,
    serial,
    stock,
)

from xinzu.back.assets import api as assets
from xinzu.back.assets.jobs import keep_books
from xinzu.back.assets.rules import depreciation as rules
from xinzu.back.billing.events import OwnershipPassed
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger

Headers = dict[str, str]

# ¥5,200 with 13 % VAT: ¥598.23 of it is VAT, the rest is the cost; 5 % of it is the residual value, the rest goes in 36 months.
GROSS, VAT, COST, RESIDUAL = 520_000, 59_823, 460_177, 23_008
MONTHLY = (COST - RESIDUAL) // 36


def go_to(clock: FixedClock, on: date) -> None:
    clock.set(datetime(on.year, on.month, on.day, 4, 0, tzinfo=UTC))  # noon in Shanghai


async def balances(runtime: Runtime, tenant_id: int) -> dict[str, int]:
    """The accounts that do not stand at nothing; debits equal credits."""
    async with runtime.reading(tenant_id) as read:
        trial = await ledger.trial_balance(read, read.business_date + timedelta(days=31))
    assert sum(line.debit_fen for line in trial.lines) == sum(line.credit_fen for line in trial.lines)
    return {line.account.code: line.balance_fen for line in trial.lines if line.balance_fen}


async def booked(runtime: Runtime, tenant_id: int, asset_id: UUID) -> list[tuple[str, date, date | None, int]]:
    """What was booked about a thing, oldest first: kind, date, effective date, total."""
    async with runtime.reading(tenant_id) as read:
        entries = await ledger.entries_of(read, asset_id)
    return [
        (each.entry.kind, each.entry.business_date, each.entry.effective_on, each.entry.total_fen) for each in reversed(entries)
    ]


async def book(runtime: Runtime, tenant_id: int, asset_id: UUID) -> assets.AssetBook:
    async with runtime.reading(tenant_id) as read:
        return await assets.book_of(read, asset_id)


async def acquired(runtime: Runtime, tenant_id: int, on: date, product_id: UUID = PRODUCT) -> UUID:
    """A phone that was ready for use on a day and is registered now."""
    draft = assets.AssetDraft(serial=serial(), product_id=product_id, purchase_cost_fen=GROSS, acquired_on=on)
    async with runtime.unit(tenant_id, CLERK) as uow:
        return parse_id(Prefix.ASSET, accepted((await assets.register_assets(uow, [draft]))[0]).id)


async def test_a_phone_lives_its_three_years(runtime: Runtime, tenant_id: int, clock: FixedClock) -> None:
    (asset_id,) = await stock(runtime, tenant_id, serial())
    await keep_books(runtime, tenant_id, {})
    assert await balances(runtime, tenant_id) == {rules.EQUIPMENT: COST, rules.INPUT_VAT: VAT, rules.PAYABLE: GROSS}

    go_to(clock, date(2026, 4, 30))
    await keep_books(runtime, tenant_id, {})
    assert (await book(runtime, tenant_id, asset_id)).depreciated_fen == 0  # March bears nothing and April is not over
    go_to(clock, date(2026, 5, 1))
    await keep_books(runtime, tenant_id, {})
    assert await booked(runtime, tenant_id, asset_id) == [
        ("assets.taken_in", date(2026, 3, 2), None, GROSS),
        ("assets.depreciated", date(2026, 4, 30), None, MONTHLY),
    ]

    for month in range(2, 40):
        go_to(clock, rules.month_end(date(2026, 3, 2), month) + timedelta(days=1))
        await keep_books(runtime, tenant_id, {})
        stands = await book(runtime, tenant_id, asset_id)
        assert stands.depreciated_fen == rules.depreciated_fen(COST, RESIDUAL, 36, month)
    assert (stands.depreciated_months, stands.carrying_fen) == (36, RESIDUAL)
    entries = await booked(runtime, tenant_id, asset_id)
    assert (len(entries), entries[-1][1]) == (37, date(2029, 3, 31))
    assert await balances(runtime, tenant_id) == {
        rules.EQUIPMENT: COST,
        rules.ACCUMULATED: COST - RESIDUAL,
        rules.INPUT_VAT: VAT,
        rules.PAYABLE: GROSS,
        rules.DEPRECIATION_COST: COST - RESIDUAL,
    }


async def test_asking_again_books_nothing_twice(runtime: Runtime, tenant_id: int, clock: FixedClock) -> None:
    asset_id = await acquired(runtime, tenant_id, date(2025, 11, 15))
    await keep_books(runtime, tenant_id, {})
    entries, stands = await booked(runtime, tenant_id, asset_id), await book(runtime, tenant_id, asset_id)
    await keep_books(runtime, tenant_id, {})
    assert (await booked(runtime, tenant_id, asset_id), await book(runtime, tenant_id, asset_id)) == (entries, stands)
    # Were the progress lost, the books would still know each month of the thing.
    async with runtime.unit(tenant_id, CLERK) as uow:
        await uow.execute(
            "UPDATE assets_book SET depreciated_months = 0, depreciated_fen = 0, next_month_on = '2025-12-31' WHERE tenant_id = :tenant"
        )
    await keep_books(runtime, tenant_id, {})
    assert (await booked(runtime, tenant_id, asset_id), await book(runtime, tenant_id, asset_id)) == (entries, stands)


async def test_a_turn_that_fails_leaves_nothing_and_the_next_one_does_it_all(runtime: Runtime, tenant_id: int) -> None:
    asset_id = await acquired(runtime, tenant_id, date(2026, 1, 31))

    async def killed() -> None:
        async with runtime.unit(tenant_id, CLERK) as uow:
            await assets.keep(uow, date(2026, 2, 28))
            raise RuntimeError("killed before the commit")

    with pytest.raises(RuntimeError, match="killed"):
        await killed()
    assert await booked(runtime, tenant_id, asset_id) == []
    await keep_books(runtime, tenant_id, {})
    assert [entry[:2] for entry in await booked(runtime, tenant_id, asset_id)] == [
        ("assets.taken_in", date(2026, 1, 31)),
        ("assets.depreciated", date(2026, 2, 28)),
    ]


async def test_many_things_are_done_in_turns(runtime: Runtime, tenant_id: int) -> None:
    ids = [await acquired(runtime, tenant_id, date(2025, 12, 1)) for _ in range(5)]
    turns = 0
    is_last = False
    while not is_last:
        async with runtime.unit(tenant_id, CLERK) as uow:
            is_last = (await assets.keep(uow, date(2026, 2, 28), assets_max=2)).is_last
        turns += 1
    assert turns == 3
    assert {(await book(runtime, tenant_id, asset_id)).depreciated_fen for asset_id in ids} == {
        rules.depreciated_fen(COST, RESIDUAL, 36, 2)
    }


async def test_missed_months_are_caught_up_and_closed_ones_keep_their_date(
    runtime: Runtime, tenant_id: int, clock: FixedClock
) -> None:
    await acquired(runtime, tenant_id, date(2026, 1, 5))
    await keep_books(runtime, tenant_id, {})
    async with runtime.unit(tenant_id, CLERK) as uow:
        accepted((await ledger.close_periods(uow, [ledger.ClosePeriod(date(2026, 1, 31))]))[0])
    late = await acquired(runtime, tenant_id, date(2025, 11, 15))
    await keep_books(runtime, tenant_id, {})
    opened = date(2026, 2, 1)
    second, third = (
        rules.depreciated_fen(COST, RESIDUAL, 36, n) - rules.depreciated_fen(COST, RESIDUAL, 36, n - 1) for n in (2, 3)
    )
    assert sorted(await booked(runtime, tenant_id, late), key=lambda each: each[2] or each[1]) == [
        ("assets.taken_in", opened, date(2025, 11, 15), GROSS),
        ("assets.depreciated", opened, date(2025, 12, 31), MONTHLY),
        ("assets.depreciated", opened, date(2026, 1, 31), second),
        ("assets.depreciated", date(2026, 2, 28), None, third),
    ]


async def test_an_inspection_that_retires_takes_the_thing_out_of_the_books(
    runtime: Runtime, tenant_id: int, clock: FixedClock, actor: Actor
) -> None:
    _, asset_id = await handed_over(runtime, tenant_id, actor)
    await keep_books(runtime, tenant_id, {})
    go_to(clock, date(2026, 5, 20))
    async with runtime.unit(tenant_id, CLERK) as uow:
        accepted((await assets.receive_returns(uow, [asset_id]))[0])
        draft = assets.InspectionDraft(asset_id=asset_id, findings=(), asset_state=assets.AssetState.RETIRED)
        accepted((await assets.inspect(uow, [draft]))[0])
    await keep_books(runtime, tenant_id, {})
    two = rules.depreciated_fen(COST, RESIDUAL, 36, 2)  # April, and May in which it leaves
    assert [entry[:2] for entry in await booked(runtime, tenant_id, asset_id)] == [
        ("assets.taken_in", date(2026, 3, 2)),
        ("assets.depreciated", date(2026, 4, 30)),
        ("assets.depreciated", date(2026, 5, 20)),
        ("assets.left", date(2026, 5, 20)),
    ]
    assert await balances(runtime, tenant_id) == {
        rules.INPUT_VAT: VAT,
        rules.PAYABLE: GROSS,
        rules.DEPRECIATION_COST: two,
        rules.DISPOSAL_LOSS: COST - two,
    }
    stands = await book(runtime, tenant_id, asset_id)
    assert (stands.left_on, stands.carrying_fen) == (date(2026, 5, 20), 0)
    go_to(clock, date(2026, 9, 1))
    await keep_books(runtime, tenant_id, {})
    assert await book(runtime, tenant_id, asset_id) == stands


async def test_a_thing_the_lessee_buys_becomes_cost_of_sales(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: Headers, other_api_key: Headers
) -> None:
    _, asset_id = await handed_over(runtime, tenant_id, actor)
    path = f"/v1/assets/{public_id(Prefix.ASSET, asset_id)}/disposals"
    assert (await api.post(path, json={"cause": "sold"}, headers=other_api_key)).status_code == 404
    for wrong_on, code in (("2026-03-03", "assets.in_future"), ("2026-03-01", "assets.before_acquisition")):
        refused = await api.post(path, json={"cause": "sold", "disposed_on": wrong_on}, headers=api_key)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)
        assert refused.json()["errors"][0]["pointer"] == "/disposed_on"
    sold = await api.post(path, json={"cause": "sold"}, headers=api_key)
    assert (sold.status_code, sold.json()["state"]) == (201, "retired")
    again = await api.post(path, json={"cause": "lost"}, headers=api_key)
    assert (again.status_code, again.json()["code"]) == (409, "state.illegal_move")
    await keep_books(runtime, tenant_id, {})
    assert (await balances(runtime, tenant_id))[rules.COST_OF_SALES] == COST
    async with runtime.reading(tenant_id) as read:
        assert await read.scalar("SELECT count(*) FROM assets_occupancy WHERE tenant_id = :tenant AND upper_inf(during)") == 0


async def test_a_rented_thing_that_ended_in_its_lessees_hands_is_sold_once(
    runtime: Runtime, tenant_id: int, clock: FixedClock, actor: Actor
) -> None:
    agreement_id, asset_id = await handed_over(runtime, tenant_id, actor)
    go_to(clock, date(2026, 6, 5))
    kept_on = date(2026, 6, 2)
    for _ in range(2):
        await hear(
            runtime,
            tenant_id,
            OwnershipPassed(subject_id=agreement_id, party_id=new_id(), kept_on=kept_on, passed_on=date(2026, 6, 5)),
        )
        await keep_books(runtime, tenant_id, {})
    async with runtime.reading(tenant_id) as read:
        assert (await assets.asset_of(read, asset_id)).state is assets.AssetState.RETIRED
        assert await read.scalar("SELECT count(*) FROM assets_occupancy WHERE tenant_id = :tenant AND upper_inf(during)") == 0
    assert (await balances(runtime, tenant_id))[rules.COST_OF_SALES] == COST - rules.depreciated_fen(COST, RESIDUAL, 36, 3)
    left = [entry for entry in await booked(runtime, tenant_id, asset_id) if entry[0] == "assets.left"]
    assert left == [("assets.left", kept_on, None, COST)]


async def test_a_thing_let_by_finance_lease_moves_to_the_leased_assets_once(
    runtime: Runtime, tenant_id: int, clock: FixedClock, actor: Actor
) -> None:
    _, asset_id = await handed_over(runtime, tenant_id, actor)
    for _ in range(2):
        async with runtime.unit(tenant_id, CLERK) as uow:
            await assets.derecognise_leased(uow, [(asset_id, date(2026, 3, 2))])
        await keep_books(runtime, tenant_id, {})
    assert await balances(runtime, tenant_id) == {rules.LEASED_ASSET: COST, rules.INPUT_VAT: VAT, rules.PAYABLE: GROSS}
    go_to(clock, date(2026, 6, 1))
    await keep_books(runtime, tenant_id, {})
    assert len(await booked(runtime, tenant_id, asset_id)) == 2
    async with runtime.reading(tenant_id) as read:
        assert (await assets.asset_of(read, asset_id)).state is assets.AssetState.RENTED


async def test_a_parcel_that_is_lost_is_a_loss(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    agreement_id = await agreement_to_deliver(runtime, tenant_id, await lessee(runtime, tenant_id))
    number = serial()
    await stock(runtime, tenant_id, number)
    async with runtime.unit(tenant_id, CLERK) as uow:
        shipped = accepted((await assets.ship(uow, [assets.Pick(agreement_id=agreement_id, serial=number)]))[0])
    told = assets.CourierTold(
        courier_event_id="lost-1",
        courier_shipment_id="SF1",
        shipment_id=parse_id(Prefix.SHIPMENT, shipped.id),
        status="lost",
        occurred_at=runtime.clock.now(),
    )
    async with runtime.unit(tenant_id, CLERK) as uow:
        accepted((await assets.record_courier_notices(uow, [told]))[0])
    await keep_books(runtime, tenant_id, {})
    assert (await balances(runtime, tenant_id))[rules.DISPOSAL_LOSS] == COST


async def test_a_dry_run_shows_what_the_run_then_books(
    runtime: Runtime, tenant_id: int, clock: FixedClock, api: AsyncClient, api_key: Headers
) -> None:
    ids = [await acquired(runtime, tenant_id, date(2026, 1, 20)) for _ in range(3)]
    path = "/v1/assets/depreciation-runs"
    shown = (await api.post(path, json={}, headers=api_key)).json()
    assert (shown["dry_run"], shown["through_on"], shown["entry_count"]) == (True, "2026-02-28", 6)
    assert [
        (line["kind"], line["business_date"], line["debit_account"], line["asset_count"], line["amount_fen"])
        for line in shown["items"]
    ] == [
        ("assets.taken_in", "2026-01-20", rules.EQUIPMENT, 3, 3 * COST),
        ("assets.taken_in", "2026-01-20", rules.INPUT_VAT, 3, 3 * VAT),
        ("assets.depreciated", "2026-02-28", rules.DEPRECIATION_COST, 3, 3 * MONTHLY),
    ]
    assert await booked(runtime, tenant_id, ids[0]) == []
    asset = public_id(Prefix.ASSET, ids[0])
    missing = await api.get(f"/v1/assets/{asset}/book", headers=api_key)
    assert (missing.status_code, missing.json()["code"]) == (404, "assets.not_in_books")
    done = (await api.post(path, json={"dry_run": False}, headers=api_key)).json()
    assert done == {**shown, "dry_run": False}
    assert (await api.post(path, json={"dry_run": False}, headers=api_key)).json()["items"] == []
    assert (await api.get(f"/v1/assets/{asset}/book", headers=api_key)).json() == {
        "asset_id": asset,
        "cost_fen": COST,
        "vat_fen": VAT,
        "residual_fen": RESIDUAL,
        "life_months": 36,
        "in_use_on": "2026-01-20",
        "depreciated_fen": MONTHLY,
        "depreciated_months": 1,
        "carrying_fen": COST - MONTHLY,
        "left_on": None,
    }


async def test_the_owner_sets_estimates_for_what_comes_next(
    runtime: Runtime, tenant_id: int, api: AsyncClient, api_key: Headers
) -> None:
    before = await acquired(runtime, tenant_id, date(2026, 2, 1))
    await keep_books(runtime, tenant_id, {})
    path = "/v1/assets/depreciation-policies"
    clerk = await key_headers(runtime, tenant_id, "finance")
    general = {"useful_life_months": 24, "residual_pct": 0, "purchase_vat_pct": 0}
    assert (await api.put(path, json=general, headers=clerk)).status_code == 403
    assert (await api.put(path, json={**general, "residual_pct": 91}, headers=api_key)).status_code == 422
    assert (await api.put(path, json=general, headers=api_key)).json() == {"product_id": None, **general}
    camera = new_id()
    own = {"product_id": public_id(Prefix.PRODUCT, camera), "useful_life_months": 60, "residual_pct": 10, "purchase_vat_pct": 13}
    assert (await api.put(path, json=own, headers=api_key)).status_code == 200
    assert (await api.get(path, headers=clerk)).json()["items"] == [{"product_id": None, **general}, own]

    after, of_camera = (
        await acquired(runtime, tenant_id, date(2026, 2, 1)),
        await acquired(runtime, tenant_id, date(2026, 2, 1), camera),
    )
    await keep_books(runtime, tenant_id, {})
    found = [await book(runtime, tenant_id, asset_id) for asset_id in (before, after, of_camera)]
    assert [(each.cost_fen, each.vat_fen, each.residual_fen, each.life_months) for each in found] == [
        (COST, VAT, RESIDUAL, 36),
        (GROSS, 0, 0, 24),
        (COST, VAT, COST // 10, 60),
    ]


async def test_a_day_of_acquisition_to_come_is_refused(api: AsyncClient, api_key: Headers) -> None:
    body = {
        "serial": serial(),
        "product_id": public_id(Prefix.PRODUCT, PRODUCT),
        "purchase_cost_fen": 1,
        "acquired_on": "2026-03-03",
    }
    refused = await api.post("/v1/assets", json=body, headers=api_key)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/acquired_on")


async def test_months_in_sets_are_those_of_the_rule(runtime: Runtime) -> None:
    cases = [
        (date(2026, 1, 31), date(2025, 12, 31) + timedelta(days=37 * n), months)
        for n, months in product(range(60), (0, 1, 13, 36, 37))
    ]
    months = rules.MONTHS_SQL.format(through="r.through", in_use_on="r.in_use_on")
    ends = rules.MONTH_END_SQL.format(in_use_on="r.in_use_on", months="r.months")
    total = rules.DEPRECIATED_FEN_SQL.format(cost_fen=str(COST), residual_fen=str(RESIDUAL), months="r.months", life_months="36")
    async with runtime.database.engine.connect() as connection:
        found = await connection.execute(
            text(
                f"SELECT {months}, {ends}, {total} FROM unnest(cast(:starts AS date[]), cast(:throughs AS date[]), cast(:months AS int[]))"
                " WITH ORDINALITY AS r(in_use_on, through, months, n) ORDER BY r.n"
            ),
            dict(zip(("starts", "throughs", "months"), (list(column) for column in zip(*cases, strict=True)), strict=True)),
        )
        assert [tuple(row) for row in found] == [
            (rules.months_begun(start, through), rules.month_end(start, n), rules.depreciated_fen(COST, RESIDUAL, 36, n))
            for start, through, n in cases
        ]
