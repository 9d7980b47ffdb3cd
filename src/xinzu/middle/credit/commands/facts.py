"""Putting facts on file: what other modules said, under the entities it concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from xinzu.middle.credit.definitions import wanted
from xinzu.middle.credit.model import EntityKind, Fact, FactKind, Happening
from xinzu.middle.credit.rules.keys import merchant_keys
from xinzu.middle.credit.store import facts as store
from xinzu.platform.uow import UnitOfWork

# What an order is worth stands beside its beginning and its end, so that what is held adds up.
_WITH_VALUE = frozenset({FactKind.COMMENCED, FactKind.ENDED})
_OF_FIRST = frozenset({FactKind.FIRST_DUE, FactKind.FIRST_OVERDUE})


async def note(uow: UnitOfWork, happenings: Sequence[Happening]) -> None:
    """Write what happened as facts, known from now on; counters move with them.

    What concerns an application that is not on file here (it was decided before this module kept facts) stands under its party only,
    and where the event names none, it is left out: there is nobody it could tell of.
    """
    orders = await store.orders_of(uow, [each.subject_id for each in happenings])
    facts = []
    for each in happenings:
        order = orders.get(each.subject_id)
        party_id = each.party_id or (None if order is None else order.party_id)
        if party_id is None or (each.kind in _OF_FIRST and (order is None or order.first_number != each.attributes["number"])):
            continue
        keys = merchant_keys(party_id) if order is None else {**order.keys, EntityKind.PARTY: str(party_id)}
        value = {"value_fen": 0 if order is None else order.value_fen} if each.kind in _WITH_VALUE else {}
        facts.append(
            Fact(
                kind=each.kind,
                subject_id=each.subject_id,
                keys=narrowed(each.kind, keys),
                occurred_at=each.occurred_at,
                attributes={**each.attributes, **value},
            )
        )
    await store.insert_facts(uow, facts)


async def name_agreements(uow: UnitOfWork, agreements: Mapping[UUID, UUID]) -> None:
    """Agreement → application: what happens later is told by agreement."""
    await store.name_agreements(uow, agreements)


def narrowed(kind: FactKind, keys: Mapping[EntityKind, str]) -> dict[EntityKind, str]:
    """The keys under which some indicator asks for this kind of fact."""
    asked = wanted().get(kind, frozenset())
    return {entity: key for entity, key in keys.items() if entity in asked}
