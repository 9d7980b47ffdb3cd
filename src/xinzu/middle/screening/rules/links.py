"""By what a party is related to others. Digests of channels are keyed again by the caller, so that none stands here as it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from xinzu.middle.screening.model import LinkKind, Screened

# What a channel may send as a signal so that what people share can be recognised: a digest of its own, never a number in clear.
LINK_SIGNALS: Mapping[str, LinkKind] = {
    "device_key": LinkKind.DEVICE,
    "contact_key": LinkKind.CONTACT,
    "account_key": LinkKind.ACCOUNT,
    "bssid_key": LinkKind.NETWORK,
}
DEALER_SIGNAL = "dealer_key"


def links_of(application: Screened, phone_key: str | None, keyed: Callable[[LinkKind, str], str]) -> list[tuple[LinkKind, str]]:
    """The (kind, key) pairs of an application. Without consent there are none."""
    if not application.has_consented:
        return []
    found = [] if phone_key is None else [(LinkKind.PHONE, phone_key)]
    if application.address_key is not None:
        found.append((LinkKind.ADDRESS, application.address_key))
    for signal, kind in LINK_SIGNALS.items():
        said = application.signals.get(signal)
        if isinstance(said, str) and said:
            found.append((kind, keyed(kind, said)))
    return found


def merged(groups: Iterable[Iterable[UUID]]) -> dict[UUID, UUID]:
    """Components that meet, each with the one they become: the smallest. ``groups`` are the components found around one shared thing; those
    that stay what they are are left out.

    >>> one, two, three, four = (UUID(int=n) for n in (1, 2, 3, 4))
    >>> {old.int: new.int for old, new in merged([[two, three], [three, one], [four]]).items()}
    {2: 1, 3: 1}
    """
    above: dict[UUID, UUID] = {}

    def top(each: UUID) -> UUID:
        while (parent := above.get(each, each)) != each:
            above[each] = above.get(parent, parent)
            each = parent
        return each

    for group in groups:
        tops = {top(each) for each in group}
        smallest = min(tops, default=None)
        for each in tops:
            above[each] = smallest or each
    return {each: top(each) for each in above if top(each) != each}
