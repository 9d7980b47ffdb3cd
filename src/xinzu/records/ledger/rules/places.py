"""A place in the books as a paging cursor's 128 bits: 32 of the date's ordinal, 64 of the entry number, 32 of the line."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from xinzu.records.ledger.model import Place

_ENTRY_NO_MAX = 2**63 - 1
_LINE_MAX = 2**31 - 1


def pack(place: Place) -> UUID:
    """
    >>> unpack(pack(Place(date(2026, 3, 31), 7, 2)))
    Place(business_date=datetime.date(2026, 3, 31), entry_no=7, line=2)
    """
    return UUID(int=place.business_date.toordinal() << 96 | place.entry_no << 32 | place.line)


def unpack(packed: UUID) -> Place | None:
    """The place, or None when these bits are no place.

    >>> unpack(UUID(int=2**128 - 1)) is None
    True
    """
    ordinal, entry_no, line = packed.int >> 96, packed.int >> 32 & 2**64 - 1, packed.int & 2**32 - 1
    if not 0 < ordinal <= date.max.toordinal() or entry_no > _ENTRY_NO_MAX or line > _LINE_MAX:
        return None
    return Place(date.fromordinal(ordinal), entry_no, line)
