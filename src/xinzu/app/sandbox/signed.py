"""The receiving side of the signed HTTP contract: who is believed, which nonce was seen, how answers are signed.

A repeated ``reference`` with the same content gives the first answer again, with other content it is refused; that is how every
twin of this contract is idempotent.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.types import ASGIApp

from xinzu.app.sandbox import wire
from xinzu.app.sandbox.faults import FaultKind, Faults
from xinzu.app.sandbox.merchants import Merchants
from xinzu.app.sandbox.store import Store
from xinzu.kernel.time import SystemClock
from xinzu.platform.signed_http import KEY_HEADER, NONCE_HEADER, SignatureRefused, reply_headers, verify_signed

S = TypeVar("S", bound=msgspec.Struct)
NONCE_KEPT_S = 11 * 60
Content = dict[str, object]


class Unprocessable(Exception):
    """The twin refuses a believed request: HTTP status, code and words."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail


class SignedDoor:
    """Lets requests of registered clients through to a twin and signs what it answers."""

    def __init__(self, store: Store, merchants: Merchants, faults: Faults) -> None:
        self.store = store
        self._merchants = merchants
        self._faults = faults
        self._clock = SystemClock()
        self._purged_at = 0.0

    async def answer(self, request: Request[None, None, State], service: str, act: Callable[[str, bytes], Content]) -> ASGIApp:
        """Verify the request, let ``act(key_id, body)`` do the work, sign the answer. Faults go by ``service``."""
        body = await request.body()
        key_id = request.headers.get(KEY_HEADER, "")
        nonce = request.headers.get(NONCE_HEADER, "")
        client = self._merchants.signed(key_id)
        try:
            self._believe(request, body, {} if client is None else {key_id: client.secret})
            if self._faults.strike(service, "", FaultKind.BUSY):
                return wire.json_reply(503, {"code": "busy", "detail": "try again later"})
            status, content = 200, act(key_id, body)
        except SignatureRefused as refused:
            status, content = 401, {"code": refused.code, "detail": "the signature was not accepted"}
        except Unprocessable as refused:
            status, content = refused.status, {"code": refused.code, "detail": refused.detail}
        fault = self._faults.strike(service, "", FaultKind.NO_REPLY, FaultKind.HANG, FaultKind.FORGED_REPLY)
        if fault is not None and fault.kind is not FaultKind.FORGED_REPLY:
            return wire.dropped if fault.kind is FaultKind.NO_REPLY else wire.hanging
        encoded = msgspec.json.encode(content)
        if client is None:
            return wire.json_reply(status, content)
        secret = "forged" if fault is not None else client.secret
        headers = reply_headers(key_id, secret, status, nonce, encoded, self._clock.now())
        return wire.RawReply(status, encoded, {"content-type": "application/json", **headers})

    def _believe(self, request: Request[None, None, State], body: bytes, secrets_by_key: Mapping[str, str]) -> None:
        query = request.scope["query_string"].decode()
        target = f"{request.scope['raw_path'].decode()}?{query}" if query else request.scope["raw_path"].decode()
        verified = verify_signed(request.headers, request.method, target, body, secrets_by_key, self._clock.now())
        with self.store.transaction() as db:
            if time.time() - self._purged_at > 60:
                self._purged_at = time.time()
                db.execute("DELETE FROM nonce WHERE seen_at < ?", (self._purged_at - NONCE_KEPT_S,))
            seen = db.execute(
                "INSERT INTO nonce VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (verified.key_id, verified.nonce, time.time())
            )
            if seen.rowcount == 0:
                raise SignatureRefused("replayed")


def decoded(body: bytes, kind: type[S]) -> S:
    """A request's body as its type; refuses with the field that is wrong."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise Unprocessable(422, "request_invalid", str(error)[:200]) from None


def digest(body: msgspec.Struct) -> str:
    """What a request said, as a digest: the twins keep no personal data to compare a repeated reference with."""
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()


def conflict() -> Unprocessable:
    """The same reference with other content."""
    return Unprocessable(409, "reference_conflict", "this reference was used for another content")
