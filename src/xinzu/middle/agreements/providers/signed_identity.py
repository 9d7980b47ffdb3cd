"""A register under the signed HTTP contract: ``POST <identity_url>/v1/checks``.

It keeps its first answer per reference, so an unknown outcome is resolved by sending the same check again.
"""

from __future__ import annotations

from dataclasses import dataclass

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import SystemClock
from xinzu.middle.agreements.model import IdentityOutcome, IdentityState, Signer
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok
from xinzu.platform.settings import Settings
from xinzu.platform.signed_http import SignedPeer, call_signed, configured_peer

CODE_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class SignedIdentityRegister:
    """The register behind one peer."""

    outbound: Outbound
    peer: SignedPeer

    async def check(self, signer: Signer) -> IdentityOutcome:
        """Ask about one signer. Only a signed answer about this person counts as passed or failed.

        A refusal of the call (wrong key, clock askew, busy) says nothing about the person: unknown.
        """
        result = await call_signed(
            self.outbound,
            self.peer,
            SystemClock(),
            "POST",
            "/v1/checks",
            {
                "reference": public_id(Prefix.AGREEMENT, signer.agreement_id),
                "name": signer.name,
                "identity_no": signer.identity_no,
            },
            operation="check_identity",
        )
        if isinstance(result, Ok):
            passed, check_id, code = (result.value.get(name) for name in ("passed", "check_id", "code"))
            if not isinstance(passed, bool) or not isinstance(check_id, str):
                return IdentityOutcome(signer.agreement_id, IdentityState.UNKNOWN, None, "bad_reply")
            state = IdentityState.PASSED if passed else IdentityState.FAILED
            return IdentityOutcome(signer.agreement_id, state, check_id[:CODE_CHARS_MAX], str(code)[:CODE_CHARS_MAX])
        code = f"provider_{result.code}" if isinstance(result, Failed) else result.reason
        return IdentityOutcome(signer.agreement_id, IdentityState.UNKNOWN, None, code[:CODE_CHARS_MAX])


def identity_peer(settings: Settings) -> SignedPeer | None:
    """The configured register, or None when ``identity_url`` or ``identity_key`` is not set."""
    return configured_peer("identity", settings.identity_url, settings.identity_key)
