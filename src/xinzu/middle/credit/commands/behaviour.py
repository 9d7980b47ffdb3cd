"""How parties have behaved so far, apart from any application."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from xinzu.middle.credit.definitions import computed
from xinzu.middle.credit.model import SHARED, EntityKind, Known, Value
from xinzu.middle.credit.rules.values import derived, judged
from xinzu.middle.credit.store import indicators as store
from xinzu.platform.uow import ReadSession

NONE_ASKED = "-"  # no channel, product or merchant is looked at here


async def behaviour_of(read: ReadSession, party_ids: Sequence[UUID], wanted: Collection[str]) -> dict[UUID, dict[str, Value]]:
    """These indicators of parties as of now, by party. Only such as count facts of the party; nothing is kept.

    The caller sees to it that the parties agreed to be looked at (purpose ``decision``).
    """
    shared = dict.fromkeys(SHARED, NONE_ASKED)
    known = [Known(each, each, {EntityKind.PARTY: str(each), **shared}, {}) for each in party_ids]
    numbers, _ = await store.online(read, known) if known else ({}, {})
    definitions = {key: definition for key, definition in computed().items() if key in wanted}
    return {
        party_id: {
            key: judged(definition, derived(definition, numbers[party_id][key]))[0] for key, definition in definitions.items()
        }
        for party_id in party_ids
    }
