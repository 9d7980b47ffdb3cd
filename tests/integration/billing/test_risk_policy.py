"""A tenant's own lines and rates: stricter than the guard, used by the close; and how a lease is classified at its inception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from httpx import AsyncClient
from tests.integration.billing.conftest import Rental, only

from xinzu.back.billing import api as billing
from xinzu.back.billing.events import AccrualStopped, AssetReclassified, LeaseClassDiffered
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.terms import Family, Financing
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import issue_api_key

MakeRental = Callable[..., Rental]
LOAN = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12")
OWN: dict[str, Any] = {
    "attention_days": 0,
    "substandard_days": 60,
    "doubtful_days": 120,
    "loss_days": 180,
    "non_accrual_days": 30,
    "by_class": {"normal": 150, "attention": 300, "substandard": 3_000, "doubtful": 6_000, "loss": 10_000},
}


async def test_the_close_classifies_provides_and_stops_accrual_by_the_tenants_policy(
    another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str]
) -> None:
    before = (await api.get("/v1/billing/risk-policy", headers=api_key)).json()
    assert (before["name"], before["substandard_days"], before["non_accrual_days"]) == ("measures_2023", 90, 90)
    answer = await api.put("/v1/billing/risk-policy", json=OWN, headers=api_key)
    assert answer.status_code == 200
    assert answer.json() == {"name": "own", **OWN} == (await api.get("/v1/billing/risk-policy", headers=api_key)).json()
    borrower = another_rental(rent_fen=106_619, deposit_fen=0, grace_days=0, financing=LOAN)
    await borrower.sign()
    await borrower.commence()
    said = await borrower.pass_days(31 + 70)
    assert [(each.asset_class, each.days_past_due) for each in only(AssetReclassified, said)] == [
        ("attention", 1),
        ("substandard", 61),
    ]
    assert [each.days_past_due for each in only(AccrualStopped, said)] == [31]
    while borrower.today.day != 1:
        await borrower.pass_days(1)
    async with borrower.runtime.reading(borrower.tenant_id) as read:
        report = await billing.asset_classes(read)
        leaves = await read.scalar(
            "SELECT count(*) FROM evidence_leaf WHERE tenant_id = :tenant AND kind = 'billing.risk_policy.set'"
        )
    [line] = [line for line in report.lines if line.agreement_count]
    assert (line.asset_class, line.coverage_pct) == ("substandard", "30.00")
    assert leaves == 1


async def test_a_policy_looser_than_the_guard_is_refused_with_its_field(api: AsyncClient, api_key: dict[str, str]) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"substandard_days": 91}, "/substandard_days"),
        ({"loss_days": 361}, "/loss_days"),
        ({"doubtful_days": 60}, "/doubtful_days"),
        ({"non_accrual_days": 91}, "/non_accrual_days"),
        ({"non_accrual_days": 0}, "/non_accrual_days"),
        ({"by_class": OWN["by_class"] | {"substandard": 2_499}}, "/by_class/substandard"),
        ({"by_class": OWN["by_class"] | {"normal": 99}}, "/by_class/normal"),
        ({"by_class": OWN["by_class"] | {"doubtful": 9_000, "substandard": 9_500}}, "/by_class"),
    ]
    for changed, pointer in wrong:
        answer = await api.put("/v1/billing/risk-policy", json=OWN | changed, headers=api_key)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), changed
    assert (await api.get("/v1/billing/risk-policy", headers=api_key)).json()["name"] == "measures_2023"


async def test_only_the_owner_sets_the_policy(runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient) -> None:
    async with runtime.reading(tenant_id) as read:
        slug = await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
    for role, status in (("risk", 403), ("finance", 403), ("viewer", 403), ("owner", 200)):
        async with runtime.unit(tenant_id, actor) as uow:
            key = await issue_api_key(uow, slug, role, [role])
        headers = {"Authorization": f"Bearer {key.secret}"}
        assert (await api.get("/v1/billing/risk-policy", headers=headers)).status_code == 200
        assert (await api.put("/v1/billing/risk-policy", json=OWN, headers=headers)).status_code == status


async def test_cas_21_art_35_a_lease_is_classified_at_its_inception_and_keeps_every_test(
    another_rental: MakeRental, api: AsyncClient, api_key: dict[str, str]
) -> None:
    phone = another_rental(rent_fen=29_900, device_value_fen=600_000)
    owned = another_rental(rent_fen=29_900, period_count=24, device_value_fen=600_000, buyout_fen=100)
    truck = another_rental(
        rent_fen=346_000,
        period_count=24,
        device_value_fen=11_000_000,
        financing=Financing(
            family=Family.FINANCE_LEASE,
            principal_fen=10_000_000,
            annual_rate_pct="8.5",
            day_count="actual/365",
            balloon_fen=3_000_000,
        ),
    )
    loan = another_rental(rent_fen=106_619, deposit_fen=0, financing=LOAN)
    said = []
    for each in (phone, owned, truck, loan):
        await each.sign()
        said += await each.commence()

    def path(rental: Rental) -> str:
        return f"/v1/agreements/{public_id(Prefix.AGREEMENT, rental.agreement_id)}/account/classification"

    found = {}
    for name, rental in (("phone", phone), ("owned", owned), ("truck", truck)):
        found[name] = (await api.get(path(rental), headers=api_key)).json()
    assert [(each["lease_class"], each["booked_as"], each["differs"]) for each in found.values()] == [
        ("operating", "operating", False),
        ("finance", "operating", True),
        ("finance", "finance", False),
    ]
    [differed] = only(LeaseClassDiffered, said)
    assert differed.subject_id == owned.agreement_id
    assert differed.because == ["bargain_option"]
    held = {test["code"]: test for test in found["truck"]["tests"] if test["holds"]}
    assert "substantially_all_of_value" in held
    # The receipts and the down payment at their implicit rate are worth the truck.
    assert held["substantially_all_of_value"]["figures"]["present_value_fen"] in range(10_999_990, 11_000_010)
    assert (await api.get(path(loan), headers=api_key)).json()["type"].endswith("billing.lease_unclassified")
    async with owned.runtime.reading(owned.tenant_id) as read:
        leaves = await read.scalar(
            "SELECT count(*) FROM evidence_leaf WHERE tenant_id = :tenant AND kind = 'billing.lease_class.differed'"
        )
    assert leaves == 1
