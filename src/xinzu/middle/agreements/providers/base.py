"""What an identity register must be able to do."""

from __future__ import annotations

from typing import Protocol

from xinzu.middle.agreements.model import IdentityOutcome, Signer


class IdentityRegister(Protocol):
    """Says whether a name belongs to an identity number. Asking again for the same agreement is a query, not a second check."""

    async def check(self, signer: Signer) -> IdentityOutcome: ...
