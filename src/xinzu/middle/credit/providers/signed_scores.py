"""Sources under the signed HTTP contract: ``POST <base_url>/v1/scores/<capability>``.

The contract is ours, because what resellers of these data speak is not public: ``{reference, asked_at, person}`` in, ``{reference, result_id,
observed_at, values}`` out, a refusal as a signed 4xx with ``code``. An adapter to a reseller's true protocol is one more file like this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from xinzu.kernel.time import Clock, as_utc
from xinzu.middle.credit.providers.base import Question, Said, values_of
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Ok, ProviderResult, Unknown
from xinzu.platform.signed_http import SignedPeer, call_signed

REFERENCE_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class SignedScoreSource:
    """The source behind one peer. ``wall_clock`` stamps requests: signatures live by the wall clock, never by the business clock."""

    outbound: Outbound
    peer: SignedPeer
    wall_clock: Clock
    timeout_s: float

    async def ask(self, question: Question) -> ProviderResult[Said]:
        """Ask once. An answer about another question or in another form is Unknown: nothing may be guessed from it."""
        result = await call_signed(
            self.outbound,
            self.peer,
            self.wall_clock,
            "POST",
            f"/v1/scores/{question.capability}",
            {"reference": question.reference, "asked_at": question.asked_at.isoformat(), "person": dict(question.person)},
            operation=f"score.{question.capability}",
            timeout_s=self.timeout_s,
        )
        if not isinstance(result, Ok):
            return result
        reply = result.value
        if reply.get("reference") != question.reference:
            return Unknown("bad_reply", "answers another question")
        try:
            values = values_of(question.capability, reply.get("values"))
            observed_at = as_utc(datetime.fromisoformat(str(reply["observed_at"])))
        except (msgspec.ValidationError, KeyError, ValueError) as broken:
            return Unknown("bad_reply", str(broken)[:200])
        return Ok(Said(values, str(reply.get("result_id", ""))[:REFERENCE_CHARS_MAX] or None, observed_at))
