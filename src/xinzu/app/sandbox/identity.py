"""The identity twin: does this name belong to this identity number? A deterministic rule in place of the population register.

It matches when the number is well made (GB 11643), the name is Chinese and the number is not on the list of refused ones.
"""

from __future__ import annotations

import re

import msgspec

from xinzu.app.sandbox.signed import Content, Unprocessable, conflict, decoded, digest
from xinzu.app.sandbox.store import Store
from xinzu.kernel.errors import Invalid
from xinzu.platform.crypto.identifiers import normalize_identity_no

_NAME = re.compile(r"[一-鿿㐀-䶿]{1,15}(?:·[一-鿿㐀-䶿]{1,15}){0,4}")


class IdentityRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check of a name against a number."""

    reference: str
    name: str
    identity_no: str


class IdentityTwin:
    """Answers checks and remembers the answers by reference."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check(self, key_id: str, body: bytes) -> Content:
        """``passed`` with ``match``, or why not: ``invalid_number``, ``name_mismatch``, ``not_found``."""
        request = decoded(body, IdentityRequest)
        row = self._store.one("SELECT * FROM identity_check WHERE key_id = ? AND reference = ?", key_id, request.reference)
        if row is not None:
            if row["request_sha256"] != self._digest(request):
                raise conflict()
            return self._answer(row["check_id"], row["reference"], row["code"])
        code = self._code(request)
        check_id = f"idc{self._store.next_number()}"
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO identity_check VALUES (?, ?, ?, ?, ?, ?)",
                (check_id, key_id, request.reference, self._digest(request), code == "match", code),
            )
        return self._answer(check_id, request.reference, code)

    def found(self, key_id: str, check_id: str) -> Content:
        """The outcome of an earlier check, by its id or by the caller's reference."""
        row = self._store.one(
            "SELECT * FROM identity_check WHERE key_id = ?1 AND (check_id = ?2 OR reference = ?2)", key_id, check_id
        )
        if row is None:
            raise Unprocessable(404, "check_not_found", "no such check")
        return self._answer(row["check_id"], row["reference"], row["code"])

    def refuse(self, identity_no: str) -> None:
        """Put a number on the list of those the register does not know."""
        with self._store.transaction() as db:
            db.execute("INSERT INTO identity_refused VALUES (?) ON CONFLICT DO NOTHING", (self._blind(identity_no),))

    def _code(self, request: IdentityRequest) -> str:
        try:
            number = normalize_identity_no(request.identity_no)
        except Invalid:
            return "invalid_number"
        if self._store.one("SELECT 1 FROM identity_refused WHERE identity_blind = ?", self._blind(number)) is not None:
            return "not_found"
        return "match" if _NAME.fullmatch(request.name) else "name_mismatch"

    def _blind(self, identity_no: str) -> bytes:
        return self._store.vault.blind("identity.identity_no", identity_no)

    def _digest(self, request: IdentityRequest) -> str:
        """Keyed: identity numbers are few enough to be found from a bare digest."""
        return self._store.vault.blind("identity.request", digest(request)).hex()

    @staticmethod
    def _answer(check_id: str, reference: str, code: str) -> Content:
        return {"check_id": check_id, "reference": reference, "passed": code == "match", "code": code}
