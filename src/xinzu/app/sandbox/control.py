"""The sandbox's own door, which no provider has: merchants, faults, the couriers' day, refused identities, the customer's phone.

It is not signed: the sandbox listens on loopback only and holds play money only.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler

from xinzu.app.sandbox.alipay import AlipayTwin, WalletReply
from xinzu.app.sandbox.courier import CourierTwin, ParcelStatus
from xinzu.app.sandbox.deliveries import Deliveries
from xinzu.app.sandbox.faults import Fault, FaultKind, Faults
from xinzu.app.sandbox.identity import IdentityTwin
from xinzu.app.sandbox.merchants import AlipayMerchant, Merchants, SignedClient
from xinzu.app.sandbox.scores import PersonProfile, ScoresTwin
from xinzu.app.sandbox.signed import Content, Unprocessable
from xinzu.app.sandbox.sms import InboxMessage, SmsTwin


class MerchantsAdded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Apps and keys to register or replace."""

    alipay: tuple[AlipayMerchant, ...] = ()
    signed: tuple[SignedClient, ...] = ()


class FaultAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A behaviour of one buyer id, of ``*``, or of a service (``sms``, ``courier``, ``identity``, ``scores``)."""

    subject: str
    kind: FaultKind
    method: str = ""
    times: Annotated[int, msgspec.Meta(ge=0)] = 1
    delay_s: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    credit_fen: Annotated[int, msgspec.Meta(ge=0)] = 0


class ParcelMoved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status: ParcelStatus
    occurred_at: str


class CourierDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    occurred_at: str


class IdentityRefused(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    identity_no: str


class PersonSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the score sources say about a person."""

    identity_no: str
    profile: PersonProfile


class WalletOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a mini program hands to ``my.tradePay``. ``at`` is the customer's Beijing time, ``yyyy-MM-dd HH:mm:ss``."""

    order_str: str
    buyer_id: str
    at: str = ""


def control_routes(
    merchants: Merchants,
    faults: Faults,
    deliveries: Deliveries,
    alipay: AlipayTwin,
    sms: SmsTwin,
    courier: CourierTwin,
    identity: IdentityTwin,
    scores: ScoresTwin,
) -> list[ControllerRouterHandler]:
    """The routes under ``/control``, ``/wallet`` and ``/phone``."""

    class Control(Controller):
        path = "/control"

        @get("/alipay/public-key", sync_to_thread=False)
        def public_key(self) -> dict[str, str]:
            """What a merchant verifies the gateway's answers and notifications with."""
            return {"alipay_public_key_pem": merchants.alipay_keys.public_pem}

        @post("/merchants", status_code=204, sync_to_thread=False)
        def add_merchants(self, data: MerchantsAdded) -> None:
            merchants.add(alipay=data.alipay, signed=data.signed)

        @post("/faults", sync_to_thread=False)
        def add_fault(self, data: FaultAsked) -> Fault:
            return faults.add(
                data.subject, data.kind, method=data.method, times=data.times, delay_s=data.delay_s, credit_fen=data.credit_fen
            )

        @get("/faults", sync_to_thread=False)
        def list_faults(self) -> list[Fault]:
            return faults.listed()

        @delete("/faults/{subject:str}", sync_to_thread=False)
        def remove_faults(self, subject: str) -> None:
            faults.remove(subject)

        @get("/deliveries")
        async def waiting(self, wait_s: Annotated[float, Parameter(ge=0, le=30)] = 0) -> dict[str, int]:
            """How many notifications and callbacks are not yet accepted: 0 is a quiet sandbox, waited for as long as asked."""
            return {"waiting": await deliveries.waiting_after(wait_s)}

        @post("/courier/advance", status_code=200, sync_to_thread=False)
        def courier_day(self, data: CourierDay) -> Content:
            return courier.advance(data.occurred_at)

        @post("/courier/{shipment_id:str}", status_code=200, sync_to_thread=False)
        def move_parcel(self, shipment_id: str, data: ParcelMoved) -> Response[Content]:
            try:
                return Response(courier.move(shipment_id, data.status, data.occurred_at))
            except Unprocessable as refused:
                return Response({"code": refused.code, "detail": refused.detail}, status_code=refused.status)

        @post("/identity/refused", status_code=204, sync_to_thread=False)
        def refuse_identity(self, data: IdentityRefused) -> None:
            identity.refuse(data.identity_no)

        @post("/scores/people", status_code=204, sync_to_thread=False)
        def set_person(self, data: PersonSet) -> None:
            scores.set_profile(data.identity_no, data.profile)

    @post("/wallet/open", status_code=200, sync_to_thread=False)
    def open_wallet(data: WalletOrder) -> WalletReply:
        """The customer looks at the order without deciding."""
        return alipay.open_wallet(data.order_str, data.buyer_id)

    @post("/wallet/confirm", status_code=200, sync_to_thread=False)
    def confirm(data: WalletOrder) -> WalletReply:
        """The customer accepts the order."""
        return alipay.confirm(data.order_str, data.buyer_id, data.at)

    @get("/phone/{phone:str}/messages", sync_to_thread=False)
    def messages(phone: str) -> list[InboxMessage]:
        """The customer reads the phone."""
        return sms.inbox(phone)

    return [Control, open_wallet, confirm, messages]
