"""One-time codes: what they look like, how long and how often they may be tried, how often they may be sent."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from xinzu.kernel.time import Instant
from xinzu.middle.agreements.model import Code

CODE_DIGITS = 6
VALID_MINUTES = 5
VALID = timedelta(minutes=VALID_MINUTES)
TRIES_MAX = 5
RESEND_AFTER = timedelta(seconds=60)
WINDOW = timedelta(hours=1)
SENT_PER_WINDOW_MAX = 5


class CodeState(StrEnum):
    USABLE = "usable"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


def code_text(number: int) -> str:
    """A random number below 10**6 as the digits that are sent.

    >>> code_text(42)
    '000042'
    """
    return f"{number:0{CODE_DIGITS}d}"


def code_state(code: Code, now: Instant) -> CodeState:
    """Whether a code may still be tried at this instant."""
    if now >= code.expires_at:
        return CodeState.EXPIRED
    return CodeState.EXHAUSTED if code.tries >= TRIES_MAX else CodeState.USABLE


def wait_before_next(last: Code | None, now: Instant) -> timedelta:
    """How long to wait before another code may be sent; zero when it may be sent now.

    One a minute and five an hour: against a fumbled phone that is enough, against guessing (25 tries in a million an hour) as well.
    """
    if last is None:
        return timedelta()
    if last.sent_recently >= SENT_PER_WINDOW_MAX:
        return max(last.sent_at + WINDOW - now, RESEND_AFTER)
    return max(last.sent_at + RESEND_AFTER - now, timedelta())
