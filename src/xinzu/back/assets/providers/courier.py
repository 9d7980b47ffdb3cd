"""The courier under the signed HTTP contract, ``POST <courier_url>/v1/shipments``: one order per reference, whatever happens.

Repeating an order under its reference gives the first answer again, so an order of unknown outcome is resolved by asking with the
very same content. Failed means the courier said no under its signature.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from xinzu.kernel.time import Clock
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok, ProviderResult, Unknown
from xinzu.platform.settings import Settings
from xinzu.platform.signed_http import CALL_REFUSED, SignedPeer, call_signed, configured_peer

NAME = "courier"
# A refusal of the call is no answer to the order, nor is one of an order it has under other content: it has it.
_NOT_AN_ANSWER = CALL_REFUSED | {"reference_conflict"}


@dataclass(frozen=True, slots=True)
class Courier:
    """A configured courier and the way out to it. ``wall_clock`` signs: freshness is not business time."""

    peer: SignedPeer
    outbound: Outbound
    wall_clock: Clock

    async def book(self, request: bytes) -> ProviderResult[str]:
        """Order a parcel with a request made by ``order``; Ok holds the courier's number of it."""
        content = msgspec.json.decode(request, type=dict[str, object])
        answer = await call_signed(self.outbound, self.peer, self.wall_clock, "POST", "/v1/shipments", content, operation="book")
        if isinstance(answer, Failed) and answer.code in _NOT_AN_ANSWER:
            return Unknown(f"provider_{answer.code}", answer.detail)
        if isinstance(answer, Failed | Unknown):
            return answer
        number = answer.value.get("shipment_id")
        return Ok(number) if isinstance(number, str) and 0 < len(number) <= 64 else Unknown("bad_reply", "no shipment_id")


def courier_peer(settings: Settings) -> SignedPeer | None:
    """The configured courier, None when there is none."""
    return configured_peer(NAME, settings.courier_url, settings.courier_key)
