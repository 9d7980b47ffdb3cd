"""Keyset paging: a page is asked for by the last id seen, so that it is as fast on the last page as on the first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from xinzu.kernel.errors import Invalid

T = TypeVar("T")
LIMIT_DEFAULT = 50
LIMIT_MAX = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, newest first, and the cursor of the next one (None on the last)."""

    items: Sequence[T]
    next_cursor: str | None


def encode_cursor(last_id: UUID) -> str:
    return base64.urlsafe_b64encode(last_id.bytes).rstrip(b"=").decode()


def decode_cursor(cursor: str | None) -> UUID | None:
    """The id a cursor stands for; raises Invalid when it is not one of ours."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise bad_cursor() from None


def bad_cursor() -> Invalid:
    """What is said to a cursor that is not one of ours."""
    return Invalid.field(
        "/query/cursor",
        "paging.bad_cursor",
        "翻页标记无效，请从第一页重新开始",
        "The cursor is not valid: start from the first page",
    )


def page_of(rows: Sequence[T], limit: int, id_of: Callable[[T], UUID]) -> Page[T]:
    """Cut limit+1 fetched rows into a page and its cursor."""
    if len(rows) <= limit:
        return Page(rows, None)
    kept = rows[:limit]
    return Page(kept, encode_cursor(id_of(kept[-1])))
