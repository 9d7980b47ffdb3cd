"""The signed HTTP contract for providers that have no protocol of their own here (SMS, courier, identity): both directions.

Headers ``X-Xinzu-Key``, ``X-Xinzu-Timestamp`` (Unix seconds), ``X-Xinzu-Nonce`` and ``X-Xinzu-Signature``: the hex HMAC-SHA256 of
method, path with query, timestamp, nonce and the hex SHA-256 of the body, joined by line feeds. A reply is signed the same way
with ``REPLY`` and the status in place of method and path, and with the request's nonce, so that it answers this request only.
Freshness is five minutes either way of the wall clock, never of the business clock, which a demo may move by months.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import SecretStr

from xinzu.kernel.time import Clock, Instant
from xinzu.platform.crypto.masking import redact
from xinzu.platform.outbound import Outbound, Reply, as_unknown
from xinzu.platform.providers import Failed, Ok, ProviderResult, Unknown

KEY_HEADER = "x-xinzu-key"
TIMESTAMP_HEADER = "x-xinzu-timestamp"
NONCE_HEADER = "x-xinzu-nonce"
SIGNATURE_HEADER = "x-xinzu-signature"
SKEW_MAX = timedelta(minutes=5)
SHOWN_FIELDS = frozenset(
    {"message_id", "shipment_id", "check_id", "status", "code", "template", "event_id", "passed", "reference"}
)

# Refusals of the call, not of what it asks for: wrong key, clock askew, replay. It never got that far.
CALL_REFUSED = frozenset({"missing_header", "unknown_key", "stale", "bad_signature", "replayed"})

JsonObject = dict[str, object]


class SignatureRefused(ValueError):
    """A signed message that must not be believed; ``code`` says why: missing_header, unknown_key, stale, bad_signature."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SignedPeer:
    """The other side of the contract: where it is, under which key id it knows us, and the secret we share."""

    name: str
    base_url: str
    key_id: str
    secret: str = field(repr=False)


def configured_peer(name: str, url: SecretStr | None, key: SecretStr | None) -> SignedPeer | None:
    """The peer of two settings, ``key`` as ``<key id>:<shared secret>``; None when one of them is not set."""
    if url is None or key is None:
        return None
    key_id, _, secret = key.get_secret_value().partition(":")
    return SignedPeer(name, url.get_secret_value(), key_id, secret)


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signature held. The receiver refuses a (key_id, nonce) it has seen within the freshness window."""

    key_id: str
    nonce: str


def signed_headers(
    key_id: str, secret: str, method: str, target: str, body: bytes, at: Instant, nonce: str = ""
) -> dict[str, str]:
    """The four headers for one message. ``target`` is the path with its query, as sent."""
    nonce = nonce or secrets.token_urlsafe(16)
    timestamp = str(int(at.timestamp()))
    return {
        KEY_HEADER: key_id,
        TIMESTAMP_HEADER: timestamp,
        NONCE_HEADER: nonce,
        SIGNATURE_HEADER: _signature(secret, method, target, timestamp, nonce, body),
    }


def verify_signed(
    headers: Mapping[str, str], method: str, target: str, body: bytes, secrets_by_key: Mapping[str, str], at: Instant
) -> Verified:
    """Check one message (header names in lower case); raises SignatureRefused. The receiver refuses replays, see Verified."""
    try:
        key_id, timestamp, nonce, signature = (
            headers[name] for name in (KEY_HEADER, TIMESTAMP_HEADER, NONCE_HEADER, SIGNATURE_HEADER)
        )
    except KeyError:
        raise SignatureRefused("missing_header") from None
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12 and 0 < len(nonce) <= 64):
        raise SignatureRefused("missing_header")
    secret = secrets_by_key.get(key_id)
    if secret is None:
        raise SignatureRefused("unknown_key")
    expected = _signature(secret, method, target, timestamp, nonce, body)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise SignatureRefused("bad_signature")
    if abs(int(timestamp) - at.timestamp()) > SKEW_MAX.total_seconds():
        raise SignatureRefused("stale")
    return Verified(key_id, nonce)


async def call_signed(
    outbound: Outbound,
    peer: SignedPeer,
    wall_clock: Clock,
    method: str,
    path: str,
    content: JsonObject | None = None,
    *,
    operation: str,
    timeout_s: float | None = None,
) -> ProviderResult[JsonObject]:
    """Call a provider under the contract. Ok holds the reply's JSON object; Failed its ``code`` and ``detail`` (a signed 4xx).

    A reply without a right signature, a 5xx and anything that is no JSON object is Unknown.
    """
    url = peer.base_url.rstrip("/") + path
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    body = b"" if content is None else json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers = signed_headers(peer.key_id, peer.secret, method, target, body, wall_clock.now())
    outcome = await outbound.call(
        method,
        url,
        content=body,
        headers={**headers, "content-type": "application/json"},
        provider=peer.name,
        operation=operation,
        timeout_s=timeout_s,
        shown_fields=SHOWN_FIELDS,
    )
    if not isinstance(outcome, Reply):
        return as_unknown(outcome)
    return _result(outcome, peer, nonce=headers[NONCE_HEADER], at=wall_clock.now())


def reply_headers(key_id: str, secret: str, status: int, request_nonce: str, body: bytes, at: Instant) -> dict[str, str]:
    """The headers of a signed reply: bound to its status and to the nonce it answers."""
    return signed_headers(key_id, secret, "REPLY", str(status), body, at, request_nonce)


def _result(reply: Reply, peer: SignedPeer, nonce: str, at: Instant) -> ProviderResult[JsonObject]:
    if reply.status >= 500:
        return Unknown(f"http_{reply.status}")
    try:
        verified = verify_signed(reply.headers, "REPLY", str(reply.status), reply.body, {peer.key_id: peer.secret}, at)
    except SignatureRefused as refused:
        return Unknown("bad_signature", refused.code)
    if verified.nonce != nonce:
        return Unknown("bad_signature", "answers another request")
    try:
        found = json.loads(reply.body)
    except ValueError:
        return Unknown("bad_reply", "not JSON")
    if not isinstance(found, dict):
        return Unknown("bad_reply", "not a JSON object")
    if reply.status >= 400:
        return Failed(str(found.get("code", f"http_{reply.status}")), redact(str(found.get("detail", "")))[:500])
    return Ok(found)


def _signature(secret: str, method: str, target: str, timestamp: str, nonce: str, body: bytes) -> str:
    text = "\n".join((method.upper(), target, timestamp, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()
