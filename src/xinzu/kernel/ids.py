"""Ids: UUIDv7 inside (RFC 9562 §5.7), ``agr_<26 Crockford base32>`` outside (the TypeID form). The prefix list is here, once."""

from __future__ import annotations

import os
import threading
import time
from enum import StrEnum
from struct import unpack
from uuid import UUID, SafeUUID

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
    STRATEGY = "stg"
    BACKTEST = "bkt"
    MODEL = "mdl"
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
    CREDIT_REPORT = "crp"
    SCORE_QUERY = "scq"
    APPROVAL = "apv"
    PARTNER = "ptn"
    PAYOUT = "pyt"
    LIST_ENTRY = "lst"
    ALERT = "alt"


_lock = threading.Lock()
_last_place = 0  # of the newest id: its millisecond and the 12-bit counter behind it, as one number
_NEW, _SET = object.__new__, object.__setattr__
_PAIRS = [high + low for high in _CROCKFORD for low in _CROCKFORD]


def new_id() -> UUID:
    """A UUIDv7, monotonic within this process (12-bit counter in rand_a, as RFC 9562 §6.2 method 1).

    The time part is the wall clock on purpose: it only orders index pages; business time is a column of its own.
    """
    return _at(_places(1), int.from_bytes(os.urandom(8), "big"))


def new_ids(count: int) -> list[UUID]:
    """So many ids as ``new_id`` gives, in order. The clock and the system's randomness are asked once for all of them."""
    noises = unpack(f">{count}Q", os.urandom(8 * count))
    return [_at(place, noise) for place, noise in enumerate(noises, start=_places(count))]


def _places(count: int) -> int:
    """The first of so many consecutive places that nobody has had: now, or after the last one given."""
    global _last_place
    with _lock:
        first = max((time.time_ns() // 1_000_000) << 12 | os.urandom(1)[0], _last_place + 1)
        _last_place = first + count - 1
    return first


def _at(place: int, noise: int) -> UUID:
    """UUID(int=…) checks a range that is kept here by construction, and takes three times as long."""
    made = _NEW(UUID)
    _SET(made, "int", (place >> 12) << 80 | 0x7 << 76 | (place & 0xFFF) << 64 | 0b10 << 62 | noise >> 2)
    _SET(made, "is_safe", SafeUUID.unknown)
    return made


def public_id(prefix: Prefix, value: UUID) -> str:
    """The outside form of an id.

    >>> public_id(Prefix.AGREEMENT, UUID(int=1))
    'agr_00000000000000000000000001'
    """
    number = value.int
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])}"


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
