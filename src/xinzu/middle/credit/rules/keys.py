"""Under which keys an applicant's facts are found. Digests of channels are keyed again by the caller, so that none stands here as it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from xinzu.middle.credit.model import Applicant, EntityKind

# What a channel may send as a signal so that devices and networks can be recognised: a digest of its own, never a number in clear.
KEY_SIGNALS: Mapping[str, EntityKind] = {
    "device_key": EntityKind.DEVICE,
    "ip_key": EntityKind.IP,
    "ip_net_key": EntityKind.IP_NET,
    "bssid_key": EntityKind.BSSID,
}
MERCHANT_KEY = "self"  # the tenant itself


def keys_of(applicant: Applicant, phone_key: str | None, keyed: Callable[[EntityKind, str], str]) -> dict[EntityKind, str]:
    """The keys of an application. Without consent only the merchant's own: who applied, for what, through which channel."""
    found = {
        EntityKind.PARTY: str(applicant.party_id),
        EntityKind.CHANNEL: applicant.channel,
        EntityKind.PRODUCT_CHANNEL: f"{applicant.terms.product_id}:{applicant.channel}",
        EntityKind.MERCHANT: MERCHANT_KEY,
    }
    if not applicant.has_consented:
        return found
    if phone_key is not None:
        found[EntityKind.PHONE] = phone_key
    if applicant.address_key is not None:
        found[EntityKind.ADDRESS] = applicant.address_key
    for signal, kind in KEY_SIGNALS.items():
        said = applicant.signals.get(signal)
        if isinstance(said, str) and said:
            found[kind] = keyed(kind, said)
    return found


def merchant_keys(party_id: UUID) -> dict[EntityKind, str]:
    """Where a fact stands whose application is not known here: what was agreed before this module kept facts."""
    return {EntityKind.PARTY: str(party_id), EntityKind.MERCHANT: MERCHANT_KEY}
