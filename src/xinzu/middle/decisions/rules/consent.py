"""The legal gate before the strategy: no consent, no automated decision. No tenant can lower it."""

from __future__ import annotations

from xinzu.middle.decisions.model import DecisionOutcome, Verdict

CONSENT_MISSING = "CONSENT_MISSING"


def refer_without_consent() -> Verdict:
    """The verdict on an application whose party has not agreed to automated decisions (PIPL arts. 13 and 24): a person decides."""
    return Verdict(DecisionOutcome.REFER, [CONSENT_MISSING], {"hits": []}, [], 0)
