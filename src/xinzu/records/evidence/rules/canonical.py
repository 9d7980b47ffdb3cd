"""The one way a leaf is written as bytes: RFC 8785 (JSON Canonicalization Scheme), narrowed so that no two writers can disagree.

Members sorted, no white space, UTF-8, ASCII member names, integers only and within ±(2^53 − 1), no floats. Under these limits
sorting by code point, by UTF-8 byte and by UTF-16 unit is the same order, and numbers have one spelling.

A leaf holds no personal data. What a court may need to match against a person goes in as a salted digest: the salt is kept beside
the sealed value, so deleting both erases the person while the log still verifies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

JSON: TypeAlias = "str | int | bool | Sequence[JSON] | Mapping[str, JSON] | None"

INTEGER_MAX = 2**53 - 1
SALT_BYTES = 16
DIGEST_PREFIX = "sha256:"


class NotCanonical(ValueError):
    """A value that has no place in a leaf. Names the member and the remedy; the fault is the writer's, not the customer's."""


def check_canonical(value: object) -> None:
    """Raise NotCanonical unless the value may stand in a leaf.

    >>> check_canonical({"rent_fen": 29900, "terms": ["a", None, True]})
    >>> check_canonical({"rate": 0.1})
    Traceback (most recent call last):
    ...
    xinzu.records.evidence.rules.canonical.NotCanonical: /rate is a float: write an integer in a named unit, or text
    """
    if not _is_canonical(value):
        raise NotCanonical(_fault(value, ""))


def _is_canonical(value: object) -> bool:
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, int):
        return -INTEGER_MAX <= value <= INTEGER_MAX
    if isinstance(value, dict):
        for name, member in value.items():
            if not (isinstance(name, str) and name.isascii()):
                return False
            # most members are text: spare them the call
            if type(member) is not str and not _is_canonical(member):
                return False
        return True
    return isinstance(value, list | tuple) and all(map(_is_canonical, value))


def _fault(value: object, pointer: str) -> str:
    """What is wrong and where (a JSON pointer, RFC 6901). Only asked when something is."""
    if isinstance(value, int):
        return f"{pointer} is beyond 2^53: write it as text"
    if isinstance(value, dict):
        for name, member in value.items():
            if not (isinstance(name, str) and name.isascii()):
                return f"{pointer}/{name!s} is no ASCII member name: name it in English"
            if not _is_canonical(member):
                return _fault(member, f"{pointer}/{name}")
    if isinstance(value, list | tuple):
        for nth, member in enumerate(value):
            if not _is_canonical(member):
                return _fault(member, f"{pointer}/{nth}")
    return f"{pointer} is a {type(value).__name__}: write an integer in a named unit, or text"


def canonical_json(value: JSON) -> bytes:
    """The canonical bytes of a value; raises NotCanonical for what cannot be written in exactly one way.

    >>> canonical_json({"b": 1, "a": "租"}).decode()
    '{"a":"租","b":1}'
    """
    check_canonical(value)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotCanonical("a text holds half a surrogate pair: it is not Unicode text") from None


def salted_digest(salt: bytes, value: str) -> str:
    """What stands in a leaf in place of a personal value: ``sha256:`` and the hex of SHA-256(salt ‖ UTF-8 of the value).

    The salt is 16 random bytes used for this value only: without it an identity number or a phone is found by trying them all.

    >>> salted_digest(bytes(16), "13800138000")[:23]
    'sha256:67844f191e7fde9d'
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return DIGEST_PREFIX + sha256(salt + value.encode()).hexdigest()
