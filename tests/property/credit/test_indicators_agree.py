"""On any log of facts: what was kept at the decision = what is computed online = over history = by hand. On a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import START
from tests.integration.decisions.people import register, terms
from tests.property.credit.indicators_by_hand import Said, value_by_hand

from xinzu.kernel.ids import new_id
from xinzu.kernel.time import FixedClock
from xinzu.middle.credit import api as credit
from xinzu.middle.credit.api import Applicant, FactKind, Happening
from xinzu.middle.credit.commands.facts import narrowed
from xinzu.middle.credit.model import EntityKind, Known
from xinzu.middle.credit.rules.keys import KEY_SIGNALS, keys_of
from xinzu.middle.credit.rules.values import judged
from xinzu.middle.credit.store import indicators as store
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_tenant

PEOPLE, CHANNELS, ADDRESSES, DEVICES, PRODUCTS = 4, ("alipay", "wechat"), ("a1", "a2", None), ("d1", "d2", None), (0, 1)
# A minute, just short of and just past an hour, and the lengths of the windows to the second and around them.
STEPS = [
    timedelta(seconds=s) for s in (0, 1, 60, 3_599, 3_600, 3_601, 86_399, 86_400, 86_401, 7 * 86_400, 30 * 86_400, 90 * 86_400)
]
_slugs = count(1)


@dataclass(frozen=True)
class Apply:
    """Applications put to a decision together, by whom and with what."""

    people: tuple[int, ...]
    channel: str
    address: str | None
    device: str | None
    product: int
    value_fen: int


@dataclass(frozen=True)
class Tell:
    """Something happens to an application made before; ``back`` is how long ago it occurred (below zero: it is known ahead)."""

    kind: FactKind
    of: int
    back: timedelta
    days: int
    amount_fen: int
    purpose: str
    reason: str


applying = st.builds(
    Apply,
    st.lists(st.integers(0, PEOPLE - 1), min_size=1, max_size=3).map(tuple),
    st.sampled_from(CHANNELS),
    st.sampled_from(ADDRESSES),
    st.sampled_from(DEVICES),
    st.sampled_from(PRODUCTS),
    st.integers(0, 10**9),
)
telling = st.builds(
    Tell,
    st.sampled_from([*(kind for kind in FactKind if kind is not FactKind.APPLIED), *[FactKind.APPROVED, FactKind.DECLINED] * 4]),
    st.integers(0, 50),
    # The first of those ahead comes about at the very instant of a decision one second later.
    st.sampled_from([*STEPS[:9], -timedelta(seconds=1, microseconds=1), -timedelta(days=2)]),
    st.integers(0, 400),
    st.integers(0, 10**9),
    st.sampled_from(["first_rent", "instalment"]),
    st.sampled_from(["ACQ.BUYER_BALANCE_NOT_ENOUGH", "ACQ.SYSTEM_ERROR"]),
)
logs = st.lists(st.tuples(st.one_of(applying, telling), st.sampled_from(STEPS)), min_size=3, max_size=30)


class World:
    """A tenant, its log in PostgreSQL, and the same log in memory."""

    def __init__(self, runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock, people: list[UUID]) -> None:
        self.runtime, self.tenant_id, self.actor, self.clock, self.people = runtime, tenant_id, actor, clock, people
        self.products = [new_id() for _ in PRODUCTS]
        self.log: list[Said] = []
        self.counted: dict[UUID, store.Numbers] = {}
        self.made: list[tuple[Applicant, dict[EntityKind, str], Any]] = []

    async def live(self, log: Sequence[tuple[Apply | Tell, timedelta]]) -> None:
        for said, step in log:
            self.clock.advance(step)
            if isinstance(said, Apply):
                await self.apply(said)
            else:
                await self.tell(said)
                # A counter cannot tell what was written at the very instant of a decision from what was there before.
                self.clock.advance(timedelta(microseconds=1))

    async def apply(self, said: Apply) -> None:
        applicants = [
            Applicant(
                application_id=new_id(),
                party_id=self.people[person],
                channel=said.channel,
                terms=replace(terms(said.value_fen), product_id=self.products[said.product]),
                signals=dict.fromkeys(KEY_SIGNALS, said.device),
                address_key=said.address,
            )
            for person in said.people
        ]
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            phones = await _phones(uow, self.people)
            vault, now = uow.vault, uow.now
            known = [
                Known(
                    each.application_id,
                    each.party_id,
                    keys_of(
                        each, phones[each.party_id], lambda kind, text: vault.blind(f"credit_fact.entity_key:{kind}", text).hex()
                    ),
                    {},
                )
                for each in applicants
            ]
            self.counted |= (await store.online(uow, known))[0]
            snapshots = await credit.take_snapshots(uow, applicants)
        for each, one in zip(applicants, known, strict=True):
            self.made.append((each, dict(one.keys), snapshots[each.application_id]))
        for each, keys, _ in self.made[-len(applicants) :]:
            own = {str(kind): keys[kind] for kind in (EntityKind.PHONE, EntityKind.ADDRESS, EntityKind.DEVICE) if kind in keys}
            facts = {"party": str(each.party_id), "channel": each.channel, "value_fen": said.value_fen, **own}
            self._keep(FactKind.APPLIED, each.application_id, keys, now, facts)

    async def tell(self, said: Tell) -> None:
        if not self.made:
            return
        applicant, keys, _ = self.made[said.of % len(self.made)]
        attributes: dict[str, str | int] = {"days": said.days, "overdue_fen": said.amount_fen, "amount_fen": said.amount_fen}
        attributes |= {"purpose": said.purpose, "reason": said.reason, "damage_fen": said.amount_fen}
        attributes |= {"is_declined": int(said.kind is FactKind.DECLINED), "number": 2}
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            happening = Happening(
                kind=said.kind, subject_id=applicant.application_id, occurred_at=uow.now - said.back, attributes=attributes
            )
            await credit.note(uow, [happening])
        if said.kind in (FactKind.COMMENCED, FactKind.ENDED):
            attributes = {**attributes, "value_fen": applicant.terms.device_value_fen}
        self._keep(said.kind, applicant.application_id, keys, happening.occurred_at, attributes)

    def _keep(self, kind: FactKind, subject: UUID, keys: Any, at: Any, attributes: Any) -> None:
        self.log.append(Said(len(self.log), kind, subject, narrowed(kind, keys), at, self.clock.now(), attributes))


async def _phones(uow: Any, people: Sequence[UUID]) -> dict[UUID, str]:
    from xinzu.records.parties import api as parties

    return {party_id: phone for party_id, (phone, _) in (await parties.blind_phones(uow, people)).items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(log=logs)
async def test_kept_online_over_history_and_by_hand_are_one(
    runtime: Runtime, actor: Actor, clock: FixedClock, log: list[tuple[Apply | Tell, timedelta]]
) -> None:
    clock.set(START)
    tenant_id = await create_tenant(runtime, f"credit-{next(_slugs)}", "指标一致")
    world = World(runtime, tenant_id, actor, clock, await register(runtime, tenant_id, actor, count=PEOPLE))
    await world.live(log)
    async with runtime.reading(tenant_id) as read:
        counted_again = await store.over_history(read, START, clock.now() + timedelta(seconds=1))
        again = await credit.computed_again(read, START, clock.now() + timedelta(seconds=1))
        kept = {each.application_id: await credit.snapshot(read, each.application_id) for each, _, _ in world.made}
    assert again.keys() == kept.keys()
    assert counted_again == world.counted  # each aggregate by itself, because a ratio hides what is wrong on both sides
    for applicant, keys, snapshot in world.made:
        online = {key: each.value for key, each in snapshot.values.items()}
        assert {key: each.value for key, each in kept[applicant.application_id].values.items()} == online
        assert again[applicant.application_id] == online
        for key, definition in credit.computed().items():
            if definition.of is not None:
                by_hand = value_by_hand(definition, world.log, keys, str(applicant.party_id), snapshot.as_of)
                assert online[key] == judged(definition, by_hand)[0], key


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(log=logs)
async def test_the_counters_hold_the_facts_they_were_made_of(
    runtime: Runtime, actor: Actor, clock: FixedClock, log: list[tuple[Apply | Tell, timedelta]]
) -> None:
    clock.set(START)
    tenant_id = await create_tenant(runtime, f"counted-{next(_slugs)}", "计数一致")
    world = World(runtime, tenant_id, actor, clock, await register(runtime, tenant_id, actor, count=PEOPLE))
    await world.live(log)
    async with runtime.reading(tenant_id) as read:
        for hours, unit in ((1, "hour"), (24, "day")):
            counted = await read.rows(
                "SELECT entity_kind, entity_key, bucket_at, kind, facts, amount FROM credit_counter"
                " WHERE bucket_hours = :hours ORDER BY 1, 2, 3, 4",
                hours=hours,
            )
            summed = await read.rows(
                f"SELECT entity_kind, entity_key, date_trunc('{unit}', occurred_at), kind, count(*),"
                " sum(coalesce((attributes->>'value_fen')::bigint, 0)) FROM credit_fact"
                " WHERE entity_kind IN ('channel', 'product_channel', 'merchant') GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
            )
            assert [tuple(row) for row in counted] == [tuple(row) for row in summed]
