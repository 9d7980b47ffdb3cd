"""What a provider answered: ok, failed or unknown. Unknown is resolved by a query, never by a guess.

Failed means the provider itself said, under its signature, that the thing did not happen. Everything else that is not a signed
success is Unknown: no reply, a broken signature, a busy service. A caller commits its intent first, calls, and records one of
the three; for Unknown it asks again later with the same request number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The provider did it, or says that it was done before."""

    value: T


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider refused: ``code`` is its own stable code, ``detail`` its words with personal data redacted."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have happened. ``may_have_happened`` is False when the request surely never left this machine.

    ``reason`` is one of ours (``not_sent``, ``circuit_open``, ``no_reply``, ``bad_reply``, ``bad_signature``, ``http_<status>``)
    or ``provider_<code>`` for a provider that says it does not know yet.
    """

    reason: str
    detail: str = ""
    may_have_happened: bool = True


ProviderResult: TypeAlias = Ok[T] | Failed | Unknown
