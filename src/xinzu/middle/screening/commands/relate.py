"""Relating applicants: what they share is put on file, components that meet become one, and what is known of each is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.screening.commands.watch import screen_parties
from xinzu.middle.screening.model import RELATED_WITHIN_DAYS, LinkKind, OrderCounts, Relations, Screened
from xinzu.middle.screening.rules.links import DEALER_SIGNAL, links_of, merged
from xinzu.middle.screening.rules.reasons import facts_of
from xinzu.middle.screening.store import money, relations
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.parties import api as parties

KEY_COLUMN = "screening_link.key"
DEALER_COLUMN = "screening_order.dealer"
DEALER_BURST = timedelta(minutes=10)
READDRESSED_WITHIN = timedelta(days=30)


async def screen_applications(uow: UnitOfWork, applications: Sequence[Screened]) -> dict[UUID, dict[str, int]]:
    """Put applications on file and say by application what a strategy may read of them (``rules.reasons.facts_of``).

    Those of one batch are related before any is looked at, so that a ring that applies at once is seen at once. An application without
    consent to automated decisions relates nobody and has no facts; whether its party is on a watch list is looked at all the same, because
    the law orders it (反洗钱法 art. 40). Given again, an application changes nothing. Raises alerts for those like somebody on a watch list.
    """
    if not applications:
        return {}
    phones = await parties.blind_phones(uow, [each.party_id for each in applications])
    keyed = _keyed(uow)
    links = [
        (kind, key, each.party_id)
        for each in applications
        for kind, key in links_of(each, phones.get(each.party_id, (None,))[0], keyed)
    ]
    await relations.lock(uow)
    await relations.see_parties(uow, [each.party_id for each in applications])
    await _relate(uow, links)
    await relations.insert_orders(uow, [(each, _dealer_key(uow, each)) for each in applications])
    await screen_parties(uow, [each.party_id for each in applications])
    looked_at = [each for each in applications if each.has_consented]
    party_ids = list({each.party_id for each in looked_at})
    found = await relations_of(uow, party_ids, uow.now)
    counts = await relations.order_counts(
        uow, [each.application_id for each in looked_at], uow.now - READDRESSED_WITHIN, uow.now - DEALER_BURST
    )
    watched = await money.watch_hits(uow, party_ids)
    return {
        each.application_id: facts_of(
            found[each.party_id], counts.get(each.application_id, OrderCounts()), watched.get(each.party_id, 0)
        )
        for each in looked_at
    }


async def relations_of(read: ReadSession, party_ids: Sequence[UUID], asof: Instant) -> dict[UUID, Relations]:
    """What is known of parties' relations as of an instant, by party; of one not on file that there are none.

    Of the past: who was on file, marked or listed later is not counted. The component is the one of now, less those who came later: it may
    be larger than it was when two that stood apart then have met since.
    """
    if not party_ids:
        return {}
    found = await relations.relations(read, party_ids, asof, asof - timedelta(days=RELATED_WITHIN_DAYS))
    return {party_id: found.get(party_id, Relations()) for party_id in party_ids}


async def addresses_of(uow: UnitOfWork, application_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The addresses that applications about to be decided were changed to since they were submitted, as keys. Until the transaction ends none
    is changed any more, so that what is decided on is what is shipped."""
    await relations.lock(uow)
    return await relations.addresses(uow, application_ids)


async def readdress_applications(uow: UnitOfWork, moved: Mapping[UUID, str]) -> set[UUID]:
    """Applications are to go elsewhere, by the key of the new address. Gives those for which it is too late: the decision on them looked at the
    old one. Their customers cancel and apply anew, and are decided on anew (租机套现: a thing redirected after approval)."""
    await relations.lock(uow)
    late = await relations.on_file(uow, list(moved))
    await relations.readdress(uow, {each: key for each, key in moved.items() if each not in late})
    return late


async def _relate(uow: UnitOfWork, links: Sequence[tuple[LinkKind, str, UUID]]) -> None:
    if links:
        await relations.see_links(uow, links)
        around = await relations.components_around(uow, [(kind, key) for kind, key, _ in links])
        await relations.merge(uow, merged(around))


def _dealer_key(uow: UnitOfWork, application: Screened) -> str | None:
    said = application.signals.get(DEALER_SIGNAL)
    return uow.vault.blind(DEALER_COLUMN, said).hex() if isinstance(said, str) and said else None


def _keyed(uow: UnitOfWork) -> Callable[[LinkKind, str], str]:
    """A channel's digest under the tenant's own key, so that what stands here cannot be matched with anybody else's."""
    return lambda kind, said: uow.vault.blind(f"{KEY_COLUMN}:{kind}", said).hex()
