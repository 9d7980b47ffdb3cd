"""A carrier under the signed HTTP contract: ``POST <sms_url>/v1/messages``, told of deliveries by signed callbacks.

The carrier keeps the first answer per reference, so a message of unknown outcome is asked about by sending the very same content
again. Should the content differ (our own address changed in between) it says ``reference_conflict``: it has the message.
"""

from __future__ import annotations

from dataclasses import dataclass

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import SystemClock
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok, ProviderResult, Unknown
from xinzu.platform.settings import Settings
from xinzu.platform.signed_http import CALL_REFUSED, SignedPeer, call_signed, configured_peer
from xinzu.records.parties.commands.messages import Outgoing
from xinzu.records.parties.providers.base import Accepted


@dataclass(frozen=True, slots=True)
class SignedSmsCarrier:
    """The carrier behind one peer."""

    outbound: Outbound
    peer: SignedPeer

    async def send(self, message: Outgoing, callback_url: str) -> ProviderResult[Accepted]:
        """Hand over one message; see ``SmsCarrier``."""
        result = await call_signed(
            self.outbound,
            self.peer,
            SystemClock(),
            "POST",
            "/v1/messages",
            {
                "reference": public_id(Prefix.MESSAGE, message.id),
                "phone": message.to,
                "template": message.template,
                "text": message.text,
                "requested_at": message.requested_at.isoformat(),
                "callback_url": callback_url,
            },
            operation="send_message",
        )
        if isinstance(result, Ok):
            message_id, status = result.value.get("message_id"), result.value.get("status")
            if not isinstance(message_id, str) or status not in {"accepted", "delivered", "undelivered"}:
                return Unknown("bad_reply", "message_id or status is missing")
            return Ok(Accepted(message_id[:200], status))
        if isinstance(result, Failed):
            if result.code == "reference_conflict":
                return Ok(Accepted("", "accepted"))
            if result.code in CALL_REFUSED:
                return Unknown(f"provider_{result.code}", result.detail, may_have_happened=False)
        return result


def sms_peer(settings: Settings) -> SignedPeer | None:
    """The configured carrier, or None when ``sms_url`` or ``sms_key`` is not set."""
    return configured_peer("sms", settings.sms_url, settings.sms_key)
