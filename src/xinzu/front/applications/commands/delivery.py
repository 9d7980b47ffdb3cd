"""The delivery address: sealed with the salt of its digest, opened for the agreement it goes with, changed while it may be."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import normalize
from uuid import UUID

import msgspec

from xinzu.front.applications import schemas, store
from xinzu.front.applications.errors import AddressFixed, ApplicationUnknown
from xinzu.front.applications.model import Application
from xinzu.front.applications.rules.address import may_change_address
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.screening import api as screening
from xinzu.platform.crypto.masking import mask_address
from xinzu.platform.crypto.vault import TenantVault
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

_CONTEXT = "applications_application.delivery_address"


class _SealedAddress(msgspec.Struct):
    """Deleting the row deletes the salt too, and with it the way from the evidence to the address."""

    address: str
    salt: bytes


def seal_address(vault: TenantVault, application_id: UUID, address: str, salt: bytes) -> bytes:
    """The sealed form of an application's address."""
    return vault.seal(f"{_CONTEXT}:{application_id}", msgspec.json.encode(_SealedAddress(address, salt)))


def address_key(vault: TenantVault, address: str) -> str:
    """By which equal addresses of one tenant are recognised, whatever their width, case and white space: 32 hex digits."""
    return vault.blind(_CONTEXT, "".join(normalize("NFKC", address).casefold().split())).hex()


def address_digest(salt: bytes, address: str) -> str:
    """What stands in evidence for an address."""
    return evidence.salted_digest(salt, address)


async def change_delivery_addresses(
    uow: UnitOfWork, requests: Sequence[tuple[UUID, str]]
) -> list[Outcome[schemas.AddressChanged]]:
    """Change where the device goes, (application, address) each. Refused per item: ApplicationUnknown, AddressFixed.

    See ``rules.address`` for why nobody may change it after the decision.
    """
    held = await store.locked(uow, [application_id for application_id, _ in requests])
    outcomes: list[Outcome[schemas.AddressChanged]] = []
    for application_id, address in requests:
        application = held.get(application_id)
        if application is None:
            outcomes.append(ApplicationUnknown())
            continue
        if not may_change_address(application.state) or await screening.readdress_applications(
            uow, {application_id: address_key(uow.vault, address)}
        ):
            outcomes.append(
                AddressFixed(
                    "申请已进入审核或已作出决定，收货地址不可修改；如需更换请取消后重新申请",
                    "The application is under review or decided: cancel it and apply anew for another address",
                    state=str(application.state),
                )
            )
            continue
        salt, masked = evidence.new_salt(), mask_address(address)
        await store.change_address(uow, application_id, seal_address(uow.vault, application_id, address, salt), masked)
        facts = {"delivery_address_digest": address_digest(salt, address)}
        evidence.append(uow, [evidence.Leaf("applications.delivery_address.changed", application_id, facts)])
        outcomes.append(schemas.AddressChanged(id=public_id(Prefix.APPLICATION, application_id), delivery_address=masked))
    return outcomes


async def fix_delivery_addresses(uow: UnitOfWork, signed: Sequence[tuple[Application, UUID]]) -> None:
    """Hand the addresses of signed applications to parties under their agreements, where the warehouse finds them."""
    sealed = await store.sealed_addresses(uow, [application.id for application, _ in signed])
    await parties.set_delivery_addresses(
        uow,
        [
            parties.DeliveryAddress(
                subject_id=agreement_id,
                party_id=application.party_id,
                address=_opened(uow.vault, application.id, sealed[application.id]).address,
            )
            for application, agreement_id in signed
        ],
    )


def _opened(vault: TenantVault, application_id: UUID, sealed: bytes) -> _SealedAddress:
    return msgspec.json.decode(vault.open(f"{_CONTEXT}:{application_id}", sealed), type=_SealedAddress)
