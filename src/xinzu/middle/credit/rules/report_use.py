"""For what a report may be inquired, under which consent, for how long it may be used and kept.

征信业管理条例 (2013): art. 16 adverse information is kept five years from the end of the bad behaviour; art. 18 whoever inquires about a
person has that person's written consent and an agreed purpose; art. 20 no other use. PIPL arts. 13, 14, 29: consent is informed, and
separate for sensitive data. A consent given on a screen is in writing: 电子签名法 arts. 3 and 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from xinzu.kernel.time import BusinessDate, Instant, add_months
from xinzu.middle.credit.model import NotUsed

# What somebody who leases or lends may inquire for. 03 (a credit card) is a bank's, 09 a court's, 20 and 21 an insurer's.
INQUIRY_PURPOSES = ("01", "02", "08", "24", "25", "26")
# Ours: a report says what was so on its day; after a month a decision asks for a new one. No law sets this limit.
REPORT_AGE_DAYS_MAX = 30
# Ours: no law says how long a consent to an inquiry lasts; one that is older than a year is asked for again.
CONSENT_DAYS_MAX = 365
ADVERSE_KEPT_MONTHS = 60


class GivenConsent(Protocol):
    """A consent as the records have it."""

    @property
    def purpose(self) -> str: ...

    @property
    def text_version(self) -> str: ...

    @property
    def given_at(self) -> Instant: ...

    @property
    def withdrawn_at(self) -> Instant | None: ...


def covers_inquiry(consents: Iterable[GivenConsent], purpose: str, text_version: str, inquired_at: Instant) -> bool:
    """Whether one of the consents is for this purpose under this text, was given before the inquiry and within a year of it, and holds.

    An inquiry made before the consent was unlawful, and a consent given afterwards does not heal it.
    """
    return any(
        consent.purpose == purpose
        and consent.text_version == text_version
        and consent.withdrawn_at is None
        and timedelta() <= inquired_at - consent.given_at <= timedelta(days=CONSENT_DAYS_MAX)
        for consent in consents
    )


def age_days(reported_at: Instant, as_of: Instant) -> int:
    """Full days since the report was made."""
    return (as_of - reported_at).days


def why_not_used(*, reported_at: Instant, as_of: Instant, has_consent: bool, is_erased: bool) -> NotUsed | None:
    """Why a decision may not rest on a report; None when it may."""
    if is_erased:
        return NotUsed.ERASED
    if not has_consent:
        return NotUsed.CONSENT_WITHDRAWN
    return NotUsed.STALE if age_days(reported_at, as_of) > REPORT_AGE_DAYS_MAX else None


def erased_before(on: BusinessDate) -> BusinessDate:
    """Reports made before this day hold nothing adverse that may still be kept: whatever they tell ended five years ago or more."""
    return add_months(on, -ADVERSE_KEPT_MONTHS)
