"""Ids: UUIDv7 inside (RFC 9562 §5.7), ``agr_<26 Crockford base32>`` outside (the TypeID form). The prefix list is here, once."""

from __future__ import annotations

import os
import threading
import time
from enum import StrEnum
from uuid import UUID

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE = {c: i for i, c in enumerate(_CROCKFORD)}


class Prefix(StrEnum):
    """What a public id names."""

    EVENT = "evt"
    PARTY = "pty"
    CONSENT = "cns"
    MESSAGE = "msg"
    ENTRY = "ent"
    CLOSURE = "clo"
    ADJUSTMENT = "adj"
    AMENDMENT = "amd"
    LEAF = "lef"
    PRODUCT = "prd"
    PLAN = "pln"
    QUOTE = "quo"
    APPLICATION = "app"
    DECISION = "dec"
    AGREEMENT = "agr"
    DOCUMENT = "doc"
    INSTALMENT = "ins"
    CHARGE = "chg"
    RECEIPT = "rcp"
    MANDATE = "mdt"
    PAYMENT = "pay"
    RELEASE = "rel"
    REFUND = "rfd"
    NOTIFICATION = "ntf"
    ASSET = "ast"
    SHIPMENT = "shp"
    INSPECTION = "isp"
    DEVICE = "dev"
    COMMAND = "cmd"
    CASE = "cas"
    NOTICE = "ntc"
    HOLD = "hld"


_lock = threading.Lock()
_last_ms = 0
_sequence = 0


def new_id() -> UUID:
    """A UUIDv7, monotonic within this process (12-bit counter in rand_a, as RFC 9562 §6.2 method 1).

    The time part is the wall clock on purpose: it only orders index pages; business time is a column of its own.
    """
    global _last_ms, _sequence
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last_ms:
            _last_ms, _sequence = now_ms, int.from_bytes(os.urandom(1), "big")
        else:
            _sequence += 1
            if _sequence > 0xFFF:
                _last_ms, _sequence = _last_ms + 1, 0
        ms, sequence = _last_ms, _sequence
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(ms << 80) | (0x7 << 76) | (sequence << 64) | (0b10 << 62) | tail)


def public_id(prefix: Prefix, value: UUID) -> str:
    """The outside form of an id.

    >>> public_id(Prefix.AGREEMENT, UUID(int=1))
    'agr_00000000000000000000000001'
    """
    number = value.int
    digits = []
    for _ in range(26):
        digits.append(_CROCKFORD[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(digits))}"


def parse_id(prefix: Prefix, text: str) -> UUID:
    """The uuid inside a public id; raises ValueError when the prefix or the form is wrong.

    >>> parse_id(Prefix.AGREEMENT, "agr_00000000000000000000000001").int
    1
    """
    head, _, body = text.partition("_")
    if head != prefix or len(body) != 26 or body[0] > "7":
        raise ValueError(f"expected an id like {prefix}_…, got {text[:40]!r}")
    number = 0
    for char in body:
        if char not in _VALUE:
            raise ValueError(f"expected an id like {prefix}_…, got {text[:40]!r}")
        number = number << 5 | _VALUE[char]
    return UUID(int=number)
